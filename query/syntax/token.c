#include "query/syntax/token.h"

#include "tsdb/model/quote.h"

const char *token_kind_text(enum token_kind kind)
{
    static const char *const texts[] = {
#define TOKEN_TEXT(name, text) [name] = text,
        TOKEN_LIST(TOKEN_TEXT)
#undef TOKEN_TEXT
    };
    return texts[kind];
}

bool token_may_name_metric(enum token_kind kind)
{
    switch (kind) {
    case TOKEN_IDENTIFIER:
    case TOKEN_METRIC_IDENTIFIER:
    case TOKEN_AND:
    case TOKEN_OR:
    case TOKEN_UNLESS:
    case TOKEN_BY:
    case TOKEN_WITHOUT:
    case TOKEN_OFFSET:
    case TOKEN_START:
    case TOKEN_STOP:
        return true;
    default:
        return token_is_aggregator(kind);
    }
}

bool token_may_start_expression(enum token_kind kind)
{
    return token_is_number(kind) || token_may_name_metric(kind) || kind == TOKEN_STRING ||
           kind == TOKEN_LEFT_PAREN || kind == TOKEN_LEFT_BRACE || kind == TOKEN_ADD ||
           kind == TOKEN_SUB;
}

/* A long text is cut behind ten characters, as Go's "%.10q..." cuts it. */
static void describe_value(struct buffer *out, struct str text)
{
    enum { SHOWN_MAX = 10 };
    size_t len = 0;
    for (size_t shown = 0; len < text.len; len++)
        if (((uint8_t)text.ptr[len] & 0xc0) != 0x80 && ++shown > SHOWN_MAX)
            break;
    append_quoted(out, (struct str){text.ptr, len});
    if (text.len > SHOWN_MAX)
        buffer_append_str(out, STR("..."));
}

static const char *kind_noun(enum token_kind kind)
{
    switch (kind) {
    case TOKEN_IDENTIFIER:
        return "identifier ";
    case TOKEN_METRIC_IDENTIFIER:
        return "metric identifier ";
    case TOKEN_NUMBER:
        return "number ";
    case TOKEN_DURATION:
        return "duration ";
    case TOKEN_STRING:
        return "string ";
    default:
        return "";
    }
}

void token_describe(struct buffer *out, enum token_kind kind, struct str text)
{
    buffer_append_str(out, str_from(kind_noun(kind)));
    if (kind == TOKEN_END)
        buffer_append_str(out, STR("end of input"));
    else if (kind == TOKEN_IDENTIFIER || kind == TOKEN_METRIC_IDENTIFIER)
        append_quoted(out, text);
    else if (token_is_operator(kind))
        buffer_append_format(out, "<op:%.*s>", STR_ARG(text));
    else if (token_is_aggregator(kind))
        buffer_append_format(out, "<aggr:%.*s>", STR_ARG(text));
    else if (token_is_keyword(kind))
        buffer_append_format(out, "<%.*s>", STR_ARG(text));
    else
        describe_value(out, text);
}
