/*
 * info(vector, {selector}): adds labels of info metrics, by default target_info, to the series that
 * have the same instance and job.
 *
 * Which info series is current changes with time, so one series of the vector becomes as many
 * variants as it meets combinations of info series; each variant has its labels and says at which
 * steps it holds. Of several series of an info metric the one with the latest sample counts.
 */
#include "query/function/instant_functions.h"

#include "query/engine/label_edit.h"
#include "query/engine/operator.h"
#include "query/function/info_source.h"

struct variant {
    uint32_t base;
    const struct info_series **chosen; /* per metric; NULL for none */
    struct labels labels;
    bool *holds; /* per step */
};

struct info_operator {
    struct query_operator base; /* one series per variant */
    struct query_operator *vector;
    struct variant *variants;
};

struct variant_list {
    struct variant *ptr;
    size_t count;
    size_t capacity;
};

/* Adds the wanted labels of one info series; what the series has already, it keeps. */
static enum status add_labels(const struct info_source *source, struct labels base,
                              struct labels info, struct labels *labels, struct error *err)
{
    for (size_t i = 0; i < info.count; i++) {
        struct label label = info.ptr[i];
        if (str_eq(label.name, LABEL_METRIC_NAME) ||
            !info_label_is_wanted(source->selector, label.name) ||
            labels_get(base, label.name).len > 0)
            continue;
        struct str present = labels_get(*labels, label.name);
        if (present.len > 0 && !str_eq(present, label.value))
            return error_set(err, STATUS_LIMIT, "conflicting label: %.*s", STR_ARG(label.name));
        TRY(labels_with(source->eval, *labels, label, labels, err));
    }
    return STATUS_OK;
}

static bool has_info(const struct info_source *source, const struct info_series **chosen)
{
    for (size_t metric = 0; metric < source->metrics.count; metric++) {
        if (chosen[metric] != NULL)
            return true;
    }
    return false;
}

static enum status make_variant(const struct info_source *source, uint32_t base,
                                struct labels labels, const struct info_series **chosen,
                                struct variant *out, struct error *err)
{
    size_t metric_count = source->metrics.count;
    void *memory;
    *out = (struct variant){.base = base, .labels = labels};
    for (size_t metric = 0; metric < metric_count; metric++) {
        if (chosen[metric] != NULL)
            TRY(add_labels(source, labels, chosen[metric]->labels, &out->labels, err));
    }
    TRY(eval_alloc_array(source->eval, metric_count, sizeof(struct info_series *), &memory, err));
    out->chosen = memory;
    if (metric_count > 0)
        memcpy(out->chosen, chosen, metric_count * sizeof(struct info_series *));
    TRY(eval_alloc(source->eval, source->grid.count, &memory, err));
    memset(memory, 0, source->grid.count);
    out->holds = memory;
    return STATUS_OK;
}

static enum status append_variant(struct eval *eval, struct variant_list *list,
                                  struct variant variant, struct error *err)
{
    if (list->count == list->capacity) {
        size_t capacity = list->capacity == 0 ? 16 : 2 * list->capacity;
        void *memory;
        TRY(eval_alloc_array(eval, capacity, sizeof(struct variant), &memory, err));
        if (list->count > 0)
            memcpy(memory, list->ptr, list->count * sizeof(struct variant));
        list->ptr = memory;
        list->capacity = capacity;
    }
    list->ptr[list->count++] = variant;
    return STATUS_OK;
}

/* One series on its way to become variants. */
struct enrichment {
    const struct info_source *source;
    struct variant_list *list;
    size_t first;                      /* its first variant in the list */
    const struct info_series **chosen; /* at the step at hand */
    uint32_t base;
    uint32_t target; /* GROUP_NONE: to be left as it is */
    struct labels labels;
};

/* The variant with the info series chosen; new when they are chosen for the first time. */
static enum status find_variant(struct enrichment *enrichment, struct variant **out,
                                struct error *err)
{
    const struct info_source *source = enrichment->source;
    struct variant_list *list = enrichment->list;
    size_t size_bytes = source->metrics.count * sizeof(struct info_series *);
    for (size_t i = enrichment->first; i < list->count; i++) {
        *out = &list->ptr[i];
        if (size_bytes == 0 || memcmp((*out)->chosen, enrichment->chosen, size_bytes) == 0)
            return STATUS_OK;
    }
    struct variant variant;
    TRY(make_variant(source, enrichment->base, enrichment->labels, enrichment->chosen, &variant,
                     err));
    TRY(append_variant(source->eval, list, variant, err));
    *out = &list->ptr[list->count - 1];
    return STATUS_OK;
}

