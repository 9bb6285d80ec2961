#include "query/syntax/parser_impl.h"

#include <math.h>

#include "query/syntax/literal.h"

/*
 * What may follow a selector or an expression:
 * "[5m]", "[1h:5m]", "offset 5m", "@ 1700000000".
 */

bool parse_number_value(struct parser *p, struct token token, double *out)
{
    struct str text = token_text(&p->lexer, token);
    enum status status;
    if (token.kind == TOKEN_DURATION) {
        int64_t ms = 0;
        status = literal_duration_ms(text, &ms, p->err);
        *out = (double)ms / 1000;
    } else {
        status = literal_number(text, p->arena, out, p->err);
    }
    return status == STATUS_OK || parser_fail_with_text(p, token.position.start, status);
}

/* The offset and @ of a selector or subquery; NULL for any other expression. */
static struct time_modifier *time_modifier_of(struct expr *expr)
{
    switch (expr->kind) {
    case EXPR_VECTOR_SELECTOR:
        return &expr->selector.time;
    case EXPR_MATRIX_SELECTOR:
        return &expr->matrix.selector->selector.time;
    case EXPR_SUBQUERY:
        return &expr->subquery.time;
    default:
        return NULL;
    }
}

static bool check_range_base(struct parser *p, const struct expr *base, size_t bracket)
{
    if (base->kind != EXPR_VECTOR_SELECTOR)
        return parser_fail(p, bracket, "ranges only allowed for vector selectors");
    if (base->selector.time.offset_ms != 0 || base->selector.time.offset != NULL)
        return parser_fail(p, bracket, "no offset modifiers allowed before range");
    if (base->selector.time.at == AT_TIMESTAMP)
        return parser_fail(p, bracket, "no @ modifiers allowed before range");
    return true;
}

static struct expr *parse_matrix(struct parser *p, struct expr *base, struct token bracket,
                                 const struct span *range)
{
    struct token close = parser_take(p);
    struct position position = {base->position.start, close.position.end};
    if (!check_range_base(p, base, bracket.position.start))
        return NULL;
    struct expr *expr = parser_new_expr(p, EXPR_MATRIX_SELECTOR, VALUE_MATRIX, position);
    if (expr == NULL)
        return NULL;
    expr->matrix.selector = base;
    expr->matrix.range_ms = range->ms;
    expr->matrix.range = range->computed;
    return parser_adopt(p, expr, base);
}

/* The step behind the colon, which may lack. */
static bool parse_step(struct parser *p, struct span *out)
{
    *out = (struct span){0};
    if (parser_accept(p, TOKEN_RIGHT_BRACKET))
        return true;
    if (!parse_positive_span(p, "subquery selector", "number, duration, step(), range(), or \"]\"",
                             out))
        return false;
    return parser_accept(p, TOKEN_RIGHT_BRACKET) ||
           parser_unexpected(p, "subquery selector", "\"]\"");
}

static struct expr *parse_subquery(struct parser *p, struct expr *base, const struct span *range)
{
    struct span step;
    parser_take(p);
    if (!parse_step(p, &step))
        return NULL;
    struct position position = {base->position.start, p->token.position.end};
    struct expr *expr = parser_new_expr(p, EXPR_SUBQUERY, VALUE_MATRIX, position);
    if (expr == NULL)
        return NULL;
    expr->subquery.inner = base;
    expr->subquery.range_ms = range->ms;
    expr->subquery.range = range->computed;
    expr->subquery.step_ms = step.ms;
    expr->subquery.step = step.computed;
    return parser_adopt(p, expr, base);
}

static struct expr *parse_range(struct parser *p, struct expr *base)
{
    struct token bracket = parser_take(p);
    struct span range;
    if (!parse_positive_span(p, "subquery or range selector",
                             "number, duration, step(), or range()", &range))
        return NULL;
    if (parser_peek(p) == TOKEN_RIGHT_BRACKET)
        return parse_matrix(p, base, bracket, &range);
    if (parser_peek(p) == TOKEN_COLON)
        return parse_subquery(p, base, &range);
    parser_unexpected(p, "subquery or range", "\":\" or \"]\"");
    return NULL;
}

