/*
 * maintenance: the thread that keeps a store in shape: flushes heads, drops expired blocks, lets
 * idle series go.
 *
 * A shard whose flush failed is tried again after a pause; its trouble never stops another shard.
 */
#ifndef CROFT_COMPACTION_MAINTENANCE_H
#define CROFT_COMPACTION_MAINTENANCE_H

#include "compaction/plan.h"

struct maintenance;

struct maintenance_counters {
    struct counter flushes;
    struct counter flush_failures;
    struct counter blocks_expired;
    struct counter drop_failures;
};

/* Starts the thread. The store is kept. */
struct maintenance *maintenance_open(struct store *store, const struct plan_limits *limits);
/* Waits for the step under way. NULL is fine. */
void maintenance_close(struct maintenance *maintenance);
const struct maintenance_counters *maintenance_counters(const struct maintenance *maintenance);

/* One round over all shards at the store's present time; what the thread does every second. For
 * tests. */
void maintenance_step(struct maintenance *maintenance);
/* Without a thread: for tests. */
struct maintenance *maintenance_new(struct store *store, const struct plan_limits *limits);

#endif
