#include "tsdb/model/quota.h"

#include "tests/support/test.h"

#define HOUR_MS INT64_C(3600000)

TEST(an_hour_begins_with_the_first_of_it)
{
    struct quota quota = {0};
    assert_int_equal(quota_taken(&quota, 5), 0);
    quota_take(&quota, 1000);
    quota_take(&quota, 1000 + HOUR_MS - 1);
    assert_int_equal(quota_taken(&quota, 1000 + HOUR_MS - 1), 2);
    assert_int_equal(quota_taken(&quota, 1000 + HOUR_MS), 0);
    quota_take(&quota, 3 * HOUR_MS);
    assert_int_equal(quota_taken(&quota, 4 * HOUR_MS - 1), 1);
    assert_int_equal(quota_taken(&quota, 4 * HOUR_MS), 0);
}

TEST_MAIN(RUN(an_hour_begins_with_the_first_of_it))
