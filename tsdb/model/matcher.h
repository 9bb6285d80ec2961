/*
 * matcher: one condition of a selector: name = value, != , =~ , !~.
 *
 * A label that a series does not have counts as the empty string (Prometheus, labels.Matcher).
 * Ownership: owns its compiled regex; name and value are borrowed and must outlive it.
 * Threads:   may be used by many threads once made.
 */
#ifndef CROFT_TSDB_MATCHER_H
#define CROFT_TSDB_MATCHER_H

#include "base/buffer.h"
#include "base/regex.h"

enum matcher_op { MATCHER_EQ, MATCHER_NE, MATCHER_RE, MATCHER_NRE };

/* Bytes of a pattern that has to be compiled, which costs a multiple of its length: as long as the
   text of a query may be by default. */
enum { MATCHER_REGEX_LEN_SMALL_MAX = 16 << 10 };

/* How a value is compared; the cheapest that the pattern allows. */
enum matcher_test {
    MATCHER_TEST_EQUAL,              /* op is EQ or NE */
    MATCHER_TEST_LITERALS,           /* "a|b|c" */
    MATCHER_TEST_PREFIX,             /* "api.*"; ".*" has an empty prefix */
    MATCHER_TEST_LONGER_THAN_PREFIX, /* "api.+", ".+" */
    MATCHER_TEST_REGEX,
};

struct matcher {
    enum matcher_op op;
    enum matcher_test test;
    struct str name;
    struct str value;
    struct regex *regex;        /* of MATCHER_TEST_REGEX, else NULL */
    const struct str *literals; /* of MATCHER_TEST_LITERALS: sorted, unique */
    size_t literal_count;
    struct str prefix;  /* of the two PREFIX tests */
    bool matches_empty; /* whether a series without the label matches */
};

/* Those of a selector: what all of them match. None match everything. */
struct matchers {
    const struct matcher *ptr;
    size_t count;
};

static inline bool matcher_is_negative(const struct matcher *matcher)
{
    return matcher->op == MATCHER_NE || matcher->op == MATCHER_NRE;
}

/* Literals live in `arena`. STATUS_INVALID: a bad regex, or one over MATCHER_REGEX_LEN_SMALL_MAX
   bytes that is no alternation of literals. */
MUST_USE enum status matcher_init(struct matcher *matcher, enum matcher_op op, struct str name,
                                  struct str value, struct arena *arena, struct error *err);
void matcher_deinit(struct matcher *matcher);
bool matcher_matches(const struct matcher *matcher, struct str value);
/* name="value" as Prometheus prints it. */
void matcher_print(struct buffer *out, const struct matcher *matcher);
const char *matcher_op_text(enum matcher_op op);

#endif
