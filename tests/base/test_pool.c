#include "base/counter.h"
#include "base/mem.h"
#include "base/pool.h"
#include "base/thread.h"
#include "tests/support/test.h"

/* A job that counts itself; it may wait at a gate first. */
struct gate {
    struct mutex lock;
    struct cond opened;
    bool is_open;   /* guarded by lock */
    size_t waiting; /* guarded by lock; jobs that have reached the gate */
    struct cond reached;
    struct counter run_count;
};

struct gated_job {
    struct pool_job base;
    struct gate *gate;
};

static void gate_init(struct gate *gate)
{
    *gate = (struct gate){0};
    mutex_init(&gate->lock);
    cond_init(&gate->opened);
    cond_init(&gate->reached);
}

static void gate_deinit(struct gate *gate)
{
    cond_deinit(&gate->reached);
    cond_deinit(&gate->opened);
    mutex_deinit(&gate->lock);
}

static void gate_open(struct gate *gate)
{
    mutex_lock(&gate->lock);
    gate->is_open = true;
    cond_broadcast(&gate->opened);
    mutex_unlock(&gate->lock);
}

static void gate_await(struct gate *gate, size_t waiting)
{
    mutex_lock(&gate->lock);
    while (gate->waiting < waiting)
        cond_wait(&gate->reached, &gate->lock);
    mutex_unlock(&gate->lock);
}

static void run_gated(struct pool_job *base)
{
    struct gated_job *job = (struct gated_job *)base;
    struct gate *gate = job->gate;
    mem_free(job);
    mutex_lock(&gate->lock);
    gate->waiting++;
    cond_broadcast(&gate->reached);
    while (!gate->is_open)
        cond_wait(&gate->opened, &gate->lock);
    mutex_unlock(&gate->lock);
    counter_add(&gate->run_count, 1);
}

static bool submit(struct pool *pool, struct gate *gate)
{
    struct gated_job *job = mem_alloc_zeroed(1, sizeof *job);
    *job = (struct gated_job){.base = {.run = run_gated}, .gate = gate};
    bool is_taken = pool_try_submit(pool, &job->base);
    if (!is_taken)
        mem_free(job);
    return is_taken;
}

TEST(a_full_queue_refuses_and_a_freed_one_takes_again)
{
    struct gate gate;
    gate_init(&gate);
    struct pool *pool =
        pool_open(&(struct pool_options){.name = "test", .thread_count = 2, .queue_max = 3});
    assert_true(submit(pool, &gate));
    assert_true(submit(pool, &gate));
    gate_await(&gate, 2); /* both threads are busy */
    for (size_t i = 0; i < 3; i++)
        assert_true(submit(pool, &gate));
    assert_false(submit(pool, &gate));
    gate_open(&gate);
    gate_await(&gate, 5);
    assert_true(submit(pool, &gate));
    pool_close(pool);
    assert_int_equal(counter_get(&gate.run_count), 6);
    gate_deinit(&gate);
}

TEST(closing_runs_what_is_queued)
{
    struct gate gate;
    gate_init(&gate);
    gate_open(&gate);
    struct pool *pool = pool_open(&(struct pool_options){
        .name = "a-long-name-of-a-pool", .thread_count = 1, .queue_max = 500});
    for (size_t i = 0; i < 500; i++)
        assert_true(submit(pool, &gate));
    pool_close(pool);
    assert_int_equal(counter_get(&gate.run_count), 500);
    gate_deinit(&gate);
    pool_close(NULL);
}

/* Jobs of one thread run in the order in which they came. */
struct ordered_job {
    struct pool_job base;
    size_t number;
    size_t *next;
    bool *is_ordered;
};

static void run_ordered(struct pool_job *base)
{
    struct ordered_job *job = (struct ordered_job *)base;
    if (*job->next != job->number)
        *job->is_ordered = false;
    (*job->next)++;
}

TEST(one_thread_runs_jobs_in_order)
{
    struct ordered_job jobs[100];
    size_t next = 0;
    bool is_ordered = true;
    struct pool *pool =
        pool_open(&(struct pool_options){.name = "test", .thread_count = 1, .queue_max = 100});
    for (size_t i = 0; i < 100; i++) {
        jobs[i] = (struct ordered_job){{.run = run_ordered}, i, &next, &is_ordered};
        assert_true(pool_try_submit(pool, &jobs[i].base));
    }
    pool_close(pool);
    assert_true(is_ordered);
    assert_int_equal(next, 100);
}

struct submitter {
    struct pool *pool;
    struct gate *gate;
    size_t taken;
};

static void submit_many(void *context)
{
    struct submitter *submitter = context;
    for (size_t i = 0; i < 2000; i++)
        submitter->taken += submit(submitter->pool, submitter->gate);
}

TEST(jobs_from_many_threads_run_exactly_once)
{
    struct gate gate;
    struct thread threads[4] = {0};
    struct submitter submitters[4];
    size_t taken = 0;
    gate_init(&gate);
    gate_open(&gate);
    struct pool *pool =
        pool_open(&(struct pool_options){.name = "test", .thread_count = 3, .queue_max = 16});
    for (size_t i = 0; i < 4; i++) {
        submitters[i] = (struct submitter){.pool = pool, .gate = &gate};
        thread_start(&threads[i], "submitter", submit_many, &submitters[i]);
    }
    for (size_t i = 0; i < 4; i++) {
        thread_join(&threads[i]);
        taken += submitters[i].taken;
    }
    pool_close(pool);
    assert_true(taken > 0);
    assert_int_equal(counter_get(&gate.run_count), taken);
    gate_deinit(&gate);
}

TEST_MAIN(RUN(a_full_queue_refuses_and_a_freed_one_takes_again), RUN(closing_runs_what_is_queued),
          RUN(one_thread_runs_jobs_in_order), RUN(jobs_from_many_threads_run_exactly_once))
