/*
 * clean: which blocks hold bytes that nobody can read any more, because samples were deleted, have
 * expired or are damaged, and are to be written anew without them, or to go.
 *
 * What was deleted goes however often the block was written already: somebody asked for it. So does what
 * is damaged, as soon as anybody has met it: from then on no read does. What has
 * expired goes with its block when all of it has; else when the block may be written once more within
 * MERGE_LEVEL_MAX and its day is over, or when at least half of it has expired: then no more is
 * written than is freed.
 */
#ifndef CROFT_COMPACTION_CLEAN_H
#define CROFT_COMPACTION_CLEAN_H

#include "tsdb/store/deletions.h"

struct clean_view {
    const struct deletions *deletions;
    int64_t due_ms; /* deletions that came later, by the monotonic clock, wait for company */
    /* What is before it has expired. */
    int64_t (*first_kept_ms)(void *context, struct str tenant);
    void *context;
    int64_t now_ms;
};

enum clean_verdict {
    CLEAN_KEEP,
    CLEAN_REWRITE_AS_IS,   /* keeps its level: somebody deleted, or the disk did */
    CLEAN_REWRITE_EXPIRED, /* goes up a level */
    CLEAN_DROP,            /* nothing of it would be left */
};

/* `scratch` is reset. A block that cannot be read is to be written anew, which tells what is wrong. */
enum clean_verdict clean_judge(const struct clean_view *view, struct block *block,
                               struct arena *scratch);

#endif
