/*
 * store: shards of head, log and blocks behind one door.
 *
 *     store_write ─► shard of the tenant ─► head + log batch ──(commit)──► told durable
 *     store_flush_shard: head ─► block ─► log epochs dropped
 *     select_open (select.h): head + blocks of the shards that a scope needs
 *
 * Every acknowledged sample is on disk: in a log epoch that no block covers, or in a block.
 *
 * Threads: any. Each shard has one lock for head and block list; commit threads (one per shard)
 *          sync the logs, unless `is_manual`, where tests call store_commit.
 * Format:  docs/format/layout.md.
 */
#ifndef CROFT_TSDB_STORE_H
#define CROFT_TSDB_STORE_H

#include "tsdb/block/block.h"
#include "tsdb/head/head.h"
#include "tsdb/model/tenant.h"
#include "tsdb/store/select.h"
#include "tsdb/wal/wal.h"

struct store;

struct store_options {
    struct disk *disk;         /* kept */
    const struct clock *clock; /* kept */
    uint32_t shard_count;      /* of a new store; an existing one keeps its own */
    struct str default_tenant;
    struct str tenant_label; /* how a federated read shows the tenant; kept */
    uint32_t tenants_max;
    struct label_limits label_limits;
    int64_t retention_ms;  /* samples older than now - retention are invisible, then dropped */
    int64_t future_max_ms; /* samples later than now + this are refused; 10 minutes */
    int64_t idle_ms;       /* a series without samples for this long is not active; 30 minutes */
    uint64_t wal_segment_bytes; /* 0 for the default */
    /* Writes are refused when the disk has less free, so that flushes, merges and deletions can go
       on; 0 for none. A quarter is held in a file, for deletions when others fill the disk, while
       it is not roomy. */
    uint64_t reserve_bytes;
    struct budget *memory; /* of late memos; kept; NULL: no limit */
    bool is_manual;        /* no threads: the caller commits and flushes */
    /* With is_manual: only selections and reports may be asked; nothing on the disk is changed, and
       damaged blocks are left out. */
    bool is_read_only;
};

/* Opens or makes the store, replays the logs. STATUS_CORRUPT or STATUS_IO with a clear text when
   the layout file cannot be used; damaged blocks and frames are quarantined or skipped, counted,
   and the rest is served. */
MUST_USE enum status store_open(const struct store_options *options, struct store **out,
                                struct error *err);
/* Commits what is pending. No call may be under way. NULL is fine. */
void store_close(struct store *store);

struct write_series {
    struct tenant *tenant;
    /* Of its labels as the sender gave them; empty when it did not give it in one piece. */
    struct bytes identity;
    const struct label *labels; /* the same labels; unused when there is an `identity` */
    uint32_t label_count;
    uint32_t sample_count;
    const struct sample *samples;
};

/* To `out`, which has room for label_count. */
static inline void write_series_labels(const struct write_series *series, struct label *out)
{
    if (series->identity.len > 0)
        labels_identity_decode(series->identity, out, series->label_count);
    else if (series->label_count > 0)
        memcpy(out, series->labels, series->label_count * sizeof *out);
}

struct write_result {
    uint64_t samples_written; /* duplicates of what is there count as written */
    uint64_t samples_refused[REFUSAL_COUNT];
    uint64_t series_refused[REFUSAL_COUNT];
    struct error first[REFUSAL_COUNT]; /* the first refusal of each reason: what, got, want */
    int64_t retry_after_ms;            /* when what is refused only for now may be repeated */
};

/* Lives with the request. Zero it before use. */
struct write_commit {
    /* Called once, from any thread, when every shard's part is durable (STATUS_OK) or one could not
       be made so (STATUS_UNAVAILABLE). May be called before store_write returns. */
    void (*done)(struct write_commit *commit, enum status status);
    struct refcount left;   /* the store's: shards still to answer, and store_write */
    struct flag has_failed; /* the store's */
};

/* What a write takes of its arena at most, but for padding and a few pages, and for the labels of
   series that the log or the head do not know. */
size_t store_write_memory_max(const struct write_series *series, size_t series_count);

struct store_write_request {
    const struct write_series *series; /* those of one label set are one stream, in this order */
    size_t series_count;
    struct arena *arena; /* kept; lives at least until `done` of the commit */
    struct write_result *result;
    struct write_commit *commit; /* kept until it is done */
    bool gives_way;              /* in the middle, to whoever does not: for those who write much */
};

/* Applies what is valid, refuses the rest (in `result`), logs, and registers `commit`.
   STATUS_UNAVAILABLE: the log cannot take writes now; nothing was applied and `done` is not
   called. */
MUST_USE enum status store_write(struct store *store, const struct store_write_request *request,
                                 struct error *err);

