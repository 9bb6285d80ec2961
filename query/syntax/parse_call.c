#include "query/syntax/parser_impl.h"

#include "query/function/function.h"
#include "tsdb/model/quote.h"

/* Calls of functions, aggregations, and the lists of arguments and label names that they take. */

/* Words that the lexer takes for more but that may name a label. */
static bool may_name_label(enum token_kind kind)
{
    return kind == TOKEN_IDENTIFIER || kind == TOKEN_AND || kind == TOKEN_OR ||
           kind == TOKEN_UNLESS || kind == TOKEN_ATAN2 || token_is_aggregator(kind) ||
           (token_is_keyword(kind) && kind != TOKEN_WITHOUT) || kind == TOKEN_START ||
           kind == TOKEN_STOP;
}

/* %q of a text, for errors; lives in the arena. */
static const char *quoted(struct parser *p, struct str text)
{
    struct buffer out;
    buffer_init(&out, ERROR_TEXT_MAX);
    append_quoted(&out, text);
    buffer_append_byte(&out, '\0');
    char *copy = parser_alloc(p, out.len);
    if (copy != NULL)
        memcpy(copy, out.ptr, out.len);
    buffer_deinit(&out);
    return copy == NULL ? "" : copy;
}

/* Only a quoted name can be no name. */
static bool check_quoted_name(struct parser *p, struct token token, struct str name)
{
    return (name.len > 0 && str_is_utf8(name)) ||
           parser_fail(p, token.position.start, "invalid label name for grouping: %s",
                       quoted(p, name));
}

static bool parse_label_name(struct parser *p, struct str *out)
{
    enum token_kind kind = parser_peek(p);
    if (!may_name_label(kind) && kind != TOKEN_STRING)
        return parser_unexpected(p, "grouping opts", "label");
    struct token token = parser_take(p);
    if (kind == TOKEN_STRING)
        return parser_unquote(p, token, out) && check_quoted_name(p, token, *out);
    struct str name = token_text(&p->lexer, token);
    char *copy = parser_alloc(p, name.len);
    if (copy == NULL)
        return false;
    memcpy(copy, name.ptr, name.len);
    *out = (struct str){copy, name.len};
    return true;
}

bool parse_name_set(struct parser *p, struct name_set *out)
{
    *out = (struct name_set){0};
    if (!parser_accept(p, TOKEN_LEFT_PAREN))
        return parser_unexpected(p, "grouping opts", "\"(\"");
    while (!parser_accept(p, TOKEN_RIGHT_PAREN)) {
        if (!parser_grow(p, &out->ptr, out->count, sizeof *out->ptr) ||
            !parse_label_name(p, &out->ptr[out->count]))
            return false;
        out->count++;
        if (!parser_accept(p, TOKEN_COMMA) && parser_peek(p) != TOKEN_RIGHT_PAREN)
            return parser_unexpected(p, "grouping opts", "\",\" or \")\"");
    }
    return true;
}

struct expr_list {
    struct expr **ptr;
    size_t count;
};

/* Behind an argument: true when another one follows, or when the list is at its end. */
static bool parse_arg_end(struct parser *p, bool *has_more)
{
    *has_more = parser_accept(p, TOKEN_COMMA);
    size_t comma = p->token.position.start;
    if (!*has_more)
        return parser_expect(p, TOKEN_RIGHT_PAREN);
    enum token_kind next = parser_peek(p);
    return token_may_start_expression(next) || next == TOKEN_ERROR ||
           parser_fail(p, comma, "trailing commas not allowed in function call args");
}

static bool parse_args(struct parser *p, struct expr_list *out)
{
    *out = (struct expr_list){0};
    bool has_more = true;
    if (!parser_expect(p, TOKEN_LEFT_PAREN))
        return false;
    if (parser_accept(p, TOKEN_RIGHT_PAREN))
        return true;
    while (has_more) {
        struct expr *arg = parse_whole(p);
        if (arg == NULL || !parser_grow(p, &out->ptr, out->count, sizeof *out->ptr))
            return false;
        out->ptr[out->count++] = arg;
        if (!parse_arg_end(p, &has_more))
            return false;
    }
    return true;
}

