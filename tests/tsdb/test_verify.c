#include "tsdb/store/verify.h"

#include <stdio.h>

#include "tests/support/store_box.h"

enum { FOUND_MAX_BYTES = 1 << 20 };

struct found {
    struct buffer text;
    struct verify_report report;
};

static void note(void *context, const char *path, const char *text)
{
    buffer_append_format(context, "%s: %s\n", path, text);
}

/* Looks at the files that a store has left. `found` is to be ended with
 * buffer_deinit(&found->text). */
static enum status verify(struct store_box *box, struct found *found, struct error *err)
{
    const struct verify_handler handler = {.context = &found->text, .wrong = note};
    buffer_init(&found->text, FOUND_MAX_BYTES);
    struct disk *disk = sim_disk_disk(box->sim);
    uint64_t operations = sim_disk_operation_count(box->sim);
    enum status status = store_verify(disk, &handler, &found->report, err);
    assert_int_equal(sim_disk_operation_count(box->sim), operations);
    disk_close(disk);
    return status;
}

#define expect_found(box, want) expect_found_(box, want, __FILE__, __LINE__)
static void expect_found_(struct store_box *box, const char *want, const char *file, int line)
{
    struct found found;
    struct error err;
    expect_status_(verify(box, &found, &err), STATUS_OK, &err, "verify", file, line);
    expect_str_(buffer_str(&found.text), want, "what is wrong", file, line);
    buffer_deinit(&found.text);
}

/* "acme" lives in shard 1 of 2: samples in a block, and later ones in the log. */
static void fill(struct store_box *box)
{
    struct error err;
    store_box_init(box, 1);
    expect_ok(store_box_open(box, &err));
    box_put(box, "acme", "up job=a", BOX_START_MS, 1);
    box_put(box, "acme", "up job=b", BOX_START_MS, 2);
    expect_ok(box_flush(box, &err));
    box_put(box, "acme", "up job=a", BOX_START_MS + 15000, 3);
    box_put(box, "acme", "up job=a", BOX_START_MS + 30000, 4);
    box->is_damaged = true; /* the cases look themselves */
    /* a clean stop would leave one more segment, which proves that the one before is whole */
    store_box_crash(box, POWER_CUT_PROCESS_ONLY);
}

/* The only file whose path ends with `suffix`. */
static void find_file(struct store_box *box, const char *suffix, char *path)
{
    struct name_list files;
    path[0] = '\0';
    sim_disk_files(box->sim, &files);
    for (size_t i = 0; i < files.count; i++) {
        if (str_ends_with(str_from(files.names[i]), str_from(suffix)))
            snprintf(path, DISK_PATH_MAX, "%s", files.names[i]);
    }
    name_list_deinit(&files);
    assert_true(path[0] != '\0');
}

TEST(is_clean_and_counts_after_a_good_life)
{
    struct store_box box;
    struct found found;
    struct error err;
    fill(&box);
    expect_ok(verify(&box, &found, &err));
    expect_str(buffer_str(&found.text), "");
    assert_int_equal(found.report.wrong, 0);
    assert_int_equal(found.report.shards, 2);
    assert_int_equal(found.report.blocks, 1);
    assert_int_equal(found.report.block_series, 2);
    assert_int_equal(found.report.block_samples, 2);
    assert_int_equal(found.report.log_samples, 2);
    buffer_deinit(&found.text);
    store_box_deinit(&box);
}

TEST(knows_no_data_directory_without_a_layout)
{
    struct store_box box;
    struct found found;
    struct error err;
    store_box_init(&box, 1);
    expect_status(verify(&box, &found, &err), STATUS_NOT_FOUND);
    buffer_deinit(&found.text);
    store_box_deinit(&box);
}

