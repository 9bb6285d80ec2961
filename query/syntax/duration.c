#include "query/syntax/duration.h"

#include <math.h>
#include <string.h>

#include "base/duration_text.h"
#include "base/number.h"
#include "base/words.h"
#include "query/function/elementary.h"

/* Go's time.Duration counts nanoseconds in 64 bits. */
static const double SECONDS_MAX = 0x1p63 / 1e9;

const char *duration_op_text(enum duration_op op)
{
    static const char *const texts[] = {
        [DURATION_LITERAL] = "", [DURATION_STEP] = "step",  [DURATION_RANGE] = "range",
        [DURATION_NEGATE] = "-", [DURATION_MIN] = "min_of", [DURATION_MAX] = "max_of",
        [DURATION_ADD] = "+",    [DURATION_SUB] = "-",      [DURATION_MUL] = "*",
        [DURATION_DIV] = "/",    [DURATION_MOD] = "%",      [DURATION_POW] = "^"};
    return texts[op];
}

enum duration_op duration_word(struct str word)
{
    static const enum duration_op ops[] = {DURATION_STEP, DURATION_RANGE, DURATION_MIN,
                                           DURATION_MAX};
    for (size_t i = 0; i < sizeof ops / sizeof *ops; i++) {
        const char *text = duration_op_text(ops[i]);
        if (str_eq_caseless(word, str_from(text)))
            return ops[i];
    }
    return DURATION_LITERAL;
}

/* ---- printing ---- */

static void print_literal(struct buffer *out, const struct duration *duration)
{
    if (!duration->has_unit) {
        append_f64_plain(out, duration->seconds);
        return;
    }
    if (duration->seconds < 0)
        buffer_append_byte(out, '-');
    append_duration_ms(out, llround(fabs(duration->seconds) * 1000));
}

static void print_body(struct buffer *out, const struct duration *duration)
{
    const char *op = duration_op_text(duration->op);
    switch (duration->op) {
    case DURATION_LITERAL:
        print_literal(out, duration);
        return;
    case DURATION_STEP:
    case DURATION_RANGE:
        buffer_append_format(out, "%s()", op);
        return;
    case DURATION_NEGATE:
        buffer_append_byte(out, '-');
        duration_print(out, duration->right);
        return;
    case DURATION_MIN:
    case DURATION_MAX:
        buffer_append_format(out, "%s(", op);
        duration_print(out, duration->left);
        buffer_append_str(out, STR(", "));
        duration_print(out, duration->right);
        buffer_append_byte(out, ')');
        return;
    default:
        duration_print(out, duration->left);
        buffer_append_format(out, " %s ", op);
        duration_print(out, duration->right);
        return;
    }
}

void duration_print(struct buffer *out, const struct duration *duration)
{
    if (duration->is_wrapped)
        buffer_append_byte(out, '(');
    print_body(out, duration);
    if (duration->is_wrapped)
        buffer_append_byte(out, ')');
}

/* ---- computing ---- */

/* The place is two offsets of bytes, the first counted from 1. */
static enum status fail_at(const struct duration *duration, const char *what, struct error *err)
{
    return error_set(err, STATUS_INVALID, "%u:%u: %s", duration->position.start,
                     duration->position.end, what);
}

static enum status combine(const struct duration *duration, double left, double right, double *out,
                           struct error *err)
{
    switch (duration->op) {
    case DURATION_MIN:
        *out = left < right ? left : right;
        return STATUS_OK;
    case DURATION_MAX:
        *out = left > right ? left : right;
        return STATUS_OK;
    case DURATION_ADD:
        *out = left + right;
        return STATUS_OK;
    case DURATION_SUB:
        *out = left - right;
        return STATUS_OK;
    case DURATION_MUL:
        *out = left * right;
        return STATUS_OK;
    case DURATION_DIV:
        *out = left / right;
        return right == 0 ? fail_at(duration, "division by zero", err) : STATUS_OK;
    case DURATION_MOD:
        *out = fmod(left, right);
        return right == 0 ? fail_at(duration, "modulo by zero", err) : STATUS_OK;
    default:
        *out = elementary_pow(left, right);
        return STATUS_OK;
    }
}

