/*
 * write_path: from the body of a remote write to durable samples. Knows no HTTP.
 *
 *     body ─► snappy_body ─► write_scan ─► write_tenant, write_replica per series ─► store_write
 *                                                                        done ◄─(commit)─┘
 *
 * What is valid is kept, whatever else the message holds.
 *
 * Threads: any; no call waits for the disk. Buffers are recycled between calls.
 */
#ifndef CROFT_INGEST_WRITE_PATH_H
#define CROFT_INGEST_WRITE_PATH_H

#include "base/arena.h"
#include "base/counter.h"
#include "ingest/metadata.h"
#include "ingest/write_counters.h"
#include "ingest/write_replica.h"
#include "ingest/write_report.h"
#include "ingest/write_scan.h"
#include "tsdb/store/store.h"

struct write_path;

struct write_path_options {
    struct store *store;             /* kept */
    struct tenant_table *tenants;    /* of the store; kept */
    struct metadata *metadata;       /* kept */
    struct write_counters *counters; /* kept */
    struct ha_tracker *ha_tracker;   /* kept; NULL: no HA pairs */
    struct write_scan_options scan;  /* labels_per_series_max: at least what the store allows */
    size_t decoded_max_bytes;
};

struct write_path *write_path_new(const struct write_path_options *options);
/* No job may be under way. NULL is fine. */
void write_path_free(struct write_path *path);

/* One write: zeroed, then filled in by the caller, in memory that lives until `done` is called. */
struct write_job {
    struct bytes body; /* as received; used only within write_path_run */
    const struct tenant_id
        *tenant;               /* that the sender named for the whole write; may be NULL; kept */
    const struct grant *grant; /* what the sender may do; NULL: everything; kept */
    struct arena *arena;       /* lives as long as the job; kept */
    struct charge *charge;     /* whose payer has the memory that the write needs; may be NULL */
    bool gives_way;            /* to writes that do not: store.h */
    /* Called once, from any thread, perhaps before write_path_run returns. From then on the job
       belongs to the caller again. */
    void (*done)(struct write_job *job);

    /* The outcome, for `done`:
       STATUS_OK           all that `report` does not list as refused is durable
       STATUS_INVALID      not snappy, or malformed: nothing was written, `err` says why
       STATUS_DENIED       the sender may not write that tenant: nothing was written
       STATUS_LIMIT        too large: nothing was written
       STATUS_UNAVAILABLE  now is not the time: nothing or some was written, the sender may repeat
       it all */
    enum status status;
    struct error err;
    struct write_report report;
    uint64_t cpu_ns; /* processor time of write_path_run */

    struct write_path *path; /* write_path's own, from here on */
    struct write_commit commit;
    struct refcount parties; /* write_path_run and the commit: the last one calls `done` */
};

void write_path_run(struct write_path *path, struct write_job *job);

#endif
