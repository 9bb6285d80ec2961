/* The rules, call by call; what comes of them in time is in test_turn_shares.c. */
#include "tests/support/test.h"

#include <stdio.h>

#include "query/engine/turn_queue.h"

TEST(idle_payers_are_forgotten)
{
    struct turn_queue queue;
    char name[32];
    turn_queue_init(&queue, 1);
    for (int i = 0; i < 10000; i++) {
        snprintf(name, sizeof name, "t%d", i);
        struct turn_payer *payer = turn_queue_join(&queue, str_from(name), 0);
        turn_queue_leave(&queue, payer, 0);
        assert_true(queue.payer_count <= TURN_PAYERS_KEPT_MAX);
    }
    struct turn_payer *payer = turn_queue_join(&queue, STR("last"), TURN_FORGET_NS);
    assert_int_equal(queue.payer_count, 1);
    turn_queue_leave(&queue, payer, TURN_FORGET_NS);
    turn_queue_deinit(&queue);
}

TEST(one_that_has_credit_and_no_turn_takes_one_more)
{
    struct turn_queue queue;
    struct turn_waiter waiters[6];
    turn_queue_init(&queue, 1);
    struct turn_payer *busy = turn_queue_join(&queue, STR("busy"), 0);
    struct turn_payer *fresh = turn_queue_join(&queue, STR("fresh"), 0);
    struct turn_payer *late = turn_queue_join(&queue, STR("late"), 0);
    for (size_t i = 0; i < 6; i++)
        waiters[i].payer = i < 2 ? busy : i < 4 ? fresh : late;
    turn_queue_wait(&queue, &waiters[0]);
    assert_ptr_equal(turn_queue_next(&queue), &waiters[0]);
    assert_false(turn_queue_is_pressed(&queue));
    turn_queue_wait(&queue, &waiters[1]);
    assert_null(turn_queue_next(&queue)); /* it has one */
    turn_queue_charge(&queue, fresh, TURN_CREDIT_MAX_NS, 0);
    turn_queue_wait(&queue, &waiters[2]);
    assert_null(turn_queue_next(&queue)); /* it has no credit */
    turn_queue_wait(&queue, &waiters[4]);
    assert_ptr_equal(turn_queue_next(&queue), &waiters[4]);
    assert_true(turn_queue_is_pressed(&queue));
    turn_queue_charge(&queue, busy, TURN_CREDIT_MAX_NS, 0); /* pays fresh */
    assert_null(turn_queue_next(&queue));                   /* twice the processors */
    turn_queue_withdraw(&queue, &waiters[1]);
    turn_queue_give_back(&queue, busy);
    assert_ptr_equal(turn_queue_next(&queue), &waiters[2]);
    assert_true(turn_queue_is_pressed(&queue)); /* nobody waits, but two hold a turn */
    turn_queue_give_back(&queue, late);
    assert_false(turn_queue_is_pressed(&queue));
    turn_queue_give_back(&queue, fresh);
    turn_queue_leave(&queue, busy, 0);
    turn_queue_leave(&queue, fresh, 0);
    turn_queue_leave(&queue, late, 0);
    turn_queue_deinit(&queue);
}

/* ---- a payer in debt, and one with all the credit there is ---- */

struct pair {
    struct turn_queue queue;
    struct turn_payer *noisy;
    struct turn_payer *quiet;
};

static void pair_init(struct pair *pair, size_t processor_count)
{
    turn_queue_init(&pair->queue, processor_count);
    pair->noisy = turn_queue_join(&pair->queue, STR("noisy"), 0);
    turn_queue_charge(&pair->queue, pair->noisy, TURN_CREDIT_MAX_NS + 1, 0);
    pair->quiet = turn_queue_join(&pair->queue, STR("quiet"), 0);
}

static void pair_deinit(struct pair *pair)
{
    turn_queue_leave(&pair->queue, pair->quiet, 0);
    turn_queue_leave(&pair->queue, pair->noisy, 0);
    turn_queue_deinit(&pair->queue);
}

/* Quiet has no credit then. */
static void pay_debt(struct pair *pair)
{
    turn_queue_charge(&pair->queue, pair->quiet, TURN_CREDIT_MAX_NS, 0);
}

static size_t give_all(struct turn_queue *queue)
{
    size_t count = 0;
    while (turn_queue_next(queue) != NULL)
        count++;
    return count;
}

static void expect_spare(size_t processors, size_t spare)
{
    enum { WAITERS_MAX = 65 };
    struct pair pair;
    struct turn_waiter waiters[WAITERS_MAX];
    pair_init(&pair, processors);
    for (size_t i = 0; i <= processors; i++) {
        waiters[i].payer = pair.noisy;
        turn_queue_wait(&pair.queue, &waiters[i]);
    }
    assert_int_equal(give_all(&pair.queue), processors - spare);
    pay_debt(&pair);
    assert_int_equal(give_all(&pair.queue), spare);
    turn_queue_withdraw(&pair.queue, &waiters[processors]);
    assert_false(turn_queue_is_pressed(&pair.queue));
    turn_queue_charge(&pair.queue, pair.noisy, TURN_CREDIT_MAX_NS, 0); /* in debt again */
    assert_int_equal(turn_queue_is_pressed(&pair.queue), spare > 0);
    for (size_t i = 0; i < processors; i++)
        turn_queue_give_back(&pair.queue, pair.noisy);
    pair_deinit(&pair);
}

