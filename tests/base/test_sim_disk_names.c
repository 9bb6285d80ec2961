/* What a power cut leaves of names: created, renamed, removed, in one folder and across. */
#include "tests/base/scene.h"

static struct error err;

TEST(a_synced_folder_keeps_the_name_but_not_the_bytes)
{
    struct scene scene = scene_open(1);
    write_file(scene.disk, "log", "", "lost");
    expect_ok(disk_sync_dir(scene.disk, "", &err));
    scene_restart(&scene, POWER_CUT_DROP_ALL);
    expect_content(scene.disk, "log", "");
    scene_close(&scene);
}

TEST(a_synced_file_loses_its_name_without_a_synced_folder)
{
    struct scene scene = scene_open(1);
    write_file(scene.disk, "log", "saved", "");
    scene_restart(&scene, POWER_CUT_DROP_ALL);
    expect_files(scene.sim, "");
    scene_close(&scene);
}

TEST(a_folder_is_lost_with_all_below_it_when_its_parent_was_not_synced)
{
    struct scene scene = scene_open(1);
    expect_ok(disk_make_dir(scene.disk, "kept", &err));
    expect_ok(disk_sync_dir(scene.disk, "", &err));
    expect_ok(disk_make_dir(scene.disk, "lost", &err));
    write_durable(scene.disk, "kept", "kept/x", "1");
    write_durable(scene.disk, "lost", "lost/x", "1");
    scene_restart(&scene, POWER_CUT_DROP_ALL);
    expect_files(scene.sim, "kept/x ");
    scene_close(&scene);
}

TEST(syncing_one_folder_leaves_the_others_alone)
{
    struct scene scene = scene_open(1);
    expect_ok(disk_make_dir(scene.disk, "a", &err));
    expect_ok(disk_make_dir(scene.disk, "b", &err));
    expect_ok(disk_sync_dir(scene.disk, "", &err));
    write_file(scene.disk, "a/x", "1", "");
    write_file(scene.disk, "b/x", "1", "");
    expect_ok(disk_sync_dir(scene.disk, "b", &err));
    scene_restart(&scene, POWER_CUT_DROP_ALL);
    expect_files(scene.sim, "b/x ");
    scene_close(&scene);
}

TEST(an_unlink_without_a_synced_folder_is_undone_with_the_content)
{
    struct scene scene = scene_open(1);
    write_durable(scene.disk, "", "x", "back");
    write_durable(scene.disk, "", "y", "gone");
    expect_ok(disk_unlink(scene.disk, "y", &err));
    expect_ok(disk_sync_dir(scene.disk, "", &err));
    expect_ok(disk_unlink(scene.disk, "x", &err));
    expect_files(scene.sim, "");
    scene_restart(&scene, POWER_CUT_DROP_ALL);
    expect_files(scene.sim, "x ");
    expect_content(scene.disk, "x", "back");
    scene_close(&scene);
}

TEST(a_rename_without_a_synced_folder_is_undone)
{
    struct scene scene = scene_open(1);
    write_durable(scene.disk, "", "old", "1");
    expect_ok(disk_rename(scene.disk, "old", "new", &err));
    scene_restart(&scene, POWER_CUT_DROP_ALL);
    expect_files(scene.sim, "old ");
    expect_ok(disk_rename(scene.disk, "old", "new", &err));
    expect_ok(disk_sync_dir(scene.disk, "", &err));
    scene_restart(&scene, POWER_CUT_DROP_ALL);
    expect_files(scene.sim, "new ");
    scene_close(&scene);
}

TEST(a_replaced_file_comes_back_when_the_rename_is_undone)
{
    struct scene scene = scene_open(1);
    write_durable(scene.disk, "", "state", "first");
    write_file(scene.disk, "state.tmp", "second", "");
    expect_ok(disk_rename(scene.disk, "state.tmp", "state", &err));
    expect_content(scene.disk, "state", "second");
    scene_restart(&scene, POWER_CUT_DROP_ALL);
    expect_files(scene.sim, "state ");
    expect_content(scene.disk, "state", "first");
    scene_close(&scene);
}

TEST(a_renamed_file_that_was_not_synced_is_empty)
{
    struct scene scene = scene_open(1);
    write_durable(scene.disk, "", "state", "first");
    write_file(scene.disk, "state.tmp", "", "second");
    expect_ok(disk_rename(scene.disk, "state.tmp", "state", &err));
    expect_ok(disk_sync_dir(scene.disk, "", &err));
    scene_restart(&scene, POWER_CUT_DROP_ALL);
    expect_content(scene.disk, "state", "");
    scene_close(&scene);
}

/* Renames from folder a to folder b. */

