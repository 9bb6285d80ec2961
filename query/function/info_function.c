/*
 * info(vector, {selector}): adds labels of info metrics, by default target_info, to the series that
 * have the same instance and job.
 *
 * Which info series is current changes with time, so one series of the vector becomes as many
 * variants as it meets combinations of info series; each variant has its labels and says at which
 * steps it holds. Of several series of an info metric the one with the latest sample counts.
 */
#include "query/function/instant_functions.h"

#include "query/engine/grouping.h"
#include "query/engine/label_edit.h"
#include "query/engine/operator.h"
#include "tsdb/store/select.h"

#define INFO_METRIC  STR("target_info")
#define INFO_SUFFIX  STR("_info")
#define INFO_PATTERN STR(".+_info")

/* No sample within the lookback. */
#define NO_TS INT64_MIN

enum { LABELS_TEXT_MAX = 4096 };

struct info_series {
    struct labels labels;
    uint32_t metric; /* number of its metric name */
    uint32_t target; /* number of its instance and job */
    int64_t *ts_ms;  /* per step: time of the current sample, or NO_TS */
};

/* What info() looks up: everything but the vector. */
struct info_source {
    struct eval *eval;
    struct grid grid;
    int64_t min_ts_ms;                      /* inclusive: the lookback before the first step */
    int64_t max_ts_ms;                      /* inclusive */
    const struct vector_selector *selector; /* NULL without a second argument */
    struct grouping targets;                /* by instance and job, of the series to enrich */
    struct grouping metrics;                /* by metric name, of the info series */
    struct info_series *series;             /* ordered as they were found */
    size_t count;
    struct members of_target; /* the info series of each target */
};

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

/* --- what the selector says ------------------------------------------------------------------- */

static bool is_about_name(const struct matcher *matcher)
{
    return str_eq(matcher->name, LABEL_METRIC_NAME);
}

/* What the selector says of the name of an info metric. */
enum name_rule {
    NAME_IS_TARGET_INFO, /* nothing */
    NAME_ENDS_WITH_INFO, /* only what it is not: then it must match ".+_info" as well */
    NAME_IS_GIVEN,
};

static enum name_rule name_rule_of(const struct vector_selector *selector)
{
    enum name_rule rule = NAME_IS_TARGET_INFO;
    for (size_t i = 0; selector != NULL && i < selector->matcher_count; i++) {
        const struct matcher *matcher = &selector->matchers[i];
        if (!is_about_name(matcher))
            continue;
        if (matcher->op == MATCHER_EQ || matcher->op == MATCHER_RE)
            return NAME_IS_GIVEN;
        rule = NAME_ENDS_WITH_INFO;
    }
    return rule;
}

/* An info series itself is left as it is. */
static bool is_info_name(const struct vector_selector *selector, struct str name)
{
    enum name_rule rule = name_rule_of(selector);
    if (rule == NAME_IS_TARGET_INFO)
        return str_eq(name, INFO_METRIC);
    if (rule == NAME_ENDS_WITH_INFO &&
        (!str_ends_with(name, INFO_SUFFIX) || name.len == INFO_SUFFIX.len))
        return false;
    for (size_t i = 0; i < selector->matcher_count; i++) {
        if (is_about_name(&selector->matchers[i]) && !matcher_matches(&selector->matchers[i], name))
            return false;
    }
    return true;
}

/* Without matchers on labels all of an info series is taken, else only the labels they name. */
static bool is_wanted(const struct vector_selector *selector, struct str label)
{
    bool wants_all = true;
    for (size_t i = 0; selector != NULL && i < selector->matcher_count; i++) {
        if (str_eq(selector->matchers[i].name, label))
            return true;
        if (!is_about_name(&selector->matchers[i]))
            wants_all = false;
    }
    return wants_all;
}

/* Whether a series without any info shows. */
static bool may_lack_info(const struct vector_selector *selector)
{
    for (size_t i = 0; selector != NULL && i < selector->matcher_count; i++) {
        if (!is_about_name(&selector->matchers[i]) && !selector->matchers[i].matches_empty)
            return false;
    }
    return true;
}

/* --- info series --------------------------------------------------------------------------------
 */

