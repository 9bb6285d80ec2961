/* Limits in the configuration: of all tenants and of each. */
#include <stdio.h>

#include "tests/server/config_fixture.h"
#include "tests/support/test.h"

#define DAY_MS INT64_C(86400000)

TEST(limits_have_numbers_or_durations_and_mimirs_names)
{
    struct config_fixture fixture;
    expect_read(&fixture,
                "limits:\n"
                "  max_global_series_per_user: 5\n"
                "  max_global_series_per_metric: 6\n"
                "  max_label_values: {soft: 7}\n"
                "  max_label_names_per_series: 64\n"
                "  out_of_order_time_window: 0s\n"
                "  creation_grace_period: 1m\n"
                "tenants:\n"
                "  a: {limits: {retention: 90d, max_label_values: 8, ingestion_rate: 9}}\n");
    const struct tenant_limits *all = &fixture.config.limits;
    const uint64_t *max = all->max[LIMIT_HARD];
    const uint64_t *own = fixture.config.tenant_limits[0].max[LIMIT_HARD];
    assert_int_equal(max[TENANT_LIMIT_MAX_SERIES], 5);
    assert_int_equal(max[TENANT_LIMIT_MAX_SERIES_PER_METRIC], 6);
    assert_true(max[TENANT_LIMIT_MAX_LABEL_VALUES] == TENANT_LIMIT_NONE);
    assert_int_equal(all->max[LIMIT_SOFT][TENANT_LIMIT_MAX_LABEL_VALUES], 7);
    assert_int_equal(max[TENANT_LIMIT_MAX_LABEL_NAMES], 64);
    assert_int_equal(max[TENANT_LIMIT_OUT_OF_ORDER_WINDOW], 0);
    assert_int_equal(max[TENANT_LIMIT_CREATION_GRACE], 60000);
    assert_true(max[TENANT_LIMIT_RETENTION] == TENANT_LIMIT_NONE);
    assert_int_equal(own[TENANT_LIMIT_RETENTION], 90 * DAY_MS);
    assert_int_equal(own[TENANT_LIMIT_MAX_LABEL_VALUES], 8);
    assert_int_equal(own[TENANT_LIMIT_INGESTION_RATE], 9);
    assert_int_equal(own[TENANT_LIMIT_MAX_SERIES], 5);
    config_deinit(&fixture.config);
    expect_refused("limits: {max_label_names_per_series: 65}\n",
                   "croft.yml:1: max_label_names_per_series: got 65, want 1 to 64");
    expect_refused("limits: {max_label_name_length: 0}\n",
                   "croft.yml:1: max_label_name_length: got 0, want 1 to 1024");
    expect_refused("limits: {out_of_order_time_window: 5}\n",
                   "croft.yml:1: out_of_order_time_window: got \"5\", want a duration such as 2h");
    expect_refused("limits: {retention: 59m}\n",
                   "croft.yml:1: retention: got \"59m\", want at least 1h");
}

TEST(every_limit_can_be_hard_soft_and_in_dry_run)
{
    for (enum tenant_limit limit = 0; limit < TENANT_LIMIT_COUNT; limit++) {
        const struct tenant_limit_row *row = tenant_limit_row(limit);
        bool is_duration = row->unit == TENANT_LIMIT_DURATION;
        if (row->unit == TENANT_LIMIT_SWITCH)
            continue;
        const char *unit = is_duration ? "h" : "";
        uint64_t one = is_duration ? 3600000 : 1;
        struct config_fixture fixture;
        char text[300];
        snprintf(text, sizeof text,
                 "limits:\n  %s: {hard: 9%s, soft: 8%s, dry_run: 7%s}\n"
                 "tenants:\n  a: {limits: {%s: {dry_run: 3%s}}}\n  b: {limits: {%s: 4%s}}\n",
                 row->name, unit, unit, unit, row->other_name, unit, row->name, unit);
        expect_read(&fixture, text);
        const struct tenant_limits *all = &fixture.config.limits,
                                   *of = fixture.config.tenant_limits;
        for (enum tenant_limit_mode mode = 0; mode < LIMIT_MODE_COUNT; mode++)
            assert_int_equal(all->max[mode][limit], (9 - mode) * one);
        /* what a tenant does not name stays as it is for everyone */
        assert_int_equal(of[0].max[LIMIT_HARD][limit], 9 * one);
        assert_int_equal(of[0].max[LIMIT_DRY_RUN][limit], 3 * one);
        assert_int_equal(of[1].max[LIMIT_HARD][limit], 4 * one);
        assert_int_equal(of[1].max[LIMIT_SOFT][limit], 8 * one);
        config_deinit(&fixture.config);
    }
}