TEST(finds_every_flipped_byte_of_layout_manifest_and_block)
{
    struct store_box box;
    struct error err;
    const char *suffixes[] = {"croft.layout", ".block", "0001/manifest"};
    fill(&box);
    for (size_t i = 0; i < sizeof suffixes / sizeof *suffixes; i++) {
        char path[DISK_PATH_MAX];
        uint64_t size_bytes;
        struct file *file;
        find_file(&box, suffixes[i], path);
        struct disk *disk = sim_disk_disk(box.sim);
        expect_ok(disk_open(disk, path, &file, &err));
        expect_ok(file_size(file, &size_bytes, &err));
        file_close(file);
        disk_close(disk);
        for (uint64_t offset = 0; offset < size_bytes; offset++) {
            struct found found;
            sim_disk_flip(box.sim, path, offset, 0x10);
            expect_ok(verify(&box, &found, &err));
            if (found.report.wrong == 0)
                fail_msg("%s: byte %llu is not proved", path, (unsigned long long)offset);
            assert_true(str_starts_with(buffer_str(&found.text), str_from(path)));
            buffer_deinit(&found.text);
            sim_disk_flip(box.sim, path, offset, 0x10);
        }
    }
    expect_found(&box, "");
    store_box_deinit(&box);
}

TEST(finds_damage_in_the_durable_part_of_the_log)
{
    struct store_box box;
    char path[DISK_PATH_MAX];
    fill(&box);
    find_file(&box, ".log", path);
    sim_disk_flip(box.sim, path, 80, 1);
    struct found found;
    struct error err;
    expect_ok(verify(&box, &found, &err));
    assert_int_equal(found.report.wrong, 2);
    assert_int_equal(found.report.log_samples, 0);
    assert_non_null(memmem(found.text.ptr, found.text.len, "1 damaged places", 16));
    assert_non_null(memmem(found.text.ptr, found.text.len, "1 samples that rest on", 22));
    buffer_deinit(&found.text);
    store_box_deinit(&box);
}

TEST(takes_a_torn_tail_for_normal)
{
    struct store_box box;
    struct error err;
    struct found found;
    char path[DISK_PATH_MAX];
    fill(&box);
    find_file(&box, ".log", path);
    struct bytes bytes;
    struct file *file;
    struct disk *disk = sim_disk_disk(box.sim);
    expect_ok(disk_open(disk, path, &file, &err));
    expect_ok(file_map(file, &bytes, &err));
    while (bytes.len > 0 && bytes.ptr[bytes.len - 1] == 0) /* written ahead */
        bytes.len--;
    file_close(file);
    disk_close(disk);
    sim_disk_truncate(box.sim, path, bytes.len - 1);
    expect_ok(verify(&box, &found, &err));
    assert_int_equal(found.report.wrong, 0);
    assert_true(found.report.torn_tail_bytes > 0);
    assert_int_equal(found.report.log_samples, 1);
    buffer_deinit(&found.text);
    store_box_deinit(&box);
}

static void put_file(struct store_box *box, const char *path)
{
    struct error err;
    struct file *file;
    struct disk *disk = sim_disk_disk(box->sim);
    expect_ok(disk_create(disk, path, &file, &err));
    file_close(file);
    disk_close(disk);
}

TEST(names_files_that_do_not_belong_there)
{
    struct store_box box;
    fill(&box);
    put_file(&box, "shard-0000/wal/notes");
    put_file(&box, "shard-0000/blocks/7.block");
    put_file(&box, "shard-0000/blocks/0000000009.block.tmp");
    put_file(&box, "shard-0001/quarantine/0000000003.block");
    expect_found(&box, "shard-0000/wal/notes: not the name of a log segment\n"
                       "shard-0000/blocks/7.block: not the name of a block\n"
                       "shard-0001/quarantine/0000000003.block: damage that was found before: not "
                       "served\n");
    store_box_deinit(&box);
}

TEST(finds_a_block_under_the_name_or_in_the_shard_of_another)
{
    struct store_box box;
    struct error err;
    char path[DISK_PATH_MAX];
    fill(&box);
    find_file(&box, ".block", path);
    const char *other = path[9] == '0' ? "shard-0001/blocks/0000000077.block"
                                       : "shard-0000/blocks/0000000077.block";
    struct disk *disk = sim_disk_disk(box.sim);
    expect_ok(disk_rename(disk, path, other, &err));
    disk_close(disk);
    struct found found;
    expect_ok(verify(&box, &found, &err));
    assert_int_equal(found.report.wrong, 4);
    assert_non_null(memmem(found.text.ptr, found.text.len, "tenant acme belongs to", 22));
    assert_non_null(memmem(found.text.ptr, found.text.len, "gone, and with it 2 samples", 27));
    buffer_deinit(&found.text);
    store_box_deinit(&box);
}