/* Walks steps and samples side by side, as a selector does, but keeps times. */
static void find_current(const struct info_source *source, const struct columns *samples,
                         int64_t *ts_ms)
{
    size_t end = 0;
    for (size_t step = 0; step < source->grid.count; step++) {
        int64_t time_ms = grid_ts_ms(&source->grid, step);
        while (end < samples->count && samples->ts_ms[end] <= time_ms)
            end++;
        bool is_current = end > 0 && !sample_is_stale(samples->values[end - 1]) &&
                          samples->ts_ms[end - 1] > time_minus(time_ms, source->eval->lookback_ms);
        ts_ms[step] = is_current ? samples->ts_ms[end - 1] : NO_TS;
    }
}

static enum status add_info_series(struct info_source *source, struct selection *selection,
                                   size_t index, struct columns *samples, struct error *err)
{
    struct info_series *info = &source->series[source->count];
    struct labels labels = select_labels(selection, index);
    TRY(eval_check(source->eval, err));
    TRY(grouping_find(&source->targets, labels, &info->target, err));
    if (info->target == GROUP_NONE)
        return STATUS_OK;
    TRY(labels_copy(source->eval, labels, &info->labels, err));
    TRY(grouping_add(&source->metrics, info->labels, &info->metric, err));
    TRY(select_read(selection, index, source->min_ts_ms, source->max_ts_ms, samples, err));
    TRY(eval_charge_samples(source->eval, samples->count, err));
    void *memory;
    TRY(eval_alloc_array(source->eval, source->grid.count, sizeof(int64_t), &memory, err));
    info->ts_ms = memory;
    find_current(source, samples, info->ts_ms);
    source->count++;
    return STATUS_OK;
}

static enum status add_selection(struct info_source *source, struct selection *selection,
                                 struct columns *samples, struct error *err)
{
    static const struct str name = {"__name__", 8};
    size_t count = select_count(selection);
    void *memory;
    TRY(eval_alloc_array(source->eval, count, sizeof(struct info_series), &memory, err));
    source->series = memory;
    TRY(grouping_init(&source->metrics, source->eval, (struct label_filter){false, &name, 1}, count,
                      err));
    for (size_t i = 0; i < count; i++)
        TRY(add_info_series(source, selection, i, samples, err));
    return STATUS_OK;
}

static enum status read_selection(struct info_source *source, struct selection *selection,
                                  struct error *err)
{
    struct columns samples;
    columns_init(&samples);
    enum status status = add_selection(source, selection, &samples, err);
    columns_deinit(&samples);
    return status;
}

/* What is looked for: the matchers of the selector, borrowed, and perhaps one more. */
struct info_matchers {
    struct matcher *ptr;
    size_t count;
    bool has_own; /* the last one */
};

static enum status info_matchers_init(struct info_matchers *matchers,
                                      const struct info_source *source, struct error *err)
{
    const struct vector_selector *selector = source->selector;
    size_t given = selector == NULL ? 0 : selector->matcher_count;
    enum name_rule rule = name_rule_of(selector);
    bool is_named = rule == NAME_IS_TARGET_INFO;
    void *memory;
    *matchers = (struct info_matchers){0};
    TRY(eval_alloc_array(source->eval, given + 1, sizeof(struct matcher), &memory, err));
    matchers->ptr = memory;
    for (size_t i = 0; i < given; i++)
        matchers->ptr[matchers->count++] = selector->matchers[i];
    if (rule == NAME_IS_GIVEN)
        return STATUS_OK;
    TRY(matcher_init(&matchers->ptr[given], is_named ? MATCHER_EQ : MATCHER_RE, LABEL_METRIC_NAME,
                     is_named ? INFO_METRIC : INFO_PATTERN, source->eval->arena, err));
    matchers->has_own = true;
    matchers->count++;
    return STATUS_OK;
}

static void info_matchers_deinit(struct info_matchers *matchers)
{
    if (matchers->has_own)
        matcher_deinit(&matchers->ptr[matchers->count - 1]);
}

static enum status select_info_series(struct info_source *source,
                                      const struct info_matchers *matchers, struct error *err)
{
    struct selection *selection;
    struct vector_selector selector = {.matchers = matchers->ptr, .matcher_count = matchers->count};
    TRY(eval_select_open(source->eval, &selector, source->min_ts_ms, source->max_ts_ms, &selection,
                         err));
    enum status status = read_selection(source, selection, err);
    eval_select_close(source->eval, selection);
    return status;
}

