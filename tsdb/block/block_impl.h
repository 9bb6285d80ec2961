/*
 * block_impl: the inside of an open block, for the files that read it.
 *
 * The index of a tenant is checked when it is first asked for: its slot then says whether it may be
 * used. A slot is written once under `lock`; `is_ready` publishes it.
 */
#ifndef CROFT_TSDB_BLOCK_IMPL_H
#define CROFT_TSDB_BLOCK_IMPL_H

#include "base/thread.h"
#include "tsdb/block/block.h"
#include "tsdb/block/block_frame.h"
#include "tsdb/block/block_index.h"

struct block_slot {
    struct flag is_ready;
    bool is_damaged;
    uint64_t id_hash; /* of the tenant's id; the directory must go on saying the same */
    struct block_index index;
    uint64_t runs_offset; /* in the file */
    uint64_t runs_len;
};

struct block {
    struct refcount references;
    struct file *file;
    struct bytes bytes;     /* the mapping */
    struct flag is_damaged; /* something of it could not be read */
    struct block_footer footer;
    struct mutex lock;
    struct block_slot *slots; /* by tenant */
    char path[DISK_PATH_MAX];
};

struct block_entry block_entry_of(const struct block *block, size_t tenant);
/* The id's text, empty when the entry leads nowhere. */
struct str block_entry_id(const struct block *block, const struct block_entry *entry);

/* The slot of a tenant whose index is good. */
MUST_USE enum status block_slot_get(struct block *block, size_t tenant,
                                    const struct block_slot **out, struct error *err);
/* A timeline of a tenant, its checksum proved, decoded for the range. The caller owns one
   reference. */
MUST_USE enum status block_slot_timeline(const struct block *block, const struct block_slot *slot,
                                         uint32_t number, const struct block_range *range,
                                         struct timeline **out, struct error *err);
/* The run of a series, its checksum proved. */
MUST_USE enum status block_slot_run(const struct block *block, const struct block_slot *slot,
                                    const struct block_place *place, struct bytes *out,
                                    struct error *err);

#endif
