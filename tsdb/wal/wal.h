/*
 * wal: the log of one shard: what was acknowledged and is in no block yet.
 *
 * Records go to a batch in memory, under the shard's lock. wal_commit writes the batch as one
 * LZ4-compressed, checksummed frame, syncs it, and then tells the waiters: that is group commit.
 * An epoch is what lies between two flushes of the head: when a flush has made a block durable, all
 * epochs it covers are deleted. Every epoch declares the series it uses, so it replays alone.
 *
 * A failed write or sync is never retried on the same file: the batch is kept, waiters are told
 * STATUS_UNAVAILABLE, and the next wal_commit writes the kept batch to a new segment.
 *
 * Threads: wal_log_* and wal_wait only between wal_batch_begin and wal_batch_end, which hold the
 *          mutex of the batch (order: the shard's lock before it); wal_commit and wal_drop by one
 *          thread each, at the same time as anything else. Everything else from any thread.
 *
 * Format:  docs/format/wal.md
 */
#ifndef CROFT_TSDB_WAL_H
#define CROFT_TSDB_WAL_H

#include "base/clock.h"
#include "base/counter.h"
#include "base/disk.h"
#include "tsdb/files/manifest.h"
#include "tsdb/head/head.h"

struct wal;

struct wal_options {
    struct disk *disk;  /* kept */
    const char *folder; /* copied; exists */
    uint32_t shard;
    uint64_t segment_bytes;   /* a new segment is begun beyond this; 64 MiB */
    uint64_t batch_max_bytes; /* wal_is_writable is false while more waits to be written; 64 MiB */
    uint32_t epoch_after;     /* the epoch to write is greater than this and than any on disk */
};

/* Begins a new epoch in a new segment; never appends to an old file. The caller logs anew what
   replay did not call durable. */
MUST_USE enum status wal_open(const struct wal_options *options, struct wal **out,
                              struct error *err);
/* Nothing behind the last commit proves that it is durable: this does, by the header of one more
   segment, so that the next run need not log it anew. No harm if the disk does not let it. Of the
   committing thread; nothing may be committed afterwards. */
void wal_leave_proof(struct wal *wal);
/* Does not commit; waiters that are left are told STATUS_CANCELLED. */
void wal_close(struct wal *wal);

/* False while the disk refuses writes or too much waits: answer 503 before touching the head.
   Becomes true by itself after a wal_commit that succeeds. */
bool wal_is_writable(const struct wal *wal);

/* Around a run of wal_log_*: one lock for many samples. */
void wal_batch_begin(struct wal *wal);
void wal_batch_end(struct wal *wal);
/* In a long run, now and then: a commit that waits for the batch gets it, and another is begun.
   Costs next to nothing when none does. */
void wal_batch_offer(struct wal *wal);

/* The epoch that records logged now belong to; at least 1. Inside a batch it does not change. */
uint32_t wal_epoch(const struct wal *wal);

/* Text of the labels and the tenant of one series, plus 16 bytes for each label: the caller's
   limits keep it below this. */
enum { WAL_SERIES_BYTES_MAX = 8 << 20 };

/* Declares a series; before its first sample in each epoch. */
void wal_log_series(struct wal *wal, struct series_ref ref, const struct tenant_id *tenant,
                    struct labels labels);
void wal_log_sample(struct wal *wal, struct series_ref ref, struct sample sample);

struct wal_waiter {
    struct wal_waiter *next; /* of the log's list */
    /* STATUS_OK: everything logged before wal_wait is durable. Called without any lock held, from
       wal_commit or wal_close; the waiter may be gone or reused when it returns. */
    void (*done)(struct wal_waiter *waiter, enum status status);
};

/* Registers `waiter` (kept until done is called) for all that has been logged so far, also when it
   is another's. When all of it is durable already, returns true and done is not called. */
MUST_USE bool wal_wait(struct wal *wal, struct wal_waiter *waiter);

/* Writes and syncs what is pending, tells the waiters. Nothing pending: STATUS_OK. */
MUST_USE enum status wal_commit(struct wal *wal, struct error *err);
bool wal_has_pending(const struct wal *wal);
/* The last segment of this run with anything durable, and how much of it is; epoch 0 when there is
   none. Of the committing thread. */
struct manifest_segment wal_durable_end(const struct wal *wal);
/* `wake` is called when waiters were added, by wal_batch_end; set before any wal_wait. */
void wal_set_wake(struct wal *wal, void (*wake)(void *context), void *context);

