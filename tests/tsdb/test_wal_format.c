/* The bytes of segments: as the format page has them, and such as nobody should have written. */
#include "tests/support/test.h"

#include "base/crc32c.h"
#include "base/disk.h"
#include "tests/tsdb/wal_journal.h"
#include "tests/tsdb/wal_listener.h"
#include "tsdb/wal/wal_frame.h"
#include "tsdb/wal/wal_segment.h"

/* The example of docs/format/wal.md. */
static const uint8_t golden[] = {
    0x43, 0x52, 0x4f, 0x46, 0x54, 0x57, 0x41, 0x4c, 0x02, 0x00, 0x00, 0x00, 0x03, 0x00, 0x00, 0x00,
    0x01, 0x00, 0x00, 0x00, 0x01, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
    0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x26, 0xb5, 0x30, 0x96,
    0xce, 0xf7, 0x1a, 0x91, 0x31, 0x00, 0x00, 0x00, 0x31, 0x00, 0x00, 0x00, 0x30, 0x00, 0x00, 0x00,
    0x1d, 0x32, 0x99, 0x6a, 0x52, 0x9b, 0x9e, 0x96, 0x01, 0x13, 0x00, 0x00, 0x00, 0x05, 0x04, 0x61,
    0x63, 0x6d, 0x65, 0x01, 0x08, 0x5f, 0x5f, 0x6e, 0x61, 0x6d, 0x65, 0x5f, 0x5f, 0x02, 0x75, 0x70,
    0x02, 0x14, 0x00, 0x00, 0x00, 0x02, 0x0a, 0x02, 0x80, 0xa0, 0xab, 0xfe, 0xf9, 0x62, 0x00, 0xb0,
    0xea, 0x01, 0x00, 0x03, 0xd2, 0xf0, 0x3f, 0x07, 0x07};

static void read_file(struct sim_disk *sim, const char *path, uint8_t *bytes, size_t size,
                      size_t *len)
{
    struct error err;
    struct disk *disk = sim_disk_disk(sim);
    struct file *file;
    expect_ok(disk_open(disk, path, &file, &err));
    expect_ok(file_read(file, 0, bytes, size, len, &err));
    file_close(file);
    disk_close(disk);
}

static void write_file(struct sim_disk *sim, const char *path, struct bytes bytes)
{
    struct error err;
    struct disk *disk = sim_disk_disk(sim);
    struct file *file;
    expect_ok(disk_create(disk, path, &file, &err));
    expect_ok(file_append(file, bytes, &err));
    file_close(file);
    disk_close(disk);
}

#define FIRST_SEGMENT JOURNAL_FOLDER "/0000000001-000001.log"

static void log_example(struct wal *wal)
{
    struct tenant_id acme = {.len = 4, .text = "acme"};
    struct label up[] = {{LABEL_METRIC_NAME, STR("up")}};
    struct series_ref ref = {5};
    wal_batch_begin(wal);
    wal_log_series(wal, ref, &acme, (struct labels){up, 1});
    wal_log_sample(wal, ref, (struct sample){1700000000000, 1});
    wal_log_sample(wal, ref, (struct sample){1700000015000, 0.1});
    wal_batch_end(wal);
}

static void expect_example(const struct heard *heard)
{
    expect_str(str_from(heard->series), "5 acme __name__=up,;");
    assert_int_equal(heard->count, 2);
    assert_int_equal(heard->refs[0].value, 5);
    assert_int_equal(heard->refs[1].value, 5);
    assert_int_equal(heard->samples[0].ts_ms, 1700000000000);
    assert_int_equal(heard->samples[1].ts_ms, 1700000015000);
    assert_true(heard->samples[0].value == 1);
    assert_true(heard->samples[1].value == 0.1);
}

TEST(the_example_of_the_format_page_reads_and_writes_the_same_bytes)
{
    static struct heard heard;
    struct error err;
    struct journal journal;
    struct sim_disk *sim = journal_disk(1);
    journal_open(&journal, sim, 1 << 20, 0);
    log_example(journal.wal);
    expect_ok(wal_commit(journal.wal, &err));
    journal_close(&journal);
    uint8_t bytes[1024];
    size_t len;
    read_file(sim, FIRST_SEGMENT, bytes, sizeof bytes, &len);
    assert_int_equal(len, 2 * sizeof golden); /* as many zeros ahead */
    assert_memory_equal(bytes, golden, sizeof golden);
    for (size_t i = sizeof golden; i < len; i++)
        assert_int_equal(bytes[i], 0);
    sim_disk_free(sim);

    sim = journal_disk(1);
    write_file(sim, FIRST_SEGMENT, (struct bytes){golden, sizeof golden});
    expect_ok(hear(sim, 0, &heard, &err));
    expect_example(&heard);
    sim_disk_free(sim);
}

/* ---- what this version does not know ---- */

