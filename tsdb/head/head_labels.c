#include "tsdb/head/head_impl.h"

enum status head_label_names(const struct head *head, const struct tenant *tenant,
                             struct arena *arena, struct str_list *out, struct error *err)
{
    const struct tenant_index *index = head_index(head, tenant);
    size_t name_count = index == NULL ? 0 : symbols_count(index->names);
    *out = (struct str_list){.ptr = arena_try_alloc(arena, name_count * sizeof *out->ptr)};
    if (out->ptr == NULL)
        return arena_refusal(arena, err);
    for (size_t name = 0; name < name_count; name++) {
        if (index->by_name[name].count > 0)
            out->ptr[out->count++] = symbols_texts(index->names)[name];
    }
    return STATUS_OK;
}

enum status head_label_values(const struct head *head, const struct tenant *tenant, struct str name,
                              struct arena *arena, struct str_list *out, struct error *err)
{
    const struct tenant_index *index = head_index(head, tenant);
    uint32_t number;
    *out = (struct str_list){0};
    if (index == NULL || !tenant_index_find_name(index, name, &number))
        return STATUS_OK;
    const struct indexed_name *indexed = &index->by_name[number];
    out->ptr = arena_try_alloc(arena, indexed->count * sizeof *out->ptr);
    if (out->ptr == NULL)
        return arena_refusal(arena, err);
    for (size_t i = 0; i < indexed->count; i++)
        out->ptr[i] = tenant_index_label(index, indexed->pairs[i]).value;
    out->count = indexed->count;
    return STATUS_OK;
}

/* One flag for each of `count`, none of them set. */
static enum status flags_init(bool **out, size_t count, struct arena *arena, struct error *err)
{
    *out = arena_try_alloc(arena, count);
    if (*out == NULL)
        return arena_refusal(arena, err);
    if (count > 0)
        memset(*out, 0, count);
    return STATUS_OK;
}

enum status head_label_names_of(const struct head *head, const struct tenant *tenant,
                                struct ref_list refs, struct arena *arena, struct str_list *out,
                                struct error *err)
{
    const struct tenant_index *index = head_index(head, tenant);
    size_t name_count = index == NULL ? 0 : symbols_count(index->names);
    bool *is_listed;
    *out = (struct str_list){.ptr = arena_try_alloc(arena, name_count * sizeof *out->ptr)};
    if (out->ptr == NULL)
        return arena_refusal(arena, err);
    TRY(flags_init(&is_listed, name_count, arena, err));
    for (size_t i = 0; i < refs.count; i++) {
        const struct series *series = head_series(head, refs.ptr[i]);
        const uint32_t *pairs = series_pairs(head, series);
        for (size_t k = 0; k < series->pair_count; k++) {
            uint32_t name = index->by_pair[pairs[k]].name;
            if (!is_listed[name])
                out->ptr[out->count++] = symbols_texts(index->names)[name];
            is_listed[name] = true;
        }
    }
    return STATUS_OK;
}

/* The pair of the series that has the name; UINT32_MAX when it has none. */
static uint32_t pair_of(const struct head *head, const struct tenant_index *index,
                        struct series_ref ref, uint32_t name)
{
    const struct series *series = head_series(head, ref);
    const uint32_t *pairs = series_pairs(head, series);
    for (size_t i = 0; i < series->pair_count; i++) {
        if (index->by_pair[pairs[i]].name == name)
            return pairs[i];
    }
    return UINT32_MAX;
}

enum status head_label_values_of(const struct head *head, const struct tenant *tenant,
                                 struct ref_list refs, struct str name, struct arena *arena,
                                 struct str_list *out, struct error *err)
{
    const struct tenant_index *index = head_index(head, tenant);
    uint32_t number;
    *out = (struct str_list){0};
    if (index == NULL || !tenant_index_find_name(index, name, &number))
        return STATUS_OK;
    const struct indexed_name *indexed = &index->by_name[number];
    bool *is_listed; /* by the place of the pair in the list of the name */
    out->ptr = arena_try_alloc(arena, indexed->count * sizeof *out->ptr);
    if (out->ptr == NULL)
        return arena_refusal(arena, err);
    TRY(flags_init(&is_listed, indexed->count, arena, err));
    for (size_t i = 0; i < refs.count && out->count < indexed->count; i++) {
        uint32_t pair = pair_of(head, index, refs.ptr[i], number);
        if (pair == UINT32_MAX || is_listed[index->by_pair[pair].place])
            continue;
        is_listed[index->by_pair[pair].place] = true;
        out->ptr[out->count++] = tenant_index_label(index, pair).value;
    }
    return STATUS_OK;
}

void head_label_counts(const struct head *head, const struct tenant *tenant, struct arena *arena,
                       struct label_count_list *out)
{
    const struct tenant_index *index = head_index(head, tenant);
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
