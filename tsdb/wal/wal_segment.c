#include "tsdb/wal/wal_segment.h"

#include <stdio.h>

#include "base/check.h"
#include "base/crc32c.h"
#include "tsdb/files/filenames.h"

enum {
    SEGMENT_VERSION = 2,
    HEADER_CRC_OFFSET = SEGMENT_HEADER_BYTES - 4,
    MAGIC_BYTES = 8,
    /* Zeros are written ahead as many as there are bytes, for a shard that writes little, and no
       more than this at once, which a disk takes in some milliseconds. */
    ZEROS_AHEAD_MAX_BYTES = 1 << 20,
};

static const char magic[MAGIC_BYTES + 1] = "CROFTWAL";

int segment_id_compare(struct segment_id a, struct segment_id b)
{
    if (a.epoch != b.epoch)
        return a.epoch < b.epoch ? -1 : 1;
    return (a.number > b.number) - (a.number < b.number);
}

/* At most 10 digits; false when there are none or the number is too large. */
static bool parse_digits(const char **at, const char *end, uint32_t *out)
{
    const char *begin = *at;
    uint64_t value = 0;
    for (; *at < end && **at >= '0' && **at <= '9' && *at - begin < 10; (*at)++)
        value = value * 10 + (uint64_t)(**at - '0');
    *out = (uint32_t)value;
    return *at > begin && value <= UINT32_MAX;
}

void segment_name(char *name, struct segment_id id)
{
    snprintf(name, DISK_NAME_MAX, WAL_FILE_FORMAT, id.epoch, id.number);
}

bool segment_id_parse(struct str name, struct segment_id *out)
{
    const char *at = name.ptr, *end = name.ptr + name.len;
    if (!parse_digits(&at, end, &out->epoch) || at == end || *at++ != '-')
        return false;
    if (!parse_digits(&at, end, &out->number) || out->epoch == 0)
        return false;
    char canonical[DISK_NAME_MAX];
    segment_name(canonical, *out);
    return str_eq(name, str_from(canonical));
}

void segment_path(char *path, const char *folder, struct segment_id id)
{
    char name[DISK_NAME_MAX];
    segment_name(name, id);
    int len = snprintf(path, DISK_PATH_MAX, "%s/%s", folder, name);
    CHECK(len < DISK_PATH_MAX);
}

void segment_header_encode(struct buffer *out, const struct segment_header *header)
{
    size_t begin = out->len;
    buffer_append(out, magic, MAGIC_BYTES);
    write_u32(out, SEGMENT_VERSION);
    write_u32(out, header->shard);
    write_u32(out, header->id.epoch);
    write_u32(out, header->id.number);
    write_u32(out, header->previous.epoch);
    write_u32(out, header->previous.number);
    write_u64(out, header->previous_bytes);
    write_u32(out, 0);
    write_u32(out, crc32c((struct bytes){out->ptr + begin, HEADER_CRC_OFFSET}));
    CHECK(out->len - begin == SEGMENT_HEADER_BYTES);
}

static bool is_sealed(struct bytes bytes)
{
    if (bytes.len < SEGMENT_HEADER_BYTES || memcmp(bytes.ptr, magic, MAGIC_BYTES) != 0)
        return false;
    return load_u32(bytes.ptr + HEADER_CRC_OFFSET) ==
           crc32c((struct bytes){bytes.ptr, HEADER_CRC_OFFSET});
}

enum segment_header_state segment_header_decode(struct bytes bytes, uint32_t shard,
                                                struct segment_id id, struct segment_header *out)
{
    if (!is_sealed(bytes))
        return SEGMENT_HEADER_DAMAGED;
    struct reader r = reader_of((struct bytes){bytes.ptr + MAGIC_BYTES, HEADER_CRC_OFFSET});
    if (reader_u32(&r) != SEGMENT_VERSION)
        return SEGMENT_HEADER_UNKNOWN;
    out->shard = reader_u32(&r);
    out->id.epoch = reader_u32(&r);
    out->id.number = reader_u32(&r);
    out->previous.epoch = reader_u32(&r);
    out->previous.number = reader_u32(&r);
    out->previous_bytes = reader_u64(&r);
    bool is_here = out->shard == shard && segment_id_compare(out->id, id) == 0;
    return is_here ? SEGMENT_HEADER_GOOD : SEGMENT_HEADER_DAMAGED;
}

/* So that most commits overwrite zeros: a sync that has to make the file longer writes the inode as
   well, or a journal, and takes twice the time. A disk without room for zeros may still take
   the bytes: it has the last word at the append. */
static void zero_ahead(struct wal_segment *segment, uint64_t size_bytes)
{
    struct error ignored;
    uint64_t more_bytes = size_bytes < ZEROS_AHEAD_MAX_BYTES ? size_bytes : ZEROS_AHEAD_MAX_BYTES;
    segment->zeroed_bytes = size_bytes + more_bytes;
    enum status status = file_zero_ahead(segment->file, segment->zeroed_bytes, &ignored);
    (void)status;
}

enum status segment_append(struct wal_segment *segment, struct bytes data, struct error *err)
{
    uint64_t size_bytes = segment->size_bytes + data.len;
    if (size_bytes > segment->zeroed_bytes)
        zero_ahead(segment, size_bytes);
    TRY(file_append(segment->file, data, err));
    segment->size_bytes = size_bytes;
    return STATUS_OK;
}

/* Without zeros behind it: a segment of nothing else is what a server leaves when it stops. */
static enum status write_header(struct wal_segment *segment, const struct segment_header *header,
                                struct error *err)
{
    struct buffer bytes;
    buffer_init(&bytes, SEGMENT_HEADER_BYTES);
    segment_header_encode(&bytes, header);
    enum status status = file_append(segment->file, buffer_bytes(&bytes), err);
    if (status == STATUS_OK)
        segment->size_bytes = SEGMENT_HEADER_BYTES;
    buffer_deinit(&bytes);
    return status;
}

enum status segment_create(struct wal_segment *segment, struct disk *disk, const char *folder,
                           const struct segment_header *header, struct error *err)
{
    char path[DISK_PATH_MAX];
    segment_path(path, folder, header->id);
    *segment = (struct wal_segment){.id = header->id};
    TRY(disk_create(disk, path, &segment->file, err));
    return write_header(segment, header, err);
}

enum status segment_sync(struct wal_segment *segment, struct disk *disk, const char *folder,
                         struct error *err)
{
    TRY(file_sync(segment->file, err));
    if (segment->durable_bytes == 0)
        TRY(disk_sync_dir(disk, folder, err));
    segment->durable_bytes = segment->size_bytes;
    return STATUS_OK;
}

void segment_close(struct wal_segment *segment)
{
    file_close(segment->file);
    segment->file = NULL;
}
