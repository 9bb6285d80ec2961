/* What counts as an operation, and what fails: calls, power, space, bytes. */
#include "tests/base/scene.h"

static struct error err;

enum { SEEDS = 200 };

/* The moment of the cut. */

TEST(every_state_change_counts_as_one_operation_and_reads_as_none)
{
    struct scene scene = scene_open(1);
    struct file *file;
    struct name_list names;
    struct bytes mapping;
    uint64_t value;
    size_t got;
    expect_ok(disk_make_dir(scene.disk, "a", &err));
    expect_ok(disk_create(scene.disk, "a/x", &file, &err));
    expect_ok(file_reserve(file, 100, &err));
    expect_ok(file_append(file, bytes_of_str(STR("abc")), &err));
    expect_ok(file_zero_ahead(file, 100, &err));
    expect_ok(file_sync(file, &err));
    expect_ok(disk_rename(scene.disk, "a/x", "a/y", &err));
    expect_ok(disk_sync_dir(scene.disk, "a", &err));
    expect_ok(disk_unlink(scene.disk, "a/y", &err));
    assert_int_equal(sim_disk_operation_count(scene.sim), 9);
    expect_ok(file_size(file, &value, &err));
    expect_ok(file_read(file, 0, &value, 1, &got, &err));
    expect_ok(file_map(file, &mapping, &err));
    expect_ok(disk_list(scene.disk, "a", &names, &err));
    expect_ok(disk_free_bytes(scene.disk, &value, &err));
    name_list_deinit(&names);
    file_close(file);
    assert_int_equal(sim_disk_operation_count(scene.sim), 9);
    scene_close(&scene);
}

TEST(from_the_cut_on_every_call_fails_and_changes_nothing)
{
    struct scene scene = scene_open(1);
    struct file *file;
    struct file *other;
    struct name_list names;
    struct bytes mapping;
    uint64_t value;
    size_t got;
    expect_ok(disk_create(scene.disk, "x", &file, &err));
    expect_ok(disk_sync_dir(scene.disk, "", &err));
    expect_ok(file_append(file, bytes_of_str(STR("saved")), &err));
    sim_disk_cut_power_at(scene.sim, 4);
    assert_false(sim_disk_is_cut(scene.sim));
    expect_ok(file_sync(file, &err)); /* number 3 */
    expect_status(file_append(file, bytes_of_str(STR("lost")), &err), STATUS_IO);
    assert_true(sim_disk_is_cut(scene.sim));
    expect_status(file_zero_ahead(file, 9, &err), STATUS_IO);
    expect_status(file_reserve(file, 9, &err), STATUS_IO);
    expect_status(file_sync(file, &err), STATUS_IO);
    expect_status(file_size(file, &value, &err), STATUS_IO);
    expect_status(file_read(file, 0, &value, 1, &got, &err), STATUS_IO);
    expect_status(file_map(file, &mapping, &err), STATUS_IO);
    expect_status(disk_create(scene.disk, "y", &other, &err), STATUS_IO);
    expect_status(disk_open(scene.disk, "x", &other, &err), STATUS_IO);
    expect_status(disk_rename(scene.disk, "x", "y", &err), STATUS_IO);
    expect_status(disk_unlink(scene.disk, "x", &err), STATUS_IO);
    expect_status(disk_make_dir(scene.disk, "a", &err), STATUS_IO);
    expect_status(disk_sync_dir(scene.disk, "", &err), STATUS_IO);
    expect_status(disk_list(scene.disk, "", &names, &err), STATUS_IO);
    expect_status(disk_free_bytes(scene.disk, &value, &err), STATUS_IO);
    file_close(file);
    scene_restart(&scene, POWER_CUT_TORN_TAIL);
    expect_files(scene.sim, "x ");
    expect_content(scene.disk, "x", "saved");
    assert_false(sim_disk_is_cut(scene.sim));
    expect_ok(disk_make_dir(scene.disk, "a", &err)); /* the cut is over */
    scene_close(&scene);
}

