/*
 * block_frame: the parts of a block that hold the tenants together: header, directory, footer.
 *
 * Format: docs/format/block.md.
 */
#ifndef CROFT_TSDB_BLOCK_FRAME_H
#define CROFT_TSDB_BLOCK_FRAME_H

#include "base/codec.h"
#include "base/status.h"
#include "tsdb/block/block.h"

enum {
    BLOCK_HEADER_BYTES = 32,
    BLOCK_ENTRY_BYTES = 64,
    BLOCK_FOOTER_BYTES = 112,
    BLOCK_REPLACED_BYTES = 8, /* of each sequence in the directory */
};

/* The checksum of a section: of these bytes at this place of this block. */
uint32_t block_sum(const struct block_meta *meta, uint64_t offset, struct bytes section);

void block_header_encode(struct buffer *out, const struct block_meta *meta);

/* One tenant. */
struct block_entry {
    uint32_t id_offset;
    uint32_t id_len;
    uint64_t runs_offset;
    uint64_t index_offset;
    uint64_t index_len;
    uint32_t index_sum;
    uint32_t series_count;
    uint64_t sample_count;
    int64_t min_ts_ms;
    int64_t max_ts_ms;
};

void block_entry_encode(struct buffer *out, const struct block_entry *entry);
/* `bytes` has BLOCK_ENTRY_BYTES. What it says about places is not checked. */
struct block_entry block_entry_decode(const uint8_t *bytes);

struct block_footer {
    uint64_t directory_offset;
    uint64_t directory_len;
    uint32_t directory_sum;
    uint32_t tenant_count;
    struct block_meta meta;
    uint64_t file_len;
    uint32_t replaced_count; /* sequences, behind the entries */
};

void block_footer_encode(struct buffer *out, const struct block_footer *footer);
/* Checks header and footer of the whole file, and that the directory is where they say.
   STATUS_CORRUPT, also for an unknown version. */
MUST_USE enum status block_footer_decode(struct bytes file, struct block_footer *out,
                                         struct error *err);

#endif
