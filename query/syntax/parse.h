/*
 * parse: text to typed tree, by hand: lexer, precedence climbing, type check.
 *
 * Every error carries where it is: "1:5: parse error: unexpected ..." in Prometheus' words.
 * Limits:
 *   PARSE_TEXT_MAX    bytes of text, unless the options say otherwise
 *   PARSE_DEPTH_MAX   nesting: parentheses, arguments, signs, the right side of '^'; bounds the
 *                     recursion of the parser
 *   PARSE_HEIGHT_MAX  levels of the tree. A chain "a + b + c" is not nested, but its tree leans to
 * the left and is as high as it has operators; whoever walks the tree recursively (the printer, the
 * evaluator) relies on expr->height never passing this.
 */
#ifndef CROFT_QUERY_PARSE_H
#define CROFT_QUERY_PARSE_H

#include "query/syntax/ast.h"

enum {
    PARSE_TEXT_MAX = 16 * 1024,
    PARSE_DEPTH_MAX = 128,
    PARSE_HEIGHT_MAX = 2048,   /* at 1 KiB of stack a level, a quarter of a thread's 8 MiB */
    PARSE_MATCHERS_MAX = 1024, /* of one selector */
    PARSE_SELECTOR_TEXT_MAX = 10 * 1024 * 1024,
};

/* Of @, both signs. Offsets and ranges are below 2^44 ms, so that sums of all three never
   overflow. */
#define PARSE_AT_MS_MAX (INT64_C(1) << 61)

struct parse_options {
    size_t text_max;          /* bytes; 0 for PARSE_TEXT_MAX */
    bool allows_experimental; /* the feature flag promql-experimental-functions */
};

/* A whole expression. On success the caller calls ast_deinit before the arena goes. */
MUST_USE enum status parse_expr(struct str text, const struct parse_options *options,
                                struct arena *arena, struct expr **out, struct error *err);

/* A series selector alone, as match[] takes it. At least one matcher must not match the empty
   string. On success the caller calls matcher_deinit on each. The text may be
   PARSE_SELECTOR_TEXT_MAX long: a giant alternation of literals is normal (Grafana's metrics
   browser). */
MUST_USE enum status parse_selector(struct str text, struct arena *arena, struct matcher **out,
                                    size_t *count, struct error *err);

/* Canonical text, as Prometheus prints it on one line. */
void ast_print(struct buffer *out, const struct expr *expr);
/* The same over several lines where one would have more than 100 bytes, as Prometheus breaks
   them. */
void ast_print_pretty(struct buffer *out, const struct expr *expr);

#endif
