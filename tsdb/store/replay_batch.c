#include "tsdb/store/replay_batch.h"

#include "base/hash.h"
#include "base/mem.h"

/* An adopted chunk waits for its series and for its open samples; both are fetched so many runs
 * ahead. */
enum { FETCH_RUNS = 8 };

struct replay_batch *replay_batch_new(void)
{
    struct replay_batch *batch = mem_alloc(sizeof *batch);
    batch->times.count = 0;
    batch->steps = NULL;
    batch->series = NULL;
    batch->runs = (struct full_runs){0};
    batch->step_capacity = batch->series_capacity = 0;
    buffer_init(&batch->texts, SIZE_MAX);
    buffer_init(&batch->chunks, SIZE_MAX);
    replay_batch_reset(batch);
    return batch;
}

void replay_batch_free(struct replay_batch *batch)
{
    mem_free(batch->steps);
    mem_free(batch->series);
    mem_free(batch->runs.ptr);
    buffer_deinit(&batch->texts);
    buffer_deinit(&batch->chunks);
    mem_free(batch);
}

void replay_batch_reset(struct replay_batch *batch)
{
    batch->step_count = batch->series_count = batch->sample_count = batch->runs.count = 0;
    buffer_reset(&batch->texts);
    buffer_reset(&batch->chunks);
}

/* ---- filling ---- */

bool replay_batch_is_full(const struct replay_batch *batch)
{
    return batch->sample_count == REPLAY_BATCH_SAMPLES_MAX ||
           batch->texts.len >= REPLAY_BATCH_TEXT_BYTES;
}

/* More of the same kind belongs to the same step. */
static void add_step(struct replay_batch *batch, enum replay_step_kind kind, size_t count)
{
    if (batch->step_count > 0 && batch->steps[batch->step_count - 1].kind == kind) {
        batch->steps[batch->step_count - 1].count += (uint32_t)count;
        return;
    }
    batch->steps =
        mem_grow(batch->steps, &batch->step_capacity, batch->step_count + 1, sizeof *batch->steps);
    batch->steps[batch->step_count++] = (struct replay_step){kind, (uint32_t)count};
}

void replay_batch_add_durable(struct replay_batch *batch)
{
    add_step(batch, REPLAY_DURABLE, 1);
}

void replay_batch_add_series(struct replay_batch *batch, struct series_ref ref, struct str tenant,
                             struct labels labels)
{
    buffer_append_str(&batch->texts, tenant);
    size_t from = batch->texts.len;
    labels_identity_encode(&batch->texts, labels);
    struct bytes identity = {batch->texts.ptr + from, batch->texts.len - from};
    batch->series = mem_grow(batch->series, &batch->series_capacity, batch->series_count + 1,
                             sizeof *batch->series);
    batch->series[batch->series_count++] =
        (struct replay_series){.ref = ref,
                               .tenant_len = (uint32_t)tenant.len,
                               .identity_len = (uint32_t)identity.len,
                               .label_count = (uint32_t)labels.count,
                               .hash = hash_bytes(identity)};
    add_step(batch, REPLAY_SERIES, 1);
}

size_t replay_batch_add_samples(struct replay_batch *batch, const struct logged_sample *samples,
                                size_t count)
{
    size_t room = REPLAY_BATCH_SAMPLES_MAX - batch->sample_count;
    size_t taken = count < room ? count : room;
    memcpy(batch->samples + batch->sample_count, samples, taken * sizeof *samples);
    batch->sample_count += taken;
    add_step(batch, REPLAY_SAMPLES, taken);
    return taken;
}

/* ---- what it has filled ---- */

void replay_batch_seal(struct replay_batch *batch)
{
    for (size_t i = 0; i < batch->runs.count; i++)
        full_run_encode(&batch->runs.ptr[i], &batch->times, &batch->chunks);
}

void replay_batch_adopt(const struct replay_batch *batch, struct head *head)
{
    const uint8_t *chunk = batch->chunks.ptr;
    for (size_t i = 0; i < batch->runs.count + FETCH_RUNS; i++) {
        if (i < batch->runs.count)
            head_prefetch_series(head, batch->runs.ptr[i].ref);
        if (i < FETCH_RUNS)
            continue;
        const struct full_run *run = &batch->runs.ptr[i - FETCH_RUNS];
        head_adopt_chunk(head, run, (struct bytes){chunk, run->chunk_len});
        chunk += run->chunk_len;
    }
}
