#include "tsdb/store/deletions.h"

#include "base/mem.h"

/* ---- lists ---- */

struct deletions *deletions_new(void)
{
    struct deletions *list = mem_alloc_zeroed(1, sizeof *list);
    refcount_init(&list->references);
    arena_init(&list->arena, SIZE_MAX);
    return list;
}

void deletions_acquire(struct deletions *list)
{
    refcount_acquire(&list->references);
}

static void deinit_matchers(const struct deletion *deletion)
{
    for (size_t i = 0; i < deletion->matcher_count; i++)
        matcher_deinit((struct matcher *)&deletion->matchers[i]);
}

void deletions_release(struct deletions *list)
{
    if (list == NULL || !refcount_release(&list->references))
        return;
    for (size_t i = 0; i < list->count; i++)
        deinit_matchers(&list->ptr[i]);
    mem_free(list->ptr);
    arena_deinit(&list->arena);
    mem_free(list);
}

static enum status copy_matchers(struct deletions *list, const struct deletion *from,
                                 struct deletion *to, struct error *err)
{
    struct matcher *matchers = arena_alloc(&list->arena, from->matcher_count * sizeof *matchers);
    to->matchers = matchers;
    to->matcher_count = 0;
    for (size_t i = 0; i < from->matcher_count; i++) {
        const struct matcher *m = &from->matchers[i];
        TRY(matcher_init(&matchers[i], m->op, arena_copy(&list->arena, m->name),
                         arena_copy(&list->arena, m->value), &list->arena, err));
        to->matcher_count++;
    }
    return STATUS_OK;
}

static int compare_tenants(const struct deletion *a, const struct deletion *b)
{
    return str_compare(tenant_id_str(&a->tenant), tenant_id_str(&b->tenant));
}

enum status deletions_add(struct deletions *list, const struct deletion *deletion,
                          struct error *err)
{
    if (list->count >= DELETIONS_MAX)
        return error_set(
            err, STATUS_LIMIT,
            "deletions: %zu wait for their blocks to be written anew, want at most %d; "
            "clean_tombstones does that at once",
            list->count, DELETIONS_MAX);
    if (deletion->matcher_count > DELETION_MATCHERS_MAX)
        return error_set(err, STATUS_INVALID, "deletion: got %zu matchers, want at most %d",
                         deletion->matcher_count, DELETION_MATCHERS_MAX);
    struct deletion copy = *deletion;
    enum status status = copy_matchers(list, deletion, &copy, err);
    if (status != STATUS_OK) {
        deinit_matchers(&copy);
        return status;
    }
    list->ptr = mem_grow(list->ptr, &list->capacity, list->count + 1, sizeof *list->ptr);
    size_t at = list->count++;
    for (; at > 0 && compare_tenants(&list->ptr[at - 1], &copy) > 0; at--)
        list->ptr[at] = list->ptr[at - 1];
    list->ptr[at] = copy;
    return STATUS_OK;
}

/* ---- what they say ---- */

/* The position of the first one of the tenant, or of where it would be. */
static size_t first_of(const struct deletions *list, struct str tenant)
{
    size_t begin = 0, end = list->count;
    while (begin < end) {
        size_t middle = begin + (end - begin) / 2;
        if (str_compare(tenant_id_str(&list->ptr[middle].tenant), tenant) < 0)
            begin = middle + 1;
        else
            end = middle;
    }
    return begin;
}

static bool is_of(const struct deletions *list, size_t at, struct str tenant)
{
    return at < list->count && str_eq(tenant_id_str(&list->ptr[at].tenant), tenant);
}

bool deletions_concern(const struct deletions *list, uint64_t sequence, struct str tenant)
{
    for (size_t i = first_of(list, tenant); is_of(list, i, tenant); i++) {
        if (sequence <= list->ptr[i].last_sequence)
            return true;
    }
    return false;
}

static bool matches(const struct deletion *d, struct labels labels)
{
    for (size_t i = 0; i < d->matcher_count; i++) {
        if (!matcher_matches(&d->matchers[i], labels_get(labels, d->matchers[i].name)))
            return false;
    }
    return true;
}

struct span_list deletions_of_series(const struct deletions *list, uint64_t sequence,
                                     struct str tenant, struct labels labels, struct arena *arena)
{
    struct span *spans = NULL;
    size_t count = 0;
    for (size_t i = first_of(list, tenant); is_of(list, i, tenant); i++) {
        const struct deletion *d = &list->ptr[i];
        if (sequence > d->last_sequence || !matches(d, labels))
            continue;
        if (spans == NULL)
            spans = arena_alloc(arena, (list->count - i) * sizeof *spans);
        count = spans_add(spans, count, (struct span){d->min_ts_ms, d->max_ts_ms});
    }
    return (struct span_list){spans, count};
}

static enum status find_touched(const struct deletion *d, struct block *block, size_t tenant,
                                struct arena *scratch, bool *touches, struct error *err)
{
    struct matchers matchers = {d->matchers, d->matcher_count};
    struct series_list series;
    *touches = false;
    TRY(block_select(block, tenant, matchers, scratch, &series, err));
    for (size_t i = 0; i < series.count && !*touches; i++) {
        int64_t min_ts_ms, max_ts_ms;
        TRY(block_time_range(block, tenant, series.ptr[i], &min_ts_ms, &max_ts_ms, err));
        *touches = min_ts_ms <= d->max_ts_ms && d->min_ts_ms <= max_ts_ms;
    }
    return STATUS_OK;
}

bool deletion_touches(const struct deletion *d, struct block *block, struct arena *scratch)
{
    const struct block_meta *meta = block_meta(block);
    size_t tenant;
    bool touches;
    struct error err;
    arena_reset(scratch);
    if (meta->sequence > d->last_sequence || meta->max_ts_ms < d->min_ts_ms ||
        d->max_ts_ms < meta->min_ts_ms)
        return false;
    enum status status = block_find_tenant(block, tenant_id_str(&d->tenant), &tenant, &err);
    if (status == STATUS_NOT_FOUND)
        return false;
    if (status == STATUS_OK)
        status = find_touched(d, block, tenant, scratch, &touches, &err);
    return status != STATUS_OK || touches;
}
