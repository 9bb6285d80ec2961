#include "query/syntax/parse.h"

#include <math.h>
#include <stdlib.h>

#include "base/duration_text.h"
#include "base/mem.h"
#include "base/number.h"
#include "base/words.h"
#include "query/function/function.h"
#include "query/syntax/duration.h"
#include "query/syntax/print_impl.h"
#include "tsdb/model/label.h"
#include "tsdb/model/quote.h"

static void print_text(struct buffer *out, const char *text)
{
    buffer_append_str(out, str_from(text));
}

static void print_names(struct buffer *out, const struct name_set *names)
{
    for (size_t i = 0; i < names->count; i++) {
        if (i > 0)
            print_text(out, ", ");
        if (label_name_is_plain(names->ptr[i]))
            buffer_append_str(out, names->ptr[i]);
        else
            append_quoted(out, names->ptr[i]);
    }
}

static void print_at(struct buffer *out, const struct time_modifier *time)
{
    if (time->at == AT_START)
        print_text(out, " @ start()");
    if (time->at == AT_END)
        print_text(out, " @ end()");
    if (time->at != AT_TIMESTAMP)
        return;
    uint64_t ms = (uint64_t)llabs(time->at_ms);
    buffer_append_format(out, " @ %s%llu.%03llu", time->at_ms < 0 ? "-" : "",
                         (unsigned long long)(ms / 1000), (unsigned long long)(ms % 1000));
}

static void print_time(struct buffer *out, const struct time_modifier *time)
{
    print_at(out, time);
    if (time->offset != NULL) {
        print_text(out, " offset ");
        duration_print(out, time->offset);
        return;
    }
    if (time->offset_ms == 0)
        return;
    print_text(out, time->offset_ms < 0 ? " offset -" : " offset ");
    append_duration_ms(out, llabs(time->offset_ms));
}

/* A literal unless it is computed. */
static void print_span(struct buffer *out, int64_t span_ms, const struct duration *computed)
{
    if (computed != NULL)
        duration_print(out, computed);
    else
        append_duration_ms(out, span_ms);
}

static bool is_name_before_braces(const struct vector_selector *selector,
                                  const struct matcher *matcher)
{
    return matcher->op == MATCHER_EQ && matcher->value.len > 0 &&
           str_eq(matcher->name, LABEL_METRIC_NAME) &&
           str_eq(matcher->value, selector->metric_name);
}

/* Sorted as texts. Each is printed behind the last one in `scratch`, which may move, so that the
   views are made when all have been printed. */
static size_t print_each_matcher(const struct vector_selector *selector, struct buffer *scratch,
                                 size_t *ends)
{
    size_t count = 0;
    for (size_t i = 0; i < selector->matcher_count; i++) {
        if (is_name_before_braces(selector, &selector->matchers[i]))
            continue;
        matcher_print(scratch, &selector->matchers[i]);
        ends[count++] = scratch->len;
    }
    return count;
}

static void sort_texts(const struct buffer *scratch, const size_t *ends, size_t count,
                       struct str *out)
{
    size_t start = 0;
    for (size_t i = 0; i < count; i++) {
        out[i] = str_slice(buffer_str(scratch), start, ends[i] - start);
        start = ends[i];
    }
    str_sort(out, count);
}

static void print_matchers(struct buffer *out, const struct vector_selector *selector)
{
    struct buffer scratch;
    buffer_init(&scratch, SIZE_MAX);
    size_t *ends = mem_alloc((selector->matcher_count + 1) * sizeof *ends);
    size_t count = print_each_matcher(selector, &scratch, ends);
    struct str *texts = mem_alloc((count + 1) * sizeof *texts);
    sort_texts(&scratch, ends, count, texts);
    for (size_t i = 0; i < count; i++) {
        buffer_append_byte(out, i == 0 ? '{' : ',');
        buffer_append_str(out, texts[i]);
    }
    if (count > 0)
        buffer_append_byte(out, '}');
    mem_free(texts);
    mem_free(ends);
    buffer_deinit(&scratch);
}

static void print_selector(struct buffer *out, const struct vector_selector *selector)
{
    buffer_append_str(out, selector->metric_name);
    print_matchers(out, selector);
}

static void print_matrix(struct buffer *out, const struct expr *expr)
{
    const struct vector_selector *selector = &expr->matrix.selector->selector;
    print_selector(out, selector);
    buffer_append_byte(out, '[');
    print_span(out, expr->matrix.range_ms, expr->matrix.range);
    buffer_append_byte(out, ']');
    print_time(out, &selector->time);
}

