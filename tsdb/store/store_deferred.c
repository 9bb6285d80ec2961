/*
 * Steps 3 and 4 of a write (store_write.c): what could not be appended at once, because the head
 * does not know the series, or because blocks may have the samples.
 */
#include "tsdb/store/store_write_impl.h"

#include "base/hash.h"

/* Labels that came as they are kept need not be encoded. */
static uint64_t hash_of(const struct write_series *series, struct labels given,
                        struct labels canonical)
{
    bool came_canonical =
        series->identity.len > 0 && canonical.count == given.count &&
        memcmp(canonical.ptr, given.ptr, canonical.count * sizeof *canonical.ptr) == 0;
    return came_canonical ? hash_bytes(series->identity) : labels_identity_hash(canonical);
}

/* Step 3: canonical labels; series whose labels are not valid are refused and left out. */
static void check_labels(struct shard_write *w)
{
    struct deferred_series **link = &w->deferred;
    while (*link != NULL) {
        struct deferred_series *deferred = *link;
        const struct write_series *series = deferred->series;
        struct labels given = labels_given(w, series);
        if (has_good_labels(w, series, given, &deferred->labels)) {
            deferred->hash = hash_of(series, given, deferred->labels);
            link = &deferred->next;
        } else {
            *link = deferred->next;
        }
    }
}

/* A series is not made for samples that are all in blocks, or will be refused. */
static bool brings_something(struct shard_write *w, const struct deferred_series *deferred)
{
    const struct time_bounds *hard = &w->bounds.of[LIMIT_HARD];
    if (deferred->blocks == NULL)
        return has_sample_in_time(w, deferred->series);
    for (uint32_t i = 0; i < deferred->sample_count; i++) {
        int64_t ts_ms = deferred->series->samples[deferred->samples[i]].ts_ms;
        if (deferred->blocks[i] == APPEND_OK && ts_ms >= hard->min_ts_ms &&
            ts_ms <= hard->max_ts_ms)
            return true;
    }
    return false;
}

/* Tells of samples, from `from` on, of which none is to be kept. */
static void answer_deferred(struct shard_write *w, const struct deferred_series *deferred,
                            uint32_t from)
{
    for (uint32_t i = from; deferred->blocks != NULL && i < deferred->sample_count; i++) {
        struct sample sample = deferred->series->samples[deferred->samples[i]];
        if (!is_in_time(w, deferred->series, sample))
            continue;
        if (deferred->blocks[i] == APPEND_CONFLICT)
            refuse_conflict(w, deferred->series, sample);
        else
            w->written++;
    }
}

/* Step 4, a piece of the samples from `from` on; returns where the next one begins. Somebody else
   may have added the series since step 1, or it came unsorted. */
static uint32_t add_and_append_locked(struct shard_write *w, const struct deferred_series *deferred,
                                      uint32_t from) REQUIRES(w->shard->lock)
{
    struct head *head = w->shard->head;
    const struct write_series *series = deferred->series;
    enter_tenant(w, series);
    struct head_key key = {.tenant = series->tenant,
                           .hash = deferred->hash,
                           .labels = deferred->labels.ptr,
                           .label_count = deferred->labels.count};
    struct series_ref ref;
    head_find(head, &key, 1, &ref);
    if (ref.value == SERIES_REF_NONE.value) {
        if (!brings_something(w, deferred)) {
            answer_deferred(w, deferred, from);
            return deferred->sample_count;
        }
        if (!may_add_locked(w, series, deferred->labels))
            return deferred->sample_count;
        ref = head_add(head, series->tenant, deferred->labels, w->monotonic_ms);
    } else if (!activate_locked(w, series, ref)) {
        return deferred->sample_count;
    }
    return append_deferred_piece_locked(w, deferred, ref, from);
}

/* Step 3 anew, with the lock: too rare to let go of it once more. */
static void ask_again_locked(struct shard_write *w) REQUIRES(w->shard->lock)
{
    list_blocks_locked(w);
    ask_blocks(w);
    release_blocks(w);
}

void finish_deferred_locked(struct shard_write *w)
{
    list_blocks_locked(w);
    unlock_shard(w);
    check_labels(w);
    ask_blocks(w);
    release_blocks(w);
    lock_shard(w);
    for (; w->deferred != NULL; w->deferred = w->deferred->next) {
        for (uint32_t from = 0; from < w->deferred->sample_count;) {
            if (w->flush_count != w->shard->flush_count)
                ask_again_locked(w);
            from = add_and_append_locked(w, w->deferred, from);
            (void)let_others_in_locked(w);
        }
    }
}
