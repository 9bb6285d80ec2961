#include "ingest/write_hold.h"
#include "base/thread.h"
#include "tests/support/test.h"

enum { HELD_MAX = 100 };

/* What was held, and in which order it was let go. */
static struct {
    struct sim_clock clock;
    struct write_hold *hold;
    struct mutex lock;
    struct cond has_news;
    struct held_write held[HELD_MAX];
    size_t order[HELD_MAX]; /* guarded by lock */
    size_t count;           /* guarded by lock; let go */
} box;

static void note(struct held_write *held)
{
    mutex_lock(&box.lock);
    box.order[box.count++] = (size_t)(held - box.held);
    cond_signal(&box.has_news);
    mutex_unlock(&box.lock);
}

static int begin(void **state)
{
    (void)state;
    memset(&box, 0, sizeof box);
    sim_clock_init(&box.clock, 0);
    mutex_init(&box.lock);
    cond_init(&box.has_news);
    box.hold = write_hold_open(&box.clock.base);
    return 0;
}

static int end(void **state)
{
    (void)state;
    write_hold_close(box.hold);
    cond_deinit(&box.has_news);
    mutex_deinit(&box.lock);
    return 0;
}

static void hold(size_t index, uint64_t wait_ms)
{
    box.held[index].release = note;
    write_hold_add(box.hold, &box.held[index], wait_ms * 1000000);
}

static void wait_for(size_t count)
{
    mutex_lock(&box.lock);
    while (box.count < count)
        cond_wait(&box.has_news, &box.lock);
    mutex_unlock(&box.lock);
}

static size_t released_count(void)
{
    mutex_lock(&box.lock);
    size_t count = box.count;
    mutex_unlock(&box.lock);
    return count;
}

TEST(what_is_due_first_is_let_go_first)
{
    hold(0, 20);
    hold(1, 10);
    sim_clock_advance(&box.clock, 10);
    wait_for(1);
    assert_int_equal(box.order[0], 1);
    sim_clock_advance(&box.clock, 10);
    wait_for(2);
    assert_int_equal(box.order[1], 0);
}

TEST(nothing_is_let_go_before_it_is_due)
{
    hold(0, 10);
    sim_clock_advance(&box.clock, 9);
    thread_sleep_ms(30); /* its thread looks meanwhile */
    assert_int_equal(released_count(), 0);
    sim_clock_advance(&box.clock, 1);
    wait_for(1);
}

/* Waits of 1 to HELD_MAX ms, in an order that is none; all are due when its thread looks. */
TEST(many_are_let_go_in_the_order_of_their_time)
{
    for (size_t i = 0; i < HELD_MAX; i++)
        hold(i, 1 + i * 37 % HELD_MAX);
    sim_clock_advance(&box.clock, HELD_MAX);
    wait_for(HELD_MAX);
    for (size_t i = 0; i < HELD_MAX; i++)
        assert_int_equal(1 + box.order[i] * 37 % HELD_MAX, i + 1);
}

TEST(a_stop_lets_everything_go_and_holds_nothing_more)
{
    for (size_t i = 0; i < HELD_MAX - 1; i++)
        hold(i, 1000000);
    write_hold_stop(box.hold);
    wait_for(HELD_MAX - 1);
    hold(HELD_MAX - 1, 1000000);
    wait_for(HELD_MAX);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, begin, end)

TEST_MAIN(CASE(what_is_due_first_is_let_go_first), CASE(nothing_is_let_go_before_it_is_due),
          CASE(many_are_let_go_in_the_order_of_their_time),
          CASE(a_stop_lets_everything_go_and_holds_nothing_more))
