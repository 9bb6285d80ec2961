#include "tsdb/head/late.h"

#include "base/mem.h"
#include "tsdb/codec/chunk.h"

/* A run grows to so many samples one by one, which move half of them each time. */
enum { RUN_GROWS_TO = 256 };

void late_init(struct late *late)
{
    *late = (struct late){0};
}

void late_deinit(struct late *late)
{
    for (size_t i = 0; i < late->run_count; i++)
        columns_deinit(&late->runs[i]);
    mem_free(late->runs);
    mem_free(late->chunks);
    late_init(late);
}

/* ---- samples ---- */

/* Merges what comes last until it is short enough. */
static void settle(struct late *late)
{
    for (; late->run_count > 1; late->run_count--) {
        struct columns *last = &late->runs[late->run_count - 1];
        if (last[-1].count >= 2 * last->count)
            return;
        columns_merge(&last[-1], last);
        columns_deinit(last);
    }
}

static struct columns *push_run(struct late *late)
{
    late->runs = mem_grow(late->runs, &late->run_capacity, late->run_count + 1, sizeof *late->runs);
    struct columns *run = &late->runs[late->run_count++];
    columns_init(run);
    return run;
}

static struct columns *run_with_room(struct late *late)
{
    if (late->run_count > 0 && late->runs[late->run_count - 1].count < RUN_GROWS_TO)
        return &late->runs[late->run_count - 1];
    settle(late);
    return push_run(late);
}

void late_add(struct late *late, struct sample sample)
{
    const struct columns one = {.ts_ms = &sample.ts_ms, .values = &sample.value, .count = 1};
    columns_merge(run_with_room(late), &one);
}

void late_join(struct late *late, struct late *from)
{
    for (size_t i = 0; i < from->run_count; i++) {
        *push_run(late) = from->runs[i];
        settle(late);
    }
    from->run_count = 0;
}

bool late_find(const struct late *late, int64_t ts_ms, double *value)
{
    for (size_t i = 0; i < late->run_count; i++) {
        const struct columns *run = &late->runs[i];
        size_t at = columns_find(run, ts_ms);
        if (at == run->count || run->ts_ms[at] != ts_ms)
            continue;
        *value = run->values[at];
        return true;
    }
    return false;
}

int64_t late_max_ts_ms(const struct late *late)
{
    int64_t max_ts_ms = INT64_MIN;
    for (size_t i = 0; i < late->run_count; i++) {
        const struct columns *run = &late->runs[i];
        if (run->ts_ms[run->count - 1] > max_ts_ms)
            max_ts_ms = run->ts_ms[run->count - 1];
    }
    return max_ts_ms;
}

void late_read(const struct late *late, int64_t min_ts_ms, int64_t max_ts_ms, struct columns *out)
{
    for (size_t i = 0; i < late->run_count; i++) {
        const struct columns *run = &late->runs[i];
        size_t start = columns_find(run, min_ts_ms);
        size_t end = max_ts_ms == INT64_MAX ? run->count : columns_find(run, max_ts_ms + 1);
        if (start >= end)
            continue;
        const struct columns part = {
            .ts_ms = run->ts_ms + start, .values = run->values + start, .count = end - start};
        columns_merge(out, &part);
    }
}

/* ---- chunks ---- */

static void follow_ring(struct late *late, const struct chunk_pool *pool, uint32_t newest)
{
    uint32_t last = late->chunk_count == 0 ? CHUNK_REF_NONE : late->chunks[late->chunk_count - 1];
    while (last != newest) {
        last = chunk_pool_at(pool, last == CHUNK_REF_NONE ? newest : last)->next;
        late->chunks = mem_grow(late->chunks, &late->chunk_capacity, late->chunk_count + 1,
                                sizeof *late->chunks);
        late->chunks[late->chunk_count++] = last;
    }
}

/* Chunks before `start` begin at or before a time, those from `end` on after it. */
struct bounds {
    size_t start;
    size_t end;
};

static void look_at(const struct late *late, const struct chunk_pool *pool, int64_t ts_ms,
                    size_t at, struct bounds *bounds)
{
    if (at < bounds->start || at >= bounds->end)
        return;
    if (chunk_min_ts_ms(sealed_bytes(chunk_pool_at(pool, late->chunks[at]))) <= ts_ms)
        bounds->start = at + 1;
    else
        bounds->end = at;
}

/* Who repeats what he sent asks for the chunk that was found last, or for the next. */
const struct sealed_chunk *late_find_chunk(struct late *late, const struct chunk_pool *pool,
                                           uint32_t newest, int64_t ts_ms)
{
    follow_ring(late, pool, newest);
    struct bounds bounds = {0, late->chunk_count};
    look_at(late, pool, ts_ms, late->found, &bounds);
    look_at(late, pool, ts_ms, late->found + 1, &bounds);
    while (bounds.start < bounds.end)
        look_at(late, pool, ts_ms, bounds.start + (bounds.end - bounds.start) / 2, &bounds);
    if (bounds.start == 0)
        return NULL;
    late->found = bounds.start - 1;
    return chunk_pool_at(pool, late->chunks[late->found]);
}

void late_forget_chunks(struct late *late)
{
    late->chunk_count = 0;
}

size_t late_memory_bytes(const struct late *late)
{
    size_t bytes =
        late->run_capacity * sizeof *late->runs + late->chunk_capacity * sizeof *late->chunks;
    for (size_t i = 0; i < late->run_count; i++)
        bytes +=
            late->runs[i].capacity * (sizeof *late->runs[i].ts_ms + sizeof *late->runs[i].values);
    return bytes;
}
