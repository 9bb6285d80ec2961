#include "tests/support/test.h"

#include "tsdb/head/open_run.h"

static struct sample sample_at(int64_t ts_ms)
{
    return (struct sample){ts_ms, f64_from_bits((uint64_t)ts_ms * 0x9e3779b97f4a7c15)};
}

static void insert(struct open_pool *pool, struct open_run *run, int64_t ts_ms)
{
    assert_true(open_run_has_room(run, ts_ms));
    uint32_t index = open_run_find(pool, run, ts_ms);
    if (index == run->count)
        open_run_append(pool, run, sample_at(ts_ms));
    else
        open_run_insert(pool, run, index, sample_at(ts_ms));
}

TEST(samples_come_back_in_order_with_all_their_bits)
{
    struct open_pool pool;
    struct open_run run = {0};
    open_pool_init(&pool);
    insert(&pool, &run, 1000);
    for (int64_t i = OPEN_RUN_COUNT_MAX - 1; i > 0; i--)
        insert(&pool, &run, 1000 + i * 7);
    struct columns out;
    columns_init(&out);
    open_run_read(&pool, &run, &out);
    assert_int_equal(out.count, OPEN_RUN_COUNT_MAX);
    for (size_t i = 0; i < out.count; i++) {
        struct sample want = sample_at(1000 + (int64_t)i * 7);
        struct sample got = open_run_at(&pool, &run, (uint32_t)i);
        assert_int_equal(out.ts_ms[i], want.ts_ms);
        assert_int_equal(f64_bits(out.values[i]), f64_bits(want.value));
        assert_int_equal(got.ts_ms, want.ts_ms);
        assert_int_equal(f64_bits(got.value), f64_bits(want.value));
    }
    assert_int_equal(open_run_find(&pool, &run, 1007), 1);
    assert_int_equal(open_run_find(&pool, &run, 1008), 2);
    assert_int_equal(open_run_find(&pool, &run, 5000), OPEN_RUN_COUNT_MAX);
    assert_false(open_run_has_room(&run, 5000));
    columns_deinit(&out);
    open_run_release(&pool, &run);
    open_pool_deinit(&pool);
}

TEST(there_is_room_only_for_what_an_offset_can_hold)
{
    struct open_pool pool;
    struct open_run run = {0};
    open_pool_init(&pool);
    assert_true(open_run_has_room(&run, INT64_MIN));
    insert(&pool, &run, INT64_MIN);
    assert_true(open_run_has_room(&run, INT64_MIN + UINT32_MAX));
    assert_false(open_run_has_room(&run, INT64_MIN + UINT32_MAX + 1));
    assert_false(open_run_has_room(&run, INT64_MAX));
    open_run_release(&pool, &run);
    insert(&pool, &run, 100);
    assert_false(open_run_has_room(&run, 99));
    assert_false(open_run_has_room(&run, INT64_MIN));
    struct open_run last = {.base_ts_ms = INT64_MAX, .count = 1};
    assert_false(open_run_has_room(&last, INT64_MIN)); /* the distance wraps around to 1 */
    insert(&pool, &run, 100 + (int64_t)UINT32_MAX);
    assert_int_equal(open_run_at(&pool, &run, 1).ts_ms, 100 + (int64_t)UINT32_MAX);
    open_run_release(&pool, &run);
    open_pool_deinit(&pool);
}

TEST(released_runs_are_used_again)
{
    struct open_pool pool;
    struct open_run a = {0};
    open_pool_init(&pool);
    insert(&pool, &a, 1);
    uint32_t ref = a.ref;
    open_run_release(&pool, &a);
    open_run_release(&pool, &a);
    assert_int_equal(a.count, 0);
    struct open_run b = {0};
    insert(&pool, &b, 2);
    assert_int_equal(b.ref, ref);
    open_pool_deinit(&pool);
}

TEST_MAIN(RUN(samples_come_back_in_order_with_all_their_bits),
          RUN(there_is_room_only_for_what_an_offset_can_hold), RUN(released_runs_are_used_again))
