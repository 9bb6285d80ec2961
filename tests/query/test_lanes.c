/* The threads of the lanes; who goes first is in test_lane_queue.c. */
#include "tests/support/test.h"

#include <stdio.h>

#include "base/counter.h"
#include "base/thread.h"
#include "query/api/lanes.h"

enum { JOBS = 40, WAIT_MAX_MS = 10000 };

struct job {
    struct lanes_job base; /* comes first */
    struct fixture *fixture;
};

struct fixture {
    struct lanes *lanes;
    struct sim_clock clock;
    struct mutex lock;
    struct cond has_changed;
    bool is_open;        /* guarded by lock: jobs may end */
    size_t running;      /* guarded by lock */
    size_t running_peak; /* guarded by lock */
    struct counter run;
    struct counter refused;
    struct flag is_abandoned;
    struct job jobs[JOBS];
};

static void run(struct lanes_job *base)
{
    struct fixture *f = ((struct job *)base)->fixture;
    mutex_lock(&f->lock);
    f->running++;
    f->running_peak = f->running > f->running_peak ? f->running : f->running_peak;
    cond_broadcast(&f->has_changed);
    while (!f->is_open)
        cond_wait(&f->has_changed, &f->lock);
    f->running--;
    mutex_unlock(&f->lock);
    counter_add(&f->run, 1);
}

static void refuse(struct lanes_job *base)
{
    struct fixture *f = ((struct job *)base)->fixture;
    counter_add(&f->refused, 1);
}

static bool is_abandoned(struct lanes_job *base)
{
    return flag_is_set(&((struct job *)base)->fixture->is_abandoned);
}

static void fixture_open(struct fixture *f, size_t crowd_max)
{
    *f = (struct fixture){0};
    sim_clock_init(&f->clock, 0);
    mutex_init(&f->lock);
    cond_init(&f->has_changed);
    for (size_t i = 0; i < JOBS; i++)
        f->jobs[i] = (struct job){.base = {.base.deadline_ns = WAIT_MAX_MS * UINT64_C(1000000),
                                           .run = run,
                                           .refuse = refuse,
                                           .is_abandoned = is_abandoned},
                                  .fixture = f};
    f->lanes = lanes_open(&(struct lanes_options){.name = "test",
                                                  .clock = &f->clock.base,
                                                  .rules = {.lane_running_max = 2,
                                                            .lane_waiting_max = JOBS,
                                                            .running_max = 3,
                                                            .crowd_max = crowd_max}});
}

static void fixture_close(struct fixture *f)
{
    lanes_close(f->lanes);
    cond_deinit(&f->has_changed);
    mutex_deinit(&f->lock);
}

static void let_end(struct fixture *f)
{
    mutex_lock(&f->lock);
    f->is_open = true;
    cond_broadcast(&f->has_changed);
    mutex_unlock(&f->lock);
}

static void await_running(struct fixture *f, size_t count)
{
    mutex_lock(&f->lock);
    while (f->running < count)
        cond_wait(&f->has_changed, &f->lock);
    mutex_unlock(&f->lock);
}

static void submit(struct fixture *f, size_t from, size_t to, const char *id)
{
    for (size_t i = from; i < to; i++)
        assert_true(lanes_try_submit(f->lanes, &f->jobs[i].base, str_from(id)));
}

TEST(a_lane_that_is_busy_keeps_nobody_else_waiting)
{
    struct fixture f;
    char id[8];
    fixture_open(&f, 10);
    submit(&f, 0, 10, "noisy");
    await_running(&f, 2);
    for (size_t i = 10; i < 18; i++) {
        snprintf(id, sizeof id, "t%zu", i);
        submit(&f, i, i + 1, id);
        await_running(&f, i - 10 + 3);
    }
    assert_int_equal(lanes_running_count(f.lanes), 10);
    assert_int_equal(lanes_waiting_count(f.lanes), 8);
    let_end(&f);
    fixture_close(&f);
    assert_int_equal(counter_get(&f.run), 18);
}

