#include "tests/support/test.h"

#include <stdio.h>

#include "base/crc32c.h"
#include "base/sim_disk.h"
#include "base/whole_file.h"
#include "tsdb/files/filenames.h"
#include "tsdb/files/layout.h"
#include "tsdb/files/shard_files.h"

/* The example of docs/format/layout.md. */
static const uint8_t example[] = {0x43, 0x52, 0x4f, 0x46, 0x54, 0x44, 0x49, 0x52,
                                  0x01, 0x00, 0x00, 0x00, 0x02, 0x00, 0x00, 0x00,
                                  0x01, 0x00, 0x00, 0x00, 0xf6, 0x0e, 0x9f, 0xd3};

TEST(the_example_of_the_format_page_encodes_and_decodes)
{
    struct error err;
    struct layout layout;
    struct buffer out;
    expect_ok(layout_decode((struct bytes){example, sizeof example}, &layout, &err));
    assert_int_equal(layout.shard_count, 2);
    assert_true(layout.has_manifests);
    buffer_init(&out, LAYOUT_SIZE_BYTES);
    layout_encode(&out, &layout);
    assert_int_equal(out.len, sizeof example);
    assert_memory_equal(out.ptr, example, sizeof example);
    buffer_deinit(&out);
}

TEST(every_flipped_byte_and_every_other_length_is_refused)
{
    struct error err;
    struct layout layout;
    uint8_t data[sizeof example + 1] = {0};
    for (size_t i = 0; i < sizeof example; i++) {
        memcpy(data, example, sizeof example);
        data[i] ^= 0x04;
        expect_status(layout_decode((struct bytes){data, sizeof example}, &layout, &err),
                      STATUS_CORRUPT);
    }
    memcpy(data, example, sizeof example);
    for (size_t len = 0; len <= sizeof data; len++) {
        if (len != sizeof example)
            expect_status(layout_decode((struct bytes){data, len}, &layout, &err), STATUS_CORRUPT);
    }
}

TEST(an_existing_store_keeps_its_number_of_shards)
{
    struct error err;
    struct layout layout;
    struct sim_disk *sim = sim_disk_new(1);
    struct disk *disk = sim_disk_disk(sim);
    expect_ok(layout_open(disk, &(struct layout){.shard_count = 3}, &layout, &err));
    assert_int_equal(layout.shard_count, 3);
    expect_ok(layout_open(disk, &(struct layout){.shard_count = 5}, &layout, &err));
    assert_int_equal(layout.shard_count, 3);
    disk_close(disk);
    sim_disk_free(sim);
}

TEST(a_power_cut_leaves_no_layout_or_a_whole_one)
{
    for (uint64_t operation = 0; operation < 8; operation++) {
        struct error err;
        struct layout layout;
        struct sim_disk *sim = sim_disk_new(operation);
        struct disk *disk = sim_disk_disk(sim);
        sim_disk_cut_power_at(sim, operation);
        enum status first = layout_open(disk, &(struct layout){.shard_count = 3}, &layout, &err);
        disk_close(disk);
        sim_disk_cut_power_at(sim, UINT64_MAX);
        sim_disk_restore_power(sim, POWER_CUT_KEEP_SOME);
        disk = sim_disk_disk(sim);
        expect_ok(layout_open(disk, &(struct layout){.shard_count = 5}, &layout, &err));
        if (first == STATUS_OK)
            assert_int_equal(layout.shard_count, 3);
        disk_close(disk);
        sim_disk_free(sim);
    }
}

/* ---- damaged or gone, with data beside it ---- */

static void make_shards(struct disk *disk, uint32_t first, uint32_t end)
{
    struct error err;
    for (uint32_t i = first; i < end; i++) {
        char path[DISK_PATH_MAX];
        static const char *const folders[] = {WAL_FOLDER, BLOCKS_FOLDER, QUARANTINE_FOLDER};
        snprintf(path, sizeof path, SHARD_FOLDER_FORMAT, i);
        expect_ok(disk_make_dir(disk, path, &err));
        for (size_t k = 0; k < 3; k++) {
            shard_file_path(path, i, folders[k], "");
            expect_ok(disk_make_dir(disk, path, &err));
        }
    }
}

static void write_file(struct disk *disk, const char *text)
{
    struct error err;
    expect_ok(whole_file_replace(disk, "", LAYOUT_FILE, bytes_of_str(str_from(text)), &err));
}

