#include "tests/support/test.h"

#include <stdio.h>

#include "base/hash.h"
#include "base/random.h"
#include "query/engine/grouping.h"
#include "query/engine/label_edit.h"

static struct arena arena;
static struct engine engine;
static struct query_result result;
static struct eval eval;
static struct error err;

#define LABELS(...)                                                                                \
    ((struct labels){(struct label[]){__VA_ARGS__},                                                \
                     sizeof((struct label[]){__VA_ARGS__}) / sizeof(struct label)})
#define NAMES(...)                                                                                 \
    ((struct name_set){(struct str[]){__VA_ARGS__},                                                \
                       sizeof((struct str[]){__VA_ARGS__}) / sizeof(struct str)})
#define LABEL(name, value)                                                                         \
    {                                                                                              \
        {name, sizeof(name) - 1},                                                                  \
        {                                                                                          \
            value, sizeof(value) - 1                                                               \
        }                                                                                          \
    }
#define UP LABEL("__name__", "up")
#define A1 LABEL("a", "1")
#define A2 LABEL("a", "2")
#define B1 LABEL("b", "1")
#define C1 LABEL("c", "1")

static void begin_within(size_t memory_max_bytes)
{
    arena_init(&arena, memory_max_bytes);
    engine.memory_max_bytes = memory_max_bytes;
    eval = (struct eval){.engine = &engine, .arena = &arena, .result = &result};
}

static void begin(void)
{
    begin_within(SIZE_MAX);
}

static void expect_labels(struct labels labels, const char *want)
{
    struct buffer text;
    buffer_init(&text, 4096);
    labels_append_braced(&text, labels);
    expect_str(buffer_str(&text), want);
    buffer_deinit(&text);
}

TEST(by_keeps_what_is_named_and_without_the_rest_but_the_metric_name)
{
    begin();
    struct label_filter filter;
    struct labels kept;
    expect_ok(
        label_filter_only(&eval, NAMES(STR("c"), STR("a"), STR("c"), STR("x")), &filter, &err));
    expect_ok(label_filter_apply(&eval, &filter, LABELS(UP, A1, B1, C1), &kept, &err));
    expect_labels(kept, "{a=\"1\", c=\"1\"}");
    expect_ok(label_filter_without(&eval, NAMES(STR("c"), STR("x")), &filter, &err));
    expect_ok(label_filter_apply(&eval, &filter, LABELS(UP, A1, B1, C1), &kept, &err));
    expect_labels(kept, "{a=\"1\", b=\"1\"}");
    arena_deinit(&arena);
}

TEST(groups_are_numbered_as_they_appear)
{
    begin();
    const struct labels series[] = {LABELS(UP, A2, B1), LABELS(UP, A1), LABELS(A2, C1), LABELS(B1)};
    struct label_filter filter;
    struct grouping grouping;
    struct members members;
    uint32_t *groups;
    expect_ok(label_filter_only(&eval, NAMES(STR("a")), &filter, &err));
    expect_ok(grouping_init(&grouping, &eval, filter, 4, &err));
    expect_ok(grouping_add_all(&grouping, series, 4, &groups, &err));
    assert_int_equal(grouping.count, 3);
    expect_labels(grouping.labels[0], "{a=\"2\"}");
    expect_labels(grouping.labels[1], "{a=\"1\"}");
    expect_labels(grouping.labels[2], "{}");
    expect_ok(members_of(&eval, groups, 4, grouping.count, &members, &err));
    assert_int_equal(members_count(&members, 0), 2);
    assert_int_equal(members.series[members.first[0]], 0);
    assert_int_equal(members.series[members.first[0] + 1], 2);
    assert_int_equal(members_largest(&members, grouping.count), 2);
    arena_deinit(&arena);
}

TEST(finding_makes_no_group)
{
    begin();
    struct grouping grouping;
    uint32_t group;
    expect_ok(grouping_init(&grouping, &eval, LABEL_FILTER_ALL, 1, &err));
    expect_ok(grouping_find(&grouping, LABELS(A1), &group, &err));
    assert_int_equal(group, GROUP_NONE);
    expect_ok(grouping_add(&grouping, LABELS(A1), &group, &err));
    expect_ok(grouping_find(&grouping, LABELS(A1), &group, &err));
    assert_int_equal(group, 0);
    expect_ok(grouping_find(&grouping, LABELS(A2), &group, &err));
    assert_int_equal(group, GROUP_NONE);
    arena_deinit(&arena);
}

/* With a hash of four bits nearly everything collides. */
TEST(a_hash_does_not_decide_alone)
{
    enum { SERIES = 500, VALUES = 60 };
    struct random random;
    uint32_t seen[VALUES];
    begin();
    hash_set_bits(4);
    random_init_seeded(&random, test_seed(3));
    memset(seen, 0xff, sizeof seen);
    struct grouping grouping;
    expect_ok(grouping_init(&grouping, &eval, LABEL_FILTER_ALL, SERIES, &err));
    for (int i = 0; i < SERIES; i++) {
        char text[8];
        uint32_t group;
        size_t value = random_below(&random, VALUES);
        int len = snprintf(text, sizeof text, "%zu", value);
        struct label label = {STR("value"), {text, (size_t)len}};
        struct labels copy;
        expect_ok(labels_copy(&eval, (struct labels){&label, 1}, &copy, &err));
        expect_ok(grouping_add(&grouping, copy, &group, &err));
        if (seen[value] == GROUP_NONE)
            seen[value] = group;
        assert_int_equal(group, seen[value]);
        assert_true(labels_eq(grouping.labels[group], copy));
    }
    hash_set_bits(64);
    arena_deinit(&arena);
}

TEST(a_spent_budget_is_an_error)
{
    begin_within(1024);
    struct grouping grouping;
    expect_status(grouping_init(&grouping, &eval, LABEL_FILTER_ALL, 1000, &err), STATUS_LIMIT);
    arena_deinit(&arena);
}

TEST(labels_are_set_replaced_and_taken_away_in_order)
{
    begin();
    struct labels edited;
    expect_ok(labels_with(&eval, LABELS(A1, C1), (struct label)LABEL("b", "2"), &edited, &err));
    expect_labels(edited, "{a=\"1\", b=\"2\", c=\"1\"}");
    expect_ok(labels_with(&eval, LABELS(A1, C1), (struct label)LABEL("c", "2"), &edited, &err));
    expect_labels(edited, "{a=\"1\", c=\"2\"}");
    expect_ok(labels_with(&eval, LABELS(A1, C1), (struct label)LABEL("a", ""), &edited, &err));
    expect_labels(edited, "{c=\"1\"}");
    expect_ok(labels_with(&eval, LABELS(A1), (struct label)LABEL("b", ""), &edited, &err));
    expect_labels(edited, "{a=\"1\"}");
    arena_deinit(&arena);
}

TEST_MAIN(RUN(by_keeps_what_is_named_and_without_the_rest_but_the_metric_name),
          RUN(groups_are_numbered_as_they_appear), RUN(finding_makes_no_group),
          RUN(a_hash_does_not_decide_alone), RUN(a_spent_budget_is_an_error),
          RUN(labels_are_set_replaced_and_taken_away_in_order))
