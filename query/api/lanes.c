#include "query/api/lanes.h"

#include "base/check.h"
#include "base/mem.h"
#include "base/thread.h"

enum { WATCH_INTERVAL_MS = 250 };

struct lanes {
    struct mutex lock;
    struct cond has_news;    /* a job may run, or the lanes are closing */
    struct cond has_waiters; /* for the watch: a job waits and no thread is on its way to it, or the
                                lanes are closing */
    struct lane_queue queue; /* guarded by lock */
    bool is_closing;         /* guarded by lock */
    bool is_watched;         /* guarded by lock; the watch looks again without being called */
    size_t idle_count;       /* guarded by lock; threads that wait for a job, */
    size_t called_count; /* guarded by lock; and those of them that were called and sleep still */
    size_t thread_count; /* guarded by lock */
    const struct clock *clock;
    const char *name;
    struct thread watch;
    struct thread threads[]; /* guarded by lock; rules.crowd_max of them at most */
};

/* ---- running ---- */

/* Most jobs begin at once: the watch sleeps through them. */
static void call_watch_locked(struct lanes *lanes) REQUIRES(lanes->lock)
{
    CHECK(mutex_is_held(&lanes->lock));
    if (lanes->queue.waiting_count > 0 && !lanes->is_watched)
        cond_signal(&lanes->has_waiters);
}

static struct lanes_job *next_job_locked(struct lanes *lanes) REQUIRES(lanes->lock)
{
    for (;;) {
        struct lane_job *job = lane_queue_next(&lanes->queue);
        if (job != NULL || (lanes->is_closing && lanes->queue.waiting_count == 0))
            return (struct lanes_job *)job;
        call_watch_locked(lanes);
        lanes->idle_count++;
        cond_wait(&lanes->has_news, &lanes->lock);
        lanes->idle_count--;
        if (lanes->called_count > 0)
            lanes->called_count--;
    }
}

static void run_jobs(void *context)
{
    struct lanes *lanes = context;
    struct lanes_job *job;
    mutex_lock(&lanes->lock);
    while ((job = next_job_locked(lanes)) != NULL) {
        struct lane *lane = job->base.lane;
        mutex_unlock(&lanes->lock);
        job->run(job);
        mutex_lock(&lanes->lock);
        lane_queue_done(&lanes->queue, lane);
    }
    /* the last that waited has begun: nobody comes any more */
    cond_broadcast(&lanes->has_news);
    mutex_unlock(&lanes->lock);
}

/* Somebody for a job that has just come. When all threads are busy, and there may be no more, the
   next one that is done takes it: false. */
static bool call_thread_locked(struct lanes *lanes) REQUIRES(lanes->lock)
{
    CHECK(mutex_is_held(&lanes->lock));
    if (!lane_queue_has_next(&lanes->queue))
        return false;
    if (lanes->idle_count > lanes->called_count) {
        lanes->called_count++;
        cond_signal(&lanes->has_news);
        return true;
    }
    if (lanes->thread_count == lanes->queue.rules.crowd_max)
        return false;
    size_t number = lanes->thread_count++;
    thread_start_numbered(&lanes->threads[number], lanes->name, number, run_jobs, lanes);
    return true;
}

/* ---- watching those that wait ---- */

static bool is_over(const struct lane_job *job, void *context)
{
    struct lanes *lanes = context;
    struct lanes_job *watched = (struct lanes_job *)(uintptr_t)job;
    return lane_job_is_overdue(job, clock_monotonic_ns(lanes->clock)) ||
           watched->is_abandoned(watched);
}

static void refuse_over_locked(struct lanes *lanes) REQUIRES(lanes->lock)
{
    struct lane_job *job;
    while ((job = lane_queue_take_if(&lanes->queue, is_over, lanes)) != NULL) {
        mutex_unlock(&lanes->lock);
        ((struct lanes_job *)job)->refuse((struct lanes_job *)job);
        mutex_lock(&lanes->lock);
    }
}

static void watch_waiters(void *context)
{
    struct lanes *lanes = context;
    mutex_lock(&lanes->lock);
    while (!lanes->is_closing) {
        lanes->is_watched = lanes->queue.waiting_count > 0;
        if (!lanes->is_watched)
            cond_wait(&lanes->has_waiters, &lanes->lock);
        else if (!cond_wait_for(&lanes->has_waiters, &lanes->lock, WATCH_INTERVAL_MS))
            refuse_over_locked(lanes);
    }
    mutex_unlock(&lanes->lock);
}

/* ---- open and close ---- */

struct lanes *lanes_open(const struct lanes_options *options)
{
    size_t threads_bytes = options->rules.crowd_max * sizeof(struct thread);
    struct lanes *lanes = mem_alloc_zeroed(1, sizeof *lanes + threads_bytes);
    mutex_init(&lanes->lock);
    cond_init(&lanes->has_news);
    cond_init(&lanes->has_waiters);
    lane_queue_init(&lanes->queue, &options->rules);
    lanes->clock = options->clock;
    lanes->name = options->name;
    thread_start(&lanes->watch, "lane-watch", watch_waiters, lanes);
    return lanes;
}

void lanes_close(struct lanes *lanes)
{
    if (lanes == NULL)
        return;
    mutex_lock(&lanes->lock);
    lanes->is_closing = true;
    cond_broadcast(&lanes->has_news);
    cond_broadcast(&lanes->has_waiters);
    mutex_unlock(&lanes->lock);
    thread_join(&lanes->watch);
    for (size_t i = 0; i < lanes->thread_count; i++)
        thread_join(&lanes->threads[i]);
    lane_queue_deinit(&lanes->queue);
    cond_deinit(&lanes->has_waiters);
    cond_deinit(&lanes->has_news);
    mutex_deinit(&lanes->lock);
    mem_free(lanes);
}

bool lanes_try_submit(struct lanes *lanes, struct lanes_job *job, struct str id)
{
    uint64_t now_ns = clock_monotonic_ns(lanes->clock);
    mutex_lock(&lanes->lock);
    bool is_taken = !lanes->is_closing && lane_queue_try_add(&lanes->queue, &job->base, id, now_ns);
    if (is_taken && !call_thread_locked(lanes))
        call_watch_locked(lanes);
    mutex_unlock(&lanes->lock);
    return is_taken;
}

size_t lanes_waiting_count(struct lanes *lanes)
{
    mutex_lock(&lanes->lock);
    size_t count = lanes->queue.waiting_count;
    mutex_unlock(&lanes->lock);
    return count;
}

size_t lanes_running_count(struct lanes *lanes)
{
    mutex_lock(&lanes->lock);
    size_t count = lanes->queue.running_count;
    mutex_unlock(&lanes->lock);
    return count;
}
