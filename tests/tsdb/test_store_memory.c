/* The memory of the heads of all tenants, when one of them wants all of it. */
#include "tests/tsdb/limit_box.h"

enum { MAX_BYTES = 4 << 20, SERIES_MAX = 20000 };

static struct write_result put_numbered(struct store_box *box, const char *tenant, size_t number)
{
    struct str series = arena_format(&box->arena, "m n=%zu", number);
    const struct box_sample sample = {tenant, series.ptr, BOX_START_MS, 1};
    return expect_write(box, &sample, 1);
}

/* New series of the tenant, until one is refused; how many were taken. */
static size_t fill_with(struct store_box *box, const char *tenant, struct write_result *refusal)
{
    for (size_t number = 0; number < SERIES_MAX; number++) {
        *refusal = put_numbered(box, tenant, number);
        if (refusal->samples_written == 0)
            return number;
    }
    fail_msg("%d series and none is refused", SERIES_MAX);
    return 0;
}

/* Starts a store in which a has all it may have; how many series those are. */
static size_t start_full(struct store_box *box, uint64_t seed, struct write_result *refusal)
{
    store_box_start(box, seed);
    store_set_head_memory(box->store, MAX_BYTES);
    return fill_with(box, "a", refusal);
}

static uint64_t head_bytes(struct store_box *box)
{
    uint64_t all = 0;
    for (uint32_t i = 0; i < store_shard_count(box->store); i++) {
        struct shard_status status;
        store_shard_status(box->store, i, &status);
        all += status.head_memory_bytes;
    }
    return all;
}

TEST(who_has_most_is_refused_first_and_for_now)
{
    struct store_box box;
    struct write_result refusal;
    size_t taken = start_full(&box, 1, &refusal);
    assert_int_equal(refusal.samples_refused[REFUSAL_HEAD_MEMORY], 1);
    assert_int_equal(refusal.series_refused[REFUSAL_HEAD_MEMORY], 1);
    assert_true(refusal_reason_is_passing(REFUSAL_HEAD_MEMORY));
    assert_true(refusal.retry_after_ms > 0);
    const char *text = refusal.first[REFUSAL_HEAD_MEMORY].text;
    assert_non_null(strstr(text, "tenant \"a\" has "));
    assert_non_null(strstr(text, "head_memory, which is 4096 KiB: refused 1 new series of metric"));
    assert_non_null(strstr(text, "; to raise it: --head-memory SIZE, or head_memory: SIZE"));
    for (size_t number = 0; number < 100; number++)
        assert_int_equal(put_numbered(&box, "b", number).samples_written, 1);
    for (size_t number = 0; number < taken; number++)
        expect_taken(&box, arena_format(&box.arena, "m n=%zu", number).ptr, BOX_START_MS + 1);
    assert_true(head_bytes(&box) <= MAX_BYTES);
    store_set_head_memory(box.store, 0);
    assert_int_equal(put_numbered(&box, "a", taken).samples_written, 1);
    store_box_deinit(&box);
}

TEST(small_tenants_find_room_when_many_large_ones_have_filled_theirs)
{
    const char *const large[] = {"a", "c", "d", "e", "f", "g"};
    struct store_box box;
    struct write_result refusal;
    store_box_start(&box, 6);
    store_set_head_memory(box.store, MAX_BYTES);
    for (size_t i = 0; i < sizeof large / sizeof *large; i++)
        fill_with(&box, large[i], &refusal);
    for (size_t number = 0; number < 300; number++) {
        const char *small = arena_format(&box.arena, "small%zu", number % 30).ptr;
        assert_int_equal(put_numbered(&box, small, number).samples_written, 1);
        assert_int_equal(put_numbered(&box, "a", SERIES_MAX).samples_written, 0);
    }
    assert_true(head_bytes(&box) <= MAX_BYTES);
    store_box_deinit(&box);
}

static uint64_t charged_bytes(struct store_box *box, const char *id)
{
    struct error err = {0};
    struct tenant *tenant;
    struct tenant_usage usage;
    expect_ok(tenant_table_get(store_tenants(box->store), str_from(id), &tenant, &err));
    store_tenant_usage(box->store, tenant, &usage);
    return usage.charged_bytes;
}

static void expect_new_series(struct store_box *box, const char *tenant, uint64_t max_bytes,
                              size_t want)
{
    store_set_head_memory(box->store, max_bytes);
    assert_int_equal(put_numbered(box, tenant, SERIES_MAX).samples_written, want);
}

/* Fills until the share of large tenants is used up and that of small ones is not, were `floor` a
   256th of all. */
static void fill_to_floor(struct store_box *box, uint64_t floor)
{
    uint64_t max_bytes;
    for (size_t number = 0; store_head_memory(box->store, &max_bytes) < floor * 228; number++)
        put_numbered(box, "a", number);
    assert_true(store_head_memory(box->store, &max_bytes) < floor * 250);
}

