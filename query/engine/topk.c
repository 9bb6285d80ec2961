/*
 * topk, bottomk and limitk: at every step some of the samples of each group, with their own labels.
 *
 * Every (group, step) has a heap of at most k picks, the one to give up first on top. When all
 * series have been seen the picks are put in order of series, so that a column is read in one go.
 */
#include "query/engine/aggregate.h"

#include <math.h>

#include "query/engine/label_edit.h"
#include "query/engine/scalar.h"
#include "query/engine/sweep.h"

/* As Prometheus: the largest double below 2^63, and -2^63. */
#define K_MAX 9223372036854774784.0
#define K_MIN (-9223372036854775808.0)

enum { K_TEXT_MAX = 64 };

struct pick {
    double value;
    uint32_t series; /* of the inner operator */
    uint32_t step;
};

struct heap {
    struct pick *picks;
    uint32_t count;
};

struct selection_of_k {
    struct aggregation *aggregation;
    const double *k;    /* per step; as given */
    double sign;        /* 1: the largest values stay; -1: the smallest; 0: those that came first */
    struct heap *heaps; /* step by step within group by group */
    uint32_t *sizes;    /* series of each group */
    size_t open_count;  /* heaps that have room */
};

/* The result: series and their picks. */
struct picked {
    struct query_operator base;
    struct pick *picks; /* by series, then by step */
    uint32_t *first;    /* picks of series s: first[s] to first[s + 1] - 1 */
};

/* Whether `a` goes before `b`: the worse value, and NaN before everything. */
static bool is_worse(double sign, double a, double b)
{
    if (isnan(a))
        return true;
    return sign < 0 ? a > b : a < b;
}

static void swap_picks(struct pick *a, struct pick *b)
{
    struct pick kept = *a;
    *a = *b;
    *b = kept;
}

static void heap_push(struct heap *heap, double sign, struct pick pick)
{
    uint32_t at = heap->count++;
    heap->picks[at] = pick;
    while (at > 0) {
        uint32_t parent = (at - 1) / 2;
        if (!is_worse(sign, heap->picks[at].value, heap->picks[parent].value))
            break;
        swap_picks(&heap->picks[at], &heap->picks[parent]);
        at = parent;
    }
}

static void heap_replace_top(struct heap *heap, double sign, struct pick pick)
{
    heap->picks[0] = pick;
    uint32_t at = 0;
    for (;;) {
        uint32_t child = 2 * at + 1;
        if (child >= heap->count)
            break;
        if (child + 1 < heap->count &&
            is_worse(sign, heap->picks[child + 1].value, heap->picks[child].value))
            child++;
        if (!is_worse(sign, heap->picks[child].value, heap->picks[at].value))
            break;
        swap_picks(&heap->picks[child], &heap->picks[at]);
        at = child;
    }
}

static void offer(struct heap *heap, double sign, uint32_t k, struct pick pick)
{
    if (heap->count < k) {
        heap_push(heap, sign, pick);
        return;
    }
    double worst = heap->picks[0].value;
    bool is_better = sign > 0 ? worst < pick.value : worst > pick.value;
    if (sign != 0 && (is_better || (isnan(worst) && !isnan(pick.value))))
        heap_replace_top(heap, sign, pick);
}

/* How many picks a group of `member_count` series can have at this step. */
static uint32_t k_at(const struct selection_of_k *selection, size_t step, size_t member_count)
{
    double k = selection->k[step];
    if (k < 1)
        return 0;
    return k >= (double)member_count ? (uint32_t)member_count : (uint32_t)k;
}

static enum status fail_of_k(double k, const char *what, struct error *err)
{
    struct buffer text;
    buffer_init(&text, K_TEXT_MAX);
    append_go_g(&text, k);
    error_set(err, STATUS_LIMIT, "Scalar value %.*s %s int64", STR_ARG(buffer_str(&text)), what);
    buffer_deinit(&text);
    return STATUS_LIMIT;
}

static enum status check_k(struct scalar_extremes k, struct error *err)
{
    if (isnan(k.max))
        return error_set(err, STATUS_LIMIT, "Parameter value is NaN");
    if (k.min <= K_MIN)
        return fail_of_k(k.min, "underflows", err);
    if (k.max >= K_MAX)
        return fail_of_k(k.max, "overflows", err);
    return STATUS_OK;
}

static enum status count_group_sizes(const struct aggregation *aggregation, uint32_t **sizes,
                                     struct error *err)
{
    void *memory;
    TRY(eval_alloc_array(aggregation->eval, aggregation->group_count, sizeof **sizes, &memory,
                         err));
    *sizes = memory;
    for (size_t group = 0; group < aggregation->group_count; group++)
        (*sizes)[group] = 0;
    for (size_t series = 0; series < aggregation->inner->series_count; series++)
        (*sizes)[aggregation->groups[series]]++;
    return STATUS_OK;
}

