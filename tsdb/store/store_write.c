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

enum {
    FIND_BATCH = 64,
    LABELS_AHEAD = 32,  /* so that the next series seldom needs more room than this one */
    FIND_STRANGERS = 8, /* so many are looked up by their hash before the order is tried again */
};

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

/* ---- step 1 ---- */

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

bool activate_locked(struct shard_write *w, const struct write_series *series,
                     struct series_ref ref)
{
    if (head_is_active(w->shard->head, ref))
        return true;
    if (!has_sample_in_time(w, series) || !may_activate_locked(w, series))
        return false;
    head_activate(w->shard->head, ref, w->monotonic_ms);
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
    enter_tenant(w, series);
    if (ref.value == SERIES_REF_NONE.value) {
        if (!is_refused_early_locked(w, series))
            defer_series(w, series, from);
        return series->sample_count;
    }
    if (!activate_locked(w, series, ref))
        return series->sample_count;
    return append_piece_locked(w, series, ref, from);
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
