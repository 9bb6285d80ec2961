/*
 * select_impl: what a selection is made of; private to select*.c.
 */
#ifndef CROFT_TSDB_SELECT_IMPL_H
#define CROFT_TSDB_SELECT_IMPL_H

#include "tsdb/store/select.h"
#include "tsdb/store/select_scope.h"
#include "tsdb/store/store_impl.h"

/* A shard that a selection reads: what it must give back at the end. */
struct held_shard {
    struct shard *shard;
    uint32_t generation;
    struct block **blocks; /* that overlap the time range, oldest first; one reference each */
    size_t block_count;
    struct deletions *deletions; /* one reference */
    bool is_held;
};

/* Where series of one tenant live: a head, or a block. */
struct source {
    const struct tenant_part *part;
    struct shard *shard;
    struct block *block; /* NULL: the head */
    size_t block_tenant;
    const struct deletions *deletions; /* of the shard */
};

#define PLACE_NONE UINT32_MAX

/* One series in one block. */
struct place {
    struct span_list deleted; /* of what the block has */
    uint32_t source;
    uint32_t position;
    uint32_t next; /* place of the same series in a younger block */
};

struct selected {
    struct labels labels;
    const struct tenant_part *part;
    uint32_t first_place; /* oldest block first; PLACE_NONE: in no block */
    uint32_t last_place;
    uint32_t head_source; /* PLACE_NONE: not in the head */
    uint32_t head_ref;
};

struct selection {
    struct store *store;
    const struct select_options *options;
    struct damage_listener damage;
    int64_t min_ts_ms;       /* of the options, less what the longest retention of a tenant hides */
    struct arena arena;      /* labels, and what is as small as tenants and blocks are few */
    struct held_shard *held; /* one per shard of the store */
    struct source *sources;  /* base/mem, like the two below */
    size_t source_count;
    size_t source_capacity;
    struct place *places;
    size_t place_count;
    size_t place_capacity;
    struct selected *series; /* sorted by labels */
    size_t series_count;
    struct timeline_cache timelines; /* of the blocks */
    struct charge *charge;           /* of the options */
    size_t charged_bytes;
};

/* What a read of the block came to. Damage is noted, and is told to the listener, if there is one:
   then it is STATUS_OK, and what could not be read is left out. */
MUST_USE enum status select_pass_damage(struct store *store, const struct damage_listener *listener,
                                        struct block *block, enum status status, struct error *err);

/* Guards the shard and lists its blocks, the first time; valid as long as the selection. */
const struct held_shard *select_hold_shard(struct selection *selection, uint32_t number);
/* Fills in sources, places and series. */
MUST_USE enum status select_gather(struct selection *selection, struct error *err);

#endif
