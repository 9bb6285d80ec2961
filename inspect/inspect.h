/*
 * inspect: `croft inspect`: what the files of a data directory hold, as text.
 *
 * Reads without the lock, so a running server does not mind; what it changes meanwhile shows as it
 * was or as it is.
 */
#ifndef CROFT_INSPECT_INSPECT_H
#define CROFT_INSPECT_INSPECT_H

#include <stdio.h>

#include "base/disk.h"

struct inspection {
    struct disk *disk; /* borrowed, as is the rest */
    FILE *out;
    bool has_shard; /* only `shard` */
    uint32_t shard;
    struct str tenant; /* only this one; empty for all */
};

/* Prints one topic: "log", "blocks", "index", "tenants", "sizes"; "" prints an overview.
   STATUS_INVALID: no such topic or shard; STATUS_NOT_FOUND: not a data directory. Damage is printed
   where it is met and counted in `*wrong`; what can still be read is. */
MUST_USE enum status inspect_print(const struct inspection *inspection, struct str topic,
                                   uint64_t *wrong, struct error *err);

/* Proves everything (tsdb/store/verify.h) and prints a line for each thing that is wrong, then one
   of totals. When the files change meanwhile it begins anew. */
MUST_USE enum status inspect_verify(struct disk *disk, FILE *out, uint64_t *wrong,
                                    struct error *err);

/* Returns the exit status: 0, 1 when something is wrong or cannot be read, 2 for a bad command
 * line. */
int inspect_main(int count, char *const *args);

#endif
