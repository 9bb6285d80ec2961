#include "tests/support/test.h"

#include "server/feature.h"

static bool enables_functions(const char *list)
{
    struct features features = {0};
    features_enable(&features, str_from(list));
    return features.has_experimental_functions;
}

TEST(names_are_separated_by_commas_and_whole)
{
    assert_false(enables_functions(""));
    assert_true(enables_functions("promql-experimental-functions"));
    assert_true(enables_functions("exemplar-storage,promql-experimental-functions"));
    assert_true(enables_functions(",promql-experimental-functions,,promql-at-modifier,"));
    assert_false(enables_functions("promql-experimental-function"));
    assert_false(enables_functions("promql-experimental-functions "));
    assert_false(enables_functions("promql-at-modifier,promql-negative-offset"));
}

TEST_MAIN(RUN(names_are_separated_by_commas_and_whole))
