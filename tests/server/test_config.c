/* The configuration file: every key, and everything that can be wrong with one. */
#include "tests/support/test.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/buffer.h"
#include "server/config.h"
#include "server/yaml_bounds.h"

#define DAY_MS INT64_C(86400000)

struct fixture {
    struct config config;
    struct error err;
};

static enum status read_text(struct fixture *fixture, struct str text)
{
    config_init(&fixture->config);
    return config_read(&fixture->config, text, "croft.yml", &fixture->err);
}

/* The caller deinits the config. */
static void expect_read(struct fixture *fixture, const char *text)
{
    enum status status = read_text(fixture, str_from(text));
    if (status != STATUS_OK)
        fail_msg("%s\ngot: %s", text, fixture->err.text);
}

static void expect_refused_text(struct str text, const char *want)
{
    struct fixture fixture;
    enum status status = read_text(&fixture, text);
    config_deinit(&fixture.config);
    if (status != STATUS_INVALID || strcmp(fixture.err.text, want) != 0)
        fail_msg("%.*s\ngot:  %s\nwant: %s", (int)(text.len > 1000 ? 1000 : text.len), text.ptr,
                 status == STATUS_OK ? "ok" : fixture.err.text, want);
}

static void expect_refused(const char *text, const char *want)
{
    expect_refused_text(str_from(text), want);
}

static uint64_t series_max_of(const struct config *config, const char *tenant)
{
    for (size_t i = 0; i < config->tenant_count; i++) {
        if (str_eq(tenant_id_str(&config->tenants[i]), str_from(tenant)))
            return config->tenant_limits[i].max[LIMIT_HARD][TENANT_LIMIT_MAX_SERIES];
    }
    fail_msg("no tenant %s", tenant);
    return 0;
}

TEST(an_empty_file_leaves_the_defaults)
{
    static const char *const texts[] = {"", "\n\n", "# nothing\n", "---\n...\n", "{}", "--- {}\n"};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        struct fixture fixture;
        if (i == 3) { /* a document of an empty value is no mapping */
            expect_refused(texts[i],
                           "croft.yml:2: configuration: got a value or list, want a mapping");
            continue;
        }
        expect_read(&fixture, texts[i]);
        expect_str(fixture.config.listen, "127.0.0.1:9009");
        expect_str(fixture.config.data_dir, "./data");
        expect_str(fixture.config.tenant_label, "tenant_id");
        assert_int_equal(fixture.config.retention_ms, 30 * DAY_MS);
        assert_int_equal(fixture.config.limits.max[LIMIT_HARD][TENANT_LIMIT_MAX_SERIES], 1000000);
        assert_int_equal(fixture.config.tenant_count, 0);
        config_deinit(&fixture.config);
    }
}

TEST(every_key_is_read)
{
    struct fixture fixture;
    expect_read(&fixture, "listen: '[::1]:9010'\n"
                          "data_dir: /srv/croft data\n"
                          "retention: 90d\n"
                          "tenant_label: team\n"
                          "enable_feature: a,b\n"
                          "query_memory: 2GiB\n"
                          "request_memory: 5%\n"
                          "limits:\n"
                          "  max_series: 5\n"
                          "tenants:\n"
                          "  a: {limits: {max_series: 7}}\n"
                          "  \"b!-_.*'()\": {}\n");
    expect_str(fixture.config.listen, "[::1]:9010");
    expect_str(fixture.config.data_dir, "/srv/croft data");
    expect_str(fixture.config.tenant_label, "team");
    expect_str(fixture.config.enable_feature, "a,b");
    expect_str(fixture.config.query_memory, "2GiB");
    expect_str(fixture.config.request_memory, "5%");
    assert_int_equal(fixture.config.retention_ms, 90 * DAY_MS);
    assert_int_equal(fixture.config.limits.max[LIMIT_HARD][TENANT_LIMIT_MAX_SERIES], 5);
    assert_int_equal(fixture.config.tenant_count, 2);
    assert_int_equal(series_max_of(&fixture.config, "a"), 7);
    assert_int_equal(series_max_of(&fixture.config, "b!-_.*'()"), 5);
    config_deinit(&fixture.config);
}

TEST(the_text_need_not_outlive_the_reading)
{
    struct fixture fixture;
    char text[] = "data_dir: here";
    expect_read(&fixture, text);
    memset(text, 'x', sizeof text);
    expect_str(fixture.config.data_dir, "here");
    config_deinit(&fixture.config);
}

