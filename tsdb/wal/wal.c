#include "tsdb/wal/wal.h"

#include <stdio.h>

#include "base/check.h"
#include "base/mem.h"
#include "base/thread.h"
#include "tsdb/wal/wal_batch.h"
#include "tsdb/wal/wal_files.h"
#include "tsdb/wal/wal_frame.h"

enum {
    /* Encoded frames are handed to the disk in pieces of about this size. */
    WRITE_BYTES = 1 << 20,
    WRITE_BYTES_MAX = WRITE_BYTES + FRAME_HEADER_BYTES + FRAME_RAW_BYTES_MAX,
    /* An emptied batch up to this size is used again. */
    SPARE_BYTES_MAX = 16 << 20,
};

/* One request may be logged beyond batch_max_bytes, and its size has a limit far below this. */
static const size_t BATCH_ROOM_BYTES = (size_t)1 << 30;

/*
 * filling ──(wal_commit, wal_end_epoch)──► queue ──(written and synced)──► gone
 *
 * A batch whose write failed stays at the head of the queue.
 */
struct wal {
    struct disk *disk;
    char folder[DISK_PATH_MAX];
    uint32_t shard;
    uint64_t segment_bytes_max;
    uint64_t batch_bytes_max;
    void (*wake)(void *context);
    void *wake_context;

    /* A commit never waits for this one: who writes much has it nearly always. Order: the shard's
       lock, filling_lock, lock. */
    struct mutex filling_lock;

    struct mutex lock;
    struct cond is_given;      /* is_wanted no more */
    struct wal_batch *filling; /* guarded by lock, while it is filled by filling_lock */
    bool is_filled;            /* guarded by lock; somebody is at it */
    struct counter is_wanted;  /* written under lock; by a commit: who is at it gives it away */
    bool is_waited_for;      /* guarded by lock; somebody has begun to wait, no commit was woken */
    struct wal_batch *spare; /* guarded by lock */
    struct wal_batch *first, *last; /* guarded by lock; the queue, oldest first */
    struct counter epoch;           /* written under lock; of `filling` */

    struct counter pending_bytes; /* of the queue and of `filling` */
    struct counter is_refusing;   /* the last commit failed */

    /* of the committing thread */
    struct wal_segment segment;
    struct segment_id previous; /* the last segment with anything durable */
    uint64_t previous_bytes;
    uint32_t next_number;
    struct last_values last_values; /* of the open segment */
    struct buffer records;          /* of one frame */
    struct buffer out;

    struct wal_files files;
    bool is_drop_unsynced; /* of the dropping thread: names that are gone may come back */
    struct wal_counters counters;
};

/* ---- opening and closing ---- */

static struct wal *wal_new(const struct wal_options *options)
{
    struct wal *wal = mem_alloc_zeroed(1, sizeof *wal);
    wal->disk = options->disk;
    wal->shard = options->shard;
    wal->segment_bytes_max = options->segment_bytes;
    wal->batch_bytes_max = options->batch_max_bytes;
    wal->next_number = 1;
    int len = snprintf(wal->folder, sizeof wal->folder, "%s", options->folder);
    CHECK(len < DISK_PATH_MAX);
    mutex_init(&wal->filling_lock);
    mutex_init(&wal->lock);
    cond_init(&wal->is_given);
    wal_files_init(&wal->files);
    last_values_init(&wal->last_values);
    buffer_init(&wal->records, FRAME_RAW_BYTES_MAX);
    buffer_init(&wal->out, WRITE_BYTES_MAX);
    wal->filling = batch_new(wal->batch_bytes_max + BATCH_ROOM_BYTES);
    return wal;
}

enum status wal_open(const struct wal_options *options, struct wal **out, struct error *err)
{
    struct wal *wal = wal_new(options);
    enum status status = wal_files_scan(&wal->files, wal->disk, wal->folder, err);
    if (status != STATUS_OK) {
        wal_close(wal);
        return status;
    }
    uint32_t last = wal_files_last_epoch(&wal->files);
    uint32_t epoch = 1 + (last > options->epoch_after ? last : options->epoch_after);
    counter_set(&wal->epoch, epoch);
    wal->filling->epoch = epoch;
    *out = wal;
    return STATUS_OK;
}

static void tell(struct wal_waiter *waiter, enum status status)
{
    while (waiter != NULL) {
        struct wal_waiter *next = waiter->next;
        waiter->done(waiter, status);
        waiter = next;
    }
}

static void close_batch(struct wal_batch *batch)
{
    if (batch == NULL)
        return;
    tell(batch_take_waiters(batch), STATUS_CANCELLED);
    batch_free(batch);
}

