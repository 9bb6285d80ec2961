/*
 * ha_tracker: of the replicas that send the same series for a cluster, whose samples are kept.
 *
 * The first replica seen of a cluster is elected. Another one takes its place when nothing has come
 * from the elected one for HA_FAILOVER_MS; nothing else changes it, so a replica that comes back
 * does not take over. The table is in memory only: after a restart the first one seen is elected
 * again.
 *
 * Bounds:   clusters of a tenant by its limit ha_max_clusters; when there is no room, one from
 *           which nothing has come for HA_FORGET_MS makes some. Texts by HA_TEXT_LEN_MAX.
 * Threads:  any.
 */
#ifndef CROFT_INGEST_HA_TRACKER_H
#define CROFT_INGEST_HA_TRACKER_H

#include "base/clock.h"
#include "tsdb/model/tenant.h"

/* As Mimir's failover timeout; and how long it keeps a replica that is gone. */
#define HA_FAILOVER_MS INT64_C(30000)
#define HA_FORGET_MS   (INT64_C(30) * 60 * 1000)
enum { HA_TEXT_LEN_MAX = 200 }; /* of a cluster's and of a replica's name */

struct ha_tracker;

/* `clock` is kept. */
struct ha_tracker *ha_tracker_new(const struct clock *clock);
/* NULL is fine. */
void ha_tracker_free(struct ha_tracker *tracker);

/* Who sends. */
struct ha_replica {
    struct str cluster;
    struct str name;
};

struct ha_verdict {
    bool is_kept;
    char elected[HA_TEXT_LEN_MAX + 1]; /* whose samples are kept */
};

/* Whether samples that a replica sends now are kept. STATUS_LIMIT: the tenant has as many clusters
   as it may have; STATUS_INVALID: a name is too long, or has a NUL in it. */
MUST_USE enum status ha_tracker_check(struct ha_tracker *tracker, const struct tenant *tenant,
                                      struct ha_replica replica, struct ha_verdict *out,
                                      struct error *err);

/* Times that another replica took over. */
uint64_t ha_tracker_failovers(const struct ha_tracker *tracker);

#endif
