#include "query/syntax/parse.h"

#include "query/function/function.h"
#include "query/syntax/print_impl.h"

/*
 * An expression that fits a line stands on one; else its operands stand on lines of their own, each
 * a level further in. The level of an expression counts only where it begins a line.
 */

enum { LINE_LEN_MAX = 100 };

static void print_level(struct buffer *out, const struct expr *expr, size_t level);

static void indent(struct buffer *out, size_t level)
{
    for (size_t i = 0; i < level; i++)
        buffer_append_str(out, STR("  "));
}

static bool fits_a_line(const struct expr *expr)
{
    struct buffer text;
    buffer_init(&text, LINE_LEN_MAX + 1); /* a duration wants a byte more while it is printed */
    ast_print(&text, expr);
    bool fits = !text.is_overflown && text.len <= LINE_LEN_MAX;
    buffer_deinit(&text);
    return fits;
}

/* A line break, and what stands at the line's end before it. */
static void end_line(struct buffer *out, struct str text)
{
    buffer_append_str(out, text);
    buffer_append_byte(out, '\n');
}

static void print_call_split(struct buffer *out, const struct expr *expr, size_t level)
{
    indent(out, level);
    buffer_append_str(out, str_from(expr->call.function->name));
    end_line(out, STR("("));
    for (size_t i = 0; i < expr->call.arg_count; i++) {
        print_level(out, expr->call.args[i], level + 1);
        end_line(out, i + 1 < expr->call.arg_count ? STR(",") : STR(""));
    }
    indent(out, level);
    buffer_append_byte(out, ')');
}

static void print_aggregate_split(struct buffer *out, const struct expr *expr, size_t level)
{
    indent(out, level);
    print_aggregate_head(out, expr);
    end_line(out, STR("("));
    if (expr->aggregate.param != NULL) {
        print_level(out, expr->aggregate.param, level + 1);
        end_line(out, STR(","));
    }
    print_level(out, expr->aggregate.inner, level + 1);
    end_line(out, STR(""));
    indent(out, level);
    buffer_append_byte(out, ')');
}

static void print_binary_split(struct buffer *out, const struct expr *expr, size_t level)
{
    print_level(out, expr->binary.left, level + 1);
    end_line(out, STR(""));
    indent(out, level);
    print_operator(out, expr);
    end_line(out, STR(""));
    print_level(out, expr->binary.right, level + 1);
}

static void print_paren_split(struct buffer *out, const struct expr *expr, size_t level)
{
    indent(out, level);
    end_line(out, STR("("));
    print_level(out, expr->paren, level + 1);
    end_line(out, STR(""));
    indent(out, level);
    buffer_append_byte(out, ')');
}

static struct str without_indent(struct str text)
{
    while (text.len > 0 && text.ptr[0] == ' ')
        text = str_slice(text, 1, SIZE_MAX);
    return text;
}

/* The operand's own indent would stand between the sign and it. */
static void print_unary(struct buffer *out, const struct expr *expr, size_t level)
{
    struct buffer inner;
    buffer_init(&inner, out->max_bytes);
    print_level(&inner, expr->unary.inner, level);
    indent(out, level);
    buffer_append_byte(out, expr->unary.is_minus ? '-' : '+');
    buffer_append_str(out, without_indent(buffer_str(&inner)));
    buffer_deinit(&inner);
}

static void print_split(struct buffer *out, const struct expr *expr, size_t level)
{
    switch (expr->kind) {
    case EXPR_SUBQUERY:
        print_level(out, expr->subquery.inner, level);
        print_subquery_suffix(out, expr);
        return;
    case EXPR_PAREN:
        print_paren_split(out, expr, level);
        return;
    case EXPR_BINARY:
        print_binary_split(out, expr, level);
        return;
    case EXPR_CALL:
        print_call_split(out, expr, level);
        return;
    case EXPR_AGGREGATE:
        print_aggregate_split(out, expr, level);
        return;
    default:
        indent(out, level);
        ast_print(out, expr);
        return;
    }
}

static void print_level(struct buffer *out, const struct expr *expr, size_t level)
{
    if (expr->kind == EXPR_UNARY) {
        print_unary(out, expr, level);
        return;
    }
    if (!fits_a_line(expr)) {
        print_split(out, expr, level);
        return;
    }
    /* Prometheus does not indent a subquery that fits */
    if (expr->kind != EXPR_SUBQUERY)
        indent(out, level);
    ast_print(out, expr);
}

void ast_print_pretty(struct buffer *out, const struct expr *expr)
{
    print_level(out, expr, 0);
}