static enum status make_heaps(struct selection_of_k *selection, const uint32_t *sizes,
                              struct error *err)
{
    const struct aggregation *aggregation = selection->aggregation;
    size_t step_count = aggregation->grid.count;
    void *memory;
    TRY(eval_alloc_array(aggregation->eval, aggregation->group_count,
                         step_count * sizeof(struct heap), &memory, err));
    selection->heaps = memory;
    for (size_t group = 0; group < aggregation->group_count; group++) {
        for (size_t step = 0; step < step_count; step++) {
            uint32_t k = k_at(selection, step, sizes[group]);
            TRY(eval_alloc_array(aggregation->eval, k, sizeof(struct pick), &memory, err));
            selection->open_count += k > 0;
            selection->heaps[group * step_count + step] = (struct heap){.picks = memory};
        }
    }
    return STATUS_OK;
}

static void offer_column(struct selection_of_k *selection, uint32_t series, uint32_t group_size,
                         const double *column)
{
    size_t step_count = selection->aggregation->grid.count;
    struct heap *heaps = selection->heaps + selection->aggregation->groups[series] * step_count;
    for (size_t step = 0; step < step_count; step++) {
        uint32_t k = k_at(selection, step, group_size);
        if (k == 0 || value_is_absent(column[step]))
            continue;
        selection->open_count -= heaps[step].count + 1 == k;
        offer(&heaps[step], selection->sign, k,
              (struct pick){column[step], series, (uint32_t)step});
    }
}

static enum status use_column(void *context, size_t series, const double *column, struct error *err)
{
    (void)err;
    struct selection_of_k *selection = context;
    uint32_t group = selection->aggregation->groups[series];
    offer_column(selection, (uint32_t)series, selection->sizes[group], column);
    return STATUS_OK;
}

/* limitk is done when every heap is full, and then reads no further. */
static enum status offer_first(struct selection_of_k *selection, struct error *err)
{
    struct query_operator *inner = selection->aggregation->inner;
    void *column;
    TRY(eval_alloc_array(inner->eval, inner->grid.count, sizeof(double), &column, err));
    for (size_t series = 0; series < inner->series_count && selection->open_count > 0; series++) {
        TRY(eval_check(inner->eval, err));
        TRY(operator_column(inner, series, column, err));
        TRY(use_column(selection, series, column, err));
    }
    return STATUS_OK;
}

static enum status offer_all(struct selection_of_k *selection, struct error *err)
{
    const struct aggregation *aggregation = selection->aggregation;
    TRY(count_group_sizes(aggregation, &selection->sizes, err));
    TRY(make_heaps(selection, selection->sizes, err));
    if (selection->sign == 0)
        return offer_first(selection, err);
    struct sweep sweep = {.op = aggregation->inner, .use = use_column, .context = selection};
    return sweep_columns(&sweep, err);
}

/* Merges the sorted runs [start, middle) and [middle, end) of `from`; of equals the left goes
   first, of NaNs the right: so does Go's sort of a dozen with an order in which NaN is worse than
   NaN. */
static void merge_runs(const struct pick *from, size_t start, size_t middle, size_t end,
                       double sign, struct pick *to)
{
    size_t left = start;
    size_t right = middle;
    for (size_t at = start; at < end; at++) {
        bool takes_right =
            left == middle || (right < end && is_worse(sign, from[left].value, from[right].value));
        to[at] = takes_right ? from[right++] : from[left++];
    }
}

static size_t at_most(size_t value, size_t max)
{
    return value < max ? value : max;
}

/* Best first; equal values stay as they lie, so qsort will not do. */
static enum status sort_heap(struct eval *eval, struct heap *heap, double sign, struct error *err)
{
    void *memory;
    TRY(eval_alloc_array(eval, heap->count, sizeof(struct pick), &memory, err));
    struct pick *from = heap->picks;
    struct pick *to = memory;
    for (size_t run = 1; run < heap->count; run *= 2) {
        for (size_t start = 0; start < heap->count; start += 2 * run)
            merge_runs(from, start, at_most(start + run, heap->count),
                       at_most(start + 2 * run, heap->count), sign, to);
        struct pick *sorted = to;
        to = from;
        from = sorted;
    }
    heap->picks = from;
    return STATUS_OK;
}

/* Gives every picked series its place in the output, in the order in which it is met, and counts
   its picks in first[place + 1]. */
