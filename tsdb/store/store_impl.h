/*
 * store_impl: the inside of a store: its shards, shared by store*.c, shard*.c and select*.c.
 *
 * Lock order: flush_lock, commit_lock, deletions_lock, files_lock, lock, manifest_lock. Nothing
 * else is taken while `lock` is held but the log's own mutex, that of a block, that of the late
 * memo, and wake_lock.
 */
#ifndef CROFT_TSDB_STORE_IMPL_H
#define CROFT_TSDB_STORE_IMPL_H

#include "base/thread.h"
#include "tsdb/files/manifest.h"
#include "tsdb/store/deletions.h"
#include "tsdb/store/disk_reserve.h"
#include "tsdb/store/late_memo.h"
#include "tsdb/store/replay_crew.h"
#include "tsdb/store/store.h"
#include "tsdb/wal/wal_segment.h"

enum { SHARD_FOLDER_MAX = 64, SHARD_HINT_BITS = 16 };

/*
 * Who reads while a flush ends: a selection enters the current generation and leaves it. A flush
 * publishes its blocks, begins a new generation and waits until the old one is empty before the
 * head forgets what the blocks hold; so a selection that saw no block finds the samples in the
 * head.
 */
struct read_guard {
    struct mutex lock;
    struct cond has_left;
    uint32_t generation; /* guarded by lock */
    uint32_t inside[2];  /* guarded by lock; selections open, by generation modulo 2 */
};

struct shard {
    struct store *store;
    uint32_t number;
    char folder[SHARD_FOLDER_MAX];

    struct rwlock lock;
    struct counter hasty_writes; /* that wait for the lock and give way to nobody */
    struct head *head;           /* guarded by lock */
    struct block **blocks;       /* guarded by lock; lowest rank first, one reference each */
    size_t block_count;          /* guarded by lock */
    size_t block_capacity;       /* guarded by lock */
    uint64_t next_sequence;      /* guarded by lock */
    int64_t blocks_max_ts_ms;    /* guarded by lock; no sample in a block is later */
    uint32_t flush_count;        /* guarded by lock; flushes that have published their blocks */
    uint64_t blocks_version; /* guarded by lock; another one whenever blocks or deletions change */
    struct deletions
        *deletions;        /* guarded by lock; the pointer is replaced under deletions_lock too */
    int64_t head_since_ms; /* guarded by lock; monotonic: when the first sample of the head came */
    struct counter claimed_bytes; /* of the head, as shard_note_memory_locked saw it last */
    struct counter sample_bytes;  /* the same */
    uint32_t covered_epoch;       /* guarded by flush_lock; the log up to here is in blocks */

    struct counter *hints; /* base/mem, 2^SHARD_HINT_BITS: positions of series in blocks
                              (store_late.c); guesses, so anybody may change them */

    struct late_memo late_memo; /* what store_late.c has read of blocks */

    struct read_guard guard;
    struct mutex flush_lock; /* one flush at a time */

    struct mutex deletions_lock; /* one change of the deletions at a time */
    uint64_t needed_version;     /* guarded by deletions_lock; blocks_version at which blocks had
                                    something of each deletion; 0 for none */
    struct counter is_in_doubt;  /* 1: their file may say something else than memory; no writes */

    struct mutex files_lock; /* one drop or replacement of blocks at a time */
    uint64_t *leftovers;     /* guarded by files_lock; sequences of blocks whose files have to go */
    size_t leftover_count;   /* guarded by files_lock */
    size_t leftover_capacity; /* guarded by files_lock */
    bool may_have_strays; /* guarded by files_lock; files of blocks that are in no list may be seen
                                 by the next start */

    struct mutex manifest_lock; /* one change of the manifest at a time */
    struct manifest manifest;   /* guarded by manifest_lock; what is gone included */
    bool is_manifest_saved;     /* guarded by manifest_lock; the file says the same */
    bool has_bad_deletions;     /* of the opening thread: their file could not be read */

