#include "tsdb/store/late_memo.h"

#include "tests/support/test.h"

enum { STEP_MS = 1000 };

static const struct late_key some = {.sequence = 7, .tenant = 2, .series = 5};

/* `count` samples, one each second, of values from `value` on. */
static void keep(struct late_memo *memo, struct late_key key, size_t count, double value)
{
    struct columns samples;
    columns_init(&samples);
    for (size_t i = 0; i < count; i++)
        columns_append(&samples, (int64_t)i * STEP_MS, value + (double)i);
    late_memo_keep(memo, &key, 0, 100 * STEP_MS, &samples);
    columns_deinit(&samples);
}

static void expect_unknown(struct late_memo *memo, struct late_key key, int64_t ts_ms)
{
    enum append_result result;
    assert_false(late_memo_find(memo, &key, (struct sample){ts_ms, 0}, &result));
}

static void expect_result(struct late_memo *memo, struct late_key key, int64_t ts_ms, double value,
                          enum append_result want)
{
    enum append_result result;
    assert_true(late_memo_find(memo, &key, (struct sample){ts_ms, value}, &result));
    assert_int_equal(result, want);
}

static void expect_none(struct late_memo *memo, struct late_key key, int64_t ts_ms)
{
    expect_result(memo, key, ts_ms, 0, APPEND_OK);
}

static void expect_kept(struct late_memo *memo, struct late_key key, int64_t ts_ms, double value)
{
    expect_result(memo, key, ts_ms, value, APPEND_DUPLICATE);
    expect_result(memo, key, ts_ms, value + 0.5, APPEND_CONFLICT);
}

TEST(what_is_kept_is_known_as_far_as_it_goes)
{
    struct late_memo memo;
    late_memo_init(&memo, NULL);
    expect_unknown(&memo, (struct late_key){0}, 0);
    keep(&memo, some, 3, 10);
    expect_kept(&memo, some, 0, 10);
    expect_kept(&memo, some, 2 * STEP_MS, 12);
    expect_none(&memo, some, 1);
    expect_none(&memo, some, 100 * STEP_MS);
    expect_unknown(&memo, some, 100 * STEP_MS + 1);
    expect_unknown(&memo, some, -1);
    expect_unknown(&memo, (struct late_key){0}, 0);
    late_memo_deinit(&memo);
}

TEST(more_samples_than_are_kept_end_what_is_known)
{
    struct late_memo memo;
    late_memo_init(&memo, NULL);
    keep(&memo, some, LATE_MEMO_SAMPLES + 2, 0);
    int64_t last_ms = (LATE_MEMO_SAMPLES - 1) * STEP_MS;
    expect_kept(&memo, some, last_ms, LATE_MEMO_SAMPLES - 1);
    expect_none(&memo, some, last_ms - 1);
    expect_unknown(&memo, some, last_ms + 1);
    late_memo_deinit(&memo);
}

/* Series 5 and that of the same place of the table, and the same numbers in other blocks. */
TEST(nobody_is_told_what_another_series_has)
{
    struct late_memo memo;
    late_memo_init(&memo, NULL);
    struct late_key rival = some;
    rival.series += 1U << LATE_MEMO_BITS;
    keep(&memo, some, 3, 10);
    expect_unknown(&memo, rival, 0);
    keep(&memo, rival, 3, 20);
    expect_unknown(&memo, some, 0);
    expect_kept(&memo, rival, 0, 20);
    for (uint64_t sequence = 0; sequence < 100; sequence++) {
        for (uint32_t tenant = 0; tenant < 100; tenant++) {
            struct late_key other = {sequence, tenant, some.series};
            keep(&memo, other, 1, (double)sequence * 1000 + tenant);
            expect_kept(&memo, other, 0, (double)sequence * 1000 + tenant);
            other.series++;
            expect_unknown(&memo, other, 0);
        }
    }
    late_memo_deinit(&memo);
}

TEST(a_memo_that_nobody_asks_forgets)
{
    struct late_memo memo;
    late_memo_init(&memo, NULL);
    assert_int_equal(late_memo_bytes(&memo), 0);
    keep(&memo, some, 3, 10);
    expect_kept(&memo, some, 0, 10);
    late_memo_rest(&memo);
    assert_in_range(late_memo_bytes(&memo), 1, 20000000);
    expect_kept(&memo, some, 0, 10);
    late_memo_rest(&memo);
    expect_kept(&memo, some, 0, 10);
    late_memo_rest(&memo);
    late_memo_rest(&memo);
    assert_int_equal(late_memo_bytes(&memo), 0);
    expect_unknown(&memo, some, 0);
    late_memo_deinit(&memo);
}

TEST(a_table_is_taken_only_when_there_is_memory_for_it)
{
    struct late_memo memo;
    struct budget *budget = budget_new("request-memory", 0);
    late_memo_init(&memo, NULL);
    keep(&memo, some, 1, 10);
    size_t table_bytes = late_memo_bytes(&memo);
    late_memo_deinit(&memo);
    late_memo_init(&memo, budget);
    for (int more = -1; more <= 1; more++) {
        /* alone it may hold a half */
        budget_set_max(budget, 2 * (table_bytes + (size_t)more));
        keep(&memo, some, 1, 10);
        keep(&memo, some, 1, 10);
        assert_int_equal(late_memo_bytes(&memo), more < 0 ? 0 : table_bytes);
        assert_int_equal(budget_held_bytes(budget), late_memo_bytes(&memo));
        assert_int_equal(budget_refused(budget), 1); /* it is not asked for each sample */
        late_memo_rest(&memo);
        late_memo_rest(&memo);
        assert_int_equal(budget_held_bytes(budget), 0);
    }
    keep(&memo, some, 1, 10);
    late_memo_deinit(&memo);
    budget_free(budget);
}

TEST_MAIN(RUN(a_table_is_taken_only_when_there_is_memory_for_it),
          RUN(what_is_kept_is_known_as_far_as_it_goes),
          RUN(more_samples_than_are_kept_end_what_is_known),
          RUN(nobody_is_told_what_another_series_has), RUN(a_memo_that_nobody_asks_forgets))
