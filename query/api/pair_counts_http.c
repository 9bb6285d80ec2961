#include "query/api/pair_counts_http.h"

#include <stdlib.h>

#include "base/mem.h"

enum { YIELD_EVERY = 4096 };

static int compare_pairs(const void *left, const void *right)
{
    const struct label_count *a = left, *b = right;
    int order = str_compare(a->label.name, b->label.name);
    return order != 0 ? order : str_compare(a->label.value, b->label.value);
}

/* Sorts, and makes one of equal pairs. */
static void merge(struct pair_counts *counts)
{
    size_t kept = 0;
    if (counts->count > 0)
        qsort(counts->ptr, counts->count, sizeof *counts->ptr, compare_pairs);
    for (size_t i = 0; i < counts->count; i++) {
        if (kept > 0 && compare_pairs(&counts->ptr[kept - 1], &counts->ptr[i]) == 0)
            counts->ptr[kept - 1].series_count += counts->ptr[i].series_count;
        else
            counts->ptr[kept++] = counts->ptr[i];
    }
    counts->count = kept;
}

static enum status grow(struct pair_counts *counts, struct error *err)
{
    size_t want = 2 * counts->count + 1, before = counts->capacity;
    if (want <= before)
        return STATUS_OK;
    /* mem_grow doubles */
    TRY(charge_take(counts->charge, (2 * want - before) * sizeof *counts->ptr, err));
    counts->ptr = mem_grow(counts->ptr, &counts->capacity, want, sizeof *counts->ptr);
    counts->charged_bytes += (2 * want - before) * sizeof *counts->ptr;
    return STATUS_OK;
}

static enum status add(struct pair_counts *counts, struct label_count pair, struct error *err)
{
    /* merged when the array would grow: so it is at most four times as large as the result */
    if (counts->count == counts->capacity) {
        merge(counts);
        if (counts->count > PAIR_COUNTS_MAX)
            return error_set(err, STATUS_LIMIT, "cardinality: more than %d label pairs",
                             PAIR_COUNTS_MAX);
        TRY(grow(counts, err));
    }
    counts->ptr[counts->count++] = pair;
    return STATUS_OK;
}

/* ---- from the indexes ---- */

/* As a read over several tenants shows it: the tenant label is the tenant's, another one of that
   name is called original_... (select.h). */
static enum status add_federated(struct pair_counts *counts, const struct label_count_list *list,
                                 struct label own, struct error *err)
{
    struct str original = arena_format(&counts->arena, "original_%.*s", STR_ARG(own.name));
    for (size_t i = 0; i < list->count; i++) {
        struct label_count pair = list->ptr[i];
        if (str_eq(pair.label.name, own.name)) {
            if (str_eq(pair.label.value, own.value))
                continue;
            pair.label.name = original;
        }
        TRY(add(counts, pair, err));
    }
    return STATUS_OK;
}

static enum status add_tenant(struct pair_counts *counts, struct api_call *call,
                              const struct tenant *tenant, bool wants_extent, struct error *err)
{
    struct store *store = call->api->engine->store;
    struct label own = {store_tenant_label(store), tenant_shown(tenant)};
    struct label_count_list list;
    struct tenant_usage usage;
    TRY(api_yield(call, err));
    store_tenant_usage(store, tenant, &usage);
    store_label_counts(store, tenant, &counts->arena, &list);
    counts->series_count += usage.series;
    if (wants_extent)
        TRY(store_add_extent(store, tenant, &counts->arena, &counts->extent, err));
    if (scope_is_federated(&call->scope)) {
        TRY(add_federated(counts, &list, own, err));
        bool shows = own.value.len > 0 && usage.series > 0;
        return shows ? add(counts, (struct label_count){own, usage.series}, err) : STATUS_OK;
    }
    for (size_t i = 0; i < list.count; i++)
        TRY(add(counts, list.ptr[i], err));
    return STATUS_OK;
}

static enum status add_from_indexes(struct pair_counts *counts, struct api_call *call,
                                    bool wants_extent, struct error *err)
{
    struct tenant_table *tenants = store_tenants(call->api->engine->store);
    const struct scope *scope = &call->scope;
    size_t count = scope->is_all ? tenant_table_count(tenants) : scope->tenant_count;
    for (size_t i = 0; i < count; i++) {
        const struct tenant *tenant =
            scope->is_all ? tenant_table_at(tenants, i)
                          : tenant_table_find(tenants, tenant_id_str(&scope->tenants[i]));
        if (tenant != NULL)
            TRY(add_tenant(counts, call, tenant, wants_extent, err));
    }
    return STATUS_OK;
}

/* ---- from series ---- */

static enum status add_from_series(struct pair_counts *counts, struct api_call *call,
                                   const struct pair_query *query, struct error *err)
{
    struct select_options options = api_select_options(call, query->selector);
    options.source = query->source;
    TRY(select_open(call->api->engine->store, &options, &counts->selection, err));
    counts->series_count = select_count(counts->selection);
    for (size_t i = 0; i < counts->series_count; i++) {
        struct labels labels = select_labels(counts->selection, i);
        if (i % YIELD_EVERY == 0)
            TRY(api_yield(call, err));
        for (size_t k = 0; k < labels.count; k++)
            TRY(add(counts, (struct label_count){labels.ptr[k], 1}, err));
    }
    return STATUS_OK;
}

enum status pair_counts_find(struct pair_counts *out, struct api_call *call,
                             const struct pair_query *query, struct error *err)
{
    bool is_in_index = query->selector == NULL && query->source == SELECT_IN_MEMORY;
    *out = (struct pair_counts){.charge = call->charge, .extent = HEAD_EXTENT_NONE};
    arena_init(&out->arena, SIZE_MAX);
    out->arena.charge = call->charge;
    enum status status = is_in_index ? add_from_indexes(out, call, query->wants_extent, err)
                                     : add_from_series(out, call, query, err);
    if (status != STATUS_OK)
        pair_counts_deinit(out);
    else
        merge(out);
    return status;
}

void pair_counts_deinit(struct pair_counts *counts)
{
    select_close(counts->selection);
    mem_free(counts->ptr);
    charge_give(counts->charge, counts->charged_bytes);
    arena_deinit(&counts->arena);
    *counts = (struct pair_counts){0};
}
