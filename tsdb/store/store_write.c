/*
 * The way of a write through the store:
 *
 *   1. find      every series by its hash, in batches                       under the shard's lock
 *                (not those of tenants that send too fast)
 *   2. append    the samples of the series that are known, and log them     under the lock
 *                (not those that a block may have: they are late)
 *   3. check     the labels of the others against the data model, and what  without it
 *                blocks have of the deferred samples
 *   4. add       those within the tenant's limit, append, log               under the lock again
 *   5. wait      register for the commit that makes all of it durable       under the lock
 *
 * Steps 3 and 4 happen only for a write that brings new series or late samples. In steps 2 and 4,
 * every few hundred samples, a write that has had the lock for long lets others have it; one that
 * gives way does at once when one waits that does not.
 */
#include "tsdb/store/store_write_impl.h"

#include "base/check.h"
#include "base/hash.h"

enum {
    FIND_BATCH = 64,
    PIECE_SAMPLES = 128, /* that are appended before others are let in: some 10 us, of repeated ones
                            some 50 */
    LABELS_AHEAD = 32,   /* so that the next series seldom needs more room than this one */
    FIND_STRANGERS = 8,  /* so many are looked up by their hash before the order is tried again */
};

/* A write of usual size is done by then. */
static const uint64_t LOCKED_NS_MAX = 250000;

/* One shard's part of a write; `left` of the commit counts it until the log has answered. */
struct shard_waiter {
    struct wal_waiter base;
    struct write_commit *commit;
};

struct labels labels_given(struct shard_write *w, const struct write_series *series)
{
    if (series->label_count > w->label_capacity) {
        w->label_capacity = (size_t)series->label_count + LABELS_AHEAD;
        w->labels = arena_alloc(w->arena, w->label_capacity * sizeof *w->labels);
    }
    write_series_labels(series, w->labels);
    return (struct labels){w->labels, series->label_count};
}

/* ---- samples ---- */

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

/* Step 2, for the samples [from, to). */
static void append_locked(struct shard_write *w, const struct write_series *series,
                          struct series_ref ref, uint32_t from, uint32_t to)
    REQUIRES(w->shard->lock)
{
    struct shard *shard = w->shard;
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
}

/* Step 4, for the samples [from, to). */
static void append_deferred_locked(struct shard_write *w, const struct deferred_series *deferred,
                                   struct series_ref ref, uint32_t from, uint32_t to)
    REQUIRES(w->shard->lock)
{
    const struct write_series *series = deferred->series;
    for (uint32_t i = from; i < to; i++) {
        struct sample sample = series->samples[deferred->samples[i]];
        enum append_result blocks = deferred->blocks == NULL ? APPEND_OK : deferred->blocks[i];
        if (!is_in_time(w, series, sample))
            continue;
        append_late_locked(w, series, ref, sample, blocks);
    }
    head_note_newest_in_blocks(w->shard->head, ref, deferred->newest_ms);
}

/* ---- series ---- */

/* False when the series may not be active. */
static bool activate_locked(struct shard_write *w, const struct write_series *series,
                            struct series_ref ref) REQUIRES(w->shard->lock)
{
    if (head_is_active(w->shard->head, ref))
        return true;
    if (!has_sample_in_time(w, series) || !may_activate_locked(w, series))
        return false;
    head_activate(w->shard->head, ref, w->monotonic_ms);
    return true;
}

static void find_strangers_locked(struct shard_write *w, struct head_key *keys, size_t count,
                                  struct series_ref *before, struct series_ref *refs)
    REQUIRES(w->shard->lock)
{
    for (size_t i = 0; i < count; i++)
        keys[i].hash = head_key_hash(&keys[i]);
    head_find(w->shard->head, keys, count, refs);
    for (size_t i = 0; i < count; i++) {
        if (refs[i].value == SERIES_REF_NONE.value)
            continue;
        if (before->value != SERIES_REF_NONE.value)
            head_note_order(w->shard->head, *before, refs[i]);
        *before = refs[i];
    }
}

/* `*before` is the last series that was found. */
static void find_locked(struct shard_write *w, struct head_key *keys, size_t count,
                        struct series_ref *before, struct series_ref *refs) REQUIRES(w->shard->lock)
{
    for (size_t done = 0; done < count;) {
        size_t found = head_follow(w->shard->head, *before, keys + done, count - done, refs + done);
        done += found;
        if (found > 0)
            *before = refs[done - 1];
        size_t left = count - done, strangers = left < FIND_STRANGERS ? left : FIND_STRANGERS;
        find_strangers_locked(w, keys + done, strangers, before, refs + done);
        done += strangers;
    }
}

/* ---- the lock ---- */

static void lock_shard(struct shard_write *w) ACQUIRES(w->shard->lock)
{
    uint64_t hasty = w->gives_way ? 0 : 1;
    counter_add(&w->shard->hasty_writes, hasty);
    rwlock_lock_write(&w->shard->lock);
    counter_sub(&w->shard->hasty_writes, hasty);
    w->locked_ns = clock_monotonic_ns(store_clock(w->shard->store));
    if (head_sample_count(w->shard->head) == 0)
        w->shard->head_since_ms = w->monotonic_ms;
    wal_batch_begin(w->shard->wal);
}

