#include "tsdb/block/block_frame.h"

#include "base/check.h"
#include "base/crc32c.h"

enum {
    VERSION = 6,
    MAGIC_BYTES = 8,
    HEADER_CRC_OFFSET = BLOCK_HEADER_BYTES - 4,
    FOOTER_CRC_OFFSET = BLOCK_FOOTER_BYTES - 4,
    FOOTER_VERSION_OFFSET = 28,
};

static const char header_magic[MAGIC_BYTES + 1] = "CROFTBLK";
static const uint32_t footer_magic = 0x4b4c4243; /* "CBLK" */

uint32_t block_sum(const struct block_meta *meta, uint64_t offset, struct bytes section)
{
    uint8_t place[20];
    memcpy(place, &meta->shard, 4);
    memcpy(place + 4, &meta->sequence, 8);
    memcpy(place + 12, &offset, 8);
    return crc32c_extend(crc32c((struct bytes){place, sizeof place}), section);
}

/* Appends the checksum of what stands in `out` behind `begin`. */
static void write_crc(struct buffer *out, size_t begin)
{
    write_u32(out, crc32c((struct bytes){out->ptr + begin, out->len - begin}));
}

void block_header_encode(struct buffer *out, const struct block_meta *meta)
{
    size_t begin = out->len;
    buffer_append(out, header_magic, MAGIC_BYTES);
    write_u32(out, VERSION);
    write_u32(out, meta->shard);
    write_u64(out, meta->sequence);
    write_u32(out, 0);
    write_crc(out, begin);
    CHECK(out->len - begin == BLOCK_HEADER_BYTES);
}

void block_entry_encode(struct buffer *out, const struct block_entry *entry)
{
    size_t begin = out->len;
    write_u32(out, entry->id_offset);
    write_u32(out, entry->id_len);
    write_u64(out, entry->runs_offset);
    write_u64(out, entry->index_offset);
    write_u64(out, entry->index_len);
    write_u32(out, entry->index_sum);
    write_u32(out, entry->series_count);
    write_u64(out, entry->sample_count);
    write_u64(out, (uint64_t)entry->min_ts_ms);
    write_u64(out, (uint64_t)entry->max_ts_ms);
    CHECK(out->len - begin == BLOCK_ENTRY_BYTES);
}

struct block_entry block_entry_decode(const uint8_t *bytes)
{
    return (struct block_entry){.id_offset = load_u32(bytes),
                                .id_len = load_u32(bytes + 4),
                                .runs_offset = load_u64(bytes + 8),
                                .index_offset = load_u64(bytes + 16),
                                .index_len = load_u64(bytes + 24),
                                .index_sum = load_u32(bytes + 32),
                                .series_count = load_u32(bytes + 36),
                                .sample_count = load_u64(bytes + 40),
                                .min_ts_ms = (int64_t)load_u64(bytes + 48),
                                .max_ts_ms = (int64_t)load_u64(bytes + 56)};
}

void block_footer_encode(struct buffer *out, const struct block_footer *footer)
{
    const struct block_meta *meta = &footer->meta;
    size_t begin = out->len;
    write_u64(out, footer->directory_offset);
    write_u64(out, footer->directory_len);
    write_u32(out, footer->directory_sum);
    write_u32(out, footer->tenant_count);
    write_u32(out, meta->shard);
    write_u32(out, VERSION);
    write_u64(out, meta->sequence);
    write_u32(out, meta->level);
    write_u32(out, meta->covered_epoch);
    write_u64(out, (uint64_t)meta->min_ts_ms);
    write_u64(out, (uint64_t)meta->max_ts_ms);
    write_u64(out, meta->series_count);
    write_u64(out, meta->sample_count);
    write_u64(out, footer->file_len);
    write_u64(out, meta->rank);
    write_u32(out, footer->replaced_count);
    write_u32(out, 0);
    write_u32(out, footer_magic);
    write_crc(out, begin);
    CHECK(out->len - begin == BLOCK_FOOTER_BYTES);
}