TEST(a_rename_across_folders_needs_both_synced)
{
    struct scene scene = scene_open_two_folders(1);
    write_durable(scene.disk, "a", "a/x", "1");
    expect_ok(disk_rename(scene.disk, "a/x", "b/x", &err));
    expect_ok(disk_sync_dir(scene.disk, "b", &err));
    expect_ok(disk_sync_dir(scene.disk, "a", &err));
    scene_restart(&scene, POWER_CUT_DROP_ALL);
    expect_files(scene.sim, "b/x ");
    expect_ok(disk_rename(scene.disk, "b/x", "a/x", &err));
    scene_restart(&scene, POWER_CUT_DROP_ALL);
    expect_files(scene.sim, "b/x ");
    scene_close(&scene);
}

TEST(with_only_the_new_folder_synced_the_old_name_may_stay)
{
    struct scene scene = scene_open_two_folders(1);
    write_durable(scene.disk, "a", "a/x", "1");
    expect_ok(disk_rename(scene.disk, "a/x", "b/x", &err));
    expect_ok(disk_sync_dir(scene.disk, "b", &err));
    expect_files(scene.sim, "b/x ");
    scene_restart(&scene, POWER_CUT_DROP_ALL);
    expect_files(scene.sim, "a/x b/x ");
    scene_close(&scene);
}

TEST(with_only_the_old_folder_synced_a_durable_file_is_not_lost)
{
    struct scene scene = scene_open_two_folders(1);
    write_durable(scene.disk, "a", "a/x", "1");
    expect_ok(disk_rename(scene.disk, "a/x", "b/x", &err));
    expect_ok(disk_sync_dir(scene.disk, "a", &err));
    scene_restart(&scene, POWER_CUT_DROP_ALL);
    expect_files(scene.sim, "b/x ");
    scene_close(&scene);
}

TEST(with_only_the_old_folder_synced_a_file_that_never_was_durable_is_lost)
{
    struct scene scene = scene_open_two_folders(1);
    write_file(scene.disk, "a/x", "1", "");
    expect_ok(disk_rename(scene.disk, "a/x", "b/x", &err));
    expect_ok(disk_sync_dir(scene.disk, "a", &err));
    scene_restart(&scene, POWER_CUT_DROP_ALL);
    expect_files(scene.sim, "");
    scene_close(&scene);
}

TEST(a_moved_folder_is_never_in_two_places)
{
    struct scene scene = scene_open_two_folders(1);
    write_durable(scene.disk, "a", "a/x", "1");
    expect_ok(disk_rename(scene.disk, "a", "b/c", &err));
    expect_ok(disk_sync_dir(scene.disk, "b", &err));
    scene_restart(&scene, POWER_CUT_DROP_ALL);
    expect_files(scene.sim, "b/c/x ");
    scene_close(&scene);
}

/* What chance decides: every allowed outcome is seen, and no other. */

enum { SEEDS = 200, OUTCOMES_MAX = 8 };

static void expect_outcomes(void (*act)(struct scene *scene), enum power_cut cut,
                            const char *const *allowed)
{
    bool is_seen[OUTCOMES_MAX] = {false};
    for (uint64_t seed = 0; seed < SEEDS; seed++) {
        struct scene scene = scene_open_two_folders(seed);
        char text[512];
        act(&scene);
        scene_restart(&scene, cut);
        struct str files = list_files(scene.sim, text, sizeof text);
        size_t i = 0;
        while (allowed[i] != NULL && !str_eq(files, str_from(allowed[i])))
            i++;
        if (allowed[i] == NULL)
            fail_msg("seed %d: unexpected \"%.*s\"", (int)seed, STR_ARG(files));
        is_seen[i] = true;
        scene_close(&scene);
    }
    for (size_t i = 0; allowed[i] != NULL; i++) {
        if (!is_seen[i])
            fail_msg("never seen: \"%s\"", allowed[i]);
    }
}

static void create_two(struct scene *scene)
{
    write_file(scene->disk, "x", "1", "");
    write_file(scene->disk, "y", "1", "");
}

TEST(each_unsynced_name_is_kept_or_lost_by_itself)
{
    expect_outcomes(create_two, POWER_CUT_KEEP_SOME,
                    (const char *[]){"", "x ", "y ", "x y ", NULL});
}

static void rename_durable(struct scene *scene)
{
    write_durable(scene->disk, "", "old", "1");
    expect_ok(disk_rename(scene->disk, "old", "new", &err));
}

TEST(an_unsynced_rename_leaves_the_old_or_the_new_name)
{
    expect_outcomes(rename_durable, POWER_CUT_KEEP_SOME, (const char *[]){"old ", "new ", NULL});
}

static void rename_durable_across(struct scene *scene)
{
    write_durable(scene->disk, "a", "a/x", "1");
    expect_ok(disk_rename(scene->disk, "a/x", "b/x", &err));
}

TEST(an_unsynced_rename_across_folders_leaves_the_old_or_the_new_name)
{
    expect_outcomes(rename_durable_across, POWER_CUT_KEEP_SOME,
                    (const char *[]){"a/x ", "b/x ", NULL});
}

