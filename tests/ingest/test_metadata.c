#include "ingest/metadata.h"

#include <stdio.h>

#include "base/buffer.h"
#include "base/thread.h"
#include "tests/support/test.h"

static const struct tenant tenant_a = {.number = 0};
static const struct tenant tenant_b = {.number = 5};

static bool put(struct metadata *metadata, const struct tenant *tenant, const char *metric,
                enum metric_type type, const char *help)
{
    struct metric_metadata entry = {
        .metric = str_from(metric), .help = str_from(help), .unit = STR("s"), .type = type};
    return metadata_put(metadata, tenant, &entry);
}

static void expect_list(struct metadata *metadata, const struct tenant *tenant, const char *want)
{
    struct arena arena;
    struct buffer got;
    struct metric_metadata *list;
    size_t count;
    arena_init(&arena, SIZE_MAX);
    buffer_init(&got, SIZE_MAX);
    metadata_list(metadata, tenant, &arena, &list, &count);
    for (size_t i = 0; i < count; i++)
        buffer_append_format(&got, "%.*s %s %.*s %.*s\n", STR_ARG(list[i].metric),
                             metric_type_text(list[i].type), STR_ARG(list[i].help),
                             STR_ARG(list[i].unit));
    expect_str(buffer_str(&got), want);
    buffer_deinit(&got);
    arena_deinit(&arena);
}

TEST(the_last_told_is_kept_per_tenant_and_listed_by_name)
{
    struct metadata *metadata = metadata_new(METADATA_METRICS_MAX);
    assert_true(put(metadata, &tenant_a, "up", METRIC_GAUGE, "Old."));
    assert_true(put(metadata, &tenant_a, "http_total", METRIC_COUNTER, "Requests."));
    assert_true(put(metadata, &tenant_a, "up", METRIC_GAUGE, "Whether it is up."));
    assert_true(put(metadata, &tenant_b, "up", METRIC_GAUGE, ""));
    assert_true(put(metadata, &tenant_b, "up", METRIC_UNKNOWN, ""));
    expect_list(metadata, &tenant_a,
                "http_total counter Requests. s\n"
                "up gauge Whether it is up. s\n");
    expect_list(metadata, &tenant_b, "up unknown  s\n");
    expect_list(metadata, &(struct tenant){.number = 3}, "");
    expect_list(metadata, &(struct tenant){.number = 300}, "");
    metadata_free(metadata);
}

TEST(a_long_list_is_sorted)
{
    struct arena arena;
    struct metric_metadata *list;
    size_t count;
    struct metadata *metadata = metadata_new(METADATA_METRICS_MAX);
    arena_init(&arena, SIZE_MAX);
    for (unsigned i = 0; i < 100; i++) {
        char name[16];
        snprintf(name, sizeof name, "m%u", i * 37 % 100);
        assert_true(put(metadata, &tenant_a, name, METRIC_GAUGE, ""));
    }
    metadata_list(metadata, &tenant_a, &arena, &list, &count);
    assert_int_equal(count, 100);
    for (size_t i = 1; i < count; i++)
        assert_true(str_compare(list[i - 1].metric, list[i].metric) < 0);
    arena_deinit(&arena);
    metadata_free(metadata);
}

TEST(a_tenant_is_full_at_its_limit_and_known_metrics_still_change)
{
    struct metadata *metadata = metadata_new(100);
    for (unsigned i = 0; i < 200; i++) {
        char name[16];
        snprintf(name, sizeof name, "m%u", i / 2);
        assert_true(put(metadata, &tenant_a, name, METRIC_GAUGE, i % 2 == 0 ? "old" : "older"));
    }
    assert_false(put(metadata, &tenant_a, "one_more", METRIC_GAUGE, ""));
    assert_true(put(metadata, &tenant_a, "m99", METRIC_GAUGE, "new"));
    assert_true(put(metadata, &tenant_b, "one_more", METRIC_GAUGE, ""));
    metadata_free(metadata);
}

TEST(long_texts_are_cut_between_characters_and_bad_names_are_not_kept)
{
    char text[METADATA_NAME_LEN_MAX + 10];
    struct arena arena;
    struct metric_metadata *list;
    size_t count;
    struct metadata *metadata = metadata_new(10);
    arena_init(&arena, SIZE_MAX);
    memset(text, 'x', sizeof text);
    memcpy(text + METADATA_HELP_LEN_MAX - 1, "\xc3\xa9", 3);
    assert_true(put(metadata, &tenant_a, "up", METRIC_GAUGE, text));
    metadata_list(metadata, &tenant_a, &arena, &list, &count);
    assert_int_equal(count, 1);
    assert_int_equal(list[0].help.len, METADATA_HELP_LEN_MAX - 1);
    assert_false(put(metadata, &tenant_a, text, METRIC_GAUGE, ""));
    assert_false(put(metadata, &tenant_a, "", METRIC_GAUGE, ""));
    assert_false(put(metadata, &tenant_a, "\xff", METRIC_GAUGE, ""));
    arena_deinit(&arena);
    metadata_free(metadata);
}

TEST(types_that_mean_nothing_are_unknown)
{
    assert_int_equal(metric_type_of_wire(1), METRIC_COUNTER);
    assert_int_equal(metric_type_of_wire(7), METRIC_STATE_SET);
    assert_int_equal(metric_type_of_wire(8), METRIC_UNKNOWN);
    assert_int_equal(metric_type_of_wire(UINT32_MAX), METRIC_UNKNOWN);
    assert_string_equal(metric_type_text(METRIC_GAUGE_HISTOGRAM), "gaugehistogram");
}

static void put_many(void *context)
{
    for (unsigned i = 0; i < 500; i++) {
        char name[16];
        struct tenant tenant = {.number = i % 20};
        snprintf(name, sizeof name, "m%u", i / 20);
        put(context, &tenant, name, i % 3 == 0 ? METRIC_GAUGE : METRIC_COUNTER, name);
    }
}

TEST(many_threads_may_put_and_list)
{
    struct thread threads[3] = {0};
    struct arena arena;
    struct metric_metadata *list;
    size_t count;
    struct metadata *metadata = metadata_new(METADATA_METRICS_MAX);
    arena_init(&arena, SIZE_MAX);
    for (unsigned i = 0; i < 3; i++)
        thread_start(&threads[i], "put", put_many, metadata);
    for (unsigned i = 0; i < 100; i++)
        metadata_list(metadata, &tenant_a, &arena, &list, &count);
    for (unsigned i = 0; i < 3; i++)
        thread_join(&threads[i]);
    metadata_list(metadata, &tenant_a, &arena, &list, &count);
    assert_int_equal(count, 25);
    arena_deinit(&arena);
    metadata_free(metadata);
}

TEST_MAIN(RUN(the_last_told_is_kept_per_tenant_and_listed_by_name), RUN(a_long_list_is_sorted),
          RUN(a_tenant_is_full_at_its_limit_and_known_metrics_still_change),
          RUN(long_texts_are_cut_between_characters_and_bad_names_are_not_kept),
          RUN(types_that_mean_nothing_are_unknown), RUN(many_threads_may_put_and_list))