static void unlock_shard(struct shard_write *w) RELEASES(w->shard->lock)
{
    wal_batch_end(w->shard->wal);
    shard_note_memory_locked(w->shard);
    rwlock_unlock_write(&w->shard->lock);
}

static bool is_time_to_let_others_in(const struct shard_write *w)
{
    return (w->gives_way && counter_get(&w->shard->hasty_writes) > 0) ||
           clock_monotonic_ns(store_clock(w->shard->store)) - w->locked_ns >= LOCKED_NS_MAX;
}

/* True when others may have had the lock: what was known of the head may no longer be so. */
static bool let_others_in_locked(struct shard_write *w) REQUIRES(w->shard->lock)
{
    if (!is_time_to_let_others_in(w)) {
        wal_batch_offer(w->shard->wal);
        return false;
    }
    unlock_shard(w);
    lock_shard(w);
    return true;
}

/* ---- steps 1 and 2 ---- */

/* `count` series, at most FIND_BATCH. */
static void find_batch_locked(struct shard_write *w, size_t from, size_t count,
                              struct series_ref *before, struct series_ref *refs)
    REQUIRES(w->shard->lock)
{
    struct head_key keys[FIND_BATCH];
    for (size_t i = 0; i < count; i++) {
        const struct write_series *series = series_at(w, from + i);
        keys[i] = (struct head_key){.tenant = series->tenant,
                                    .identity = series->identity,
                                    .labels = series->labels,
                                    .label_count = series->label_count};
    }
    find_locked(w, keys, count, before, refs);
}

/* The samples from `from` on of the series at `index`, one piece of them; returns where the next
   one begins. */
static uint32_t append_found_locked(struct shard_write *w, size_t index, uint32_t from,
                                    struct series_ref ref) REQUIRES(w->shard->lock)
{
    const struct write_series *series = series_at(w, index);
    uint32_t to = end_of_piece(from, series->sample_count);
    enter_tenant(w, series);
    if (ref.value == SERIES_REF_NONE.value) {
        if (!is_refused_early_locked(w, series))
            defer_series(w, series, from);
        return series->sample_count;
    }
    if (!activate_locked(w, series, ref))
        return series->sample_count;
    append_locked(w, series, ref, from, to);
    return to;
}

/* True when others may have had the lock, between two pieces of a series of many samples: a flush
   may have removed it then. */
static bool append_series_locked(struct shard_write *w, size_t index, struct series_ref ref)
    REQUIRES(w->shard->lock)
{
    uint32_t sample_count = series_at(w, index)->sample_count;
    bool were_others_in = false;
    for (uint32_t from = 0;;) {
        from = append_found_locked(w, index, from, ref);
        if (from == sample_count)
            return were_others_in;
        if (let_others_in_locked(w)) {
            struct series_ref before = SERIES_REF_NONE;
            find_batch_locked(w, index, 1, &before, &ref);
            were_others_in = true;
        }
    }
}

/* How many series from `from` on are appended before others are let in: at least one; only the last
   of them can have more than a piece of samples. */
static size_t batch_count(const struct shard_write *w, size_t from)
{
    uint64_t samples = 0;
    size_t to = from;
    while (to < w->count && to - from < FIND_BATCH && samples < PIECE_SAMPLES)
        samples += series_at(w, to++)->sample_count;
    return to - from;
}

