/*
 * merge_plan: which blocks of a shard should become one now. Pure functions: state and time in,
 * decision out.
 *
 * Blocks of one UTC day are merged with each other only. In order of rank, where `fan_in` is 4:
 *
 *     during the day     0 0 0 0 ─► 1      1 1 1 1 ─► 2      as in a log-structured merge tree
 *     when it is over    2 1 1 0 0 ─► 3                      all of it, some time after midnight,
 *                                                            once nobody fills it any more
 *     late samples       3  0 0 0 0 ─► 3 1                   among themselves, until they weigh
 *                                                            enough and the day is quiet
 *
 * The level of a block is how often its samples were written again at most, so no merge makes a
 * level above MERGE_LEVEL_MAX: that bounds what compaction writes.
 *
 * A block goes when its last sample has expired, so merging makes none that spans more than a part
 * of the retention: its first samples stay no longer than that. From eight days of retention on a
 * day is less.
 *
 * Only neighbours in rank are merged (block.h), so that of two samples with one time the first
 * written one goes on winning.
 */
#ifndef CROFT_COMPACTION_MERGE_PLAN_H
#define CROFT_COMPACTION_MERGE_PLAN_H

#include "tsdb/block/block.h"

enum { MERGE_LEVEL_MAX = 3, MERGE_SPAN_SHARE = 8 };

struct merge_rules {
    size_t fan_in; /* blocks of a level that become one of the next; 2 to BLOCK_REPLACED_MAX */
    int64_t finish_after_ms; /* after midnight; longer than a head waits for its flush */
    int64_t stagger_ms; /* the shards' days are finished one after the other within this time */
};

struct merge_rules merge_rules_default(void);

/* What the plan needs to know of a block. */
struct merge_candidate {
    struct block_meta meta;
    uint64_t size_bytes;
    bool is_held; /* a merge of its day has failed lately: the whole day waits */
};

struct merge_view {
    const struct merge_candidate *blocks; /* of one shard, lowest rank first */
    size_t count;
    uint32_t shard;
    uint32_t shard_count;
    int64_t now_ms;
    int64_t retention_ms;
    bool is_settling; /* a day is to become as few blocks as may be now, however often written */
};

/* The UTC day of a time: days since 1970-01-01, also before it. */
int64_t merge_day_of(int64_t ts_ms);
/* False for a block that spans several days: it is left as it is until it expires. */
bool merge_day_of_block(const struct block_meta *meta, int64_t *day);

/* Writes the positions of what to merge, lowest rank first, to `out` (BLOCK_REPLACED_MAX), returns
   how many; 0 when there is nothing to do. */
size_t merge_plan(const struct merge_rules *rules, const struct merge_view *view, size_t *out);

#endif
