#include "ingest/write_crew.h"
#include "base/thread.h"
#include "tests/support/test.h"

/* Of two processors the crew has one, and so one thread. */
enum { PROCESSORS = 2, SMALL = 100, WRITES_MAX = 16, MS = 1000000 };

/* Writes that are done when the box lets them, and the payers in the order in which they were. */
static struct {
    struct sim_clock clock;
    struct write_crew *crew;
    struct mutex lock;
    struct cond has_news;
    bool is_open;              /* guarded by lock */
    uint32_t done[WRITES_MAX]; /* guarded by lock */
    size_t done_count;         /* guarded by lock */
    size_t begun_count;        /* guarded by lock */
    struct crew_write writes[WRITES_MAX];
    size_t write_count;
} box;

/* Each costs its payer a millisecond. */
static void run(struct crew_write *write)
{
    uint32_t slot = write->slot;
    mutex_lock(&box.lock);
    box.begun_count++;
    cond_broadcast(&box.has_news);
    while (!box.is_open)
        cond_wait(&box.has_news, &box.lock);
    mutex_unlock(&box.lock);
    write_crew_charge(box.crew, slot, MS);
    mutex_lock(&box.lock);
    box.done[box.done_count++] = slot;
    cond_broadcast(&box.has_news);
    mutex_unlock(&box.lock);
}

static int begin(void **state)
{
    (void)state;
    memset(&box, 0, sizeof box);
    sim_clock_init(&box.clock, 0);
    sim_clock_advance(&box.clock, 1000000);
    mutex_init(&box.lock);
    cond_init(&box.has_news);
    box.crew = write_crew_open(&box.clock.base, PROCESSORS);
    return 0;
}

static int end(void **state)
{
    (void)state;
    write_crew_close(box.crew);
    cond_deinit(&box.has_news);
    mutex_deinit(&box.lock);
    return 0;
}

static bool try_write(const char *payer, size_t body_bytes)
{
    struct crew_write *write = &box.writes[box.write_count++];
    *write = (struct crew_write){.run = run, .slot = payer_slot(str_from(payer))};
    return write_crew_try_take(box.crew, write, body_bytes);
}

static void use(const char *payer, uint64_t cpu_ns)
{
    write_crew_charge(box.crew, payer_slot(str_from(payer)), cpu_ns);
}

static void wait_begun(size_t count)
{
    mutex_lock(&box.lock);
    while (box.begun_count < count)
        cond_wait(&box.has_news, &box.lock);
    mutex_unlock(&box.lock);
}

static void open_box(void)
{
    mutex_lock(&box.lock);
    box.is_open = true;
    cond_broadcast(&box.has_news);
    mutex_unlock(&box.lock);
}

static void open_and_wait(size_t count)
{
    open_box();
    mutex_lock(&box.lock);
    while (box.done_count < count)
        cond_wait(&box.has_news, &box.lock);
    mutex_unlock(&box.lock);
}

TEST(who_writes_little_does_it_himself)
{
    assert_false(try_write("a", SMALL));
    use("a", WRITE_CREW_BURST_NS);
    assert_false(try_write("a", SMALL));
}

TEST(who_has_used_more_than_his_share_hands_over_until_it_is_paid)
{
    use("a", WRITE_CREW_BURST_NS + MS);
    assert_true(try_write("a", SMALL));
    assert_false(try_write("b", SMALL));
    open_and_wait(1);
    /* it has cost another millisecond, and each is paid off in eight */
    sim_clock_advance(&box.clock, 15);
    assert_true(try_write("a", SMALL));
    open_and_wait(2);
    sim_clock_advance(&box.clock, 9);
    assert_false(try_write("a", SMALL));
}

TEST(a_large_body_is_handed_over_whoever_sends_it)
{
    assert_false(try_write("a", WRITE_CREW_BODY_BYTES - 1));
    assert_true(try_write("a", WRITE_CREW_BODY_BYTES));
    open_and_wait(1);
}

/* While one write is under way the others come: four of `a`, one of `b` and `c` each. */
TEST(who_has_had_least_is_next)
{
    use("a", 1000 * MS);
    use("b", 1000 * MS);
    use("c", 1000 * MS);
    assert_true(try_write("a", SMALL));
    wait_begun(1);
    for (int i = 0; i < 3; i++)
        assert_true(try_write("a", SMALL));
    assert_true(try_write("b", SMALL));
    assert_true(try_write("c", SMALL));
    open_and_wait(6);
    const uint32_t a = payer_slot(STR("a")), b = payer_slot(STR("b")), c = payer_slot(STR("c"));
    const uint32_t want[] = {a, b, c, a, a, a};
    for (size_t i = 0; i < 6; i++)
        assert_int_equal(box.done[i], want[i]);
}

TEST(who_was_away_has_saved_nothing_up)
{
    use("a", 1000 * MS);
    assert_true(try_write("a", SMALL));
    wait_begun(1);
    for (int i = 0; i < 3; i++)
        assert_true(try_write("a", SMALL));
    for (int i = 0; i < 3; i++)
        assert_true(try_write("new", WRITE_CREW_BODY_BYTES));
    open_and_wait(7);
    /* turn by turn, not all of the newcomer's first */
    const uint32_t a = payer_slot(STR("a")), new = payer_slot(STR("new"));
    const uint32_t want[] = {a, new, a, new, a, new, a};
    for (size_t i = 0; i < 7; i++)
        assert_int_equal(box.done[i], want[i]);
}

TEST(a_crew_that_closes_does_what_waits_first)
{
    use("a", 1000 * MS);
    for (int i = 0; i < 5; i++)
        assert_true(try_write("a", SMALL));
    open_box();
    write_crew_close(box.crew);
    box.crew = NULL;
    assert_int_equal(box.done_count, 5);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, begin, end)

TEST_MAIN(CASE(who_writes_little_does_it_himself),
          CASE(who_has_used_more_than_his_share_hands_over_until_it_is_paid),
          CASE(a_large_body_is_handed_over_whoever_sends_it), CASE(who_has_had_least_is_next),
          CASE(who_was_away_has_saved_nothing_up), CASE(a_crew_that_closes_does_what_waits_first))