TEST(old_handles_stay_dead_after_the_power_is_back)
{
    struct scene scene = scene_open(1);
    struct disk *old_disk = sim_disk_disk(scene.sim);
    struct file *old_file;
    struct file *file;
    uint64_t value;
    size_t got;
    expect_ok(disk_create(old_disk, "x", &old_file, &err));
    expect_ok(disk_sync_dir(old_disk, "", &err));
    scene_restart(&scene, POWER_CUT_DROP_ALL);
    expect_status(file_append(old_file, bytes_of_str(STR("ghost")), &err), STATUS_IO);
    expect_status(file_read(old_file, 0, &value, 1, &got, &err), STATUS_IO);
    expect_status(disk_open(old_disk, "x", &file, &err), STATUS_IO);
    expect_status(disk_unlink(old_disk, "x", &err), STATUS_IO);
    expect_status(disk_sync_dir(old_disk, "", &err), STATUS_IO);
    file_close(old_file);
    disk_close(old_disk);
    expect_content(scene.disk, "x", "");
    scene_close(&scene);
}

TEST(a_mapping_of_an_old_life_can_be_read_until_it_is_closed)
{
    struct scene scene = scene_open(1);
    struct file *file;
    struct bytes mapping;
    write_file(scene.disk, "x", "still here", "");
    expect_ok(disk_open(scene.disk, "x", &file, &err));
    expect_ok(file_map(file, &mapping, &err));
    scene_restart(&scene, POWER_CUT_DROP_ALL);
    expect_files(scene.sim, "");
    expect_str(str_of_bytes(mapping), "still here");
    file_close(file);
    scene_close(&scene);
}

/* Faults without a cut. */

TEST(every_other_call_counts_as_one_read_and_one_of_them_can_be_made_to_fail)
{
    struct scene scene = scene_open(1);
    struct file *file;
    struct name_list names;
    struct bytes mapping;
    uint64_t value;
    size_t got;
    write_file(scene.disk, "x", "abc", "");
    uint64_t before = sim_disk_read_count(scene.sim);
    expect_ok(disk_open(scene.disk, "x", &file, &err));
    expect_ok(file_size(file, &value, &err));
    expect_ok(file_read(file, 0, &value, 1, &got, &err));
    expect_ok(file_map(file, &mapping, &err));
    expect_ok(disk_list(scene.disk, "", &names, &err));
    expect_ok(disk_free_bytes(scene.disk, &value, &err));
    name_list_deinit(&names);
    file_close(file);
    assert_int_equal(sim_disk_read_count(scene.sim) - before, 6);
    sim_disk_fail_read_at(scene.sim, before + 7);
    expect_ok(disk_open(scene.disk, "x", &file, &err));
    expect_status(file_map(file, &mapping, &err), STATUS_IO);
    expect_ok(file_map(file, &mapping, &err));
    file_close(file);
    scene_close(&scene);
}

TEST(a_part_of_the_disk_can_be_broken_while_the_rest_goes_on)
{
    struct scene scene = scene_open_two_folders(1);
    struct file *file;
    write_durable(scene.disk, "a", "a/x", "kept");
    sim_disk_break_paths(scene.sim, "a/");
    expect_status(disk_create(scene.disk, "a/y", &file, &err), STATUS_IO);
    expect_status(disk_unlink(scene.disk, "a/x", &err), STATUS_IO);
    expect_content(scene.disk, "a/x", "kept");
    write_durable(scene.disk, "b", "b/x", "taken");
    sim_disk_break_paths(scene.sim, "");
    expect_ok(disk_unlink(scene.disk, "a/x", &err));
    expect_files(scene.sim, "b/x ");
    scene_close(&scene);
}

