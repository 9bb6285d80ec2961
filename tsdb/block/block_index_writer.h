/*
 * block_index_writer: gathers the series of one tenant and writes their index.
 *
 * Memory: the distinct texts once, 12 bytes per distinct label pair, 4 per label, about 48 per
 *         series, 32 per timeline.
 * Format: docs/format/block.md, "Index"
 */
#ifndef CROFT_TSDB_BLOCK_INDEX_WRITER_H
#define CROFT_TSDB_BLOCK_INDEX_WRITER_H

#include "base/buffer.h"
#include "base/status.h"
#include "tsdb/block/block_index.h"

struct index_writer;

struct index_writer *index_writer_new(void);
void index_writer_free(struct index_writer *writer);
/* Returns the number by which series name it; at most UINT32_MAX - 1 of them. */
uint32_t index_writer_add_timeline(struct index_writer *writer,
                                   const struct block_timeline *timeline);
/* Series in increasing order of labels, at most UINT32_MAX - 1 of them. */
void index_writer_add(struct index_writer *writer, struct labels labels,
                      const struct block_place *place);
/* What it takes; writing the index takes about as much again for a moment. */
size_t index_writer_memory_bytes(const struct index_writer *writer);
/* Appends the index. STATUS_LIMIT: one of its parts would pass 4 GiB. */
MUST_USE enum status index_writer_encode(const struct index_writer *writer, struct buffer *out,
                                         struct error *err);

#endif
