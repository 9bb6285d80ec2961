#include "query/function/info_source.h"

#include "query/engine/label_edit.h"
#include "tsdb/store/select.h"

#define INFO_METRIC  STR("target_info")
#define INFO_SUFFIX  STR("_info")
#define INFO_PATTERN STR(".+_info")

/* No sample within the lookback. */
#define NO_TS INT64_MIN

enum { LABELS_TEXT_MAX = 4096 };

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
bool info_label_is_wanted(const struct vector_selector *selector, struct str label)
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

bool info_may_be_missing(const struct vector_selector *selector)
{
    for (size_t i = 0; selector != NULL && i < selector->matcher_count; i++) {
        if (!is_about_name(&selector->matchers[i]) && !selector->matchers[i].matches_empty)
            return false;
    }
    return true;
}

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

static enum status find_targets(struct info_source *source, const struct labels *labels,
                                size_t count, uint32_t **out, struct error *err)
{
    static const struct str identity[] = {{"instance", 8}, {"job", 3}};
    void *memory;
    TRY(grouping_init(&source->targets, source->eval, (struct label_filter){false, identity, 2},
                      count, err));
    TRY(eval_alloc_array(source->eval, count, sizeof(uint32_t), &memory, err));
    uint32_t *targets = memory;
    for (size_t i = 0; i < count; i++) {
        targets[i] = GROUP_NONE;
        if (!is_info_name(source->selector, labels_get(labels[i], LABEL_METRIC_NAME)))
            TRY(grouping_add(&source->targets, labels[i], &targets[i], err));
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

enum status info_source_read(struct info_source *source, const struct labels *labels, size_t count,
                             uint32_t **targets, struct error *err)
{
    TRY(find_targets(source, labels, count, targets, err));
    TRY(read_info_series(source, err));
    return index_by_target(source, err);
}

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

enum status info_source_choose(const struct info_source *source, uint32_t target, size_t step,
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
