/*
 * ast: the typed tree of a PromQL expression.
 *
 * Ownership:  nodes and text live in the arena that was given to the parser; matchers of selectors
 *             own compiled regexes, which ast_deinit frees.
 * Positions:  byte offsets into the query text, half-open; errors turn them into line:column.
 */
#ifndef CROFT_QUERY_AST_H
#define CROFT_QUERY_AST_H

#include "base/buffer.h"
#include "tsdb/model/matcher.h"

struct function;
struct duration;

enum value_type { VALUE_SCALAR, VALUE_VECTOR, VALUE_MATRIX, VALUE_STRING };

struct position {
    uint32_t start; /* offset of the first byte */
    uint32_t end;   /* offset behind the last one */
};

enum expr_kind {
    EXPR_NUMBER,
    EXPR_STRING,
    EXPR_VECTOR_SELECTOR,
    EXPR_MATRIX_SELECTOR,
    EXPR_SUBQUERY,
    EXPR_UNARY,
    EXPR_PAREN,
    EXPR_BINARY,
    EXPR_CALL,
    EXPR_AGGREGATE,
};

/* Order within a group matters: arithmetic, comparison, set. */
enum binary_op {
    BINARY_ADD,
    BINARY_SUB,
    BINARY_MUL,
    BINARY_DIV,
    BINARY_MOD,
    BINARY_POW,
    BINARY_ATAN2,
    BINARY_EQL,
    BINARY_NEQ,
    BINARY_GTR,
    BINARY_LSS,
    BINARY_GTE,
    BINARY_LTE,
    BINARY_AND,
    BINARY_OR,
    BINARY_UNLESS,
};

static inline bool binary_op_is_comparison(enum binary_op op)
{
    return op >= BINARY_EQL && op <= BINARY_LTE;
}

static inline bool binary_op_is_set(enum binary_op op)
{
    return op >= BINARY_AND;
}

enum aggregate_op {
    AGGREGATE_SUM,
    AGGREGATE_AVG,
    AGGREGATE_MIN,
    AGGREGATE_MAX,
    AGGREGATE_COUNT,
    AGGREGATE_GROUP,
    AGGREGATE_STDDEV,
    AGGREGATE_STDVAR,
    AGGREGATE_TOPK,
    AGGREGATE_BOTTOMK,
    AGGREGATE_COUNT_VALUES,
    AGGREGATE_QUANTILE,
    AGGREGATE_LIMITK,
    AGGREGATE_LIMIT_RATIO,
};

enum at_kind { AT_NONE, AT_TIMESTAMP, AT_START, AT_END };

/* offset and @ of a selector or subquery. */
struct time_modifier {
    int64_t offset_ms;
    const struct duration *offset; /* when it is computed: duration.h; else NULL */
    enum at_kind at;
    int64_t at_ms; /* with AT_TIMESTAMP */
};

struct name_set {
    struct str *ptr; /* as written, not sorted */
    size_t count;
};

enum match_cardinality {
    MATCH_ONE_TO_ONE,
    MATCH_MANY_TO_ONE,
    MATCH_ONE_TO_MANY,
    MATCH_MANY_TO_MANY
};

struct vector_matching {
    enum match_cardinality cardinality; /* MANY_TO_MANY for the set operators */
    bool is_on;                         /* on(...), else ignoring(...) or nothing */
    struct name_set labels;
    struct name_set include; /* of group_left, group_right */
};

struct expr;

struct vector_selector {
    struct str metric_name; /* empty when only matchers were given; also among the matchers */
    struct matcher *matchers;
    size_t matcher_count;
    struct time_modifier time;
};

struct expr {
    enum expr_kind kind;
    enum value_type type;
    struct position position;
    uint32_t height; /* levels from here down, 1 for a leaf; at most PARSE_HEIGHT_MAX */
    union {
        struct {
            double value;
            bool is_duration; /* was written as a duration, such as 5m */
        } number;
        struct str string; /* unquoted */
        struct vector_selector selector;
        struct {
            struct expr *selector; /* EXPR_VECTOR_SELECTOR, holds offset and @ */
            int64_t range_ms;
            const struct duration *range; /* when it is computed, else NULL */
        } matrix;
        struct {
            struct expr *inner;
            int64_t range_ms;
            int64_t step_ms;              /* 0: the default evaluation interval */
            const struct duration *range; /* when they are computed, else NULL */
            const struct duration *step;
            struct time_modifier time;
        } subquery;
        struct {
            bool is_minus;
            struct expr *inner;
        } unary;
        struct expr *paren;
        struct {
            enum binary_op op;
            bool returns_bool;
            struct expr *left;
            struct expr *right;
            struct vector_matching matching; /* both sides are vectors */
        } binary;
        struct {
            const struct function *function;
            struct expr **args;
            size_t arg_count;
        } call;
        struct {
            enum aggregate_op op;
            bool is_without;
            struct name_set grouping;
            struct expr *param; /* NULL when the operator takes none */
            struct expr *inner;
        } aggregate;
    };
};

/* Releases what the arena does not: compiled regexes. `expr` may be NULL. */
void ast_deinit(struct expr *expr);

const char *binary_op_text(enum binary_op op);
const char *aggregate_op_text(enum aggregate_op op);
/* "scalar", "instant vector", "range vector", "string", as Prometheus names them in errors. */
const char *value_type_text(enum value_type type);

#endif
