/*
 * compactor: the thread that merges blocks, and that brings a store to rest when it is asked to.
 *
 * One merge at a time, of whatever merge_plan says, within its share of a processor. A day whose
 * merge fails waits longer each time (setback.h), other days and shards go on.
 *
 * Damage: what can be read of a block is merged, or written anew when somebody else has met the
 * damage (clean.h); the block goes to quarantine, and what is lost is counted and logged.
 *
 * Threads: every function may be called from any thread, except that compactor_step and
 *          compactor_settle belong to a compactor without a thread.
 */
#ifndef CROFT_COMPACTION_COMPACTOR_H
#define CROFT_COMPACTION_COMPACTOR_H

#include "compaction/merge_plan.h"
#include "tsdb/store/store.h"

struct compactor;

struct compactor_options {
    struct store *store; /* kept */
    struct merge_rules rules;
    uint32_t cpu_share_percent; /* of one processor, when nobody waits for the store to settle */
    uint64_t memory_max_bytes;  /* of a merge; 0 for any */
};

struct compactor_counters {
    struct counter flushes; /* on request */
    struct counter flush_failures;
    struct counter merges;
    struct counter failures;
    struct counter blocks_read;
    struct counter written_bytes;
    struct counter samples;
    struct counter cpu_ns;
    struct counter blocks_quarantined;
    struct counter series_lost;    /* of them: those that lost some or all samples of a block */
    struct counter samples_lost;   /* of them */
    struct counter blocks_dropped; /* of which nothing was left */
};

/* Starts the thread. */
struct compactor *compactor_open(const struct compactor_options *options);
/* Without a thread: for tests. */
struct compactor *compactor_new(const struct compactor_options *options);
/* Ends the merge under way and answers every request, from now on STATUS_CANCELLED. NULL is
   fine. */
void compactor_stop(struct compactor *compactor);
/* Stops, waits for the thread. NULL is fine. */
void compactor_close(struct compactor *compactor);
const struct compactor_counters *compactor_counters(const struct compactor *compactor);

enum settle_kind {
    SETTLE_FLUSH,   /* every head to blocks */
    SETTLE_CLEAN,   /* what was deleted or has expired leaves the disk */
    SETTLE_COMPACT, /* all of that, then each shard's days to one block each */
};

/* A wish that the store come to rest. The caller's until `done`, which is called once, on the
   compactor's thread, or at once when it has been stopped. */
struct settle_request {
    enum settle_kind kind;
    void (*done)(struct settle_request *request, enum status status, const struct error *err);
    struct settle_request *next; /* the compactor's */
};
void compactor_request(struct compactor *compactor, struct settle_request *request);

/* One block of each shard without what was deleted or has expired, and one merge, where there is
   one to do: what the thread does every few seconds. */
void compactor_step(struct compactor *compactor);
/* What a request asks for. One shard's failure does not stop the others; the first is returned. */
MUST_USE enum status compactor_settle(struct compactor *compactor, enum settle_kind kind,
                                      struct error *err);

#endif