static void write_segment(struct sim_disk *sim, struct bytes records)
{
    struct buffer out;
    buffer_init(&out, 1 << 16);
    struct segment_header header = {.shard = JOURNAL_SHARD, .id = {1, 1}};
    segment_header_encode(&out, &header);
    struct frame_place place = {JOURNAL_SHARD, 1, 1, SEGMENT_HEADER_BYTES};
    frame_encode(&out, &place, SEGMENT_HEADER_BYTES, records);
    write_file(sim, FIRST_SEGMENT, buffer_bytes(&out));
    buffer_deinit(&out);
}

/* Series 9, and one sample of it with this timestamp (0..63) and value 0: its ref is 9 beyond the
   first one, both runs have one element, its value is there and has no bytes. */
static void append_frame(struct buffer *out, uint32_t number, uint8_t ts_ms)
{
    uint8_t records[] = {1,   11, 0,   0,   0,
                         9,   4,  'a', 'c', 'm',
                         'e', 1,  1,   'a', 1,
                         'b', 2,  7,   0,   0,
                         0,   1,  18,  1,   (uint8_t)(2 * ts_ms),
                         0,   1,  0};
    struct frame_place place = {JOURNAL_SHARD, 1, number, out->len};
    frame_encode(out, &place, (uint32_t)out->len, (struct bytes){records, sizeof records});
}

static void begin_segment(struct buffer *out, uint32_t number, uint32_t previous, uint64_t bytes)
{
    struct segment_header header = {.shard = JOURNAL_SHARD,
                                    .id = {1, number},
                                    .previous = {previous == 0 ? 0 : 1, previous},
                                    .previous_bytes = bytes};
    buffer_reset(out);
    segment_header_encode(out, &header);
}

/* A disk, and the begin of the first segment in `out`: both are the caller's. */
static struct sim_disk *begin_journal(struct buffer *out)
{
    buffer_init(out, 1 << 16);
    begin_segment(out, 1, 0, 0);
    return journal_disk(1);
}

TEST(a_segment_that_was_given_up_is_read_as_far_as_it_was_durable)
{
    static struct heard heard;
    struct error err;
    struct buffer out;
    struct sim_disk *sim = begin_journal(&out);
    append_frame(&out, 1, 1);
    uint64_t durable = out.len;
    append_frame(&out, 1, 2); /* its sync failed: it stands in the third segment again */
    write_file(sim, FIRST_SEGMENT, buffer_bytes(&out));
    begin_segment(&out, 2, 1, durable);
    append_frame(&out, 2, 2); /* so did this one's, and the file could not be removed */
    write_file(sim, JOURNAL_FOLDER "/0000000001-000002.log", buffer_bytes(&out));
    begin_segment(&out, 3, 1, durable);
    append_frame(&out, 3, 2);
    append_frame(&out, 3, 3);
    write_file(sim, JOURNAL_FOLDER "/0000000001-000003.log", buffer_bytes(&out));
    expect_ok(hear(sim, 0, &heard, &err));
    assert_int_equal(heard.count, 3);
    for (size_t i = 0; i < heard.count; i++)
        assert_int_equal(heard.samples[i].ts_ms, i + 1);
    assert_int_equal(heard.report.damaged_frames, 0);
    buffer_deinit(&out);
    sim_disk_free(sim);
}

TEST(a_frame_counts_only_at_its_own_place)
{
    static struct heard heard;
    struct error err;
    struct buffer out;
    struct sim_disk *sim = begin_journal(&out);
    append_frame(&out, 1, 1);
    size_t frame_len = out.len - SEGMENT_HEADER_BYTES;
    uint8_t frame[256];
    memcpy(frame, out.ptr + SEGMENT_HEADER_BYTES, frame_len);
    buffer_append(&out, frame, frame_len);
    write_file(sim, FIRST_SEGMENT, buffer_bytes(&out));
    expect_ok(hear(sim, 0, &heard, &err));
    assert_int_equal(heard.count, 1);
    /* its last byte is a zero, as if nothing had been written there */
    assert_int_equal(heard.report.torn_tail_bytes, frame_len - 1);
    buffer_deinit(&out);
    sim_disk_free(sim);
}

TEST(unknown_records_are_skipped_if_they_say_so_and_refused_otherwise)
{
    static struct heard heard;
    struct error err;
    for (unsigned type = 0; type < 256; type++) {
        if (type == 1 || type == 2)
            continue;
        struct sim_disk *sim = journal_disk(1);
        uint8_t records[] = {
            (uint8_t)type, 2, 0,   0, 0, 'h', 'i', 1, 11, 0,  0, 0, 9, 4, 'a', 'c', 'm', 'e', 1, 1,
            'a',           1, 'b', 2, 7, 0,   0,   0, 1,  18, 1, 0, 0, 1, 0};
        write_segment(sim, (struct bytes){records, sizeof records});
        enum status status = hear(sim, 0, &heard, &err);
        assert_int_equal(status, type < 128 ? STATUS_CORRUPT : STATUS_OK);
        assert_int_equal(heard.report.skipped_records, type < 128 ? 0 : 1);
        assert_int_equal(heard.count, type < 128 ? 0 : 1);
        sim_disk_free(sim);
    }
}

