/*
 * wal_queue: batches of records on their way from who logs to the thread that commits, and who
 * waits for them.
 *
 *     filling ──(taken by a commit, or its epoch ends)──► queue ──(durable)──► gone
 *
 * A batch whose write failed stays at the head of the queue.
 *
 * Threads: between wal_queue_begin and wal_queue_end the caller fills the batch, and no other
 *          thread; a commit that wants it meanwhile waits for wal_queue_offer or wal_queue_end,
 *          never for the lock of who fills, which who writes much has nearly always. One thread
 *          commits: wal_queue_take, wal_queue_first and wal_queue_finish_first are its own.
 *          Everything else from any thread.
 */
#ifndef CROFT_TSDB_WAL_QUEUE_H
#define CROFT_TSDB_WAL_QUEUE_H

#include "base/counter.h"
#include "base/thread.h"
#include "tsdb/wal/wal.h"
#include "tsdb/wal/wal_batch.h"

struct wal_queue {
    size_t series_bytes_max; /* of a batch */

    struct mutex filling_lock; /* order: the shard's lock, filling_lock, lock */

    struct mutex lock;
    struct cond is_given;      /* is_wanted no more */
    struct wal_batch *filling; /* guarded by lock, while it is filled by filling_lock */
    bool is_filled;            /* guarded by lock; somebody is at it */
    bool is_waited_for;        /* guarded by lock; somebody began to wait while it was filled */
    struct counter is_wanted;  /* written under lock; by a commit: who is at it gives it away */
    struct wal_batch *spare;   /* guarded by lock; an empty one, or NULL */
    struct wal_batch *first, *last; /* guarded by lock; the queue, oldest first */
    struct counter epoch;           /* written under lock; of `filling` */

    struct counter pending_bytes; /* of the queue, and of `filling` while nobody is at it */
};

/* A batch has room for so many bytes of declarations. */
void wal_queue_init(struct wal_queue *queue, size_t series_bytes_max);
/* Waiters that are left are told STATUS_CANCELLED. */
void wal_queue_deinit(struct wal_queue *queue);
/* Of what is logged first; once. */
void wal_queue_set_epoch(struct wal_queue *queue, uint32_t epoch);

/* The batch to fill; another one after wal_queue_offer. */
void wal_queue_begin(struct wal_queue *queue);
void wal_queue_offer(struct wal_queue *queue);
/* True: somebody waits for a commit who did not before. */
bool wal_queue_end(struct wal_queue *queue);

/* wal.h: wal_wait and wal_end_epoch. */
MUST_USE bool wal_queue_wait(struct wal_queue *queue, struct wal_waiter *waiter);
uint32_t wal_queue_end_epoch(struct wal_queue *queue);

/* What is being filled goes to the queue. */
void wal_queue_take(struct wal_queue *queue);
/* NULL when the queue is empty. Stays first until it is finished. */
struct wal_batch *wal_queue_first(struct wal_queue *queue);
/* Whoever waits for it is told STATUS_OK. */
void wal_queue_finish_first(struct wal_queue *queue);
/* Whoever waits for a batch of the queue is told that it is not durable; the batches stay. */
void wal_queue_tell_unavailable(struct wal_queue *queue);

#endif