TEST(a_soft_limit_is_at_most_the_hard_one_that_holds)
{
    struct config_fixture fixture;
    expect_refused(
        "limits:\n  max_series: {hard: 10,\n    soft: 11}\n",
        "croft.yml:3: max_series: soft: got 11, want at most the hard limit, which is 10");
    expect_refused(
        "limits: {max_series: 10}\ntenants:\n  a: {limits: {max_series: {soft: 11}}}\n",
        "croft.yml:3: max_series: soft: got 11, want at most the hard limit, which is 10");
    expect_refused("limits: {creation_grace_period: {hard: 90m, soft: 2h}}\n",
                   "croft.yml:1: creation_grace_period: soft: got 2h, want at most the hard limit, "
                   "which is 1h30m");
    expect_read(&fixture,
                "limits: {max_series: {hard: 10, soft: 10}, max_series_bytes: {soft: 5}}\n"
                "tenants: {a: {limits: {max_label_values: 500}}}\n");
    /* a thousand, which is built in, says nothing where it cannot be reached */
    assert_int_equal(fixture.config.tenant_limits[0].max[LIMIT_HARD][TENANT_LIMIT_MAX_LABEL_VALUES],
                     500);
    config_deinit(&fixture.config);
}

TEST(a_limit_is_set_by_one_of_its_names)
{
    expect_refused("limits:\n  max_series: 1\n  max_global_series_per_user: 1\n",
                   "croft.yml:3: limits: \"max_series\" and \"max_global_series_per_user\" are one "
                   "limit, which is set twice");
}

TEST(a_switch_is_true_or_false)
{
    struct config_fixture fixture;
    expect_read(&fixture, "limits: {accept_ha_samples: true}\n"
                          "tenants: {a: {limits: {accept_ha_samples: false}}, b: {}}\n");
    const struct tenant_limits *of = fixture.config.tenant_limits;
    assert_int_equal(of[0].max[LIMIT_HARD][TENANT_LIMIT_ACCEPT_HA], 0);
    assert_int_equal(of[1].max[LIMIT_HARD][TENANT_LIMIT_ACCEPT_HA], 1);
    config_deinit(&fixture.config);
    expect_refused("limits: {accept_ha_samples: 1}\n",
                   "croft.yml:1: accept_ha_samples: got \"1\", want true or false");
}

static void expect_ha_labels(const struct tenant_limits *limits, const char *cluster,
                             const char *replica)
{
    assert_string_equal(limits->texts.of[TENANT_TEXT_HA_CLUSTER_LABEL], cluster);
    assert_string_equal(limits->texts.of[TENANT_TEXT_HA_REPLICA_LABEL], replica);
}