static enum status compute(const struct duration *duration, const struct duration_scope *scope,
                           double *out, struct error *err)
{
    double left, right;
    switch (duration->op) {
    case DURATION_LITERAL:
        *out = duration->seconds;
        return STATUS_OK;
    case DURATION_STEP:
        *out = (double)scope->step_ms / 1000;
        return STATUS_OK;
    case DURATION_RANGE:
        *out = (double)scope->range_ms / 1000;
        return STATUS_OK;
    case DURATION_NEGATE:
        TRY(compute(duration->right, scope, out, err));
        *out = -*out;
        return STATUS_OK;
    default:
        TRY(compute(duration->left, scope, &left, err));
        TRY(compute(duration->right, scope, &right, err));
        return combine(duration, left, right, out, err);
    }
}

/* Nothing when `duration` is NULL: the literal stands. */
static enum status resolve(const struct duration *duration, bool may_be_negative,
                           const struct duration_scope *scope, int64_t *out_ms, struct error *err)
{
    double seconds;
    if (duration == NULL)
        return STATUS_OK;
    TRY(compute(duration, scope, &seconds, err));
    if (!isfinite(seconds))
        return fail_at(duration, "duration is NaN or infinite", err);
    if (seconds <= 0 && !may_be_negative)
        return fail_at(duration, "duration must be greater than 0", err);
    if (fabs(seconds) > SECONDS_MAX)
        return fail_at(duration, "duration is out of range", err);
    *out_ms = (int64_t)(seconds * 1000);
    return STATUS_OK;
}

static enum status resolve_time(struct time_modifier *time, const struct duration_scope *scope,
                                struct error *err)
{
    return resolve(time->offset, true, scope, &time->offset_ms, err);
}

static enum status resolve_subquery(struct expr *expr, const struct duration_scope *scope,
                                    struct error *err)
{
    TRY(resolve_time(&expr->subquery.time, scope, err));
    TRY(resolve(expr->subquery.step, false, scope, &expr->subquery.step_ms, err));
    TRY(resolve(expr->subquery.range, false, scope, &expr->subquery.range_ms, err));
    return durations_resolve(expr->subquery.inner, scope, err);
}

enum status durations_resolve(struct expr *expr, const struct duration_scope *scope,
                              struct error *err)
{
    switch (expr->kind) {
    case EXPR_NUMBER:
    case EXPR_STRING:
        return STATUS_OK;
    case EXPR_VECTOR_SELECTOR:
        return resolve_time(&expr->selector.time, scope, err);
    case EXPR_MATRIX_SELECTOR:
        TRY(resolve(expr->matrix.range, false, scope, &expr->matrix.range_ms, err));
        return durations_resolve(expr->matrix.selector, scope, err);
    case EXPR_SUBQUERY:
        return resolve_subquery(expr, scope, err);
    case EXPR_UNARY:
        return durations_resolve(expr->unary.inner, scope, err);
    case EXPR_PAREN:
        return durations_resolve(expr->paren, scope, err);
    case EXPR_BINARY:
        TRY(durations_resolve(expr->binary.left, scope, err));
        return durations_resolve(expr->binary.right, scope, err);
    case EXPR_CALL:
        for (size_t i = 0; i < expr->call.arg_count; i++)
            TRY(durations_resolve(expr->call.args[i], scope, err));
        return STATUS_OK;
    case EXPR_AGGREGATE:
        if (expr->aggregate.param != NULL)
            TRY(durations_resolve(expr->aggregate.param, scope, err));
        return durations_resolve(expr->aggregate.inner, scope, err);
    }
    return STATUS_OK;
}
