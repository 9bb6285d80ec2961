/*
 * block_impl: the inside of an open block, for the files that read it.
 *
 * The index of a tenant is checked when it is first asked for: its slot then says whether it may be
 * used. A slot is written once under `lock`; `is_ready` publishes it.
 *
 * Bytes can be gone at any time (file_fault_count). So an index is proved again whenever the count
 * is another than at its last proof, and who reads reads again when the count has changed
 * meanwhile.
 */
#ifndef CROFT_TSDB_BLOCK_IMPL_H
#define CROFT_TSDB_BLOCK_IMPL_H

#include "base/thread.h"
#include "tsdb/block/block.h"
#include "tsdb/block/block_frame.h"
#include "tsdb/block/block_index.h"

struct block_slot {
    struct flag is_ready;
    struct flag is_damaged;
    struct counter proved_faults; /* how many faults the file had when the index was proved last */
    uint64_t id_hash;             /* of the tenant's id; the directory must go on saying the same */
    struct block_index index;
    uint64_t runs_offset; /* in the file */
    uint64_t runs_len;
};

struct block {
    struct refcount references;
    struct file *file;
    struct bytes bytes;           /* the mapping */
    struct flag is_damaged;       /* something of it could not be read */
    struct counter proved_faults; /* of the file, when the directory was proved last */
    struct block_footer footer;
    struct mutex lock;
    struct block_slot *slots; /* by tenant */
    char path[DISK_PATH_MAX];
};

struct block_entry block_entry_of(const struct block *block, size_t tenant);

/* Whether bytes of the file were gone for somebody since `*faults` was counted, which is counted
   anew: what was read since may be wrong. A byte is gone once, so reading again comes to an end. */
bool block_has_faulted(const struct block *block, uint64_t *faults);

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