TEST(an_unknown_key_names_file_line_and_the_nearest_key)
{
    expect_refused(
        "listen: a:1\nretentoin: 1d\n",
        "croft.yml:2: configuration: unknown key \"retentoin\", the nearest known key is "
        "\"retention\"");
    expect_refused("Listen: a:1\n",
                   "croft.yml:1: configuration: unknown key \"Listen\", the nearest "
                   "known key is \"listen\"");
    expect_refused("limits:\n  max_serie: 1\n",
                   "croft.yml:2: limits: unknown key \"max_serie\", the nearest known key is "
                   "\"max_series\"");
    expect_refused("tenants:\n  a:\n    limit: {}\n",
                   "croft.yml:3: a: unknown key \"limit\", the nearest known key is \"limits\"");
    expect_refused(
        "tenants: {a: {max_series: 1}}\n",
        "croft.yml:1: a: unknown key \"max_series\", the nearest known key is \"limits\"");
    expect_refused("'': 1\n",
                   "croft.yml:1: configuration: unknown key \"\", the nearest known key is "
                   "\"tls\"");
}

TEST(a_share_of_the_memory_is_a_percentage_or_a_size)
{
    expect_refused("listen: a:1\nquery_memory: 1.5GB\n",
                   "croft.yml:2: query_memory: got \"1.5GB\", want a percentage of the memory from "
                   "1% to 100%, or a size of at least 1MiB such as 512MiB or 4GiB");
    expect_refused("request_memory: 0\n",
                   "croft.yml:1: request_memory: got \"0\", want a percentage of the memory from "
                   "1% to 100%, or a size of at least 1MiB such as 512MiB or 4GiB");
}

TEST(a_very_long_unknown_key_is_shown_in_part)
{
    char text[400], want[ERROR_TEXT_MAX];
    memset(text, 'k', sizeof text);
    memcpy(text + 300, ": 1\n", 5);
    snprintf(
        want, sizeof want,
        "croft.yml:1: configuration: unknown key \"%.100s\", the nearest known key is \"listen\"",
        text);
    expect_refused(text, want);
}

TEST(a_key_may_be_set_once)
{
    expect_refused("listen: a:1\nlisten: b:1\n",
                   "croft.yml:2: configuration: key \"listen\" is set twice");
    expect_refused("limits: {}\ntenants: {}\nlimits: {}\n",
                   "croft.yml:3: configuration: key \"limits\" is set twice");
    expect_refused("limits: {max_series: 1, max_series: 1}\n",
                   "croft.yml:1: limits: key \"max_series\" is set twice");
    expect_refused("tenants: {}\ntenants: {}\n",
                   "croft.yml:2: configuration: key \"tenants\" is set twice");
    expect_refused("tenants:\n  a:\n    limits: {}\n    limits: {}\n",
                   "croft.yml:4: a: key \"limits\" is set twice");
}

TEST(a_tenant_may_be_listed_once)
{
    expect_refused("tenants:\n  a: {}\n  a: {}\n", "croft.yml:3: tenants: \"a\" is listed twice");
    expect_refused("tenants:\n  b: {}\n  a: {}\n  c: {}\n  'a': {limits: {max_series: 1}}\n",
                   "croft.yml:5: tenants: \"a\" is listed twice");
    expect_refused("tenants:\n  z: {}\n  &t a: {}\n  b: {}\n  *t : {}\n  z: {}\n",
                   "croft.yml:3: tenants: \"a\" is listed twice");
    struct fixture fixture;
    expect_read(&fixture, "tenants: {a: {}, A: {}, aa: {}}");
    config_deinit(&fixture.config);
}

