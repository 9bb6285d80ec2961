/*
 * clean_memo: what the deletions of a shard were found to have in its blocks.
 *
 * Neither a block nor a list of deletions ever changes, so what was looked up once holds as long as
 * the list and those of it that are due are the same. Retention moves on: how much of a block would
 * be left is believed for an hour.
 *
 * Ownership: the caller owns the struct; it owns the notes, and a reference to the list.
 * Threads:   not synchronised.
 */
#ifndef CROFT_COMPACTION_CLEAN_MEMO_H
#define CROFT_COMPACTION_CLEAN_MEMO_H

#include "tsdb/store/deletions.h"

struct clean_note {
    uint64_t sequence; /* of the block */
    bool is_looked_up; /* the next one is known */
    bool has_deleted;
    uint64_t kept_bytes;
    int64_t measured_ms; /* when they were; 0 bytes before */
};

struct clean_memo {
    struct deletions *list;   /* of which the notes tell; NULL before the first */
    size_t due_count;         /* so many of it */
    struct clean_note *notes; /* base/mem; in the order in which the blocks were seen first */
    size_t count;
    size_t capacity;
};

void clean_memo_deinit(struct clean_memo *memo);
/* Forgets everything if it was not about these; at least so often that blocks that are gone do not
   add up. */
void clean_memo_begin(struct clean_memo *memo, struct deletions *list, size_t due_count,
                      size_t block_count);
/* Of the block that is at `index` of all; until the next call. */
struct clean_note *clean_memo_note(struct clean_memo *memo, size_t index, uint64_t sequence);

#endif
