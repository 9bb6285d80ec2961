/*
 * What has expired for one tenant and not for another: its bytes leave a block that stays.
 */
#include "tests/compaction/compactor_rig.h"

enum { BOX_SEED = 21, DUE_AFTER_MS = 61 * 1000 };

TEST(an_expired_part_of_a_block_leaves_the_disk_and_the_rest_stays)
{
    struct rig rig;
    struct error err = {0};
    rig_start_single(&rig, BOX_SEED);
    for (int i = 0; i < 10; i++)
        box_put(&rig.box, "keeper", "up", BOX_START_MS + i, i);
    box_put(&rig.box, "brief", "up", BOX_START_MS, 1);
    struct tenant *brief = tenant_table_find(store_tenants(rig.box.store), STR("brief"));
    counter_set(&brief->limit_max[LIMIT_HARD][TENANT_LIMIT_RETENTION], BOX_DAY_MS / 2);
    expect_ok(box_flush(&rig.box, &err));
    sim_clock_advance(&rig.box.clock, BOX_DAY_MS / 2);
    compactor_step(rig.compactor);
    assert_int_equal(box_block_samples(&rig.box), 11); /* not yet */
    sim_clock_advance(&rig.box.clock, BOX_DAY_MS);
    expect_series(&rig.box, "brief", "");
    compactor_step(rig.compactor);
    assert_int_equal(box_block_samples(&rig.box), 10);
    assert_false(store_has_blocks_of(rig.box.store, brief));
    compactor_step(rig.compactor); /* and not again */
    assert_int_equal(counter_get(&compactor_counters(rig.compactor)->merges), 1);
    rig_close(&rig);
}

static void keep_for(struct rig *rig, const char *tenant, int64_t days)
{
    struct tenant *known = tenant_table_find(store_tenants(rig->box.store), str_from(tenant));
    counter_set(&known->limit_max[LIMIT_HARD][TENANT_LIMIT_RETENTION],
                (uint64_t)(days * BOX_DAY_MS));
}

static void pass_day(struct rig *rig)
{
    sim_clock_advance(&rig->box.clock, BOX_DAY_MS + 1);
    compactor_step(rig->compactor);
    compactor_step(rig->compactor);
}

static const char *const days_tenants[] = {"1", "2", "3", "4", "5", "6"};

/* Each tenant keeps its only sample for as many days as its name says. */
static void put_for_days(struct rig *rig)
{
    for (int i = 0; i < 6; i++) {
        box_put(&rig->box, days_tenants[i], "up", BOX_START_MS, i);
        keep_for(rig, days_tenants[i], i + 1);
    }
}

TEST(a_block_that_may_not_be_written_again_is_when_half_of_it_has_expired)
{
    struct rig rig;
    struct error err = {0};
    rig_start_single(&rig, BOX_SEED);
    put_for_days(&rig);
    for (int i = 1; i < 1000; i++) /* most of the block */
        box_put(&rig.box, "4", "up", BOX_START_MS - i, i / 7.0);
    expect_ok(box_flush(&rig.box, &err));
    for (int day = 1; day <= 4; day++)
        pass_day(&rig); /* to levels 1, 2 and 3; then most of it, without a wait */
    assert_int_equal(counter_get(&compactor_counters(rig.compactor)->merges), 4);
    assert_int_equal(box_block_samples(&rig.box), 2);
    pass_day(&rig);
    pass_day(&rig);
    assert_int_equal(box_block_samples(&rig.box), 0);
    rig_close(&rig);
}

TEST(an_expired_part_of_a_block_waits_a_day_for_others_at_most)
{
    struct rig rig;
    struct error err = {0};
    rig_start_single(&rig, BOX_SEED);
    put_for_days(&rig);
    for (int i = 0; i < 1000; i++)
        box_put(&rig.box, "keeper", "up", BOX_START_MS + i, i / 7.0);
    expect_ok(box_flush(&rig.box, &err));
    for (int day = 1; day <= 3; day++)
        pass_day(&rig);
    assert_int_equal(counter_get(&compactor_counters(rig.compactor)->merges), 3);
    pass_day(&rig); /* it is a small part of a block that was written three times */
    assert_int_equal(counter_get(&compactor_counters(rig.compactor)->merges), 3);
    assert_int_equal(box_block_samples(&rig.box), 1003);
    pass_day(&rig); /* two go together */
    assert_int_equal(counter_get(&compactor_counters(rig.compactor)->merges), 4);
    assert_int_equal(box_block_samples(&rig.box), 1001);
    rig_close(&rig);
}

/* The disk has no room for the block to be, so that its day waits. */
TEST(what_was_deleted_is_not_looked_up_again_while_its_day_waits)
{
    struct rig rig;
    rig_start_single(&rig, BOX_SEED);
    rig_put_three(&rig);
    expect_flush(&rig.box);
    expect_deleted(&rig, "job=a", BOX_START_MS, BOX_START_MS);
    sim_clock_advance(&rig.box.clock, DUE_AFTER_MS);
    sim_disk_set_capacity(rig.box.sim, box_used_bytes(&rig.box));
    compactor_step(rig.compactor);
    compactor_step(rig.compactor);
    assert_true(counter_get(&compactor_counters(rig.compactor)->failures) > 0);
    uint64_t looks = sim_disk_look_count(rig.box.sim);
    compactor_step(rig.compactor);
    assert_int_equal(sim_disk_look_count(rig.box.sim), looks);
    sim_disk_set_capacity(rig.box.sim, UINT64_MAX);
    sim_clock_advance(&rig.box.clock, BOX_DAY_MS);
    compactor_step(rig.compactor);
    assert_int_equal(box_block_samples(&rig.box), 2);
    rig_close(&rig);
}

TEST_MAIN(RUN(an_expired_part_of_a_block_leaves_the_disk_and_the_rest_stays),
          RUN(a_block_that_may_not_be_written_again_is_when_half_of_it_has_expired),
          RUN(an_expired_part_of_a_block_waits_a_day_for_others_at_most),
          RUN(what_was_deleted_is_not_looked_up_again_while_its_day_waits))
