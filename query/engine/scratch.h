/*
 * scratch: the buffers that the making of a column takes, handed on from column to column.
 *
 *     struct scratch *scratch = scratch_take(&pool);
 *     ... fill scratch->samples; scratch_room(scratch, bytes) ...
 *     scratch_give(&pool, scratch);
 *
 * A query makes thousands of columns; taking their buffers from the heap each time cost as much as
 * reading them.
 *
 * Ownership:  a scratch belongs to who took it, until it is given back; the pool frees them all.
 * Threads:    the pool is synchronised; a scratch belongs to one thread.
 */
#ifndef CROFT_QUERY_SCRATCH_H
#define CROFT_QUERY_SCRATCH_H

#include "base/thread.h"
#include "tsdb/model/sample.h"

struct scratch {
    struct columns samples; /* of a series; whatever was there last */
    void *room;
    size_t room_bytes;
    struct scratch *next; /* of the pool, when it is free */
};

struct scratch_pool {
    struct mutex lock;
    struct scratch *free; /* guarded by lock */
};

void scratch_pool_init(struct scratch_pool *pool);
/* All have been given back. */
void scratch_pool_deinit(struct scratch_pool *pool);

struct scratch *scratch_take(struct scratch_pool *pool);
void scratch_give(struct scratch_pool *pool, struct scratch *scratch);
/* Room for `count` elements, not zeroed; until the next call, which may move it. */
void *scratch_room(struct scratch *scratch, size_t count, size_t element_bytes);

#endif
