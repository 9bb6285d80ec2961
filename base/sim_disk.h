/*
 * sim_disk: a disk in memory that knows which bytes and which names are durable.
 *
 * Tests cut the power (what was not synced goes, wholly or in part), fail the n-th call, run out of
 * space, and flip stored bytes. Every state-changing call (create, append, sync, rename, unlink,
 * make_dir, sync_dir, zero_ahead, reserve) counts as one operation, every other one (open, read,
 * size, map, list, free and capacity) as one read.
 *
 * Threads: may be used from several threads.
 */
#ifndef CROFT_BASE_SIM_DISK_H
#define CROFT_BASE_SIM_DISK_H

#include "base/disk.h"
#include "base/random.h"

struct sim_disk;

struct sim_disk *sim_disk_new(uint64_t seed);
/* All files must be closed. NULL is fine. */
void sim_disk_free(struct sim_disk *sim);
/* The disk to hand to the code under test; disk_close on it only detaches. Calling it again gives a
   fresh handle on the same contents, as a restarted process would get. */
struct disk *sim_disk_disk(struct sim_disk *sim);

/* What remains of unsynced state at a power cut. */
enum power_cut {
    POWER_CUT_DROP_ALL,  /* exactly what was synced */
    POWER_CUT_KEEP_SOME, /* random subset: 512-byte pieces of unsynced appends (missing ones read as
                              zeros), sizes anywhere up to what was written, unsynced names each
                              kept or lost */
    POWER_CUT_TORN_TAIL, /* all names; unsynced appends are kept up to a random byte */
    POWER_CUT_PROCESS_ONLY, /* the machine goes on: nothing is lost, and nothing more is durable */
    POWER_CUT_COUNT,
};

uint64_t sim_disk_operation_count(struct sim_disk *sim);
/* From operation number `operation` on (counted from 0) every call fails with STATUS_IO and changes
   nothing, as if the machine had lost power at its start; UINT64_MAX for never. */
void sim_disk_cut_power_at(struct sim_disk *sim, uint64_t operation);
bool sim_disk_is_cut(struct sim_disk *sim);
/* Turns the power back on and forgets sim_disk_cut_power_at: applies the losses; all disks and
   files handed out before are dead (close them). Fine without a cut before it. */
void sim_disk_restore_power(struct sim_disk *sim, enum power_cut cut);

/* Operation number `operation` fails once with `status`; later ones succeed again. It changes
   nothing, but for an append or zeros ahead of it, of which a part may be written, and for a sync,
   after which what it should have saved is never durable, whatever later syncs say. */
void sim_disk_fail_at(struct sim_disk *sim, uint64_t operation, enum status status);
uint64_t sim_disk_read_count(struct sim_disk *sim);
/* Read number `read` (counted from 0) fails once with STATUS_IO: a bad sector, or no descriptor or
   memory left; later ones succeed again. */
void sim_disk_fail_read_at(struct sim_disk *sim, uint64_t read);
/* Every operation on a path that begins so fails with STATUS_IO and changes nothing, as does all
   that is done to files opened by it; reading goes on. "" for none. */
void sim_disk_break_paths(struct sim_disk *sim, const char *prefix);
/* Appends, zeros, creates and reserves fail with STATUS_UNAVAILABLE once the files hold this many
   bytes; an append, or zeros, write what still fits. 1 TiB until it is called. */
void sim_disk_set_capacity(struct sim_disk *sim, uint64_t capacity_bytes);
/* Changes a stored byte: visible to readers and mappings at once. CHECKs that file and offset
   exist. */
void sim_disk_flip(struct sim_disk *sim, const char *path, uint64_t offset, uint8_t xor_mask);
/* Shortens a file, or lengthens it with zeros; durable at once. What is gone of a mapping is zeros,
   and counts as a fault. */
void sim_disk_truncate(struct sim_disk *sim, const char *path, uint64_t size_bytes);
/* How often file_fault_count was asked. */
uint64_t sim_disk_look_count(struct sim_disk *sim);
/* `len` bytes of the mappings of a file are lost at the end of look number `look` (counted from 0):
   in the middle of what reads them, which hears of it when it looks again. The file has them still.
   Another call takes the place of this one. */
struct sim_loss {
    uint64_t look;
    size_t offset;
    size_t len;
};
void sim_disk_lose_at(struct sim_disk *sim, const char *path, const struct sim_loss *loss);
/* All file paths, sorted, as a name_list is (full paths, cut at DISK_NAME_MAX - 1). */
void sim_disk_files(struct sim_disk *sim, struct name_list *out);

#endif