TEST(payers_in_debt_leave_an_eighth_of_the_processors_and_never_take_none)
{
    expect_spare(1, 0);
    expect_spare(2, 1);
    expect_spare(3, 1);
    expect_spare(8, 1);
    expect_spare(9, 2);
    expect_spare(64, 8);
}

TEST(what_is_to_spare_is_there_for_a_payer_with_credit)
{
    struct pair pair;
    pair_init(&pair, 2);
    struct turn_waiter noisy[] = {{.payer = pair.noisy}, {.payer = pair.noisy}};
    struct turn_waiter quiet = {.payer = pair.quiet};
    turn_queue_wait(&pair.queue, &noisy[0]);
    turn_queue_wait(&pair.queue, &noisy[1]);
    assert_ptr_equal(turn_queue_next(&pair.queue), &noisy[0]);
    assert_null(turn_queue_next(&pair.queue));
    turn_queue_wait(&pair.queue, &quiet);
    assert_ptr_equal(turn_queue_next(&pair.queue), &quiet);
    turn_queue_withdraw(&pair.queue, &noisy[1]);
    turn_queue_give_back(&pair.queue, pair.noisy);
    turn_queue_give_back(&pair.queue, pair.quiet);
    pair_deinit(&pair);
}

TEST(who_is_in_debt_gets_no_help_from_what_is_to_spare)
{
    struct pair pair;
    pair_init(&pair, 2);
    assert_true(turn_queue_try_take(&pair.queue, pair.noisy));
    assert_false(turn_queue_try_take(&pair.queue, pair.noisy));
    pay_debt(&pair);
    assert_true(turn_queue_try_take(&pair.queue, pair.noisy));
    turn_queue_give_back(&pair.queue, pair.noisy);
    turn_queue_give_back(&pair.queue, pair.noisy);
    pair_deinit(&pair);
}

TEST(debt_counts_while_another_has_credit)
{
    struct pair pair;
    pair_init(&pair, 2);
    assert_true(turn_queue_is_indebted(&pair.queue, pair.noisy));
    assert_false(turn_queue_is_indebted(&pair.queue, pair.quiet));
    turn_queue_charge(&pair.queue, pair.noisy, 1000, 0);
    turn_queue_charge(&pair.queue, pair.quiet, TURN_CREDIT_MAX_NS, 0);
    turn_queue_charge(&pair.queue, pair.noisy, TURN_CREDIT_MAX_NS, 0);
    turn_queue_charge(&pair.queue, pair.quiet, TURN_CREDIT_MAX_NS, 0);
    assert_false(turn_queue_is_indebted(&pair.queue, pair.noisy));
    pair_deinit(&pair);
}

TEST(who_has_just_left_is_paid_and_then_forgotten)
{
    struct pair pair;
    pair_init(&pair, 1);
    turn_queue_charge(&pair.queue, pair.quiet, TURN_CREDIT_MAX_NS, 0);
    turn_queue_leave(&pair.queue, pair.quiet, 0);
    turn_queue_charge(&pair.queue, pair.noisy, 1000, TURN_FORGET_NS - 1);
    assert_int_equal(pair.quiet->balance_ns, 1000);
    turn_queue_charge(&pair.queue, pair.noisy, TURN_CREDIT_MAX_NS, TURN_FORGET_NS);
    assert_int_equal(pair.queue.payer_count, 1);
    assert_false(turn_queue_is_indebted(&pair.queue, pair.noisy));
    turn_queue_leave(&pair.queue, pair.noisy, TURN_FORGET_NS);
    turn_queue_deinit(&pair.queue);
}

TEST(a_processor_is_taken_without_waiting_only_when_nobody_waits)
{
    struct turn_queue queue;
    turn_queue_init(&queue, 2);
    struct turn_payer *payer = turn_queue_join(&queue, STR("a"), 0);
    struct turn_waiter waiters[2] = {{.payer = payer}, {.payer = payer}};
    assert_true(turn_queue_try_take(&queue, payer));
    turn_queue_wait(&queue, &waiters[0]);
    assert_false(turn_queue_try_take(&queue, payer)); /* one is free, and somebody wants it */
    assert_ptr_equal(turn_queue_next(&queue), &waiters[0]);
    assert_false(turn_queue_try_take(&queue, payer)); /* none is free */
    turn_queue_wait(&queue, &waiters[1]);
    assert_null(turn_queue_next(&queue));
    turn_queue_withdraw(&queue, &waiters[1]);
    turn_queue_give_back(&queue, payer);
    assert_null(turn_queue_next(&queue));
    assert_true(turn_queue_try_take(&queue, payer));
    turn_queue_give_back(&queue, payer);
    turn_queue_give_back(&queue, payer);
    turn_queue_leave(&queue, payer, 0);
    turn_queue_deinit(&queue);
}

TEST_MAIN(RUN(idle_payers_are_forgotten), RUN(one_that_has_credit_and_no_turn_takes_one_more),
          RUN(payers_in_debt_leave_an_eighth_of_the_processors_and_never_take_none),
          RUN(what_is_to_spare_is_there_for_a_payer_with_credit),
          RUN(who_is_in_debt_gets_no_help_from_what_is_to_spare),
          RUN(debt_counts_while_another_has_credit),
          RUN(who_has_just_left_is_paid_and_then_forgotten),
          RUN(a_processor_is_taken_without_waiting_only_when_nobody_waits))
