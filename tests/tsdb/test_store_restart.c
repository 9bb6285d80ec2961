/* A stop or a crash, then the next process: what was acknowledged is there. */
#include "tests/support/store_box.h"

enum { BOX_SEED = 7 };

TEST(acknowledged_samples_are_there_after_a_stop_and_after_a_crash)
{
    for (enum power_cut cut = 0; cut <= POWER_CUT_COUNT; cut++) {
        struct store_box box;
        store_box_start(&box, BOX_SEED);
        box_put(&box, "a", "up x=1", BOX_START_MS, 1);
        box_put(&box, "a", "up x=2", BOX_START_MS, 2);
        box_put(&box, "b", "up x=1", BOX_START_MS, 3);
        if (cut == POWER_CUT_COUNT)
            store_box_restart(&box);
        else
            store_box_crash_and_restart(&box, cut);
        assert_int_equal(store_replay_report(box.store)->samples, 3);
        assert_int_equal(store_replay_report(box.store)->series, 3);
        expect_series(&box, "a", "up{x=\"1\"} 1700000000000:1\nup{x=\"2\"} 1700000000000:2\n");
        box_put(&box, "a", "up x=1", BOX_START_MS + 1, 4);
        store_box_crash_and_restart(&box, POWER_CUT_DROP_ALL);
        expect_series(&box, "a",
                      "up{x=\"1\"} 1700000000000:1 1700000000001:4\nup{x=\"2\"} 1700000000000:2\n");
        expect_series(&box, "b", "up{x=\"1\"} 1700000000000:3\n");
        store_box_deinit(&box);
    }
}

TEST(a_clean_stop_saves_what_nobody_waited_for)
{
    struct store_box box;
    struct box_write write;
    struct error err = {0};
    store_box_start(&box, BOX_SEED);
    const struct box_sample sample = {"a", "up", BOX_START_MS, 1};
    expect_ok(box_write_begin(&box, &write, &sample, 1, &err));
    store_box_close(&box);
    assert_int_equal(box_write_end(&write), STATUS_OK);
    expect_ok(store_box_open(&box, &err));
    expect_series(&box, "a", "up 1700000000000:1\n");
    store_box_deinit(&box);
}

TEST(a_store_that_ends_without_a_commit_tells_its_waiters_so)
{
    struct store_box box;
    struct box_write write;
    struct error err = {0};
    store_box_start(&box, BOX_SEED);
    const struct box_sample samples[] = {{"a", "up", BOX_START_MS, 1},
                                         {"b", "up", BOX_START_MS, 1}};
    expect_ok(box_write_begin(&box, &write, samples, 2, &err));
    store_box_crash(&box, POWER_CUT_DROP_ALL);
    assert_int_equal(box_write_end(&write), STATUS_UNAVAILABLE);
    expect_ok(store_box_open(&box, &err));
    expect_series(&box, "a|b", "");
    store_box_deinit(&box);
}

TEST(a_store_that_is_stopped_leaves_its_successor_nothing_to_log_anew)
{
    struct store_box box;
    store_box_start(&box, BOX_SEED);
    box_put(&box, "a", "up", BOX_START_MS, 1);
    store_box_restart(&box);
    size_t count = box_file_count(&box, "");
    store_box_restart(&box);
    store_box_restart(&box);
    assert_int_equal(box_file_count(&box, ""), count);
    expect_series(&box, "a", "up 1700000000000:1\n");
    store_box_deinit(&box);
}

TEST(a_clean_stop_after_a_flush_leaves_no_log)
{
    struct store_box box;
    struct error err = {0};
    struct name_list files;
    store_box_start(&box, BOX_SEED);
    box_put(&box, "a", "up", BOX_START_MS, 1);
    expect_flush(&box);
    store_box_close(&box);
    sim_disk_files(box.sim, &files);
    for (size_t i = 0; i < files.count; i++)
        assert_null(strstr(files.names[i], "/wal/"));
    name_list_deinit(&files);
    expect_ok(store_box_open(&box, &err));
    expect_series(&box, "a", "up 1700000000000:1\n");
    store_box_deinit(&box);
}

TEST(an_existing_store_keeps_its_number_of_shards)
{
    struct store_box box;
    store_box_start(&box, BOX_SEED);
    box_put(&box, "a", "up", BOX_START_MS, 1);
    box_put(&box, "b", "up", BOX_START_MS, 2);
    box.options.shard_count = 7;
    store_box_restart(&box);
    assert_int_equal(store_shard_count(box.store), 2);
    expect_series(&box, "a", "up 1700000000000:1\n");
    expect_series(&box, "b", "up 1700000000000:2\n");
    store_box_deinit(&box);
}

