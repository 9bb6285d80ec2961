/* Threads that want turns; who gets how much is in test_turn_shares.c. */
#include "tests/support/test.h"

#include <stdio.h>

#include "base/counter.h"
#include "query/engine/turns.h"

enum { PROCESSORS = 2, THREADS = 12, PIECES = 8 };

struct fixture {
    struct turns *turns;
    struct counter holding;      /* threads that hold a turn */
    struct counter holding_most; /* the most ever */
    struct counter cpu_ns;
};

struct worker {
    struct fixture *fixture;
    struct thread thread;
    char payer[16];
};

static void begin_turn(struct turn *turn, const struct worker *worker)
{
    turn_init(turn, worker->fixture->turns,
              &(struct turn_options){.payer = str_from(worker->payer)});
}

static void note_holding(struct fixture *fixture)
{
    counter_add(&fixture->holding, 1);
    uint64_t now = counter_get(&fixture->holding);
    if (now > counter_get(&fixture->holding_most))
        counter_set(&fixture->holding_most, now);
}

static void spin_for(uint64_t cpu_ns)
{
    uint64_t until_ns = clock_thread_cpu_ns() + cpu_ns;
    while (clock_thread_cpu_ns() < until_ns) {
    }
}

/* The processor is held in between, so the number of holders is that of this test's own count. */
static void work(void *context)
{
    struct worker *worker = context;
    struct fixture *fixture = worker->fixture;
    struct turn turn;
    struct error err;
    begin_turn(&turn, worker);
    for (int i = 0; i < PIECES; i++) {
        expect_ok(turn_take(&turn, &err));
        note_holding(fixture);
        spin_for(TURN_QUANTUM_NS / 10);
        counter_sub(&fixture->holding, 1);
        turn_release(&turn);
    }
    counter_add(&fixture->cpu_ns, turn.cpu_ns);
    turn_deinit(&turn);
}

static void yield_often(void *context)
{
    struct worker *worker = context;
    struct turn turn;
    struct error err;
    begin_turn(&turn, worker);
    expect_ok(turn_take(&turn, &err));
    for (int i = 0; i < PIECES; i++) {
        spin_for(TURN_QUANTUM_NS / 10);
        /* as if the quantum were over every time */
        expect_ok(turn_yield(&turn, turn.since_ns + TURN_QUANTUM_NS, &err));
        assert_true(turn.is_held);
    }
    counter_add(&worker->fixture->cpu_ns, turn.cpu_ns);
    turn_deinit(&turn);
}

static void run_workers(struct fixture *fixture, void (*run)(void *))
{
    struct worker workers[THREADS];
    for (size_t i = 0; i < THREADS; i++) {
        workers[i] = (struct worker){.fixture = fixture};
        snprintf(workers[i].payer, sizeof workers[i].payer, "tenant-%zu", i % 3);
        thread_start(&workers[i].thread, "worker", run, &workers[i]);
    }
    for (size_t i = 0; i < THREADS; i++)
        thread_join(&workers[i].thread);
    assert_int_equal(turns_waiting_count(fixture->turns), 0);
    assert_true(counter_get(&fixture->cpu_ns) >= THREADS * PIECES * (TURN_QUANTUM_NS / 10));
}

TEST(never_more_than_twice_as_many_turns_as_processors_are_held)
{
    struct fixture fixture = {.turns = turns_new(clock_real(), PROCESSORS)};
    run_workers(&fixture, work);
    assert_in_range(counter_get(&fixture.holding_most), 1, 2 * PROCESSORS);
    turns_free(fixture.turns);
}

TEST(threads_that_yield_all_come_to_their_end)
{
    struct fixture fixture = {.turns = turns_new(clock_real(), PROCESSORS)};
    run_workers(&fixture, yield_often);
    turns_free(fixture.turns);
}

static void note_run(void *context)
{
    struct worker *worker = context;
    struct turn turn;
    struct error err;
    begin_turn(&turn, worker);
    expect_ok(turn_take(&turn, &err));
    counter_add(&worker->fixture->holding, 1);
    turn_deinit(&turn);
}

