#include "tests/support/test.h"

#include <stdio.h>

#include "query/api/lane_queue.h"

enum { JOBS_MAX = 64 };

struct job {
    struct lane_job base; /* comes first */
    const char *id;
    struct lane *lane; /* while it runs */
};

struct fixture {
    struct lane_queue queue;
    struct job jobs[JOBS_MAX];
    size_t job_count;
};

static const struct lane_rules rules = {
    .lane_running_max = 2, .lane_waiting_max = 5, .running_max = 4, .crowd_max = 6};

static void fixture_init(struct fixture *f)
{
    *f = (struct fixture){0};
    lane_queue_init(&f->queue, &rules);
}

static bool add(struct fixture *f, const char *id, uint64_t now_ns)
{
    assert_true(f->job_count < JOBS_MAX);
    struct job *job = &f->jobs[f->job_count++];
    *job = (struct job){.id = id, .base.deadline_ns = now_ns + 1000};
    return lane_queue_try_add(&f->queue, &job->base, str_from(id), now_ns);
}

static void add_many(struct fixture *f, const char *id, size_t count, uint64_t now_ns)
{
    for (size_t i = 0; i < count; i++)
        assert_true(add(f, id, now_ns));
}

/* Lets jobs run for as long as any may, and says whose they were, in order. */
static struct str run_all(struct fixture *f, char *text, size_t size)
{
    struct lane_job *next;
    size_t len = 0;
    text[0] = '\0';
    while (lane_queue_has_next(&f->queue)) {
        next = lane_queue_next(&f->queue);
        assert_non_null(next);
        struct job *job = (struct job *)next;
        job->lane = next->lane;
        len += (size_t)snprintf(text + len, size - len, "%s", job->id);
    }
    assert_null(lane_queue_next(&f->queue));
    return str_from(text);
}

static void expect_runs(struct fixture *f, const char *want)
{
    char text[JOBS_MAX];
    expect_str(run_all(f, text, sizeof text), want);
}

/* The oldest running job of that id is done. */
static void end(struct fixture *f, const char *id)
{
    for (size_t i = 0; i < f->job_count; i++) {
        struct job *job = &f->jobs[i];
        if (job->lane == NULL || strcmp(job->id, id) != 0)
            continue;
        lane_queue_done(&f->queue, job->lane);
        job->lane = NULL;
        return;
    }
    fail_msg("no job of %s runs", id);
}

static void fixture_deinit(struct fixture *f)
{
    char text[JOBS_MAX];
    for (size_t i = 0; i < f->job_count; i++) {
        if (f->jobs[i].lane != NULL)
            lane_queue_done(&f->queue, f->jobs[i].lane);
        f->jobs[i].lane = NULL;
    }
    if (f->queue.lanes != NULL) {
        run_all(f, text, sizeof text);
        fixture_deinit(f);
        return;
    }
    assert_int_equal(f->queue.waiting_count, 0);
    assert_int_equal(f->queue.running_count, 0);
    lane_queue_deinit(&f->queue);
}

TEST(a_lane_runs_no_more_than_its_share_and_keeps_the_order)
{
    struct fixture f;
    fixture_init(&f);
    add_many(&f, "a", 5, 0);
    expect_runs(&f, "aa");
    assert_ptr_equal(f.jobs[0].lane, f.jobs[1].lane);
    end(&f, "a");
    expect_runs(&f, "a");
    assert_non_null(f.jobs[2].lane);
    assert_null(f.jobs[3].lane);
    fixture_deinit(&f);
}

TEST(a_full_lane_refuses_and_leaves_the_others_alone)
{
    struct fixture f;
    fixture_init(&f);
    add_many(&f, "a", 5, 0);
    assert_false(add(&f, "a", 0));
    add_many(&f, "b", 5, 0);
    assert_int_equal(f.queue.waiting_count, 10);
    expect_runs(&f, "baba"); /* now each has room for two */
    add_many(&f, "a", 2, 0);
    assert_false(add(&f, "a", 0));
    fixture_deinit(&f);
}