TEST(lost_bytes_of_a_mapping_are_zeros_behind_a_look_and_counted_at_the_next)
{
    struct scene scene = scene_open(1);
    struct file *file;
    struct bytes mapping;
    write_file(scene.disk, "x", "0123456789", "");
    expect_ok(disk_open(scene.disk, "x", &file, &err));
    expect_ok(file_map(file, &mapping, &err));
    const struct sim_loss loss = {.look = sim_disk_look_count(scene.sim), .offset = 2, .len = 3};
    sim_disk_lose_at(scene.sim, "x", &loss);
    expect_str(str_of_bytes(mapping), "0123456789");
    assert_int_equal(file_fault_count(file), 0);
    assert_memory_equal(mapping.ptr, "01\0\0\00056789", 10);
    assert_int_equal(file_fault_count(file), 1);
    sim_disk_truncate(scene.sim, "x", 6);
    assert_memory_equal(mapping.ptr, "01\0\0\0005\0\0\0\0", 10);
    assert_int_equal(file_fault_count(file), 2);
    file_close(file);
    scene_close(&scene);
}

TEST(a_chosen_operation_fails_once)
{
    struct scene scene = scene_open(1);
    struct file *file;
    sim_disk_fail_at(scene.sim, 0, STATUS_UNAVAILABLE);
    expect_status(disk_create(scene.disk, "x", &file, &err), STATUS_UNAVAILABLE);
    expect_files(scene.sim, "");
    expect_ok(disk_make_dir(scene.disk, "a", &err));
    sim_disk_fail_at(scene.sim, 2, STATUS_IO);
    expect_status(disk_rename(scene.disk, "a", "b", &err), STATUS_IO);
    expect_ok(disk_rename(scene.disk, "a", "b", &err));
    scene_close(&scene);
}

TEST(a_failed_append_leaves_any_part_of_its_data)
{
    bool is_seen[7] = {false};
    for (uint64_t seed = 0; seed < SEEDS; seed++) {
        struct scene scene = scene_open(seed);
        struct file *file;
        uint64_t size_bytes;
        expect_ok(disk_create(scene.disk, "x", &file, &err));
        sim_disk_fail_at(scene.sim, 1, STATUS_IO);
        expect_status(file_append(file, bytes_of_str(STR("abcdef")), &err), STATUS_IO);
        expect_ok(file_size(file, &size_bytes, &err));
        assert_in_range(size_bytes, 0, 6);
        is_seen[size_bytes] = true;
        file_close(file);
        scene_close(&scene);
    }
    for (size_t i = 0; i < 7; i++)
        assert_true(is_seen[i]);
}

TEST(a_file_whose_sync_failed_takes_nothing_more)
{
    struct scene scene = scene_open(1);
    struct file *file;
    expect_ok(disk_create(scene.disk, "x", &file, &err));
    sim_disk_fail_at(scene.sim, 1, STATUS_UNAVAILABLE);
    expect_status(file_sync(file, &err), STATUS_UNAVAILABLE);
    expect_status(file_append(file, bytes_of_str(STR("a")), &err), STATUS_IO);
    expect_status(file_zero_ahead(file, 10, &err), STATUS_IO);
    expect_status(file_reserve(file, 10, &err), STATUS_IO);
    expect_status(file_sync(file, &err), STATUS_IO);
    file_close(file);
    scene_close(&scene);
}

TEST(what_a_failed_sync_should_have_saved_is_never_durable)
{
    struct scene scene = scene_open(1);
    struct file *file;
    struct file *again;
    expect_ok(disk_create(scene.disk, "x", &file, &err));
    expect_ok(disk_sync_dir(scene.disk, "", &err));
    expect_ok(file_append(file, bytes_of_str(STR("saved")), &err));
    expect_ok(file_sync(file, &err));
    expect_ok(file_append(file, bytes_of_str(STR(" lost")), &err));
    sim_disk_fail_at(scene.sim, 5, STATUS_IO);
    expect_status(file_sync(file, &err), STATUS_IO);
    /* another descriptor finds clean pages */
    expect_ok(disk_open(scene.disk, "x", &again, &err));
    expect_ok(file_sync(again, &err));
    file_close(again);
    file_close(file);
    expect_content(scene.disk, "x", "saved lost");
    scene_restart(&scene, POWER_CUT_DROP_ALL);
    expect_content(scene.disk, "x", "saved");
    scene_close(&scene);
}

