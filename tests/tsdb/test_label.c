#include "tests/support/test.h"

#include "tsdb/model/label.h"

#define SET(...)                                                                                   \
    ((struct labels){(const struct label[]){__VA_ARGS__},                                          \
                     sizeof((const struct label[]){__VA_ARGS__}) / sizeof(struct label)})
#define L(name_text, value_text)                                                                   \
    {                                                                                              \
        STR(name_text), STR(value_text)                                                            \
    }

static const struct label_limits limits = {.labels_max = 4, .name_len_max = 8, .value_len_max = 16};

static void expect_printed(struct labels labels, size_t len_max, const char *want)
{
    struct buffer out;
    buffer_init(&out, 4096);
    labels_print(&out, labels, len_max);
    expect_str(buffer_str(&out), want);
    buffer_deinit(&out);
}

/* `want` is the printed set, or the error text. */
static void expect_canonical(struct labels given, enum status want_status, const char *want)
{
    struct error err = {""};
    struct arena arena;
    arena_init(&arena, 4096);
    struct labels labels;
    enum status status =
        labels_canonicalise(given.ptr, given.count, &limits, &arena, &labels, &err);
    assert_int_equal(status, want_status);
    if (status == STATUS_OK)
        expect_printed(labels, 1000, want);
    else
        expect_str(str_from(err.text), want);
    arena_deinit(&arena);
}

TEST(labels_are_ordered_pair_by_pair_then_by_length)
{
    struct labels a = SET(L("a", "1"), L("b", "1"));
    assert_true(labels_compare(a, SET(L("a", "1"), L("b", "1"))) == 0);
    assert_true(labels_compare(a, SET(L("a", "2"))) < 0);
    assert_true(labels_compare(a, SET(L("a", "1"), L("c", "0"))) < 0);
    assert_true(labels_compare(a, SET(L("a", "1"))) > 0);
    assert_true(labels_eq(a, SET(L("a", "1"), L("b", "1"))));
    assert_false(labels_eq(a, SET(L("a", "1"), L("b", "2"))));
    assert_false(labels_eq(a, SET(L("a", "1"), L("c", "1"))));
    assert_false(labels_eq(a, SET(L("a", "1"))));
}

TEST(the_hash_tells_where_a_name_ends_and_a_value_begins)
{
    uint64_t hash = labels_hash(SET(L("ab", "c"), L("d", "e")));
    assert_true(hash == labels_hash(SET(L("ab", "c"), L("d", "e"))));
    assert_true(hash != labels_hash(SET(L("a", "bc"), L("d", "e"))));
    assert_true(hash != labels_hash(SET(L("ab", "c"))));
    assert_true(hash != labels_hash(SET(L("d", "e"), L("ab", "c"))));
}

TEST(a_missing_label_has_the_empty_value)
{
    struct labels labels = SET(L("a", "1"), L("b", "2"));
    expect_str(labels_get(labels, STR("b")), "2");
    expect_str(labels_get(labels, STR("c")), "");
}

TEST(given_labels_are_sorted_and_empty_values_dropped)
{
    expect_canonical(SET(L("job", "api"), L("x", ""), L("__name__", "up"), L("a", "1")), STATUS_OK,
                     "up{a=\"1\", job=\"api\"}");
    expect_canonical(SET(L("__name__", "up")), STATUS_OK, "up");
    expect_canonical(SET(L("__name__", "näme"), L("b.c", "1")), STATUS_OK,
                     "{\"näme\", \"b.c\"=\"1\"}");
}

TEST(exactly_the_limits_are_allowed)
{
    expect_canonical(SET(L("__name__", "up"), L("b", ""), L("c2345678", "v234567890123456"),
                         L("d", "1"), L("e", "1")),
                     STATUS_OK, "up{c2345678=\"v234567890123456\", d=\"1\", e=\"1\"}");
}

TEST(every_broken_label_set_is_refused_with_its_reason)
{
    expect_canonical(SET(L("job", "api")), STATUS_INVALID,
                     "labels: no metric name (label __name__), got {job=\"api\"}");
    expect_canonical(SET(L("job", "api"), L("__name__", "")), STATUS_INVALID,
                     "labels: no metric name (label __name__), got {job=\"api\"}");
    expect_canonical((struct labels){NULL, 0}, STATUS_INVALID,
                     "labels: no metric name (label __name__), got {}");
    expect_canonical(SET(L("b", "1"), L("__name__", "up"), L("b", "2")), STATUS_INVALID,
                     "label: repeated name: \"b\"");
    expect_canonical(SET(L("__name__", "up"), L("", "v\n")), STATUS_INVALID,
                     "label: empty name for the value: \"v\\n\"");
    expect_canonical(SET(L("n\xff", "v")), STATUS_INVALID, "label: name is not UTF-8: \"n\\xff\"");
    expect_canonical(SET(L("n", "\xc3")), STATUS_INVALID,
                     "label: value is not UTF-8, of the name: \"n\"");
    expect_canonical(SET(L("n23456789", "v")), STATUS_LIMIT,
                     "label: name too long, got 9 bytes, want at most 8 (max_label_name_length): "
                     "\"n23456789\"");
    expect_canonical(
        SET(L("n", "v2345678901234567")), STATUS_LIMIT,
        "label: value too long, got 17 bytes, want at most 16 (max_label_value_length): "
        "\"n\"");
    expect_canonical(SET(L("a", "1"), L("b", "1"), L("c", "1"), L("d", "1"), L("__name__", "up")),
                     STATUS_LIMIT,
                     "labels: too many, got 5, want at most 4 (max_label_names_per_series)");
}

TEST(long_sets_are_cut_between_characters)
{
    struct labels labels = SET(L("__name__", "up"), L("a", "ääää"), L("b", "1"));
    expect_printed(labels, 100, "up{a=\"ääää\", b=\"1\"}");
    expect_printed(labels, 8, "up{a=\"ä...");
    expect_printed(labels, 9, "up{a=\"ä...");
    expect_printed(labels, 10, "up{a=\"ää...");
    expect_printed(labels, 1, "u...");
    expect_printed((struct labels){NULL, 0}, 10, "{}");
}

TEST_MAIN(RUN(labels_are_ordered_pair_by_pair_then_by_length),
          RUN(the_hash_tells_where_a_name_ends_and_a_value_begins),
          RUN(a_missing_label_has_the_empty_value),
          RUN(given_labels_are_sorted_and_empty_values_dropped),
          RUN(exactly_the_limits_are_allowed),
          RUN(every_broken_label_set_is_refused_with_its_reason),
          RUN(long_sets_are_cut_between_characters))
