#include "query/syntax/parser_impl.h"

#include <stdio.h>

#include "query/syntax/literal.h"

void parser_init(struct parser *p, struct str text, struct arena *arena, struct error *err)
{
    *p = (struct parser){.arena = arena, .err = err};
    lexer_init(&p->lexer, text, err);
}

void parser_abandon(struct parser *p)
{
    for (struct selector_link *link = p->selectors; link != NULL; link = link->next)
        for (size_t i = 0; i < link->selector->matcher_count; i++)
            matcher_deinit(&link->selector->matchers[i]);
    p->selectors = NULL;
}

enum token_kind parser_peek(struct parser *p)
{
    if (p->status != STATUS_OK)
        return TOKEN_ERROR;
    if (!p->has_token) {
        p->token = lexer_next(&p->lexer);
        p->has_token = true;
        if (p->token.kind == TOKEN_ERROR)
            parser_fail_with_text(p, p->token.position.start, STATUS_INVALID);
    }
    return p->token.kind;
}

struct token parser_take(struct parser *p)
{
    parser_peek(p);
    p->has_token = false;
    return p->token;
}

bool parser_accept(struct parser *p, enum token_kind kind)
{
    bool is_next = parser_peek(p) == kind;
    if (is_next)
        parser_take(p);
    return is_next;
}

static size_t line_start(struct str text, size_t offset)
{
    size_t start = offset;
    while (start > 0 && text.ptr[start - 1] != '\n')
        start--;
    return start;
}

static size_t count_lines(struct str text)
{
    size_t count = 1;
    for (size_t at = str_find(text, '\n', 0); at < text.len; at = str_find(text, '\n', at + 1))
        count++;
    return count;
}

bool parser_fail_with_text(struct parser *p, size_t offset, enum status status)
{
    if (p->status != STATUS_OK)
        return false;
    struct str text = p->lexer.text;
    if (text.len == 0) {
        p->status = error_prefix(p->err, status, "unknown position: parse error");
        return false;
    }
    size_t line = count_lines(str_slice(text, 0, offset));
    size_t column = offset - line_start(text, offset) + 1;
    p->status = error_prefix(p->err, status, "%zu:%zu: parse error", line, column);
    return false;
}

bool parser_fail(struct parser *p, size_t offset, const char *format, ...)
{
    if (p->status != STATUS_OK)
        return false;
    char text[ERROR_TEXT_MAX];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    error_set(p->err, STATUS_INVALID, "%s", text);
    return parser_fail_with_text(p, offset, STATUS_INVALID);
}

bool parser_unexpected(struct parser *p, const char *context, const char *expected)
{
    if (parser_peek(p) == TOKEN_ERROR)
        return false;
    struct buffer text;
    buffer_init(&text, ERROR_TEXT_MAX * 4);
    token_describe(&text, p->token.kind, token_text(&p->lexer, p->token));
    if (context[0] != '\0')
        buffer_append_format(&text, " in %s", context);
    if (expected[0] != '\0')
        buffer_append_format(&text, ", expected %s", expected);
    parser_fail(p, p->token.position.start, "unexpected %.*s", STR_ARG(buffer_str(&text)));
    buffer_deinit(&text);
    return false;
}

void *parser_alloc(struct parser *p, size_t size_bytes)
{
    void *ptr = arena_try_alloc(p->arena, size_bytes);
    if (ptr == NULL && p->status == STATUS_OK)
        p->status = arena_refusal(p->arena, p->err);
    return ptr;
}

bool parser_grow(struct parser *p, void *array_ptr, size_t count, size_t element_bytes)
{
    void *old, *array;
    bool is_full = count == 0 || (count >= 4 && (count & (count - 1)) == 0);
    if (!is_full)
        return true;
    memcpy(&old, array_ptr, sizeof old);
    array = parser_alloc(p, (count < 4 ? 4 : count * 2) * element_bytes);
    if (array == NULL)
        return false;
    if (count > 0)
        memcpy(array, old, count * element_bytes);
    memcpy(array_ptr, &array, sizeof array);
    return true;
}

struct expr *parser_new_expr(struct parser *p, enum expr_kind kind, enum value_type type,
                             struct position position)
{
    struct expr *expr = parser_alloc(p, sizeof *expr);
    if (expr != NULL)
        *expr = (struct expr){.kind = kind, .type = type, .position = position, .height = 1};
    return expr;
}

struct expr *parser_adopt(struct parser *p, struct expr *parent, const struct expr *child)
{
    if (child->height == PARSE_HEIGHT_MAX) {
        parser_fail(p, parent->position.start,
                    "expression has too many operators in a row, want at most %d",
                    PARSE_HEIGHT_MAX - 1);
        return NULL;
    }
    if (parent->height <= child->height)
        parent->height = child->height + 1;
    return parent;
}

bool parser_unexpected_here(struct parser *p)
{
    return parser_unexpected(p, p->aggregation_depth > 0 ? "aggregation" : "", "");
}

bool parser_expect(struct parser *p, enum token_kind kind)
{
    return parser_accept(p, kind) || parser_unexpected_here(p);
}

bool parser_unquote(struct parser *p, struct token token, struct str *out)
{
    char *room = parser_alloc(p, token.position.end - token.position.start);
    if (room == NULL)
        return false;
    *out = literal_unquote(token_text(&p->lexer, token), room);
    return true;
}