static bool set_offset(struct parser *p, struct expr *base, const struct span *offset)
{
    struct time_modifier *time = time_modifier_of(base);
    if (time == NULL)
        return parser_fail(p, base->position.start,
                           "offset modifier must be preceded by an instant vector selector or "
                           "range vector selector or a subquery");
    if (time->offset_ms != 0 || time->offset != NULL)
        return parser_fail(p, base->position.start, "offset may not be set multiple times");
    time->offset_ms = offset->ms;
    time->offset = offset->computed;
    return true;
}

static struct expr *parse_offset(struct parser *p, struct expr *base)
{
    struct span offset;
    parser_take(p);
    if (!parse_offset_span(p, &offset) || !set_offset(p, base, &offset))
        return NULL;
    base->position.end = p->token.position.end;
    return base;
}

/* A timestamp as Go's %f shows it. */
static bool fail_timestamp(struct parser *p, const struct expr *base, double seconds)
{
    const char *text = "timestamp out of bounds for @ modifier";
    if (isnan(seconds))
        return parser_fail(p, base->position.start, "%s: NaN", text);
    if (isinf(seconds))
        return parser_fail(p, base->position.start, "%s: %cInf", text, seconds < 0 ? '-' : '+');
    return parser_fail(p, base->position.start, "%s: %f", text, seconds);
}

static bool parse_at_timestamp(struct parser *p, const struct expr *base, int64_t *out)
{
    bool is_negative = parser_accept(p, TOKEN_SUB);
    if (!is_negative)
        parser_accept(p, TOKEN_ADD);
    if (!token_is_number(parser_peek(p)))
        return parser_unexpected(p, "@", "timestamp");
    double seconds;
    if (!parse_number_value(p, parser_take(p), &seconds))
        return false;
    if (is_negative)
        seconds = -seconds;
    if (!(fabs(seconds) * 1000 <= PARSE_AT_MS_MAX))
        return fail_timestamp(p, base, seconds);
    *out = (int64_t)round(seconds * 1000);
    return true;
}

/* start() or end() */
static bool parse_at_edge(struct parser *p, enum at_kind *out)
{
    *out = parser_take(p).kind == TOKEN_START ? AT_START : AT_END;
    return (parser_accept(p, TOKEN_LEFT_PAREN) && parser_accept(p, TOKEN_RIGHT_PAREN)) ||
           parser_unexpected(p, "@", "timestamp");
}

static bool set_at(struct parser *p, struct expr *base, enum at_kind at, int64_t at_ms)
{
    struct time_modifier *time = time_modifier_of(base);
    if (time == NULL)
        return parser_fail(p, base->position.start,
                           "@ modifier must be preceded by an instant vector selector or range "
                           "vector selector or a subquery");
    if (time->at != AT_NONE)
        return parser_fail(p, base->position.start, "@ <timestamp> may not be set multiple times");
    time->at = at;
    time->at_ms = at_ms;
    return true;
}

static struct expr *parse_at(struct parser *p, struct expr *base)
{
    enum at_kind at = AT_TIMESTAMP;
    int64_t at_ms = 0;
    parser_take(p);
    enum token_kind next = parser_peek(p);
    bool is_edge = next == TOKEN_START || next == TOKEN_STOP;
    if (is_edge ? !parse_at_edge(p, &at) : !parse_at_timestamp(p, base, &at_ms))
        return NULL;
    if (!set_at(p, base, at, at_ms))
        return NULL;
    base->position.end = p->token.position.end;
    return base;
}

/* Modifiers that Prometheus has behind a flag: refused in the words that it has without. */
static struct expr *refuse_experimental(struct parser *p, struct expr *base)
{
    struct str word = token_text(&p->lexer, p->token);
    if (!str_eq(word, STR("anchored")) && !str_eq(word, STR("smoothed")))
        return base;
    parser_fail(p, base->position.start, "%.*s modifier is experimental and not enabled",
                STR_ARG(word));
    return NULL;
}

struct expr *parse_postfix(struct parser *p, struct expr *base)
{
    while (base != NULL) {
        switch (parser_peek(p)) {
        case TOKEN_LEFT_BRACKET:
            base = parse_range(p, base);
            break;
        case TOKEN_OFFSET:
            base = parse_offset(p, base);
            break;
        case TOKEN_AT:
            base = parse_at(p, base);
            break;
        case TOKEN_IDENTIFIER:
            return refuse_experimental(p, base);
        default:
            return base;
        }
    }
    return NULL;
}