static const struct function *find_function(struct parser *p, struct token name)
{
    struct str text = token_text(&p->lexer, name);
    const struct function *function = function_find(text);
    if (function == NULL) {
        parser_fail(p, name.position.start, "unknown function with name %s", quoted(p, text));
        return NULL;
    }
    if (function->is_experimental && !p->allows_experimental) {
        parser_fail(p, name.position.start, "function %s is not enabled", quoted(p, text));
        return NULL;
    }
    return function;
}

struct expr *parse_call(struct parser *p, struct token name)
{
    struct expr_list args;
    if (!parse_args(p, &args))
        return NULL;
    struct position position = {name.position.start, p->token.position.end};
    const struct function *function = find_function(p, name);
    if (function == NULL)
        return NULL;
    struct expr *expr = parser_new_expr(p, EXPR_CALL, function->returns, position);
    if (expr == NULL)
        return NULL;
    expr->call.function = function;
    expr->call.args = args.ptr;
    expr->call.arg_count = args.count;
    for (size_t i = 0; i < args.count; i++)
        if (parser_adopt(p, expr, args.ptr[i]) == NULL)
            return NULL;
    return expr;
}

static bool has_param(enum aggregate_op op)
{
    return op >= AGGREGATE_TOPK;
}

/* by (...) or without (...), if it comes next. */
static bool parse_grouping(struct parser *p, struct expr *expr, bool *has_grouping)
{
    enum token_kind kind = parser_peek(p);
    *has_grouping = kind == TOKEN_BY || kind == TOKEN_WITHOUT;
    if (!*has_grouping)
        return kind != TOKEN_ERROR;
    parser_take(p);
    expr->aggregate.is_without = kind == TOKEN_WITHOUT;
    return parse_name_set(p, &expr->aggregate.grouping);
}

/* Before or behind the arguments, not both. */
static bool parse_aggregation_parts(struct parser *p, struct expr *expr, struct expr_list *args)
{
    bool has_grouping;
    p->aggregation_depth++;
    if (!parse_grouping(p, expr, &has_grouping) || !parse_args(p, args))
        return false;
    p->aggregation_depth--;
    expr->position.end = p->token.position.end;
    if (has_grouping)
        return true;
    if (!parse_grouping(p, expr, &has_grouping))
        return false;
    if (has_grouping)
        expr->position.end = p->token.position.end;
    return true;
}

static bool check_aggregation_args(struct parser *p, const struct expr *expr, size_t count)
{
    enum aggregate_op op = expr->aggregate.op;
    size_t start = expr->position.start;
    size_t wanted = has_param(op) ? 2 : 1;
    if (count == 0)
        return parser_fail(p, start, "no arguments for aggregate expression provided");
    if (op >= AGGREGATE_LIMITK && !p->allows_experimental)
        return parser_fail(p, start,
                           "%s() is experimental and must be enabled with "
                           "--enable-feature=promql-experimental-functions",
                           aggregate_op_text(op));
    return count == wanted ||
           parser_fail(p, start,
                       "wrong number of arguments for aggregate expression provided, "
                       "expected %zu, got %zu",
                       wanted, count);
}

struct expr *parse_aggregation(struct parser *p, struct token name)
{
    struct expr *expr = parser_new_expr(p, EXPR_AGGREGATE, VALUE_VECTOR, name.position);
    struct expr_list args;
    if (expr == NULL)
        return NULL;
    expr->aggregate.op = (enum aggregate_op)(name.kind - TOKEN_SUM);
    if (!parse_aggregation_parts(p, expr, &args) || !check_aggregation_args(p, expr, args.count))
        return NULL;
    expr->aggregate.inner = args.ptr[args.count - 1];
    expr->aggregate.param = args.count == 2 ? args.ptr[0] : NULL;
    for (size_t i = 0; i < args.count; i++)
        if (parser_adopt(p, expr, args.ptr[i]) == NULL)
            return NULL;
    return expr;
}
