#include "tsdb/model/tenant_limit.h"

#include "tests/support/test.h"

TEST(a_limit_has_the_name_that_mimir_gives_it_as_well)
{
    enum tenant_limit limit = TENANT_LIMIT_COUNT;
    assert_true(tenant_limit_find(STR("max_global_series_per_user"), &limit));
    assert_int_equal(limit, TENANT_LIMIT_MAX_SERIES);
    assert_true(tenant_limit_find(STR("compactor_blocks_retention_period"), &limit));
    assert_int_equal(limit, TENANT_LIMIT_RETENTION);
    assert_false(tenant_limit_find(STR("max_serie"), &limit));
    for (enum tenant_limit i = 0; i < TENANT_LIMIT_COUNT; i++) {
        assert_true(tenant_limit_find(str_from(tenant_limit_name(i)), &limit));
        assert_int_equal(limit, i);
    }
}

static uint64_t quiet_max(enum tenant_limit limit, uint64_t hard, uint64_t soft)
{
    struct tenant_limits limits = tenant_limits_default();
    limits.max[LIMIT_HARD][limit] = hard;
    limits.max[LIMIT_SOFT][limit] = soft;
    return tenant_limits_quiet_max(&limits, limit);
}

TEST(a_warning_comes_with_the_first_that_reaches_80_percent)
{
    const uint64_t none = TENANT_LIMIT_NONE;
    assert_int_equal(quiet_max(TENANT_LIMIT_MAX_SERIES, 10, none), 7);
    assert_int_equal(quiet_max(TENANT_LIMIT_MAX_SERIES, 1000000, none), 799999);
    assert_int_equal(quiet_max(TENANT_LIMIT_MAX_SERIES, 11, none), 8); /* 9 of 11 are 82 % */
    assert_int_equal(quiet_max(TENANT_LIMIT_MAX_SERIES, 1, none), 0);
    assert_true(quiet_max(TENANT_LIMIT_MAX_SERIES, none - 1, none) > UINT64_C(1) << 63);
    assert_int_equal(quiet_max(TENANT_LIMIT_MAX_SERIES, 10, 3), 3);
    assert_true(quiet_max(TENANT_LIMIT_MAX_SERIES, none, none) == none);
    assert_int_equal(quiet_max(TENANT_LIMIT_MAX_SERIES, 10, 10), 10);
    assert_int_equal(quiet_max(TENANT_LIMIT_MAX_SERIES, 10, 11), 7);
    assert_int_equal(quiet_max(TENANT_LIMIT_MAX_SERIES, none, 3), 3);
    assert_int_equal(quiet_max(TENANT_LIMIT_INGESTION_RATE, 100, none), 79);
}

TEST(what_is_the_same_for_each_sample_or_series_does_not_come_near_its_limit)
{
    assert_true(quiet_max(TENANT_LIMIT_MAX_LABEL_NAMES, 10, TENANT_LIMIT_NONE) ==
                TENANT_LIMIT_NONE);
    assert_int_equal(quiet_max(TENANT_LIMIT_MAX_LABEL_NAMES, 10, 5), 5);
    assert_true(quiet_max(TENANT_LIMIT_MAX_LABEL_NAMES, 10, 11) == TENANT_LIMIT_NONE);
    assert_true(quiet_max(TENANT_LIMIT_RETENTION, 10, TENANT_LIMIT_NONE) == TENANT_LIMIT_NONE);
}

TEST_MAIN(RUN(a_limit_has_the_name_that_mimir_gives_it_as_well),
          RUN(a_warning_comes_with_the_first_that_reaches_80_percent),
          RUN(what_is_the_same_for_each_sample_or_series_does_not_come_near_its_limit))
