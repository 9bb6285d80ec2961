/* What a power cut leaves of the bytes of a file. */
#include "tests/base/scene.h"

static struct error err;

TEST(a_cut_drops_bytes_that_were_not_synced)
{
    struct scene scene = scene_open(1);
    write_file(scene.disk, "log", "saved", " and lost");
    expect_ok(disk_sync_dir(scene.disk, "", &err));
    expect_content(scene.disk, "log", "saved and lost");
    scene_restart(&scene, POWER_CUT_DROP_ALL);
    expect_content(scene.disk, "log", "saved");
    scene_close(&scene);
}

TEST(a_sync_saves_all_bytes_so_far_and_no_later_ones)
{
    struct scene scene = scene_open(1);
    struct file *file;
    expect_ok(disk_create(scene.disk, "log", &file, &err));
    expect_ok(disk_sync_dir(scene.disk, "", &err));
    expect_ok(file_append(file, bytes_of_str(STR("a")), &err));
    expect_ok(file_append(file, bytes_of_str(STR("b")), &err));
    expect_ok(file_sync(file, &err));
    expect_ok(file_append(file, bytes_of_str(STR("c")), &err));
    expect_ok(file_sync(file, &err));
    expect_ok(file_append(file, bytes_of_str(STR("d")), &err));
    file_close(file); /* closing saves nothing */
    scene_restart(&scene, POWER_CUT_DROP_ALL);
    expect_content(scene.disk, "log", "abc");
    scene_close(&scene);
}

enum { SEEDS = 200, SAVED_LEN = 700, WRITTEN_LEN = 3000, PIECE_LEN = 512 };

static uint8_t byte_at(size_t offset)
{
    return (uint8_t)(1 + offset % 251); /* never zero */
}

static size_t cut_long_file(uint64_t seed, enum power_cut cut, uint8_t *out)
{
    struct scene scene = scene_open(seed);
    struct file *file;
    uint8_t bytes[WRITTEN_LEN];
    size_t len;
    for (size_t i = 0; i < sizeof bytes; i++)
        bytes[i] = byte_at(i);
    expect_ok(disk_create(scene.disk, "log", &file, &err));
    expect_ok(disk_sync_dir(scene.disk, "", &err));
    expect_ok(file_append(file, (struct bytes){bytes, SAVED_LEN}, &err));
    expect_ok(file_sync(file, &err));
    expect_ok(file_append(file, (struct bytes){bytes + SAVED_LEN, WRITTEN_LEN - SAVED_LEN}, &err));
    file_close(file);
    scene_restart(&scene, cut);
    expect_ok(disk_open(scene.disk, "log", &file, &err));
    expect_ok(file_read(file, 0, out, WRITTEN_LEN, &len, &err));
    file_close(file);
    scene_close(&scene);
    return len;
}

TEST(a_torn_tail_ends_at_any_byte_and_is_whole_before_it)
{
    uint8_t bytes[WRITTEN_LEN];
    size_t shortest = WRITTEN_LEN, longest = 0;
    for (uint64_t seed = 0; seed < SEEDS; seed++) {
        size_t len = cut_long_file(seed, POWER_CUT_TORN_TAIL, bytes);
        for (size_t i = 0; i < len; i++)
            assert_int_equal(bytes[i], byte_at(i));
        shortest = len < shortest ? len : shortest;
        longest = len > longest ? len : longest;
    }
    assert_in_range(shortest, SAVED_LEN, SAVED_LEN + 100);
    assert_in_range(longest, WRITTEN_LEN - 100, WRITTEN_LEN);
}

TEST(pieces_of_unsynced_bytes_are_whole_or_zero_and_synced_ones_untouched)
{
    uint8_t bytes[WRITTEN_LEN];
    size_t zero_pieces = 0, whole_pieces = 0, holes = 0;
    for (uint64_t seed = 0; seed < SEEDS; seed++) {
        size_t len = cut_long_file(seed, POWER_CUT_KEEP_SOME, bytes);
        bool is_last_zero = false;
        assert_in_range(len, SAVED_LEN, WRITTEN_LEN);
        for (size_t i = 0; i < SAVED_LEN; i++)
            assert_int_equal(bytes[i], byte_at(i));
        for (size_t at = SAVED_LEN; at < len;) {
            size_t end = (at / PIECE_LEN + 1) * PIECE_LEN;
            bool is_zero = bytes[at] == 0;
            holes += is_last_zero && !is_zero;
            is_last_zero = is_zero;
            *(is_zero ? &zero_pieces : &whole_pieces) += 1;
            for (; at < end && at < len; at++)
                assert_int_equal(bytes[at], is_zero ? 0 : byte_at(at));
        }
    }
    assert_true(zero_pieces > 0 && whole_pieces > 0 && holes > 0);
}