TEST(values_of_the_wrong_kind_are_refused)
{
    expect_refused("just text\n",
                   "croft.yml:1: configuration: got a value or list, want a mapping");
    expect_refused("- a\n- b\n", "croft.yml:1: configuration: got a value or list, want a mapping");
    expect_refused("listen: [a]\n",
                   "croft.yml:1: listen: got a list or mapping, want a single value");
    expect_refused("data_dir:\n  a: b\n",
                   "croft.yml:2: data_dir: got a list or mapping, want a single value");
    expect_refused("tenant_label: {}\n",
                   "croft.yml:1: tenant_label: got a list or mapping, want a single value");
    expect_refused("retention: [30d]\n",
                   "croft.yml:1: retention: got a list or mapping, want a single value");
    expect_refused("limits: 5\n", "croft.yml:1: limits: got a value or list, want a mapping");
    expect_refused("limits:\n", "croft.yml:1: limits: got a value or list, want a mapping");
    expect_refused("limits: {max_series: [1]}\n",
                   "croft.yml:1: max_series: got a list or mapping, want a single value");
    expect_refused("tenants: [a, b]\n",
                   "croft.yml:1: tenants: got a value or list, want a mapping of tenant ids");
    expect_refused("tenants: {a: 1}\n", "croft.yml:1: a: got a value or list, want a mapping");
    expect_refused("tenants: {a: }\n", "croft.yml:1: a: got a value or list, want a mapping");
    expect_refused("tenants: {a: {limits: 1}}\n",
                   "croft.yml:1: limits: got a value or list, want a mapping");
    expect_refused("? [listen]\n: a\n",
                   "croft.yml:1: configuration: got a list or mapping, want a single value");
    expect_refused("tenants: {? {} : {}}\n",
                   "croft.yml:1: tenants: got a list or mapping, want a single value");
}

TEST(empty_texts_are_refused)
{
    expect_refused("listen:\n", "croft.yml:1: listen: must not be empty");
    expect_refused("data_dir: ''\n", "croft.yml:1: data_dir: must not be empty");
    expect_refused("tenant_label: \"\"\n", "croft.yml:1: tenant_label: must not be empty");
    expect_refused("retention:\n", "croft.yml:1: retention: got \"\", want a duration such as 30d");
}

TEST(numbers_are_whole_and_fit)
{
    static const char *const bad[] = {"''",    "-1",   "1.5",  "1e6",
                                      "1_000", "0x10", "ten",  "1 000",
                                      "'5 '",  "~",    "true", "18446744073709551616"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        char text[100], want[ERROR_TEXT_MAX];
        size_t quotes = bad[i][0] == '\'';
        snprintf(text, sizeof text, "limits:\n  max_series: %s\n", bad[i]);
        snprintf(want, sizeof want, "croft.yml:2: max_series: got \"%.*s\", want a whole number",
                 (int)(strlen(bad[i]) - 2 * quotes), bad[i] + quotes);
        expect_refused(text, want);
    }
    struct fixture fixture;
    expect_read(&fixture, "limits: {max_series: 18446744073709551615}");
    assert_true(fixture.config.limits.max[LIMIT_HARD][TENANT_LIMIT_MAX_SERIES] == UINT64_MAX);
    config_deinit(&fixture.config);
    expect_read(&fixture, "limits: {max_series: '0'}");
    assert_true(fixture.config.limits.max[LIMIT_HARD][TENANT_LIMIT_MAX_SERIES] ==
                TENANT_LIMIT_NONE);
    config_deinit(&fixture.config);
}

TEST(limits_have_numbers_or_durations_and_mimirs_names)
{
    struct fixture fixture;
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
        struct fixture fixture;
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
    struct fixture fixture;
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
    struct fixture fixture;
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
    struct fixture fixture;
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
}

TEST(a_limit_of_an_unknown_kind_names_the_nearest)
{
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

TEST(tls_needs_a_certificate_and_a_key)
{
    struct fixture fixture;
    expect_read(&fixture, "tls: {cert_file: a.crt, key_file: a.key}");
    assert_true(fixture.config.has_tls);
    assert_string_equal(fixture.config.tls.certificate, "a.crt");
    assert_string_equal(fixture.config.tls.key, "a.key");
    assert_null(fixture.config.tls.client_ca);
    config_deinit(&fixture.config);
    expect_read(&fixture, "tls: {cert_file: a.crt, key_file: a.key, client_ca_file: b.crt}");
    assert_string_equal(fixture.config.tls.client_ca, "b.crt");
    config_deinit(&fixture.config);
    expect_refused("tls: {}\n", "croft.yml:1: tls: want both cert_file and key_file");
    expect_refused("tls: {key_file: a}\n", "croft.yml:1: tls: want both cert_file and key_file");
    expect_refused("tls: {cert_file: ''}\n", "croft.yml:1: cert_file: must not be empty");
}

TEST(a_retention_is_a_duration_of_an_hour_at_least)
{
    int64_t retention_ms;
    struct error err;
    expect_ok(config_parse_retention(STR("1h"), &retention_ms, &err));
    assert_int_equal(retention_ms, DAY_MS / 24);
    expect_ok(config_parse_retention(STR("1y"), &retention_ms, &err));
    assert_int_equal(retention_ms, 365 * DAY_MS);
    expect_refused("retention: 59m\n", "croft.yml:1: retention: got \"59m\", want at least 1h");
    expect_refused("retention: 0\n", "croft.yml:1: retention: got \"0\", want at least 1h");
    expect_refused("retention: 30\n",
                   "croft.yml:1: retention: got \"30\", want a duration such as 30d");
    expect_refused("retention: -1d\n",
                   "croft.yml:1: retention: got \"-1d\", want a duration such as 30d");
    expect_refused("retention: 99999999999y\n",
                   "croft.yml:1: retention: got \"99999999999y\", want a duration such as 30d");
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
        struct fixture fixture;
        expect_read(&fixture, texts[i]);
        assert_int_equal(series_max_of(&fixture.config, "a"), 5);
        assert_int_equal(series_max_of(&fixture.config, "b"), 7);
        assert_int_equal(series_max_of(&fixture.config, "c"), 5);
        config_deinit(&fixture.config);
    }
}