static void rename_across_and_sync_new(struct scene *scene)
{
    rename_durable_across(scene);
    expect_ok(disk_sync_dir(scene->disk, "b", &err));
}

TEST(a_half_synced_rename_leaves_the_new_name_and_perhaps_the_old)
{
    expect_outcomes(rename_across_and_sync_new, POWER_CUT_KEEP_SOME,
                    (const char *[]){"b/x ", "a/x b/x ", NULL});
}

static void rename_twice(struct scene *scene)
{
    write_durable(scene->disk, "a", "a/x", "1");
    expect_ok(disk_rename(scene->disk, "a/x", "a/y", &err));
    expect_ok(disk_rename(scene->disk, "a/y", "b/z", &err));
}

TEST(a_file_renamed_twice_has_one_of_its_three_names)
{
    expect_outcomes(rename_twice, POWER_CUT_KEEP_SOME,
                    (const char *[]){"a/x ", "a/y ", "b/z ", NULL});
}

static void rename_twice_and_sync_old(struct scene *scene)
{
    rename_twice(scene);
    expect_ok(disk_sync_dir(scene->disk, "a", &err));
}

TEST(a_file_renamed_twice_is_not_lost_when_its_first_folder_is_synced)
{
    expect_outcomes(rename_twice_and_sync_old, POWER_CUT_KEEP_SOME, (const char *[]){"b/z ", NULL});
    expect_outcomes(rename_twice_and_sync_old, POWER_CUT_DROP_ALL, (const char *[]){"b/z ", NULL});
}

static void create_and_rename(struct scene *scene)
{
    write_file(scene->disk, "tmp", "1", "");
    expect_ok(disk_rename(scene->disk, "tmp", "new", &err));
}

TEST(a_new_renamed_file_has_no_name_the_first_or_the_last)
{
    expect_outcomes(create_and_rename, POWER_CUT_KEEP_SOME,
                    (const char *[]){"", "tmp ", "new ", NULL});
}

static void unlink_durable(struct scene *scene)
{
    write_durable(scene->disk, "", "x", "1");
    expect_ok(disk_unlink(scene->disk, "x", &err));
}

TEST(an_unsynced_unlink_may_come_back)
{
    expect_outcomes(unlink_durable, POWER_CUT_KEEP_SOME, (const char *[]){"", "x ", NULL});
}

static void reuse_the_old_name(struct scene *scene)
{
    write_durable(scene->disk, "", "x", "1");
    expect_ok(disk_rename(scene->disk, "x", "y", &err));
    write_file(scene->disk, "x", "2", "");
}

TEST(a_reused_name_does_not_bury_the_renamed_file)
{
    expect_outcomes(reuse_the_old_name, POWER_CUT_KEEP_SOME,
                    (const char *[]){"x ", "y ", "x y ", NULL});
}

TEST(a_torn_tail_keeps_all_names)
{
    expect_outcomes(create_two, POWER_CUT_TORN_TAIL, (const char *[]){"x y ", NULL});
    expect_outcomes(rename_durable, POWER_CUT_TORN_TAIL, (const char *[]){"new ", NULL});
    expect_outcomes(unlink_durable, POWER_CUT_TORN_TAIL, (const char *[]){"", NULL});
}

TEST_MAIN(RUN(a_synced_folder_keeps_the_name_but_not_the_bytes),
          RUN(a_synced_file_loses_its_name_without_a_synced_folder),
          RUN(a_folder_is_lost_with_all_below_it_when_its_parent_was_not_synced),
          RUN(syncing_one_folder_leaves_the_others_alone),
          RUN(an_unlink_without_a_synced_folder_is_undone_with_the_content),
          RUN(a_rename_without_a_synced_folder_is_undone),
          RUN(a_replaced_file_comes_back_when_the_rename_is_undone),
          RUN(a_renamed_file_that_was_not_synced_is_empty),
          RUN(a_rename_across_folders_needs_both_synced),
          RUN(with_only_the_new_folder_synced_the_old_name_may_stay),
          RUN(with_only_the_old_folder_synced_a_durable_file_is_not_lost),
          RUN(with_only_the_old_folder_synced_a_file_that_never_was_durable_is_lost),
          RUN(a_moved_folder_is_never_in_two_places),
          RUN(each_unsynced_name_is_kept_or_lost_by_itself),
          RUN(an_unsynced_rename_leaves_the_old_or_the_new_name),
          RUN(an_unsynced_rename_across_folders_leaves_the_old_or_the_new_name),
          RUN(a_half_synced_rename_leaves_the_new_name_and_perhaps_the_old),
          RUN(a_file_renamed_twice_has_one_of_its_three_names),
          RUN(a_file_renamed_twice_is_not_lost_when_its_first_folder_is_synced),
          RUN(a_new_renamed_file_has_no_name_the_first_or_the_last),
          RUN(an_unsynced_unlink_may_come_back), RUN(a_reused_name_does_not_bury_the_renamed_file),
          RUN(a_torn_tail_keeps_all_names))
