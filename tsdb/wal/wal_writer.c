#include "tsdb/wal/wal_writer.h"

#include "base/check.h"
#include "tsdb/wal/wal_frame.h"

enum {
    /* Encoded frames are handed to the disk in pieces of about this size. */
    WRITE_BYTES = 1 << 20,
    WRITE_BYTES_MAX = WRITE_BYTES + FRAME_HEADER_BYTES + FRAME_RAW_BYTES_MAX,
};

void wal_writer_init(struct wal_writer *writer)
{
    writer->next_number = 1;
    last_values_init(&writer->last_values);
    buffer_init(&writer->records, FRAME_RAW_BYTES_MAX);
    buffer_init(&writer->out, WRITE_BYTES_MAX);
}

void wal_writer_deinit(struct wal_writer *writer)
{
    segment_close(&writer->segment);
    last_values_deinit(&writer->last_values);
    buffer_deinit(&writer->records);
    buffer_deinit(&writer->out);
}

/* A file that holds nothing durable goes; if the disk does not let it go, the next segment's header
   says that it is void, and it goes with its epoch. */
static void give_up_segment(struct wal_writer *writer)
{
    segment_close(&writer->segment);
    if (writer->segment.durable_bytes > 0)
        return;
    char path[DISK_PATH_MAX];
    struct error ignored;
    segment_path(path, writer->folder, writer->segment.id);
    enum status status = disk_unlink(writer->disk, path, &ignored);
    if (status == STATUS_OK || status == STATUS_NOT_FOUND)
        wal_files_remove(writer->files, writer->segment.id);
}

static enum status begin_segment(struct wal_writer *writer, uint32_t epoch, struct error *err)
{
    struct segment_header header = {.shard = writer->shard,
                                    .id = {epoch, writer->next_number++},
                                    .previous = writer->previous,
                                    .previous_bytes = writer->previous_bytes};
    /* each segment is read without those before it, and what a failed write left is void */
    last_values_reset(&writer->last_values);
    enum status status =
        segment_create(&writer->segment, writer->disk, writer->folder, &header, err);
    if (writer->segment.file != NULL)
        wal_files_set(writer->files, writer->segment.id, writer->segment.size_bytes);
    if (status != STATUS_OK)
        give_up_segment(writer);
    return status;
}

/* The open segment, unless it is full, of another epoch, or there is none. */
static enum status prepare_segment(struct wal_writer *writer, uint32_t epoch, struct error *err)
{
    bool is_open = writer->segment.file != NULL;
    if (is_open && writer->segment.id.epoch == epoch &&
        writer->segment.size_bytes < writer->segment_bytes_max)
        return STATUS_OK;
    segment_close(&writer->segment);
    return begin_segment(writer, epoch, err);
}

static enum status flush_out(struct wal_writer *writer, struct error *err)
{
    enum status status = segment_append(&writer->segment, buffer_bytes(&writer->out), err);
    buffer_reset(&writer->out);
    return status;
}

static void encode_frame(struct wal_writer *writer, const struct wal_batch *batch, size_t index)
{
    struct frame_place place = {.shard = writer->shard,
                                .epoch = writer->segment.id.epoch,
                                .segment = writer->segment.id.number,
                                .offset = writer->segment.size_bytes + writer->out.len};
    uint64_t unsynced_bytes = place.offset - writer->segment.durable_bytes;
    CHECK(unsynced_bytes <= UINT32_MAX);
    buffer_reset(&writer->records);
    batch_encode_frame(batch, index, &writer->last_values, &writer->records);
    frame_encode(&writer->out, &place, (uint32_t)unsynced_bytes, buffer_bytes(&writer->records));
}

static enum status write_frames(struct wal_writer *writer, const struct wal_batch *batch,
                                struct error *err)
{
    for (size_t i = 0; i < batch->frame_count; i++) {
        encode_frame(writer, batch, i);
        if (writer->out.len >= WRITE_BYTES || i + 1 == batch->frame_count)
            TRY(flush_out(writer, err));
    }
    return segment_sync(&writer->segment, writer->disk, writer->folder, err);
}

enum status wal_writer_write(struct wal_writer *writer, const struct wal_batch *batch,
                             uint64_t *written_bytes, struct error *err)
{
    TRY(prepare_segment(writer, batch->epoch, err));
    uint64_t durable_bytes = writer->segment.durable_bytes;
    enum status status = write_frames(writer, batch, err);
    wal_files_set(writer->files, writer->segment.id, writer->segment.size_bytes);
    if (status != STATUS_OK) {
        give_up_segment(writer);
        return status;
    }
    writer->previous = writer->segment.id;
    writer->previous_bytes = writer->segment.durable_bytes;
    *written_bytes = writer->segment.durable_bytes - durable_bytes;
    return STATUS_OK;
}

void wal_writer_leave_proof(struct wal_writer *writer)
{
    struct error ignored;
    uint32_t epoch = writer->segment.id.epoch;
    if (writer->segment.file == NULL || writer->segment.durable_bytes < writer->segment.size_bytes)
        return;
    /* dropped: a segment that names it would look as one whose predecessor was lost */
    if (wal_files_last_epoch(writer->files) != epoch)
        return;
    segment_close(&writer->segment);
    enum status status = begin_segment(writer, epoch, &ignored);
    (void)status;
}
