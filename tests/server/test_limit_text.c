/* Limits as the admin API takes them and as the file keeps them. */
#include "server/limit_text.h"

#include "base/random.h"
#include "http/json.h"
#include "tests/support/test.h"

static struct tenant_id id_of(const char *text)
{
    struct tenant_id id;
    struct error err;
    expect_ok(tenant_id_parse(str_from(text), &id, &err));
    return id;
}

static void expect_written(const char *text, const char *want)
{
    struct tenant_limits limits;
    struct error err;
    struct buffer out;
    struct json json;
    expect_ok(limit_text_read(str_from(text), "limits", &limits, &err));
    buffer_init(&out, SIZE_MAX);
    json_init(&json, &out);
    limit_text_write(&json, &limits);
    expect_str(buffer_str(&out), want);
    buffer_deinit(&out);
}

TEST(what_is_given_is_what_is_kept)
{
    expect_written("{}", "{}");
    expect_written("{\"max_series\": 5}", "{\"max_series\":{\"hard\":5}}");
    expect_written("{\"max_global_series_per_user\": {\"soft\": 3, \"dry_run\": 4}}",
                   "{\"max_series\":{\"soft\":3,\"dry_run\":4}}");
    expect_written("{\"accept_ha_samples\": true}", "{\"accept_ha_samples\":{\"hard\":true}}");
    expect_written("ha_replica_label: \"r\\\"\"\nmax_series: 1\nha_cluster_label: c\n",
                   "{\"max_series\":{\"hard\":1},\"ha_cluster_label\":\"c\","
                   "\"ha_replica_label\":\"r\\\"\"}");
    expect_written("max_series: 0\nretention: 48h\n",
                   "{\"max_series\":{\"hard\":0},\"retention\":{\"hard\":\"2d\"}}");
}

static void expect_text_refused(struct str text, const char *want)
{
    struct tenant_limits limits;
    struct error err;
    expect_status(limit_text_read(text, "limits", &limits, &err), STATUS_INVALID);
    expect_str(str_from(err.text), want);
}

static void expect_refused(const char *text, const char *want)
{
    expect_text_refused(str_from(text), want);
}

TEST(what_is_not_a_limit_is_refused_with_the_nearest)
{
    expect_refused("", "limits: empty, want a mapping");
    expect_refused("5", "limits:1: limits: got a value or list, want a mapping");
    expect_refused("{\"max_seris\": 5}",
                   "limits:1: limits: unknown key \"max_seris\", the nearest known key is "
                   "\"max_series\"");
    expect_refused("{\"max_series\": -5}", "limits:1: max_series: got \"-5\", want a whole number");
    expect_refused("{\"max_series\": 5",
                   "limits:2: not valid YAML: did not find expected ',' or '}'");
}

/* The first request of a server comes with such a body: its buffer has no bytes yet. */
TEST(an_empty_body_is_refused_though_it_lies_nowhere)
{
    expect_text_refused((struct str){NULL, 0}, "limits: empty, want a mapping");
}

/* docs/format/limits.md shows this. */
static const char golden[] = "# croft limits, version 1, crc32c aecc3bcd\n"
                             "{\"finance-team\":{\"max_series\":{\"hard\":150000,\"soft\":100000},"
                             "\"retention\":{\"hard\":\"90d\"}}}\n";

static void encode(struct buffer *out, const struct limit_sets *sets)
{
    buffer_init(out, LIMIT_FILE_MAX_BYTES);
    limit_file_encode(out, sets);
}

TEST(the_file_is_as_documented)
{
    struct limit_sets sets;
    struct error err;
    struct buffer out;
    expect_ok(limit_file_decode(str_from(golden), &sets, &err));
    assert_int_equal(sets.count, 1);
    expect_str(tenant_id_str(&sets.ptr[0].id), "finance-team");
    assert_int_equal(sets.ptr[0].limits.max[LIMIT_SOFT][TENANT_LIMIT_MAX_SERIES], 100000);
    encode(&out, &sets);
    expect_str(buffer_str(&out), golden);
    buffer_deinit(&out);
    limit_sets_deinit(&sets);
}

static uint64_t random_value(struct random *random, enum tenant_limit limit)
{
    switch (tenant_limit_row(limit)->unit) {
    case TENANT_LIMIT_SWITCH:
        return random_u64(random) % 2;
    case TENANT_LIMIT_DURATION:
        return (1 + random_u64(random) % 60) * 3600001;
    case TENANT_LIMIT_NUMBER:
        break;
    }
    return 1 + random_u64(random) % 60;
}

/* Some of them, some of whose values. */
static struct tenant_limits random_limits(struct random *random)
{
    struct tenant_limits limits = tenant_limits_kept();
    for (size_t mode = 0; mode < LIMIT_MODE_COUNT; mode++) {
        for (enum tenant_limit limit = 0; limit < TENANT_LIMIT_COUNT; limit++) {
            if (random_u64(random) % 3 == 0)
                limits.max[mode][limit] = random_value(random, limit);
        }
    }
    return limits;
}

TEST(any_set_survives_the_file)
{
    struct random random;
    random_init_seeded(&random, test_seed(7));
    for (int round = 0; round < 50; round++) {
        struct limit_set list[3] = {
            {.id = id_of("a")}, {.id = id_of("b!-_.*'()")}, {.id = id_of("c")}};
        struct limit_sets sets = {list, random_u64(&random) % 4}, again;
        struct buffer out;
        struct error err;
        for (size_t i = 0; i < sets.count; i++)
            list[i].limits = random_limits(&random);
        encode(&out, &sets);
        expect_ok(limit_file_decode(buffer_str(&out), &again, &err));
        assert_int_equal(again.count, sets.count);
        for (size_t i = 0; i < sets.count; i++) {
            expect_str(tenant_id_str(&again.ptr[i].id), list[i].id.text);
            assert_memory_equal(&again.ptr[i].limits, &list[i].limits, sizeof list[i].limits);
        }
        buffer_deinit(&out);
        limit_sets_deinit(&again);
    }
}

TEST(any_changed_byte_is_noticed)
{
    char text[sizeof golden];
    for (size_t i = 0; i < sizeof golden - 1; i++) {
        struct limit_sets sets;
        struct error err;
        memcpy(text, golden, sizeof text);
        text[i] ^= 1;
        expect_status(limit_file_decode(str_from(text), &sets, &err), STATUS_CORRUPT);
        struct str cut = {golden, i};
        expect_status(limit_file_decode(cut, &sets, &err), STATUS_CORRUPT);
    }
}

TEST_MAIN(RUN(what_is_given_is_what_is_kept), RUN(what_is_not_a_limit_is_refused_with_the_nearest),
          RUN(an_empty_body_is_refused_though_it_lies_nowhere), RUN(the_file_is_as_documented),
          RUN(any_set_survives_the_file), RUN(any_changed_byte_is_noticed))