TEST(closing_runs_what_waits)
{
    struct fixture f;
    fixture_open(&f, 4);
    submit(&f, 0, JOBS / 2, "a");
    submit(&f, JOBS / 2, JOBS, "b");
    let_end(&f);
    fixture_close(&f);
    assert_int_equal(counter_get(&f.run), JOBS);
    assert_int_equal(counter_get(&f.refused), 0);
}

static void expect_refused(struct fixture *f, size_t count)
{
    while (counter_get(&f->refused) < count)
        ;
    assert_int_equal(lanes_waiting_count(f->lanes), 0);
    let_end(f);
    fixture_close(f);
    assert_int_equal(counter_get(&f->refused), count);
}

TEST(who_waits_for_too_long_is_refused)
{
    struct fixture f;
    fixture_open(&f, 4);
    submit(&f, 0, 7, "a");
    await_running(&f, 2);
    sim_clock_advance(&f.clock, WAIT_MAX_MS);
    expect_refused(&f, 5);
}

TEST(who_is_gone_is_refused)
{
    struct fixture f;
    fixture_open(&f, 4);
    submit(&f, 0, 7, "a");
    await_running(&f, 2);
    flag_set(&f.is_abandoned);
    expect_refused(&f, 5);
}

enum { SUBMITTERS = 8 };

struct submitter {
    struct fixture *fixture;
    size_t from;
    size_t lane_count;
    struct thread thread;
};

static void submit_some(void *context)
{
    struct submitter *submitter = context;
    static const char *const ids[] = {"a", "b", "c", "d"};
    for (size_t i = submitter->from; i < submitter->from + JOBS / SUBMITTERS; i++)
        submit(submitter->fixture, i, i + 1, ids[i % submitter->lane_count]);
}

/* All jobs, by eight threads, to so many lanes. */
static void submit_all(struct fixture *f, size_t lane_count)
{
    struct submitter submitters[SUBMITTERS];
    for (size_t i = 0; i < SUBMITTERS; i++) {
        submitters[i] = (struct submitter){
            .fixture = f, .from = i * JOBS / SUBMITTERS, .lane_count = lane_count};
        thread_start(&submitters[i].thread, "submitter", submit_some, &submitters[i]);
    }
    for (size_t i = 0; i < SUBMITTERS; i++)
        thread_join(&submitters[i].thread);
}

TEST(many_threads_submit_at_once)
{
    struct fixture f;
    fixture_open(&f, 5);
    let_end(&f);
    submit_all(&f, 4);
    fixture_close(&f);
    assert_int_equal(counter_get(&f.run), JOBS);
}

TEST(a_lane_runs_as_many_as_its_limit_says_while_eight_threads_submit)
{
    static const struct {
        size_t own_max;
        size_t runs;
    } rows[] = {{1, 1}, {2, 2}, {3, 2 /* as the rules say */}};
    for (size_t row = 0; row < sizeof rows / sizeof *rows; row++) {
        struct fixture f;
        fixture_open(&f, 5);
        for (size_t i = 0; i < JOBS; i++)
            f.jobs[i].base.base.lane_running_max = rows[row].own_max;
        submit_all(&f, 1);
        await_running(&f, rows[row].runs);
        assert_int_equal(lanes_running_count(f.lanes), rows[row].runs);
        let_end(&f);
        fixture_close(&f);
        assert_int_equal(counter_get(&f.run), JOBS);
        assert_int_equal(f.running_peak, rows[row].runs);
    }
}

TEST_MAIN(RUN(a_lane_that_is_busy_keeps_nobody_else_waiting), RUN(closing_runs_what_waits),
          RUN(who_waits_for_too_long_is_refused), RUN(who_is_gone_is_refused),
          RUN(many_threads_submit_at_once),
          RUN(a_lane_runs_as_many_as_its_limit_says_while_eight_threads_submit))