static void remove_folder(struct disk *disk, const char *folder)
{
    struct name_list names;
    struct error err;
    char path[DISK_PATH_MAX];
    expect_ok(disk_list(disk, folder, &names, &err));
    for (size_t i = 0; i < names.count; i++) {
        snprintf(path, sizeof path, "%s/%s", folder, names.names[i]);
        expect_ok(disk_unlink(disk, path, &err));
    }
    name_list_deinit(&names);
    expect_ok(disk_unlink(disk, folder, &err));
}

TEST(misses_the_folders_of_a_shard_once_anything_was_written)
{
    struct store_box box;
    char path[DISK_PATH_MAX];
    fill(&box);
    find_file(&box, ".block", path);
    struct disk *disk = sim_disk_disk(box.sim);
    remove_folder(disk, path[9] == '0' ? "shard-0001/wal" : "shard-0000/wal");
    disk_close(disk);
    expect_found(&box, "croft.layout: layout: the folders of 1 of 2 shards are missing\n");
    store_box_deinit(&box);
}

TEST(is_clean_when_the_first_start_was_cut_off_at_any_point)
{
    for (uint64_t operation = 0;; operation++) {
        struct store_box box;
        struct error err;
        struct found found;
        store_box_init(&box, operation);
        sim_disk_cut_power_at(box.sim, operation);
        bool is_whole = store_box_open(&box, &err) == STATUS_OK && !sim_disk_is_cut(box.sim);
        store_box_crash(&box, POWER_CUT_KEEP_SOME);
        enum status status = verify(&box, &found, &err);
        assert_true(status == STATUS_OK || status == STATUS_NOT_FOUND);
        expect_str(buffer_str(&found.text), "");
        buffer_deinit(&found.text);
        store_box_deinit(&box);
        if (is_whole)
            return;
    }
}

TEST(is_clean_after_a_power_cut_at_any_point_of_a_life)
{
    for (uint64_t operation = 0; operation < 400; operation++) {
        struct store_box box;
        struct error err;
        struct found found;
        store_box_init(&box, operation);
        expect_ok(store_box_open(&box, &err));
        sim_disk_cut_power_at(box.sim, sim_disk_operation_count(box.sim) + operation);
        for (int i = 0; i < 6 && !sim_disk_is_cut(box.sim); i++) {
            const struct box_sample samples[] = {{"acme", "up job=a", BOX_START_MS + i, i},
                                                 {"beta", "up job=b", BOX_START_MS + i, i}};
            struct write_result result;
            if (box_write(&box, samples, 2, &result, &err) != STATUS_OK ||
                (i % 2 == 1 && box_flush(&box, &err) != STATUS_OK))
                break;
        }
        bool is_whole = !sim_disk_is_cut(box.sim);
        store_box_crash(&box, POWER_CUT_KEEP_SOME);
        expect_ok(verify(&box, &found, &err));
        expect_str(buffer_str(&found.text), "");
        buffer_deinit(&found.text);
        store_box_deinit(&box);
        if (is_whole)
            return;
    }
    fail_msg("the life has more operations than this test expects");
}

TEST_MAIN(RUN(is_clean_and_counts_after_a_good_life), RUN(knows_no_data_directory_without_a_layout),
          RUN(finds_every_flipped_byte_of_layout_manifest_and_block),
          RUN(finds_damage_in_the_durable_part_of_the_log), RUN(takes_a_torn_tail_for_normal),
          RUN(names_files_that_do_not_belong_there),
          RUN(finds_a_block_under_the_name_or_in_the_shard_of_another),
          RUN(misses_the_folders_of_a_shard_once_anything_was_written),
          RUN(is_clean_when_the_first_start_was_cut_off_at_any_point),
          RUN(is_clean_after_a_power_cut_at_any_point_of_a_life))
