/*
 * thinned_series: a series of a block as readers see it, without what was deleted.
 */
#ifndef CROFT_TSDB_THINNED_SERIES_H
#define CROFT_TSDB_THINNED_SERIES_H

#include "tsdb/block/block.h"
#include "tsdb/store/spans.h"

struct thinned_series {
    struct block *block;
    size_t tenant;   /* its position in the block */
    uint32_t series; /* its position in the tenant */
    struct span_list deleted;
};

/* block_read without what was deleted. */
MUST_USE enum status thinned_series_read(const struct thinned_series *series,
                                         const struct block_range *range, struct columns *out,
                                         struct error *err);
/* Whether deletions leave nothing within the range, which may begin where retention does. The
   samples are read only when the last one there is deleted, and the first one is or cannot be told;
   false when they cannot be. */
bool thinned_series_is_empty(const struct thinned_series *series, const struct block_range *range);

#endif
