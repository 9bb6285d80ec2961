#include "tests/support/test.h"

#include "tsdb/head/head.h"

struct fixture {
    struct head *head;
    struct tenant_table *tenants;
    struct tenant *tenant;
    struct tenant *other;
    struct arena arena;
};

static struct fixture open_fixture(void)
{
    struct error err;
    struct fixture f = {.head = head_new()};
    struct tenant_table_options options = {
        .shard_count = 1, .tenants_max = 10, .default_tenant = STR("a")};
    expect_ok(tenant_table_open(&options, &f.tenants, &err));
    f.tenant = tenant_table_default(f.tenants);
    expect_ok(tenant_table_get(f.tenants, STR("b"), &f.other, &err));
    arena_init(&f.arena, SIZE_MAX);
    return f;
}

static void close_fixture(struct fixture *f)
{
    head_free(f->head);
    tenant_table_close(f->tenants);
    arena_deinit(&f->arena);
}

/* up{id="<id>"} */
static struct labels labels_of(struct fixture *f, const char *id)
{
    struct label *labels = arena_alloc(&f->arena, 2 * sizeof *labels);
    labels[0] = (struct label){LABEL_METRIC_NAME, STR("up")};
    labels[1] = (struct label){STR("id"), str_from(id)};
    return (struct labels){labels, 2};
}

static struct series_ref add(struct fixture *f, const char *id)
{
    return head_add(f->head, f->tenant, labels_of(f, id), 0);
}

static struct series_ref find(struct fixture *f, struct tenant *tenant, struct labels labels)
{
    struct head_key key = {.tenant = tenant,
                           .hash = labels_identity_hash(labels),
                           .labels = labels.ptr,
                           .label_count = labels.count};
    struct series_ref ref;
    head_find(f->head, &key, 1, &ref);
    return ref;
}

static enum append_result append(struct fixture *f, struct series_ref ref, int64_t ts_ms,
                                 double value)
{
    return head_append(f->head, ref, (struct sample){ts_ms, value}, ts_ms);
}

static void expect_ts(struct fixture *f, struct series_ref ref, int64_t min_ts_ms,
                      int64_t max_ts_ms, int64_t first, int64_t last)
{
    struct error err;
    struct columns out;
    columns_init(&out);
    expect_ok(head_read(f->head, ref, min_ts_ms, max_ts_ms, &out, &err));
    assert_int_equal(out.count, last - first + 1);
    for (size_t i = 0; i < out.count; i++)
        assert_int_equal(out.ts_ms[i], first + (int64_t)i);
    columns_deinit(&out);
}

TEST(the_same_labels_of_another_tenant_are_another_series)
{
    struct fixture f = open_fixture();
    struct series_ref ref = add(&f, "1");
    assert_int_equal(find(&f, f.tenant, labels_of(&f, "1")).value, ref.value);
    assert_int_equal(find(&f, f.other, labels_of(&f, "1")).value, SERIES_REF_NONE.value);
    assert_int_equal(find(&f, f.tenant, labels_of(&f, "2")).value, SERIES_REF_NONE.value);
    close_fixture(&f);
}

TEST(a_key_that_is_longer_or_shorter_than_a_series_is_not_it)
{
    struct fixture f = open_fixture();
    add(&f, "1");
    struct labels labels = labels_of(&f, "1");
    struct buffer identity;
    buffer_init(&identity, 1000);
    labels_identity_encode(&identity, labels);
    uint64_t hash = labels_identity_hash(labels);
    struct series_ref ref;
    for (size_t len = 1; len <= identity.len; len++) {
        /* the hash says yes; only the comparison can say no */
        struct head_key key = {.tenant = f.tenant, .hash = hash, .identity = {identity.ptr, len}};
        head_find(f.head, &key, 1, &ref);
        assert_int_equal(ref.value == SERIES_REF_NONE.value, len < identity.len);
    }
    struct head_key key = {.tenant = f.tenant, .hash = hash, .labels = labels.ptr};
    for (key.label_count = 0; key.label_count <= 2; key.label_count++) {
        head_find(f.head, &key, 1, &ref);
        assert_int_equal(ref.value == SERIES_REF_NONE.value, key.label_count < 2);
    }
    buffer_deinit(&identity);
    close_fixture(&f);
}

/* label_00="<value>", label_01="<value>", ...; the one at `odd` has another value, the names from
   `renamed` on are others. */
