#include "base/words.h"

#include "tests/support/test.h"

TEST(letters_of_either_case_are_the_same_and_of_ascii_only)
{
    assert_true(str_eq_caseless(STR("Keep-Alive"), STR("kEEP-aLIVE")));
    assert_true(str_eq_caseless(STR(""), (struct str){NULL, 0}));
    assert_false(str_eq_caseless(STR("close"), STR("closed")));
    assert_false(str_eq_caseless(STR("closed"), STR("close")));
    assert_false(str_eq_caseless(STR("[a"), STR("{a")));
    assert_false(str_eq_caseless(STR("\xc3\x84"), STR("\xc3\xa4"))); /* a umlaut */
    assert_true(str_starts_with_caseless(STR("Bearer x"), STR("bearer")));
    assert_true(str_starts_with_caseless(STR("x"), STR("")));
    assert_false(str_starts_with_caseless(STR("Bear"), STR("bearer")));
}

TEST(blanks_at_both_ends_are_trimmed)
{
    expect_str(str_trim(STR(" \t a b\t ")), "a b");
    expect_str(str_trim(STR("a")), "a");
    expect_str(str_trim(STR(" \t ")), "");
    expect_str(str_trim(STR("")), "");
    expect_str(str_trim(STR("a\r")), "a\r");
}

TEST(sorting_keeps_one_of_equal_ones_when_it_is_asked_to)
{
    struct str texts[] = {STR("b"), STR("a"), STR("b"), STR(""), STR("ab"), STR("a")};
    const size_t count = sizeof texts / sizeof *texts;
    const char *const want[] = {"", "a", "ab", "b"};
    str_sort(texts, count);
    expect_str(texts[2], "a");
    assert_int_equal(str_sort_unique(texts, count), 4);
    for (size_t i = 0; i < 4; i++)
        expect_str(texts[i], want[i]);
    assert_true(str_is_among(STR("ab"), texts, 4));
    assert_false(str_is_among(STR("abc"), texts, 4));
    assert_int_equal(str_sort_unique(NULL, 0), 0);
    assert_false(str_is_among(STR("a"), NULL, 0));
}

TEST_MAIN(RUN(letters_of_either_case_are_the_same_and_of_ascii_only),
          RUN(blanks_at_both_ends_are_trimmed),
          RUN(sorting_keeps_one_of_equal_ones_when_it_is_asked_to))
