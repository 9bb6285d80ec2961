#include "tsdb/wal/wal_reader.h"

#include "base/mem.h"

/* Read at once; a larger frame enlarges the window. */
enum { WINDOW_BYTES = 1 << 20 };

enum status wal_reader_open(struct wal_reader *reader, struct disk *disk, const char *folder,
                            uint32_t shard, struct segment_id id, struct error *err)
{
    char path[DISK_PATH_MAX];
    segment_path(path, folder, id);
    *reader = (struct wal_reader){.shard = shard, .id = id, .offset = SEGMENT_HEADER_BYTES};
    TRY(disk_open(disk, path, &reader->file, err));
    buffer_init(&reader->raw, FRAME_RAW_BYTES_MAX);
    enum status status = file_size(reader->file, &reader->size_bytes, err);
    if (status != STATUS_OK)
        wal_reader_close(reader);
    reader->limit_bytes = reader->size_bytes;
    return status;
}

void wal_reader_close(struct wal_reader *reader)
{
    file_close(reader->file);
    mem_free(reader->window);
    buffer_deinit(&reader->raw);
    reader->file = NULL;
    reader->window = NULL;
}

/* ---- the window ---- */

static enum status move_window(struct wal_reader *reader, uint64_t offset, size_t len,
                               struct error *err)
{
    /* a server that was killed often has left many small segments */
    uint64_t left = offset < reader->size_bytes ? reader->size_bytes - offset : 0;
    size_t want = left < WINDOW_BYTES ? (size_t)left : WINDOW_BYTES;
    if (want < len)
        want = len;
    reader->window = mem_grow(reader->window, &reader->window_capacity, want, 1);
    reader->window_offset = offset;
    reader->window_len = 0;
    return file_read(reader->file, offset, reader->window, want, &reader->window_len, err);
}

/* `*out` is what the window holds from `offset` on: at least `len` bytes, fewer only at the end of
   the file; valid until the next call. */
static enum status view_at_least(struct wal_reader *reader, uint64_t offset, size_t len,
                                 struct bytes *out, struct error *err)
{
    bool is_inside = offset >= reader->window_offset &&
                     offset + len <= reader->window_offset + reader->window_len;
    if (!is_inside)
        TRY(move_window(reader, offset, len, err));
    size_t skipped = (size_t)(offset - reader->window_offset);
    *out = (struct bytes){reader->window + skipped, reader->window_len - skipped};
    return STATUS_OK;
}

/* The same, but no more than `len` bytes. */
static enum status view(struct wal_reader *reader, uint64_t offset, size_t len, struct bytes *out,
                        struct error *err)
{
    TRY(view_at_least(reader, offset, len, out, err));
    if (out->len > len)
        out->len = len;
    return STATUS_OK;
}

/* ---- header ---- */

enum status wal_reader_header(struct wal_reader *reader, struct segment_header *header,
                              enum segment_header_state *state, struct error *err)
{
    struct bytes bytes;
    TRY(view(reader, 0, SEGMENT_HEADER_BYTES, &bytes, err));
    *state = segment_header_decode(bytes, reader->shard, reader->id, header);
    if (*state == SEGMENT_HEADER_UNKNOWN)
        return error_set(err, STATUS_CORRUPT,
                         "log: segment %u-%u has a version that this server does not know",
                         reader->id.epoch, reader->id.number);
    return STATUS_OK;
}

static size_t len_without_zeros(struct bytes bytes)
{
    while (bytes.len > 0 && bytes.ptr[bytes.len - 1] == 0)
        bytes.len--;
    return bytes.len;
}

/* Nothing from `offset` on counts. Zeros at the end were written ahead of frames to come: they are
   no torn tail. */
static enum status end_at(struct wal_reader *reader, uint64_t offset, struct error *err)
{
    uint64_t torn_end = offset;
    for (uint64_t at = offset; at < reader->limit_bytes;) {
        struct bytes bytes;
        TRY(view_at_least(reader, at, 1, &bytes, err));
        if (bytes.len == 0)
            break;
        size_t torn_len = len_without_zeros(bytes);
        if (torn_len > 0)
            torn_end = at + torn_len;
        at += bytes.len;
    }
    reader->torn_tail_bytes += torn_end - offset;
    reader->limit_bytes = offset;
    return STATUS_OK;
}

void wal_reader_set_durable(struct wal_reader *reader, uint64_t bytes)
{
    if (reader->durable_bytes <= reader->size_bytes && bytes > reader->size_bytes)
        reader->damaged_frames++;
    if (bytes > reader->durable_bytes)
        reader->durable_bytes = bytes;
}

enum status wal_reader_set_limit(struct wal_reader *reader, uint64_t bytes, struct error *err)
{
    wal_reader_set_durable(reader, bytes);
    return bytes < reader->size_bytes ? end_at(reader, bytes, err) : STATUS_OK;
}

/* ---- frames ---- */

struct found_frame {
    uint64_t offset;
    struct frame_header header;
};

