#include "tsdb/files/layout.h"

#include "base/codec.h"
#include "base/crc32c.h"
#include "base/whole_file.h"
#include "tsdb/files/filenames.h"

static const char magic[8] = {'C', 'R', 'O', 'F', 'T', 'D', 'I', 'R'};

void layout_encode(struct buffer *out, const struct layout *layout)
{
    size_t start = out->len;
    buffer_append(out, magic, sizeof magic);
    write_u32(out, LAYOUT_VERSION);
    write_u32(out, layout->shard_count);
    write_u32(out, 0);
    write_u32(out, crc32c((struct bytes){out->ptr + start, out->len - start}));
}

enum status layout_decode(struct bytes data, struct layout *out, struct error *err)
{
    struct reader r = reader_of(data);
    struct bytes got_magic = reader_bytes(&r, sizeof magic);
    uint32_t version = reader_u32(&r);
    uint32_t shard_count = reader_u32(&r);
    reader_u32(&r);
    uint32_t crc = reader_u32(&r);
    if (r.is_broken || reader_left(&r) != 0)
        return error_set(err, STATUS_CORRUPT, LAYOUT_FILE ": got %zu bytes, want %d", data.len,
                         LAYOUT_SIZE_BYTES);
    if (memcmp(got_magic.ptr, magic, sizeof magic) != 0)
        return error_set(err, STATUS_CORRUPT, LAYOUT_FILE ": not a Croft layout file");
    if (version != LAYOUT_VERSION)
        return error_set(err, STATUS_CORRUPT, LAYOUT_FILE ": got version %u, want %d", version,
                         LAYOUT_VERSION);
    if (crc != crc32c((struct bytes){data.ptr, data.len - sizeof crc}))
        return error_set(err, STATUS_CORRUPT, LAYOUT_FILE ": checksum does not match");
    if (shard_count == 0 || shard_count > LAYOUT_SHARDS_MAX)
        return error_set(err, STATUS_CORRUPT, LAYOUT_FILE ": got %u shards, want 1 to %d",
                         shard_count, LAYOUT_SHARDS_MAX);
    out->shard_count = shard_count;
    return STATUS_OK;
}

static enum status read_file(struct file *file, struct layout *out, struct error *err)
{
    /* one byte more, so that a longer file is noticed */
    uint8_t data[LAYOUT_SIZE_BYTES + 1];
    size_t len;
    TRY(file_read(file, 0, data, sizeof data, &len, err));
    return layout_decode((struct bytes){data, len}, out, err);
}

static enum status write_layout(struct disk *disk, const struct layout *layout, struct error *err)
{
    struct buffer data;
    buffer_init(&data, LAYOUT_SIZE_BYTES);
    layout_encode(&data, layout);
    enum status status = whole_file_replace(disk, "", LAYOUT_FILE, buffer_bytes(&data), err);
    buffer_deinit(&data);
    return status;
}

enum status layout_read(struct disk *disk, struct layout *out, struct error *err)
{
    struct file *file;
    TRY(disk_open(disk, LAYOUT_FILE, &file, err));
    enum status status = read_file(file, out, err);
    file_close(file);
    return status;
}

enum status layout_open(struct disk *disk, const struct layout *fresh, struct layout *out,
                        struct error *err)
{
    enum status status = layout_read(disk, out, err);
    if (status != STATUS_NOT_FOUND)
        return status;
    *out = *fresh;
    return write_layout(disk, fresh, err);
}
