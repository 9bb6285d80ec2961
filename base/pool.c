#include "base/pool.h"

#include "base/check.h"
#include "base/mem.h"
#include "base/thread.h"

struct pool {
    struct mutex lock;
    struct cond has_news;   /* a job came, or the pool is closing */
    struct pool_job *first; /* guarded by lock; the oldest */
    struct pool_job **last; /* guarded by lock; where the next one is hung on */
    size_t queued_count;    /* guarded by lock */
    bool is_closing;        /* guarded by lock */
    size_t queue_max;
    unsigned thread_count;
    struct thread threads[];
};

static struct pool_job *take_job_locked(struct pool *pool) REQUIRES(pool->lock)
{
    while (pool->first == NULL && !pool->is_closing)
        cond_wait(&pool->has_news, &pool->lock);
    struct pool_job *job = pool->first;
    if (job == NULL)
        return NULL;
    pool->first = job->next;
    if (pool->first == NULL)
        pool->last = &pool->first;
    pool->queued_count--;
    return job;
}

static struct pool_job *take_job(struct pool *pool)
{
    mutex_lock(&pool->lock);
    struct pool_job *job = take_job_locked(pool);
    mutex_unlock(&pool->lock);
    return job;
}

static void run_jobs(void *context)
{
    struct pool *pool = context;
    for (struct pool_job *job = take_job(pool); job != NULL; job = take_job(pool))
        job->run(job);
}

struct pool *pool_open(const struct pool_options *options)
{
    CHECK(options->thread_count > 0);
    size_t threads_bytes = options->thread_count * sizeof(struct thread);
    struct pool *pool = mem_alloc_zeroed(1, sizeof *pool + threads_bytes);
    mutex_init(&pool->lock);
    cond_init(&pool->has_news);
    pool->last = &pool->first;
    pool->queue_max = options->queue_max;
    pool->thread_count = options->thread_count;
    for (unsigned i = 0; i < pool->thread_count; i++)
        thread_start_numbered(&pool->threads[i], options->name, i, run_jobs, pool);
    return pool;
}

void pool_close(struct pool *pool)
{
    if (pool == NULL)
        return;
    mutex_lock(&pool->lock);
    pool->is_closing = true;
    cond_broadcast(&pool->has_news);
    mutex_unlock(&pool->lock);
    for (unsigned i = 0; i < pool->thread_count; i++)
        thread_join(&pool->threads[i]);
    cond_deinit(&pool->has_news);
    mutex_deinit(&pool->lock);
    mem_free(pool);
}

static bool try_submit_locked(struct pool *pool, struct pool_job *job) REQUIRES(pool->lock)
{
    if (pool->is_closing || pool->queued_count >= pool->queue_max)
        return false;
    job->next = NULL;
    *pool->last = job;
    pool->last = &job->next;
    pool->queued_count++;
    cond_signal(&pool->has_news);
    return true;
}

bool pool_try_submit(struct pool *pool, struct pool_job *job)
{
    mutex_lock(&pool->lock);
    bool is_taken = try_submit_locked(pool, job);
    mutex_unlock(&pool->lock);
    return is_taken;
}
