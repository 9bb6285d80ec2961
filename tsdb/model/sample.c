#include "tsdb/model/sample.h"

#include "base/check.h"
#include "base/mem.h"

void columns_init(struct columns *columns)
{
    *columns = (struct columns){0};
}

void columns_deinit(struct columns *columns)
{
    mem_free(columns->ts_ms);
    mem_free(columns->values);
    *columns = (struct columns){0};
}

void columns_reset(struct columns *columns)
{
    columns->count = 0;
}

void columns_reserve(struct columns *columns, size_t more)
{
    CHECK(more <= SIZE_MAX / sizeof(int64_t) / 2 - columns->count);
    size_t want = columns->count + more;
    size_t values_capacity = columns->capacity;
    columns->values = mem_grow(columns->values, &values_capacity, want, sizeof *columns->values);
    columns->ts_ms = mem_grow(columns->ts_ms, &columns->capacity, want, sizeof *columns->ts_ms);
}

void columns_append(struct columns *columns, int64_t ts_ms, double value)
{
    CHECK(columns->count == 0 || columns->ts_ms[columns->count - 1] < ts_ms);
    if (columns->count == columns->capacity)
        columns_reserve(columns, 1);
    columns->ts_ms[columns->count] = ts_ms;
    columns->values[columns->count] = value;
    columns->count++;
}

size_t columns_find(const struct columns *columns, int64_t ts_ms)
{
    size_t start = 0;
    size_t end = columns->count;
    while (start < end) {
        size_t middle = start + (end - start) / 2;
        if (columns->ts_ms[middle] < ts_ms)
            start = middle + 1;
        else
            end = middle;
    }
    return start;
}

static void append_all(struct columns *columns, const struct columns *from)
{
    memcpy(columns->ts_ms + columns->count, from->ts_ms, from->count * sizeof *from->ts_ms);
    memcpy(columns->values + columns->count, from->values, from->count * sizeof *from->values);
    columns->count += from->count;
}

static void put(struct columns *columns, size_t at, int64_t ts_ms, double value)
{
    columns->ts_ms[at] = ts_ms;
    columns->values[at] = value;
}

/* Removes the positions [from, to). */
static void close_gap(struct columns *columns, size_t from, size_t to)
{
    if (from == to)
        return;
    size_t behind = columns->count - to;
    memmove(columns->ts_ms + from, columns->ts_ms + to, behind * sizeof *columns->ts_ms);
    memmove(columns->values + from, columns->values + to, behind * sizeof *columns->values);
    columns->count = from + behind;
}

/* Merges from the back, so that nothing is overwritten before it has moved; every timestamp that
   both have leaves the gap between the untouched front and the merged rest one wider. */
static void interleave(struct columns *columns, const struct columns *from)
{
    size_t ours = columns->count;
    size_t theirs = from->count;
    size_t next = ours + theirs;
    columns->count = next;
    while (theirs > 0) {
        int64_t ts_ms = from->ts_ms[theirs - 1];
        if (ours > 0 && columns->ts_ms[ours - 1] >= ts_ms) {
            ours--;
            next--;
            theirs -= columns->ts_ms[ours] == ts_ms;
            put(columns, next, columns->ts_ms[ours], columns->values[ours]);
        } else {
            theirs--;
            put(columns, --next, ts_ms, from->values[theirs]);
        }
    }
    close_gap(columns, ours, next);
}

void columns_merge(struct columns *columns, const struct columns *from)
{
    CHECK(columns != from);
    if (from->count == 0)
        return;
    columns_reserve(columns, from->count);
    if (columns->count == 0 || columns->ts_ms[columns->count - 1] < from->ts_ms[0])
        append_all(columns, from);
    else
        interleave(columns, from);
}

void columns_clip(struct columns *columns, int64_t min_ts_ms, int64_t max_ts_ms)
{
    if (max_ts_ms < INT64_MAX)
        columns->count = columns_find(columns, max_ts_ms + 1);
    close_gap(columns, 0, columns_find(columns, min_ts_ms));
}