    struct mutex commit_lock;            /* one commit at a time */
    struct wal *wal;                     /* records are logged under `lock` */
    struct segment_id noted_segment;     /* guarded by commit_lock; the last one that the manifest
                                            was told of */
    struct segment_id *damaged_segments; /* guarded by flush_lock; of the log, by epoch; until
                                            they are in quarantine */
    size_t damaged_segment_count;        /* guarded by flush_lock */
    size_t damaged_segment_capacity;     /* guarded by flush_lock */

    struct thread committer;
    struct mutex wake_lock;
    struct cond wake;
    bool is_woken;    /* guarded by wake_lock */
    bool is_stopping; /* guarded by wake_lock */

    bool was_missing; /* when it was opened: not all of its folders were there */
    struct store_replay_report replay;
    /* Of which replay cannot tell whether they are durable, by refs of the head; base/mem; of the
       opening thread, until it has logged them. */
    struct logged_sample *unproven;
    size_t unproven_count;
    size_t unproven_capacity;
};

struct store {
    struct store_options options;
    struct tenant_table *tenants;
    struct shard *shards;
    uint32_t shard_count;
    bool has_manifests;                   /* before the start: every shard had one */
    struct counter damaged_blocks;        /* found since the start */
    struct counter free_bytes;            /* of the disk; UINT64_MAX before it was looked at */
    struct counter is_short;              /* 1: less than the reserve is free; no writes */
    struct counter head_memory_max_bytes; /* 0 for any */
    struct disk_reserve reserve;          /* the part of it that nobody else can take */
    int64_t last_time_ms;  /* see store_last_time_ms; never changes once the store is open */
    int64_t noted_time_ms; /* of the thread that calls store_note_time: what the file says */
    struct store_replay_report replay;
};

/* `min_ts_ms`, or the beginning of the tenant's retention when that is later; of the longest one
   when `tenant` is NULL. */
int64_t store_first_visible_ms(const struct store *store, const struct tenant *tenant,
                               int64_t min_ts_ms);

void read_guard_init(struct read_guard *guard);
void read_guard_deinit(struct read_guard *guard);
/* Returns the generation to leave with. */
uint32_t read_guard_enter(struct read_guard *guard);
void read_guard_leave(struct read_guard *guard, uint32_t generation);
/* Begins a new generation and waits for everybody in the old one. */
void read_guard_drain(struct read_guard *guard);

/* Opens blocks, replays the log, begins a new epoch. Without committer. */
MUST_USE enum status shard_open(struct shard *shard, struct store *store, uint32_t number,
                                struct replay_crew *crew, struct error *err);
void shard_start_committer(struct shard *shard);
/* Stops the committer, commits what is left, releases everything; also after a failed open. */
void shard_close(struct shard *shard);
MUST_USE enum status shard_commit(struct shard *shard, struct error *err);

/* Begins a new epoch, and drops the log that blocks cover: an earlier process had no time to. */
MUST_USE enum status shard_open_log(struct shard *shard, struct error *err);
/* Notes segments that are damaged: for the replay. */
struct wal_observer shard_damage_observer(struct shard *shard);
/* The same, before the replay, for what that passes over: what blocks cover and a process that died
   had no time to drop. */
MUST_USE enum status shard_find_covered_damage(struct shard *shard, struct error *err);
/* Deletes what the log holds of epochs <= `epoch`, which durable blocks cover, and what of them
   still waits to be written, after a commit that failed. Damaged segments go to quarantine. */
MUST_USE enum status shard_drop_log(struct shard *shard, uint32_t epoch, struct error *err);

/* DISK_PATH_MAX bytes; the folder itself when `name` is empty. */
void shard_path(const struct shard *shard, char *path, const char *folder, const char *name);
/* Fills the head from the log, and `unproven`. */
MUST_USE enum status shard_replay(struct shard *shard, struct replay_crew *crew, struct error *err);
/* Logs the unproven samples anew, so that the next commit, for which every answer waits, makes them
   durable. */
void shard_log_unproven(struct shard *shard);

