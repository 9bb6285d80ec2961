/* What is no YAML, or more of it than a configuration needs. */
#include "base/buffer.h"
#include "tests/server/config_fixture.h"
#include "tests/support/test.h"

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
    struct config_fixture fixture;
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

TEST(a_mapping_is_merged_under_the_one_it_stands_in)
{
    struct config_fixture fixture;
    expect_read(&fixture, "tenants:\n"
                          "  a: {limits: &small {max_series: 7, max_label_values: 9}}\n"
                          "  b: {limits: {max_series: 8, <<: *small}}\n"
                          "  c: {limits: &next {<<: *small, max_label_values: 10}}\n"
                          "  d: {limits: {<<: *next}}\n");
    assert_int_equal(series_max_of(&fixture.config, "b"), 8);
    assert_int_equal(series_max_of(&fixture.config, "c"), 7);
    assert_int_equal(series_max_of(&fixture.config, "d"), 7);
    const struct tenant_limits *of = fixture.config.tenant_limits;
    assert_int_equal(of[1].max[LIMIT_HARD][TENANT_LIMIT_MAX_LABEL_VALUES], 9);
    assert_int_equal(of[2].max[LIMIT_HARD][TENANT_LIMIT_MAX_LABEL_VALUES], 10);
    assert_int_equal(of[3].max[LIMIT_HARD][TENANT_LIMIT_MAX_LABEL_VALUES], 10);
    config_deinit(&fixture.config);
    expect_refused("tenants: {a: {limits: &l {<<: *l}}}\n",
                   "croft.yml:1: limits: more than 8 merges within each other");
    expect_refused("tenants: {a: {limits: {<<: {}, <<: {}}}}\n",
                   "croft.yml:1: limits: key \"<<\" is set twice");
    expect_refused("tenants: {a: {limits: {<<: 5}}}\n",
                   "croft.yml:1: limits: got a value or list, want a mapping");
}

TEST(a_key_without_a_value_is_an_empty_mapping)
{
    static const char *const texts[] = {"limits:\ntenants:\n", "tenants:\n  a:\n  b: {limits: ~}\n",
                                        "limits: null\n", "~\n"};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        struct config_fixture fixture;
        expect_read(&fixture, texts[i]);
        assert_int_equal(fixture.config.limits.max[LIMIT_HARD][TENANT_LIMIT_MAX_SERIES], 1000000);
        assert_int_equal(fixture.config.is_empty, i == 3);
        config_deinit(&fixture.config);
    }
    expect_refused("limits: ''\n", "croft.yml:1: limits: got a value or list, want a mapping");
    /* a list that is commented out must not let everybody in */
    expect_refused("credentials:\n",
                   "croft.yml:1: credentials: got a value or mapping, want a list");
    expect_refused("tls:\n", "croft.yml:1: tls: want both cert_file and key_file");
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

TEST_MAIN(RUN(what_is_not_yaml_is_refused_with_its_line),
          RUN(nul_bytes_are_refused_wherever_they_are), RUN(anchors_and_aliases_are_understood),
          RUN(a_mapping_is_merged_under_the_one_it_stands_in),
          RUN(a_key_without_a_value_is_an_empty_mapping),
          RUN(bombs_are_refused_before_they_cost_anything), RUN(sixteen_levels_of_nesting_are_read),
          RUN(a_file_is_one_document))