/* A file "saved" and zeros, all durable, in which SEEDS cuts have torn "unsynced". */
TEST(a_cut_leaves_zeros_where_bytes_that_took_their_place_were_not_synced)
{
    static const char written[] = "savedunsynced\0\0";
    enum { LEN = sizeof written - 1, SAVED = 5 };
    for (int cut = POWER_CUT_DROP_ALL; cut <= POWER_CUT_TORN_TAIL; cut++) {
        bool is_kept[LEN + 1] = {false};
        for (uint64_t seed = 0; seed < SEEDS; seed++) {
            struct scene scene = scene_open(seed);
            struct file *file;
            char got[LEN + 1];
            size_t len, kept = SAVED;
            expect_ok(disk_create(scene.disk, "log", &file, &err));
            expect_ok(file_append(file, bytes_of_str(STR("saved")), &err));
            expect_ok(file_zero_ahead(file, LEN, &err));
            expect_ok(file_sync(file, &err));
            expect_ok(disk_sync_dir(scene.disk, "", &err));
            expect_ok(file_append(file, bytes_of_str(STR("unsynced")), &err));
            file_close(file);
            scene_restart(&scene, (enum power_cut)cut);
            expect_ok(disk_open(scene.disk, "log", &file, &err));
            expect_ok(file_read(file, 0, got, sizeof got, &len, &err));
            file_close(file);
            assert_int_equal(len, LEN);
            while (kept < LEN && got[kept] != 0)
                kept++;
            assert_memory_equal(got, written, kept);
            is_kept[kept] = true;
            for (; kept < LEN; kept++)
                assert_int_equal(got[kept], 0);
            scene_close(&scene);
        }
        assert_true(is_kept[SAVED]);
        assert_int_equal(is_kept[SAVED + 4], cut != POWER_CUT_DROP_ALL);
        assert_int_equal(is_kept[LEN - 2], cut != POWER_CUT_DROP_ALL);
    }
}

TEST(what_a_cut_has_left_is_durable_at_the_next_one)
{
    for (uint64_t seed = 0; seed < SEEDS; seed++) {
        struct scene scene = scene_open(seed);
        char names_before[512], names_after[512], content[256];
        write_file(scene.disk, "x", "saved", " torn");
        write_file(scene.disk, "y", "saved", " torn");
        scene_restart(&scene, POWER_CUT_KEEP_SOME);
        struct str names = list_files(scene.sim, names_before, sizeof names_before);
        bool is_x_left = str_starts_with(names, STR("x"));
        if (is_x_left)
            read_content(scene.disk, "x", content);
        scene_restart(&scene, POWER_CUT_DROP_ALL);
        assert_true(str_eq(names, list_files(scene.sim, names_after, sizeof names_after)));
        if (is_x_left)
            expect_content(scene.disk, "x", content);
        scene_close(&scene);
    }
}

TEST(when_only_the_process_dies_nothing_is_lost_and_nothing_more_is_durable)
{
    struct scene scene = scene_open(1);
    struct file *file;
    write_durable(scene.disk, "", "durable", "saved");
    write_file(scene.disk, "named", "saved", " not");
    sim_disk_cut_power_at(scene.sim, 0);
    expect_status(disk_create(scene.disk, "late", &file, &err), STATUS_IO);
    scene_restart(&scene, POWER_CUT_PROCESS_ONLY);
    expect_files(scene.sim, "durable named ");
    expect_content(scene.disk, "named", "saved not");
    scene_restart(&scene, POWER_CUT_DROP_ALL);
    expect_files(scene.sim, "durable ");
    scene_close(&scene);
}

TEST(a_process_that_dies_at_a_sync_leaves_it_to_the_next)
{
    struct scene scene = scene_open(1);
    struct file *file;
    expect_ok(disk_create(scene.disk, "x", &file, &err));
    expect_ok(file_append(file, bytes_of_str(STR("text")), &err));
    expect_ok(disk_sync_dir(scene.disk, "", &err));
    sim_disk_cut_power_at(scene.sim, 0);
    expect_status(file_sync(file, &err), STATUS_IO);
    file_close(file);
    scene_restart(&scene, POWER_CUT_PROCESS_ONLY);
    expect_ok(disk_open(scene.disk, "x", &file, &err));
    expect_ok(file_sync(file, &err));
    file_close(file);
    scene_restart(&scene, POWER_CUT_DROP_ALL);
    expect_content(scene.disk, "x", "text");
    scene_close(&scene);
}

TEST(one_seed_gives_one_outcome)
{
    uint8_t once[WRITTEN_LEN], again[WRITTEN_LEN];
    for (uint64_t seed = 0; seed < 20; seed++) {
        size_t len = cut_long_file(seed, POWER_CUT_KEEP_SOME, once);
        assert_int_equal(cut_long_file(seed, POWER_CUT_KEEP_SOME, again), len);
        assert_memory_equal(once, again, len);
    }
}

TEST_MAIN(RUN(a_cut_drops_bytes_that_were_not_synced),
          RUN(a_sync_saves_all_bytes_so_far_and_no_later_ones),
          RUN(a_torn_tail_ends_at_any_byte_and_is_whole_before_it),
          RUN(pieces_of_unsynced_bytes_are_whole_or_zero_and_synced_ones_untouched),
          RUN(a_cut_leaves_zeros_where_bytes_that_took_their_place_were_not_synced),
          RUN(what_a_cut_has_left_is_durable_at_the_next_one),
          RUN(when_only_the_process_dies_nothing_is_lost_and_nothing_more_is_durable),
          RUN(a_process_that_dies_at_a_sync_leaves_it_to_the_next), RUN(one_seed_gives_one_outcome))