void wal_close(struct wal *wal)
{
    while (wal->first != NULL) {
        struct wal_batch *batch = wal->first;
        wal->first = batch->next;
        close_batch(batch);
    }
    close_batch(wal->filling);
    close_batch(wal->spare);
    segment_close(&wal->segment);
    last_values_deinit(&wal->last_values);
    buffer_deinit(&wal->records);
    buffer_deinit(&wal->out);
    wal_files_deinit(&wal->files);
    cond_deinit(&wal->is_given);
    mutex_deinit(&wal->lock);
    mutex_deinit(&wal->filling_lock);
    mem_free(wal);
}

/* ---- logging ---- */

/* Ends the batch that was being filled, if there is anything in it. */
static void enqueue_filling_locked(struct wal *wal) REQUIRES(wal->lock)
{
    struct wal_batch *batch = wal->filling;
    if (batch_size_bytes(batch) == 0)
        return;
    batch_seal(batch);
    if (wal->first == NULL)
        wal->first = batch;
    else
        wal->last->next = batch;
    wal->last = batch;
    wal->filling =
        wal->spare != NULL ? wal->spare : batch_new(wal->batch_bytes_max + BATCH_ROOM_BYTES);
    wal->spare = NULL;
    wal->filling->epoch = batch->epoch;
}

bool wal_is_writable(const struct wal *wal)
{
    return counter_get(&wal->is_refusing) == 0 &&
           counter_get(&wal->pending_bytes) < wal->batch_bytes_max;
}

void wal_batch_begin(struct wal *wal) NO_THREAD_SAFETY_ANALYSIS
{
    mutex_lock(&wal->filling_lock);
    mutex_lock(&wal->lock);
    wal->is_filled = true;
    mutex_unlock(&wal->lock);
    counter_sub(&wal->pending_bytes, batch_size_bytes(wal->filling));
}

static void give_if_wanted_locked(struct wal *wal) REQUIRES(wal->lock)
{
    if (counter_get(&wal->is_wanted) == 0)
        return;
    enqueue_filling_locked(wal);
    counter_set(&wal->is_wanted, 0);
    cond_signal(&wal->is_given);
}

void wal_batch_offer(struct wal *wal)
{
    CHECK(mutex_is_held(&wal->filling_lock));
    if (counter_get(&wal->is_wanted) == 0)
        return;
    counter_add(&wal->pending_bytes, batch_size_bytes(wal->filling));
    mutex_lock(&wal->lock);
    give_if_wanted_locked(wal);
    mutex_unlock(&wal->lock);
    counter_sub(&wal->pending_bytes, batch_size_bytes(wal->filling));
}

void wal_batch_end(struct wal *wal) NO_THREAD_SAFETY_ANALYSIS
{
    counter_add(&wal->pending_bytes, batch_size_bytes(wal->filling));
    mutex_lock(&wal->lock);
    wal->is_filled = false;
    give_if_wanted_locked(wal);
    bool wakes = wal->is_waited_for && wal->wake != NULL;
    wal->is_waited_for = false;
    mutex_unlock(&wal->lock);
    mutex_unlock(&wal->filling_lock);
    if (wakes)
        wal->wake(wal->wake_context);
}

uint32_t wal_epoch(const struct wal *wal)
{
    return (uint32_t)counter_get(&wal->epoch);
}

void wal_log_series(struct wal *wal, struct series_ref ref, const struct tenant_id *tenant,
                    struct labels labels)
{
    CHECK(mutex_is_held(&wal->filling_lock));
    batch_log_series(wal->filling, ref, tenant, labels);
}

void wal_log_sample(struct wal *wal, struct series_ref ref, struct sample sample)
{
    CHECK(mutex_is_held(&wal->filling_lock));
    batch_log_sample(wal->filling, ref, sample);
}

/* ---- the queue ---- */

uint32_t wal_end_epoch(struct wal *wal)
{
    mutex_lock(&wal->filling_lock);
    mutex_lock(&wal->lock);
    uint32_t ended = wal->filling->epoch;
    CHECK(ended < UINT32_MAX);
    enqueue_filling_locked(wal);
    wal->filling->epoch = ended + 1;
    counter_set(&wal->epoch, ended + 1);
    mutex_unlock(&wal->lock);
    mutex_unlock(&wal->filling_lock);
    return ended;
}