TEST(below_a_256th_a_tenant_is_small)
{
    struct store_box box;
    store_box_start(&box, 7);
    for (size_t number = 0; number < 40; number++)
        put_numbered(&box, "b", number);
    uint64_t usage = charged_bytes(&box, "b");
    fill_to_floor(&box, usage);
    expect_new_series(&box, "b", 256 * (usage - 1), 0);
    expect_new_series(&box, "b", 256 * usage, 0);
    expect_new_series(&box, "b", 256 * (usage + 1) - 1, 0);
    expect_new_series(&box, "b", 256 * (usage + 1), 1);
    store_box_deinit(&box);
}

TEST(a_small_tenant_may_take_as_much_as_all_leave)
{
    struct store_box box;
    uint64_t max_bytes;
    store_box_start(&box, 8);
    put_numbered(&box, "b", 0);
    for (size_t number = 0; number < 2000; number++)
        put_numbered(&box, "a", number);
    uint64_t full = store_head_memory(box.store, &max_bytes) + charged_bytes(&box, "b");
    expect_new_series(&box, "b", full - 1, 0);
    expect_new_series(&box, "b", full, 0);
    expect_new_series(&box, "b", full + 1, 1);
    store_box_deinit(&box);
}

/* The smallest maximum of which large tenants have so much. */
static uint64_t max_bytes_for(uint64_t large_bytes)
{
    uint64_t max_bytes = large_bytes;
    while (max_bytes - max_bytes / 8 < large_bytes)
        max_bytes++;
    return max_bytes;
}

TEST(a_large_tenant_may_take_as_much_as_all_leave_of_seven_eighths)
{
    struct store_box box;
    uint64_t max_bytes;
    store_box_start(&box, 9);
    for (size_t number = 0; number < 2000; number++)
        put_numbered(&box, "a", number);
    uint64_t full = store_head_memory(box.store, &max_bytes) + charged_bytes(&box, "a");
    expect_new_series(&box, "a", max_bytes_for(full - 1), 0);
    expect_new_series(&box, "a", max_bytes_for(full), 0);
    expect_new_series(&box, "a", max_bytes_for(full + 1), 1);
    store_box_deinit(&box);
}

TEST(a_flush_makes_no_room_for_series_whose_samples_come_back)
{
    struct store_box box;
    struct write_result refusal;
    size_t taken = start_full(&box, 2, &refusal);
    expect_flush(&box);
    size_t more = 0;
    while (put_numbered(&box, "a", taken + more).samples_written == 1)
        more++;
    assert_true(more < 64); /* the rest of a page of runs */
    store_box_deinit(&box);
}

static bool wants_memory(struct store_box *box)
{
    bool wants = false;
    for (uint32_t i = 0; i < store_shard_count(box->store); i++) {
        struct shard_status status;
        store_shard_status(box->store, i, &status);
        wants = wants || status.wants_memory;
    }
    return wants;
}

TEST(samples_that_take_a_half_want_to_be_flushed)
{
    struct store_box box;
    struct write_result refusal;
    store_box_start(&box, 3);
    assert_false(wants_memory(&box));
    store_set_head_memory(box.store, MAX_BYTES);
    fill_with(&box, "a", &refusal);
    assert_false(wants_memory(&box));
    store_set_head_memory(box.store, MAX_BYTES / 4);
    assert_true(wants_memory(&box));
    expect_flush(&box);
    assert_false(wants_memory(&box));
    store_box_deinit(&box);
}

TEST(all_writes_wait_where_flushes_do_not_keep_up)
{
    struct store_box box;
    struct error err = {0};
    struct write_result result;
    store_box_start(&box, 4);
    const struct box_sample known = {"b", "m n=1", BOX_START_MS, 1};
    for (size_t number = 0; number < 2000; number++)
        put_numbered(&box, "a", number);
    expect_ok(box_write(&box, &known, 1, &result, &err));
    store_set_head_memory(box.store, head_bytes(&box) / 3);
    expect_status(box_write(&box, &known, 1, &result, &err), STATUS_UNAVAILABLE);
    assert_non_null(strstr(err.text, "err-croft-head-memory"));
    store_set_head_memory(box.store, head_bytes(&box));
    expect_ok(box_write(&box, &known, 1, &result, &err));
    store_box_deinit(&box);
}

TEST(what_a_restart_finds_counts)
{
    struct store_box box;
    struct write_result refusal;
    size_t taken = start_full(&box, 5, &refusal);
    store_box_restart(&box);
    store_set_head_memory(box.store, MAX_BYTES);
    assert_int_equal(put_numbered(&box, "a", taken).samples_refused[REFUSAL_HEAD_MEMORY], 1);
    store_box_deinit(&box);
}

TEST_MAIN(RUN(who_has_most_is_refused_first_and_for_now),
          RUN(small_tenants_find_room_when_many_large_ones_have_filled_theirs),
          RUN(below_a_256th_a_tenant_is_small), RUN(a_small_tenant_may_take_as_much_as_all_leave),
          RUN(a_large_tenant_may_take_as_much_as_all_leave_of_seven_eighths),
          RUN(a_flush_makes_no_room_for_series_whose_samples_come_back),
          RUN(samples_that_take_a_half_want_to_be_flushed),
          RUN(all_writes_wait_where_flushes_do_not_keep_up), RUN(what_a_restart_finds_counts))
