#include "http/exchange_impl.h"

#include "base/check.h"
#include "base/mem.h"

/* Enough for every request that is under way at full load; 32 MiB of bodies is what the senders of
   a busy server fill anyway. */
enum { POOL_COUNT_MAX = 1024, POOL_BYTES_MAX = 32 << 20 };

/* An arena that grew beyond this is not worth keeping. */
enum { ARENA_KEEP_BYTES = 64 << 10 };

void exchange_pool_init(struct exchange_pool *pool)
{
    *pool = (struct exchange_pool){0};
    mutex_init(&pool->lock);
    cond_init(&pool->is_quiet);
}

static void exchange_free(struct exchange *exchange)
{
    arena_deinit(&exchange->arena);
    buffer_deinit(&exchange->body);
    mem_free(exchange);
}

void exchange_pool_deinit(struct exchange_pool *pool)
{
    CHECK(pool->open_count == 0);
    while (pool->free != NULL) {
        struct exchange *next = pool->free->next_free;
        exchange_free(pool->free);
        pool->free = next;
    }
    cond_deinit(&pool->is_quiet);
    mutex_deinit(&pool->lock);
    *pool = (struct exchange_pool){0};
}

static struct exchange *exchange_new(void)
{
    struct exchange *exchange = mem_alloc_zeroed(1, sizeof *exchange);
    arena_init(&exchange->arena, SIZE_MAX);
    buffer_init(&exchange->body, SIZE_MAX);
    return exchange;
}

struct exchange *exchange_pool_take(struct exchange_pool *pool)
{
    mutex_lock(&pool->lock);
    pool->open_count++;
    struct exchange *exchange = pool->free;
    if (exchange != NULL) {
        pool->free = exchange->next_free;
        pool->free_count--;
        pool->free_bytes -= exchange->body.capacity;
    }
    mutex_unlock(&pool->lock);
    return exchange != NULL ? exchange : exchange_new();
}

/* Blank again, but for the memory that is worth keeping. */
static void recycle(struct exchange *exchange)
{
    struct arena arena = exchange->arena;
    struct buffer body = exchange->body;
    if (arena.used_bytes > ARENA_KEEP_BYTES)
        arena_deinit(&arena);
    else
        arena_reset(&arena);
    arena.limit_bytes = SIZE_MAX;
    arena.charge = NULL;
    buffer_reset(&body);
    *exchange = (struct exchange){.arena = arena, .body = body};
}

static bool is_quiet_locked(const struct exchange_pool *pool) REQUIRES(pool->lock);
static bool is_quiet_locked(const struct exchange_pool *pool)
{
    CHECK(mutex_is_held(&pool->lock));
    return pool->open_count + pool->asked_count == 0;
}

void exchange_pool_give(struct exchange_pool *pool, struct exchange *exchange)
{
    recycle(exchange);
    mutex_lock(&pool->lock);
    bool is_kept = pool->free_count < POOL_COUNT_MAX &&
                   exchange->body.capacity <= POOL_BYTES_MAX - pool->free_bytes;
    if (is_kept) {
        exchange->next_free = pool->free;
        pool->free = exchange;
        pool->free_count++;
        pool->free_bytes += exchange->body.capacity;
    }
    pool->open_count--;
    if (is_quiet_locked(pool))
        cond_broadcast(&pool->is_quiet);
    mutex_unlock(&pool->lock);
    if (!is_kept)
        exchange_free(exchange);
}

bool exchange_pool_begin_answer(struct exchange_pool *pool)
{
    mutex_lock(&pool->lock);
    bool is_open = !pool->is_closed;
    pool->asked_count += is_open;
    mutex_unlock(&pool->lock);
    return is_open;
}

void exchange_pool_end_answer(struct exchange_pool *pool)
{
    mutex_lock(&pool->lock);
    pool->asked_count--;
    if (is_quiet_locked(pool))
        cond_broadcast(&pool->is_quiet);
    mutex_unlock(&pool->lock);
}

bool exchange_pool_wait_quiet(struct exchange_pool *pool, int64_t timeout_ms)
{
    mutex_lock(&pool->lock);
    bool is_in_time = true;
    while (!is_quiet_locked(pool) && is_in_time)
        is_in_time = cond_wait_for(&pool->is_quiet, &pool->lock, timeout_ms);
    bool is_quiet = is_quiet_locked(pool);
    mutex_unlock(&pool->lock);
    return is_quiet;
}

bool exchange_pool_close(struct exchange_pool *pool)
{
    mutex_lock(&pool->lock);
    pool->is_closed = pool->asked_count == 0;
    bool is_closed = pool->is_closed;
    mutex_unlock(&pool->lock);
    return is_closed;
}
