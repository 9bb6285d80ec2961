#include "tests/support/naive_select.h"

#include <stdlib.h>

#include "base/arena.h"
#include "base/check.h"
#include "base/mem.h"

struct naive_series {
    struct labels labels;
    struct columns columns;
};

struct store {
    struct arena arena; /* label text */
    struct naive_series **series;
    size_t count;
    size_t capacity;
};

struct selection {
    const struct naive_series **series;
    size_t count;
    size_t capacity;
};

struct store *naive_store_new(void)
{
    struct store *store = mem_alloc_zeroed(1, sizeof *store);
    arena_init(&store->arena, SIZE_MAX);
    return store;
}

void naive_store_reset(struct store *store)
{
    for (size_t i = 0; i < store->count; i++) {
        columns_deinit(&store->series[i]->columns);
        mem_free(store->series[i]);
    }
    store->count = 0;
    arena_reset(&store->arena);
}

void naive_store_free(struct store *store)
{
    if (store == NULL)
        return;
    naive_store_reset(store);
    mem_free(store->series);
    arena_deinit(&store->arena);
    mem_free(store);
}

static struct labels clone_labels(struct labels labels, struct arena *arena)
{
    struct label *copy = arena_alloc(arena, labels.count * sizeof *copy);
    for (size_t i = 0; i < labels.count; i++) {
        copy[i].name = arena_copy(arena, labels.ptr[i].name);
        copy[i].value = arena_copy(arena, labels.ptr[i].value);
    }
    return (struct labels){copy, labels.count};
}

static struct naive_series *find_or_add(struct store *store, struct labels labels)
{
    for (size_t i = 0; i < store->count; i++) {
        if (labels_eq(store->series[i]->labels, labels))
            return store->series[i];
    }
    struct naive_series *series = mem_alloc_zeroed(1, sizeof *series);
    series->labels = clone_labels(labels, &store->arena);
    columns_init(&series->columns);
    store->series =
        mem_grow(store->series, &store->capacity, store->count + 1, sizeof(struct naive_series *));
    store->series[store->count++] = series;
    return series;
}

void naive_store_append(struct store *store, struct labels labels, int64_t ts_ms, double value)
{
    struct columns *columns = &find_or_add(store, labels)->columns;
    CHECK(columns->count == 0 || columns->ts_ms[columns->count - 1] < ts_ms);
    columns_append(columns, ts_ms, value);
}

static bool has_sample_between(const struct columns *columns, int64_t min_ts_ms, int64_t max_ts_ms)
{
    for (size_t i = 0; i < columns->count; i++) {
        if (columns->ts_ms[i] >= min_ts_ms && columns->ts_ms[i] <= max_ts_ms)
            return true;
    }
    return false;
}

static bool is_selected(const struct naive_series *series, const struct select_options *options)
{
    for (size_t i = 0; i < options->matcher_count; i++) {
        const struct matcher *matcher = &options->matchers[i];
        if (!matcher_matches(matcher, labels_get(series->labels, matcher->name)))
            return false;
    }
    return has_sample_between(&series->columns, options->min_ts_ms, options->max_ts_ms);
}

static int compare_series(const void *a, const void *b)
{
    const struct naive_series *const *left = a;
    const struct naive_series *const *right = b;
    return labels_compare((*left)->labels, (*right)->labels);
}

enum status select_open(struct store *store, const struct select_options *options,
                        struct selection **out, struct error *err)
{
    struct selection *selection = mem_alloc_zeroed(1, sizeof *selection);
    for (size_t i = 0; i < store->count; i++) {
        if (!is_selected(store->series[i], options))
            continue;
        selection->series = mem_grow(selection->series, &selection->capacity, selection->count + 1,
                                     sizeof(struct naive_series *));
        selection->series[selection->count++] = store->series[i];
    }
    if (options->series_max > 0 && selection->count > options->series_max) {
        select_close(selection);
        return error_set(err, STATUS_LIMIT, "selection: too many series");
    }
    if (selection->count > 0)
        qsort(selection->series, selection->count, sizeof(struct naive_series *), compare_series);
    *out = selection;
    return STATUS_OK;
}

void select_close(struct selection *selection)
{
    if (selection == NULL)
        return;
    mem_free(selection->series);
    mem_free(selection);
}

size_t select_memory_bytes(const struct selection *selection)
{
    return selection->count * sizeof *selection->series;
}

size_t select_count(const struct selection *selection)
{
    return selection->count;
}

struct labels select_labels(const struct selection *selection, size_t index)
{
    CHECK(index < selection->count);
    return selection->series[index]->labels;
}

enum status select_read(struct selection *selection, size_t index, int64_t min_ts_ms,
                        int64_t max_ts_ms, struct columns *out, struct error *err)
{
    (void)err;
    CHECK(index < selection->count);
    const struct columns *columns = &selection->series[index]->columns;
    columns_reset(out);
    for (size_t i = 0; i < columns->count; i++) {
        if (columns->ts_ms[i] >= min_ts_ms && columns->ts_ms[i] <= max_ts_ms)
            columns_append(out, columns->ts_ms[i], columns->values[i]);
    }
    return STATUS_OK;
}

/* Keeps `list` sorted and without duplicates; it has room for one more. */
static void list_add(struct str_list *list, struct str text)
{
    size_t at = 0;
    while (at < list->count && str_compare(list->ptr[at], text) < 0)
        at++;
    if (at < list->count && str_eq(list->ptr[at], text))
        return;
    memmove(&list->ptr[at + 1], &list->ptr[at], (list->count - at) * sizeof *list->ptr);
    list->ptr[at] = text;
    list->count++;
}

/* Adds to `out` the names of all labels, or the values of those called `name`. */
static enum status list_labels(struct store *store, const struct select_options *options,
                               const struct str *name, struct arena *arena, struct str_list *out,
                               struct error *err)
{
    struct selection *selection = NULL;
    TRY(select_open(store, options, &selection, err));
    size_t label_count = 0;
    for (size_t i = 0; i < selection->count; i++)
        label_count += selection->series[i]->labels.count;
    *out = (struct str_list){arena_alloc(arena, (label_count + 1) * sizeof(struct str)), 0};
    for (size_t i = 0; i < selection->count; i++) {
        struct labels labels = selection->series[i]->labels;
        for (size_t k = 0; k < labels.count; k++) {
            if (name == NULL)
                list_add(out, labels.ptr[k].name);
            else if (str_eq(labels.ptr[k].name, *name))
                list_add(out, labels.ptr[k].value);
        }
    }
    select_close(selection);
    return STATUS_OK;
}

enum status select_label_names(struct store *store, const struct select_options *options,
                               struct arena *arena, struct str_list *out, struct error *err)
{
    return list_labels(store, options, NULL, arena, out, err);
}

enum status select_label_values(struct store *store, const struct select_options *options,
                                struct str name, struct arena *arena, struct str_list *out,
                                struct error *err)
{
    return list_labels(store, options, &name, arena, out, err);
}
