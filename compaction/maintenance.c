#include "compaction/maintenance.h"

#include "base/log.h"
#include "base/mem.h"
#include "base/thread.h"
#include "compaction/trusted_clock.h"

enum {
    STEP_MS = 1000,
    SWEEP_EVERY_MS = 60 * 1000,
    RETRY_AFTER_MS = 60 * 1000,
    HOUR_MS = 3600 * 1000
};

struct maintenance {
    struct store *store;
    struct plan_limits limits;
    struct maintenance_counters counters;
    int64_t *retry_at_ms;  /* monotonic, by shard: no flush before this */
    int64_t next_sweep_ms; /* monotonic */
    struct trusted_clock trusted_clock;

    struct thread thread;
    struct mutex lock;
    struct cond wake;
    bool is_stopping; /* guarded by lock */
};

static void flush_if_due(struct maintenance *m, uint32_t shard, int64_t monotonic_ms)
{
    struct shard_status status;
    store_shard_status(m->store, shard, &status);
    if (monotonic_ms < m->retry_at_ms[shard] ||
        !plan_wants_flush(&m->limits, &status, shard, store_shard_count(m->store)))
        return;
    struct error err;
    if (store_flush_shard(m->store, shard, &err) == STATUS_OK) {
        counter_add(&m->counters.flushes, 1);
        return;
    }
    counter_add(&m->counters.flush_failures, 1);
    m->retry_at_ms[shard] = monotonic_ms + RETRY_AFTER_MS;
    log_error("flush of shard %u did not end well, its log is kept: %s", shard, err.text);
}

static void count_drop(struct maintenance *m, enum status status, const struct error *err)
{
    if (status == STATUS_NOT_FOUND) /* a merge was faster, and took nothing of it */
        return;
    counter_add(status == STATUS_OK ? &m->counters.blocks_expired : &m->counters.drop_failures, 1);
    if (status != STATUS_OK)
        log_error("expired block was not deleted: %s", err->text);
}

static void drop_expired(struct maintenance *m, uint32_t shard)
{
    int64_t now_ms = trusted_clock_now_ms(&m->trusted_clock);
    struct arena arena;
    struct block **blocks;
    size_t count;
    arena_init(&arena, SIZE_MAX);
    store_blocks(m->store, shard, &arena, &blocks, &count);
    for (size_t i = 0; i < count; i++) {
        struct error err;
        if (plan_is_expired(block_meta(blocks[i]), store_retention_ms(m->store), now_ms)) {
            enum status status = store_drop_block(m->store, shard, blocks[i], &err);
            count_drop(m, status, &err);
        }
        block_release(blocks[i]);
    }
    arena_deinit(&arena);
}

void maintenance_step(struct maintenance *m)
{
    int64_t monotonic_ms = clock_monotonic_ms(store_clock(m->store));
    bool sweeps = monotonic_ms >= m->next_sweep_ms;
    if (sweeps)
        m->next_sweep_ms = monotonic_ms + SWEEP_EVERY_MS;
    if (sweeps)
        store_note_time(m->store, trusted_clock_now_ms(&m->trusted_clock));
    store_check_reserve(m->store);
    store_adjust_reserve(m->store);
    for (uint32_t shard = 0; shard < store_shard_count(m->store); shard++) {
        struct error ignored; /* tried again in a second; the shard refuses writes meanwhile */
        enum status mended = store_mend_deletions(m->store, shard, &ignored);
        (void)mended;
        if (sweeps) {
            store_sweep_idle(m->store, shard);
            /* before the flush, so that a full disk gets its space back first */
            drop_expired(m, shard);
        }
        flush_if_due(m, shard, monotonic_ms);
    }
    if (sweeps)
        mem_return_unused(); /* what queries and requests have left */
}

static bool wait_for_step(struct maintenance *m)
{
    mutex_lock(&m->lock);
    if (!m->is_stopping)
        cond_wait_for(&m->wake, &m->lock, STEP_MS);
    bool goes_on = !m->is_stopping;
    mutex_unlock(&m->lock);
    return goes_on;
}

static void run_maintenance(void *context)
{
    struct maintenance *m = context;
    while (wait_for_step(m))
        maintenance_step(m);
}

static void say_if_in_doubt(struct maintenance *m)
{
    int64_t ahead_ms =
        clock_now_ms(store_clock(m->store)) - trusted_clock_now_ms(&m->trusted_clock);
    if (ahead_ms > 0)
        log_warn("the clock is %lld hours ahead of when the store was last in use: what has "
                 "expired stays "
                 "on the disk for a day, in case the clock is wrong",
                 (long long)(ahead_ms / HOUR_MS));
}

struct maintenance *maintenance_new(struct store *store, const struct plan_limits *limits)
{
    struct maintenance *m = mem_alloc_zeroed(1, sizeof *m);
    m->store = store;
    m->limits = *limits;
    trusted_clock_init(&m->trusted_clock, store_clock(store), store_last_time_ms(store));
    say_if_in_doubt(m);
    m->retry_at_ms = mem_alloc_zeroed(store_shard_count(store), sizeof *m->retry_at_ms);
    mutex_init(&m->lock);
    cond_init(&m->wake);
    return m;
}

struct maintenance *maintenance_open(struct store *store, const struct plan_limits *limits)
{
    struct maintenance *m = maintenance_new(store, limits);
    thread_start(&m->thread, "maintenance", run_maintenance, m);
    return m;
}

void maintenance_close(struct maintenance *m)
{
    if (m == NULL)
        return;
    mutex_lock(&m->lock);
    m->is_stopping = true;
    cond_signal(&m->wake);
    mutex_unlock(&m->lock);
    thread_join(&m->thread);
    cond_deinit(&m->wake);
    mutex_deinit(&m->lock);
    mem_free(m->retry_at_ms);
    mem_free(m);
}

const struct maintenance_counters *maintenance_counters(const struct maintenance *m)
{
    return &m->counters;
}
