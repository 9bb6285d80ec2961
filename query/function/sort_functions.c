/*
 * sort and its kin. They order the answer of an instant query; a range query shows its series by
 * labels whatever this does, and says so.
 */
#include "query/function/instant_functions.h"

#include <math.h>
#include <stdlib.h>

#include "base/words.h"
#include "query/engine/label_edit.h"
#include "query/engine/operator.h"
#include "query/engine/text_arg.h"

struct row {
    const struct labels *labels;
    double value;
    const struct expr *call; /* names the labels to sort by */
    size_t position;         /* equal rows stay in order */
};

typedef int (*row_compare)(const void *a, const void *b);

static int compare_position(const struct row *a, const struct row *b)
{
    return a->position < b->position ? -1 : a->position > b->position;
}

/* NaN goes last either way, and the last NaN first: so does Go's sort of a dozen with an order in
   which NaN is less than NaN. */
static int compare_ascending(const void *a, const void *b)
{
    const struct row *left = a;
    const struct row *right = b;
    if (isnan(left->value) || isnan(right->value)) {
        int order = (isnan(left->value) != 0) - (isnan(right->value) != 0);
        return order != 0 ? order : compare_position(right, left);
    }
    if (left->value == right->value)
        return compare_position(left, right);
    return left->value < right->value ? -1 : 1;
}

static int compare_descending(const void *a, const void *b)
{
    const struct row *left = a;
    const struct row *right = b;
    if (isnan(left->value) || isnan(right->value) || left->value == right->value)
        return compare_ascending(a, b);
    return left->value > right->value ? -1 : 1;
}

/* ---- natural order: digits compare as numbers ---- */

/* The run of digits at `*at` without leading zeros; moves `*at` behind it. */
static struct str take_number(struct str text, size_t *at)
{
    while (text.ptr[*at] == '0' && *at + 1 < text.len && is_digit(text.ptr[*at + 1]))
        (*at)++;
    size_t start = *at;
    while (*at < text.len && is_digit(text.ptr[*at]))
        (*at)++;
    return str_slice(text, start, *at - start);
}

static int compare_numbers(struct str a, struct str b)
{
    if (a.len != b.len)
        return a.len < b.len ? -1 : 1;
    return str_compare(a, b);
}

static int compare_natural(struct str a, struct str b)
{
    size_t left = 0;
    size_t right = 0;
    while (left < a.len && right < b.len) {
        int order;
        if (is_digit(a.ptr[left]) && is_digit(b.ptr[right]))
            order = compare_numbers(take_number(a, &left), take_number(b, &right));
        else
            order = (unsigned char)a.ptr[left++] - (unsigned char)b.ptr[right++];
        if (order != 0)
            return order;
    }
    return (left < a.len) - (right < b.len);
}

static int compare_by_label(const void *a, const void *b)
{
    const struct row *left = a;
    const struct row *right = b;
    for (size_t arg = 1; arg < left->call->call.arg_count; arg++) {
        struct str name = text_arg(left->call, arg);
        int order =
            compare_natural(labels_get(*left->labels, name), labels_get(*right->labels, name));
        if (order != 0)
            return order;
    }
    return labels_compare(*left->labels, *right->labels);
}

static int compare_by_label_descending(const void *a, const void *b)
{
    return compare_by_label(b, a);
}

static enum status read_rows(struct query_operator *op, const struct expr *call, struct row *rows,
                             size_t *count, struct error *err)
{
    *count = 0;
    for (size_t series = 0; series < op->series_count; series++) {
        double value;
        TRY(eval_check(op->eval, err));
        TRY(operator_column(op, series, &value, err));
        if (!value_is_absent(value)) {
            rows[*count] = (struct row){&op->labels[series], value, call, *count};
            (*count)++;
        }
    }
    return STATUS_OK;
}

/* An operator of the rows that outlives the one they were read from. */
static enum status open_rows(struct eval *eval, const struct grid *grid, const struct row *rows,
                             size_t count, struct query_operator **out, struct error *err)
{
    void *memory;
    TRY(eval_alloc_array(eval, count, sizeof(struct labels), &memory, err));
    struct labels *labels = memory;
    TRY(eval_alloc_array(eval, count, sizeof(double), &memory, err));
    double *values = memory;
    for (size_t i = 0; i < count; i++) {
        TRY(labels_copy(eval, *rows[i].labels, &labels[i], err));
        values[i] = rows[i].value;
    }
    return operator_of_vector(eval, grid, (struct vector){labels, count, values}, out, err);
}

static enum status sort_rows(struct query_operator *op, const struct expr *call,
                             row_compare compare, struct query_operator **out, struct error *err)
{
    void *memory;
    size_t count;
    TRY(eval_alloc_array(op->eval, op->series_count, sizeof(struct row), &memory, err));
    TRY(read_rows(op, call, memory, &count, err));
    if (count > 1)
        qsort(memory, count, sizeof(struct row), compare);
    return open_rows(op->eval, &op->grid, memory, count, out, err);
}

static enum status open_sorted(struct eval *eval, const struct grid *grid, const struct expr *call,
                               row_compare compare, struct query_operator **out, struct error *err)
{
    struct query_operator *op;
    TRY(operator_open(eval, grid, call->call.args[0], &op, err));
    if (grid->count > 1) {
        eval_warn_at(eval, call, call,
                     "sort is ineffective for range queries since results are always ordered by "
                     "labels");
        *out = op;
        return STATUS_OK;
    }
    enum status status = sort_rows(op, call, compare, out, err);
    operator_close(op);
    return status;
}

enum status open_sort(struct eval *eval, const struct grid *grid, const struct expr *call,
                      struct query_operator **out, struct error *err)
{
    return open_sorted(eval, grid, call, compare_ascending, out, err);
}

enum status open_sort_desc(struct eval *eval, const struct grid *grid, const struct expr *call,
                           struct query_operator **out, struct error *err)
{
    return open_sorted(eval, grid, call, compare_descending, out, err);
}

enum status open_sort_by_label(struct eval *eval, const struct grid *grid, const struct expr *call,
                               struct query_operator **out, struct error *err)
{
    return open_sorted(eval, grid, call, compare_by_label, out, err);
}

enum status open_sort_by_label_desc(struct eval *eval, const struct grid *grid,
                                    const struct expr *call, struct query_operator **out,
                                    struct error *err)
{
    return open_sorted(eval, grid, call, compare_by_label_descending, out, err);
}