TEST(a_turn_that_is_over_goes_to_whoever_waits)
{
    struct error err;
    struct fixture fixture = {.turns = turns_new(clock_real(), 1)};
    struct worker worker = {.fixture = &fixture, .payer = "a"};
    struct turn turn;
    turn_init(&turn, fixture.turns, &(struct turn_options){.payer = STR("a")});
    expect_ok(turn_take(&turn, &err));
    thread_start(&worker.thread, "worker", note_run, &worker);
    while (turns_waiting_count(fixture.turns) == 0) {
    }
    assert_int_equal(counter_get(&fixture.holding), 0);
    expect_ok(turn_yield(&turn, turn.since_ns + TURN_QUANTUM_NS, &err));
    assert_int_equal(counter_get(&fixture.holding), 1);
    thread_join(&worker.thread);
    turn_deinit(&turn);
    turns_free(fixture.turns);
}

/* ---- one thread, so nobody gives a turn back while it waits ---- */

struct visit {
    int calls;
    enum status answer;
};

static enum status check(void *context, struct error *err)
{
    struct visit *visit = context;
    visit->calls++;
    return visit->answer == STATUS_OK || visit->calls < 3
               ? STATUS_OK
               : error_set(err, visit->answer, "enough waited");
}

TEST(a_wait_ends_when_the_check_says_so)
{
    struct error err;
    struct turns *turns = turns_new(clock_real(), 1);
    struct turn holder, waiter;
    struct visit visit = {.answer = STATUS_CANCELLED};
    turn_init(&holder, turns, &(struct turn_options){.payer = STR("a")});
    turn_init(&waiter, turns,
              &(struct turn_options){.payer = STR("a"), .check = check, .context = &visit});
    expect_ok(turn_take(&holder, &err));
    expect_status(turn_take(&waiter, &err), STATUS_CANCELLED);
    assert_string_equal(err.text, "enough waited");
    assert_int_equal(visit.calls, 3);
    assert_false(waiter.is_held);
    assert_int_equal(turns_waiting_count(turns), 0);
    turn_release(&holder);
    expect_ok(turn_take(&waiter, &err)); /* it may try again */
    turn_deinit(&waiter);
    turn_deinit(&holder);
    turns_free(turns);
}

TEST(a_turn_is_not_given_up_before_its_quantum_is_used_or_when_nobody_waits)
{
    struct error err;
    struct sim_clock clock;
    sim_clock_init(&clock, 0);
    struct turns *turns = turns_new(&clock.base, 1);
    struct turn turn, other;
    struct visit visit = {.answer = STATUS_TIMEOUT};
    turn_init(&turn, turns, &(struct turn_options){.payer = STR("a")});
    turn_init(&other, turns,
              &(struct turn_options){.payer = STR("a"), .check = check, .context = &visit});
    expect_ok(turn_take(&turn, &err));
    assert_false(turn_try_take(&other));
    expect_ok(turn_yield(&turn, TURN_QUANTUM_NS - 1, &err));
    assert_int_equal(turn.cpu_ns, 0); /* it did not even look */
    expect_ok(turn_yield(&turn, TURN_QUANTUM_NS, &err));
    assert_true(turn.cpu_ns > 0);
    assert_false(turn_is_due(&turn, 10 * TURN_QUANTUM_NS));
    turn_release(&turn);
    turn_release(&turn);
    assert_true(turn_try_take(&other));
    turn_deinit(&other);
    turn_deinit(&turn);
    turn_deinit(&turn);
    turns_free(turns);
}

struct due {
    struct turn *holder;
    bool was_due;
};

static enum status look_at_holder(void *context, struct error *err)
{
    struct due *due = context;
    due->was_due = turn_is_due(due->holder, due->holder->since_ns + TURN_QUANTUM_NS);
    return error_set(err, STATUS_TIMEOUT, "looked");
}

