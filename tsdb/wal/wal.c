#include "tsdb/wal/wal.h"

#include <stdio.h>

#include "base/check.h"
#include "base/mem.h"
#include "tsdb/wal/wal_files.h"
#include "tsdb/wal/wal_queue.h"
#include "tsdb/wal/wal_writer.h"

/* One request may be logged beyond batch_max_bytes, and its size has a limit far below this. */
static const size_t BATCH_ROOM_BYTES = (size_t)1 << 30;

struct wal {
    struct disk *disk;
    char folder[DISK_PATH_MAX];
    uint64_t batch_bytes_max;
    void (*wake)(void *context);
    void *wake_context;

    struct wal_queue queue;
    struct counter is_refusing; /* the last commit failed */

    struct wal_writer writer; /* of the committing thread */

    struct wal_files files;
    bool is_drop_unsynced; /* of the dropping thread: names that are gone may come back */
    struct wal_counters counters;
};

/* ---- opening and closing ---- */

static struct wal *wal_new(const struct wal_options *options)
{
    struct wal *wal = mem_alloc_zeroed(1, sizeof *wal);
    wal->disk = options->disk;
    wal->batch_bytes_max = options->batch_max_bytes;
    int len = snprintf(wal->folder, sizeof wal->folder, "%s", options->folder);
    CHECK(len < DISK_PATH_MAX);
    wal_files_init(&wal->files);
    wal_queue_init(&wal->queue, options->batch_max_bytes + BATCH_ROOM_BYTES);
    wal->writer = (struct wal_writer){.disk = options->disk,
                                      .folder = wal->folder,
                                      .files = &wal->files,
                                      .shard = options->shard,
                                      .segment_bytes_max = options->segment_bytes};
    wal_writer_init(&wal->writer);
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
    wal_queue_set_epoch(&wal->queue,
                        1 + (last > options->epoch_after ? last : options->epoch_after));
    *out = wal;
    return STATUS_OK;
}

void wal_set_wake(struct wal *wal, void (*wake)(void *context), void *context)
{
    wal->wake = wake;
    wal->wake_context = context;
}

void wal_close(struct wal *wal)
{
    wal_queue_deinit(&wal->queue);
    wal_writer_deinit(&wal->writer);
    wal_files_deinit(&wal->files);
    mem_free(wal);
}

/* ---- logging ---- */

bool wal_is_writable(const struct wal *wal)
{
    return counter_get(&wal->is_refusing) == 0 &&
           counter_get(&wal->queue.pending_bytes) < wal->batch_bytes_max;
}

bool wal_has_pending(const struct wal *wal)
{
    return counter_get(&wal->queue.pending_bytes) > 0;
}

void wal_batch_begin(struct wal *wal)
{
    wal_queue_begin(&wal->queue);
}

void wal_batch_offer(struct wal *wal)
{
    wal_queue_offer(&wal->queue);
}

void wal_batch_end(struct wal *wal)
{
    if (wal_queue_end(&wal->queue) && wal->wake != NULL)
        wal->wake(wal->wake_context);
}

uint32_t wal_epoch(const struct wal *wal)
{
    return (uint32_t)counter_get(&wal->queue.epoch);
}

void wal_log_series(struct wal *wal, struct series_ref ref, const struct tenant_id *tenant,
                    struct labels labels)
{
    CHECK(mutex_is_held(&wal->queue.filling_lock));
    batch_log_series(wal->queue.filling, ref, tenant, labels);
}

void wal_log_sample(struct wal *wal, struct series_ref ref, struct sample sample)
{
    CHECK(mutex_is_held(&wal->queue.filling_lock));
    batch_log_sample(wal->queue.filling, ref, sample);
}

bool wal_wait(struct wal *wal, struct wal_waiter *waiter)
{
    return wal_queue_wait(&wal->queue, waiter);
}

uint32_t wal_end_epoch(struct wal *wal)
{
    return wal_queue_end_epoch(&wal->queue);
}

/* ---- committing ---- */

/* Bounded: batches come one per call of this and one per epoch that ends meanwhile. */
static enum status write_queue(struct wal *wal, struct error *err)
{
    struct wal_batch *batch;
    while ((batch = wal_queue_first(&wal->queue)) != NULL) {
        uint64_t written_bytes;
        TRY(wal_writer_write(&wal->writer, batch, &written_bytes, err));
        counter_add(&wal->counters.bytes_written, written_bytes);
        wal_queue_finish_first(&wal->queue);
    }
    return STATUS_OK;
}

enum status wal_commit(struct wal *wal, struct error *err)
{
    wal_queue_take(&wal->queue);
    if (wal_queue_first(&wal->queue) == NULL) {
        counter_set(&wal->is_refusing, 0); /* what was refused is in blocks: see wal_skip */
        return STATUS_OK;
    }
    enum status status = write_queue(wal, err);
    counter_add(status == STATUS_OK ? &wal->counters.commits : &wal->counters.commit_failures, 1);
    counter_set(&wal->is_refusing, status != STATUS_OK);
    if (status != STATUS_OK)
        wal_queue_tell_unavailable(&wal->queue);
    return status;
}

void wal_leave_proof(struct wal *wal)
{
    wal_writer_leave_proof(&wal->writer);
}

struct manifest_segment wal_durable_end(const struct wal *wal)
{
    return (struct manifest_segment){wal->writer.previous.epoch, wal->writer.previous.number,
                                     wal->writer.previous_bytes};
}

/* ---- dropping ---- */

void wal_skip(struct wal *wal, uint32_t epoch)
{
    struct wal_batch *batch;
    while ((batch = wal_queue_first(&wal->queue)) != NULL && batch->epoch <= epoch)
        wal_queue_finish_first(&wal->queue);
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
