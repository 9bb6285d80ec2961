#include "tsdb/head/head_impl.h"

struct ts_range {
    int64_t min_ts_ms; /* inclusive */
    int64_t max_ts_ms; /* inclusive */
};

static int64_t min_ts_ms_at(const struct head *head, uint32_t ref)
{
    return chunk_min_ts_ms(sealed_bytes(chunk_pool_at(&head->chunks, ref)));
}

/* Appends the chunks that may have samples in the range, oldest first. */
static enum status read_chunks(const struct head *head, uint32_t newest,
                               const struct ts_range *range, struct columns *out, struct error *err)
{
    if (newest == CHUNK_REF_NONE)
        return STATUS_OK;
    uint32_t ref = newest;
    do {
        ref = chunk_pool_at(&head->chunks, ref)->next;
        const struct sealed_chunk *chunk = chunk_pool_at(&head->chunks, ref);
        if (min_ts_ms_at(head, ref) > range->max_ts_ms)
            break;
        bool ends_before = ref != newest && min_ts_ms_at(head, chunk->next) <= range->min_ts_ms;
        if (!ends_before)
            TRY(chunk_decode(sealed_bytes(chunk), out, err));
    } while (ref != newest);
    return STATUS_OK;
}

static enum status read_in_order(const struct head *head, const struct series_samples *samples,
                                 const struct ts_range *range, struct columns *out,
                                 struct error *err)
{
    TRY(read_chunks(head, samples->chunks, range, out, err));
    open_run_read(&head->open, &samples->open, out);
    return STATUS_OK;
}

static void merge_late(const struct head *head, const struct series_samples *samples,
                       const struct ts_range *range, struct columns *out)
{
    const struct late *late = series_samples_late(head, samples);
    if (late != NULL)
        late_read(late, range->min_ts_ms, range->max_ts_ms, out);
}

/* `older` may be NULL; `out` is empty. What was written first is merged first. */
static enum status read_samples(const struct head *head, const struct series_samples *older,
                                const struct series_samples *newer, const struct ts_range *range,
                                struct columns *out, struct error *err)
{
    if (older != NULL)
        TRY(read_in_order(head, older, range, out, err));
    TRY(read_in_order(head, newer, range, out, err));
    columns_clip(out, range->min_ts_ms, range->max_ts_ms);
    if (older != NULL)
        merge_late(head, older, range, out);
    merge_late(head, newer, range, out);
    return STATUS_OK;
}

static enum status read_and_merge(const struct head *head, const struct series_samples *older,
                                  const struct series_samples *newer, const struct ts_range *range,
                                  struct columns *out, struct error *err)
{
    struct columns fresh;
    if (out->count == 0)
        return read_samples(head, older, newer, range, out, err);
    columns_init(&fresh);
    enum status status = read_samples(head, older, newer, range, &fresh, err);
    if (status == STATUS_OK)
        columns_merge(out, &fresh);
    columns_deinit(&fresh);
    return status;
}

enum status head_read(const struct head *head, struct series_ref ref, int64_t min_ts_ms,
                      int64_t max_ts_ms, struct columns *out, struct error *err)
{
    CHECK(ref.value < head->series.slot_count);
    const struct series *series = slab_at(&head->series, ref.value);
    if (!series->is_used)
        return STATUS_OK;
    const struct flushing_series *flushing = head_flushing(head, ref);
    const struct series_samples *older = flushing == NULL ? NULL : &flushing->samples;
    const struct ts_range range = {min_ts_ms, max_ts_ms};
    return read_and_merge(head, older, &series->samples, &range, out, err);
}

enum status head_flush_read(const struct head *head, struct series_ref ref, struct columns *out,
                            struct error *err)
{
    const struct flushing_series *flushing = head_flushing(head, ref);
    if (flushing == NULL)
        return STATUS_OK;
    const struct ts_range range = {INT64_MIN, INT64_MAX};
    return read_and_merge(head, NULL, &flushing->samples, &range, out, err);
}
