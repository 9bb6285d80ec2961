/* The keys of the configuration, and everything that can be wrong with one. */
#include <stdio.h>

#include "base/buffer.h"
#include "tests/server/config_fixture.h"
#include "tests/support/test.h"

#define DAY_MS INT64_C(86400000)

TEST(an_empty_file_leaves_the_defaults)
{
    static const char *const texts[] = {"", "\n\n", "# nothing\n", "---\n...\n", "{}", "--- {}\n"};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        struct config_fixture fixture;
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
    struct config_fixture fixture;
    expect_read(&fixture, "listen: '[::1]:9010'\n"
                          "data_dir: /srv/croft data\n"
                          "retention: 90d\n"
                          "tenant_label: team\n"
                          "enable_feature: a,b\n"
                          "query_memory: 2GiB\n"
                          "request_memory: 5%\n"
                          "head_memory: 9%\n"
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
    expect_str(fixture.config.head_memory, "9%");
    assert_int_equal(fixture.config.retention_ms, 90 * DAY_MS);
    assert_int_equal(fixture.config.limits.max[LIMIT_HARD][TENANT_LIMIT_MAX_SERIES], 5);
    assert_int_equal(fixture.config.tenant_count, 2);
    assert_int_equal(series_max_of(&fixture.config, "a"), 7);
    assert_int_equal(series_max_of(&fixture.config, "b!-_.*'()"), 5);
    config_deinit(&fixture.config);
}

TEST(the_text_need_not_outlive_the_reading)
{
    struct config_fixture fixture;
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
    struct config_fixture fixture;
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
    expect_refused("limits: {max_series: [1]}\n",
                   "croft.yml:1: max_series: got a list or mapping, want a single value");
    expect_refused("tenants: [a, b]\n",
                   "croft.yml:1: tenants: got a value or list, want a mapping of tenant ids");
    expect_refused("tenants: {a: 1}\n", "croft.yml:1: a: got a value or list, want a mapping");
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
    struct config_fixture fixture;
    expect_read(&fixture, "limits: {max_series: 9223372036854775807}");
    assert_true(fixture.config.limits.max[LIMIT_HARD][TENANT_LIMIT_MAX_SERIES] == INT64_MAX);
    config_deinit(&fixture.config);
    expect_read(&fixture, "limits: {max_series: '0'}");
    assert_true(fixture.config.limits.max[LIMIT_HARD][TENANT_LIMIT_MAX_SERIES] ==
                TENANT_LIMIT_NONE);
    config_deinit(&fixture.config);
}

TEST(tls_needs_a_certificate_and_a_key)
{
    struct config_fixture fixture;
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
    expect_refused("tenants:\n  '*': {}\n",
                   "croft.yml:2: tenants: \"*\" is no pattern; what holds for every tenant stands "
                   "in \"limits\" beside it");
    expect_refused("tenants: {a|b: {}}\n", "croft.yml:1: tenants: tenant id: want only 0-9 A-Z a-z "
                                           "! - _ . * ' ( ), got \"a|b\"");
    int len = snprintf(text, sizeof text, "tenants: {%0151d: {}}", 1);
    assert_true(len > 0);
    snprintf(want, sizeof want,
             "croft.yml:1: tenants: tenant id: too long, got 151 bytes, want at "
             "most 150");
    expect_refused(text, want);
}

TEST(as_many_tenants_as_are_allowed_are_read_and_one_more_is_not)
{
    struct config_fixture fixture;
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

TEST_MAIN(RUN(an_empty_file_leaves_the_defaults), RUN(every_key_is_read),
          RUN(the_text_need_not_outlive_the_reading),
          RUN(an_unknown_key_names_file_line_and_the_nearest_key),
          RUN(a_share_of_the_memory_is_a_percentage_or_a_size),
          RUN(a_very_long_unknown_key_is_shown_in_part), RUN(a_key_may_be_set_once),
          RUN(a_tenant_may_be_listed_once), RUN(values_of_the_wrong_kind_are_refused),
          RUN(empty_texts_are_refused), RUN(numbers_are_whole_and_fit),
          RUN(tls_needs_a_certificate_and_a_key),
          RUN(a_retention_is_a_duration_of_an_hour_at_least), RUN(tenant_ids_are_checked),
          RUN(as_many_tenants_as_are_allowed_are_read_and_one_more_is_not))
