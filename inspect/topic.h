/*
 * topic: one view of a data directory; each is one file show_*.c and one row of the table in
 * inspect.c.
 */
#ifndef CROFT_INSPECT_TOPIC_H
#define CROFT_INSPECT_TOPIC_H

#include "inspect/inspect.h"
#include "tsdb/block/block.h"
#include "tsdb/files/shard_files.h"

struct topic {
    const struct inspection *inspection;
    uint32_t shard_count; /* of the data directory */
    uint64_t wrong;       /* what could not be read */
};

static inline FILE *topic_out(const struct topic *topic)
{
    return topic->inspection->out;
}

bool topic_covers_shard(const struct topic *topic, uint32_t shard);
bool topic_covers_tenant(const struct topic *topic, struct str tenant);

/* The blocks of the shards that are covered, in order of shard and sequence. A damaged one is
   printed as such and left out, as is one that the server has deleted meanwhile. */
MUST_USE enum status topic_each_block(struct topic *topic,
                                      enum status (*visit)(struct topic *topic, void *context,
                                                           struct block *block, struct error *err),
                                      void *context, struct error *err);
/* The sections of the tenants that are covered, of all such blocks. */
MUST_USE enum status topic_each_section(struct topic *topic,
                                        enum status (*visit)(struct topic *topic, void *context,
                                                             struct block *block, size_t tenant,
                                                             struct error *err),
                                        void *context, struct error *err);
/* What the log of a shard must not show: the largest epoch that a block covers. */
MUST_USE enum status topic_covered_epoch(struct topic *topic, uint32_t shard, uint32_t *out,
                                         struct error *err);
/* STATUS_CORRUPT is printed and counted and becomes STATUS_OK; STATUS_NOT_FOUND, of a file that
 * went, too. */
MUST_USE enum status topic_pass_damage(struct topic *topic, enum status status, struct error *err);

MUST_USE enum status show_overview(struct topic *topic, struct error *err);
MUST_USE enum status show_log(struct topic *topic, struct error *err);
MUST_USE enum status show_blocks(struct topic *topic, struct error *err);
MUST_USE enum status show_index(struct topic *topic, struct error *err);
MUST_USE enum status show_tenants(struct topic *topic, struct error *err);
MUST_USE enum status show_sizes(struct topic *topic, struct error *err);

#endif