TEST(tenant_ids_are_checked)
{
    char text[300], want[ERROR_TEXT_MAX];
    expect_refused("tenants:\n  a/b: {}\n",
                   "croft.yml:2: tenants: tenant id: want only 0-9 A-Z a-z "
                   "! - _ . * ' ( ), got \"a/b\"");
    expect_refused("tenants:\n  ..: {}\n",
                   "croft.yml:2: tenants: tenant id: a reserved name, got \"..\"");
    expect_refused("tenants:\n  '': {}\n",
                   "croft.yml:2: tenants: tenant id: empty, want 1 to 150 bytes");
    expect_refused("tenants: {a|b: {}}\n", "croft.yml:1: tenants: tenant id: want only 0-9 A-Z a-z "
                                           "! - _ . * ' ( ), got \"a|b\"");
    int len = snprintf(text, sizeof text, "tenants: {%0151d: {}}", 1);
    assert_true(len > 0);
    snprintf(want, sizeof want,
             "croft.yml:1: tenants: tenant id: too long, got 151 bytes, want at "
             "most 150");
    expect_refused(text, want);
}

TEST(what_is_not_yaml_is_refused_with_its_line)
{
    expect_refused("listen: a:1\n  data_dir: b\n",
                   "croft.yml:2: not valid YAML: mapping values are not allowed in this context");
    expect_refused("listen: [a\n", "croft.yml:2: not valid YAML: did not find expected ',' or ']'");
    expect_refused("listen: \"a\n", "croft.yml:2: not valid YAML: found unexpected end of stream");
    expect_refused("\tlisten: a\n",
                   "croft.yml:1: not valid YAML: found character that cannot start any token");
    expect_refused("listen: *nobody\n", "croft.yml:1: not valid YAML: found undefined alias");
    expect_refused("listen: \xff\xfe\n",
                   "croft.yml:1: not valid YAML: invalid leading UTF-8 octet");
}

TEST(nul_bytes_are_refused_wherever_they_are)
{
    expect_refused_text(STR("listen: a\0b\n"),
                        "croft.yml:1: not valid YAML: control characters are not allowed");
    expect_refused_text(STR("listen: a\n\0"),
                        "croft.yml:1: not valid YAML: control characters are not allowed");
    expect_refused("data_dir: \"a\\0b\"\n", "croft.yml:1: data_dir: contains a NUL character");
    expect_refused("\"lis\\0ten\": a\n", "croft.yml:1: configuration: contains a NUL character");
    expect_refused("tenants: {\"a\\0\": {}}\n", "croft.yml:1: tenants: contains a NUL character");
    expect_refused("limits: {max_series: \"1\\0\"}\n",
                   "croft.yml:1: max_series: contains a NUL character");
}

TEST(anchors_and_aliases_are_understood)
{
    struct fixture fixture;
    expect_read(&fixture, "tenants:\n"
                          "  a: &small {limits: {max_series: 7}}\n"
                          "  b: *small\n");
    assert_int_equal(series_max_of(&fixture.config, "a"), 7);
    assert_int_equal(series_max_of(&fixture.config, "b"), 7);
    config_deinit(&fixture.config);
    expect_refused("tenants: &all {a: *all}\n",
                   "croft.yml:1: a: unknown key \"a\", the nearest known key is \"limits\"");
    expect_refused("&all\nlimits: *all\n",
                   "croft.yml:2: limits: unknown key \"limits\", the nearest known key is "
                   "\"max_series\"");
}

