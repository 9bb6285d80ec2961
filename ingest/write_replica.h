/*
 * write_replica: whether a series of a write is kept when its tenant is sent each sample by the
 * replicas of an HA pair, and its labels without the one that names the replica.
 *
 * A series is looked at when its tenant has accept_ha_samples and it has both labels; others pass
 * as they are. Semantics are Mimir's, but for each series by itself instead of for a request by its
 * first.
 *
 * Threads: belongs to one thread at a time; the tracker it asks is synchronised.
 */
#ifndef CROFT_INGEST_WRITE_REPLICA_H
#define CROFT_INGEST_WRITE_REPLICA_H

#include "ingest/ha_tracker.h"
#include "tsdb/model/label.h"

enum replica_verdict {
    REPLICA_KEEP,
    REPLICA_DROP,    /* another replica is elected */
    REPLICA_REFUSE,  /* the tenant has as many clusters as it may have */
    REPLICA_INVALID, /* a name is too long, or has a NUL in it */
};

struct write_replica {
    struct ha_tracker *tracker;    /* kept; NULL: no tenant has HA pairs */
    struct tenant_table *tenants;  /* kept */
    struct tenant_texts names;     /* of the two labels, as `named_by` has them */
    const struct tenant *named_by; /* NULL before the first */
    /* the series before, which most often was sent by the same replica */
    const struct tenant *tenant;
    struct str cluster;
    struct str replica;
    enum replica_verdict verdict;
    struct error why; /* of a series that is not kept */
};

/* The next series belong to another request. */
void write_replica_begin(struct write_replica *replica);

/* Whether the tenant has HA pairs: else its series are kept as they are, and
   need not be checked. */
bool write_replica_concerns(const struct write_replica *replica, const struct tenant *tenant);
/* Takes the replica's label out of `labels` (of `count`) when the series is kept. */
enum replica_verdict write_replica_check(struct write_replica *replica, const struct tenant *tenant,
                                         struct label *labels, uint32_t *count);

#endif
