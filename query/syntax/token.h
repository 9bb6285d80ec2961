/*
 * token: the kinds of words and signs that PromQL is made of.
 */
#ifndef CROFT_QUERY_TOKEN_H
#define CROFT_QUERY_TOKEN_H

#include "query/syntax/ast.h"

/* kind, text (NULL for the kinds that have more than one). Order within a group matters. */
#define TOKEN_LIST(X)                                                                              \
    X(TOKEN_END, NULL)                                                                             \
    X(TOKEN_ERROR, NULL)                                                                           \
    X(TOKEN_IDENTIFIER, NULL)                                                                      \
    X(TOKEN_METRIC_IDENTIFIER, NULL)                                                               \
    X(TOKEN_NUMBER, NULL)                                                                          \
    X(TOKEN_DURATION, NULL)                                                                        \
    X(TOKEN_STRING, NULL)                                                                          \
    X(TOKEN_LEFT_PAREN, "(")                                                                       \
    X(TOKEN_RIGHT_PAREN, ")")                                                                      \
    X(TOKEN_LEFT_BRACE, "{")                                                                       \
    X(TOKEN_RIGHT_BRACE, "}")                                                                      \
    X(TOKEN_LEFT_BRACKET, "[")                                                                     \
    X(TOKEN_RIGHT_BRACKET, "]")                                                                    \
    X(TOKEN_COMMA, ",")                                                                            \
    X(TOKEN_COLON, ":")                                                                            \
    X(TOKEN_EQL, "=")                                                                              \
    /* operators */                                                                                \
    X(TOKEN_EQL_REGEX, "=~")                                                                       \
    X(TOKEN_NEQ_REGEX, "!~")                                                                       \
    X(TOKEN_AT, "@")                                                                               \
    /* operators that make a binary expression, in the order of enum binary_op */                  \
    X(TOKEN_ADD, "+")                                                                              \
    X(TOKEN_SUB, "-")                                                                              \
    X(TOKEN_MUL, "*")                                                                              \
    X(TOKEN_DIV, "/")                                                                              \
    X(TOKEN_MOD, "%")                                                                              \
    X(TOKEN_POW, "^")                                                                              \
    X(TOKEN_ATAN2, "atan2")                                                                        \
    X(TOKEN_EQLC, "==")                                                                            \
    X(TOKEN_NEQ, "!=")                                                                             \
    X(TOKEN_GTR, ">")                                                                              \
    X(TOKEN_LSS, "<")                                                                              \
    X(TOKEN_GTE, ">=")                                                                             \
    X(TOKEN_LTE, "<=")                                                                             \
    X(TOKEN_AND, "and")                                                                            \
    X(TOKEN_OR, "or")                                                                              \
    X(TOKEN_UNLESS, "unless")                                                                      \
    /* aggregators, in the order of enum aggregate_op */                                           \
    X(TOKEN_SUM, "sum")                                                                            \
    X(TOKEN_AVG, "avg")                                                                            \
    X(TOKEN_MIN, "min")                                                                            \
    X(TOKEN_MAX, "max")                                                                            \
    X(TOKEN_COUNT, "count")                                                                        \
    X(TOKEN_GROUP, "group")                                                                        \
    X(TOKEN_STDDEV, "stddev")                                                                      \
    X(TOKEN_STDVAR, "stdvar")                                                                      \
    X(TOKEN_TOPK, "topk")                                                                          \
    X(TOKEN_BOTTOMK, "bottomk")                                                                    \
    X(TOKEN_COUNT_VALUES, "count_values")                                                          \
    X(TOKEN_QUANTILE, "quantile")                                                                  \
    X(TOKEN_LIMITK, "limitk")                                                                      \
    X(TOKEN_LIMIT_RATIO, "limit_ratio")                                                            \
    /* keywords */                                                                                 \
    X(TOKEN_BOOL, "bool")                                                                          \
    X(TOKEN_BY, "by")                                                                              \
    X(TOKEN_WITHOUT, "without")                                                                    \
    X(TOKEN_ON, "on")                                                                              \
    X(TOKEN_IGNORING, "ignoring")                                                                  \
    X(TOKEN_GROUP_LEFT, "group_left")                                                              \
    X(TOKEN_GROUP_RIGHT, "group_right")                                                            \
    X(TOKEN_OFFSET, "offset")                                                                      \
    /* words behind @ */                                                                           \
    X(TOKEN_START, "start")                                                                        \
    X(TOKEN_STOP, "end")

enum token_kind {
#define TOKEN_ENUM(kind, text) kind,
    TOKEN_LIST(TOKEN_ENUM)
#undef TOKEN_ENUM
};

_Static_assert(TOKEN_UNLESS - TOKEN_ADD == BINARY_UNLESS, "tokens follow enum binary_op");
_Static_assert(TOKEN_LIMIT_RATIO - TOKEN_SUM == AGGREGATE_LIMIT_RATIO,
               "tokens follow enum aggregate_op");

struct token {
    enum token_kind kind;
    struct position position;
};

/* NULL for the kinds that have more than one text. */
const char *token_kind_text(enum token_kind kind);

/* A duration is a number of seconds. */
static inline bool token_is_number(enum token_kind kind)
{
    return kind == TOKEN_NUMBER || kind == TOKEN_DURATION;
}

static inline bool token_is_aggregator(enum token_kind kind)
{
    return kind >= TOKEN_SUM && kind <= TOKEN_LIMIT_RATIO;
}

static inline bool token_is_operator(enum token_kind kind)
{
    return kind >= TOKEN_EQL_REGEX && kind <= TOKEN_UNLESS;
}

static inline bool token_is_keyword(enum token_kind kind)
{
    return kind >= TOKEN_BOOL && kind <= TOKEN_OFFSET;
}

/* Words that name a metric where an expression may begin, keywords among them. */
bool token_may_name_metric(enum token_kind kind);
bool token_may_start_expression(enum token_kind kind);
/* Appends how Prometheus names the token in an error: identifier "a", <op:+>, end of input, ... */
void token_describe(struct buffer *out, enum token_kind kind, struct str text);

#endif
