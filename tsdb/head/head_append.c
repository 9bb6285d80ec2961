/*
 * Appending: where a sample goes, by its timestamp.
 *
 *   1. after all others of its series     the open run, which is sealed when it is full
 *   2. there already                      nowhere: a duplicate or a conflict
 *   3. within the open run                its place there
 *   4. else                               the late samples
 */
#include "tsdb/head/full_run.h"
#include "tsdb/head/head_impl.h"

#include "base/mem.h"

/* An append waits for memory twice: for its series and for the series' open samples. Of many
   appends each is fetched so many ahead. */
enum { FETCH_AHEAD = 32 };

static inline void append_in_order(struct head *head, struct series *series, struct sample sample)
{
    struct series_samples *samples = &series->samples;
    if (!open_run_has_room(&samples->open, sample.ts_ms))
        series_samples_seal(head, samples);
    open_run_append(&head->open, &samples->open, sample);
    series->last_ts_ms = sample.ts_ms;
}

static void append_late(struct head *head, struct series *series, struct sample sample)
{
    struct series_samples *samples = &series->samples;
    struct open_run *open = &samples->open;
    if (open->count > 0 && open_run_has_room(open, sample.ts_ms)) {
        uint32_t index = open_run_find(&head->open, open, sample.ts_ms);
        open_run_insert(&head->open, open, index, sample);
        return;
    }
    series_samples_add_late(head, samples, sample);
}

static bool find_in_columns(const struct columns *columns, int64_t ts_ms, double *value)
{
    size_t index = columns_find(columns, ts_ms);
    if (index == columns->count || columns->ts_ms[index] != ts_ms)
        return false;
    *value = columns->values[index];
    return true;
}

static bool find_in_open(const struct head *head, const struct open_run *run, int64_t ts_ms,
                         double *value)
{
    /* not looked at for nothing: each of its samples is in another line of cache */
    if (run->count == 0 || ts_ms < run->base_ts_ms)
        return false;
    uint32_t index = open_run_find(&head->open, run, ts_ms);
    if (index == run->count)
        return false;
    struct sample sample = open_run_at(&head->open, run, index);
    *value = sample.value;
    return sample.ts_ms == ts_ms;
}

static bool find_in_chunks(struct head *head, struct series_samples *samples, int64_t ts_ms,
                           double *value)
{
    const struct sealed_chunk *chunk = series_samples_chunk_at(head, samples, ts_ms);
    if (chunk == NULL)
        return false;
    struct error err;
    columns_reset(&head->decoding);
    enum status status = chunk_decode(sealed_bytes(chunk), &head->decoding, &err);
    CHECK(status == STATUS_OK); /* our own memory */
    return find_in_columns(&head->decoding, ts_ms, value);
}

static bool find_in_samples(struct head *head, struct series_samples *samples, int64_t ts_ms,
                            double *value)
{
    if (ts_ms < samples->min_ts_ms)
        return false;
    const struct late *late = series_samples_late(head, samples);
    return find_in_open(head, &samples->open, ts_ms, value) ||
           (late != NULL && late_find(late, ts_ms, value)) ||
           find_in_chunks(head, samples, ts_ms, value);
}

static bool find_sample(struct head *head, struct series_ref ref, struct series *series,
                        int64_t ts_ms, double *value)
{
    struct flushing_series *flushing = head_flushing(head, ref);
    return find_in_samples(head, &series->samples, ts_ms, value) ||
           (flushing != NULL && find_in_samples(head, &flushing->samples, ts_ms, value));
}

int64_t head_newest_ts_ms(const struct head *head, struct series_ref ref)
{
    return head_series(head, ref)->last_ts_ms;
}

bool head_is_in_order(struct head *head, struct series_ref ref, int64_t ts_ms,
                      int64_t blocks_max_ts_ms)
{
    struct series *series = head_series(head, ref);
    if (ts_ms <= series->last_ts_ms)
        return false;
    if (ts_ms > blocks_max_ts_ms)
        series->has_newest = true;
    return series->has_newest;
}

void head_note_newest_in_blocks(struct head *head, struct series_ref ref, int64_t ts_ms)
{
    struct series *series = head_series(head, ref);
    if (ts_ms <= series->last_ts_ms)
        series->has_newest = true;
}

static enum append_result look(struct head *head, struct series_ref ref, struct series *series,
                               struct sample sample)
{
    double value;
    if (sample.ts_ms > series->last_ts_ms || !find_sample(head, ref, series, sample.ts_ms, &value))
        return APPEND_OK;
    return f64_bits(value) == f64_bits(sample.value) ? APPEND_DUPLICATE : APPEND_CONFLICT;
}

enum append_result head_look(struct head *head, struct series_ref ref, struct sample sample)
{
    return look(head, ref, head_series(head, ref), sample);
}

void head_prefetch_series(const struct head *head, struct series_ref ref)
{
    CHECK(ref.value < head->series.slot_count);
    __builtin_prefetch(slab_at(&head->series, ref.value), 1);
}

/* Apart, so that what is in order need not prepare for it. */
static __attribute__((noinline)) enum append_result append_out_of_order(struct head *head,
                                                                        struct series_ref ref,
                                                                        struct series *series,
                                                                        struct sample sample)
{
    enum append_result result = look(head, ref, series, sample);
    if (result == APPEND_OK)
        append_late(head, series, sample);
    return result;
}

static inline enum append_result append(struct head *head, struct series_ref ref,
                                        struct series *series, struct sample sample, int64_t now_ms)
{
    CHECK(series->is_active);
    if (sample.ts_ms > series->last_ts_ms) {
        append_in_order(head, series, sample);
    } else {
        enum append_result result = append_out_of_order(head, ref, series, sample);
        if (result != APPEND_OK)
            return result;
    }
    if (sample.ts_ms < series->samples.min_ts_ms)
        series->samples.min_ts_ms = sample.ts_ms;
    series->last_append_ms = now_ms;
    head->sample_count++;
    return APPEND_OK;
}

enum append_result head_append(struct head *head, struct series_ref ref, struct sample sample,
                               int64_t now_ms)
{
    return append(head, ref, head_series(head, ref), sample, now_ms);
}

/* ---- many ---- */

static void copy_full_run(const struct head *head, struct series_ref ref,
                          const struct open_run *open, struct full_runs *full)
{
    full->ptr = mem_grow(full->ptr, &full->capacity, full->count + 1, sizeof *full->ptr);
    struct full_run *run = &full->ptr[full->count++];
    run->base_ts_ms = open->base_ts_ms;
    run->ref = ref;
    open_run_copy(&head->open, open, run->samples);
}

size_t head_append_logged(struct head *head, struct logged_sample *samples, size_t count,
                          int64_t now_ms, struct full_runs *full)
{
    size_t taken = 0;
    for (size_t i = 0; i < count + 2 * FETCH_AHEAD; i++) {
        if (i < count)
            head_prefetch_series(head, samples[i].ref);
        if (i >= FETCH_AHEAD && i - FETCH_AHEAD < count)
            open_run_prefetch(&head->open,
                              &head_series(head, samples[i - FETCH_AHEAD].ref)->samples.open);
        if (i < 2 * FETCH_AHEAD)
            continue;
        struct logged_sample logged = samples[i - 2 * FETCH_AHEAD];
        struct series *series = head_series(head, logged.ref);
        if (append(head, logged.ref, series, logged.sample, now_ms) != APPEND_OK)
            continue;
        samples[taken++] = logged;
        if (series->samples.open.count == OPEN_RUN_COUNT_MAX)
            copy_full_run(head, logged.ref, &series->samples.open, full);
    }
    return taken;
}
