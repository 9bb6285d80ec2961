/*
 * clean: which blocks hold bytes that nobody can read any more, because samples were deleted, have
 * expired or are damaged, and are to be written anew without them, or to go.
 *
 * What was deleted goes however often the block was written already: somebody asked for it. So does
 * what is damaged, as soon as anybody has met it: from then on no read does. What has expired goes
 * with its block when all of it has. A tenant's part that has expired before the rest goes
 *
 *   - at once when the block may be written once more within MERGE_LEVEL_MAX and its day is over
 *   - at once when at least half of the block has expired: no more is written than is freed
 *   - else in company: a day after the first part that has expired since the block was written
 *
 * so no block is written anew more than once a day, and no expired part stays longer than a day.
 * Why not sooner, and what a part is: docs/decisions/0007-expired-bytes-leave-with-their-day.md.
 */
#ifndef CROFT_COMPACTION_CLEAN_H
#define CROFT_COMPACTION_CLEAN_H

#include "compaction/clean_memo.h"

struct clean_view {
    struct deletions *deletions;
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

struct clean_judgement {
    enum clean_verdict verdict;
    uint64_t kept_bytes; /* of tenants of which something is left, when it is to be written anew */
};

/* How many of the deletions count yet. */
size_t clean_due_count(const struct clean_view *view);
/* What the note of the block says is not looked up again. `scratch` is reset. A block that cannot
   be read is to be written anew, which tells what is wrong. */
struct clean_judgement clean_judge(const struct clean_view *view, struct block *block,
                                   struct clean_note *note, struct arena *scratch);

#endif
