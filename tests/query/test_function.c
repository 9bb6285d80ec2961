#include "tests/support/test.h"

#include "query/function/function.h"

TEST(the_table_is_strictly_sorted_by_name)
{
    size_t count;
    const struct function *table = function_table(&count);
    for (size_t i = 1; i < count; i++)
        assert_true(str_compare(str_from(table[i - 1].name), str_from(table[i].name)) < 0);
}

TEST(every_row_is_found_by_its_name)
{
    size_t count;
    const struct function *table = function_table(&count);
    for (size_t i = 0; i < count; i++)
        assert_ptr_equal(function_find(str_from(table[i].name)), &table[i]);
}

TEST(names_are_case_sensitive_and_whole)
{
    assert_null(function_find(STR("RATE")));
    assert_null(function_find(STR("rat")));
    assert_null(function_find(STR("rates")));
    assert_null(function_find(STR("")));
}

TEST(a_row_has_at_most_one_body)
{
    size_t count;
    const struct function *table = function_table(&count);
    for (size_t i = 0; i < count; i++) {
        int bodies = (table[i].map != NULL) + (table[i].window != NULL) + (table[i].open != NULL);
        assert_true(bodies <= 1);
    }
}

TEST(a_variadic_function_declares_the_argument_that_repeats)
{
    size_t count;
    const struct function *table = function_table(&count);
    for (size_t i = 0; i < count; i++)
        assert_true(table[i].variadic == 0 || table[i].arg_count > 0);
}

TEST_MAIN(RUN(the_table_is_strictly_sorted_by_name), RUN(every_row_is_found_by_its_name),
          RUN(names_are_case_sensitive_and_whole), RUN(a_row_has_at_most_one_body),
          RUN(a_variadic_function_declares_the_argument_that_repeats))
