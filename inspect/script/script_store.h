/*
 * script_store: a store on a disk in memory, whose clock stands still and for which no sample is
 * too old or too early.
 *
 * Threads: none but the caller's.
 */
#ifndef CROFT_INSPECT_SCRIPT_STORE_H
#define CROFT_INSPECT_SCRIPT_STORE_H

#include "base/clock.h"
#include "base/sim_disk.h"
#include "inspect/script/script_series.h"
#include "tsdb/store/store.h"

struct script_store {
    struct sim_clock clock;
    struct sim_disk *sim;
    struct disk *disk;
    struct store *store;
};

MUST_USE enum status script_store_init(struct script_store *script, struct error *err);
void script_store_deinit(struct script_store *script);
/* Value i at i * interval_ms. STATUS_INVALID: the store refuses one, for it is not later than those
   that are there, say. */
MUST_USE enum status script_store_load(struct script_store *script,
                                       const struct script_series *series, int64_t interval_ms,
                                       struct error *err);

#endif
