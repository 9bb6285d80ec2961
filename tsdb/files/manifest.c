#include "tsdb/files/manifest.h"

#include <stdio.h>

#include "base/codec.h"
#include "base/crc32c.h"
#include "base/mem.h"
#include "base/whole_file.h"
#include "tsdb/files/filenames.h"
#include "tsdb/files/shard_files.h"

enum {
    VERSION = 2,
    VERSION_WITHOUT_SEGMENTS = 1,
    HEADER_BYTES = 24,
    BLOCK_BYTES = 32,
    SEGMENT_BYTES = 16,
    FILE_BYTES_MAX = HEADER_BYTES + BLOCK_BYTES * MANIFEST_BLOCKS_MAX + 4 +
                     SEGMENT_BYTES * MANIFEST_SEGMENTS_MAX + 4,
};

static const char magic[8] = {'C', 'R', 'O', 'F', 'T', 'M', 'A', 'N'};

/* ---- the lists ---- */

void manifest_init(struct manifest *manifest)
{
    *manifest = (struct manifest){0};
}

void manifest_deinit(struct manifest *manifest)
{
    mem_free(manifest->blocks);
    mem_free(manifest->segments);
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

static bool is_segment(const struct manifest_segment *segment, uint32_t epoch, uint32_t number)
{
    return segment->epoch == epoch && segment->number == number;
}

void manifest_note_segment(struct manifest *manifest, struct manifest_segment segment)
{
    size_t at = manifest->segment_count;
    bool is_last = at > 0 && is_segment(&manifest->segments[at - 1], segment.epoch, segment.number);
    if (is_last)
        at--;
    if (at == MANIFEST_SEGMENTS_MAX)
        return;
    manifest->segments = mem_grow(manifest->segments, &manifest->segment_capacity, at + 1,
                                  sizeof *manifest->segments);
    manifest->segments[at] = segment;
    manifest->segment_count = at + 1;
}

static struct manifest_segment *find_segment(const struct manifest *manifest, uint32_t epoch,
                                             uint32_t number)
{
    for (size_t i = manifest->segment_count; i > 0; i--) {
        if (is_segment(&manifest->segments[i - 1], epoch, number))
            return &manifest->segments[i - 1];
    }
    return NULL;
}

bool manifest_raise_durable(struct manifest *manifest, struct manifest_segment segment)
{
    struct manifest_segment *noted = find_segment(manifest, segment.epoch, segment.number);
    if (noted == NULL || noted->durable_bytes >= segment.durable_bytes)
        return false;
    noted->durable_bytes = segment.durable_bytes;
    return true;
}

uint64_t manifest_durable_bytes(const struct manifest *manifest, uint32_t epoch, uint32_t number)
{
    const struct manifest_segment *noted = find_segment(manifest, epoch, number);
    return noted == NULL ? 0 : noted->durable_bytes;
}

void manifest_forget_segments(struct manifest *manifest, uint32_t epoch)
{
    size_t kept = 0;
    for (size_t i = 0; i < manifest->segment_count; i++) {
        if (manifest->segments[i].epoch > epoch)
            manifest->segments[kept++] = manifest->segments[i];
    }
    manifest->segment_count = kept;
}

/* ---- bytes ---- */

static void write_segments(struct buffer *out, const struct manifest *manifest)
{
    write_u32(out, (uint32_t)manifest->segment_count);
    for (size_t i = 0; i < manifest->segment_count; i++) {
        write_u32(out, manifest->segments[i].epoch);
        write_u32(out, manifest->segments[i].number);
        write_u64(out, manifest->segments[i].durable_bytes);
    }
}

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
    write_segments(out, manifest);
    write_u32(out, crc32c((struct bytes){out->ptr + begin, out->len - begin}));
}

static void read_block(struct reader *r, struct manifest_block *out)
{
    out->sequence = reader_u64(r);
    out->min_ts_ms = (int64_t)reader_u64(r);
    out->max_ts_ms = (int64_t)reader_u64(r);
    out->sample_count = reader_u64(r);
}

static enum status read_blocks(struct reader *r, struct manifest *out, struct error *err)
{
    uint32_t count = reader_u32(r);
    /* believed only when so many are there */
    if (r->is_broken || count > reader_left(r) / BLOCK_BYTES)
        return error_set(err, STATUS_CORRUPT, "manifest: got no room for %u blocks", count);
    for (uint32_t i = 0; i < count; i++) {
        struct manifest_block block;
        read_block(r, &block);
        manifest_add(out, &block);
    }
    return STATUS_OK;
}

static enum status read_segments(struct reader *r, struct manifest *out, struct error *err)
{
    uint32_t count = reader_u32(r);
    if (r->is_broken || count > reader_left(r) / SEGMENT_BYTES)
        return error_set(err, STATUS_CORRUPT, "manifest: got no room for %u segments", count);
    for (uint32_t i = 0; i < count; i++) {
        struct manifest_segment segment;
        segment.epoch = reader_u32(r);
        segment.number = reader_u32(r);
        segment.durable_bytes = reader_u64(r);
        manifest_note_segment(out, segment);
    }
    return STATUS_OK;
}

static enum status read_body(struct reader *r, uint32_t shard, struct manifest *out,
                             struct error *err)
{
    uint32_t version = reader_u32(r), got_shard = reader_u32(r), flags = reader_u32(r);
    if (version != VERSION && version != VERSION_WITHOUT_SEGMENTS)
        return error_set(err, STATUS_INVALID, "manifest: got version %u, want %d", version,
                         VERSION);
    if (got_shard != shard)
        return error_set(err, STATUS_CORRUPT, "manifest: of shard %u", got_shard);
    TRY(read_blocks(r, out, err));
    if (version != VERSION_WITHOUT_SEGMENTS)
        TRY(read_segments(r, out, err));
    if (reader_left(r) > 0)
        return error_set(err, STATUS_CORRUPT, "manifest: longer than it says");
    out->has_deletions = flags == 1;
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
    enum status status = read_body(&r, shard, out, err);
    if (status != STATUS_OK)
        manifest_deinit(out);
    return status;
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