/* Makes the tenant `id` (or finds it, when another write was quicker) for a series that it begins
   with; `series->tenant` is not looked at. STATUS_NOT_FOUND: it was not made, because all of the
   series is refused (in `result`); STATUS_UNAVAILABLE: too many new tenants at once
   (result->retry_after_ms says when there may be one again); STATUS_LIMIT: there are as many as
   there may be. */
MUST_USE enum status store_admit_tenant(struct store *store, const struct tenant_id *id,
                                        const struct write_series *series,
                                        struct write_result *result, struct tenant **out,
                                        struct error *err);

/* How much series in memory and their samples should take, in all shards; 0 for any. New series are
   refused before it is reached, whoever has most first, those of large tenants from seven eighths
   on; writes are, all of them (STATUS_UNAVAILABLE), at one and a half times. Any thread, any
   time. */
void store_set_head_memory(struct store *store, uint64_t max_bytes);
/* What they claim of it, and `*max_bytes`. */
uint64_t store_head_memory(struct store *store, uint64_t *max_bytes);

struct tenant_table *store_tenants(struct store *store);
uint32_t store_shard_count(const struct store *store);
const struct clock *store_clock(const struct store *store);
/* As a federated read shows the tenant. */
struct str store_tenant_label(const struct store *store);

/* How late it was when a process that had this store open last knew (store_note_time); of a store
   where none ever did, the greatest timestamp of any sample, INT64_MIN when there are none. */
int64_t store_last_time_ms(const struct store *store);
/* It is `now_ms`, for certain: what the next process is told, to the hour. For one thread, now and
   then; a disk that does not take it is asked again. */
void store_note_time(struct store *store, int64_t now_ms);

/* What one shard holds; a snapshot. */
struct shard_status {
    uint64_t series;
    uint64_t head_samples; /* in memory, not being flushed */
    uint64_t head_memory_bytes;
    uint64_t head_sample_memory_bytes; /* the part of it that a flush gives back */
    uint64_t late_memo_bytes;
    int64_t head_age_ms; /* how long ago the first of them came; 0 when there are none */
    uint64_t wal_bytes;
    uint64_t wal_commits;
    uint64_t wal_commit_failures;
    uint64_t wal_bytes_written;
    uint64_t block_count;
    uint64_t block_bytes;
    bool is_writable;
    uint64_t disk_free_bytes; /* when last looked at; UINT64_MAX when nobody has */
    bool wants_memory;        /* a flush would help: see store_set_head_memory */
};
void store_shard_status(struct store *store, uint32_t shard, struct shard_status *out);

/* What is in memory of a tenant now. */
void store_tenant_usage(struct store *store, const struct tenant *tenant, struct tenant_usage *out);

/* Adds the extent of its series in memory; a few of them at a time, so that writers get in. */
MUST_USE enum status store_add_extent(struct store *store, const struct tenant *tenant,
                                      struct arena *arena, struct head_extent *out,
                                      struct error *err);

/* Its largest metrics and label names in memory. */
void store_tenant_tops(struct store *store, const struct tenant *tenant, struct arena *arena,
                       struct tenant_tops *out);
/* What the tenant uses of each limit on usage now; TENANT_LIMIT_NONE for all other limits. */
void store_limit_usage(struct store *store, const struct tenant *tenant,
                       uint64_t out[TENANT_LIMIT_COUNT]);

/* A series of the tenant that is refused before it comes to the store: counted as what the store
   refuses. Its shard's lock is taken for the first of each reason in `result`. */
void store_refuse_series(struct store *store, struct tenant *tenant, enum refusal_reason reason,
                         uint64_t samples, const struct error *why, struct write_result *result);

/* The last refusal of the tenant for that reason since the start; false when there was none. */
bool store_last_refusal(struct store *store, const struct tenant *tenant,
                        enum refusal_reason reason, struct refusal *out);

void store_label_counts(struct store *store, const struct tenant *tenant, struct arena *arena,
                        struct label_count_list *out);

struct store_replay_report {
    uint64_t samples;
    uint64_t series;
    uint64_t torn_tail_bytes;
    uint64_t damaged_frames;
    uint64_t lost_samples; /* of the log's good frames, because of the damaged ones */
    uint64_t quarantined_blocks;
    uint64_t missing_files; /* blocks, segments of the log, manifests, files of deletions and shards
                               that should be there; a damaged manifest */
    uint64_t duration_ms;
};
const struct store_replay_report *store_replay_report(const struct store *store);

/* Commits the pending log of a shard: for is_manual. */
MUST_USE enum status store_commit(struct store *store, uint32_t shard, struct error *err);
/* Writes what the head of the shard holds to blocks, one per UTC day of the samples, then drops the
   log it covers. One flush of a shard at a time. On
   failure everything stays readable and logged. */