/* `unit` over and over behind `start`; the first # of a unit is its number. */
static void expect_refused_many(const char *start, const char *unit, size_t count, const char *want)
{
    struct buffer text;
    buffer_init(&text, SIZE_MAX);
    buffer_append_str(&text, str_from(start));
    const char *number = strstr(unit, "#");
    for (size_t i = 0; i < count; i++) {
        if (number == NULL)
            buffer_append_str(&text, str_from(unit));
        else
            buffer_append_format(&text, "%.*s%zu%s", (int)(number - unit), unit, i, number + 1);
    }
    expect_refused_text(buffer_str(&text), want);
    buffer_deinit(&text);
}

TEST(bombs_are_refused_before_they_cost_anything)
{
    /* each of these would take libyaml minutes or gigabytes */
    expect_refused_many("a: ", "[", 4000000, "croft.yml:1: more than 16 nested lists and mappings");
    expect_refused_many("", "{a: ", 1000000, "croft.yml:1: more than 16 nested lists and mappings");
    expect_refused_many("", "- ", 1000000, "croft.yml:1: more than 16 nested lists and mappings");
    expect_refused_many("limits:\n", "- &a# x\n", 1000000,
                        "croft.yml:1002: more than 1000 anchors");
    expect_refused_many("limits:\n", "- &a# {}\n", 1000000,
                        "croft.yml:1002: more than 1000 anchors");
    expect_refused_many("limits:\n", "- &a# []\n", 1000000,
                        "croft.yml:1002: more than 1000 anchors");
    expect_refused_many("a: [", "x,", 4000000, "croft.yml:1: more than 1000000 values");
    /* ten to the power of nine, were aliases copied */
    expect_refused("a0: &a0 [x,x,x,x,x,x,x,x,x,x]\n"
                   "a1: &a1 [*a0,*a0,*a0,*a0,*a0,*a0,*a0,*a0,*a0,*a0]\n"
                   "a2: &a2 [*a1,*a1,*a1,*a1,*a1,*a1,*a1,*a1,*a1,*a1]\n"
                   "a3: &a3 [*a2,*a2,*a2,*a2,*a2,*a2,*a2,*a2,*a2,*a2]\n"
                   "tenants: *a3\n",
                   "croft.yml:1: configuration: unknown key \"a0\", the nearest known key is "
                   "\"tls\"");
}

TEST(sixteen_levels_of_nesting_are_read)
{
    expect_refused("listen: [[[[[[[[[[[[[[[x]]]]]]]]]]]]]]]\n",
                   "croft.yml:1: listen: got a list or mapping, want a single value");
    expect_refused("listen: [[[[[[[[[[[[[[[[x]]]]]]]]]]]]]]]]\n",
                   "croft.yml:1: more than 16 nested lists and mappings");
}

TEST(a_file_is_one_document)
{
    expect_refused("listen: a:1\n---\nlisten: b:1\n", "croft.yml:2: more than 1 documents");
}

TEST(as_many_tenants_as_are_allowed_are_read_and_one_more_is_not)
{
    struct fixture fixture;
    struct buffer text;
    buffer_init(&text, SIZE_MAX);
    buffer_append_str(&text, STR("tenants:\n"));
    for (size_t i = 0; i < CONFIG_TENANTS_MAX; i++)
        buffer_append_format(&text, "  t%zu: {limits: {max_series: %zu}}\n", i * 7919 % 100000, i);
    assert_int_equal(read_text(&fixture, buffer_str(&text)), STATUS_OK);
    assert_int_equal(fixture.config.tenant_count, CONFIG_TENANTS_MAX);
    config_deinit(&fixture.config);
    buffer_append_str(&text, STR("  x: {}\n"));
    expect_refused_text(buffer_str(&text),
                        "croft.yml:2: tenants: got 100001 tenants, want at most 100000");
    buffer_deinit(&text);
}

TEST(a_file_that_cannot_be_read_names_its_path)
{
    struct config config;
    struct error err;
    config_init(&config);
    expect_status(config_read_file(&config, "/nowhere/croft.yml", &err), STATUS_INVALID);
    assert_string_equal(err.text,
                        "config file /nowhere/croft.yml: cannot be opened: No such file or "
                        "directory");
    expect_status(config_read_file(&config, "/", &err), STATUS_IO);
    assert_string_equal(err.text, "/: cannot be read");
    expect_status(config_read_file(&config, "/dev/zero", &err), STATUS_INVALID);
    assert_string_equal(err.text, "/dev/zero: larger than 16777216 bytes");
    expect_ok(config_read_file(&config, "/dev/null", &err));
    config_deinit(&config);
}