TEST(broken_records_count_as_damage_and_do_not_stop_the_start)
{
    static const uint8_t broken[][16] = {
        {2, 9, 0, 0, 0},                         /* longer than what is left */
        {1, 2, 0, 0, 0, 1, 9},                   /* a tenant without its text */
        {1, 3, 0, 0, 0, 1, 0, 99},               /* more labels than bytes */
        {2, 1, 0, 0, 0, 0},                      /* no samples */
        {2, 3, 0, 0, 0, 0x81, 0x80, 0x01},       /* 16385 of them */
        {2, 3, 0, 0, 0, 1, 0, 3},                /* a run of two refs */
        {2, 5, 0, 0, 0, 1, 0, 1, 0, 1},          /* a run of two timestamps */
        {2, 4, 0, 0, 0, 1, 0, 1, 0},             /* no length of the run */
        {2, 5, 0, 0, 0, 1, 0, 1, 0, 0},          /* no bits */
        {2, 6, 0, 0, 0, 1, 0, 1, 0, 0, 1},       /* no code */
        {2, 7, 0, 0, 0, 1, 0, 1, 0, 0, 1, 1},    /* one byte of value, and none is there */
        {2, 7, 0, 0, 0, 1, 0, 1, 0, 0, 3, 0},    /* a bit for a second sample */
        {2, 8, 0, 0, 0, 1, 0, 1, 0, 0, 1, 0, 0}, /* a byte too many */
        /* a NaN, then a difference of whole numbers from it */
        {2, 10, 0, 0, 0, 2, 0, 2, 0, 1, 3, 0xb2, 0xf8, 0x7f, 0},
    };
    static struct heard heard;
    struct error err;
    for (size_t i = 0; i < sizeof broken / sizeof *broken; i++) {
        struct sim_disk *sim = journal_disk(1);
        size_t len = i == 0 ? 5 : 5 + (size_t)broken[i][1];
        write_segment(sim, (struct bytes){broken[i], len});
        expect_ok(hear(sim, 0, &heard, &err));
        assert_int_equal(heard.count, 0); /* nor is any series declared */
        assert_int_equal(heard.report.damaged_frames, 1);
        sim_disk_free(sim);
    }
}

TEST(a_segment_of_another_version_is_refused_not_guessed_at)
{
    static struct heard heard;
    struct error err;
    struct buffer out;
    buffer_init(&out, 1 << 10);
    struct segment_header header = {.shard = JOURNAL_SHARD, .id = {1, 1}};
    segment_header_encode(&out, &header);
    out.ptr[8] = 1;
    uint32_t crc = crc32c((struct bytes){out.ptr, SEGMENT_HEADER_BYTES - 4});
    memcpy(out.ptr + SEGMENT_HEADER_BYTES - 4, &crc, sizeof crc);
    struct sim_disk *sim = journal_disk(1);
    write_file(sim, FIRST_SEGMENT, buffer_bytes(&out));
    expect_status(hear(sim, 0, &heard, &err), STATUS_CORRUPT);
    buffer_deinit(&out);
    sim_disk_free(sim);
}

TEST(names_of_segments_are_read_strictly)
{
    struct segment_id id;
    assert_true(segment_id_parse(STR("0000000012-000001.log"), &id));
    assert_int_equal(id.epoch, 12);
    assert_int_equal(id.number, 1);
    assert_true(segment_id_parse(STR("4294967295-4294967295.log"), &id));
    assert_false(segment_id_parse(STR(""), &id));
    assert_false(segment_id_parse(STR("12-1.log"), &id));
    assert_false(segment_id_parse(STR("0000000000-000001.log"), &id));
    assert_false(segment_id_parse(STR("0000000012-000001.log.tmp"), &id));
    assert_false(segment_id_parse(STR("4294967296-000001.log"), &id));
    assert_false(segment_id_parse(STR("0000000012"), &id));
}

TEST_MAIN(RUN(the_example_of_the_format_page_reads_and_writes_the_same_bytes),
          RUN(a_segment_that_was_given_up_is_read_as_far_as_it_was_durable),
          RUN(a_frame_counts_only_at_its_own_place),
          RUN(unknown_records_are_skipped_if_they_say_so_and_refused_otherwise),
          RUN(broken_records_count_as_damage_and_do_not_stop_the_start),
          RUN(a_segment_of_another_version_is_refused_not_guessed_at),
          RUN(names_of_segments_are_read_strictly))
