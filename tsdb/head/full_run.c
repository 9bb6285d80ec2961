#include "tsdb/head/full_run.h"

#include "tsdb/head/head_impl.h"

void full_run_encode(struct full_run *run, struct chunk_times *latest, struct buffer *out)
{
    int64_t ts_ms[OPEN_RUN_COUNT_MAX];
    double values[OPEN_RUN_COUNT_MAX];
    for (uint32_t i = 0; i < OPEN_RUN_COUNT_MAX; i++) {
        struct sample sample = open_sample_decode(run->base_ts_ms, &run->samples[i]);
        ts_ms[i] = sample.ts_ms;
        values[i] = sample.value;
    }
    size_t before = out->len;
    chunk_encode(out, latest, ts_ms, values, OPEN_RUN_COUNT_MAX);
    run->chunk_len = (uint16_t)(out->len - before);
}

/* A run that is full does not change until it is sealed, and the next one of its series begins
 * later. */
static bool is_still_open(const struct open_run *open, const struct full_run *run)
{
    return open->count == OPEN_RUN_COUNT_MAX && open->base_ts_ms == run->base_ts_ms;
}

void head_adopt_chunk(struct head *head, const struct full_run *run, struct bytes chunk)
{
    struct series_samples *samples = &head_series(head, run->ref)->samples;
    if (!is_still_open(&samples->open, run))
        return;
    chunk_pool_add(&head->chunks, &samples->chunks, chunk);
    open_run_release(&head->open, &samples->open);
}
