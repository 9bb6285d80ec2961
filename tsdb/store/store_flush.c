/*
 * A flush moves what the head of a shard holds into blocks, one per UTC day of the samples:
 *
 *   1. the log ends its epoch and the head moves its samples aside              under the lock
 *   2. the series that have samples aside are listed and sorted by tenant, labels
 *   3. their samples are written to the blocks, which become durable and are opened; several times
 *      when they are of very many days, some days each time
 *   4. the blocks are published; readers that began before are waited for
 *   5. the head forgets what was aside, the log drops its epoch
 *
 * A crash before the last block of step 3 is durable leaves the log in charge; after it, the block
 * that is finished last says which epoch is covered, and the log is dropped at the next start. When
 * step 3 fails that block goes first, and durably: as long as it may come back after a power cut,
 * the others must stay.
 */
#include "tsdb/store/store_impl.h"

#include <stdio.h>

#include "base/check.h"
#include "base/log.h"
#include "base/mem.h"
#include "tsdb/files/filenames.h"
#include "tsdb/head/flush_list.h"

/* Each block is an open file while it is written; so many days are written at a time. */
enum { DAYS_AT_A_TIME = 64, LIST_BATCH = 1024 };

#define DAY_MS INT64_C(86400000)

/* A block while it is being written. */
struct flush_block {
    int64_t day;
    struct block_writer *writer; /* NULL once it is finished */
    const struct tenant *tenant; /* whose section is open */
    char path[DISK_PATH_MAX];    /* empty while there is no file of that name */
    struct block *block;         /* when it is durable */
};

struct flush {
    struct shard *shard;
    struct flush_list list;
    struct arena labels;        /* of the series at hand */
    int64_t min_ts_ms;          /* no sample is before it; INT64_MAX before any was seen */
    int64_t first_day;          /* of those that are written this time */
    int64_t next_day;           /* the first one of the next time; INT64_MAX when there is none */
    size_t first_block;         /* of this time */
    struct flush_block *blocks; /* base/mem */
    size_t block_count;
    size_t block_capacity;
    uint32_t ended_epoch;
    char blocks_folder[DISK_PATH_MAX];
};

/* ---- 1: move aside ---- */

static void begin_flush(struct flush *flush)
{
    struct shard *shard = flush->shard;
    rwlock_lock_write(&shard->lock);
    flush->ended_epoch = wal_end_epoch(shard->wal);
    head_flush_begin(shard->head);
    rwlock_unlock_write(&shard->lock);
}

/* ---- 2: list and sort ---- */

static int64_t day_of(int64_t ts_ms)
{
    return ts_ms >= 0 ? ts_ms / DAY_MS : -((-(ts_ms + 1)) / DAY_MS) - 1;
}

static void note_min_locked(struct flush *flush, struct series_ref ref)
    REQUIRES_SHARED(flush->shard->lock)
{
    int64_t min_ts_ms, max_ts_ms;
    head_time_range(flush->shard->head, ref, &min_ts_ms, &max_ts_ms);
    if (min_ts_ms < flush->min_ts_ms)
        flush->min_ts_ms = min_ts_ms;
}

static void list_batch_locked(struct flush *flush, uint32_t from, uint32_t to)
    REQUIRES_SHARED(flush->shard->lock)
{
    const struct head *head = flush->shard->head;
    for (uint32_t slot = from; slot < to; slot++) {
        struct series_ref ref = {slot};
        if (!head_flush_has(head, ref))
            continue;
        note_min_locked(flush, ref);
        flush_list_add(&flush->list, head, ref);
    }
}

/* In batches, so that writers wait for a batch at most. Series that are added meanwhile have
   nothing aside, and none is removed before step 5. */
static void list_series(struct flush *flush)
{
    rwlock_lock_read(&flush->shard->lock);
    uint32_t slot_count = head_slot_count(flush->shard->head);
    rwlock_unlock_read(&flush->shard->lock);
    for (uint32_t from = 0; from < slot_count; from += LIST_BATCH) {
        uint32_t to = slot_count - from < LIST_BATCH ? slot_count : from + LIST_BATCH;
        rwlock_lock_read(&flush->shard->lock);
        list_batch_locked(flush, from, to);
        rwlock_unlock_read(&flush->shard->lock);
    }
    flush_list_sort(&flush->list);
}

/* ---- 3: write ---- */

/* The block that is opened first is finished last (see write_blocks), so it alone may say that the
   ended epoch is covered. */
