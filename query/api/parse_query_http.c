/*
 * /api/v1/format_query, /api/v1/parse_query: an expression printed, and its tree as JSON in the
 * shape that Prometheus' user interface reads.
 */
#include "query/api/api_impl.h"

#include "base/number.h"
#include "query/function/function.h"
#include "query/syntax/duration.h"
#include "query/syntax/parse.h"

/* Of a double without an exponent: base/number.h. */
enum { NUMBER_TEXT_MAX = 327 };

static void write_expr(struct json *json, const struct expr *expr);

static void write_text(struct json *json, const char *key, const char *text)
{
    json_key(json, str_from(key));
    json_string(json, str_from(text));
}

static void write_bool(struct json *json, const char *key, bool value)
{
    json_key(json, str_from(key));
    json_bool(json, value);
}

static void write_i64(struct json *json, const char *key, int64_t value)
{
    json_key(json, str_from(key));
    json_i64(json, value);
}

static void write_child(struct json *json, const char *key, const struct expr *expr)
{
    json_key(json, str_from(key));
    if (expr == NULL)
        json_null(json);
    else
        write_expr(json, expr);
}

static void write_names(struct json *json, const char *key, const struct name_set *names)
{
    json_key(json, str_from(key));
    json_begin_array(json);
    for (size_t i = 0; i < names->count; i++)
        json_string(json, names->ptr[i]);
    json_end_array(json);
}

static void write_value(struct json *json, double value)
{
    struct buffer text;
    buffer_init(&text, NUMBER_TEXT_MAX);
    append_f64_plain(&text, value);
    json_key(json, STR("val"));
    json_string(json, buffer_str(&text));
    buffer_deinit(&text);
}

/* ---- selectors ---- */

static void write_matchers(struct json *json, const struct vector_selector *selector)
{
    json_key(json, STR("matchers"));
    json_begin_array(json);
    for (size_t i = 0; i < selector->matcher_count; i++) {
        const struct matcher *matcher = &selector->matchers[i];
        json_begin_object(json);
        json_key(json, STR("name"));
        json_string(json, matcher->name);
        write_text(json, "type", matcher_op_text(matcher->op));
        json_key(json, STR("value"));
        json_string(json, matcher->value);
        json_end_object(json);
    }
    json_end_array(json);
}

static void write_duration(struct json *json, const char *key, const struct duration *duration)
{
    json_key(json, str_from(key));
    if (duration == NULL) {
        json_null(json);
        return;
    }
    json_begin_object(json);
    if (duration->op == DURATION_LITERAL) {
        write_bool(json, "duration", duration->has_unit);
        write_value(json, duration->seconds);
        write_text(json, "type", "numberLiteral");
    } else {
        write_duration(json, "lhs", duration->left);
        write_text(json, "op", duration_op_text(duration->op));
        write_duration(json, "rhs", duration->right);
        write_text(json, "type", "durationExpr");
        write_bool(json, "wrapped", duration->is_wrapped);
    }
    json_end_object(json);
}

static void write_time(struct json *json, const struct time_modifier *time)
{
    write_i64(json, "offset", time->offset_ms);
    write_duration(json, "offsetExpr", time->offset);
    json_key(json, STR("startOrEnd"));
    if (time->at == AT_START || time->at == AT_END)
        json_string(json, time->at == AT_START ? STR("start") : STR("end"));
    else
        json_null(json);
    json_key(json, STR("timestamp"));
    if (time->at == AT_TIMESTAMP)
        json_i64(json, time->at_ms);
    else
        json_null(json);
}

static void write_selector(struct json *json, const struct vector_selector *selector)
{
    write_bool(json, "anchored", false);
    write_matchers(json, selector);
    json_key(json, STR("name"));
    json_string(json, selector->metric_name);
    write_bool(json, "smoothed", false);
    write_time(json, &selector->time);
}

static void write_matrix(struct json *json, const struct expr *expr)
{
    write_selector(json, &expr->matrix.selector->selector);
    write_i64(json, "range", expr->matrix.range_ms);
    write_duration(json, "rangeExpr", expr->matrix.range);
}

static void write_subquery(struct json *json, const struct expr *expr)
{
    write_child(json, "expr", expr->subquery.inner);
    write_i64(json, "range", expr->subquery.range_ms);
    write_duration(json, "rangeExpr", expr->subquery.range);
    write_i64(json, "step", expr->subquery.step_ms);
    write_duration(json, "stepExpr", expr->subquery.step);
    write_time(json, &expr->subquery.time);
}

/* ---- the rest ---- */

static void write_matching(struct json *json, const struct expr *expr)
{
    static const char *const cardinalities[] = {[MATCH_ONE_TO_ONE] = "one-to-one",
                                                [MATCH_MANY_TO_ONE] = "many-to-one",
                                                [MATCH_ONE_TO_MANY] = "one-to-many",
                                                [MATCH_MANY_TO_MANY] = "many-to-many"};
    const struct vector_matching *matching = &expr->binary.matching;
    json_key(json, STR("matching"));
    if (expr->binary.left->type != VALUE_VECTOR || expr->binary.right->type != VALUE_VECTOR) {
        json_null(json);
        return;
    }
    json_begin_object(json);
    write_text(json, "card", cardinalities[matching->cardinality]);
    json_key(json, STR("fillValues"));
    json_begin_object(json);
    write_child(json, "lhs", NULL);
    write_child(json, "rhs", NULL);
    json_end_object(json);
    write_names(json, "include", &matching->include);
    write_names(json, "labels", &matching->labels);
    write_bool(json, "on", matching->is_on);
    json_end_object(json);
}

