/*
 * compactor_impl: what the compactor and its jobs share.
 */
#ifndef CROFT_COMPACTION_COMPACTOR_IMPL_H
#define CROFT_COMPACTION_COMPACTOR_IMPL_H

#include "base/thread.h"
#include "compaction/clean_memo.h"
#include "compaction/compactor.h"
#include "compaction/merge.h"
#include "compaction/pace.h"
#include "compaction/setback.h"
#include "compaction/trusted_clock.h"

struct compactor {
    struct store *store;
    struct merge_rules rules;
    uint64_t memory_max_bytes;
    uint32_t cpu_share_percent;
    struct compactor_counters counters;

    /* the compactor's thread only */
    struct setback_table setbacks;
    struct clean_memo *memos; /* base/mem; by shard */
    struct pace pace;
    struct trusted_clock trusted_clock;
    bool is_settling;
    int64_t now_ms; /* trusted, when the merge under way began */

    struct thread thread;
    struct mutex lock;
    struct cond wake;
    struct settle_request *requests; /* guarded by lock; newest first */
    bool is_stopping;                /* guarded by lock */
};

/* The callback of clean.h and merge.h; `context` is the compactor. */
int64_t compactor_first_kept_ms(void *context, struct str tenant);
/* Fine when retention was faster. */
MUST_USE enum status compactor_drop_block(struct compactor *c, uint32_t shard, struct block *block,
                                          struct error *err);

/* Blocks of one shard and day that become one. */
struct compactor_job {
    struct compactor *compactor;
    uint32_t shard;
    int64_t day;
    struct block *inputs[BLOCK_REPLACED_MAX];
    size_t input_count;
    struct block_meta meta;  /* of the block to be */
    uint64_t expected_bytes; /* of it, at most */
    struct merge_report report;
    uint64_t written_bytes;
};

/* Of the blocks at these positions, lowest rank first: borrowed until the job has run. What is to
   be other than usual in `meta` and `expected_bytes` is set afterwards. */
void compactor_job_init(struct compactor_job *job, struct compactor *c, uint32_t shard,
                        struct block *const *blocks, const size_t *positions, size_t count);
/* Counts and logs what became of it; a failure makes the day wait. */
MUST_USE enum status compactor_job_run(struct compactor_job *job, struct error *err);

#endif
