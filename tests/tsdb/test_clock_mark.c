#include "tsdb/files/clock_mark.h"

#include "base/sim_disk.h"
#include "tests/support/test.h"
#include "tsdb/files/filenames.h"

/* The example of docs/format/clock.md. */
static const uint8_t example[] = {0x43, 0x52, 0x4f, 0x46, 0x54, 0x4e, 0x4f, 0x57,
                                  0x01, 0x00, 0x00, 0x00, 0x00, 0x68, 0xe5, 0xcf,
                                  0x8b, 0x01, 0x00, 0x00, 0x7e, 0x53, 0x00, 0xfb};

TEST(the_example_of_the_format_page_decodes_and_encodes)
{
    struct error err = {0};
    struct buffer out;
    int64_t now_ms;
    buffer_init(&out, CLOCK_MARK_SIZE_BYTES);
    clock_mark_encode(&out, INT64_C(1700000000000));
    assert_int_equal(out.len, sizeof example);
    assert_memory_equal(out.ptr, example, sizeof example);
    expect_ok(clock_mark_decode((struct bytes){example, sizeof example}, &now_ms, &err));
    assert_int_equal(now_ms, INT64_C(1700000000000));
    buffer_deinit(&out);
}

TEST(every_flipped_byte_and_every_other_length_is_refused)
{
    struct error err;
    int64_t now_ms;
    uint8_t data[sizeof example + 1] = {0};
    for (size_t i = 0; i < sizeof example; i++) {
        memcpy(data, example, sizeof example);
        data[i] ^= 0x20;
        expect_status(clock_mark_decode((struct bytes){data, sizeof example}, &now_ms, &err),
                      STATUS_CORRUPT);
    }
    memcpy(data, example, sizeof example);
    for (size_t len = 0; len <= sizeof data; len++) {
        if (len != sizeof example)
            expect_status(clock_mark_decode((struct bytes){data, len}, &now_ms, &err),
                          STATUS_CORRUPT);
    }
}

TEST(what_was_written_last_is_read)
{
    struct error err = {0};
    int64_t now_ms;
    struct sim_disk *sim = sim_disk_new(1);
    struct disk *disk = sim_disk_disk(sim);
    expect_status(clock_mark_read(disk, &now_ms, &err), STATUS_NOT_FOUND);
    expect_ok(clock_mark_write(disk, 1, &err));
    expect_ok(clock_mark_write(disk, -2, &err));
    expect_ok(clock_mark_read(disk, &now_ms, &err));
    assert_int_equal(now_ms, -2);
    sim_disk_truncate(sim, CLOCK_FILE, 100);
    expect_status(clock_mark_read(disk, &now_ms, &err), STATUS_CORRUPT);
    disk_close(disk);
    sim_disk_free(sim);
}

TEST_MAIN(RUN(the_example_of_the_format_page_decodes_and_encodes),
          RUN(every_flipped_byte_and_every_other_length_is_refused),
          RUN(what_was_written_last_is_read))
