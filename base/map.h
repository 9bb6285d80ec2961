/*
 * map: files mapped for reading, and pages of them that are gone.
 *
 * A page is gone when the file became shorter or its disk cannot read it. The kernel tells whoever
 * reads there with SIGBUS. Here a page of zeros takes its place and the map counts a fault, so that
 * reading goes on; a page that is gone stays zeros. What was read between two equal counts was
 * there. SIGBUS for any other reason ends the process as it would without us.
 *
 * Ownership: the caller owns the struct; reading must have ended before map_close.
 * Threads:   any. The table of all maps is global, as handlers of signals are.
 * Why:       docs/decisions/0010-lost-pages-read-as-zeros.md
 */
#ifndef CROFT_BASE_MAP_H
#define CROFT_BASE_MAP_H

#include "base/bytes.h"
#include "base/status.h"

struct map_entry;

struct map {
    struct bytes bytes; /* empty until map_open */
    struct map_entry *entry;
};

/* Maps the first `len` (at least 1) bytes of a file, which may be closed afterwards. False with
   errno; ENOMEM also when there are too many maps. */
MUST_USE bool map_open(struct map *map, int fd, size_t len);
/* Fine for a zeroed map. */
void map_close(struct map *map);
/* How often a reader met a page that is gone. Reads before this are complete: a zero that one of
   them met is counted. */
uint64_t map_fault_count(const struct map *map);
/* The same of all maps there ever were. */
uint64_t map_fault_total(void);

#endif