static enum status enrich_step(struct enrichment *enrichment, size_t step, struct error *err)
{
    const struct info_source *source = enrichment->source;
    bool is_enriched = enrichment->target != GROUP_NONE;
    if (is_enriched)
        TRY(info_source_choose(source, enrichment->target, step, enrichment->chosen, err));
    if (is_enriched && !has_info(source, enrichment->chosen) &&
        !info_may_be_missing(source->selector))
        return STATUS_OK;
    struct variant *variant;
    TRY(find_variant(enrichment, &variant, err));
    variant->holds[step] = true;
    return STATUS_OK;
}

static enum status enrich_series(struct enrichment *enrichment, struct error *err)
{
    const struct info_source *source = enrichment->source;
    enrichment->first = enrichment->list->count;
    for (size_t metric = 0; metric < source->metrics.count; metric++)
        enrichment->chosen[metric] = NULL;
    for (size_t step = 0; step < source->grid.count; step++)
        TRY(enrich_step(enrichment, step, err));
    return STATUS_OK;
}

static enum status enrich_all(const struct info_source *source, const struct query_operator *vector,
                              const uint32_t *targets, struct variant_list *list, struct error *err)
{
    void *memory;
    TRY(eval_alloc_array(source->eval, source->metrics.count, sizeof(struct info_series *), &memory,
                         err));
    for (uint32_t base = 0; base < vector->series_count; base++) {
        struct enrichment enrichment = {
            .source = source,
            .list = list,
            .chosen = memory,
            .base = base,
            .target = targets[base],
            .labels = vector->labels[base],
        };
        TRY(eval_check(source->eval, err));
        TRY(enrich_series(&enrichment, err));
    }
    return STATUS_OK;
}

/* ---- the operator ---- */

static enum status info_column(struct query_operator *op, size_t series, double *values,
                               struct error *err)
{
    const struct info_operator *self = (const struct info_operator *)op;
    const struct variant *variant = &self->variants[series];
    TRY(operator_column(self->vector, variant->base, values, err));
    for (size_t step = 0; step < op->grid.count; step++) {
        if (!variant->holds[step])
            values[step] = value_absent();
    }
    return STATUS_OK;
}

static void info_close(struct query_operator *op)
{
    operator_close(((struct info_operator *)op)->vector);
}

static enum status list_variants(struct info_source *source, const struct query_operator *vector,
                                 struct variant_list *list, struct error *err)
{
    uint32_t *targets;
    TRY(info_source_read(source, vector->labels, vector->series_count, &targets, err));
    return enrich_all(source, vector, targets, list, err);
}

/* `vector` is taken on success. */
static enum status open_variants(struct query_operator *vector, const struct variant_list *list,
                                 struct query_operator **out, struct error *err)
{
    void *memory;
    TRY(eval_alloc_array(vector->eval, list->count, sizeof(struct labels), &memory, err));
    struct labels *labels = memory;
    for (size_t i = 0; i < list->count; i++)
        labels[i] = list->ptr[i].labels;
    TRY(eval_alloc(vector->eval, sizeof(struct info_operator), &memory, err));
    struct info_operator *self = memory;
    *self = (struct info_operator){
        .base = {.eval = vector->eval,
                 .grid = vector->grid,
                 .type = VALUE_VECTOR,
                 .labels = labels,
                 .series_count = list->count,
                 .column = info_column,
                 .close = info_close},
        .vector = vector,
        .variants = list->ptr,
    };
    *out = &self->base;
    return STATUS_OK;
}

static enum status open_enriched(struct info_source *source, struct query_operator *vector,
                                 struct query_operator **out, struct error *err)
{
    struct variant_list list = {0};
    TRY(list_variants(source, vector, &list, err));
    return open_variants(vector, &list, out, err);
}

static enum status find_selector(const struct expr *call, const struct vector_selector **out,
                                 struct error *err)
{
    *out = NULL;
    if (call->call.arg_count < 2)
        return STATUS_OK;
    const struct expr *arg = call->call.args[1];
    while (arg->kind == EXPR_PAREN)
        arg = arg->paren;
    if (arg->kind != EXPR_VECTOR_SELECTOR)
        return error_set(err, STATUS_INVALID, "info: the second argument must be a selector");
    *out = &arg->selector;
    return STATUS_OK;
}

enum status open_info(struct eval *eval, const struct grid *grid, const struct expr *call,
                      struct query_operator **out, struct error *err)
{
    struct info_source source = {
        .eval = eval,
        .grid = *grid,
        .min_ts_ms = time_minus(grid_ts_ms(grid, 0), eval->lookback_ms - 1),
        .max_ts_ms = grid_ts_ms(grid, grid->count - 1),
    };
    struct query_operator *vector;
    TRY(find_selector(call, &source.selector, err));
    TRY(operator_open(eval, grid, call->call.args[0], &vector, err));
    enum status status = open_enriched(&source, vector, out, err);
    if (status != STATUS_OK) {
        operator_close(vector);
        return status;
    }
    status = operator_merge_equal(out, MERGE_STEPS, err);
    if (status != STATUS_OK)
        operator_close(*out);
    return status;
}