static struct labels many_labels(struct fixture *f, size_t count, size_t odd, size_t renamed)
{
    struct label *labels = arena_alloc(&f->arena, count * sizeof *labels);
    for (size_t i = 0; i < count; i++)
        labels[i] =
            (struct label){arena_format(&f->arena, i < renamed ? "label_%02zu" : "other_%02zu", i),
                           i == odd ? STR("odd") : STR("value")};
    return (struct labels){labels, count};
}

/* What the series before has at the same place is only a guess. */
TEST(series_that_differ_in_one_label_keep_their_own)
{
    enum { LABELS = 40 };
    struct fixture f = open_fixture();
    struct labels given[2 * LABELS];
    struct series_ref refs[2 * LABELS];
    for (size_t i = 0; i < LABELS; i++) {
        given[2 * i] = many_labels(&f, LABELS, i, LABELS);
        given[2 * i + 1] = many_labels(&f, LABELS - i, LABELS, i);
    }
    for (size_t i = 0; i < 2 * LABELS; i++)
        refs[i] = head_add(f.head, f.tenant, given[i], 0);
    for (size_t i = 0; i < 2 * LABELS; i++) {
        assert_int_equal(find(&f, f.tenant, given[i]).value, refs[i].value);
        struct labels kept = head_labels(f.head, refs[i], &f.arena);
        assert_int_equal(labels_compare(kept, given[i]), 0);
    }
    close_fixture(&f);
}

TEST(every_range_of_a_long_series_is_read_exactly)
{
    struct fixture f = open_fixture();
    struct series_ref ref = add(&f, "1");
    for (int64_t ts_ms = 1; ts_ms <= 100; ts_ms++)
        assert_int_equal(append(&f, ref, ts_ms, (double)ts_ms), APPEND_OK);
    for (int64_t first = 1; first <= 100; first++) {
        for (int64_t last = first; last <= 100; last += 7)
            expect_ts(&f, ref, first, last, first, last);
    }
    expect_ts(&f, ref, INT64_MIN, INT64_MAX, 1, 100);
    expect_ts(&f, ref, 101, 200, 1, 0);
    expect_ts(&f, ref, 9, 8, 1, 0);
    close_fixture(&f);
}

TEST(duplicates_and_conflicts_are_told_wherever_the_sample_is)
{
    struct fixture f = open_fixture();
    struct series_ref ref = add(&f, "1");
    for (int64_t ts_ms = 0; ts_ms < 200; ts_ms += 2)
        append(&f, ref, ts_ms, (double)ts_ms);
    for (int64_t ts_ms = 199; ts_ms > 0; ts_ms -= 2)
        assert_int_equal(append(&f, ref, ts_ms, (double)ts_ms), APPEND_OK);
    for (int flush = 0; flush < 2; flush++) {
        for (int64_t ts_ms = 0; ts_ms < 200; ts_ms++) {
            assert_int_equal(append(&f, ref, ts_ms, (double)ts_ms), APPEND_DUPLICATE);
            assert_int_equal(append(&f, ref, ts_ms, -1), APPEND_CONFLICT);
        }
        if (flush == 0)
            head_flush_begin(f.head);
    }
    assert_int_equal(head_sample_count(f.head), 0);
    expect_ts(&f, ref, 0, 199, 0, 199);
    head_flush_abort(f.head);
    assert_int_equal(head_sample_count(f.head), 200);
    expect_ts(&f, ref, 0, 199, 0, 199);
    close_fixture(&f);
}

TEST(values_are_compared_bit_by_bit)
{
    struct fixture f = open_fixture();
    struct series_ref ref = add(&f, "1");
    append(&f, ref, 1, 0.0);
    assert_int_equal(append(&f, ref, 1, -0.0), APPEND_CONFLICT);
    append(&f, ref, 2, f64_from_bits(STALE_NAN_BITS));
    assert_int_equal(append(&f, ref, 2, f64_from_bits(STALE_NAN_BITS)), APPEND_DUPLICATE);
    assert_int_equal(append(&f, ref, 2, f64_from_bits(STALE_NAN_BITS + 1)), APPEND_CONFLICT);
    close_fixture(&f);
}

