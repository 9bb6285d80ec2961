/*
 * A compactor that meets damage: what can be read is kept, the damaged block goes to quarantine.
 */
#include "tests/compaction/compactor_rig.h"
#include "tsdb/block/block_index.h"

enum { OPERATIONS_MAX = 1000 };

/* The values of the first series of the first tenant. */
static void damage_first_series(struct store_box *box, struct block *block)
{
    struct error err = {0};
    const struct block_index *index;
    struct block_place place;
    expect_ok(block_tenant_index(block, 0, &index, &err));
    expect_ok(block_index_place(index, 0, &place, &err));
    uint64_t offset = block_tenant_section(block, 0).runs_offset + place.run_offset;
    box->is_damaged = true;
    sim_disk_flip(box->sim, block_path(block), offset + 1, 0x40);
}

static void damage_first_block(struct store_box *box, const char *tenant)
{
    struct block **blocks;
    size_t count;
    store_blocks(box->store, box_shard_of(box, tenant), &box->arena, &blocks, &count);
    damage_first_series(box, blocks[0]);
    for (size_t i = 0; i < count; i++)
        block_release(blocks[i]);
}

/* So many blocks of "a", four of which would be merged. */
static void start(struct rig *rig, int block_count)
{
    rig_init(rig, 3);
    rig->rules = rig_rules_of_four();
    rig_open(rig);
    flush_times(&rig->box, "a", block_count);
}

static void start_damaged(struct rig *rig, int block_count)
{
    start(rig, block_count);
    damage_first_block(&rig->box, "a");
}

static const char rest_of_a[] =
    "up 1700000000001:1 1700000000002:2 1700000000003:3\n"
    "zone 1700000000000:0 1700000000001:1 1700000000002:2 1700000000003:3\n";

/* One of the two series of a block of one sample each is lost. */
static void expect_loss(struct rig *rig)
{
    const struct compactor_counters *counters = compactor_counters(rig->compactor);
    assert_int_equal(box_file_count(&rig->box, "quarantine/"), 1);
    assert_int_equal(counter_get(&counters->failures), 0);
    assert_int_equal(counter_get(&counters->blocks_quarantined), 1);
    assert_int_equal(counter_get(&counters->series_lost), 1);
    assert_int_equal(counter_get(&counters->samples_lost), 1);
    assert_int_equal(store_damaged_block_count(rig->box.store), 1);
}

static void expect_unreadable(struct store_box *box)
{
    struct error err = {0};
    struct str got;
    const struct box_query all = {.tenants = "a"};
    expect_status(box_select(box, &all, &got, &err), STATUS_CORRUPT);
}

/* Nothing is wrong any more but what lies in quarantine. */
static void expect_only_quarantine(struct store_box *box)
{
    struct error err = {0};
    expect_status(box_verify(box, &err), STATUS_CORRUPT);
    assert_non_null(strstr(err.text, "quarantine/"));
}

TEST(what_can_be_read_of_a_damaged_block_is_merged_and_the_block_goes_to_quarantine)
{
    struct rig rig;
    start_damaged(&rig, 4);
    compactor_step(rig.compactor);
    assert_int_equal(shard_block_count(&rig.box, "a"), 1);
    expect_loss(&rig);
    expect_series(&rig.box, "a", rest_of_a);
    rig_reopen(&rig);
    expect_series(&rig.box, "a", rest_of_a);
    expect_only_quarantine(&rig.box);
    rig_close(&rig);
}

/* No merge would ever touch it. */
TEST(a_block_that_a_read_found_damaged_is_written_anew_once)
{
    struct rig rig;
    start_damaged(&rig, 1);
    compactor_step(rig.compactor);
    assert_int_equal(box_file_count(&rig.box, "quarantine/"), 0);
    expect_unreadable(&rig.box);
    compactor_step(rig.compactor);
    expect_series(&rig.box, "a", "zone 1700000000000:0\n");
    expect_loss(&rig);
    compactor_step(rig.compactor);
    expect_loss(&rig);
    assert_int_equal(counter_get(&compactor_counters(rig.compactor)->merges), 1);
    expect_only_quarantine(&rig.box);
    rig_reopen(&rig);
    expect_series(&rig.box, "a", "zone 1700000000000:0\n");
    rig_close(&rig);
}

