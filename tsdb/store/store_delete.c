/*
 * Deleting samples of a shard:
 *
 *   1. the head is flushed, so that all of them are in blocks; the log forgets them
 *   2. a deletion for all blocks up to the last sequence that was given out becomes durable
 *   3. readers see it, and the head forgets series that have nothing left, under
 *      the shard's lock
 *
 * A merge that began before has a sequence that the deletion counts for; one that begins later
 * looks at the deletions after it was given its sequence. If a sequence was given out between 2 and
 * 3, both are done again. A flush cannot come between: its lock is held.
 */
#include "tsdb/store/store_impl.h"

#include "base/check.h"
#include "tsdb/store/select_scope.h"

enum { PUBLISH_TRIES = 100 };

struct deleting {
    struct store *store;
    const struct delete_request *request;
    const struct tenant_part *parts; /* of all shards */
    size_t part_count;
};

/* ---- lists ---- */

static enum status copy_list(const struct deletions *from, struct deletions **out,
                             struct error *err)
{
    *out = deletions_new();
    enum status status = STATUS_OK;
    for (size_t i = 0; i < from->count && status == STATUS_OK; i++)
        status = deletions_add(*out, &from->ptr[i], err);
    if (status != STATUS_OK)
        deletions_release(*out);
    return status;
}

static bool is_needed(struct store *store, uint32_t shard, const struct deletion *deletion)
{
    struct arena arena, scratch;
    struct block **blocks;
    size_t count;
    bool is_needed = false;
    arena_init(&arena, SIZE_MAX);
    arena_init(&scratch, SIZE_MAX);
    store_blocks(store, shard, &arena, &blocks, &count);
    for (size_t i = 0; i < count; i++) {
        is_needed = is_needed || deletion_touches(deletion, blocks[i], &scratch);
        block_release(blocks[i]);
    }
    arena_deinit(&scratch);
    arena_deinit(&arena);
    return is_needed;
}

/* ---- one shard ---- */

/* A block that is in no list and whose file may be there at the next start would show what was
   deleted. */
static bool may_have_hidden_blocks(struct shard *shard)
{
    mutex_lock(&shard->files_lock);
    bool may = shard->may_have_strays || shard->leftover_count > 0;
    mutex_unlock(&shard->files_lock);
    return may;
}

static enum status add_part(const struct deleting *d, struct shard *shard,
                            const struct tenant_part *part, uint64_t last_sequence,
                            struct deletions *list, struct error *err)
{
    const struct deletion deletion = {.tenant = part->tenant->id,
                                      .last_sequence = last_sequence,
                                      .min_ts_ms = d->request->min_ts_ms,
                                      .max_ts_ms = d->request->max_ts_ms,
                                      .matchers = part->matchers,
                                      .matcher_count = part->matcher_count,
                                      .since_ms = clock_monotonic_ms(d->store->options.clock)};
    if (!is_needed(d->store, shard->number, &deletion) && !may_have_hidden_blocks(shard))
        return STATUS_OK;
    return deletions_add(list, &deletion, err);
}

static enum status make_list(const struct deleting *d, struct shard *shard, uint64_t last_sequence,
                             struct deletions **out, struct error *err)
{
    struct deletions *old = shard_deletions(shard);
    enum status status = copy_list(old, out, err);
    deletions_release(old);
    TRY(status);
    for (size_t i = 0; i < d->part_count && status == STATUS_OK; i++) {
        if (d->parts[i].tenant->shard == shard->number)
            status = add_part(d, shard, &d->parts[i], last_sequence, *out, err);
    }
    if (status != STATUS_OK)
        deletions_release(*out);
    return status;
}

static uint64_t last_sequence_of(struct shard *shard)
{
    rwlock_lock_read(&shard->lock);
    uint64_t last = shard->next_sequence - 1;
    rwlock_unlock_read(&shard->lock);
    return last;
}

/* Step 2. `*is_over` is false when it has to be done again. */
static enum status try_publish_locked(const struct deleting *d, struct shard *shard, bool *is_over,
                                      struct error *err) REQUIRES(shard->deletions_lock)
{
    struct deletions *list;
    uint64_t last_sequence = last_sequence_of(shard);
    TRY(make_list(d, shard, last_sequence, &list, err));
    enum status status = shard_replace_deletions_locked(shard, list, last_sequence, err);
    *is_over = status == STATUS_OK || last_sequence_of(shard) == last_sequence;
    if (status != STATUS_OK)
        deletions_release(list);
    return status;
}

static enum status publish_locked(const struct deleting *d, struct shard *shard, struct error *err)
    REQUIRES(shard->deletions_lock)
{
    bool is_over = false;
    enum status status = STATUS_OK;
    for (int i = 0; i < PUBLISH_TRIES && !is_over; i++)
        status = try_publish_locked(d, shard, &is_over, err);
    return status;
}

/* Series without samples whose newest one was deleted: whoever asks the head for series must not
   see them. One that lives on comes back with its next sample. */
static enum status forget_series_locked(const struct deleting *d, struct shard *shard,
                                        const struct tenant_part *part, struct arena *arena,
                                        struct error *err) REQUIRES(shard->lock)
{
    struct head *head = shard->head;
    struct matchers matchers = {part->matchers, part->matcher_count};
    struct ref_list refs;
    TRY(head_select(head, part->tenant, matchers, arena, &refs, err));
    for (size_t i = 0; i < refs.count; i++) {
        int64_t min_ts_ms, max_ts_ms;
        head_time_range(head, refs.ptr[i], &min_ts_ms, &max_ts_ms);
        if (min_ts_ms > max_ts_ms && head_newest_ts_ms(head, refs.ptr[i]) <= d->request->max_ts_ms)
            head_forget(head, refs.ptr[i]);
    }
    return STATUS_OK;
}