MUST_USE enum status store_flush_shard(struct store *store, uint32_t shard, struct error *err);
/* Looks how much of the disk is free, and takes or refuses writes accordingly; to be called now and
   then. Each commit looks as well. */
void store_check_reserve(struct store *store);
/* Holds space for deletions on a disk that is not roomy, also again what one has used, once the
   disk has space; to be called now and then, after store_check_reserve, which has looked. */
void store_adjust_reserve(struct store *store);
/* Deactivates idle series. */
void store_sweep_idle(struct store *store, uint32_t shard);

/* The blocks of a shard, lowest rank first (block.h), with a reference each; the array is in
   `arena`. */
void store_blocks(struct store *store, uint32_t shard, struct arena *arena, struct block ***out,
                  size_t *count);
/* Notes that something of the block could not be read, so that it is written anew without it
   (compaction/clean.h). Logs and counts a block once. */
void store_note_damage(struct store *store, struct block *block, const struct error *why);
/* Blocks of which that was noted since the start. */
uint64_t store_damaged_block_count(const struct store *store);
/* Files in quarantine now, whenever they came there; they stay until somebody moves them away. */
uint64_t store_quarantine_file_count(const struct store *store);
/* Deletes the block's file and takes it out of the shard; readers that hold it go on.
   When the file, or what the log has of what it covers, cannot be deleted the block stays.
   STATUS_NOT_FOUND: it is not there any more. */
MUST_USE enum status store_drop_block(struct store *store, uint32_t shard, struct block *block,
                                      struct error *err);
/* Deletes what earlier merges have replaced and could not delete then. Does nothing when there is
   none. */
MUST_USE enum status store_drop_leftovers(struct store *store, uint32_t shard, struct error *err);
/* Begins a block that is to take the place of others; ends with store_replace_blocks or
   block_writer_abort. `meta` gives shard, level, rank and covered_epoch. STATUS_UNAVAILABLE when
   the disk has not twice `expected_bytes` free; STATUS_IO when what an earlier merge left behind
   still cannot be deleted. */
MUST_USE enum status store_new_block(struct store *store, const struct block_meta *meta,
                                     uint64_t expected_bytes, struct block_writer **out,
                                     struct error *err);

struct delete_request {
    const struct scope *scope;
    const struct matcher *matchers; /* all must match; none means every series */
    size_t matcher_count;
    int64_t min_ts_ms; /* inclusive */
    int64_t max_ts_ms; /* inclusive */
};

/* Hides from every read that begins later, and durably, the samples of the request that were
   acknowledged before the call; samples that come later for the same times are kept. Flushes the
   shards of the tenants, so it takes as long. Their bytes go when their blocks are written anew.
   STATUS_INVALID: a matcher that stored series cannot be asked for; on failure some tenants'
   samples may be gone already. */
MUST_USE enum status store_delete(struct store *store, const struct delete_request *request,
                                  struct error *err);
/* What was deleted in the shard and has not left all blocks, with a reference (deletions.h). */
struct deletions;
struct deletions *store_deletions(struct store *store, uint32_t shard);
/* After a deletion failed so that its file may take effect at the next start, the shard takes no
   writes until this has put the file right. Does nothing otherwise. */
MUST_USE enum status store_mend_deletions(struct store *store, uint32_t shard, struct error *err);
/* Whether some block of the tenant's shard still has bytes of the tenant. */
bool store_has_blocks_of(struct store *store, const struct tenant *tenant);
/* Forgets deletions of which no block of the shard holds anything any more. For who makes its
   blocks: none may be under way. */
MUST_USE enum status store_forget_deletions(struct store *store, uint32_t shard, struct error *err);

struct block_replacement {
    struct block *const *blocks; /* of one shard, from store_blocks; at most BLOCK_REPLACED_MAX */
    const bool *is_damaged;      /* by block: not all of it could be read */
    size_t count;
    struct block_writer *writer; /* taken */
};
/* Makes the new block durable and puts it in the place of the others: readers see those or the new
   one, never both nor none; those who hold the old ones go on. Files of the old blocks are deleted,
   of damaged ones moved to quarantine. On failure everything is as before; STATUS_NOT_FOUND when
   one of the blocks has gone. */
MUST_USE enum status store_replace_blocks(struct store *store, uint32_t shard,
                                          const struct block_replacement *replacement,
                                          uint64_t *size_bytes, struct error *err);
/* What blocks are kept for: the longest of any tenant. */
int64_t store_retention_ms(const struct store *store);
/* Of one tenant; of the store when nobody has written under that id. */
int64_t store_retention_of_ms(const struct store *store, struct str tenant);

#endif
