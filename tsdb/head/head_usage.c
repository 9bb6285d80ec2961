/*
 * What a tenant has in the head: for its limits, and for those who watch it.
 */
#include "tsdb/head/head_impl.h"

size_t head_label_series_count(struct head *head, const struct tenant *tenant, struct label label)
{
    struct tenant_index *index = head_index(head, tenant);
    return index == NULL ? 0 : tenant_index_series_count(index, label);
}

bool head_new_label_value(struct head *head, const struct tenant *tenant, struct labels labels,
                          size_t *value_count)
{
    struct tenant_index *index = head_index(head, tenant);
    *value_count = 0;
    return index == NULL || tenant_index_grows(index, labels, value_count);
}

uint64_t head_charged_bytes(struct head *head, const struct tenant *tenant)
{
    const struct tenant_index *index = head_index(head, tenant);
    return index == NULL ? 0 : index->charged_bytes;
}

uint64_t head_series_charge(struct head *head, const struct tenant *tenant, struct labels labels)
{
    return tenant_index_charge(head_index(head, tenant), labels);
}

static uint64_t largest_metric(const struct tenant_index *index)
{
    uint64_t largest = 0;
    uint32_t name;
    if (!tenant_index_find_name(index, LABEL_METRIC_NAME, &name))
        return 0;
    const struct indexed_name *metrics = &index->by_name[name];
    for (size_t i = 0; i < metrics->count; i++) {
        uint64_t count = postings_count(&index->by_pair[metrics->pairs[i]].series);
        largest = count > largest ? count : largest;
    }
    return largest;
}

void head_tenant_usage(const struct head *head, const struct tenant *tenant,
                       struct tenant_usage *out)
{
    const struct tenant_index *index = head_index(head, tenant);
    *out = (struct tenant_usage){0};
    if (index == NULL)
        return;
    out->series = postings_count(&index->all_series);
    out->metric_series_max = largest_metric(index);
    out->charged_bytes = index->charged_bytes;
    for (size_t name = 0; name < symbols_count(index->names); name++) {
        uint64_t values = index->by_name[name].count;
        out->label_names += values > 0;
        out->label_pairs += values;
        if (values > out->label_values_max)
            out->label_values_max = values;
    }
}

static uint64_t count_chunks(const struct head *head, const struct series_samples *samples)
{
    uint64_t count = samples->open.count > 0;
    uint32_t ref = samples->chunks;
    const struct late *late = series_samples_late(head, samples);
    count += late != NULL && late->run_count > 0;
    if (ref == CHUNK_REF_NONE)
        return count;
    do {
        count++;
        ref = chunk_pool_at(&head->chunks, ref)->next;
    } while (ref != samples->chunks);
    return count;
}

void head_add_extent(const struct head *head, const struct tenant *tenant, struct series_ref ref,
                     struct head_extent *out)
{
    const struct series *series = slab_at(&head->series, ref.value);
    const struct flushing_series *flushing = head_flushing(head, ref);
    int64_t min_ts_ms, max_ts_ms;
    if (!series->is_used || series->tenant_number != tenant->number)
        return;
    head_time_range(head, ref, &min_ts_ms, &max_ts_ms);
    out->min_ts_ms = min_ts_ms < out->min_ts_ms ? min_ts_ms : out->min_ts_ms;
    out->max_ts_ms = max_ts_ms > out->max_ts_ms ? max_ts_ms : out->max_ts_ms;
    out->chunks += count_chunks(head, &series->samples);
    if (flushing != NULL)
        out->chunks += count_chunks(head, &flushing->samples);
}

/* Keeps `list` (of `count`, at most `max`) sorted, the largest first. */
static void keep_top(struct top_text *list, size_t *count, size_t max, struct top_text entry)
{
    if (*count == max && list[max - 1].count >= entry.count)
        return;
    size_t at = *count < max ? (*count)++ : max - 1;
    for (; at > 0 && list[at - 1].count < entry.count; at--)
        list[at] = list[at - 1];
    list[at] = entry;
}

static void find_top_metrics(const struct tenant_index *index, struct tenant_tops *out)
{
    uint32_t name;
    if (!tenant_index_find_name(index, LABEL_METRIC_NAME, &name))
        return;
    const struct indexed_name *metrics = &index->by_name[name];
    for (size_t i = 0; i < metrics->count; i++) {
        struct str text = tenant_index_label(index, metrics->pairs[i]).value;
        uint64_t count = postings_count(&index->by_pair[metrics->pairs[i]].series);
        keep_top(out->metrics, &out->metric_count, TENANT_TOP_METRICS_MAX,
                 (struct top_text){text, count});
    }
}

static void copy_texts(struct top_text *list, size_t count, struct arena *arena)
{
    for (size_t i = 0; i < count; i++)
        list[i].text = arena_copy(arena, list[i].text);
}

void head_tenant_tops(const struct head *head, const struct tenant *tenant, struct arena *arena,
                      struct tenant_tops *out)
{
    const struct tenant_index *index = head_index(head, tenant);
    out->metric_count = out->name_count = 0;
    if (index == NULL)
        return;
    find_top_metrics(index, out);
    for (size_t name = 0; name < symbols_count(index->names); name++) {
        struct top_text entry = {symbols_texts(index->names)[name], index->by_name[name].count};
        if (entry.count > 0)
            keep_top(out->names, &out->name_count, TENANT_TOP_NAMES_MAX, entry);
    }
    copy_texts(out->metrics, out->metric_count, arena);
    copy_texts(out->names, out->name_count, arena);
}
