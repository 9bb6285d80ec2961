#include "tsdb/files/manifest.h"

#include <stdio.h>

#include "base/codec.h"
#include "base/crc32c.h"
#include "base/mem.h"
#include "base/whole_file.h"
#include "tsdb/files/filenames.h"
#include "tsdb/files/shard_files.h"

enum {
    VERSION = 1,
    HEADER_BYTES = 24,
    BLOCK_BYTES = 32,
    FILE_BYTES_MAX = HEADER_BYTES + BLOCK_BYTES * MANIFEST_BLOCKS_MAX + 4,
};

static const char magic[8] = {'C', 'R', 'O', 'F', 'T', 'M', 'A', 'N'};

/* ---- the list ---- */

void manifest_init(struct manifest *manifest)
{
    *manifest = (struct manifest){0};
}

void manifest_deinit(struct manifest *manifest)
{
    mem_free(manifest->blocks);
    manifest_init(manifest);
}

/* The first that is not less. New blocks have the greatest sequences, so it is near the end. */
static size_t find(const struct manifest *manifest, uint64_t sequence)
{
    size_t at = manifest->count;
    while (at > 0 && manifest->blocks[at - 1].sequence >= sequence)
        at--;
    return at;
}

bool manifest_has(const struct manifest *manifest, uint64_t sequence)
{
    size_t at = find(manifest, sequence);
    return at < manifest->count && manifest->blocks[at].sequence == sequence;
}

void manifest_add(struct manifest *manifest, const struct manifest_block *block)
{
    if (manifest_has(manifest, block->sequence))
        return;
    size_t at = find(manifest, block->sequence);
    manifest->blocks = mem_grow(manifest->blocks, &manifest->capacity, manifest->count + 1,
                                sizeof *manifest->blocks);
    memmove(manifest->blocks + at + 1, manifest->blocks + at,
            (manifest->count - at) * sizeof *manifest->blocks);
    manifest->blocks[at] = *block;
    manifest->count++;
}

void manifest_remove(struct manifest *manifest, uint64_t sequence)
{
    if (!manifest_has(manifest, sequence))
        return;
    size_t at = find(manifest, sequence);
    manifest->count--;
    memmove(manifest->blocks + at, manifest->blocks + at + 1,
            (manifest->count - at) * sizeof *manifest->blocks);
}

/* ---- bytes ---- */

void manifest_encode(struct buffer *out, const struct manifest *manifest, uint32_t shard)
{
    size_t begin = out->len;
    buffer_append(out, magic, sizeof magic);
    write_u32(out, VERSION);
    write_u32(out, shard);
    write_u32(out, manifest->has_deletions);
    write_u32(out, (uint32_t)manifest->count);
    for (size_t i = 0; i < manifest->count; i++) {
        const struct manifest_block *block = &manifest->blocks[i];
        write_u64(out, block->sequence);
        write_u64(out, (uint64_t)block->min_ts_ms);
        write_u64(out, (uint64_t)block->max_ts_ms);
        write_u64(out, block->sample_count);
    }
    write_u32(out, crc32c((struct bytes){out->ptr + begin, out->len - begin}));
}

static void read_block(struct reader *r, struct manifest_block *out)
{
    out->sequence = reader_u64(r);
    out->min_ts_ms = (int64_t)reader_u64(r);
    out->max_ts_ms = (int64_t)reader_u64(r);
    out->sample_count = reader_u64(r);
}

/* The count is believed only when so many blocks are there. */
static enum status read_blocks(struct reader *r, uint32_t count, struct manifest *out,
                               struct error *err)
{
    if (r->is_broken || reader_left(r) != (size_t)count * BLOCK_BYTES)
        return error_set(err, STATUS_CORRUPT, "manifest: not as long as it says");
    for (uint32_t i = 0; i < count; i++) {
        struct manifest_block block;
        read_block(r, &block);
        manifest_add(out, &block);
    }
    return STATUS_OK;
}

enum status manifest_decode(struct bytes data, uint32_t shard, struct manifest *out,
                            struct error *err)
{
    if (data.len < HEADER_BYTES + 4)
        return error_set(err, STATUS_CORRUPT, "manifest: got %zu bytes, want at least %d", data.len,
                         HEADER_BYTES + 4);
    struct bytes body = {data.ptr, data.len - 4};
    if (memcmp(data.ptr, magic, sizeof magic) != 0 || load_u32(data.ptr + body.len) != crc32c(body))
        return error_set(err, STATUS_CORRUPT, "manifest: wrong checksum");
    struct reader r = reader_of(body);
    reader_bytes(&r, sizeof magic);
    uint32_t version = reader_u32(&r), got_shard = reader_u32(&r), flags = reader_u32(&r);
    if (version != VERSION)
        return error_set(err, STATUS_INVALID, "manifest: got version %u, want %d", version,
                         VERSION);
    if (got_shard != shard)
        return error_set(err, STATUS_CORRUPT, "manifest: of shard %u", got_shard);
    TRY(read_blocks(&r, reader_u32(&r), out, err));
    out->has_deletions = flags == 1;
    return STATUS_OK;
}

/* ---- the file ---- */

enum status manifest_read(struct disk *disk, uint32_t shard, struct manifest *out,
                          struct error *err)
{
    char path[DISK_PATH_MAX];
    struct buffer bytes;
    shard_file_path(path, shard, MANIFEST_FILE, "");
    buffer_init(&bytes, FILE_BYTES_MAX);
    enum status status = whole_file_read(disk, path, &bytes, err);
    if (status == STATUS_OK)
        status = manifest_decode(buffer_bytes(&bytes), shard, out, err);
    buffer_deinit(&bytes);
    return status;
}

enum status manifest_write(struct disk *disk, uint32_t shard, const struct manifest *manifest,
                           struct error *err)
{
    char folder[DISK_PATH_MAX], path[DISK_PATH_MAX];
    struct buffer bytes;
    snprintf(folder, sizeof folder, SHARD_FOLDER_FORMAT, shard);
    shard_file_path(path, shard, MANIFEST_FILE, "");
    buffer_init(&bytes, FILE_BYTES_MAX);
    manifest_encode(&bytes, manifest, shard);
    enum status status =
        bytes.is_overflown
            ? error_set(err, STATUS_LIMIT, "manifest: got %zu blocks, want at most %d",
                        manifest->count, MANIFEST_BLOCKS_MAX)
            : whole_file_replace(disk, folder, path, buffer_bytes(&bytes), err);
    buffer_deinit(&bytes);
    return status;
}