TEST(a_full_disk_takes_what_fits_and_recovers)
{
    struct scene scene = scene_open(1);
    struct file *file;
    struct file *other;
    uint64_t free_bytes;
    sim_disk_set_capacity(scene.sim, 10);
    write_file(scene.disk, "old", "1234", "");
    expect_ok(disk_create(scene.disk, "x", &file, &err));
    expect_status(file_append(file, bytes_of_str(STR("abcdefgh")), &err), STATUS_UNAVAILABLE);
    expect_content(scene.disk, "x", "abcdef");
    expect_status(disk_create(scene.disk, "y", &other, &err), STATUS_UNAVAILABLE);
    expect_status(file_reserve(file, 7, &err), STATUS_UNAVAILABLE);
    expect_ok(file_sync(file, &err));
    expect_ok(disk_rename(scene.disk, "x", "z", &err));
    expect_ok(disk_sync_dir(scene.disk, "", &err));
    expect_ok(disk_free_bytes(scene.disk, &free_bytes, &err));
    assert_int_equal(free_bytes, 0);
    expect_ok(disk_unlink(scene.disk, "old", &err));
    expect_ok(disk_free_bytes(scene.disk, &free_bytes, &err));
    assert_int_equal(free_bytes, 4);
    expect_ok(file_append(file, bytes_of_str(STR("gh")), &err));
    file_close(file);
    scene_close(&scene);
}

TEST(reserved_space_belongs_to_its_file)
{
    struct scene scene = scene_open(1);
    struct file *log;
    struct file *other;
    sim_disk_set_capacity(scene.sim, 10);
    expect_ok(disk_create(scene.disk, "log", &log, &err));
    expect_ok(disk_create(scene.disk, "other", &other, &err));
    expect_ok(file_reserve(log, 8, &err));
    expect_status(file_append(other, bytes_of_str(STR("abc")), &err), STATUS_UNAVAILABLE);
    expect_ok(file_append(log, bytes_of_str(STR("12345678")), &err));
    expect_status(file_append(log, bytes_of_str(STR("9")), &err), STATUS_UNAVAILABLE);
    file_close(log);
    file_close(other);
    scene_close(&scene);
}

TEST(a_full_disk_takes_the_zeros_that_fit_and_what_is_appended_in_their_place)
{
    struct scene scene = scene_open(1);
    struct file *log;
    sim_disk_set_capacity(scene.sim, 10);
    expect_ok(disk_create(scene.disk, "log", &log, &err));
    expect_ok(file_append(log, bytes_of_str(STR("1234")), &err));
    expect_status(file_zero_ahead(log, 12, &err), STATUS_UNAVAILABLE);
    expect_ok(file_append(log, bytes_of_str(STR("567890")), &err));
    expect_status(file_append(log, bytes_of_str(STR("x")), &err), STATUS_UNAVAILABLE);
    expect_content(scene.disk, "log", "1234567890");
    file_close(log);
    scene_close(&scene);
}

TEST(an_open_file_holds_its_space_after_its_name_is_gone)
{
    struct scene scene = scene_open(1);
    struct file *file;
    uint64_t free_bytes;
    sim_disk_set_capacity(scene.sim, 10);
    expect_ok(disk_create(scene.disk, "x", &file, &err));
    expect_ok(file_append(file, bytes_of_str(STR("1234")), &err));
    expect_ok(disk_unlink(scene.disk, "x", &err));
    expect_ok(disk_free_bytes(scene.disk, &free_bytes, &err));
    assert_int_equal(free_bytes, 6);
    file_close(file);
    expect_ok(disk_free_bytes(scene.disk, &free_bytes, &err));
    assert_int_equal(free_bytes, 10);
    scene_close(&scene);
}

