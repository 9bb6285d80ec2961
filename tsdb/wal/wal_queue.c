#include "tsdb/wal/wal_queue.h"

#include "base/check.h"

/* An emptied batch up to this size is used again. */
enum { SPARE_BYTES_MAX = 16 << 20 };

static void tell(struct wal_waiter *waiter, enum status status)
{
    while (waiter != NULL) {
        struct wal_waiter *next = waiter->next;
        waiter->done(waiter, status);
        waiter = next;
    }
}

/* ---- making and unmaking ---- */

void wal_queue_init(struct wal_queue *queue, size_t series_bytes_max)
{
    *queue = (struct wal_queue){.series_bytes_max = series_bytes_max};
    mutex_init(&queue->filling_lock);
    mutex_init(&queue->lock);
    cond_init(&queue->is_given);
    queue->filling = batch_new(series_bytes_max);
}

static void close_batch(struct wal_batch *batch)
{
    if (batch == NULL)
        return;
    tell(batch_take_waiters(batch), STATUS_CANCELLED);
    batch_free(batch);
}

void wal_queue_deinit(struct wal_queue *queue)
{
    while (queue->first != NULL) {
        struct wal_batch *batch = queue->first;
        queue->first = batch->next;
        close_batch(batch);
    }
    close_batch(queue->filling);
    close_batch(queue->spare);
    cond_deinit(&queue->is_given);
    mutex_deinit(&queue->lock);
    mutex_deinit(&queue->filling_lock);
}

void wal_queue_set_epoch(struct wal_queue *queue, uint32_t epoch)
{
    counter_set(&queue->epoch, epoch);
    queue->filling->epoch = epoch;
}

/* ---- filling ---- */

/* Ends the batch that was being filled, if there is anything in it. */
static void enqueue_filling_locked(struct wal_queue *queue) REQUIRES(queue->lock)
{
    struct wal_batch *batch = queue->filling;
    if (batch_size_bytes(batch) == 0)
        return;
    batch_seal(batch);
    if (queue->first == NULL)
        queue->first = batch;
    else
        queue->last->next = batch;
    queue->last = batch;
    queue->filling = queue->spare != NULL ? queue->spare : batch_new(queue->series_bytes_max);
    queue->spare = NULL;
    queue->filling->epoch = batch->epoch;
}

static void give_if_wanted_locked(struct wal_queue *queue) REQUIRES(queue->lock)
{
    if (counter_get(&queue->is_wanted) == 0)
        return;
    enqueue_filling_locked(queue);
    counter_set(&queue->is_wanted, 0);
    cond_signal(&queue->is_given);
}

void wal_queue_begin(struct wal_queue *queue) NO_THREAD_SAFETY_ANALYSIS
{
    mutex_lock(&queue->filling_lock);
    mutex_lock(&queue->lock);
    queue->is_filled = true;
    mutex_unlock(&queue->lock);
    counter_sub(&queue->pending_bytes, batch_size_bytes(queue->filling));
}

void wal_queue_offer(struct wal_queue *queue)
{
    CHECK(mutex_is_held(&queue->filling_lock));
    if (counter_get(&queue->is_wanted) == 0)
        return;
    counter_add(&queue->pending_bytes, batch_size_bytes(queue->filling));
    mutex_lock(&queue->lock);
    give_if_wanted_locked(queue);
    mutex_unlock(&queue->lock);
    counter_sub(&queue->pending_bytes, batch_size_bytes(queue->filling));
}

bool wal_queue_end(struct wal_queue *queue) NO_THREAD_SAFETY_ANALYSIS
{
    counter_add(&queue->pending_bytes, batch_size_bytes(queue->filling));
    mutex_lock(&queue->lock);
    queue->is_filled = false;
    give_if_wanted_locked(queue);
    bool is_waited_for = queue->is_waited_for;
    queue->is_waited_for = false;
    mutex_unlock(&queue->lock);
    mutex_unlock(&queue->filling_lock);
    return is_waited_for;
}

bool wal_queue_wait(struct wal_queue *queue, struct wal_waiter *waiter)
{
    CHECK(mutex_is_held(&queue->filling_lock));
    mutex_lock(&queue->lock);
    struct wal_batch *newest = batch_size_bytes(queue->filling) > 0 ? queue->filling
                               : queue->first != NULL               ? queue->last
                                                                    : NULL;
    if (newest != NULL)
        batch_add_waiter(newest, waiter);
    queue->is_waited_for |= newest != NULL;
    mutex_unlock(&queue->lock);
    return newest == NULL;
}

uint32_t wal_queue_end_epoch(struct wal_queue *queue)
{
    mutex_lock(&queue->filling_lock);
    mutex_lock(&queue->lock);
    uint32_t ended = queue->filling->epoch;
    CHECK(ended < UINT32_MAX);
    enqueue_filling_locked(queue);
    queue->filling->epoch = ended + 1;
    counter_set(&queue->epoch, ended + 1);
    mutex_unlock(&queue->lock);
    mutex_unlock(&queue->filling_lock);
    return ended;
}

/* ---- committing ---- */

/* From whoever is at it, as soon as he offers it or is done. */
void wal_queue_take(struct wal_queue *queue)
{
    mutex_lock(&queue->lock);
    counter_set(&queue->is_wanted, queue->is_filled);
    if (!queue->is_filled)
        enqueue_filling_locked(queue);
    while (counter_get(&queue->is_wanted) != 0)
        cond_wait(&queue->is_given, &queue->lock);
    mutex_unlock(&queue->lock);
}

struct wal_batch *wal_queue_first(struct wal_queue *queue)
{
    mutex_lock(&queue->lock);
    struct wal_batch *batch = queue->first;
    mutex_unlock(&queue->lock);
    return batch;
}

void wal_queue_finish_first(struct wal_queue *queue)
{
    mutex_lock(&queue->lock);
    struct wal_batch *batch = queue->first;
    queue->first = batch->next;
    counter_sub(&queue->pending_bytes, batch_size_bytes(batch));
    struct wal_waiter *waiters = batch_take_waiters(batch);
    if (queue->spare == NULL && batch_memory_bytes(batch) <= SPARE_BYTES_MAX) {
        batch_reset(batch);
        queue->spare = batch;
        batch = NULL;
    }
    mutex_unlock(&queue->lock);
    batch_free(batch);
    tell(waiters, STATUS_OK);
}

void wal_queue_tell_unavailable(struct wal_queue *queue)
{
    struct wal_waiter *all = NULL, **end = &all;
    mutex_lock(&queue->lock);
    for (struct wal_batch *batch = queue->first; batch != NULL; batch = batch->next) {
        if (batch->first_waiter == NULL)
            continue;
        struct wal_waiter **batch_end = batch->waiter_end;
        *end = batch_take_waiters(batch);
        end = batch_end;
    }
    mutex_unlock(&queue->lock);
    tell(all, STATUS_UNAVAILABLE);
}
