#include "query/function/function.h"
#include "query/syntax/parser_impl.h"
#include "tsdb/model/label.h"
#include "tsdb/model/quote.h"

/*
 * Recursion goes down the tree, whose height is bounded. Within a node the checks stand in
 * Prometheus' order, because only the first error of a query is shown.
 */

static bool check_node(struct parser *p, struct expr *expr);

static bool fail_type(struct parser *p, const struct expr *expr, enum value_type want,
                      const char *context)
{
    return parser_fail(p, expr->position.start, "expected type %s in %s, got %s",
                       value_type_text(want), context, value_type_text(expr->type));
}

static bool check_typed(struct parser *p, struct expr *expr, enum value_type want,
                        const char *context)
{
    return check_node(p, expr) && (expr->type == want || fail_type(p, expr, want, context));
}

static bool check_aggregate(struct parser *p, struct expr *expr)
{
    if (!check_typed(p, expr->aggregate.inner, VALUE_VECTOR, "aggregation expression"))
        return false;
    if (expr->aggregate.param == NULL)
        return true;
    bool takes_label = expr->aggregate.op == AGGREGATE_COUNT_VALUES;
    return check_typed(p, expr->aggregate.param, takes_label ? VALUE_STRING : VALUE_SCALAR,
                       "aggregation parameter");
}

/* Where the operator stands: behind the left side and blanks. */
static size_t operator_offset(const struct parser *p, const struct expr *expr)
{
    struct str text = p->lexer.text;
    size_t at = expr->binary.left->position.end;
    while (at < text.len && strchr(" \t\n\r", text.ptr[at]) != NULL)
        at++;
    return at;
}

static bool name_set_holds(const struct name_set *set, struct str name)
{
    for (size_t i = 0; i < set->count; i++)
        if (str_eq(set->ptr[i], name))
            return true;
    return false;
}

static bool fail_on_and_group(struct parser *p, size_t offset, struct str name)
{
    struct buffer quoted;
    buffer_init(&quoted, ERROR_TEXT_MAX);
    append_quoted(&quoted, name);
    parser_fail(p, offset, "label %.*s must not occur in ON and GROUP clause at once",
                STR_ARG(buffer_str(&quoted)));
    buffer_deinit(&quoted);
    return false;
}

static bool check_group_labels(struct parser *p, const struct expr *expr)
{
    const struct vector_matching *matching = &expr->binary.matching;
    for (size_t i = 0; matching->is_on && i < matching->labels.count; i++)
        if (name_set_holds(&matching->include, matching->labels.ptr[i]))
            return fail_on_and_group(p, operator_offset(p, expr), matching->labels.ptr[i]);
    return true;
}

static bool check_operator(struct parser *p, const struct expr *expr)
{
    bool is_comparison = binary_op_is_comparison(expr->binary.op);
    if (expr->binary.returns_bool && !is_comparison)
        return parser_fail(p, operator_offset(p, expr),
                           "bool modifier can only be used on comparison operators");
    if (is_comparison && !expr->binary.returns_bool && expr->type == VALUE_SCALAR)
        return parser_fail(p, operator_offset(p, expr),
                           "comparisons between scalars must use BOOL modifier");
    return check_group_labels(p, expr);
}

static bool check_side(struct parser *p, const struct expr *side)
{
    return side->type == VALUE_SCALAR || side->type == VALUE_VECTOR ||
           parser_fail(p, side->position.start,
                       "binary expression must contain only scalar and instant vector types");
}

static bool check_scalar_operands(struct parser *p, struct expr *expr)
{
    if (expr->binary.matching.labels.count > 0)
        return parser_fail(p, expr->position.start,
                           "vector matching only allowed between instant vectors");
    if (binary_op_is_set(expr->binary.op))
        return parser_fail(p, expr->position.start,
                           "set operator \"%s\" not allowed in binary scalar expression",
                           binary_op_text(expr->binary.op));
    expr->binary.matching = (struct vector_matching){0};
    return true;
}

static bool check_set_operands(struct parser *p, struct expr *expr)
{
    struct vector_matching *matching = &expr->binary.matching;
    if (matching->cardinality != MATCH_ONE_TO_ONE)
        return parser_fail(p, expr->position.start, "no grouping allowed for \"%s\" operation",
                           binary_op_text(expr->binary.op));
    matching->cardinality = MATCH_MANY_TO_MANY;
    return true;
}

static bool check_binary(struct parser *p, struct expr *expr)
{
    struct expr *left = expr->binary.left, *right = expr->binary.right;
    if (!check_node(p, left) || !check_node(p, right) || !check_operator(p, expr) ||
        !check_side(p, left) || !check_side(p, right))
        return false;
    if (left->type == VALUE_SCALAR || right->type == VALUE_SCALAR)
        return check_scalar_operands(p, expr);
    return !binary_op_is_set(expr->binary.op) || check_set_operands(p, expr);
}