TEST(lanes_that_run_less_go_first_then_who_has_waited_longest)
{
    struct fixture f;
    fixture_init(&f);
    add_many(&f, "a", 2, 1);
    add_many(&f, "b", 2, 2);
    add_many(&f, "c", 2, 3);
    expect_runs(&f, "abca");
    end(&f, "b");
    add_many(&f, "b", 1, 4);
    expect_runs(&f, "b");
    fixture_deinit(&f);
}

TEST(when_all_is_busy_only_lanes_that_run_nothing_start_one_more)
{
    struct fixture f;
    fixture_init(&f);
    add_many(&f, "a", 4, 0);
    add_many(&f, "b", 4, 0);
    expect_runs(&f, "baba");
    add_many(&f, "c", 3, 0);
    expect_runs(&f, "c");
    add_many(&f, "d", 1, 0);
    add_many(&f, "e", 1, 1);
    expect_runs(&f, "d"); /* that is the crowd */
    end(&f, "a");
    expect_runs(&f, "e"); /* and a, which still runs one, is not to go before */
    end(&f, "d");
    expect_runs(&f, "");
    end(&f, "a");
    expect_runs(&f, "a");
    fixture_deinit(&f);
}

static bool is_over(const struct lane_job *job, void *context)
{
    (void)context;
    return lane_job_is_overdue(job, 1500);
}

TEST(whoever_waits_at_its_deadline_is_found)
{
    struct fixture f;
    fixture_init(&f);
    add_many(&f, "a", 3, 0);
    add_many(&f, "b", 1, 500);
    add_many(&f, "b", 1, 501);
    expect_runs(&f, "abab");
    add_many(&f, "b", 1, 500);
    add_many(&f, "b", 1, 501);
    add_many(&f, "c", 1, 400);
    assert_ptr_equal(lane_queue_take_if(&f.queue, is_over, NULL), &f.jobs[7].base);
    assert_ptr_equal(lane_queue_take_if(&f.queue, is_over, NULL), &f.jobs[5].base);
    assert_ptr_equal(lane_queue_take_if(&f.queue, is_over, NULL), &f.jobs[2].base);
    assert_null(lane_queue_take_if(&f.queue, is_over, NULL));
    assert_int_equal(f.queue.waiting_count, 1);
    end(&f, "a");
    expect_runs(&f, "");
    end(&f, "b");
    expect_runs(&f, "b");
    assert_non_null(f.jobs[6].lane);
    fixture_deinit(&f);
}

TEST(a_lane_may_have_a_narrower_limit_of_its_own)
{
    struct fixture f;
    fixture_init(&f);
    add_many(&f, "a", 3, 0);
    for (size_t i = 0; i < 3; i++)
        f.jobs[i].base.lane_running_max = 1;
    add_many(&f, "b", 3, 1);
    for (size_t i = 3; i < 6; i++)
        f.jobs[i].base.lane_running_max = 100; /* never wider than the rules */
    expect_runs(&f, "abb");
    end(&f, "a");
    expect_runs(&f, "a");
    end(&f, "a");
    end(&f, "b");
    end(&f, "b");
    expect_runs(&f, "ab");
    end(&f, "a");
    end(&f, "b");
    fixture_deinit(&f);
}

TEST_MAIN(RUN(a_lane_may_have_a_narrower_limit_of_its_own),
          RUN(a_lane_runs_no_more_than_its_share_and_keeps_the_order),
          RUN(a_full_lane_refuses_and_leaves_the_others_alone),
          RUN(lanes_that_run_less_go_first_then_who_has_waited_longest),
          RUN(when_all_is_busy_only_lanes_that_run_nothing_start_one_more),
          RUN(whoever_waits_at_its_deadline_is_found))
