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

static const char rest_of_a[] =
    "up 1700000000001:1 1700000000002:2 1700000000003:3\n"
    "zone 1700000000000:0 1700000000001:1 1700000000002:2 1700000000003:3\n";

/* One of the two series of a block of one sample each is lost. */
static void expect_loss(const struct compactor *compactor, struct store_box *box)
{
    const struct compactor_counters *counters = compactor_counters(compactor);
    assert_int_equal(box_file_count(box, "quarantine/"), 1);
    assert_int_equal(counter_get(&counters->failures), 0);
    assert_int_equal(counter_get(&counters->blocks_quarantined), 1);
    assert_int_equal(counter_get(&counters->series_lost), 1);
    assert_int_equal(counter_get(&counters->samples_lost), 1);
    assert_int_equal(store_damaged_block_count(box->store), 1);
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
    struct store_box box;
    store_box_start(&box, 3);
    flush_times(&box, "a", 4);
    damage_first_block(&box, "a");
    struct compactor *compactor = rig_compactor(&box);
    compactor_step(compactor);
    assert_int_equal(shard_block_count(&box, "a"), 1);
    expect_loss(compactor, &box);
    expect_series(&box, "a", rest_of_a);
    compactor_close(compactor);
    store_box_restart(&box);
    expect_series(&box, "a", rest_of_a);
    expect_only_quarantine(&box);
    store_box_deinit(&box);
}

/* No merge would ever touch it. */
TEST(a_block_that_a_read_found_damaged_is_written_anew_once)
{
    struct store_box box;
    store_box_start(&box, 3);
    flush_times(&box, "a", 1);
    damage_first_block(&box, "a");
    struct compactor *compactor = rig_compactor(&box);
    compactor_step(compactor);
    assert_int_equal(box_file_count(&box, "quarantine/"), 0);
    expect_unreadable(&box);
    compactor_step(compactor);
    expect_series(&box, "a", "zone 1700000000000:0\n");
    expect_loss(compactor, &box);
    compactor_step(compactor);
    expect_loss(compactor, &box);
    assert_int_equal(counter_get(&compactor_counters(compactor)->merges), 1);
    expect_only_quarantine(&box);
    compactor_close(compactor);
    store_box_restart(&box);
    expect_series(&box, "a", "zone 1700000000000:0\n");
    store_box_deinit(&box);
}

/* And the block that is left is nobody's: it goes when blocks expire. */
TEST(a_block_of_which_nothing_can_be_read_is_only_put_aside)
{
    struct store_box box;
    store_box_start(&box, 3);
    flush_times(&box, "a", 1);
    struct block **blocks;
    size_t count;
    store_blocks(box.store, box_shard_of(&box, "a"), &box.arena, &blocks, &count);
    box.is_damaged = true;
    sim_disk_flip(box.sim, block_path(blocks[0]), block_tenant_section(blocks[0], 0).index_offset,
                  1);
    block_release(blocks[0]);
    store_box_restart(&box);
    expect_unreadable(&box);
    struct compactor *compactor = rig_compactor(&box);
    compactor_step(compactor);
    compactor_step(compactor);
    expect_series(&box, "a", "");
    assert_int_equal(counter_get(&compactor_counters(compactor)->merges), 1);
    assert_int_equal(counter_get(&compactor_counters(compactor)->series_lost), 2);
    assert_int_equal(counter_get(&compactor_counters(compactor)->samples_lost), 2);
    expect_only_quarantine(&box);
    compactor_close(compactor);
    store_box_restart(&box);
    expect_series(&box, "a", "");
    flush_times(&box, "a", 1);
    expect_series(&box, "a", "up 1700000000000:0\nzone 1700000000000:0\n");
    store_box_deinit(&box);
}

static void cut_open_block(uint64_t kept_percent)
{
    struct store_box box;
    store_box_start(&box, 3);
    flush_times(&box, "a", 4);
    struct block **blocks;
    size_t count;
    store_blocks(box.store, box_shard_of(&box, "a"), &box.arena, &blocks, &count);
    sim_disk_truncate(box.sim, block_path(blocks[0]),
                      block_size_bytes(blocks[0]) * kept_percent / 100);
    for (size_t i = 0; i < count; i++)
        block_release(blocks[i]);
    box.is_damaged = true;
    expect_unreadable(&box);
    struct compactor *compactor = rig_compactor(&box);
    compactor_step(compactor);
    compactor_step(compactor);
    const char *rest = "up 1700000000001:1 1700000000002:2 1700000000003:3\n"
                       "zone 1700000000001:1 1700000000002:2 1700000000003:3\n";
    expect_series(&box, "a", rest);
    assert_int_equal(box_file_count(&box, "quarantine/"), 1);
    assert_int_equal(counter_get(&compactor_counters(compactor)->samples_lost), 2);
    compactor_close(compactor);
    expect_only_quarantine(&box);
    store_box_restart(&box);
    expect_series(&box, "a", rest);
    store_box_deinit(&box);
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
        struct store_box box;
        struct error err = {0};
        store_box_start(&box, 3);
        flush_times(&box, "a", 4);
        damage_first_block(&box, "a");
        struct compactor *compactor = rig_compactor(&box);
        sim_disk_cut_power_at(box.sim, sim_disk_operation_count(box.sim) + after);
        compactor_step(compactor);
        is_clean = !sim_disk_is_cut(box.sim);
        compactor_close(compactor);
        store_box_crash(&box, POWER_CUT_DROP_ALL);
        expect_ok(store_box_open(&box, &err));
        uint64_t left = shard_block_count(&box, "a") + box_file_count(&box, "quarantine/");
        assert_true(left >= 2); /* the damaged one and the merged one, at least */
        has_seen_both = has_seen_both || shard_block_count(&box, "a") == 2;
        const struct box_query whole = {.tenants = "a", .matchers = "__name__=zone"};
        struct str got;
        expect_ok(box_select(&box, &whole, &got, &err));
        expect_str(got, "zone 1700000000000:0 1700000000001:1 1700000000002:2 1700000000003:3\n");
        store_box_deinit(&box);
        assert_true(after < OPERATIONS_MAX);
    }
    assert_true(has_seen_both);
}

TEST_MAIN(RUN(what_can_be_read_of_a_damaged_block_is_merged_and_the_block_goes_to_quarantine),
          RUN(a_block_that_a_read_found_damaged_is_written_anew_once),
          RUN(a_block_of_which_nothing_can_be_read_is_only_put_aside),
          RUN(an_open_block_that_is_cut_goes_to_quarantine_and_the_others_are_served),
          RUN(a_damaged_block_outlives_a_crash_before_its_quarantine))
