/* Every script in tests/promql (or those named in CROFT_SCRIPTS), over a store on
   a disk in memory. */
#include "tests/support/test.h"

#include <glob.h>
#include <stdio.h>
#include <stdlib.h>

#include "inspect/script/script.h"

/* Less than what Prometheus' own tests allow: what is expected was computed by hand or by it. */
static const double TOLERANCE = 1e-9;

TEST(every_script_gives_what_it_expects)
{
    const char *pattern = getenv("CROFT_SCRIPTS");
    const struct script_options options = {.out = stderr, .tolerance = TOLERANCE};
    struct script_result result = {0};
    glob_t scripts;
    assert_int_equal(glob(pattern == NULL ? "tests/promql/*.test" : pattern, 0, NULL, &scripts), 0);
    for (size_t i = 0; i < scripts.gl_pathc; i++) {
        struct error err;
        printf("%s\n", scripts.gl_pathv[i]);
        expect_ok(script_run(scripts.gl_pathv[i], &options, &result, &err));
    }
    globfree(&scripts);
    assert_int_equal(result.failure_count, 0);
    assert_true(result.query_count > 0);
}

TEST_MAIN(RUN(every_script_gives_what_it_expects))
