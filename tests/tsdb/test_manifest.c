#include "tsdb/files/manifest.h"

#include "base/crc32c.h"
#include "tests/support/test.h"

enum { BYTES_MAX = 1000, VERSION_OFFSET = 8, SEGMENTS_BYTES = 20 };

/* The example of docs/format/manifest.md. */
static const uint8_t example[] = {
    0x43, 0x52, 0x4f, 0x46, 0x54, 0x4d, 0x41, 0x4e, 0x02, 0x00, 0x00, 0x00, 0x03, 0x00, 0x00, 0x00,
    0x01, 0x00, 0x00, 0x00, 0x02, 0x00, 0x00, 0x00, 0x09, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
    0x00, 0x68, 0xe5, 0xcf, 0x8b, 0x01, 0x00, 0x00, 0x30, 0xdd, 0xe5, 0xcf, 0x8b, 0x01, 0x00, 0x00,
    0x06, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x0c, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
    0x00, 0x10, 0x47, 0xd0, 0x8b, 0x01, 0x00, 0x00, 0x40, 0x87, 0x62, 0xd0, 0x8b, 0x01, 0x00, 0x00,
    0x60, 0x09, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x01, 0x00, 0x00, 0x00, 0x07, 0x00, 0x00, 0x00,
    0x02, 0x00, 0x00, 0x00, 0x40, 0xe2, 0x01, 0x00, 0x00, 0x00, 0x00, 0x00, 0xe9, 0x26, 0x98, 0xd7};

static const struct bytes example_bytes = {example, sizeof example};

TEST(the_example_of_the_format_page_decodes_and_encodes)
{
    struct error err;
    struct manifest manifest;
    struct buffer out;
    manifest_init(&manifest);
    expect_ok(manifest_decode(example_bytes, 3, &manifest, &err));
    assert_int_equal(manifest.count, 2);
    assert_true(manifest.has_deletions);
    assert_int_equal(manifest.blocks[0].sequence, 9);
    assert_int_equal(manifest.blocks[1].min_ts_ms, 1700006400000);
    assert_int_equal(manifest.blocks[1].max_ts_ms, 1700008200000);
    assert_int_equal(manifest.blocks[1].sample_count, 2400);
    assert_int_equal(manifest.segment_count, 1);
    assert_int_equal(manifest_durable_bytes(&manifest, 7, 2), 123456);
    assert_int_equal(manifest_durable_bytes(&manifest, 7, 1), 0);
    buffer_init(&out, BYTES_MAX);
    manifest_encode(&out, &manifest, 3);
    assert_int_equal(out.len, sizeof example);
    assert_memory_equal(out.ptr, example, sizeof example);
    buffer_deinit(&out);
    manifest_deinit(&manifest);
}

/* What version 1 wrote. */
TEST(a_manifest_without_segments_decodes)
{
    struct error err;
    struct manifest manifest;
    uint8_t data[sizeof example];
    size_t len = sizeof example - SEGMENTS_BYTES;
    memcpy(data, example, sizeof example);
    data[VERSION_OFFSET] = 1;
    uint32_t crc = crc32c((struct bytes){data, len - 4});
    memcpy(data + len - 4, &crc, sizeof crc);
    manifest_init(&manifest);
    expect_ok(manifest_decode((struct bytes){data, len}, 3, &manifest, &err));
    assert_int_equal(manifest.count, 2);
    assert_int_equal(manifest.segment_count, 0);
    manifest_deinit(&manifest);
}

static void expect_refused(struct bytes data, uint32_t shard)
{
    struct error err;
    struct manifest manifest;
    manifest_init(&manifest);
    expect_status(manifest_decode(data, shard, &manifest, &err), STATUS_CORRUPT);
    assert_int_equal(manifest.count, 0);
    assert_int_equal(manifest.segment_count, 0);
    assert_false(manifest.has_deletions);
    manifest_deinit(&manifest);
}

TEST(every_flipped_byte_every_other_length_and_the_manifest_of_another_shard_are_refused)
{
    uint8_t data[sizeof example + 1] = {0};
    for (size_t i = 0; i < sizeof example; i++) {
        memcpy(data, example, sizeof example);
        data[i] ^= 0x20;
        expect_refused((struct bytes){data, sizeof example}, 3);
    }
    memcpy(data, example, sizeof example);
    for (size_t len = 0; len <= sizeof data; len++) {
        if (len != sizeof example)
            expect_refused((struct bytes){data, len}, 3);
    }
    expect_refused(example_bytes, 4);
}

TEST(blocks_are_in_order_and_there_once)
{
    struct manifest manifest;
    static const uint64_t sequences[] = {5, 2, 9, 5, 7};
    manifest_init(&manifest);
    for (size_t i = 0; i < sizeof sequences / sizeof *sequences; i++)
        manifest_add(&manifest, &(struct manifest_block){.sequence = sequences[i]});
    manifest_remove(&manifest, 5);
    manifest_remove(&manifest, 6);
    assert_int_equal(manifest.count, 3);
    assert_int_equal(manifest.blocks[0].sequence, 2);
    assert_int_equal(manifest.blocks[1].sequence, 7);
    assert_int_equal(manifest.blocks[2].sequence, 9);
    assert_true(manifest_has(&manifest, 7));
    assert_false(manifest_has(&manifest, 5));
    manifest_deinit(&manifest);
}

TEST(a_segment_is_noted_once_and_forgotten_with_its_epoch)
{
    struct manifest manifest;
    manifest_init(&manifest);
    for (uint32_t epoch = 1; epoch <= 3; epoch++) {
        manifest_note_segment(&manifest, (struct manifest_segment){epoch, 1, 100});
        manifest_note_segment(&manifest, (struct manifest_segment){epoch, 1, 200});
        manifest_note_segment(&manifest, (struct manifest_segment){epoch, 2, 300});
    }
    assert_int_equal(manifest.segment_count, 6);
    manifest_forget_segments(&manifest, 2);
    assert_int_equal(manifest.segment_count, 2);
    assert_int_equal(manifest_durable_bytes(&manifest, 2, 1), 0);
    assert_int_equal(manifest_durable_bytes(&manifest, 3, 1), 200);
    assert_int_equal(manifest_durable_bytes(&manifest, 3, 2), 300);
    manifest_deinit(&manifest);
}

TEST_MAIN(RUN(the_example_of_the_format_page_decodes_and_encodes),
          RUN(a_manifest_without_segments_decodes),
          RUN(every_flipped_byte_every_other_length_and_the_manifest_of_another_shard_are_refused),
          RUN(blocks_are_in_order_and_there_once),
          RUN(a_segment_is_noted_once_and_forgotten_with_its_epoch))