void print_subquery_suffix(struct buffer *out, const struct expr *expr)
{
    buffer_append_byte(out, '[');
    print_span(out, expr->subquery.range_ms, expr->subquery.range);
    buffer_append_byte(out, ':');
    if (expr->subquery.step_ms > 0 || expr->subquery.step != NULL)
        print_span(out, expr->subquery.step_ms, expr->subquery.step);
    buffer_append_byte(out, ']');
    print_time(out, &expr->subquery.time);
}

static void print_number(struct buffer *out, const struct expr *expr)
{
    double value = expr->number.value;
    if (!expr->number.is_duration) {
        append_f64_plain(out, value);
        return;
    }
    if (value < 0)
        buffer_append_byte(out, '-');
    append_duration_ms(out, llround(fabs(value) * 1000));
}

static void print_matching(struct buffer *out, const struct vector_matching *matching)
{
    enum match_cardinality cardinality = matching->cardinality;
    bool is_grouped = cardinality == MATCH_MANY_TO_ONE || cardinality == MATCH_ONE_TO_MANY;
    if (!is_grouped && !matching->is_on && matching->labels.count == 0)
        return;
    print_text(out, matching->is_on ? " on (" : " ignoring (");
    print_names(out, &matching->labels);
    buffer_append_byte(out, ')');
    if (!is_grouped)
        return;
    print_text(out, cardinality == MATCH_MANY_TO_ONE ? " group_left (" : " group_right (");
    print_names(out, &matching->include);
    buffer_append_byte(out, ')');
}

void print_operator(struct buffer *out, const struct expr *expr)
{
    print_text(out, binary_op_text(expr->binary.op));
    if (expr->binary.returns_bool)
        print_text(out, " bool");
    print_matching(out, &expr->binary.matching);
}

static void print_binary(struct buffer *out, const struct expr *expr)
{
    ast_print(out, expr->binary.left);
    buffer_append_byte(out, ' ');
    print_operator(out, expr);
    buffer_append_byte(out, ' ');
    ast_print(out, expr->binary.right);
}

static void print_call(struct buffer *out, const struct expr *expr)
{
    print_text(out, expr->call.function->name);
    buffer_append_byte(out, '(');
    for (size_t i = 0; i < expr->call.arg_count; i++) {
        if (i > 0)
            print_text(out, ", ");
        ast_print(out, expr->call.args[i]);
    }
    buffer_append_byte(out, ')');
}

void print_aggregate_head(struct buffer *out, const struct expr *expr)
{
    const struct name_set *grouping = &expr->aggregate.grouping;
    print_text(out, aggregate_op_text(expr->aggregate.op));
    if (expr->aggregate.is_without || grouping->count > 0) {
        print_text(out, expr->aggregate.is_without ? " without (" : " by (");
        print_names(out, grouping);
        print_text(out, ") ");
    }
}

static void print_aggregate(struct buffer *out, const struct expr *expr)
{
    print_aggregate_head(out, expr);
    buffer_append_byte(out, '(');
    if (expr->aggregate.param != NULL) {
        ast_print(out, expr->aggregate.param);
        print_text(out, ", ");
    }
    ast_print(out, expr->aggregate.inner);
    buffer_append_byte(out, ')');
}

void ast_print(struct buffer *out, const struct expr *expr)
{
    /* whoever only asks whether it fits does not wait for the rest */
    if (out->is_overflown)
        return;
    switch (expr->kind) {
    case EXPR_NUMBER:
        print_number(out, expr);
        break;
    case EXPR_STRING:
        append_quoted(out, expr->string);
        break;
    case EXPR_VECTOR_SELECTOR:
        print_selector(out, &expr->selector);
        print_time(out, &expr->selector.time);
        break;
    case EXPR_MATRIX_SELECTOR:
        print_matrix(out, expr);
        break;
    case EXPR_SUBQUERY:
        ast_print(out, expr->subquery.inner);
        print_subquery_suffix(out, expr);
        break;
    case EXPR_UNARY:
        buffer_append_byte(out, expr->unary.is_minus ? '-' : '+');
        ast_print(out, expr->unary.inner);
        break;
    case EXPR_PAREN:
        buffer_append_byte(out, '(');
        ast_print(out, expr->paren);
        buffer_append_byte(out, ')');
        break;
    case EXPR_BINARY:
        print_binary(out, expr);
        break;
    case EXPR_CALL:
        print_call(out, expr);
        break;
    case EXPR_AGGREGATE:
        print_aggregate(out, expr);
        break;
    }
}