TEST(the_labels_of_ha_pairs_are_chosen_for_all_tenants_and_for_each)
{
    struct config_fixture fixture;
    char most[200], more[200];
    expect_read(&fixture, "limits: {ha_cluster_label: c}\n"
                          "tenants: {a: {limits: {ha_replica_label: r}}, b: {}}\n");
    expect_ha_labels(&fixture.config.limits, "c", "__replica__");
    expect_ha_labels(&fixture.config.tenant_limits[0], "c", "r");
    expect_ha_labels(&fixture.config.tenant_limits[1], "c", "__replica__");
    config_deinit(&fixture.config);
    expect_read(&fixture, "listen: 127.0.0.1:1\n");
    expect_ha_labels(&fixture.config.limits, "cluster", "__replica__");
    config_deinit(&fixture.config);
    snprintf(most, sizeof most, "limits: {ha_cluster_label: %064d}\n", 1);
    snprintf(more, sizeof more, "limits: {ha_cluster_label: %065d}\n", 1);
    expect_read(&fixture, most);
    assert_int_equal(strlen(fixture.config.limits.texts.of[TENANT_TEXT_HA_CLUSTER_LABEL]), 64);
    config_deinit(&fixture.config);
    expect_refused(more, "croft.yml:1: ha_cluster_label: got 65 bytes, want 1 to 64");
    expect_refused("limits: {ha_replica_label: ''}\n",
                   "croft.yml:1: ha_replica_label: got 0 bytes, want 1 to 64");
    expect_refused(
        "limits: {ha_replica_label: __name__}\n",
        "croft.yml:1: limits: ha_replica_label: got \"__name__\", want a label that does "
        "not name the metric");
    expect_refused(
        "limits: {ha_replica_label: r}\ntenants: {a: {limits: {ha_cluster_label: r}}}\n",
        "croft.yml:2: limits: ha_cluster_label and ha_replica_label: got \"r\" for both, "
        "want two labels");
}

TEST(a_limit_of_an_unknown_kind_names_the_nearest)
{
    expect_refused(
        "limits:\n  max_estimated_memory_consumption_per_qery: 5\n",
        "croft.yml:2: limits: unknown key \"max_estimated_memory_consumption_per_qery\", "
        "the nearest known key is \"max_estimated_memory_consumption_per_query\"");
    expect_refused("limits: {max_series: 9223372036854775808}\n",
                   "croft.yml:1: max_series: got 9223372036854775808, want 1 to "
                   "9223372036854775807");
    expect_refused("limits:\n  max_series:\n    dryrun: 5\n",
                   "croft.yml:3: max_series: unknown key \"dryrun\", the nearest known key is "
                   "\"dry_run\"");
    expect_refused("limits: {max_series: {}}\n",
                   "croft.yml:1: max_series: got an empty mapping, want hard, soft or dry_run");
    expect_refused("limits: {max_series: {soft: x}}\n",
                   "croft.yml:1: max_series: soft: got \"x\", want a whole number");
    expect_refused("limits: {max_series: {hard: 1, hard: 2}}\n",
                   "croft.yml:1: max_series: key \"hard\" is set twice");
    expect_refused(
        "limits: {creation_grace_period: {soft: 5}}\n",
        "croft.yml:1: creation_grace_period: soft: got \"5\", want a duration such as 2h");
    expect_refused("limits: {max_label_values: [1]}\n",
                   "croft.yml:1: max_label_values: got a list or mapping, want a single value");
}

TEST(a_tenant_starts_from_the_limits_of_all_wherever_they_stand)
{
    static const char *const texts[] = {
        "limits: {max_series: 5}\ntenants: {a: {}, b: {limits: {max_series: 7}}, c: {limits: "
        "{}}}\n",
        "tenants: {a: {}, b: {limits: {max_series: 7}}, c: {limits: {}}}\nlimits: {max_series: "
        "5}\n",
    };
    for (size_t i = 0; i < 2; i++) {
        struct config_fixture fixture;
        expect_read(&fixture, texts[i]);
        assert_int_equal(series_max_of(&fixture.config, "a"), 5);
        assert_int_equal(series_max_of(&fixture.config, "b"), 7);
        assert_int_equal(series_max_of(&fixture.config, "c"), 5);
        config_deinit(&fixture.config);
    }
}

TEST_MAIN(RUN(every_limit_can_be_hard_soft_and_in_dry_run),
          RUN(a_soft_limit_is_at_most_the_hard_one_that_holds),
          RUN(a_limit_is_set_by_one_of_its_names), RUN(a_switch_is_true_or_false),
          RUN(the_labels_of_ha_pairs_are_chosen_for_all_tenants_and_for_each),
          RUN(a_limit_of_an_unknown_kind_names_the_nearest),
          RUN(limits_have_numbers_or_durations_and_mimirs_names),
          RUN(a_tenant_starts_from_the_limits_of_all_wherever_they_stand))