static enum status read_info_series(struct info_source *source, struct error *err)
{
    struct info_matchers matchers;
    TRY(info_matchers_init(&matchers, source, err));
    enum status status = select_info_series(source, &matchers, err);
    info_matchers_deinit(&matchers);
    return status;
}

/* --- variants
 * ------------------------------------------------------------------------------------- */

struct variant_list {
    struct variant *ptr;
    size_t count;
    size_t capacity;
};

static enum status fail_of_duplicates(const struct info_series *kept,
                                      const struct info_series *found, size_t step,
                                      struct error *err)
{
    struct buffer text;
    buffer_init(&text, LABELS_TEXT_MAX);
    buffer_append_str(&text, STR("found duplicate series for info metric: existing "));
    labels_append_braced(&text, kept->labels);
    buffer_append_format(&text, " @ %lld, new ", (long long)kept->ts_ms[step]);
    labels_append_braced(&text, found->labels);
    buffer_append_format(&text, " @ %lld", (long long)found->ts_ms[step]);
    error_set(err, STATUS_LIMIT, "%.*s", STR_ARG(buffer_str(&text)));
    buffer_deinit(&text);
    return STATUS_LIMIT;
}

/* The current series of each info metric for a target at a step. */
static enum status choose(const struct info_source *source, uint32_t target, size_t step,
                          const struct info_series **chosen, struct error *err)
{
    for (size_t metric = 0; metric < source->metrics.count; metric++)
        chosen[metric] = NULL;
    const struct members *members = &source->of_target;
    for (uint32_t at = members->first[target]; at < members->first[target + 1]; at++) {
        const struct info_series *info = &source->series[members->series[at]];
        if (info->ts_ms[step] == NO_TS)
            continue;
        const struct info_series *kept = chosen[info->metric];
        if (kept != NULL && kept->ts_ms[step] == info->ts_ms[step])
            return fail_of_duplicates(kept, info, step, err);
        if (kept == NULL || kept->ts_ms[step] < info->ts_ms[step])
            chosen[info->metric] = info;
    }
    return STATUS_OK;
}

/* Adds the wanted labels of one info series; what the series has already, it keeps. */
static enum status add_labels(const struct info_source *source, struct labels base,
                              struct labels info, struct labels *labels, struct error *err)
{
    for (size_t i = 0; i < info.count; i++) {
        struct label label = info.ptr[i];
        if (str_eq(label.name, LABEL_METRIC_NAME) || !is_wanted(source->selector, label.name) ||
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
        TRY(choose(source, enrichment->target, step, enrichment->chosen, err));
    if (is_enriched && !has_info(source, enrichment->chosen) && !may_lack_info(source->selector))
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

/* --- the operator
 * --------------------------------------------------------------------------------- */

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

/* Numbers the targets of the series to enrich; GROUP_NONE for those to leave as they are. */
static enum status find_targets(struct info_source *source, const struct query_operator *vector,
                                uint32_t **out, struct error *err)
{
    static const struct str identity[] = {{"instance", 8}, {"job", 3}};
    void *memory;
    TRY(grouping_init(&source->targets, source->eval, (struct label_filter){false, identity, 2},
                      vector->series_count, err));
    TRY(eval_alloc_array(source->eval, vector->series_count, sizeof(uint32_t), &memory, err));
    uint32_t *targets = memory;
    for (size_t i = 0; i < vector->series_count; i++) {
        targets[i] = GROUP_NONE;
        if (!is_info_name(source->selector, labels_get(vector->labels[i], LABEL_METRIC_NAME)))
            TRY(grouping_add(&source->targets, vector->labels[i], &targets[i], err));
    }
    *out = targets;
    return STATUS_OK;
}

static enum status index_by_target(struct info_source *source, struct error *err)
{
    void *memory;
    TRY(eval_alloc_array(source->eval, source->count, sizeof(uint32_t), &memory, err));
    uint32_t *targets = memory;
    for (size_t i = 0; i < source->count; i++)
        targets[i] = source->series[i].target;
    return members_of(source->eval, targets, source->count, source->targets.count,
                      &source->of_target, err);
}

static enum status list_variants(struct info_source *source, const struct query_operator *vector,
                                 struct variant_list *list, struct error *err)
{
    uint32_t *targets;
    TRY(find_targets(source, vector, &targets, err));
    TRY(read_info_series(source, err));
    TRY(index_by_target(source, err));
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