static uint32_t place_series(const struct selection_of_k *selection, uint32_t *places,
                             struct labels *labels, uint32_t *first)
{
    const struct aggregation *aggregation = selection->aggregation;
    uint32_t placed = 0;
    size_t heap_count = aggregation->group_count * aggregation->grid.count;
    for (size_t i = 0; i < heap_count; i++) {
        for (uint32_t at = 0; at < selection->heaps[i].count; at++) {
            uint32_t series = selection->heaps[i].picks[at].series;
            if (places[series] == GROUP_NONE) {
                labels[placed] = aggregation->inner->labels[series];
                places[series] = placed++;
            }
            first[places[series] + 1]++;
        }
    }
    for (uint32_t place = 0; place < placed; place++)
        first[place + 1] += first[place];
    return placed;
}

/* Puts the picks in order of series; within a series they come in order of steps, since the heaps
   of its group do. */
static enum status order_picks(const struct selection_of_k *selection, const uint32_t *places,
                               struct picked *picked, struct error *err)
{
    const struct aggregation *aggregation = selection->aggregation;
    size_t placed = picked->base.series_count;
    void *memory;
    TRY(eval_alloc_array(aggregation->eval, placed, sizeof(uint32_t), &memory, err));
    uint32_t *next = memory;
    for (size_t place = 0; place < placed; place++)
        next[place] = picked->first[place];
    TRY(eval_alloc_array(aggregation->eval, picked->first[placed], sizeof(struct pick), &memory,
                         err));
    picked->picks = memory;
    size_t heap_count = aggregation->group_count * aggregation->grid.count;
    for (size_t i = 0; i < heap_count; i++) {
        const struct heap *heap = &selection->heaps[i];
        for (uint32_t at = 0; at < heap->count; at++)
            picked->picks[next[places[heap->picks[at].series]]++] = heap->picks[at];
    }
    return STATUS_OK;
}

static enum status picked_column(struct query_operator *op, size_t series, double *values,
                                 struct error *err)
{
    (void)err;
    const struct picked *picked = (const struct picked *)op;
    for (size_t step = 0; step < op->grid.count; step++)
        values[step] = value_absent();
    for (uint32_t at = picked->first[series]; at < picked->first[series + 1]; at++)
        values[picked->picks[at].step] = picked->picks[at].value;
    return STATUS_OK;
}

static enum status open_picked(const struct selection_of_k *selection, struct query_operator **out,
                               struct error *err)
{
    const struct aggregation *aggregation = selection->aggregation;
    size_t series_count = aggregation->inner->series_count;
    void *memory;
    TRY(eval_alloc_array(aggregation->eval, series_count, sizeof(uint32_t), &memory, err));
    uint32_t *places = memory;
    memset(places, 0xff, series_count * sizeof *places);
    TRY(eval_alloc_array(aggregation->eval, series_count, sizeof(struct labels), &memory, err));
    struct labels *labels = memory;
    TRY(eval_alloc_array(aggregation->eval, series_count + 1, sizeof(uint32_t), &memory, err));
    uint32_t *first = memory;
    memset(first, 0, (series_count + 1) * sizeof *first);
    TRY(eval_alloc(aggregation->eval, sizeof(struct picked), &memory, err));
    struct picked *picked = memory;
    *picked = (struct picked){
        .base = {.eval = aggregation->eval,
                 .grid = aggregation->grid,
                 .type = VALUE_VECTOR,
                 .labels = labels,
                 .series_count = place_series(selection, places, labels, first),
                 .column = picked_column},
        .first = first,
    };
    for (size_t place = 0; place < picked->base.series_count; place++)
        TRY(labels_copy(aggregation->eval, labels[place], &labels[place], err));
    *out = &picked->base;
    return order_picks(selection, places, picked, err);
}

static double sign_of(enum aggregate_op op)
{
    if (op == AGGREGATE_TOPK)
        return 1;
    return op == AGGREGATE_BOTTOMK ? -1 : 0;
}

enum status picks_open(struct aggregation *aggregation, struct query_operator **out,
                       struct error *err)
{
    double *k;
    TRY(scalar_read(aggregation->eval, &aggregation->grid, aggregation->expr->aggregate.param, &k,
                    err));
    struct scalar_extremes extremes = scalar_extremes(k, aggregation->grid.count);
    if (extremes.max < 1)
        return aggregation_open_empty(aggregation, out, err);
    TRY(check_k(extremes, err));
    struct selection_of_k selection = {
        .aggregation = aggregation,
        .k = k,
        .sign = sign_of(aggregation->expr->aggregate.op),
    };
    TRY(offer_all(&selection, err));
    /* an instant query shows its answer in this order */
    if (aggregation->grid.count == 1 && selection.sign != 0) {
        for (size_t group = 0; group < aggregation->group_count; group++)
            TRY(sort_heap(aggregation->eval, &selection.heaps[group], selection.sign, err));
    }
    return open_picked(&selection, out, err);
}
