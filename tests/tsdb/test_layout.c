#include "tests/support/test.h"

#include "base/sim_disk.h"
#include "tsdb/files/layout.h"

/* The example of docs/format/layout.md. */
static const uint8_t example[] = {0x43, 0x52, 0x4f, 0x46, 0x54, 0x44, 0x49, 0x52,
                                  0x01, 0x00, 0x00, 0x00, 0x02, 0x00, 0x00, 0x00,
                                  0x00, 0x00, 0x00, 0x00, 0x4e, 0xa4, 0xda, 0x0e};

TEST(the_example_of_the_format_page_encodes_and_decodes)
{
    struct error err;
    struct layout layout;
    struct buffer out;
    expect_ok(layout_decode((struct bytes){example, sizeof example}, &layout, &err));
    assert_int_equal(layout.shard_count, 2);
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
    expect_ok(layout_open(disk, &(struct layout){3}, &layout, &err));
    assert_int_equal(layout.shard_count, 3);
    expect_ok(layout_open(disk, &(struct layout){5}, &layout, &err));
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
        enum status first = layout_open(disk, &(struct layout){3}, &layout, &err);
        disk_close(disk);
        sim_disk_cut_power_at(sim, UINT64_MAX);
        sim_disk_restore_power(sim, POWER_CUT_KEEP_SOME);
        disk = sim_disk_disk(sim);
        expect_ok(layout_open(disk, &(struct layout){5}, &layout, &err));
        if (first == STATUS_OK)
            assert_int_equal(layout.shard_count, 3);
        disk_close(disk);
        sim_disk_free(sim);
    }
}

TEST_MAIN(RUN(the_example_of_the_format_page_encodes_and_decodes),
          RUN(every_flipped_byte_and_every_other_length_is_refused),
          RUN(an_existing_store_keeps_its_number_of_shards),
          RUN(a_power_cut_leaves_no_layout_or_a_whole_one))
