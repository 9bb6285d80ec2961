/*
 * compactor_rig: a store box and a compactor over it that works when the test says so.
 *
 * Failures end the test, unless a function returns a status.
 */
#ifndef CROFT_TESTS_COMPACTION_COMPACTOR_RIG_H
#define CROFT_TESTS_COMPACTION_COMPACTOR_RIG_H

#include "compaction/compactor.h"
#include "tests/support/store_box.h"

struct rig {
    struct store_box box;
    struct merge_rules rules; /* merge_rules_default unless changed before it is opened */
    struct compactor *compactor;
};

/* Nothing is open yet, so that options and rules may be changed; rig_close all the same. */
void rig_init(struct rig *rig, uint64_t seed);
void rig_open(struct rig *rig);
/* Both of the above; and the same with one shard. */
void rig_start(struct rig *rig, uint64_t seed);
void rig_start_single(struct rig *rig, uint64_t seed);
void rig_close(struct rig *rig);
/* The store ends, in order or not, and opens again. */
void rig_reopen(struct rig *rig);
void rig_crash(struct rig *rig, enum power_cut cut);

/* Of the tenant "a". */
void rig_put(struct rig *rig, const char *series, int64_t ts_ms, double value);
/* up{job="a"} 1, up{job="b"} 2 and cpu{mode="x"} 3, all at BOX_START_MS. */
void rig_put_three(struct rig *rig);

MUST_USE enum status rig_delete(struct rig *rig, const char *tenants, const char *matchers,
                                int64_t min_ts_ms, int64_t max_ts_ms, struct error *err);
/* The same of "a", and it must go well. */
void expect_deleted(struct rig *rig, const char *matchers, int64_t min_ts_ms, int64_t max_ts_ms);
/* What was deleted or has expired leaves the disk. */
void rig_clean(struct rig *rig);

/* Four blocks of a level become one. */
struct merge_rules rig_rules_of_four(void);
/* A compactor with these rules over any box. */
struct compactor *rig_compactor(struct store_box *box);
/* Flushes so many times; each time a sample of "up" and one of "zone". */
void flush_times(struct store_box *box, const char *tenant, int times);
/* Of the tenant's shard. */
uint64_t shard_block_count(struct store_box *box, const char *tenant);

#endif