static bool check_arg_count(struct parser *p, const struct expr *expr)
{
    const struct function *function = expr->call.function;
    size_t got = expr->call.arg_count, declared = function->arg_count;
    if (function->variadic == 0)
        return got == declared || parser_fail(p, expr->position.start,
                                              "expected %zu argument(s) in call to \"%s\", got %zu",
                                              declared, function->name, got);
    if (got + 1 < declared)
        return parser_fail(p, expr->position.start,
                           "expected at least %zu argument(s) in call to \"%s\", got %zu",
                           declared - 1, function->name, got);
    if (function->variadic < 0)
        return true;
    size_t max = declared - 1 + (size_t)function->variadic;
    return got <= max || parser_fail(p, expr->position.start,
                                     "expected at most %zu argument(s) in call to \"%s\", got %zu",
                                     max, function->name, got);
}

/* The second argument of info() is a list of matchers in the guise of a selector, which may be
 * empty. */
static bool check_info_matchers(struct parser *p, struct expr *arg)
{
    if (arg->kind != EXPR_VECTOR_SELECTOR)
        return parser_fail(p, arg->position.start, "expected label selectors only");
    return arg->selector.metric_name.len == 0 ||
           parser_fail(p, arg->position.start,
                       "expected label selectors only, got vector selector instead");
}

static bool check_arg(struct parser *p, const struct expr *call, size_t index)
{
    const struct function *function = call->call.function;
    struct expr *arg = call->call.args[index];
    if (index == 1 && strcmp(function->name, "info") == 0)
        return check_info_matchers(p, arg);
    size_t last = function->arg_count - 1u;
    enum value_type want = function->args[index < last ? index : last];
    return check_node(p, arg) &&
           (arg->type == want ||
            parser_fail(p, arg->position.start,
                        "expected type %s in call to function \"%s\", got %s",
                        value_type_text(want), function->name, value_type_text(arg->type)));
}

static bool check_call(struct parser *p, struct expr *expr)
{
    if (!check_arg_count(p, expr))
        return false;
    for (size_t i = 0; i < expr->call.arg_count; i++)
        if (!check_arg(p, expr, i))
            return false;
    return true;
}

static bool check_unary(struct parser *p, struct expr *expr)
{
    struct expr *inner = expr->unary.inner;
    if (!check_node(p, inner))
        return false;
    return inner->type == VALUE_SCALAR || inner->type == VALUE_VECTOR ||
           parser_fail(p, expr->position.start,
                       "unary expression only allowed on expressions of type scalar or instant "
                       "vector, got \"%s\"",
                       value_type_text(inner->type));
}

static const char *short_type_text(enum value_type type)
{
    switch (type) {
    case VALUE_VECTOR:
        return "vector";
    case VALUE_MATRIX:
        return "matrix";
    default:
        return value_type_text(type);
    }
}

static bool check_subquery(struct parser *p, struct expr *expr)
{
    struct expr *inner = expr->subquery.inner;
    if (!check_node(p, inner))
        return false;
    return inner->type == VALUE_VECTOR ||
           parser_fail(p, expr->position.start,
                       "subquery is only allowed on instant vector, got %s instead",
                       short_type_text(inner->type));
}

static bool fail_two_names(struct parser *p, const struct expr *expr, struct str second)
{
    struct buffer names;
    buffer_init(&names, ERROR_TEXT_MAX);
    append_quoted(&names, expr->selector.metric_name);
    buffer_append_str(&names, STR(" or "));
    append_quoted(&names, second);
    parser_fail(p, expr->position.start, "metric name must not be set twice: %.*s",
                STR_ARG(buffer_str(&names)));
    buffer_deinit(&names);
    return false;
}

/* The name before the braces is the last matcher. */
static bool check_single_name(struct parser *p, const struct expr *expr)
{
    const struct vector_selector *selector = &expr->selector;
    for (size_t i = 0; i + 1 < selector->matcher_count; i++)
        if (str_eq(selector->matchers[i].name, LABEL_METRIC_NAME))
            return fail_two_names(p, expr, selector->matchers[i].value);
    return true;
}

/* Without this a slip of the pen would select every series there is. */
static bool check_selector(struct parser *p, const struct expr *expr)
{
    const struct vector_selector *selector = &expr->selector;
    if (selector->metric_name.len > 0)
        return check_single_name(p, expr);
    for (size_t i = 0; i < selector->matcher_count; i++)
        if (!selector->matchers[i].matches_empty)
            return true;
    return parser_fail(p, expr->position.start,
                       "vector selector must contain at least one non-empty matcher");
}

static bool check_node(struct parser *p, struct expr *expr)
{
    switch (expr->kind) {
    case EXPR_NUMBER:
    case EXPR_STRING:
        return true;
    case EXPR_VECTOR_SELECTOR:
        return check_selector(p, expr);
    case EXPR_MATRIX_SELECTOR:
        return check_node(p, expr->matrix.selector);
    case EXPR_SUBQUERY:
        return check_subquery(p, expr);
    case EXPR_UNARY:
        return check_unary(p, expr);
    case EXPR_PAREN:
        return check_node(p, expr->paren);
    case EXPR_BINARY:
        return check_binary(p, expr);
    case EXPR_CALL:
        return check_call(p, expr);
    case EXPR_AGGREGATE:
        return check_aggregate(p, expr);
    }
    return true;
}

bool check_types(struct parser *p, struct expr *expr)
{
    return check_node(p, expr);
}