TEST(every_timestamp_can_be_kept)
{
    static const int64_t all[] = {INT64_MIN, INT64_MIN + 1, -1, 0, INT64_MAX - 1, INT64_MAX};
    struct error err;
    struct fixture f = open_fixture();
    for (int is_reversed = 0; is_reversed < 2; is_reversed++) {
        struct series_ref ref = add(&f, is_reversed ? "r" : "f");
        for (size_t i = 0; i < 6; i++) {
            int64_t ts_ms = all[is_reversed ? 5 - i : i];
            assert_int_equal(append(&f, ref, ts_ms, 1), APPEND_OK);
            assert_int_equal(append(&f, ref, ts_ms, 1), APPEND_DUPLICATE);
        }
        struct columns out;
        columns_init(&out);
        expect_ok(head_read(f.head, ref, INT64_MIN, INT64_MAX, &out, &err));
        assert_int_equal(out.count, 6);
        assert_memory_equal(out.ts_ms, all, sizeof all);
        columns_deinit(&out);
    }
    close_fixture(&f);
}

TEST(reading_adds_to_what_is_there_and_keeps_it)
{
    struct error err;
    struct fixture f = open_fixture();
    struct series_ref ref = add(&f, "1");
    for (int64_t ts_ms = 1; ts_ms <= 3; ts_ms++)
        append(&f, ref, ts_ms, 1);
    struct columns out;
    columns_init(&out);
    columns_append(&out, 2, 7);
    columns_append(&out, 9, 7);
    expect_ok(head_read(f.head, ref, 0, 10, &out, &err));
    assert_int_equal(out.count, 4);
    assert_true(out.values[1] == 7);
    assert_int_equal(out.ts_ms[3], 9);
    columns_deinit(&out);
    close_fixture(&f);
}

TEST(idle_series_leave_the_count_and_come_back)
{
    struct fixture f = open_fixture();
    struct series_ref a = add(&f, "a");
    struct series_ref b = add(&f, "b");
    append(&f, b, 100, 1);
    assert_int_equal(counter_get(&f.tenant->active_series), 2);
    head_sweep_idle(f.head, 0);
    assert_false(head_is_active(f.head, a));
    assert_true(head_is_active(f.head, b));
    assert_int_equal(counter_get(&f.tenant->active_series), 1);
    head_sweep_idle(f.head, 0);
    assert_int_equal(counter_get(&f.tenant->active_series), 1);
    head_activate(f.head, a, 200);
    head_activate(f.head, a, 200);
    assert_int_equal(counter_get(&f.tenant->active_series), 2);
    head_sweep_idle(f.head, 199);
    assert_true(head_is_active(f.head, a));
    close_fixture(&f);
}

TEST(an_idle_series_goes_with_the_flush_of_its_last_sample)
{
    struct fixture f = open_fixture();
    struct series_ref ref = add(&f, "gone");
    struct series_ref kept = add(&f, "kept");
    append(&f, ref, 1, 1);
    append(&f, kept, 1000, 1);
    head_sweep_idle(f.head, 500);
    head_flush_begin(f.head);
    assert_true(head_flush_has(f.head, ref));
    assert_int_equal(find(&f, f.tenant, labels_of(&f, "gone")).value, ref.value);
    head_flush_end(f.head);
    assert_int_equal(head_series_count(f.head), 1);
    assert_int_equal(find(&f, f.tenant, labels_of(&f, "gone")).value, SERIES_REF_NONE.value);
    struct str_list values;
    struct error err;
    expect_ok(head_label_values(f.head, f.tenant, STR("id"), &f.arena, &values, &err));
    assert_int_equal(values.count, 1);
    expect_str(values.ptr[0], "kept");
    head_flush_begin(f.head);
    head_flush_end(f.head);
    assert_int_equal(add(&f, "gone").value, ref.value); /* the slot is used again */
    assert_int_equal(head_logged_epoch(f.head, ref), 0);
    assert_int_equal(find(&f, f.tenant, labels_of(&f, "gone")).value, ref.value);
    close_fixture(&f);
}

static const struct matchers all = {NULL, 0};

TEST(a_tenant_without_series_has_nothing_to_select)
{
    struct error err;
    struct fixture f = open_fixture();
    struct ref_list refs;
    struct str_list texts;
    for (int round = 0; round < 2; round++) {
        expect_ok(head_select(f.head, f.other, all, &f.arena, &refs, &err));
        assert_int_equal(refs.count, 0);
        expect_ok(head_label_names(f.head, f.other, &f.arena, &texts, &err));
        assert_int_equal(texts.count, 0);
        expect_ok(head_label_values(f.head, f.other, STR("id"), &f.arena, &texts, &err));
        assert_int_equal(texts.count, 0);
        add(&f, "1");
    }
    close_fixture(&f);
}