/* What was logged so far belongs to the returned epoch, what is logged from now on to the next one.
   Writes nothing (the next wal_commit does), so it may be called under the shard's lock, at the
   same moment at which the head puts its samples aside. */
uint32_t wal_end_epoch(struct wal *wal);
/* What of epochs <= `epoch`, which have ended, still waits to be written is in durable blocks: its
   waiters are told so, and it is not written any more. Of the committing thread. */
void wal_skip(struct wal *wal, uint32_t epoch);
/* Deletes the segments of all epochs <= `epoch`, whose samples are in durable blocks. On failure
   the rest is tried again by the next call. What of them is still pending would be written behind
   it, and stay: wal_skip it before. */
MUST_USE enum status wal_drop(struct wal *wal, uint32_t epoch, struct error *err);
/* Bytes of all segments on disk. */
uint64_t wal_size_bytes(const struct wal *wal);

struct wal_counters {
    struct counter commits;
    struct counter commit_failures;
    struct counter bytes_written;
};
const struct wal_counters *wal_counters(const struct wal *wal);

/* A segment as replay reads it. The counts are known at its end, but for what the writer gave up,
   which is in torn_tail_bytes before. */
struct wal_segment_view {
    uint32_t epoch;
    uint32_t number;
    bool has_header; /* a good one; the next three are 0 without */
    uint32_t previous_epoch;
    uint32_t previous_number;
    uint64_t previous_bytes;
    uint64_t size_bytes;
    uint64_t limit_bytes;   /* nothing behind it counts: torn, given up by the writer, or zeros */
    uint64_t durable_bytes; /* for certain, as is known at its end */
    uint64_t frames;
    uint64_t damaged_frames; /* one of them for a segment that should be before it and is not */
    uint64_t torn_tail_bytes;
    uint64_t unread_samples; /* of its good frames: damage has taken what they rest on */
    bool is_damaged;         /* itself, in what was durable */
};

struct wal_frame_view {
    uint64_t offset; /* in the segment */
    uint32_t raw_len;
    uint32_t stored_len;
    uint32_t unsynced_bytes;
};

/* For who looks at the files and not at the samples alone. Calls come in the order of the file: a
   segment, each of its good frames, before what the frame declares and holds, and its end. Each may
   be NULL. */
struct wal_observer {
    void *context;
    void (*segment)(void *context, const struct wal_segment_view *segment);
    void (*frame)(void *context, const struct wal_frame_view *frame);
    void (*segment_end)(void *context, const struct wal_segment_view *segment);
};

struct wal_replay_handler {
    void *context;
    /* A ref means what its latest declaration in the same epoch says. */
    enum status (*series)(void *context, struct series_ref ref, struct str tenant,
                          struct labels labels, struct error *err);
    /* In the order in which they were logged; `count` > 0. */
    enum status (*samples)(void *context, const struct logged_sample *samples, size_t count,
                           struct error *err);
    /* A new epoch begins: refs of the one before are void. */
    void (*epoch)(void *context, uint32_t epoch);
    /* Everything handed over so far is durable for certain; may be NULL. Of what comes after the
       last call nothing is known: it can be read, and may be gone after a power cut, even if its
       file is synced again. */
    void (*durable)(void *context);
    const struct wal_observer *observer; /* may be NULL, as may each function */
    /* What it says was durable is damaged when it cannot be read; NULL: the log has to say. */
    const struct manifest *manifest;
};

struct wal_replay_report {
    uint32_t last_epoch;
    uint64_t samples;
    uint64_t frames;
    uint64_t torn_tail_bytes; /* ends of segments that never became durable: normal after a crash */
    uint64_t damaged_frames;  /* damage before the end: skipped, the rest was read */
    uint64_t unknown_series;  /* samples whose declaration was lost to damage: not handed over */
    uint64_t lost_samples;    /* samples told by a value that was lost to damage: not handed over */
    uint64_t skipped_records; /* of a type that this version does not know and may leave out */
};

struct wal_replay_options {
    struct disk *disk;
    const char *folder;
    uint32_t shard;
    uint32_t covered_epoch; /* it and those before it are in blocks */
    const struct wal_replay_handler *handler;
};

/* Reads all segments in `folder` with epochs > `covered_epoch`, in order; those at or below it are
   left alone (wal_drop deletes them). Each sample comes once, unless damage hides where a segment
   was given up: then the samples around that place may come twice. Damage is reported, not an
   error; a file of an unknown version, or a record that must not be skipped, is STATUS_CORRUPT. */
MUST_USE enum status wal_replay(const struct wal_replay_options *options,
                                struct wal_replay_report *report, struct error *err);

#endif