TEST(a_damaged_layout_costs_nothing)
{
    struct store_box box;
    struct error err = {0};
    store_box_start(&box, BOX_SEED);
    box_put(&box, "a", "up", BOX_START_MS, 1);
    box_put(&box, "b", "up", BOX_START_MS, 2);
    store_box_close(&box);
    box.options.shard_count = 7;
    sim_disk_flip(box.sim, "croft.layout", 12, 1);
    expect_ok(store_box_open(&box, &err));
    assert_int_equal(store_shard_count(box.store), 2);
    expect_series(&box, "a", "up 1700000000000:1\n");
    expect_series(&box, "b", "up 1700000000000:2\n");
    store_box_deinit(&box);
}

/* Files and folders, the ones below others first. */
static void remove_last_shard_and_layout(struct store_box *box)
{
    static const char *const folders[] = {"shard-0002/wal", "shard-0002/blocks",
                                          "shard-0002/quarantine", "shard-0002"};
    struct error err = {0};
    struct name_list files;
    struct disk *disk = sim_disk_disk(box->sim);
    box->is_damaged = true;
    sim_disk_files(box->sim, &files);
    for (size_t i = 0; i < files.count; i++) {
        struct str name = str_from(files.names[i]);
        if (str_eq(name, STR("croft.layout")) || str_starts_with(name, STR("shard-0002/")))
            expect_ok(disk_unlink(disk, files.names[i], &err));
    }
    for (size_t i = 0; i < sizeof folders / sizeof *folders; i++)
        expect_ok(disk_unlink(disk, folders[i], &err));
    name_list_deinit(&files);
    disk_close(disk);
}

/* As in a copy that is not whole: they would be looked for in a shard in which they are not. */
TEST(samples_that_belong_to_another_shard_stop_the_start_whether_in_a_block_or_in_the_log)
{
    static const char *const tenants[] = {"a", "b", "c", "d", "e", "f"};
    for (int is_flushed = 0; is_flushed < 2; is_flushed++) {
        struct store_box box;
        struct error err = {0};
        store_box_init(&box, BOX_SEED);
        box.options.shard_count = 3;
        expect_ok(store_box_open(&box, &err));
        for (size_t i = 0; i < sizeof tenants / sizeof *tenants; i++)
            box_put(&box, tenants[i], "up", BOX_START_MS, 1);
        if (is_flushed)
            expect_flush(&box);
        store_box_close(&box);
        remove_last_shard_and_layout(&box);
        expect_status(store_box_open(&box, &err), STATUS_INVALID);
        assert_non_null(strstr(err.text, "has samples of tenant "));
        store_box_deinit(&box);
    }
}

TEST(after_a_flush_only_what_came_later_is_replayed)
{
    struct store_box box;
    store_box_start(&box, BOX_SEED);
    box_put(&box, "a", "up", BOX_START_MS, 1);
    expect_flush(&box);
    box_put(&box, "a", "up", BOX_START_MS + 1, 2);
    box_put(&box, "a", "down", BOX_START_MS + 1, 3);
    store_box_crash_and_restart(&box, POWER_CUT_DROP_ALL);
    assert_int_equal(store_replay_report(box.store)->samples, 2);
    expect_series(&box, "a", "down 1700000000001:3\nup 1700000000000:1 1700000000001:2\n");
    expect_flush(&box);
    store_box_crash_and_restart(&box, POWER_CUT_DROP_ALL);
    assert_int_equal(store_replay_report(box.store)->samples, 0);
    expect_series(&box, "a", "down 1700000000001:3\nup 1700000000000:1 1700000000001:2\n");
    store_box_deinit(&box);
}

TEST_MAIN(RUN(acknowledged_samples_are_there_after_a_stop_and_after_a_crash),
          RUN(a_clean_stop_saves_what_nobody_waited_for),
          RUN(a_store_that_ends_without_a_commit_tells_its_waiters_so),
          RUN(a_store_that_is_stopped_leaves_its_successor_nothing_to_log_anew),
          RUN(a_clean_stop_after_a_flush_leaves_no_log),
          RUN(an_existing_store_keeps_its_number_of_shards), RUN(a_damaged_layout_costs_nothing),
          RUN(samples_that_belong_to_another_shard_stop_the_start_whether_in_a_block_or_in_the_log),
          RUN(after_a_flush_only_what_came_later_is_replayed))