/* And the block that is left is nobody's: it goes when blocks expire. */
TEST(a_block_of_which_nothing_can_be_read_is_only_put_aside)
{
    struct rig rig;
    start(&rig, 1);
    struct block **blocks;
    size_t count;
    store_blocks(rig.box.store, box_shard_of(&rig.box, "a"), &rig.box.arena, &blocks, &count);
    rig.box.is_damaged = true;
    sim_disk_flip(rig.box.sim, block_path(blocks[0]),
                  block_tenant_section(blocks[0], 0).index_offset, 1);
    block_release(blocks[0]);
    rig_reopen(&rig);
    expect_unreadable(&rig.box);
    compactor_step(rig.compactor);
    compactor_step(rig.compactor);
    expect_series(&rig.box, "a", "");
    assert_int_equal(counter_get(&compactor_counters(rig.compactor)->merges), 1);
    assert_int_equal(counter_get(&compactor_counters(rig.compactor)->series_lost), 2);
    assert_int_equal(counter_get(&compactor_counters(rig.compactor)->samples_lost), 2);
    expect_only_quarantine(&rig.box);
    rig_reopen(&rig);
    expect_series(&rig.box, "a", "");
    flush_times(&rig.box, "a", 1);
    expect_series(&rig.box, "a", "up 1700000000000:0\nzone 1700000000000:0\n");
    rig_close(&rig);
}

static void cut_open_block(uint64_t kept_percent)
{
    struct rig rig;
    start(&rig, 4);
    struct block **blocks;
    size_t count;
    store_blocks(rig.box.store, box_shard_of(&rig.box, "a"), &rig.box.arena, &blocks, &count);
    sim_disk_truncate(rig.box.sim, block_path(blocks[0]),
                      block_size_bytes(blocks[0]) * kept_percent / 100);
    for (size_t i = 0; i < count; i++)
        block_release(blocks[i]);
    rig.box.is_damaged = true;
    expect_unreadable(&rig.box);
    compactor_step(rig.compactor);
    compactor_step(rig.compactor);
    const char *rest = "up 1700000000001:1 1700000000002:2 1700000000003:3\n"
                       "zone 1700000000001:1 1700000000002:2 1700000000003:3\n";
    expect_series(&rig.box, "a", rest);
    assert_int_equal(box_file_count(&rig.box, "quarantine/"), 1);
    assert_int_equal(counter_get(&compactor_counters(rig.compactor)->samples_lost), 2);
    expect_only_quarantine(&rig.box);
    rig_reopen(&rig);
    expect_series(&rig.box, "a", rest);
    rig_close(&rig);
}

TEST(an_open_block_that_is_cut_goes_to_quarantine_and_the_others_are_served)
{
    cut_open_block(0);
    cut_open_block(30);
    cut_open_block(60);
}

/* The new block is durable, the damaged one not yet in quarantine: it must not be deleted. */
TEST(a_damaged_block_outlives_a_crash_before_its_quarantine)
{
    bool has_seen_both = false;
    for (uint64_t after = 0, is_clean = 0; !is_clean; after++) {
        struct rig rig;
        struct error err = {0};
        start_damaged(&rig, 4);
        sim_disk_cut_power_at(rig.box.sim, sim_disk_operation_count(rig.box.sim) + after);
        compactor_step(rig.compactor);
        is_clean = !sim_disk_is_cut(rig.box.sim);
        rig_crash(&rig, POWER_CUT_DROP_ALL);
        uint64_t left = shard_block_count(&rig.box, "a") + box_file_count(&rig.box, "quarantine/");
        assert_true(left >= 2); /* the damaged one and the merged one, at least */
        has_seen_both = has_seen_both || shard_block_count(&rig.box, "a") == 2;
        const struct box_query whole = {.tenants = "a", .matchers = "__name__=zone"};
        struct str got;
        expect_ok(box_select(&rig.box, &whole, &got, &err));
        expect_str(got, "zone 1700000000000:0 1700000000001:1 1700000000002:2 1700000000003:3\n");
        rig_close(&rig);
        assert_true(after < OPERATIONS_MAX);
    }
    assert_true(has_seen_both);
}

TEST_MAIN(RUN(what_can_be_read_of_a_damaged_block_is_merged_and_the_block_goes_to_quarantine),
          RUN(a_block_that_a_read_found_damaged_is_written_anew_once),
          RUN(a_block_of_which_nothing_can_be_read_is_only_put_aside),
          RUN(an_open_block_that_is_cut_goes_to_quarantine_and_the_others_are_served),
          RUN(a_damaged_block_outlives_a_crash_before_its_quarantine))