TEST(a_turn_is_due_when_somebody_waits)
{
    struct error err;
    struct turns *turns = turns_new(clock_real(), 1);
    struct turn holder, waiter;
    struct due due = {.holder = &holder};
    turn_init(&holder, turns, &(struct turn_options){.payer = STR("a")});
    turn_init(&waiter, turns,
              &(struct turn_options){.payer = STR("a"), .check = look_at_holder, .context = &due});
    expect_ok(turn_take(&holder, &err));
    assert_false(turn_is_due(&holder, holder.since_ns + TURN_QUANTUM_NS));
    expect_status(turn_take(&waiter, &err), STATUS_TIMEOUT);
    assert_true(due.was_due);
    turn_deinit(&waiter);
    turn_deinit(&holder);
    turns_free(turns);
}

TEST(a_helper_pays_for_its_query)
{
    struct error err;
    struct counter cpu_ns = {0};
    struct turns *turns = turns_new(clock_real(), 2);
    struct turn first, helper;
    turn_init(&first, turns, &(struct turn_options){.payer = STR("a"), .cpu_ns = &cpu_ns});
    turn_init_helper(&helper, &first);
    assert_ptr_equal(helper.waiter.payer, first.waiter.payer);
    expect_ok(turn_take(&first, &err));
    assert_true(turn_try_take(&helper));
    spin_for(TURN_QUANTUM_NS / 10);
    turn_release(&helper);
    assert_true(helper.cpu_ns >= TURN_QUANTUM_NS / 10);
    assert_int_equal(counter_get(&cpu_ns), helper.cpu_ns);
    turn_release(&first);
    assert_int_equal(counter_get(&cpu_ns), helper.cpu_ns + first.cpu_ns);
    assert_int_equal(counter_get(turns_cpu_ns(turns)), counter_get(&cpu_ns));
    turn_deinit(&helper);
    turn_deinit(&first);
    turns_free(turns);
}

struct debtor {
    struct turns *turns;
    unsigned processors[4]; /* that its thread may use */
};

static void run_into_debt(void *context)
{
    struct debtor *debtor = context;
    struct error err;
    struct turn turn;
    turn_init(&turn, debtor->turns, &(struct turn_options){.payer = STR("noisy")});
    expect_ok(turn_take(&turn, &err));
    debtor->processors[0] = thread_cpu_count();
    expect_ok(turn_yield(&turn, turn.since_ns + TURN_QUANTUM_NS, &err));
    debtor->processors[1] = thread_cpu_count();
    spin_for(TURN_CREDIT_MAX_NS);
    expect_ok(turn_yield(&turn, turn.since_ns + TURN_QUANTUM_NS, &err));
    debtor->processors[2] = thread_cpu_count();
    turn_deinit(&turn);
    debtor->processors[3] = thread_cpu_count();
}

TEST(the_thread_of_a_payer_in_debt_keeps_off_what_is_to_spare)
{
    struct debtor debtor = {.turns = turns_new(clock_real(), 2)};
    struct turn quiet;
    struct thread thread = {0};
    turn_init(&quiet, debtor.turns, &(struct turn_options){.payer = STR("quiet")});
    thread_start(&thread, "debtor", run_into_debt, &debtor);
    thread_join(&thread);
    assert_int_equal(debtor.processors[0], thread_cpu_count());
    assert_int_equal(debtor.processors[1], thread_cpu_count());
    assert_int_equal(debtor.processors[2], 1);
    assert_int_equal(debtor.processors[3],
                     thread_cpu_count()); /* the next query may be another's */
    turn_deinit(&quiet);
    turns_free(debtor.turns);
}

TEST_MAIN(RUN(never_more_than_twice_as_many_turns_as_processors_are_held),
          RUN(threads_that_yield_all_come_to_their_end),
          RUN(a_turn_that_is_over_goes_to_whoever_waits), RUN(a_wait_ends_when_the_check_says_so),
          RUN(a_turn_is_not_given_up_before_its_quantum_is_used_or_when_nobody_waits),
          RUN(a_turn_is_due_when_somebody_waits), RUN(a_helper_pays_for_its_query),
          RUN(the_thread_of_a_payer_in_debt_keeps_off_what_is_to_spare))
