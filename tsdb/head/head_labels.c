#include "tsdb/head/head_impl.h"

/* NULL when the head has no series of the tenant. */
static const struct tenant_index *find_index(const struct head *head, const struct tenant *tenant)
{
    return tenant->number < head->tenant_capacity ? head->tenants[tenant->number] : NULL;
}

void head_label_names(const struct head *head, const struct tenant *tenant, struct arena *arena,
                      struct str **out, size_t *count)
{
    const struct tenant_index *index = find_index(head, tenant);
    size_t name_count = index == NULL ? 0 : symbols_count(index->names);
    *out = arena_alloc(arena, name_count * sizeof **out);
    *count = 0;
    for (size_t name = 0; name < name_count; name++) {
        if (index->by_name[name].count > 0)
            (*out)[(*count)++] = symbols_texts(index->names)[name];
    }
}

void head_label_values(const struct head *head, const struct tenant *tenant, struct str name,
                       struct arena *arena, struct str **out, size_t *count)
{
    const struct tenant_index *index = find_index(head, tenant);
    uint32_t number;
    *out = NULL;
    *count = 0;
    if (index == NULL || !tenant_index_find_name(index, name, &number))
        return;
    const struct indexed_name *indexed = &index->by_name[number];
    *out = arena_alloc(arena, indexed->count * sizeof **out);
    for (size_t i = 0; i < indexed->count; i++)
        (*out)[i] = tenant_index_label(index, indexed->pairs[i]).value;
    *count = indexed->count;
}

size_t head_label_series_count(const struct head *head, const struct tenant *tenant,
                               struct label label)
{
    const struct tenant_index *index = find_index(head, tenant);
    const struct postings *series = index == NULL ? NULL : tenant_index_find(index, label);
    return series == NULL ? 0 : postings_count(series);
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
    const struct tenant_index *index = find_index(head, tenant);
    *out = (struct tenant_usage){0};
    if (index == NULL)
        return;
    out->series = postings_count(&index->all_series);
    out->metric_series_max = largest_metric(index);
    for (size_t name = 0; name < symbols_count(index->names); name++) {
        uint64_t values = index->by_name[name].count;
        out->label_names += values > 0;
        out->label_pairs += values;
        if (values > out->label_values_max)
            out->label_values_max = values;
    }
}

void head_label_counts(const struct head *head, const struct tenant *tenant, struct arena *arena,
                       struct label_count_list *out)
{
    const struct tenant_index *index = find_index(head, tenant);
    size_t total = 0;
    *out = (struct label_count_list){0};
    if (index == NULL)
        return;
    for (size_t name = 0; name < symbols_count(index->names); name++)
        total += index->by_name[name].count;
    out->ptr = arena_alloc(arena, total * sizeof *out->ptr);
    for (size_t name = 0; name < symbols_count(index->names); name++) {
        const struct indexed_name *indexed = &index->by_name[name];
        for (size_t i = 0; i < indexed->count; i++) {
            struct label label = tenant_index_label(index, indexed->pairs[i]);
            out->ptr[out->count++] = (struct label_count){
                {arena_copy(arena, label.name), arena_copy(arena, label.value)},
                postings_count(&index->by_pair[indexed->pairs[i]].series)};
        }
    }
}