/* Writes the next line at each wait, and nothing more when all are there. */
struct writer {
    const char *path;
    const char *const *lines;
    size_t line_count;
    size_t next;
};

static void write_next(void *context)
{
    struct writer *writer = context;
    if (writer->next == writer->line_count)
        return;
    FILE *file = fopen(writer->path, writer->next == 0 ? "w" : "a");
    assert_non_null(file);
    fputs(writer->lines[writer->next++], file);
    fclose(file);
}

TEST(a_file_that_is_being_written_is_read_when_it_is_whole)
{
    static const char *const lines[] = {"listen: a:1\n", "limits: {max_series: 5}\n",
                                        "tenants: {a: {limits: {max_series: 7}}}\n"};
    char path[] = "/tmp/croft_config_XXXXXX";
    int handle = mkstemp(path);
    assert_true(handle >= 0);
    close(handle);
    struct writer writer = {path, lines, 3, 0};
    struct fixture fixture;
    write_next(&writer);
    config_init(&fixture.config);
    struct error err = {""};
    expect_ok(config_reread_file(&fixture.config, path, write_next, &writer, &err));
    assert_int_equal(series_max_of(&fixture.config, "a"), 7);
    config_deinit(&fixture.config);
    remove(path);
}

TEST(a_file_that_never_rests_is_not_read)
{
    static const char *lines[CONFIG_READINGS_MAX];
    char path[] = "/tmp/croft_config_XXXXXX";
    int handle = mkstemp(path);
    assert_true(handle >= 0);
    close(handle);
    for (size_t i = 0; i < CONFIG_READINGS_MAX; i++)
        lines[i] = "# another line\n";
    struct writer writer = {path, lines, CONFIG_READINGS_MAX, 0};
    struct config config;
    struct error err;
    config_init(&config);
    expect_status(config_reread_file(&config, path, write_next, &writer, &err), STATUS_UNAVAILABLE);
    assert_non_null(strstr(err.text, "does not stop changing"));
    config_deinit(&config);
    remove(path);
}

TEST_MAIN(RUN(an_empty_file_leaves_the_defaults), RUN(every_key_is_read),
          RUN(the_text_need_not_outlive_the_reading),
          RUN(an_unknown_key_names_file_line_and_the_nearest_key),
          RUN(a_share_of_the_memory_is_a_percentage_or_a_size),
          RUN(a_very_long_unknown_key_is_shown_in_part), RUN(a_key_may_be_set_once),
          RUN(a_tenant_may_be_listed_once), RUN(values_of_the_wrong_kind_are_refused),
          RUN(empty_texts_are_refused), RUN(numbers_are_whole_and_fit),
          RUN(every_limit_can_be_hard_soft_and_in_dry_run),
          RUN(a_soft_limit_is_at_most_the_hard_one_that_holds),
          RUN(a_limit_is_set_by_one_of_its_names), RUN(a_switch_is_true_or_false),
          RUN(the_labels_of_ha_pairs_are_chosen_for_all_tenants_and_for_each),
          RUN(a_limit_of_an_unknown_kind_names_the_nearest), RUN(tls_needs_a_certificate_and_a_key),
          RUN(limits_have_numbers_or_durations_and_mimirs_names),
          RUN(a_retention_is_a_duration_of_an_hour_at_least),
          RUN(a_tenant_starts_from_the_limits_of_all_wherever_they_stand),
          RUN(tenant_ids_are_checked), RUN(what_is_not_yaml_is_refused_with_its_line),
          RUN(nul_bytes_are_refused_wherever_they_are), RUN(anchors_and_aliases_are_understood),
          RUN(bombs_are_refused_before_they_cost_anything), RUN(sixteen_levels_of_nesting_are_read),
          RUN(a_file_is_one_document),
          RUN(as_many_tenants_as_are_allowed_are_read_and_one_more_is_not),
          RUN(a_file_that_cannot_be_read_names_its_path),
          RUN(a_file_that_is_being_written_is_read_when_it_is_whole),
          RUN(a_file_that_never_rests_is_not_read))