bool wal_wait(struct wal *wal, struct wal_waiter *waiter)
{
    CHECK(mutex_is_held(&wal->filling_lock));
    mutex_lock(&wal->lock);
    struct wal_batch *newest = batch_size_bytes(wal->filling) > 0 ? wal->filling
                               : wal->first != NULL               ? wal->last
                                                                  : NULL;
    if (newest != NULL)
        batch_add_waiter(newest, waiter);
    wal->is_waited_for |= newest != NULL;
    mutex_unlock(&wal->lock);
    return newest == NULL;
}

void wal_set_wake(struct wal *wal, void (*wake)(void *context), void *context)
{
    wal->wake = wake;
    wal->wake_context = context;
}

bool wal_has_pending(const struct wal *wal)
{
    return counter_get(&wal->pending_bytes) > 0;
}

static struct wal_batch *first_batch(struct wal *wal)
{
    mutex_lock(&wal->lock);
    struct wal_batch *batch = wal->first;
    mutex_unlock(&wal->lock);
    return batch;
}

/* The first batch is durable. */
static void finish_first(struct wal *wal)
{
    mutex_lock(&wal->lock);
    struct wal_batch *batch = wal->first;
    wal->first = batch->next;
    counter_sub(&wal->pending_bytes, batch_size_bytes(batch));
    struct wal_waiter *waiters = batch_take_waiters(batch);
    if (wal->spare == NULL && batch_memory_bytes(batch) <= SPARE_BYTES_MAX) {
        batch_reset(batch);
        wal->spare = batch;
        batch = NULL;
    }
    mutex_unlock(&wal->lock);
    batch_free(batch);
    tell(waiters, STATUS_OK);
}

/* Everybody who waits for a batch of the queue learns that it is not durable; the batches stay. */
static void tell_all_unavailable(struct wal *wal)
{
    struct wal_waiter *all = NULL, **end = &all;
    mutex_lock(&wal->lock);
    for (struct wal_batch *batch = wal->first; batch != NULL; batch = batch->next) {
        if (batch->first_waiter == NULL)
            continue;
        struct wal_waiter **batch_end = batch->waiter_end;
        *end = batch_take_waiters(batch);
        end = batch_end;
    }
    mutex_unlock(&wal->lock);
    tell(all, STATUS_UNAVAILABLE);
}

/* ---- committing ---- */

/* A file that holds nothing durable goes; if the disk does not let it go, the next segment's header
   says that it is void, and it goes with its epoch. */
static void give_up_segment(struct wal *wal)
{
    segment_close(&wal->segment);
    if (wal->segment.durable_bytes > 0)
        return;
    char path[DISK_PATH_MAX];
    struct error ignored;
    segment_path(path, wal->folder, wal->segment.id);
    enum status status = disk_unlink(wal->disk, path, &ignored);
    if (status == STATUS_OK || status == STATUS_NOT_FOUND)
        wal_files_remove(&wal->files, wal->segment.id);
}

static enum status begin_segment(struct wal *wal, uint32_t epoch, struct error *err)
{
    struct segment_header header = {.shard = wal->shard,
                                    .id = {epoch, wal->next_number++},
                                    .previous = wal->previous,
                                    .previous_bytes = wal->previous_bytes};
    /* each segment is read without those before it, and what a failed write left is void */
    last_values_reset(&wal->last_values);
    enum status status = segment_create(&wal->segment, wal->disk, wal->folder, &header, err);
    if (wal->segment.file != NULL)
        wal_files_set(&wal->files, wal->segment.id, wal->segment.size_bytes);
    if (status != STATUS_OK)
        give_up_segment(wal);
    return status;
}

void wal_leave_proof(struct wal *wal)
{
    struct error ignored;
    uint32_t epoch = wal->segment.id.epoch;
    if (wal->segment.file == NULL || wal->segment.durable_bytes < wal->segment.size_bytes)
        return;
    /* dropped: a segment that names it would look as one whose predecessor was lost */
    if (wal_files_last_epoch(&wal->files) != epoch)
        return;
    segment_close(&wal->segment);
    enum status status = begin_segment(wal, epoch, &ignored);
    (void)status;
}

/* The open segment, unless it is full, of another epoch, or there is none. */
static enum status prepare_segment(struct wal *wal, uint32_t epoch, struct error *err)
{
    bool is_open = wal->segment.file != NULL;
    if (is_open && wal->segment.id.epoch == epoch &&
        wal->segment.size_bytes < wal->segment_bytes_max)
        return STATUS_OK;
    segment_close(&wal->segment);
    return begin_segment(wal, epoch, err);
}

static enum status flush_out(struct wal *wal, struct error *err)
{
    enum status status = segment_append(&wal->segment, buffer_bytes(&wal->out), err);
    buffer_reset(&wal->out);
    return status;
}

