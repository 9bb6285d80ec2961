#include "tests/support/test.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void expect_status_(enum status got, enum status want, const struct error *err, const char *call,
                    const char *file, int line)
{
    if (got == want)
        return;
    fprintf(stderr, "%s:%d: %s: got %s (%s), want %s\n", file, line, call, status_text(got),
            got == STATUS_OK ? "" : err->text, status_text(want));
    _fail(file, line);
}

void expect_str_(struct str got, const char *want, const char *expression, const char *file,
                 int line)
{
    if (str_eq(got, str_from(want)))
        return;
    fprintf(stderr, "%s:%d: %s: got \"%.*s\", want \"%s\"\n", file, line, expression, STR_ARG(got),
            want);
    _fail(file, line);
}

uint64_t test_seed(uint64_t fallback)
{
    const char *text = getenv("CROFT_TEST_SEED");
    uint64_t seed = text == NULL ? fallback : strtoull(text, NULL, 10);
    printf("seed %" PRIu64 "\n", seed);
    return seed;
}