static void read_footer(struct bytes bytes, struct block_footer *out)
{
    struct reader r = reader_of(bytes);
    out->directory_offset = reader_u64(&r);
    out->directory_len = reader_u64(&r);
    out->directory_sum = reader_u32(&r);
    out->tenant_count = reader_u32(&r);
    out->meta.shard = reader_u32(&r);
    reader_u32(&r); /* the version, checked already */
    out->meta.sequence = reader_u64(&r);
    out->meta.level = reader_u32(&r);
    out->meta.covered_epoch = reader_u32(&r);
    out->meta.min_ts_ms = (int64_t)reader_u64(&r);
    out->meta.max_ts_ms = (int64_t)reader_u64(&r);
    out->meta.series_count = reader_u64(&r);
    out->meta.sample_count = reader_u64(&r);
    out->file_len = reader_u64(&r);
    out->meta.rank = reader_u64(&r);
    out->replaced_count = reader_u32(&r);
}

static enum status check_header(struct bytes file, const struct block_meta *meta, struct error *err)
{
    struct buffer want;
    buffer_init(&want, BLOCK_HEADER_BYTES);
    block_header_encode(&want, meta);
    bool is_same = memcmp(want.ptr, file.ptr, BLOCK_HEADER_BYTES) == 0;
    buffer_deinit(&want);
    return is_same ? STATUS_OK
                   : error_set(err, STATUS_CORRUPT, "block: the header is damaged or another's");
}

/* Compares without sums that could overflow. */
static enum status check_directory(struct bytes file, const struct block_footer *footer,
                                   struct error *err)
{
    uint64_t end = file.len - BLOCK_FOOTER_BYTES;
    if (footer->directory_offset < BLOCK_HEADER_BYTES || footer->directory_offset > end ||
        footer->directory_len != end - footer->directory_offset ||
        footer->replaced_count > BLOCK_REPLACED_MAX ||
        footer->directory_len < footer->replaced_count * BLOCK_REPLACED_BYTES ||
        footer->tenant_count >
            (footer->directory_len - footer->replaced_count * BLOCK_REPLACED_BYTES) /
                BLOCK_ENTRY_BYTES)
        return error_set(err, STATUS_CORRUPT, "block: the directory is not where it should be");
    struct bytes directory = {file.ptr + footer->directory_offset, footer->directory_len};
    if (block_sum(&footer->meta, footer->directory_offset, directory) != footer->directory_sum)
        return error_set(err, STATUS_CORRUPT, "block: directory: wrong checksum");
    return STATUS_OK;
}

enum status block_footer_decode(struct bytes file, struct block_footer *out, struct error *err)
{
    if (file.len < BLOCK_HEADER_BYTES + BLOCK_FOOTER_BYTES)
        return error_set(err, STATUS_CORRUPT, "block: got %zu bytes, want at least %d", file.len,
                         BLOCK_HEADER_BYTES + BLOCK_FOOTER_BYTES);
    struct bytes footer = {file.ptr + file.len - BLOCK_FOOTER_BYTES, BLOCK_FOOTER_BYTES};
    if (load_u32(footer.ptr + FOOTER_CRC_OFFSET) !=
        crc32c((struct bytes){footer.ptr, FOOTER_CRC_OFFSET}))
        return error_set(err, STATUS_CORRUPT, "block: footer: wrong checksum");
    uint32_t version = load_u32(footer.ptr + FOOTER_VERSION_OFFSET);
    if (version != VERSION)
        return error_set(err, STATUS_CORRUPT, "block: got version %u, want %d", version, VERSION);
    read_footer(footer, out);
    if (out->file_len != file.len)
        return error_set(err, STATUS_CORRUPT, "block: got %zu bytes, want %llu", file.len,
                         (unsigned long long)out->file_len);
    TRY(check_header(file, &out->meta, err));
    return check_directory(file, out, err);
}
