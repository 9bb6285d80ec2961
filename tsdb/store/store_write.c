/*
 * The way of a write through the store:
 *
 *   1. find      every series by its hash, in batches                       under the shard's lock
 *                (not those of tenants that send too fast)
 *   2. append    the samples of the series that are known, and log them     under the lock
 *   3. check     the labels of the others against the data model            without it
 *   4. add       those within the tenant's limit, append, log               under the lock again
 *   5. wait      register for the commit that makes all of it durable       under the lock
 *
 * Steps 3 and 4 happen only for a write that brings new series.
 */
#include "tsdb/store/store_write_impl.h"

#include "base/check.h"

enum { FIND_BATCH = 64 };

/* One shard's part of a write; `left` of the commit counts it until the log has answered. */
struct shard_waiter {
    struct wal_waiter base;
    struct write_commit *commit;
};

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

static void append_locked(struct shard_write *w, const struct write_series *series,
                          struct series_ref ref) REQUIRES(w->shard->lock)
{
    struct shard *shard = w->shard;
    uint64_t written = 0;
    for (uint32_t i = 0; i < series->sample_count; i++) {
        struct sample sample = series->samples[i];
        if (!is_in_time(w, series, sample) || is_too_late_locked(w, series, ref, sample))
            continue;
        enum append_result result = head_append(shard->head, ref, sample, w->monotonic_ms);
        if (result == APPEND_CONFLICT) {
            refuse_sample(w, series, REJECT_DUPLICATE_TIMESTAMP, sample,
                          "duplicate sample for timestamp with another value");
            continue;
        }
        if (result == APPEND_OK) {
            declare_locked(w, series, ref);
            wal_log_sample(shard->wal, ref, sample);
        }
        written++;
    }
    w->result->samples_written += written;
    counter_add(&series->tenant->samples_written, written);
}

/* ---- series ---- */

static void append_known_locked(struct shard_write *w, const struct write_series *series,
                                struct series_ref ref) REQUIRES(w->shard->lock)
{
    if (!head_is_active(w->shard->head, ref)) {
        if (!has_sample_in_time(w, series) || !is_within_limit_locked(w, series))
            return;
        head_activate(w->shard->head, ref, w->monotonic_ms);
    }
    append_locked(w, series, ref);
}

static void find_and_append_locked(struct shard_write *w) REQUIRES(w->shard->lock)
{
    struct head_key keys[FIND_BATCH];
    struct series_ref refs[FIND_BATCH];
    for (size_t from = 0; from < w->count; from += FIND_BATCH) {
        size_t count = w->count - from < FIND_BATCH ? w->count - from : FIND_BATCH;
        for (size_t i = 0; i < count; i++) {
            const struct write_series *series = series_at(w, from + i);
            keys[i] = (struct head_key){.tenant = series->tenant,
                                        .hash = series->identity_hash,
                                        .identity = series->identity,
                                        .labels = series->labels,
                                        .label_count = series->label_count};
        }
        head_find(w->shard->head, keys, count, refs);
        for (size_t i = 0; i < count; i++) {
            const struct write_series *series = series_at(w, from + i);
            enter_tenant(w, series);
            if (refs[i].value != SERIES_REF_NONE.value)
                append_known_locked(w, series, refs[i]);
            else if (!is_refused_early_locked(w, series))
                w->missing[w->missing_count++] = (uint32_t)(series - w->series);
        }
    }
}

/* `labels` are canonical; somebody else may have added the series since step 1, or it came
 * unsorted. */
static void add_and_append_locked(struct shard_write *w, const struct write_series *series,
                                  struct labels labels) REQUIRES(w->shard->lock)
{
    struct head *head = w->shard->head;
    enter_tenant(w, series);
    struct head_key key = {.tenant = series->tenant,
                           .hash = labels_identity_hash(labels),
                           .labels = labels.ptr,
                           .label_count = labels.count};
    struct series_ref ref;
    head_find(head, &key, 1, &ref);
    if (ref.value != SERIES_REF_NONE.value) {
        append_known_locked(w, series, ref);
        return;
    }
    if (!has_sample_in_time(w, series) || !may_add_locked(w, series, labels))
        return;
    append_locked(w, series, head_add(head, series->tenant, labels, w->monotonic_ms));
}

/* Step 3: canonical labels of the missing series; those that are not valid are refused and left
 * out. */
static struct labels *check_missing(struct shard_write *w)
{
    struct labels *canonical = arena_alloc(w->arena, w->missing_count * sizeof *canonical);
    size_t kept = 0;
    for (size_t i = 0; i < w->missing_count; i++) {
        const struct write_series *series = &w->series[w->missing[i]];
        struct error why;
        struct label_limits limits = label_limits_of(w, series->tenant);
        if (labels_canonicalise(series->labels, series->label_count, &limits, w->arena,
                                &canonical[kept], &why) != STATUS_OK) {
            refuse_labels(w, series, &why);
            continue;
        }
        w->missing[kept++] = w->missing[i];
    }
    w->missing_count = kept;
    return canonical;
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

static void write_shard(struct shard_write *w, struct write_commit *commit)
{
    w->missing = arena_alloc(w->arena, w->count * sizeof *w->missing);
    rwlock_lock_write(&w->shard->lock);
    if (head_sample_count(w->shard->head) == 0)
        w->shard->head_since_ms = w->monotonic_ms;
    if (w->has_rates)
        refuse_over_rate_locked(w);
    wal_batch_begin(w->shard->wal);
    find_and_append_locked(w);
    wal_batch_end(w->shard->wal);
    if (w->missing_count > 0) {
        rwlock_unlock_write(&w->shard->lock);
        struct labels *canonical = check_missing(w);
        rwlock_lock_write(&w->shard->lock);
        wal_batch_begin(w->shard->wal);
        for (size_t i = 0; i < w->missing_count; i++)
            add_and_append_locked(w, &w->series[w->missing[i]], canonical[i]);
        wal_batch_end(w->shard->wal);
    }
    wait_locked(w, commit);
    rwlock_unlock_write(&w->shard->lock);
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
    for (size_t i = 0; i < count; i++) {
        if (series[i].tenant == last)
            continue;
        last = series[i].tenant;
        *has_rates |= tenant_limit(last, TENANT_LIMIT_INGESTION_RATE) != TENANT_LIMIT_NONE;
        if (!wal_is_writable(store->shards[last->shard].wal))
            return error_set(err, STATUS_UNAVAILABLE,
                             "store: the log of shard %u cannot take writes now, try again later",
                             last->shard);
    }
    return STATUS_OK;
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
    }
}

enum status store_write(struct store *store, const struct write_series *series, size_t series_count,
                        struct arena *arena, struct write_result *result,
                        struct write_commit *commit, struct error *err)
{
    bool has_rates = false;
    TRY(check_tenants(store, series, series_count, &has_rates, err));
    struct shard_write w = {.series = series,
                            .count = series_count,
                            .arena = arena,
                            .result = result,
                            .has_rates = has_rates,
                            .now_ms = clock_now_ms(store->options.clock),
                            .monotonic_ms = clock_monotonic_ms(store->options.clock)};
    /* held by this function, so that `done` comes after the last shard was asked */
    refcount_init(&commit->left);
    if (series_count > 0 && is_one_shard(series, series_count)) {
        w.shard = &store->shards[series[0].tenant->shard];
        write_shard(&w, commit);
    } else if (series_count > 0) {
        write_many_shards(store, &w, commit);
    }
    release_commit(commit);
    return STATUS_OK;
}