static void find_and_append_locked(struct shard_write *w) REQUIRES(w->shard->lock)
{
    struct series_ref refs[FIND_BATCH], before = SERIES_REF_NONE;
    for (size_t from = 0, count; from < w->count; from += count) {
        count = batch_count(w, from);
        find_batch_locked(w, from, count, &before, refs);
        bool were_others_in = false;
        for (size_t i = 0; i < count; i++)
            were_others_in |= append_series_locked(w, from + i, refs[i]);
        were_others_in |= let_others_in_locked(w);
        if (were_others_in)
            before = SERIES_REF_NONE;
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
    uint32_t to = end_of_piece(from, deferred->sample_count);
    append_deferred_locked(w, deferred, ref, from, to);
    return to;
}

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

/* ---- one shard ---- */

static void commit_part_done(struct wal_waiter *waiter, enum status status);

/* Step 5. A write that only repeats what is there waits too: it may not be durable yet. */
static void wait_locked(struct shard_write *w, struct write_commit *commit) REQUIRES(w->shard->lock)
{
    struct shard_waiter *waiter = arena_alloc(w->arena, sizeof *waiter);
    *waiter = (struct shard_waiter){.base.done = commit_part_done, .commit = commit};
    refcount_acquire(&commit->left);
    if (wal_wait(w->shard->wal, &waiter->base)) {
        bool is_last = refcount_release(&commit->left);
        CHECK(!is_last);
    }
}

/* Step 3 anew, with the lock: too rare to let go of it once more. */
static void ask_again_locked(struct shard_write *w) REQUIRES(w->shard->lock)
{
    list_blocks_locked(w);
    ask_blocks(w);
    release_blocks(w);
}

/* Steps 3 and 4. Gives the lock back in between. */
static void finish_deferred_locked(struct shard_write *w) REQUIRES(w->shard->lock)
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

static void write_shard(struct shard_write *w, struct write_commit *commit)
{
    w->deferred_end = &w->deferred;
    lock_shard(w);
    if (w->has_rates)
        refuse_over_rate_locked(w);
    find_and_append_locked(w);
    if (w->deferred != NULL)
        finish_deferred_locked(w);
    count_written(w);
    explain_refusals_locked(w);
    wait_locked(w, commit);
    unlock_shard(w);
}

/* ---- the whole write ---- */

static void release_commit(struct write_commit *commit)
{
    if (refcount_release(&commit->left))
        commit->done(commit, flag_is_set(&commit->has_failed) ? STATUS_UNAVAILABLE : STATUS_OK);
}

static void commit_part_done(struct wal_waiter *waiter, enum status status)
{
    struct write_commit *commit = ((struct shard_waiter *)waiter)->commit;
    if (status != STATUS_OK)
        flag_set(&commit->has_failed);
    release_commit(commit);
}

static bool is_one_shard(const struct write_series *series, size_t count)
{
    for (size_t i = 1; i < count; i++) {
        if (series[i].tenant->shard != series[0].tenant->shard)
            return false;
    }
    return true;
}

/* Whether all logs that are needed can take it, and whether any of the tenants has a rate. */
static enum status check_tenants(struct store *store, const struct write_series *series,
                                 size_t count, bool *has_rates, struct error *err)
{
    const struct tenant *last = NULL;
    if (store_is_out_of_memory(store))
        return error_set(err, STATUS_UNAVAILABLE,
                         "store: no memory for samples until some are on disk "
                         "(err-croft-head-memory), try again later");
    for (size_t i = 0; i < count; i++) {
        if (series[i].tenant == last)
            continue;
        last = series[i].tenant;
        *has_rates |= tenant_has_limit(last, TENANT_LIMIT_INGESTION_RATE);
        if (counter_get(&store->is_short) != 0)
            return error_set(err, STATUS_UNAVAILABLE,
                             "store: the disk is nearly full, try again later");
        if (counter_get(&store->shards[last->shard].is_in_doubt) != 0)
            return error_set(err, STATUS_UNAVAILABLE,
                             "store: shard %u cannot write down what was deleted, try again later",
                             last->shard);
        if (!wal_is_writable(store->shards[last->shard].wal))
            return error_set(err, STATUS_UNAVAILABLE,
                             "store: the log of shard %u cannot take writes now, try again later",
                             last->shard);
    }
    return STATUS_OK;
}

size_t store_write_memory_max(const struct write_series *series, size_t series_count)
{
    size_t bytes = 0;
    for (size_t i = 0; i < series_count; i++) {
        const struct write_series *one = &series[i];
        /* refuse_over_rate_locked, write_many_shards */
        size_t picked_bytes = 2 * sizeof(uint32_t);
        /* add_deferred, need_results */
        size_t deferred_bytes = sizeof(struct deferred_series) +
                                one->sample_count * (sizeof(uint32_t) + sizeof(enum append_result));
        bytes += picked_bytes + deferred_bytes;
    }
    return bytes + refusals_memory_max(series_count);
}

static void write_many_shards(struct store *store, struct shard_write *all,
                              struct write_commit *commit)
{
    uint32_t *picked = arena_alloc(all->arena, all->count * sizeof *picked);
    for (uint32_t s = 0; s < store->shard_count; s++) {
        struct shard_write part = *all;
        part.count = 0;
        for (size_t i = 0; i < all->count; i++) {
            if (all->series[i].tenant->shard == s)
                picked[part.count++] = (uint32_t)i;
        }
        part.picked = picked;
        part.shard = &store->shards[s];
        if (part.count > 0)
            write_shard(&part, commit);
        all->refused_count = part.refused_count;
    }
}

enum status store_write(struct store *store, const struct store_write_request *request,
                        struct error *err)
{
    const struct write_series *series = request->series;
    size_t count = request->series_count;
    struct write_commit *commit = request->commit;
    bool has_rates = false;
    TRY(check_tenants(store, series, count, &has_rates, err));
    struct shard_write w = {.series = series,
                            .count = count,
                            .arena = request->arena,
                            .result = request->result,
                            .has_rates = has_rates,
                            .gives_way = request->gives_way,
                            .now_ms = clock_now_ms(store->options.clock),
                            .monotonic_ms = clock_monotonic_ms(store->options.clock)};
    /* held by this function, so that `done` comes after the last shard was asked */
    refcount_init(&commit->left);
    if (count > 0 && is_one_shard(series, count)) {
        w.shard = &store->shards[series[0].tenant->shard];
        write_shard(&w, commit);
    } else if (count > 0) {
        write_many_shards(store, &w, commit);
    }
    release_commit(commit);
    return STATUS_OK;
}
