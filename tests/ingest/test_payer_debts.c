#include "ingest/payer_debts.h"
#include "tests/support/test.h"

enum { BURST_NS = 1000, DEBT_MAX_NS = 50000, PRICE = 8, SLOT = 3 };

static const uint64_t NOW_NS = 1000000;

static struct payer_debts *debts_new(void)
{
    static struct payer_debts debts;
    debts = (struct payer_debts){.burst_ns = BURST_NS, .debt_max_ns = DEBT_MAX_NS};
    return &debts;
}

TEST(a_burst_costs_nothing_and_what_comes_after_it_has_its_price)
{
    struct payer_debts *debts = debts_new();
    assert_int_equal(payer_debts_charge(debts, SLOT, BURST_NS, PRICE, NOW_NS), 0);
    assert_int_equal(payer_debts_charge(debts, SLOT, 100, PRICE, NOW_NS), 100 * PRICE);
    assert_int_equal(payer_debts_charge(debts, SLOT, 1, PRICE, NOW_NS), 101 * PRICE);
}

TEST(a_debt_is_paid_off_as_time_goes_by)
{
    struct payer_debts *debts = debts_new();
    payer_debts_charge(debts, SLOT, BURST_NS + 100, PRICE, NOW_NS);
    assert_int_equal(payer_debts_owed(debts, SLOT, NOW_NS + 1), 100 * PRICE - 1);
    assert_int_equal(payer_debts_owed(debts, SLOT, NOW_NS + 100 * PRICE), 0);
    /* and then a burst is saved up again, and not more */
    uint64_t later_ns = NOW_NS + 100 * PRICE + (uint64_t)2 * BURST_NS * PRICE;
    assert_int_equal(payer_debts_charge(debts, SLOT, BURST_NS, PRICE, later_ns), 0);
    assert_int_equal(payer_debts_charge(debts, SLOT, 1, PRICE, later_ns), PRICE);
}

TEST(who_stays_within_his_share_never_owes)
{
    struct payer_debts *debts = debts_new();
    for (uint64_t i = 0; i < 1000; i++)
        assert_int_equal(payer_debts_charge(debts, SLOT, 10, PRICE, NOW_NS + i * 10 * PRICE), 0);
}

TEST(a_debt_has_an_end)
{
    struct payer_debts *debts = debts_new();
    assert_int_equal(payer_debts_charge(debts, SLOT, UINT64_C(1) << 40, PRICE, NOW_NS),
                     DEBT_MAX_NS);
}

TEST(payers_owe_each_for_himself)
{
    struct payer_debts *debts = debts_new();
    uint32_t slot = payer_slot(STR("a")), other = payer_slot(STR("b"));
    assert_true(slot < PAYER_SLOTS && other < PAYER_SLOTS && slot != other);
    assert_int_equal(payer_slot(STR("a")), slot);
    payer_debts_charge(debts, slot, 2 * BURST_NS, PRICE, NOW_NS);
    assert_int_equal(payer_debts_owed(debts, other, NOW_NS), 0);
    assert_int_equal(payer_debts_count(debts, NOW_NS), 1);
    payer_debts_charge(debts, other, 3 * BURST_NS, PRICE, NOW_NS);
    assert_int_equal(payer_debts_count(debts, NOW_NS), 2);
    assert_int_equal(payer_debts_count(debts, NOW_NS + (uint64_t)BURST_NS * PRICE), 1);
}

TEST(a_clock_that_has_just_begun_is_fine)
{
    struct payer_debts *debts = debts_new();
    assert_int_equal(payer_debts_charge(debts, SLOT, 10, PRICE, 0), 10 * PRICE);
}

TEST_MAIN(RUN(a_burst_costs_nothing_and_what_comes_after_it_has_its_price),
          RUN(a_debt_is_paid_off_as_time_goes_by), RUN(who_stays_within_his_share_never_owes),
          RUN(a_debt_has_an_end), RUN(payers_owe_each_for_himself),
          RUN(a_clock_that_has_just_begun_is_fine))