TEST(a_selection_that_does_not_fit_the_budget_is_refused)
{
    struct error err;
    struct fixture f = open_fixture();
    char id[4] = "aa";
    for (int i = 0; i < 400; i++) {
        id[0] = (char)('a' + i / 20);
        id[1] = (char)('a' + i % 20);
        add(&f, id);
    }
    struct arena small;
    arena_init(&small, 1000);
    struct ref_list refs;
    expect_status(head_select(f.head, f.tenant, all, &small, &refs, &err), STATUS_LIMIT);
    expect_ok(head_select(f.head, f.tenant, all, &f.arena, &refs, &err));
    assert_int_equal(refs.count, 400);
    arena_deinit(&small);
    close_fixture(&f);
}

TEST(memory_is_accounted_and_returns_after_a_flush)
{
    struct fixture f = open_fixture();
    struct series_ref ref = add(&f, "1");
    size_t before = head_memory_bytes(f.head);
    assert_true(before < 100000);
    for (int64_t ts_ms = 0; ts_ms < 100000; ts_ms++)
        append(&f, ref, ts_ms, (double)(ts_ms * ts_ms % 99991) / 7);
    for (int64_t ts_ms = -1; ts_ms > -1000; ts_ms--)
        append(&f, ref, ts_ms, 1);
    assert_true(head_memory_bytes(f.head) > before + 300000);
    head_flush_begin(f.head);
    head_flush_end(f.head);
    assert_true(head_memory_bytes(f.head) < before + 100000);
    close_fixture(&f);
}

TEST(a_series_costs_a_few_hundred_bytes_and_gives_them_back)
{
    struct fixture f = open_fixture();
    for (int i = 0; i < 20000; i++)
        add(&f, arena_format(&f.arena, "pod-%d", i).ptr);
    size_t bytes = head_memory_bytes(f.head);
    assert_true(bytes > 20000 * 64);
    assert_true(bytes < 20000 * 320);
    for (int round = 0; round < 3; round++) {
        head_sweep_idle(f.head, 0);
        for (int flush = 0; flush < 2; flush++) { /* removed slots rest for one flush */
            head_flush_begin(f.head);
            head_flush_end(f.head);
        }
        assert_int_equal(head_series_count(f.head), 0);
        for (int i = 0; i < 20000; i++)
            add(&f, arena_format(&f.arena, "pod-%d", i).ptr);
        assert_true(head_memory_bytes(f.head) < bytes + 20000 * 10);
    }
    close_fixture(&f);
}

TEST(a_small_tenant_costs_a_few_kilobytes)
{
    enum { TENANTS = 500, SERIES = 10 };
    struct error err;
    struct fixture f = {.head = head_new()};
    struct tenant_table_options options = {
        .shard_count = 1, .tenants_max = TENANTS + 1, .default_tenant = STR("a")};
    expect_ok(tenant_table_open(&options, &f.tenants, &err));
    arena_init(&f.arena, SIZE_MAX);
    for (int i = 0; i < TENANTS; i++) {
        struct str id = arena_format(&f.arena, "tenant-%d", i);
        expect_ok(tenant_table_get(f.tenants, id, &f.tenant, &err));
        for (int k = 0; k < SERIES; k++)
            append(&f, add(&f, arena_format(&f.arena, "pod-%d", k).ptr), 1, 1);
    }
    assert_true(head_memory_bytes(f.head) / TENANTS < 6000);
    close_fixture(&f);
}

TEST_MAIN(RUN(the_same_labels_of_another_tenant_are_another_series),
          RUN(a_key_that_is_longer_or_shorter_than_a_series_is_not_it),
          RUN(series_that_differ_in_one_label_keep_their_own),
          RUN(every_range_of_a_long_series_is_read_exactly),
          RUN(duplicates_and_conflicts_are_told_wherever_the_sample_is),
          RUN(values_are_compared_bit_by_bit), RUN(every_timestamp_can_be_kept),
          RUN(reading_adds_to_what_is_there_and_keeps_it),
          RUN(idle_series_leave_the_count_and_come_back),
          RUN(an_idle_series_goes_with_the_flush_of_its_last_sample),
          RUN(a_tenant_without_series_has_nothing_to_select),
          RUN(a_selection_that_does_not_fit_the_budget_is_refused),
          RUN(memory_is_accounted_and_returns_after_a_flush),
          RUN(a_small_tenant_costs_a_few_kilobytes),
          RUN(a_series_costs_a_few_hundred_bytes_and_gives_them_back))
