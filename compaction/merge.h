/*
 * merge: blocks of one shard into one block, series by series.
 *
 * All inputs have tenants and series sorted, so one pass over all of them together meets each
 * series once. Where several inputs have a sample of the same time, the one of lowest rank wins: it
 * was written first.
 *
 * Memory: the index of the tenant under way, twice while it is written, and the samples of one
 *         series.
 */
#ifndef CROFT_COMPACTION_MERGE_H
#define CROFT_COMPACTION_MERGE_H

#include "tsdb/store/deletions.h"

struct merge_options {
    struct block *const *blocks; /* lowest rank first; at most BLOCK_REPLACED_MAX */
    size_t count;
    int64_t min_ts_ms; /* samples before it are left out: they have expired */
    /* The same for a tenant; NULL: `min_ts_ms` for all. */
    int64_t (*first_kept_ms)(void *context, struct str tenant);
    const struct deletions *deletions; /* what they name is left out; NULL for none */
    uint64_t memory_max_bytes;         /* of the index of a tenant; 0 for any */
    /* Called every few thousand samples; false ends the merge. May take its time. NULL is fine. */
    bool (*goes_on)(void *context);
    void *context;
};

struct merge_report {
    bool is_damaged[BLOCK_REPLACED_MAX]; /* by block: something in it could not be read */
    struct error why;                    /* of the last of them */
    uint64_t sample_count;               /* written; 0: everything has expired */
};

/* Appends everything that can be read to `writer`, which stays the caller's to finish or abort.
   STATUS_CANCELLED when goes_on said so; STATUS_UNAVAILABLE when there is too little memory. */
MUST_USE enum status merge_blocks(const struct merge_options *options, struct block_writer *writer,
                                  struct merge_report *report, struct error *err);

#endif
