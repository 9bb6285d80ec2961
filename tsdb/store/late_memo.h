/*
 * late_memo: what a repeated past is going to be compared with next.
 *
 * Who sends a day again sends one sample of each series with each request, in order of time. To
 * look one up in a block a chunk of hundreds is proved and decoded; the next few are kept here, so
 * that this is done once for LATE_MEMO_SAMPLES requests. What is kept is what the block says, which
 * never changes.
 *
 * Memory:  a table of 2^LATE_MEMO_BITS entries, under 20 MB, taken with the first that is kept,
 *          given back a minute or two after the last was asked for. Of two series that want one
 *          entry the later has it. All memos are one payer of a budget: where that refuses, nothing
 *          is kept until late_memo_rest. Shown as croft_late_memo_bytes.
 * Threads: any.
 */
#ifndef CROFT_TSDB_LATE_MEMO_H
#define CROFT_TSDB_LATE_MEMO_H

#include "base/budget.h"
#include "base/thread.h"
#include "tsdb/head/head.h"

enum { LATE_MEMO_BITS = 16, LATE_MEMO_SAMPLES = 16 };

/* A series of a block of the shard; or one of its head, and what all blocks have of it. */
struct late_key {
    uint64_t sequence; /* of the block; for the head the shard's blocks_version */
    uint32_t tenant;   /* its position in the block; LATE_KEY_HEAD */
    uint32_t series;   /* its position in the block; its ref */
};
enum { LATE_KEY_HEAD = INT32_MAX };

struct late_entry;

struct late_memo {
    struct mutex lock;
    struct late_entry *entries; /* guarded by lock; base/mem; NULL when there are none */
    bool is_used;               /* guarded by lock; since the last rest */
    bool is_refused;            /* guarded by lock; the same */
    struct charge charge;       /* guarded by lock; of `entries` */
};

/* `budget`, kept, may be NULL. */
void late_memo_init(struct late_memo *memo, struct budget *budget);
void late_memo_deinit(struct late_memo *memo);
/* Whether it knows what the series has at the time of the sample: then `*result` is what becomes of
   it, APPEND_OK if the series has none of that time. */
bool late_memo_find(struct late_memo *memo, const struct late_key *key, struct sample sample,
                    enum append_result *result);
/* Keeps the first of `samples`, which are all that the series has from min_ts_ms to max_ts_ms,
   both inclusive. */
void late_memo_keep(struct late_memo *memo, const struct late_key *key, int64_t min_ts_ms,
                    int64_t max_ts_ms, const struct columns *samples);
/* Called now and then: gives its memory back when it was not used since the last call. */
void late_memo_rest(struct late_memo *memo);
/* 0 when it keeps nothing. */
size_t late_memo_bytes(struct late_memo *memo);

#endif