static enum status add_block(struct flush *flush, int64_t day, struct flush_block **out,
                             struct error *err)
{
    flush->blocks = mem_grow(flush->blocks, &flush->block_capacity, flush->block_count + 1,
                             sizeof *flush->blocks);
    struct shard *shard = flush->shard;
    rwlock_lock_write(&shard->lock);
    uint64_t sequence = shard->next_sequence++;
    rwlock_unlock_write(&shard->lock);
    bool is_first = flush->block_count == 0;
    struct block_meta meta = {.shard = shard->number,
                              .sequence = sequence,
                              .covered_epoch =
                                  is_first ? flush->ended_epoch : shard->covered_epoch};
    struct flush_block *block = &flush->blocks[flush->block_count];
    *block = (struct flush_block){.day = day};
    TRY(block_writer_open(shard->store->options.disk, flush->blocks_folder, &meta, &block->writer,
                          err));
    flush->block_count++;
    *out = block;
    return STATUS_OK;
}

static enum status find_block(struct flush *flush, int64_t day, struct flush_block **out,
                              struct error *err)
{
    for (size_t i = flush->first_block; i < flush->block_count; i++) {
        if (flush->blocks[i].day == day) {
            *out = &flush->blocks[i];
            return STATUS_OK;
        }
    }
    return add_block(flush, day, out, err);
}

/* A series that is being written. */
struct flush_series {
    const struct tenant *tenant;
    struct labels labels;
};

static enum status write_part(struct flush *flush, const struct flush_series *series, int64_t day,
                              const struct columns *part, struct error *err)
{
    struct flush_block *block = NULL;
    TRY(find_block(flush, day, &block, err));
    if (block->tenant != series->tenant) {
        TRY(block_writer_tenant(block->writer, &series->tenant->id, err));
        block->tenant = series->tenant;
    }
    return block_writer_series(block->writer, series->labels, part, err);
}

/* Whether the day's turn is this time; notes the next one. */
static bool is_now(struct flush *flush, int64_t day)
{
    bool is_later = day >= flush->first_day + DAYS_AT_A_TIME;
    if (is_later && day < flush->next_day)
        flush->next_day = day;
    return !is_later && day >= flush->first_day;
}

static enum status write_days(struct flush *flush, const struct flush_series *series,
                              const struct columns *samples, struct error *err)
{
    for (size_t from = 0, to; from < samples->count; from = to) {
        int64_t day = day_of(samples->ts_ms[from]);
        for (to = from + 1; to < samples->count && day_of(samples->ts_ms[to]) == day;)
            to++;
        struct columns part = {
            .ts_ms = samples->ts_ms + from, .values = samples->values + from, .count = to - from};
        if (is_now(flush, day))
            TRY(write_part(flush, series, day, &part, err));
    }
    return STATUS_OK;
}

static enum status write_series(struct flush *flush, const struct listed_series *listed,
                                struct columns *samples, struct error *err)
{
    struct shard *shard = flush->shard;
    columns_reset(samples);
    arena_reset(&flush->labels);
    rwlock_lock_read(&shard->lock);
    struct flush_series series = {listed->tenant,
                                  head_labels(shard->head, listed->ref, &flush->labels)};
    enum status status = head_flush_read(shard->head, listed->ref, samples, err);
    rwlock_unlock_read(&shard->lock);
    TRY(status);
    return write_days(flush, &series, samples, err);
}

static enum status write_all_series(struct flush *flush, struct error *err)
{
    struct columns samples;
    columns_init(&samples);
    enum status status = STATUS_OK;
    for (size_t i = 0; i < flush->list.count && status == STATUS_OK; i++)
        status = write_series(flush, &flush->list.series[i], &samples, err);
    columns_deinit(&samples);
    return status;
}

static enum status finish_block(struct flush *flush, struct flush_block *block, struct error *err)
{
    struct block_writer *writer = block->writer;
    block->writer = NULL;
    TRY(block_writer_finish(writer, block->path, err));
    return block_open(flush->shard->store->options.disk, block->path, &block->block, err);
}

static enum status write_blocks(struct flush *flush, struct error *err)
{
    list_series(flush);
    flush->next_day = day_of(flush->min_ts_ms);
    while (flush->next_day != INT64_MAX) {
        flush->first_day = flush->next_day;
        flush->next_day = INT64_MAX;
        flush->first_block = flush->block_count;
        TRY(write_all_series(flush, err));
        for (size_t i = flush->block_count; i > flush->first_block && i > 1; i--)
            TRY(finish_block(flush, &flush->blocks[i - 1], err));
    }
    return finish_block(flush, &flush->blocks[0], err);
}

