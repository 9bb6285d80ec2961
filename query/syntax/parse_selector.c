#include "query/syntax/parser_impl.h"

#include "tsdb/model/label.h"

struct matcher_list {
    struct matcher *ptr;
    size_t count;
};

/* What is between the braces was given as text; a matcher is made of it at once, so that a bad
   regex is reported where it stands. */
struct matcher_text {
    struct position position;
    enum matcher_op op;
    struct str name;
    struct str value;
};

static bool append_matcher(struct parser *p, struct matcher_list *list,
                           const struct matcher_text *text)
{
    if (list->count == PARSE_MATCHERS_MAX)
        return parser_fail(p, text->position.start, "too many label matchers, want at most %d",
                           PARSE_MATCHERS_MAX);
    if (!parser_grow(p, &list->ptr, list->count, sizeof *list->ptr))
        return false;
    struct matcher *matcher = &list->ptr[list->count];
    enum status status = matcher_init(matcher, text->op, text->name, text->value, p->arena, p->err);
    if (status != STATUS_OK)
        return parser_fail_with_text(p, text->position.start, status);
    list->count++;
    return true;
}

static bool is_match_op(enum token_kind kind)
{
    return kind == TOKEN_EQL || kind == TOKEN_NEQ || kind == TOKEN_EQL_REGEX ||
           kind == TOKEN_NEQ_REGEX;
}

static enum matcher_op match_op(enum token_kind kind)
{
    switch (kind) {
    case TOKEN_NEQ:
        return MATCHER_NE;
    case TOKEN_EQL_REGEX:
        return MATCHER_RE;
    case TOKEN_NEQ_REGEX:
        return MATCHER_NRE;
    default:
        return MATCHER_EQ;
    }
}

static bool copy_text(struct parser *p, struct token token, struct str *out)
{
    struct str text = token_text(&p->lexer, token);
    char *copy = parser_alloc(p, text.len);
    if (copy == NULL)
        return false;
    memcpy(copy, text.ptr, text.len);
    *out = (struct str){copy, text.len};
    return true;
}

/* Behind the name: =, !=, =~ or !~ and a string. */
static bool parse_match(struct parser *p, struct matcher_text *out)
{
    out->op = match_op(parser_take(p).kind);
    if (parser_peek(p) != TOKEN_STRING)
        return parser_unexpected(p, "label matching", "string");
    return parser_unquote(p, parser_take(p), &out->value);
}

/* name="value", "name"="value", or "metric name" */
static bool parse_matcher(struct parser *p, struct matcher_text *out)
{
    enum token_kind kind = parser_peek(p);
    if (kind != TOKEN_IDENTIFIER && kind != TOKEN_STRING)
        return parser_unexpected(p, "label matching", "identifier or \"}\"");
    struct token name = parser_take(p);
    *out = (struct matcher_text){.position = name.position};
    if (kind == TOKEN_STRING ? !parser_unquote(p, name, &out->name)
                             : !copy_text(p, name, &out->name))
        return false;
    if (is_match_op(parser_peek(p)))
        return parse_match(p, out);
    if (kind == TOKEN_IDENTIFIER)
        return parser_unexpected(p, "label matching", "label matching operator");
    out->value = out->name;
    out->name = LABEL_METRIC_NAME;
    return true;
}

static bool parse_matchers(struct parser *p, struct matcher_list *list)
{
    parser_take(p);
    while (!parser_accept(p, TOKEN_RIGHT_BRACE)) {
        struct matcher_text text;
        if (!parse_matcher(p, &text) || !append_matcher(p, list, &text))
            return false;
        if (!parser_accept(p, TOKEN_COMMA) && parser_peek(p) != TOKEN_RIGHT_BRACE)
            return parser_unexpected(p, "label matching", "\",\" or \"}\"");
    }
    return true;
}

/* The name before the braces, as the last matcher. */
static bool append_name(struct parser *p, struct matcher_list *list, struct token name,
                        struct str *metric_name)
{
    if (!copy_text(p, name, metric_name))
        return false;
    struct matcher_text text = {name.position, MATCHER_EQ, LABEL_METRIC_NAME, *metric_name};
    return append_matcher(p, list, &text);
}

/* From here on a failure frees what the selector holds. */
static bool register_selector(struct parser *p, struct vector_selector *selector)
{
    struct selector_link *link = parser_alloc(p, sizeof *link);
    if (link == NULL)
        return false;
    *link = (struct selector_link){p->selectors, selector};
    p->selectors = link;
    return true;
}

static bool parse_selector_parts(struct parser *p, struct expr *expr, const struct token *name)
{
    struct matcher_list list = {0};
    struct vector_selector *selector = &expr->selector;
    if (!register_selector(p, selector))
        return false;
    bool has_braces = parser_peek(p) == TOKEN_LEFT_BRACE;
    bool is_valid = !has_braces || parse_matchers(p, &list);
    if (is_valid && has_braces)
        expr->position.end = p->token.position.end;
    if (is_valid && name != NULL)
        is_valid = append_name(p, &list, *name, &selector->metric_name);
    selector->matchers = list.ptr;
    selector->matcher_count = list.count;
    return is_valid;
}

struct expr *parse_vector_selector(struct parser *p, struct token name, bool has_name)
{
    struct expr *expr = parser_new_expr(p, EXPR_VECTOR_SELECTOR, VALUE_VECTOR, name.position);
    if (expr == NULL || !parse_selector_parts(p, expr, has_name ? &name : NULL))
        return NULL;
    return expr;
}

/* match[] alone. */

/* NULL when there is something else; the parser knows why. */
static const struct vector_selector *parse_only_selector(struct parser *p)
{
    enum token_kind kind = parser_peek(p);
    bool has_name = token_may_name_metric(kind);
    if (!has_name && kind != TOKEN_LEFT_BRACE) {
        parser_unexpected(p, "", "");
        return NULL;
    }
    struct token name = has_name ? parser_take(p) : p->token;
    struct expr *expr = parse_vector_selector(p, name, has_name);
    bool is_alone = expr != NULL && (parser_peek(p) == TOKEN_END || parser_unexpected(p, "", ""));
    return is_alone ? &expr->selector : NULL;
}

static bool has_wanted_matcher(const struct vector_selector *selector)
{
    for (size_t i = 0; i < selector->matcher_count; i++)
        if (!selector->matchers[i].matches_empty)
            return true;
    return false;
}

static bool check_selector(struct parser *p, const struct vector_selector *selector)
{
    if (has_wanted_matcher(selector))
        return true;
    p->status =
        error_set(p->err, STATUS_INVALID, "match[] must contain at least one non-empty matcher");
    return false;
}

enum status parse_selector(struct str text, struct arena *arena, struct matcher **out,
                           size_t *count, struct error *err)
{
    if (text.len > PARSE_SELECTOR_TEXT_MAX)
        return error_set(err, STATUS_INVALID, "match[]: too long, got %zu bytes, want at most %d",
                         text.len, PARSE_SELECTOR_TEXT_MAX);
    struct parser p;
    parser_init(&p, text, arena, err);
    const struct vector_selector *selector = parse_only_selector(&p);
    if (selector == NULL || !check_selector(&p, selector)) {
        parser_abandon(&p);
        return p.status;
    }
    *out = selector->matchers;
    *count = selector->matcher_count;
    return STATUS_OK;
}