static void encode_frame(struct wal *wal, const struct wal_batch *batch, size_t index)
{
    struct frame_place place = {.shard = wal->shard,
                                .epoch = wal->segment.id.epoch,
                                .segment = wal->segment.id.number,
                                .offset = wal->segment.size_bytes + wal->out.len};
    uint64_t unsynced_bytes = place.offset - wal->segment.durable_bytes;
    CHECK(unsynced_bytes <= UINT32_MAX);
    buffer_reset(&wal->records);
    batch_encode_frame(batch, index, &wal->last_values, &wal->records);
    frame_encode(&wal->out, &place, (uint32_t)unsynced_bytes, buffer_bytes(&wal->records));
}

static enum status write_frames(struct wal *wal, const struct wal_batch *batch, struct error *err)
{
    for (size_t i = 0; i < batch->frame_count; i++) {
        encode_frame(wal, batch, i);
        if (wal->out.len >= WRITE_BYTES || i + 1 == batch->frame_count)
            TRY(flush_out(wal, err));
    }
    return segment_sync(&wal->segment, wal->disk, wal->folder, err);
}

static enum status write_batch(struct wal *wal, const struct wal_batch *batch, struct error *err)
{
    TRY(prepare_segment(wal, batch->epoch, err));
    uint64_t durable_bytes = wal->segment.durable_bytes;
    enum status status = write_frames(wal, batch, err);
    wal_files_set(&wal->files, wal->segment.id, wal->segment.size_bytes);
    if (status != STATUS_OK) {
        give_up_segment(wal);
        return status;
    }
    wal->previous = wal->segment.id;
    wal->previous_bytes = wal->segment.durable_bytes;
    counter_add(&wal->counters.bytes_written, wal->segment.durable_bytes - durable_bytes);
    return STATUS_OK;
}

/* Bounded: batches come one per call of this and one per epoch that ends meanwhile. */
static enum status write_queue(struct wal *wal, struct error *err)
{
    struct wal_batch *batch;
    while ((batch = first_batch(wal)) != NULL) {
        TRY(write_batch(wal, batch, err));
        finish_first(wal);
    }
    return STATUS_OK;
}

/* From whoever is at it, as soon as he is done. */
static void take_filling(struct wal *wal)
{
    mutex_lock(&wal->lock);
    counter_set(&wal->is_wanted, wal->is_filled);
    if (!wal->is_filled)
        enqueue_filling_locked(wal);
    while (counter_get(&wal->is_wanted) != 0)
        cond_wait(&wal->is_given, &wal->lock);
    mutex_unlock(&wal->lock);
}

enum status wal_commit(struct wal *wal, struct error *err)
{
    take_filling(wal);
    if (first_batch(wal) == NULL) {
        counter_set(&wal->is_refusing, 0); /* what was refused is in blocks: see wal_skip */
        return STATUS_OK;
    }
    enum status status = write_queue(wal, err);
    counter_add(status == STATUS_OK ? &wal->counters.commits : &wal->counters.commit_failures, 1);
    counter_set(&wal->is_refusing, status != STATUS_OK);
    if (status != STATUS_OK)
        tell_all_unavailable(wal);
    return status;
}

struct manifest_segment wal_durable_end(const struct wal *wal)
{
    return (struct manifest_segment){wal->previous.epoch, wal->previous.number,
                                     wal->previous_bytes};
}

/* ---- dropping ---- */

void wal_skip(struct wal *wal, uint32_t epoch)
{
    struct wal_batch *batch;
    while ((batch = first_batch(wal)) != NULL && batch->epoch <= epoch)
        finish_first(wal);
}

enum status wal_drop(struct wal *wal, uint32_t epoch, struct error *err)
{
    struct segment_id id;
    while (wal_files_first(&wal->files, epoch, &id)) {
        char path[DISK_PATH_MAX];
        segment_path(path, wal->folder, id);
        enum status status = disk_unlink(wal->disk, path, err);
        if (status != STATUS_OK && status != STATUS_NOT_FOUND)
            return status;
        wal_files_remove(&wal->files, id);
        wal->is_drop_unsynced = true;
    }
    if (!wal->is_drop_unsynced)
        return STATUS_OK;
    TRY(disk_sync_dir(wal->disk, wal->folder, err));
    wal->is_drop_unsynced = false;
    return STATUS_OK;
}

uint64_t wal_size_bytes(const struct wal *wal)
{
    return wal_files_size_bytes((struct wal_files *)&wal->files);
}

const struct wal_counters *wal_counters(const struct wal *wal)
{
    return &wal->counters;
}