static void note_durable(struct wal_reader *reader, const struct found_frame *frame)
{
    uint64_t durable_bytes = frame->offset - frame->header.unsynced_bytes;
    if (durable_bytes > reader->durable_bytes)
        reader->durable_bytes = durable_bytes;
}

/* Decodes the frame at `offset` into reader->raw; `*is_good` says whether there is one. */
static enum status read_frame(struct wal_reader *reader, uint64_t offset, struct found_frame *frame,
                              bool *is_good, struct error *err)
{
    struct frame_place place = {reader->shard, reader->id.epoch, reader->id.number, offset};
    struct bytes bytes;
    *is_good = false;
    frame->offset = offset;
    if (reader->limit_bytes < offset || reader->limit_bytes - offset <= FRAME_HEADER_BYTES)
        return STATUS_OK;
    TRY(view(reader, offset, FRAME_HEADER_BYTES, &bytes, err));
    if (bytes.len < FRAME_HEADER_BYTES || !frame_header_decode(bytes.ptr, &place, &frame->header))
        return STATUS_OK;
    uint64_t payload_offset = offset + FRAME_HEADER_BYTES;
    if (frame->header.stored_len > reader->limit_bytes - payload_offset)
        return STATUS_OK;
    TRY(view(reader, payload_offset, frame->header.stored_len, &bytes, err));
    *is_good = frame_payload_decode(&frame->header, bytes, &reader->raw);
    return STATUS_OK;
}

static uint64_t frame_end(const struct found_frame *frame)
{
    return frame->offset + FRAME_HEADER_BYTES + frame->header.stored_len;
}

/* The next place at or behind `offset` where a marker stands; limit_bytes when there is none. */
static enum status find_marker(struct wal_reader *reader, uint64_t offset, uint64_t *out,
                               struct error *err)
{
    *out = reader->limit_bytes;
    while (offset < reader->limit_bytes && reader->limit_bytes - offset > FRAME_HEADER_BYTES) {
        struct bytes bytes;
        TRY(view_at_least(reader, offset, FRAME_HEADER_BYTES, &bytes, err));
        if (bytes.len < FRAME_MARKER_BYTES)
            return STATUS_OK;
        const uint8_t *at = memmem(bytes.ptr, bytes.len, frame_marker, FRAME_MARKER_BYTES);
        if (at != NULL) {
            *out = offset + (uint64_t)(at - bytes.ptr);
            return STATUS_OK;
        }
        /* a marker may begin in the last bytes of the window */
        offset += bytes.len - (FRAME_MARKER_BYTES - 1);
    }
    return STATUS_OK;
}

/* The first good frame at or behind `offset`. */
static enum status find_frame(struct wal_reader *reader, uint64_t offset, struct found_frame *frame,
                              bool *is_good, struct error *err)
{
    *is_good = false;
    while (!*is_good) {
        TRY(find_marker(reader, offset, &offset, err));
        if (offset >= reader->limit_bytes)
            return STATUS_OK;
        TRY(read_frame(reader, offset, frame, is_good, err));
        offset++;
    }
    return STATUS_OK;
}

/* Whether the place `hole` was durable: cases 1 and 2 of the format page. Looks at the frames from
   `offset` on until one of them proves it. */
static enum status prove_durable(struct wal_reader *reader, uint64_t hole, uint64_t offset,
                                 struct error *err)
{
    while (reader->durable_bytes <= hole) {
        struct found_frame frame;
        bool is_good;
        TRY(find_frame(reader, offset, &frame, &is_good, err));
        if (!is_good)
            return STATUS_OK;
        note_durable(reader, &frame);
        offset = frame_end(&frame);
    }
    return STATUS_OK;
}

/* No frame stands at reader->offset. Leaves it at the next frame to read, or at the end. */
static enum status pass_hole(struct wal_reader *reader, struct error *err)
{
    uint64_t hole = reader->offset;
    struct found_frame frame;
    bool is_good;
    TRY(find_frame(reader, hole + 1, &frame, &is_good, err));
    uint64_t behind = is_good ? frame.offset : reader->limit_bytes;
    if (is_good) {
        note_durable(reader, &frame);
        TRY(prove_durable(reader, hole, frame_end(&frame), err));
    }
    if (reader->durable_bytes <= hole)
        return end_at(reader, hole, err);
    reader->damaged_frames++;
    reader->offset = behind;
    return STATUS_OK;
}

enum status wal_reader_next(struct wal_reader *reader, struct bytes *records, struct error *err)
{
    *records = (struct bytes){0};
    while (reader->offset < reader->limit_bytes) {
        struct found_frame frame;
        bool is_good;
        TRY(read_frame(reader, reader->offset, &frame, &is_good, err));
        if (is_good) {
            note_durable(reader, &frame);
            reader->frame_offset = frame.offset;
            reader->frame = frame.header;
            reader->offset = frame_end(&frame);
            *records = buffer_bytes(&reader->raw);
            return STATUS_OK;
        }
        TRY(pass_hole(reader, err));
    }
    return STATUS_OK;
}
