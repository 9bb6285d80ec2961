/*
 * block_index: the index of one tenant in a block, read where it lies.
 *
 * Opening checks once that every place it names is inside; only series and postings, which are
 * decoded, can still turn out to be broken. Bytes of a file can be gone later: the accessors below
 * say nonsense then, for the block to notice, and read nothing that is outside.
 *
 * Ownership:  borrows the section; text points into it.
 * Threads:    may be used by many threads.
 * Format:     docs/format/block.md, "Index".
 */
#ifndef CROFT_TSDB_BLOCK_INDEX_H
#define CROFT_TSDB_BLOCK_INDEX_H

#include "base/arena.h"
#include "base/codec.h"
#include "base/status.h"
#include "tsdb/index/postings.h"
#include "tsdb/model/label.h"

struct block_index {
    uint32_t symbol_count;
    uint32_t name_count;
    uint32_t pair_count;
    uint32_t series_count;
    uint32_t timeline_count;
    const uint8_t *symbol_offsets; /* u32 each; one more than symbols */
    const uint8_t *names;          /* symbol, first pair; one more than names */
    const uint8_t *pairs;          /* symbol, postings offset; one more than pairs */
    const uint8_t *series_offsets; /* u32 each; one more than series */
    const uint8_t *timelines;      /* INDEX_TIMELINE_BYTES each */
    struct bytes text;
    struct bytes series;
    struct bytes postings;
};

MUST_USE enum status block_index_open(struct block_index *index, struct bytes section,
                                      struct error *err);

/* 0 <= symbol < symbol_count, and so on. */
struct str block_index_symbol(const struct block_index *index, uint32_t symbol);
struct str block_index_name(const struct block_index *index, uint32_t name);
struct str block_index_value(const struct block_index *index, uint32_t pair);
/* Pairs of the name are first <= pair < first of the next name (0 <= name <= name_count). */
uint32_t block_index_first_pair(const struct block_index *index, uint32_t name);

/* False when no series has such a label. */
bool block_index_find_name(const struct block_index *index, struct str text, uint32_t *name);
/* The first pair of the name whose value is not less than `text`. */
uint32_t block_index_lower_value(const struct block_index *index, uint32_t name, struct str text);
bool block_index_find_value(const struct block_index *index, uint32_t name, struct str text,
                            uint32_t *pair);

/* `out` is initialised; it is replaced. */
MUST_USE enum status block_index_postings(const struct block_index *index, uint32_t pair,
                                          struct postings *out, struct error *err);
/* The bytes of the postings of pairs first <= pair < end: what uniting them costs. */
size_t block_index_postings_len(const struct block_index *index, uint32_t first, uint32_t end);

/* What the bytes of an index are for; together they are the section. */
struct index_sizes {
    uint64_t symbol_bytes; /* text, and where each begins */
    uint64_t table_bytes;  /* head, names, pairs, timelines */
    uint64_t series_bytes; /* labels and place of each */
    uint64_t postings_bytes;
};

/* Adds those of this index. */
void block_index_measure(const struct block_index *index, struct index_sizes *sizes);
/* What one series takes of series_bytes. */
size_t block_index_series_len(const struct block_index *index, uint32_t series);

/* Where a timeline is, and its first and last timestamp. */
struct block_timeline {
    uint64_t offset; /* from the start of the tenant's runs; not checked */
    uint32_t len;
    uint32_t sum;
    int64_t min_ts_ms;
    int64_t max_ts_ms;
};

enum { INDEX_TIMELINE_BYTES = 32 };

/* 0 <= number < timeline_count */
struct block_timeline block_index_timeline(const struct block_index *index, uint32_t number);

/* Where the samples of a series are. */
struct block_place {
    uint32_t timeline;   /* its number, below timeline_count */
    uint64_t run_offset; /* from the start of the tenant's runs; not checked */
    uint64_t run_len;
    uint32_t run_sum;
};

/* 0 <= series < series_count; CHECK otherwise. The array is in `arena`. STATUS_LIMIT: it is
   full. */
MUST_USE enum status block_index_labels(const struct block_index *index, uint32_t series,
                                        struct arena *arena, struct labels *out, struct error *err);
/* The text as well. */
MUST_USE enum status block_index_copy_labels(const struct block_index *index, uint32_t series,
                                             struct arena *arena, struct labels *out,
                                             struct error *err);
MUST_USE enum status block_index_place(const struct block_index *index, uint32_t series,
                                       struct block_place *out, struct error *err);
/* The pair that the series has for `name`; false when it has none. */
MUST_USE enum status block_index_pair_of(const struct block_index *index, uint32_t series,
                                         uint32_t name, bool *has_pair, uint32_t *pair,
                                         struct error *err);
/* Sets the flag of each name that the series has; there are name_count of them. */
MUST_USE enum status block_index_mark_names(const struct block_index *index, uint32_t series,
                                            bool *has_name, struct error *err);

#endif