/* Twice: what the first start has written is what the second reads. */
static void expect_derived(struct disk *disk, uint32_t want)
{
    struct error err;
    struct layout layout;
    expect_ok(layout_find(disk, &layout, &err));
    assert_int_equal(layout.shard_count, want);
    for (int i = 0; i < 2; i++) {
        expect_ok(layout_open(disk, &(struct layout){.shard_count = 7}, &layout, &err));
        assert_int_equal(layout.shard_count, want);
    }
    expect_ok(layout_read(disk, &layout, &err));
}

static void expect_advice(struct disk *disk, const char *want)
{
    struct error err;
    struct layout layout;
    expect_status(layout_open(disk, &(struct layout){.shard_count = 7}, &layout, &err),
                  STATUS_CORRUPT);
    assert_string_equal(err.text, want);
    expect_status(layout_find(disk, &layout, &err), STATUS_CORRUPT);
}

#define WHAT_TO_DO                                                                                 \
    ": put the file and all folders back from a backup, or move them away to begin anew"

TEST(a_layout_that_is_damaged_or_gone_is_what_the_folders_say)
{
    struct error err;
    struct sim_disk *sim = sim_disk_new(1);
    struct disk *disk = sim_disk_disk(sim);
    struct file *file;
    make_shards(disk, 0, 12);
    expect_derived(disk, 12);
    write_file(disk, "");
    expect_derived(disk, 12);
    write_file(disk, "CROFTDIR and so on and so on");
    expect_derived(disk, 12);
    expect_ok(disk_open(disk, LAYOUT_FILE DAMAGED_SUFFIX, &file, &err));
    file_close(file);
    disk_close(disk);
    sim_disk_free(sim);
}

TEST(folders_that_do_not_tell_stop_the_start_with_advice)
{
    struct error err;
    struct sim_disk *sim = sim_disk_new(1);
    struct disk *disk = sim_disk_disk(sim);
    write_file(disk, "");
    expect_advice(
        disk, "croft.layout: got 0 bytes, want 24; and there are no folders of shards" WHAT_TO_DO);
    make_shards(disk, 0, 2);
    make_shards(disk, 3, 4);
    expect_advice(disk,
                  "croft.layout: got 0 bytes, want 24; and of 3 folders of shards 2 are numbered "
                  "from 0 on" WHAT_TO_DO);
    make_shards(disk, 2, 3);
    expect_ok(disk_unlink(disk, "shard-0002/blocks", &err));
    expect_advice(disk,
                  "croft.layout: got 0 bytes, want 24; and shard-0002 is not whole" WHAT_TO_DO);
    disk_close(disk);
    sim_disk_free(sim);
}

/* A newer program wrote it: it knows better. */
TEST(a_whole_layout_of_another_version_is_refused_whatever_the_folders_say)
{
    struct error err;
    struct layout layout;
    struct sim_disk *sim = sim_disk_new(1);
    struct disk *disk = sim_disk_disk(sim);
    uint8_t newer[sizeof example];
    memcpy(newer, example, sizeof newer);
    newer[8] = 2;
    uint32_t sum = crc32c((struct bytes){newer, sizeof newer - 4});
    memcpy(newer + sizeof newer - 4, &sum, 4);
    make_shards(disk, 0, 2);
    expect_ok(whole_file_replace(disk, "", LAYOUT_FILE, (struct bytes){newer, sizeof newer}, &err));
    expect_status(layout_open(disk, &(struct layout){.shard_count = 7}, &layout, &err),
                  STATUS_INVALID);
    assert_string_equal(err.text, "croft.layout: got version 2, want 1");
    disk_close(disk);
    sim_disk_free(sim);
}

TEST_MAIN(RUN(the_example_of_the_format_page_encodes_and_decodes),
          RUN(every_flipped_byte_and_every_other_length_is_refused),
          RUN(an_existing_store_keeps_its_number_of_shards),
          RUN(a_power_cut_leaves_no_layout_or_a_whole_one),
          RUN(a_layout_that_is_damaged_or_gone_is_what_the_folders_say),
          RUN(folders_that_do_not_tell_stop_the_start_with_advice),
          RUN(a_whole_layout_of_another_version_is_refused_whatever_the_folders_say))