static void write_binary(struct json *json, const struct expr *expr)
{
    write_bool(json, "bool", expr->binary.returns_bool);
    write_child(json, "lhs", expr->binary.left);
    write_matching(json, expr);
    write_text(json, "op", binary_op_text(expr->binary.op));
    write_child(json, "rhs", expr->binary.right);
}

static const char *type_name(enum value_type type)
{
    static const char *const names[] = {[VALUE_SCALAR] = "scalar",
                                        [VALUE_VECTOR] = "vector",
                                        [VALUE_MATRIX] = "matrix",
                                        [VALUE_STRING] = "string"};
    return names[type];
}

static void write_function(struct json *json, const struct function *function)
{
    json_key(json, STR("func"));
    json_begin_object(json);
    json_key(json, STR("argTypes"));
    json_begin_array(json);
    for (size_t i = 0; i < function->arg_count; i++)
        json_string(json, str_from(type_name(function->args[i])));
    json_end_array(json);
    write_text(json, "name", function->name);
    write_text(json, "returnType", type_name(function->returns));
    write_i64(json, "variadic", function->variadic);
    json_end_object(json);
}

static void write_call(struct json *json, const struct expr *expr)
{
    json_key(json, STR("args"));
    json_begin_array(json);
    for (size_t i = 0; i < expr->call.arg_count; i++)
        write_expr(json, expr->call.args[i]);
    json_end_array(json);
    write_function(json, expr->call.function);
}

static void write_aggregate(struct json *json, const struct expr *expr)
{
    write_child(json, "expr", expr->aggregate.inner);
    write_names(json, "grouping", &expr->aggregate.grouping);
    write_text(json, "op", aggregate_op_text(expr->aggregate.op));
    write_child(json, "param", expr->aggregate.param);
    write_bool(json, "without", expr->aggregate.is_without);
}

static void write_members(struct json *json, const struct expr *expr)
{
    switch (expr->kind) {
    case EXPR_NUMBER:
        write_value(json, expr->number.value);
        return;
    case EXPR_STRING:
        json_key(json, STR("val"));
        json_string(json, expr->string);
        return;
    case EXPR_VECTOR_SELECTOR:
        write_selector(json, &expr->selector);
        return;
    case EXPR_MATRIX_SELECTOR:
        write_matrix(json, expr);
        return;
    case EXPR_SUBQUERY:
        write_subquery(json, expr);
        return;
    case EXPR_UNARY:
        write_child(json, "expr", expr->unary.inner);
        write_text(json, "op", expr->unary.is_minus ? "-" : "+");
        return;
    case EXPR_PAREN:
        write_child(json, "expr", expr->paren);
        return;
    case EXPR_BINARY:
        write_binary(json, expr);
        return;
    case EXPR_CALL:
        write_call(json, expr);
        return;
    case EXPR_AGGREGATE:
        write_aggregate(json, expr);
        return;
    }
}

static void write_expr(struct json *json, const struct expr *expr)
{
    static const char *const types[] = {[EXPR_NUMBER] = "numberLiteral",
                                        [EXPR_STRING] = "stringLiteral",
                                        [EXPR_VECTOR_SELECTOR] = "vectorSelector",
                                        [EXPR_MATRIX_SELECTOR] = "matrixSelector",
                                        [EXPR_SUBQUERY] = "subquery",
                                        [EXPR_UNARY] = "unaryExpr",
                                        [EXPR_PAREN] = "parenExpr",
                                        [EXPR_BINARY] = "binaryExpr",
                                        [EXPR_CALL] = "call",
                                        [EXPR_AGGREGATE] = "aggregation"};
    json_begin_object(json);
    write_members(json, expr);
    write_text(json, "type", types[expr->kind]);
    json_end_object(json);
}

/* ---- endpoints ---- */

/* Replies and returns NULL when the parameter is no expression; else the caller
   calls ast_deinit. */
static struct expr *parse_param(struct api_call *call)
{
    struct error err;
    struct expr *expr;
    const struct parse_options options = {.allows_experimental =
                                              call->api->engine->allows_experimental};
    struct str text = exchange_param(call->exchange, "query", NULL);
    if (parse_expr(text, &options, call->arena, &expr, &err) == STATUS_OK)
        return expr;
    reply_bad_param(call->exchange, "query", &err);
    return NULL;
}

void api_format_query(struct api_call *call)
{
    struct expr *expr = parse_param(call);
    if (expr == NULL)
        return;
    struct buffer printed, out;
    struct json json;
    buffer_init(&printed, REPLY_MAX_BYTES);
    ast_print_pretty(&printed, expr);
    ast_deinit(expr);
    reply_begin(call->exchange, &json, &out);
    json_string(&json, buffer_str(&printed));
    buffer_deinit(&printed);
    reply_end(call->exchange, &json, NULL, NULL);
}

void api_parse_query(struct api_call *call)
{
    struct expr *expr = parse_param(call);
    if (expr == NULL)
        return;
    struct buffer out;
    struct json json;
    reply_begin(call->exchange, &json, &out);
    write_expr(&json, expr);
    ast_deinit(expr);
    reply_end(call->exchange, &json, NULL, NULL);
}
