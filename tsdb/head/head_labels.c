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
