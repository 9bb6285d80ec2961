#include "ingest/refusal_pace.h"
#include "tests/support/test.h"

enum { PROCESSORS = 8, ATTACKER = 1, OTHER = 2, REFUSING_NS = 200000, CONNECTIONS_MAX = 64 };

/* Any time long after the start, so that nobody has used anything. */
static const uint64_t START_NS = UINT64_C(1000000000000);
static const uint64_t S_NS = 1000000000;

/* How long the answer to a write waits that is the only one. */
static uint64_t wait_alone(struct refusal_pace *pace, uint32_t slot, uint64_t cpu_ns,
                           uint64_t now_ns)
{
    uint64_t wait_ns = refusal_pace_begin(pace, slot, cpu_ns, now_ns);
    if (wait_ns > 0)
        refusal_pace_end(pace, slot);
    return wait_ns;
}

/* Somebody sends his next write on each of `count` connections when he has the answer there: how
   many there are until `until_ns`. */
static uint64_t attack(struct refusal_pace *pace, size_t count, uint64_t until_ns)
{
    uint64_t due_ns[CONNECTIONS_MAX], writes = 0;
    bool is_held[CONNECTIONS_MAX] = {false};
    for (size_t i = 0; i < count; i++)
        due_ns[i] = START_NS;
    for (;; writes++) {
        size_t next = 0;
        for (size_t i = 1; i < count; i++)
            next = due_ns[i] < due_ns[next] ? i : next;
        if (due_ns[next] >= until_ns)
            return writes;
        if (is_held[next])
            refusal_pace_end(pace, ATTACKER);
        uint64_t wait_ns = refusal_pace_begin(pace, ATTACKER, REFUSING_NS, due_ns[next]);
        is_held[next] = wait_ns > 0;
        due_ns[next] += REFUSING_NS + wait_ns;
    }
}

TEST(a_few_refusals_are_answered_at_once)
{
    struct refusal_pace pace;
    refusal_pace_init(&pace, PROCESSORS);
    for (uint64_t used_ns = 0; used_ns < REFUSAL_PACE_BURST_NS; used_ns += REFUSING_NS)
        assert_int_equal(wait_alone(&pace, ATTACKER, REFUSING_NS, START_NS), 0);
    assert_true(wait_alone(&pace, ATTACKER, REFUSING_NS, START_NS) > 0);
    assert_int_equal(wait_alone(&pace, OTHER, REFUSING_NS, START_NS), 0);
    refusal_pace_deinit(&pace);
}

TEST(who_sends_nothing_else_gets_the_share_and_the_burst)
{
    const double most_ns =
        10 * (double)S_NS * PROCESSORS * REFUSAL_PACE_SHARE + REFUSAL_PACE_BURST_NS;
    for (size_t connections = 1; connections <= CONNECTIONS_MAX; connections *= 8) {
        struct refusal_pace pace;
        refusal_pace_init(&pace, PROCESSORS);
        uint64_t writes = attack(&pace, connections, START_NS + 10 * S_NS);
        assert_true((double)writes * REFUSING_NS <= 1.1 * most_ns);
        assert_true((double)writes * REFUSING_NS >= 0.8 * most_ns);
        refusal_pace_deinit(&pace);
    }
}

static void be_in_debt(struct refusal_pace *pace, uint32_t slot, uint64_t now_ns)
{
    (void)wait_alone(pace, slot, REFUSAL_PACE_BURST_NS + S_NS / 10, now_ns);
}

TEST(several_share_it)
{
    struct refusal_pace pace;
    refusal_pace_init(&pace, PROCESSORS);
    be_in_debt(&pace, ATTACKER, START_NS);
    uint64_t alone_ns = wait_alone(&pace, ATTACKER, REFUSING_NS, START_NS);
    be_in_debt(&pace, OTHER, START_NS);
    assert_int_equal(wait_alone(&pace, ATTACKER, REFUSING_NS, START_NS + S_NS / 5), 2 * alone_ns);
    refusal_pace_deinit(&pace);
}

TEST(a_write_waits_for_its_own_refusals_and_for_answers_that_wait)
{
    struct refusal_pace pace;
    refusal_pace_init(&pace, PROCESSORS);
    be_in_debt(&pace, ATTACKER, START_NS);
    uint64_t one_ns = wait_alone(&pace, ATTACKER, 1000, START_NS);
    assert_int_equal(one_ns, (uint64_t)(1000 / (PROCESSORS * REFUSAL_PACE_SHARE)));
    for (uint64_t waiting = 0; waiting < 5; waiting++)
        assert_int_equal(refusal_pace_begin(&pace, ATTACKER, 1000, START_NS),
                         (waiting + 1) * one_ns);
    for (int waiting = 0; waiting < 5; waiting++)
        refusal_pace_end(&pace, ATTACKER);
    assert_int_equal(wait_alone(&pace, ATTACKER, 1000, START_NS), one_ns);
    refusal_pace_deinit(&pace);
}

TEST(nobody_waits_for_longer_than_the_longest_wait)
{
    struct refusal_pace pace;
    refusal_pace_init(&pace, 1);
    assert_int_equal(wait_alone(&pace, ATTACKER, 100 * S_NS, START_NS), REFUSAL_PACE_WAIT_MAX_NS);
    refusal_pace_deinit(&pace);
}

TEST_MAIN(RUN(a_few_refusals_are_answered_at_once),
          RUN(who_sends_nothing_else_gets_the_share_and_the_burst), RUN(several_share_it),
          RUN(a_write_waits_for_its_own_refusals_and_for_answers_that_wait),
          RUN(nobody_waits_for_longer_than_the_longest_wait))
