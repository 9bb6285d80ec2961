/*
 * The shard's lock as a write has it: with the log's batch, and not for long while others wait.
 */
#include "tsdb/store/store_write_impl.h"

/* A write of usual size is done by then. */
static const uint64_t LOCKED_NS_MAX = 250000;

void lock_shard(struct shard_write *w)
{
    uint64_t hasty = w->gives_way ? 0 : 1;
    counter_add(&w->shard->hasty_writes, hasty);
    rwlock_lock_write(&w->shard->lock);
    counter_sub(&w->shard->hasty_writes, hasty);
    w->locked_ns = clock_monotonic_ns(store_clock(w->shard->store));
    if (head_sample_count(w->shard->head) == 0)
        w->shard->head_since_ms = w->monotonic_ms;
    wal_batch_begin(w->shard->wal);
}

void unlock_shard(struct shard_write *w)
{
    wal_batch_end(w->shard->wal);
    shard_note_memory_locked(w->shard);
    rwlock_unlock_write(&w->shard->lock);
}

static bool is_time_to_let_others_in(const struct shard_write *w)
{
    return (w->gives_way && counter_get(&w->shard->hasty_writes) > 0) ||
           clock_monotonic_ns(store_clock(w->shard->store)) - w->locked_ns >= LOCKED_NS_MAX;
}

bool let_others_in_locked(struct shard_write *w)
{
    if (!is_time_to_let_others_in(w)) {
        wal_batch_offer(w->shard->wal);
        return false;
    }
    unlock_shard(w);
    lock_shard(w);
    return true;
}