TEST(a_replaced_file_holds_no_space)
{
    struct scene scene = scene_open(1);
    uint64_t free_bytes;
    sim_disk_set_capacity(scene.sim, 10);
    write_file(scene.disk, "old", "1234", "");
    write_file(scene.disk, "new", "12", "");
    expect_ok(disk_rename(scene.disk, "new", "old", &err));
    expect_ok(disk_free_bytes(scene.disk, &free_bytes, &err));
    assert_int_equal(free_bytes, 8);
    scene_close(&scene);
}

TEST(a_flipped_byte_is_seen_by_readers_and_mappings)
{
    struct scene scene = scene_open(1);
    struct file *file;
    struct bytes mapping;
    write_durable(scene.disk, "", "x", "abc");
    expect_ok(disk_open(scene.disk, "x", &file, &err));
    expect_ok(file_map(file, &mapping, &err));
    sim_disk_flip(scene.sim, "x", 1, 0x20);
    expect_str(str_of_bytes(mapping), "aBc");
    file_close(file);
    expect_content(scene.disk, "x", "aBc");
    scene_restart(&scene, POWER_CUT_DROP_ALL);
    expect_content(scene.disk, "x", "aBc");
    scene_close(&scene);
}

TEST(a_truncated_file_is_short_for_ever)
{
    struct scene scene = scene_open(1);
    write_durable(scene.disk, "", "x", "abcdef");
    sim_disk_truncate(scene.sim, "x", 2);
    expect_content(scene.disk, "x", "ab");
    scene_restart(&scene, POWER_CUT_DROP_ALL);
    expect_content(scene.disk, "x", "ab");
    sim_disk_truncate(scene.sim, "x", 0);
    expect_content(scene.disk, "x", "");
    scene_close(&scene);
}

TEST(files_are_listed_with_their_folders_and_sorted)
{
    struct scene scene = scene_open_two_folders(1);
    expect_ok(disk_make_dir(scene.disk, "b/deep", &err));
    write_file(scene.disk, "z", "", "");
    write_file(scene.disk, "b/deep/1", "", "");
    write_file(scene.disk, "b/2", "", "");
    expect_files(scene.sim, "b/2 b/deep/1 z ");
    scene_close(&scene);
}

TEST_MAIN(RUN(every_state_change_counts_as_one_operation_and_reads_as_none),
          RUN(from_the_cut_on_every_call_fails_and_changes_nothing),
          RUN(old_handles_stay_dead_after_the_power_is_back),
          RUN(a_mapping_of_an_old_life_can_be_read_until_it_is_closed),
          RUN(every_other_call_counts_as_one_read_and_one_of_them_can_be_made_to_fail),
          RUN(a_part_of_the_disk_can_be_broken_while_the_rest_goes_on),
          RUN(lost_bytes_of_a_mapping_are_zeros_behind_a_look_and_counted_at_the_next),
          RUN(a_chosen_operation_fails_once), RUN(a_failed_append_leaves_any_part_of_its_data),
          RUN(a_file_whose_sync_failed_takes_nothing_more),
          RUN(what_a_failed_sync_should_have_saved_is_never_durable),
          RUN(a_full_disk_takes_what_fits_and_recovers), RUN(reserved_space_belongs_to_its_file),
          RUN(a_full_disk_takes_the_zeros_that_fit_and_what_is_appended_in_their_place),
          RUN(an_open_file_holds_its_space_after_its_name_is_gone),
          RUN(a_replaced_file_holds_no_space), RUN(a_flipped_byte_is_seen_by_readers_and_mappings),
          RUN(a_truncated_file_is_short_for_ever),
          RUN(files_are_listed_with_their_folders_and_sorted))
