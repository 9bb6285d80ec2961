#include "query/api/lanes.h"

#include <stdio.h>

#include "base/check.h"
#include "base/mem.h"
#include "base/thread.h"

enum { WATCH_INTERVAL_MS = 250 };

struct worker {
    struct worker *next; /* of those that end, or have ended */
    struct thread thread;
    struct lanes *lanes;
    struct lane *lane; /* of the job after which it ends; NULL when the lanes close */
};

struct lanes {
    struct mutex lock;       /* never taken by a patient thread */
    struct cond has_news;    /* a job may run, or the lanes are closing */
    struct lane_queue queue; /* guarded by lock */
    bool is_closing;         /* guarded by lock */
    bool is_watched;         /* guarded by lock; the watch looks again without being called */
    size_t idle_count;       /* guarded by lock; threads that wait for a job, */
    size_t called_count; /* guarded by lock; and those of them that were called and sleep still */
    size_t thread_count; /* guarded by lock; rules.crowd_max at most */
    const struct clock *clock;
    const char *name;

    struct thread watch;
    struct semaphore watch_news; /* a job waits and no thread is on its way to it, a thread ends, or
                                        the lanes are closing */
    struct mutex ending_lock;    /* of patient threads and the watch, who hold no other then */
    struct worker *ending;       /* guarded by ending_lock; those that the watch has not seen yet */
    struct worker *ended;        /* of the watch: seen, and not joined */
};

/* ---- running ---- */

/* Most jobs begin at once: the watch sleeps through them. */
static void call_watch_locked(struct lanes *lanes) REQUIRES(lanes->lock)
{
    CHECK(mutex_is_held(&lanes->lock));
    if (lanes->queue.waiting_count == 0 || lanes->is_watched)
        return;
    lanes->is_watched = true;
    semaphore_post(&lanes->watch_news);
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

/* Returns the lane of the last job, which is not done yet, when that has made the thread patient; NULL
   when the lanes close. */
static struct lane *run_jobs(struct lanes *lanes)
{
    struct lanes_job *job;
    mutex_lock(&lanes->lock);
    while ((job = next_job_locked(lanes)) != NULL) {
        struct lane *lane = job->base.lane;
        mutex_unlock(&lanes->lock);
        job->run(job);
        if (thread_is_patient())
            return lane;
        mutex_lock(&lanes->lock);
        lane_queue_done(&lanes->queue, lane);
    }
    /* the last that waited has begun: nobody comes any more */
    cond_broadcast(&lanes->has_news);
    mutex_unlock(&lanes->lock);
    return NULL;
}

static void tell_watch(struct worker *worker)
{
    struct lanes *lanes = worker->lanes;
    mutex_lock(&lanes->ending_lock);
    worker->next = lanes->ending;
    lanes->ending = worker;
    mutex_unlock(&lanes->ending_lock);
    semaphore_post(&lanes->watch_news);
}

static struct worker *take_ending(struct lanes *lanes)
{
    mutex_lock(&lanes->ending_lock);
    struct worker *ending = lanes->ending;
    lanes->ending = NULL;
    mutex_unlock(&lanes->ending_lock);
    return ending;
}

static void run_worker(void *context)
{
    struct worker *worker = context;
    worker->lane = run_jobs(worker->lanes);
    tell_watch(worker);
}

static void start_worker_locked(struct lanes *lanes) REQUIRES(lanes->lock)
{
    char name[32];
    struct worker *worker = mem_alloc_zeroed(1, sizeof *worker);
    worker->lanes = lanes;
    snprintf(name, sizeof name, "%.11s-%zu", lanes->name, lanes->thread_count++);
    thread_start(&worker->thread, name, run_worker, worker);
}

/* Somebody for a job that has just come. When all threads are busy, and there may be no more, the next
   one that is done takes it: false. */
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
    start_worker_locked(lanes);
    return true;
}

/* ---- the watch: threads that end, jobs that wait ---- */