/* Reads the deletions of an earlier process. A damaged file goes to quarantine. */
MUST_USE enum status shard_load_deletions(struct shard *shard, struct error *err);
/* With a reference. */
struct deletions *shard_deletions(struct shard *shard);
/* Puts `list` (taken on success) durably in the place of the present one, if `last_sequence` still
   is the last that was given out; else STATUS_UNAVAILABLE. UINT64_MAX for whichever. On failure the
   file says what it said before, or the shard is in doubt. */
MUST_USE enum status shard_replace_deletions_locked(struct shard *shard, struct deletions *list,
                                                    uint64_t last_sequence, struct error *err)
    REQUIRES(shard->deletions_lock);
/* store_flush_shard for who holds the lock; then makes sure that the log holds nothing that blocks
   cover. */
MUST_USE enum status shard_flush_all_locked(struct shard *shard, struct error *err)
    REQUIRES(shard->flush_lock);

/* The tenant of stored samples, made when it is new. STATUS_INVALID: it belongs to another shard,
   so that nobody would find them. */
MUST_USE enum status shard_get_tenant(struct shard *shard, struct str id, struct tenant **out,
                                      struct error *err);
/* At start, when blocks and deletions are known: says what is gone, and writes
   down what is there. */
MUST_USE enum status shard_compare_manifest(struct shard *shard, struct error *err);
void shard_manifest_add(struct shard *shard, const struct block *block);
void shard_manifest_remove(struct shard *shard, const struct block *block);
void shard_manifest_set_deletions(struct shard *shard, bool has_deletions);
/* After a commit: writes down the segment that it began, if it did. A disk that does not take that
   is no reason to fail: the manifest may name less than there is. */
void shard_manifest_note_segment_locked(struct shard *shard) REQUIRES(shard->commit_lock);
/* What the replay has found of a segment of an earlier process; written down the next time that
   anything is. What of it is not known to be durable is logged anew. */
void shard_manifest_raise_durable(struct shard *shard, struct manifest_segment segment);
/* After the last commit: writes down where the log ends. */
void shard_manifest_note_end(struct shard *shard);
/* Before segments of epochs <= `epoch` are deleted. */
void shard_manifest_forget_log(struct shard *shard, uint32_t epoch);
/* Writes it when it has changed; STATUS_OK also when the disk is full: it is to be called before
   files are deleted, and once more after. */
MUST_USE enum status shard_save_manifest(struct shard *shard, struct error *err);
/* Makes the names of the blocks durable. */
MUST_USE enum status shard_sync_blocks(struct shard *shard, struct error *err);
/* DISK_PATH_MAX bytes. */
void shard_block_path(const struct shard *shard, char *path, uint64_t sequence);
/* Out of the way, durably, and never deleted or replaced: somebody may want to look at it. `folder`
   is that of blocks, of the log, or "" for the shard's own. STATUS_NOT_FOUND: there is no such
   file. */
MUST_USE enum status shard_quarantine_file(struct shard *shard, const char *folder,
                                           const char *name, struct error *err);
/* Notes that such a file may be there. */
void shard_note_stray_locked(struct shard *shard) REQUIRES(shard->files_lock);
void shard_add_leftover_locked(struct shard *shard, uint64_t sequence) REQUIRES(shard->files_lock);
/* Deletes the files for good. On failure they stay leftovers. */
MUST_USE enum status shard_drop_leftovers_locked(struct shard *shard, struct error *err)
    REQUIRES(shard->files_lock);
/* Tells the other shards what the head takes; to be called when it has changed. */
void shard_note_memory_locked(struct shard *shard) REQUIRES(shard->lock);
/* What the heads of all shards leave of the memory that they may take to a tenant whose series take
   `own_bytes`, UINT64_MAX without limit: see store_memory.c. Exact for this shard. */
uint64_t shard_memory_left_locked(struct shard *shard, uint64_t own_bytes) REQUIRES(shard->lock);
/* The samples of all heads take much, and those of this one no less than those of others. */
bool shard_wants_memory(struct shard *shard);
/* The heads take more than is left for the rest of the process. */
bool store_is_out_of_memory(struct store *store);
/* Adds a durable block, taking the caller's reference. */
void shard_add_block_locked(struct shard *shard, struct block *block) REQUIRES(shard->lock);

#endif
