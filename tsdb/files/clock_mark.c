#include "tsdb/files/clock_mark.h"

#include "base/codec.h"
#include "base/crc32c.h"
#include "base/whole_file.h"
#include "tsdb/files/filenames.h"

static const char magic[8] = {'C', 'R', 'O', 'F', 'T', 'N', 'O', 'W'};

void clock_mark_encode(struct buffer *out, int64_t now_ms)
{
    size_t begin = out->len;
    buffer_append(out, magic, sizeof magic);
    write_u32(out, CLOCK_MARK_VERSION);
    write_u64(out, (uint64_t)now_ms);
    write_u32(out, crc32c((struct bytes){out->ptr + begin, out->len - begin}));
}

enum status clock_mark_decode(struct bytes data, int64_t *now_ms, struct error *err)
{
    if (data.len != CLOCK_MARK_SIZE_BYTES)
        return error_set(err, STATUS_CORRUPT, CLOCK_FILE ": got %zu bytes, want %d", data.len,
                         CLOCK_MARK_SIZE_BYTES);
    struct bytes body = {data.ptr, data.len - 4};
    if (memcmp(data.ptr, magic, sizeof magic) != 0 || load_u32(data.ptr + body.len) != crc32c(body))
        return error_set(err, STATUS_CORRUPT, CLOCK_FILE ": wrong checksum");
    struct reader r = reader_of(body);
    reader_bytes(&r, sizeof magic);
    uint32_t version = reader_u32(&r);
    if (version != CLOCK_MARK_VERSION)
        return error_set(err, STATUS_INVALID, CLOCK_FILE ": got version %u, want %d", version,
                         CLOCK_MARK_VERSION);
    *now_ms = (int64_t)reader_u64(&r);
    return STATUS_OK;
}

enum status clock_mark_read(struct disk *disk, int64_t *now_ms, struct error *err)
{
    struct buffer bytes;
    buffer_init(&bytes, CLOCK_MARK_SIZE_BYTES);
    enum status status = whole_file_read(disk, CLOCK_FILE, &bytes, err);
    if (status == STATUS_OK)
        status = clock_mark_decode(buffer_bytes(&bytes), now_ms, err);
    buffer_deinit(&bytes);
    return status;
}

enum status clock_mark_write(struct disk *disk, int64_t now_ms, struct error *err)
{
    struct buffer bytes;
    buffer_init(&bytes, CLOCK_MARK_SIZE_BYTES);
    clock_mark_encode(&bytes, now_ms);
    enum status status = whole_file_replace(disk, "", CLOCK_FILE, buffer_bytes(&bytes), err);
    buffer_deinit(&bytes);
    return status;
}
