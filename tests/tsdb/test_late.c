/*
 * A series whose samples come in any order, so many that nothing may look at all of them for each:
 * that would take these tests minutes.
 */
#include "tests/support/test.h"

#include "base/mem.h"
#include "base/random.h"
#include "tsdb/head/head.h"
#include "tsdb/head/late.h"

enum { SAMPLES = 200000 };

struct fixture {
    struct head *head;
    struct tenant_table *tenants;
    struct series_ref ref;
    int64_t *ts_ms; /* base/mem; 1 to SAMPLES, in the order in which they are sent */
};

static void open_fixture(struct fixture *f)
{
    struct error err;
    struct label label = {LABEL_METRIC_NAME, STR("m")};
    struct tenant_table_options options = {
        .shard_count = 1, .tenants_max = 1, .default_tenant = STR("a")};
    expect_ok(tenant_table_open(&options, &f->tenants, &err));
    f->head = head_new();
    f->ref = head_add(f->head, tenant_table_default(f->tenants), (struct labels){&label, 1}, 0);
    f->ts_ms = mem_alloc(SAMPLES * sizeof *f->ts_ms);
    for (int64_t i = 0; i < SAMPLES; i++)
        f->ts_ms[i] = i + 1;
}

static void close_fixture(struct fixture *f)
{
    head_free(f->head);
    tenant_table_close(f->tenants);
    mem_free(f->ts_ms);
}

static void reverse(struct fixture *f)
{
    for (int64_t i = 0; i < SAMPLES; i++)
        f->ts_ms[i] = SAMPLES - i;
}

static void shuffle(struct fixture *f)
{
    struct random random;
    random_init_seeded(&random, test_seed(1));
    for (size_t i = SAMPLES; i > 1; i--) {
        size_t other = (size_t)random_below(&random, i);
        int64_t ts_ms = f->ts_ms[i - 1];
        f->ts_ms[i - 1] = f->ts_ms[other];
        f->ts_ms[other] = ts_ms;
    }
}

static void send(struct fixture *f, size_t from, size_t to, double add, enum append_result want)
{
    for (size_t i = from; i < to; i++) {
        struct sample sample = {f->ts_ms[i], (double)f->ts_ms[i] + add};
        if (head_append(f->head, f->ref, sample, 0) != want)
            fail_msg("sample %zu is not taken as %d", i, want);
    }
}

static void expect_all(struct fixture *f)
{
    struct error err;
    struct columns out;
    columns_init(&out);
    expect_ok(head_read(f->head, f->ref, INT64_MIN, INT64_MAX, &out, &err));
    assert_int_equal(out.count, SAMPLES);
    for (size_t i = 0; i < out.count; i++) {
        if (out.ts_ms[i] != (int64_t)i + 1 || out.values[i] != (double)out.ts_ms[i])
            fail_msg("sample %zu is wrong", i);
    }
    columns_deinit(&out);
}

/* Half of them, a flush that fails, the rest; then all once more. */
static void expect_kept_in_order(struct fixture *f)
{
    send(f, 0, SAMPLES / 2, 0, APPEND_OK);
    head_flush_begin(f->head);
    send(f, SAMPLES / 4, SAMPLES / 2, 0, APPEND_DUPLICATE);
    send(f, SAMPLES / 2, SAMPLES, 0, APPEND_OK);
    send(f, 0, SAMPLES, 1, APPEND_CONFLICT);
    expect_all(f);
    head_flush_abort(f->head);
    send(f, 0, SAMPLES, 0, APPEND_DUPLICATE);
    expect_all(f);
    assert_int_equal(head_sample_count(f->head), SAMPLES);
    close_fixture(f);
}

TEST(samples_may_come_in_order_and_again)
{
    struct fixture f;
    open_fixture(&f);
    expect_kept_in_order(&f);
}

TEST(samples_may_come_backwards)
{
    struct fixture f;
    open_fixture(&f);
    reverse(&f);
    expect_kept_in_order(&f);
}

TEST(samples_may_come_in_any_order)
{
    struct fixture f;
    open_fixture(&f);
    shuffle(&f);
    expect_kept_in_order(&f);
}

TEST(what_came_late_is_given_back_by_a_flush)
{
    struct fixture f;
    open_fixture(&f);
    size_t before = head_memory_bytes(f.head);
    reverse(&f);
    send(&f, 0, SAMPLES, 0, APPEND_OK);
    assert_true(head_memory_bytes(f.head) > before + SAMPLES * sizeof(struct sample));
    head_flush_begin(f.head);
    head_flush_end(f.head);
    assert_true(head_memory_bytes(f.head) < before + SAMPLES);
    close_fixture(&f);
}

TEST(runs_are_few_and_each_is_found)
{
    struct late late;
    double value;
    late_init(&late);
    for (int64_t i = 0; i < SAMPLES; i++)
        late_add(&late, (struct sample){i * 7919 % SAMPLES, (double)i});
    assert_true(late.run_count <= 12);
    assert_int_equal(late_max_ts_ms(&late), SAMPLES - 1);
    for (int64_t i = 0; i < SAMPLES; i++) {
        assert_true(late_find(&late, i * 7919 % SAMPLES, &value));
        assert_true(value == (double)i);
    }
    assert_false(late_find(&late, SAMPLES, &value));
    assert_false(late_find(&late, -1, &value));
    late_deinit(&late);
}

TEST_MAIN(RUN(samples_may_come_in_order_and_again), RUN(samples_may_come_backwards),
          RUN(samples_may_come_in_any_order), RUN(what_came_late_is_given_back_by_a_flush),
          RUN(runs_are_few_and_each_is_found))