/* Step 3, after the deletion is published. */
static enum status forget_series(const struct deleting *d, struct shard *shard, struct error *err)
{
    struct arena arena;
    enum status status = STATUS_OK;
    arena_init(&arena, SIZE_MAX);
    rwlock_lock_write(&shard->lock);
    for (size_t i = 0; i < d->part_count && status == STATUS_OK; i++) {
        if (d->parts[i].tenant->shard == shard->number)
            status = forget_series_locked(d, shard, &d->parts[i], &arena, err);
    }
    rwlock_unlock_write(&shard->lock);
    arena_deinit(&arena);
    return status;
}

static enum status delete_locked(const struct deleting *d, struct shard *shard, struct error *err)
    REQUIRES(shard->flush_lock)
{
    TRY(shard_flush_all_locked(shard, err));
    mutex_lock(&shard->deletions_lock);
    enum status status = publish_locked(d, shard, err);
    mutex_unlock(&shard->deletions_lock);
    TRY(status);
    return forget_series(d, shard, err);
}

static bool concerns(const struct deleting *d, const struct shard *shard)
{
    for (size_t i = 0; i < d->part_count; i++) {
        if (d->parts[i].tenant->shard == shard->number)
            return true;
    }
    return false;
}

static enum status delete_in_shards(const struct deleting *d, struct error *err)
{
    for (uint32_t i = 0; i < d->store->shard_count; i++) {
        struct shard *shard = &d->store->shards[i];
        if (!concerns(d, shard))
            continue;
        mutex_lock(&shard->flush_lock);
        enum status status = delete_locked(d, shard, err);
        if (status == STATUS_UNAVAILABLE && disk_reserve_release(&d->store->reserve))
            status = delete_locked(d, shard, err);
        mutex_unlock(&shard->flush_lock);
        TRY(status);
    }
    return STATUS_OK;
}

/* ---- all ---- */

/* A matcher on what only a read of several tenants shows cannot be put to stored labels; leaving it
   out would delete more than was asked for. */
static enum status check_parts(const struct deleting *d, struct error *err)
{
    for (size_t i = 0; i < d->part_count; i++) {
        if (d->parts[i].on_original_count > 0)
            return error_set(err, STATUS_INVALID,
                             "delete: a matcher on the label %.*s needs a request for one tenant",
                             STR_ARG(d->parts[i].on_original[0].name));
    }
    return STATUS_OK;
}

enum status store_delete(struct store *store, const struct delete_request *request,
                         struct error *err)
{
    struct arena arena;
    struct tenant_part *parts;
    const struct select_options options = {.scope = request->scope,
                                           .matchers = request->matchers,
                                           .matcher_count = request->matcher_count};
    struct deleting d = {.store = store, .request = request};
    arena_init(&arena, SIZE_MAX);
    scope_parts(store->tenants, store->options.tenant_label, &options, &arena, &parts,
                &d.part_count);
    d.parts = parts;
    enum status status = check_parts(&d, err);
    if (status == STATUS_OK && request->min_ts_ms <= request->max_ts_ms)
        status = delete_in_shards(&d, err);
    arena_deinit(&arena);
    return status;
}

/* ---- when it is over ---- */

struct deletions *store_deletions(struct store *store, uint32_t shard)
{
    CHECK(shard < store->shard_count);
    return shard_deletions(&store->shards[shard]);
}

static enum status copy_needed(struct shard *shard, const struct deletions *old,
                               struct deletions **out, struct error *err)
{
    *out = deletions_new();
    enum status status = STATUS_OK;
    for (size_t i = 0; i < old->count && status == STATUS_OK; i++) {
        if (is_needed(shard->store, shard->number, &old->ptr[i]))
            status = deletions_add(*out, &old->ptr[i], err);
    }
    if (status != STATUS_OK)
        deletions_release(*out);
    return status;
}

static uint64_t blocks_version(struct shard *shard)
{
    rwlock_lock_read(&shard->lock);
    uint64_t version = shard->blocks_version;
    rwlock_unlock_read(&shard->lock);
    return version;
}

static enum status forget_locked(struct shard *shard, struct error *err)
    REQUIRES(shard->deletions_lock)
{
    struct deletions *list;
    struct deletions *old = shard_deletions(shard);
    size_t before = old->count;
    enum status status = copy_needed(shard, old, &list, err);
    deletions_release(old);
    TRY(status);
    if (list->count == before) {
        deletions_release(list);
        return STATUS_OK;
    }
    status = shard_replace_deletions_locked(shard, list, UINT64_MAX, err);
    if (status != STATUS_OK)
        deletions_release(list);
    return status;
}

enum status store_forget_deletions(struct store *store, uint32_t number, struct error *err)
{
    CHECK(number < store->shard_count);
    struct shard *shard = &store->shards[number];
    if (may_have_hidden_blocks(shard))
        return STATUS_OK;
    mutex_lock(&shard->deletions_lock);
    uint64_t version = blocks_version(shard);
    enum status status = shard->needed_version == version ? STATUS_OK : forget_locked(shard, err);
    if (status == STATUS_OK)
        shard->needed_version = version;
    mutex_unlock(&shard->deletions_lock);
    return status;
}