/* For each that became patient another takes its place, if it is needed. */
static void note_ending_locked(struct lanes *lanes, struct worker *worker) REQUIRES(lanes->lock)
{
    while (worker != NULL) {
        struct worker *next = worker->next;
        lanes->thread_count--;
        if (worker->lane != NULL) {
            lane_queue_done(&lanes->queue, worker->lane);
            call_thread_locked(lanes);
        }
        worker->next = lanes->ended;
        lanes->ended = worker;
        worker = next;
    }
    if (lanes->is_closing)
        cond_broadcast(&lanes->has_news); /* whoever waited for one of these lanes */
}

/* Those that have come to their end; a patient one may take its time. */
static void join_ended(struct lanes *lanes)
{
    struct worker **link = &lanes->ended;
    while (*link != NULL) {
        struct worker *worker = *link;
        if (thread_try_join(&worker->thread)) {
            *link = worker->next;
            mem_free(worker);
        } else {
            link = &worker->next;
        }
    }
}

static bool is_over(const struct lane_job *job, void *context)
{
    struct lanes *lanes = context;
    struct lanes_job *watched = (struct lanes_job *)(uintptr_t)job;
    return lane_job_is_overdue(&lanes->queue, job, clock_monotonic_ns(lanes->clock)) ||
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

/* Every WATCH_INTERVAL_MS, however often the watch is called. */
static void refuse_if_due_locked(struct lanes *lanes, int64_t *looked_ms) REQUIRES(lanes->lock)
{
    int64_t now_ms = clock_monotonic_ms(clock_real());
    if (now_ms - *looked_ms < WATCH_INTERVAL_MS || lanes->is_closing)
        return;
    *looked_ms = now_ms;
    refuse_over_locked(lanes);
}

static void watch(void *context)
{
    struct lanes *lanes = context;
    int64_t looked_ms = clock_monotonic_ms(clock_real());
    bool is_open = true, polls = false;
    while (is_open) {
        semaphore_wait_for(&lanes->watch_news, polls ? WATCH_INTERVAL_MS : -1);
        if (!polls)
            looked_ms = clock_monotonic_ms(clock_real()); /* nothing has waited until now */
        struct worker *ending = take_ending(lanes);
        mutex_lock(&lanes->lock);
        note_ending_locked(lanes, ending);
        refuse_if_due_locked(lanes, &looked_ms);
        lanes->is_watched = lanes->queue.waiting_count > 0;
        is_open = !lanes->is_closing || lanes->thread_count > 0;
        polls = lanes->is_watched;
        mutex_unlock(&lanes->lock);
        join_ended(lanes);
        polls |= lanes->ended != NULL;
    }
}

/* ---- open and close ---- */

struct lanes *lanes_open(const struct lanes_options *options)
{
    struct lanes *lanes = mem_alloc_zeroed(1, sizeof *lanes);
    mutex_init(&lanes->lock);
    mutex_init(&lanes->ending_lock);
    cond_init(&lanes->has_news);
    semaphore_init(&lanes->watch_news);
    lane_queue_init(&lanes->queue, &options->rules);
    lanes->clock = options->clock;
    lanes->name = options->name;
    thread_start(&lanes->watch, "lane-watch", watch, lanes);
    return lanes;
}

void lanes_close(struct lanes *lanes)
{
    if (lanes == NULL)
        return;
    mutex_lock(&lanes->lock);
    lanes->is_closing = true;
    cond_broadcast(&lanes->has_news);
    mutex_unlock(&lanes->lock);
    semaphore_post(&lanes->watch_news);
    thread_join(&lanes->watch);
    while (lanes->ended != NULL) {
        struct worker *worker = lanes->ended;
        lanes->ended = worker->next;
        thread_join(&worker->thread);
        mem_free(worker);
    }
    lane_queue_deinit(&lanes->queue);
    semaphore_deinit(&lanes->watch_news);
    cond_deinit(&lanes->has_news);
    mutex_deinit(&lanes->ending_lock);
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

size_t lanes_thread_count(struct lanes *lanes)
{
    mutex_lock(&lanes->lock);
    size_t count = lanes->thread_count;
    mutex_unlock(&lanes->lock);
    return count;
}
