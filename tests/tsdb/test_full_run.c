#include "tsdb/head/full_run.h"

#include "base/mem.h"
#include "tests/support/test.h"

enum { START_MS = 1000, FULL = OPEN_RUN_COUNT_MAX };

struct fixture {
    struct head *head;
    struct tenant_table *tenants;
    struct series_ref ref;
    struct full_run run;
    struct chunk_times times;
    struct buffer chunk;
};

/* One sample a millisecond; the copy of the first run is encoded when it is full. */
static void append(struct fixture *f, int64_t first, int64_t count)
{
    struct full_runs full = {0};
    for (int64_t i = first; i < first + count; i++) {
        struct logged_sample sample = {{START_MS + i, (double)i}, f->ref};
        full.count = 0;
        assert_int_equal(head_append_logged(f->head, &sample, 1, 0, &full), 1);
        assert_int_equal(full.count, i % FULL == FULL - 1);
        if (i != FULL - 1)
            continue;
        f->run = full.ptr[0];
        full_run_encode(&f->run, &f->times, &f->chunk);
    }
    mem_free(full.ptr);
}

static void open_fixture(struct fixture *f, int64_t count)
{
    struct error err;
    const struct label label = {STR("__name__"), STR("up")};
    struct tenant_table_options options = {
        .shard_count = 1, .tenants_max = 10, .default_tenant = STR("a")};
    *f = (struct fixture){.head = head_new()};
    buffer_init(&f->chunk, CHUNK_BYTES_MAX);
    expect_ok(tenant_table_open(&options, &f->tenants, &err));
    f->ref = head_add(f->head, tenant_table_default(f->tenants), (struct labels){&label, 1}, 0);
    append(f, 0, count);
}

static void close_fixture(struct fixture *f)
{
    head_free(f->head);
    tenant_table_close(f->tenants);
    buffer_deinit(&f->chunk);
}

static void expect_count(struct fixture *f, int64_t count)
{
    struct error err;
    struct columns out;
    columns_init(&out);
    expect_ok(head_read(f->head, f->ref, INT64_MIN, INT64_MAX, &out, &err));
    assert_int_equal(out.count, count);
    for (size_t i = 0; i < out.count; i++) {
        assert_int_equal(out.ts_ms[i], START_MS + (int64_t)i);
        assert_true(out.values[i] == (double)i);
    }
    columns_deinit(&out);
}

TEST(a_chunk_takes_the_place_of_the_samples_that_it_was_made_of)
{
    struct fixture f;
    open_fixture(&f, FULL);
    size_t before = head_sample_memory_bytes(f.head);
    head_adopt_chunk(f.head, &f.run, buffer_bytes(&f.chunk));
    assert_true(head_sample_memory_bytes(f.head) > before); /* the first page of chunks */
    expect_count(&f, FULL);
    append(&f, FULL, FULL + 3);
    expect_count(&f, 2 * FULL + 3);
    close_fixture(&f);
}

TEST(many_samples_are_appended_like_one_after_the_other)
{
    enum { COUNT = 100 };
    struct fixture f;
    struct full_runs full = {0};
    struct logged_sample samples[COUNT + 2];
    open_fixture(&f, 0);
    for (int64_t i = 0; i < COUNT; i++)
        samples[i] = (struct logged_sample){{START_MS + i, (double)i}, f.ref};
    samples[COUNT] = samples[3];
    samples[COUNT + 1] = (struct logged_sample){{START_MS + COUNT, COUNT}, f.ref};
    assert_int_equal(head_append_logged(f.head, samples, COUNT + 2, 0, &full), COUNT + 1);
    assert_int_equal(samples[COUNT].sample.ts_ms, START_MS + COUNT);
    assert_int_equal(full.count, COUNT / FULL);
    for (size_t i = 0; i < full.count; i++)
        assert_int_equal(full.ptr[i].base_ts_ms, START_MS + (int64_t)(i * FULL));
    expect_count(&f, COUNT + 1);
    mem_free(full.ptr);
    close_fixture(&f);
}

TEST(a_series_that_has_gone_on_needs_no_chunk)
{
    for (int64_t count = FULL + 1; count <= 3 * FULL; count++) {
        struct fixture f;
        open_fixture(&f, count);
        head_adopt_chunk(f.head, &f.run, buffer_bytes(&f.chunk));
        expect_count(&f, count);
        close_fixture(&f);
    }
}

TEST(a_chunk_is_adopted_once)
{
    struct fixture f;
    open_fixture(&f, FULL);
    head_adopt_chunk(f.head, &f.run, buffer_bytes(&f.chunk));
    head_adopt_chunk(f.head, &f.run, buffer_bytes(&f.chunk));
    expect_count(&f, FULL);
    close_fixture(&f);
}

TEST_MAIN(RUN(a_chunk_takes_the_place_of_the_samples_that_it_was_made_of),
          RUN(many_samples_are_appended_like_one_after_the_other),
          RUN(a_series_that_has_gone_on_needs_no_chunk), RUN(a_chunk_is_adopted_once))
