#include "ingest/refusal_pace.h"
#include "tests/support/test.h"

enum { PROCESSORS = 8, ATTACKER = 1, OTHER = 2, REFUSING_NS = 200000 };

/* Any time long after the start, so that nobody has used anything. */
static const uint64_t START_NS = UINT64_C(1000000000000);
static const uint64_t S_NS = 1000000000;

/* Somebody sends his next write when he has his answer: how many there are until `until_ns`. */
static uint64_t attack(struct refusal_pace *pace, uint32_t slot, uint64_t until_ns)
{
    uint64_t count = 0;
    for (uint64_t now_ns = START_NS; now_ns < until_ns; count++)
        now_ns += REFUSING_NS + refusal_pace_charge(pace, slot, REFUSING_NS, now_ns);
    return count;
}

TEST(a_few_refusals_are_answered_at_once)
{
    struct refusal_pace pace;
    refusal_pace_init(&pace, PROCESSORS);
    for (uint64_t used_ns = 0; used_ns < REFUSAL_PACE_BURST_NS; used_ns += REFUSING_NS)
        assert_int_equal(refusal_pace_charge(&pace, ATTACKER, REFUSING_NS, START_NS), 0);
    assert_true(refusal_pace_charge(&pace, ATTACKER, REFUSING_NS, START_NS) > 0);
    assert_int_equal(refusal_pace_charge(&pace, OTHER, REFUSING_NS, START_NS), 0);
    refusal_pace_deinit(&pace);
}

TEST(who_sends_nothing_else_gets_the_share_and_the_burst)
{
    struct refusal_pace pace;
    refusal_pace_init(&pace, PROCESSORS);
    double most_ns = 10 * (double)S_NS * PROCESSORS * REFUSAL_PACE_SHARE + REFUSAL_PACE_BURST_NS;
    uint64_t count = attack(&pace, ATTACKER, START_NS + 10 * S_NS);
    assert_true((double)count * REFUSING_NS <= 1.01 * most_ns);
    assert_true((double)count * REFUSING_NS >= 0.9 * most_ns);
    refusal_pace_deinit(&pace);
}

/* What one more refused write of the attacker's adds to his wait. */
static uint64_t price_of_one(struct refusal_pace *pace, uint64_t now_ns)
{
    uint64_t before_ns = refusal_pace_charge(pace, ATTACKER, REFUSING_NS, now_ns);
    return refusal_pace_charge(pace, ATTACKER, REFUSING_NS, now_ns) - before_ns;
}

TEST(several_share_it)
{
    struct refusal_pace pace;
    refusal_pace_init(&pace, PROCESSORS);
    refusal_pace_charge(&pace, ATTACKER, REFUSAL_PACE_BURST_NS + S_NS / 10, START_NS);
    uint64_t alone_ns = price_of_one(&pace, START_NS);
    refusal_pace_charge(&pace, OTHER, REFUSAL_PACE_BURST_NS + S_NS / 10, START_NS);
    assert_int_equal(price_of_one(&pace, START_NS + S_NS / 5), 2 * alone_ns);
    refusal_pace_deinit(&pace);
}

TEST(nobody_waits_for_longer_than_the_longest_wait)
{
    struct refusal_pace pace;
    refusal_pace_init(&pace, 1);
    assert_int_equal(refusal_pace_charge(&pace, ATTACKER, 100 * S_NS, START_NS),
                     REFUSAL_PACE_WAIT_MAX_NS);
    refusal_pace_deinit(&pace);
}

TEST_MAIN(RUN(a_few_refusals_are_answered_at_once),
          RUN(who_sends_nothing_else_gets_the_share_and_the_burst), RUN(several_share_it),
          RUN(nobody_waits_for_longer_than_the_longest_wait))
