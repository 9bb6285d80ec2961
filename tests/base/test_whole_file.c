#include "base/whole_file.h"

#include "base/sim_disk.h"
#include "tests/support/test.h"

static enum status read_text(struct sim_disk *sim, struct buffer *out, struct error *err)
{
    struct disk *disk = sim_disk_disk(sim);
    buffer_init(out, 100);
    enum status status = whole_file_read(disk, "file", out, err);
    disk_close(disk);
    return status;
}

static enum status replace(struct sim_disk *sim, const char *text, struct error *err)
{
    struct disk *disk = sim_disk_disk(sim);
    enum status status = whole_file_replace(disk, "", "file", bytes_of_str(str_from(text)), err);
    disk_close(disk);
    return status;
}

TEST(what_was_written_last_is_read)
{
    struct sim_disk *sim = sim_disk_new(1);
    struct buffer text;
    struct error err = {0};
    expect_status(read_text(sim, &text, &err), STATUS_NOT_FOUND);
    expect_ok(replace(sim, "one", &err));
    expect_ok(replace(sim, "", &err));
    expect_ok(read_text(sim, &text, &err));
    assert_int_equal(text.len, 0);
    expect_ok(replace(sim, "three", &err));
    expect_ok(read_text(sim, &text, &err));
    expect_str(buffer_str(&text), "three");
    buffer_deinit(&text);
    sim_disk_free(sim);
}

TEST(a_file_that_is_too_large_is_not_read)
{
    struct sim_disk *sim = sim_disk_new(1);
    struct buffer text;
    struct error err = {0};
    expect_ok(replace(sim, "0123456789", &err));
    sim_disk_truncate(sim, "file", 100);
    expect_ok(read_text(sim, &text, &err));
    assert_int_equal(text.len, 100);
    buffer_deinit(&text);
    sim_disk_truncate(sim, "file", 101);
    expect_status(read_text(sim, &text, &err), STATUS_CORRUPT);
    expect_str(str_from(err.text), "file: got 101 bytes, want at most 100");
    buffer_deinit(&text);
    sim_disk_free(sim);
}

/* After each cut: the old file or the new one, and what was answered OK is the new one. */
TEST(a_power_cut_leaves_the_old_file_or_the_new_one)
{
    for (enum power_cut cut = 0; cut < POWER_CUT_COUNT; cut++) {
        enum status status = STATUS_IO;
        for (uint64_t at = 0; status != STATUS_OK; at++) {
            struct sim_disk *sim = sim_disk_new(at);
            struct buffer text;
            struct error err = {0};
            expect_ok(replace(sim, "the old one", &err));
            sim_disk_cut_power_at(sim, sim_disk_operation_count(sim) + at);
            status = replace(sim, "the new one, which is longer", &err);
            sim_disk_restore_power(sim, cut);
            expect_ok(read_text(sim, &text, &err));
            if (status == STATUS_OK || text.len != 11)
                expect_str(buffer_str(&text), "the new one, which is longer");
            else
                expect_str(buffer_str(&text), "the old one");
            buffer_deinit(&text);
            expect_ok(replace(sim, "and goes on", &err));
            sim_disk_free(sim);
        }
    }
}

TEST(a_failure_is_told_and_leaves_no_part_of_the_new_file)
{
    enum status status = STATUS_IO;
    for (uint64_t at = 0; status != STATUS_OK; at++) {
        struct sim_disk *sim = sim_disk_new(at);
        struct buffer text;
        struct error err = {0};
        expect_ok(replace(sim, "the old one", &err));
        sim_disk_fail_at(sim, sim_disk_operation_count(sim) + at, STATUS_UNAVAILABLE);
        status = replace(sim, "the new one", &err);
        expect_ok(read_text(sim, &text, &err));
        if (status == STATUS_OK || buffer_str(&text).ptr[4] == 'n')
            expect_str(buffer_str(&text), "the new one");
        else
            expect_str(buffer_str(&text), "the old one");
        buffer_deinit(&text);
        sim_disk_free(sim);
    }
}

TEST_MAIN(RUN(what_was_written_last_is_read), RUN(a_file_that_is_too_large_is_not_read),
          RUN(a_power_cut_leaves_the_old_file_or_the_new_one),
          RUN(a_failure_is_told_and_leaves_no_part_of_the_new_file))
