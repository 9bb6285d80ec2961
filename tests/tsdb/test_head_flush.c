/*
 * What refs mean across flushes. Everything else about a flush is in test_head_model.c.
 */
#include "tests/support/test.h"

#include "tsdb/head/head.h"

struct fixture {
    struct tenant_table *tenants;
    struct tenant *tenant;
    struct head *head;
};

static struct fixture make_fixture(void)
{
    struct error err;
    struct fixture f = {.head = head_new()};
    const struct tenant_table_options options = {
        .shard_count = 1, .tenants_max = 4, .default_tenant = STR("anonymous")};
    expect_ok(tenant_table_open(&options, &f.tenants, &err));
    f.tenant = tenant_table_default(f.tenants);
    return f;
}

static void free_fixture(struct fixture *f)
{
    head_free(f->head);
    tenant_table_close(f->tenants);
}

/* A series with one sample. */
static struct series_ref add_series(struct fixture *f, const char *name)
{
    const struct label label = {LABEL_METRIC_NAME, str_from(name)};
    struct series_ref ref = head_add(f->head, f->tenant, (struct labels){&label, 1}, 1000);
    assert_int_equal(head_append(f->head, ref, (struct sample){1000, 1}, 1000), APPEND_OK);
    return ref;
}

static size_t read_count(const struct fixture *f, struct series_ref ref)
{
    struct error err;
    struct columns samples;
    columns_init(&samples);
    expect_ok(head_read(f->head, ref, INT64_MIN, INT64_MAX, &samples, &err));
    size_t count = samples.count;
    columns_deinit(&samples);
    return count;
}

static void flush(struct fixture *f)
{
    head_flush_begin(f->head);
    head_flush_end(f->head);
}

TEST(a_removed_series_reads_as_nothing)
{
    struct fixture f = make_fixture();
    struct series_ref ref = add_series(&f, "gone");
    assert_int_equal(read_count(&f, ref), 1);
    head_sweep_idle(f.head, 2000);
    flush(&f);
    assert_int_equal(head_series_count(f.head), 0);
    assert_int_equal(read_count(&f, ref), 0);
    free_fixture(&f);
}

TEST(a_tenant_without_series_leaves_at_the_end_of_the_next_flush)
{
    struct fixture f = make_fixture();
    struct arena arena;
    arena_init(&arena, SIZE_MAX);
    struct series_ref ref = add_series(&f, "gone");
    struct labels labels = head_labels(f.head, ref, &arena);
    head_sweep_idle(f.head, 2000);
    flush(&f);
    assert_int_equal(head_series_count(f.head), 0);
    expect_str(labels.ptr[0].value, "gone"); /* who began before still reads it */
    size_t known = head_memory_bytes(f.head);
    flush(&f);
    assert_true(head_memory_bytes(f.head) + 512 < known);
    /* one that comes back in between begins anew */
    add_series(&f, "first");
    head_sweep_idle(f.head, 2000);
    flush(&f);
    labels = head_labels(f.head, add_series(&f, "back"), &arena);
    head_sweep_idle(f.head, 2000);
    flush(&f);
    expect_str(labels.ptr[0].value, "back");
    add_series(&f, "again");
    flush(&f);
    assert_int_equal(head_series_count(f.head), 1);
    assert_int_equal(
        head_label_series_count(f.head, f.tenant, (struct label){LABEL_METRIC_NAME, STR("again")}),
        1);
    arena_deinit(&arena);
    free_fixture(&f);
}

TEST(a_slot_is_reused_only_after_the_next_flush)
{
    struct fixture f = make_fixture();
    struct series_ref gone = add_series(&f, "gone");
    head_sweep_idle(f.head, 2000);
    flush(&f);
    struct series_ref second = add_series(&f, "second");
    assert_int_not_equal(second.value, gone.value);
    assert_int_equal(read_count(&f, gone), 0);
    head_flush_begin(f.head);
    struct series_ref third = add_series(&f, "third");
    assert_int_not_equal(third.value, gone.value);
    head_flush_end(f.head);
    struct series_ref fourth = add_series(&f, "fourth");
    assert_int_equal(fourth.value, gone.value);
    assert_int_equal(read_count(&f, fourth), 1);
    free_fixture(&f);
}

TEST(a_flush_that_is_undone_reuses_nothing)
{
    struct fixture f = make_fixture();
    struct series_ref gone = add_series(&f, "gone");
    head_sweep_idle(f.head, 2000);
    flush(&f);
    head_flush_begin(f.head);
    head_flush_abort(f.head);
    assert_int_not_equal(add_series(&f, "second").value, gone.value);
    free_fixture(&f);
}

TEST_MAIN(RUN(a_removed_series_reads_as_nothing),
          RUN(a_tenant_without_series_leaves_at_the_end_of_the_next_flush),
          RUN(a_slot_is_reused_only_after_the_next_flush),
          RUN(a_flush_that_is_undone_reuses_nothing))
