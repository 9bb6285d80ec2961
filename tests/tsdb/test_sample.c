#include "tests/support/test.h"

#include "base/random.h"
#include "tsdb/model/sample.h"

/* One letter per sample, 'a' at 1 ms, 'b' at 2 ms, ...; the value says whose sample it is. */
static struct columns columns_of(const char *letters, double value)
{
    struct columns columns;
    columns_init(&columns);
    for (; *letters != '\0'; letters++)
        columns_append(&columns, *letters - 'a' + 1, value);
    return columns;
}

/* `want`: letters, in lower case for value 1 and upper case for value 2. */
static void expect_columns(const struct columns *columns, const char *want)
{
    char got[64];
    size_t len = 0;
    for (size_t i = 0; i < columns->count; i++)
        got[len++] = (char)(columns->ts_ms[i] - 1 + (columns->values[i] == 1.0 ? 'a' : 'A'));
    expect_str(((struct str){got, len}), want);
}

static void expect_merged(const char *ours, const char *theirs, const char *want)
{
    struct columns to = columns_of(ours, 1.0);
    struct columns from = columns_of(theirs, 2.0);
    columns_merge(&to, &from);
    expect_columns(&to, want);
    columns_deinit(&to);
    columns_deinit(&from);
}

TEST(merging_keeps_order_and_what_was_there_first)
{
    expect_merged("", "", "");
    expect_merged("ab", "", "ab");
    expect_merged("", "ab", "AB");
    expect_merged("ab", "cd", "abCD");
    expect_merged("cd", "ab", "ABcd");
    expect_merged("ace", "bdf", "aBcDeF");
    expect_merged("bdf", "ace", "AbCdEf");
    expect_merged("abc", "abc", "abc");
    expect_merged("abef", "bcde", "abCDef");
    expect_merged("d", "abcdefg", "ABCdEFG");
}

TEST(merging_random_sets_equals_the_naive_union)
{
    struct random random;
    random_init_seeded(&random, test_seed(11));
    for (int round = 0; round < 2000; round++) {
        char ours[27] = "", theirs[27] = "", want[27] = "";
        size_t our_count = 0, their_count = 0, count = 0;
        for (int letter = 0; letter < 26; letter++) {
            unsigned who = (unsigned)random_below(&random, 4);
            if (who & 1)
                ours[our_count++] = (char)('a' + letter);
            if (who & 2)
                theirs[their_count++] = (char)('a' + letter);
            if (who != 0)
                want[count++] = (char)((who & 1 ? 'a' : 'A') + letter);
        }
        expect_merged(ours, theirs, want);
    }
}

static void expect_clipped(const char *letters, int64_t min_ts_ms, int64_t max_ts_ms,
                           const char *want)
{
    struct columns columns = columns_of(letters, 1.0);
    columns_clip(&columns, min_ts_ms, max_ts_ms);
    expect_columns(&columns, want);
    columns_deinit(&columns);
}

TEST(clipping_keeps_both_ends_of_the_range)
{
    expect_clipped("abcdef", 2, 4, "bcd");
    expect_clipped("abcdef", INT64_MIN, INT64_MAX, "abcdef");
    expect_clipped("abcdef", 6, 6, "f");
    expect_clipped("abcdef", 7, 9, "");
    expect_clipped("bcd", 0, 1, "");
    expect_clipped("", 0, 1, "");
    expect_clipped("ad", 2, 3, "");
}

TEST(a_timestamp_is_found_where_it_is_or_would_be)
{
    struct columns columns = columns_of("bdf", 1.0);
    assert_int_equal(columns_find(&columns, 1), 0);
    assert_int_equal(columns_find(&columns, 2), 0);
    assert_int_equal(columns_find(&columns, 3), 1);
    assert_int_equal(columns_find(&columns, 6), 2);
    assert_int_equal(columns_find(&columns, 7), 3);
    columns_reset(&columns);
    assert_int_equal(columns_find(&columns, 7), 0);
    columns_deinit(&columns);
}

TEST(only_the_one_stale_pattern_is_stale)
{
    assert_true(sample_is_stale(f64_from_bits(STALE_NAN_BITS)));
    assert_false(sample_is_stale(f64_from_bits(STALE_NAN_BITS | 1)));
    assert_false(sample_is_stale(f64_from_bits(0x7ff8000000000001)));
}

TEST_MAIN(RUN(merging_keeps_order_and_what_was_there_first),
          RUN(merging_random_sets_equals_the_naive_union),
          RUN(clipping_keeps_both_ends_of_the_range),
          RUN(a_timestamp_is_found_where_it_is_or_would_be),
          RUN(only_the_one_stale_pattern_is_stale))
