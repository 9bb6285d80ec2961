/*
 * Samples of one series of a write, to the head and to the log: each is in order, late, there
 * already, or too late.
 */
#include "tsdb/store/store_write_impl.h"

#include "base/check.h"

static void declare_locked(struct shard_write *w, const struct write_series *series,
                           struct series_ref ref) REQUIRES(w->shard->lock)
{
    struct shard *shard = w->shard;
    uint32_t epoch = wal_epoch(shard->wal);
    if (head_logged_epoch(shard->head, ref) == epoch)
        return;
    wal_log_series(shard->wal, ref, &series->tenant->id, head_labels(shard->head, ref, w->arena));
    head_set_logged_epoch(shard->head, ref, epoch);
}

static void keep_locked(struct shard_write *w, const struct write_series *series,
                        struct series_ref ref, struct sample sample) REQUIRES(w->shard->lock)
{
    note_time(w, sample.ts_ms);
    declare_locked(w, series, ref);
    wal_log_sample(w->shard->wal, ref, sample);
}

/* Appends what no block has, or says what is wrong. True: the sample is kept, or was there. */
static bool append_sample_locked(struct shard_write *w, const struct write_series *series,
                                 struct series_ref ref, struct sample sample)
    REQUIRES(w->shard->lock)
{
    struct head *head = w->shard->head;
    enum append_result result = head_look(head, ref, sample);
    /* a sender that repeats a request whose answer it missed is not to blame for being late */
    if (result == APPEND_OK && is_too_late_locked(w, series, ref, sample))
        return false;
    if (result == APPEND_OK)
        result = head_append(head, ref, sample, w->monotonic_ms);
    if (result == APPEND_CONFLICT)
        refuse_conflict(w, series, sample);
    else if (result == APPEND_OK)
        keep_locked(w, series, ref, sample);
    return result != APPEND_CONFLICT;
}

/* An atomic addition for each series would wait until all that it has written so far
   is in the cache. */
void count_written(struct shard_write *w)
{
    w->result->samples_written += w->written;
    if (w->bounds.tenant != NULL)
        counter_add(&w->bounds.tenant->samples_written, w->written);
    w->written = 0;
}

/* `blocks` is what blocks say of the sample. */
static void append_late_locked(struct shard_write *w, const struct write_series *series,
                               struct series_ref ref, struct sample sample,
                               enum append_result blocks) REQUIRES(w->shard->lock)
{
    if (blocks == APPEND_CONFLICT)
        refuse_conflict(w, series, sample);
    else
        w->written += blocks == APPEND_DUPLICATE || append_sample_locked(w, series, ref, sample);
}

/* Of the samples of a series from `from` on those that are appended before others are let in. */
static uint32_t end_of_piece(uint32_t from, uint32_t sample_count)
{
    return sample_count - from > PIECE_SAMPLES ? from + PIECE_SAMPLES : sample_count;
}

uint32_t append_piece_locked(struct shard_write *w, const struct write_series *series,
                             struct series_ref ref, uint32_t from)
{
    struct shard *shard = w->shard;
    uint32_t to = end_of_piece(from, series->sample_count);
    for (uint32_t i = from; i < to; i++) {
        struct sample sample = series->samples[i];
        if (!is_in_time(w, series, sample))
            continue;
        if (head_is_in_order(shard->head, ref, sample.ts_ms, shard->blocks_max_ts_ms)) {
            enum append_result result = head_append(shard->head, ref, sample, w->monotonic_ms);
            CHECK(result == APPEND_OK);
            keep_locked(w, series, ref, sample);
            w->written++;
        } else if (sample.ts_ms <= shard->blocks_max_ts_ms &&
                   head_look(shard->head, ref, sample) == APPEND_OK &&
                   may_be_in_blocks_locked(w, sample.ts_ms)) {
            enum append_result blocks;
            if (is_in_memo_locked(w, ref, sample, &blocks))
                append_late_locked(w, series, ref, sample, blocks);
            else
                defer_sample_locked(w, series, ref, i);
        } else {
            w->written += append_sample_locked(w, series, ref, sample);
        }
    }
    return to;
}

uint32_t append_deferred_piece_locked(struct shard_write *w, const struct deferred_series *deferred,
                                      struct series_ref ref, uint32_t from)
{
    const struct write_series *series = deferred->series;
    uint32_t to = end_of_piece(from, deferred->sample_count);
    for (uint32_t i = from; i < to; i++) {
        struct sample sample = series->samples[deferred->samples[i]];
        enum append_result blocks = deferred->blocks == NULL ? APPEND_OK : deferred->blocks[i];
        if (!is_in_time(w, series, sample))
            continue;
        append_late_locked(w, series, ref, sample, blocks);
    }
    head_note_newest_in_blocks(w->shard->head, ref, deferred->newest_ms);
    return to;
}
