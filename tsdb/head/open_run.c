#include "tsdb/head/open_run.h"

#include "base/check.h"

enum { PAGE_BITS = 6 }; /* 12 KiB of runs */

_Static_assert(sizeof(struct open_sample) == 12, "an open sample is packed");

void open_pool_init(struct open_pool *pool)
{
    slab_init_rows(&pool->runs, sizeof(struct open_sample), OPEN_RUN_COUNT_MAX, PAGE_BITS);
}

void open_pool_deinit(struct open_pool *pool)
{
    slab_deinit(&pool->runs);
}

void open_pool_set_aside(struct open_pool *pool)
{
    slab_set_aside(&pool->runs);
}

void open_pool_drop_aside(struct open_pool *pool)
{
    slab_drop_aside(&pool->runs);
}

void open_pool_take_back(struct open_pool *pool)
{
    slab_take_back(&pool->runs);
}

size_t open_pool_memory_bytes(const struct open_pool *pool)
{
    return slab_memory_bytes(&pool->runs);
}

static struct open_sample *sample_at(const struct open_pool *pool, const struct open_run *run,
                                     uint32_t index)
{
    return slab_row_at(&pool->runs, run->ref, index);
}

bool open_run_has_room(const struct open_run *run, int64_t ts_ms)
{
    if (run->count == 0)
        return true;
    /* unsigned: the distance of two int64 may pass INT64_MAX */
    uint64_t offset_ms = (uint64_t)ts_ms - (uint64_t)run->base_ts_ms;
    return run->count < OPEN_RUN_COUNT_MAX && ts_ms >= run->base_ts_ms && offset_ms <= UINT32_MAX;
}

static struct open_sample open_sample_of(int64_t base_ts_ms, struct sample sample)
{
    uint64_t bits = f64_bits(sample.value);
    return (struct open_sample){.offset_ms =
                                    (uint32_t)((uint64_t)sample.ts_ms - (uint64_t)base_ts_ms),
                                .value_bits = {(uint32_t)bits, (uint32_t)(bits >> 32)}};
}

void open_run_append(struct open_pool *pool, struct open_run *run, struct sample sample)
{
    CHECK(open_run_has_room(run, sample.ts_ms));
    if (run->count == 0) {
        run->base_ts_ms = sample.ts_ms;
        run->ref = slab_take(&pool->runs);
    }
    *sample_at(pool, run, run->count) = open_sample_of(run->base_ts_ms, sample);
    run->count++;
}

void open_run_insert(struct open_pool *pool, struct open_run *run, uint32_t index,
                     struct sample sample)
{
    CHECK(index > 0);
    CHECK(index <= run->count);
    CHECK(open_run_has_room(run, sample.ts_ms));
    for (uint32_t i = run->count; i > index; i--)
        *sample_at(pool, run, i) = *sample_at(pool, run, i - 1);
    *sample_at(pool, run, index) = open_sample_of(run->base_ts_ms, sample);
    run->count++;
}

struct sample open_sample_decode(int64_t base_ts_ms, const struct open_sample *from)
{
    uint64_t bits = from->value_bits[0] | (uint64_t)from->value_bits[1] << 32;
    return (struct sample){.ts_ms = base_ts_ms + from->offset_ms, .value = f64_from_bits(bits)};
}

uint32_t open_run_find(const struct open_pool *pool, const struct open_run *run, int64_t ts_ms)
{
    uint32_t index = run->count;
    while (index > 0 && run->base_ts_ms + sample_at(pool, run, index - 1)->offset_ms >= ts_ms)
        index--;
    return index;
}

struct sample open_run_at(const struct open_pool *pool, const struct open_run *run, uint32_t index)
{
    CHECK(index < run->count);
    return open_sample_decode(run->base_ts_ms, sample_at(pool, run, index));
}

void open_run_copy(const struct open_pool *pool, const struct open_run *run,
                   struct open_sample out[OPEN_RUN_COUNT_MAX])
{
    for (uint32_t i = 0; i < run->count; i++)
        out[i] = *sample_at(pool, run, i);
}

void open_run_read(const struct open_pool *pool, const struct open_run *run, struct columns *out)
{
    columns_reserve(out, run->count);
    for (uint32_t i = 0; i < run->count; i++) {
        struct sample sample = open_run_at(pool, run, i);
        columns_append(out, sample.ts_ms, sample.value);
    }
}

void open_run_release(struct open_pool *pool, struct open_run *run)
{
    if (run->count > 0)
        slab_give(&pool->runs, run->ref);
    *run = (struct open_run){0};
}

void open_run_prefetch(const struct open_pool *pool, const struct open_run *run)
{
    if (run->count == 0)
        return;
    __builtin_prefetch(sample_at(pool, run, run->count), 1);
}
