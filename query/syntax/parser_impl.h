/*
 * parser_impl: the state that the files of the parser share. For the parser alone.
 *
 * Errors:  the first failure stays. After it parser_peek gives TOKEN_ERROR for ever, so every rule
 * comes to its end by itself and gives NULL or false. Tokens:  one is looked ahead, and only when a
 * rule needs it: an error of meaning ("unknown function") is thus reported before an error of form
 * that stands behind it, as Prometheus does.
 */
#ifndef CROFT_QUERY_PARSER_IMPL_H
#define CROFT_QUERY_PARSER_IMPL_H

#include "query/syntax/lexer.h"
#include "query/syntax/parse.h"

/* Selectors made so far, so that a failure can free their regexes. */
struct selector_link {
    struct selector_link *next;
    struct vector_selector *selector;
};

struct parser {
    struct lexer lexer;
    struct token token; /* looked at, not taken yet */
    bool has_token;
    bool allows_experimental;
    struct arena *arena;
    enum status status;
    struct error *err;
    unsigned depth;             /* of nesting, at most PARSE_DEPTH_MAX */
    unsigned aggregation_depth; /* open aggregations, named in errors */
    struct selector_link *selectors;
};

void parser_init(struct parser *p, struct str text, struct arena *arena, struct error *err);
/* Frees the regexes of all selectors made. */
void parser_abandon(struct parser *p);

enum token_kind parser_peek(struct parser *p);
struct token parser_take(struct parser *p);
/* Takes the next token if it is of that kind. */
bool parser_accept(struct parser *p, enum token_kind kind);

/* All of these return false when they fail. `offset` is a position in the text. */
bool parser_fail(struct parser *p, size_t offset, const char *format, ...) PRINTF_LIKE(3, 4);
/* "unexpected <next token> in <context>, expected <expected>"; either may be "". */
bool parser_unexpected(struct parser *p, const char *context, const char *expected);
/* The same where any expression might stand; Prometheus names the aggregation if it is in one. */
bool parser_unexpected_here(struct parser *p);
/* Takes the next token, which must be of that kind. */
bool parser_expect(struct parser *p, enum token_kind kind);
/* Puts "line:column: parse error: " before the text that is in p->err. */
bool parser_fail_with_text(struct parser *p, size_t offset, enum status status);

/* Memory of the query; NULL once that is used up. */
void *parser_alloc(struct parser *p, size_t size_bytes);
/* Room for one more element behind `count` of them; the array moves when it grows. */
bool parser_grow(struct parser *p, void *array_ptr, size_t count, size_t element_bytes);
struct expr *parser_new_expr(struct parser *p, enum expr_kind kind, enum value_type type,
                             struct position position);
/* Notes that `child` hangs below `parent`; gives `parent`, or NULL when the tree gets too high. */
struct expr *parser_adopt(struct parser *p, struct expr *parent, const struct expr *child);
/* The value of a string token. False when memory is used up. */
bool parser_unquote(struct parser *p, struct token token, struct str *out);

/* The rules; what each expects to come next is said, and NULL or false means that it failed. */

/* An expression, one level deeper than where it stands. */
struct expr *parse_whole(struct parser *p);
/* metric{...}: `name` was taken if `has_name`, else '{' comes next. */
struct expr *parse_vector_selector(struct parser *p, struct token name, bool has_name);
/* Next is '(' behind the name of a function. */
struct expr *parse_call(struct parser *p, struct token name);
/* Next is '(', by or without behind the name of an aggregator. */
struct expr *parse_aggregation(struct parser *p, struct token name);
/* Ranges, offset and @ as far as there are any behind `base`, which may be NULL. */
struct expr *parse_postfix(struct parser *p, struct expr *base);
/* A span of time: a literal, or computed when the query is known. */
struct span {
    int64_t ms;
    const struct duration *computed;
    struct position position;
};
/* In brackets. `context` and `expected` say what is missing when there is none. */
bool parse_positive_span(struct parser *p, const char *context, const char *expected,
                         struct span *out);
/* Behind offset; may be negative. */
bool parse_offset_span(struct parser *p, struct span *out);
/* A list of label names in parentheses: of by, without, on, ignoring, group_left, group_right. */
bool parse_name_set(struct parser *p, struct name_set *out);
/* The value of a number, or of a duration in seconds. */
bool parse_number_value(struct parser *p, struct token token, double *out);

/* The first error of meaning in the tree, in Prometheus' order and words. */
MUST_USE bool check_types(struct parser *p, struct expr *expr);

#endif