/* ---- 4 and 5: publish ---- */

static enum status publish(struct flush *flush, struct error *err)
{
    struct shard *shard = flush->shard;
    for (size_t i = 0; i < flush->block_count; i++)
        shard_manifest_add(shard, flush->blocks[i].block);
    rwlock_lock_write(&shard->lock);
    for (size_t i = 0; i < flush->block_count; i++)
        shard_add_block_locked(shard, flush->blocks[i].block);
    shard->flush_count++;
    rwlock_unlock_write(&shard->lock);
    read_guard_drain(&shard->guard);
    rwlock_lock_write(&shard->lock);
    head_flush_end(shard->head);
    shard_note_memory_locked(shard);
    rwlock_unlock_write(&shard->lock);
    shard->covered_epoch = flush->ended_epoch;
    return shard_drop_log(shard, flush->ended_epoch, err);
}

static enum status remove_file(struct flush *flush, struct flush_block *block, struct error *err)
{
    if (block->path[0] == '\0')
        return STATUS_OK;
    enum status status = disk_unlink(flush->shard->store->options.disk, block->path, err);
    if (status != STATUS_OK && status != STATUS_NOT_FOUND)
        return status;
    return shard_sync_blocks(flush->shard, err);
}

static void note_stray(struct shard *shard)
{
    mutex_lock(&shard->files_lock);
    shard_note_stray_locked(shard);
    mutex_unlock(&shard->files_lock);
}

/* The first block first: it says that the log is not needed. When it cannot be removed the others
   stay beside it: they hold what the log has as well. */
static void remove_blocks(struct flush *flush)
{
    enum status status = STATUS_OK;
    for (size_t i = 0; i < flush->block_count; i++) {
        struct flush_block *block = &flush->blocks[i];
        block_writer_abort(block->writer);
        block_release(block->block);
        if (status != STATUS_OK)
            continue;
        struct error err;
        status = remove_file(flush, block, &err);
        if (status != STATUS_OK) {
            log_error("flush: the blocks of a failed flush stay: %s", err.text);
            note_stray(flush->shard);
        }
    }
}

/* The log still has everything, and the head takes back what was aside. */
static void undo(struct flush *flush)
{
    struct shard *shard = flush->shard;
    remove_blocks(flush);
    rwlock_lock_write(&shard->lock);
    head_flush_abort(shard->head);
    shard_note_memory_locked(shard);
    shard->head_since_ms = clock_monotonic_ms(shard->store->options.clock);
    rwlock_unlock_write(&shard->lock);
}

static enum status run_flush(struct flush *flush, struct error *err)
{
    begin_flush(flush);
    enum status status = write_blocks(flush, err);
    if (status != STATUS_OK) {
        undo(flush);
        return status;
    }
    return publish(flush, err);
}

static bool has_samples(struct shard *shard)
{
    rwlock_lock_read(&shard->lock);
    bool has = head_sample_count(shard->head) > 0;
    rwlock_unlock_read(&shard->lock);
    return has;
}

static enum status flush_locked(struct shard *shard, struct error *err) REQUIRES(shard->flush_lock)
{
    if (!has_samples(shard))
        return STATUS_OK;
    struct flush flush = {.shard = shard, .min_ts_ms = INT64_MAX};
    flush_list_init(&flush.list);
    arena_init(&flush.labels, SIZE_MAX);
    snprintf(flush.blocks_folder, sizeof flush.blocks_folder, "%s/%s", shard->folder,
             BLOCKS_FOLDER);
    enum status status = run_flush(&flush, err);
    mem_free(flush.blocks);
    arena_deinit(&flush.labels);
    flush_list_deinit(&flush.list);
    mem_return_unused();
    return status;
}

enum status store_flush_shard(struct store *store, uint32_t number, struct error *err)
{
    CHECK(number < store->shard_count);
    struct shard *shard = &store->shards[number];
    mutex_lock(&shard->flush_lock);
    enum status status = flush_locked(shard, err);
    mutex_unlock(&shard->flush_lock);
    return status;
}

enum status shard_flush_all_locked(struct shard *shard, struct error *err)
{
    TRY(flush_locked(shard, err));
    /* an earlier flush may have failed to */
    return shard_drop_log(shard, shard->covered_epoch, err);
}
