#include "tests/support/test.h"

#include "compaction/setback.h"

enum { MINUTE_MS = 60000 };

TEST(each_failure_in_a_row_doubles_the_wait_up_to_an_hour)
{
    static const int64_t minutes[] = {1, 2, 4, 8, 16, 32, 60, 60, 60};
    struct setback_table table;
    int64_t now_ms = 5;
    setback_table_init(&table);
    assert_false(setback_is_held(&table, 1, 19000, now_ms));
    for (size_t i = 0; i < sizeof minutes / sizeof *minutes; i++) {
        setback_note_failure(&table, 1, 19000, now_ms);
        now_ms += minutes[i] * MINUTE_MS;
        assert_true(setback_is_held(&table, 1, 19000, now_ms - 1));
        assert_false(setback_is_held(&table, 1, 19000, now_ms));
    }
    setback_table_deinit(&table);
}

TEST(days_and_shards_wait_each_for_themselves)
{
    struct setback_table table;
    setback_table_init(&table);
    setback_note_failure(&table, 1, -1, 0);
    setback_note_failure(&table, 2, 7, 0);
    setback_note_failure(&table, 2, 8, 0);
    assert_true(setback_is_held(&table, 1, -1, 0));
    assert_false(setback_is_held(&table, 2, -1, 0));
    setback_forget(&table, 1, -1);
    setback_forget(&table, 1, -1);
    assert_false(setback_is_held(&table, 1, -1, 0));
    assert_true(setback_is_held(&table, 2, 7, 0));
    assert_true(setback_is_held(&table, 2, 8, 0));
    setback_table_deinit(&table);
}

TEST_MAIN(RUN(each_failure_in_a_row_doubles_the_wait_up_to_an_hour),
          RUN(days_and_shards_wait_each_for_themselves))
