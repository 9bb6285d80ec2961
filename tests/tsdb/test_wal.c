#include "tests/support/test.h"

#include <stdio.h>

#include "base/crc32c.h"
#include "base/disk.h"
#include "base/mem.h"
#include "base/thread.h"
#include "tests/tsdb/wal_journal.h"
#include "tsdb/wal/wal_frame.h"
#include "tsdb/wal/wal_segment.h"

/* ---- a listener that writes down everything ---- */

enum { HEARD_MAX = 4096 };

struct heard {
    struct series_ref refs[HEARD_MAX];
    struct sample samples[HEARD_MAX];
    size_t count;
    char series[8192]; /* "ref tenant name=value,...;" for each */
    size_t series_len;
    uint32_t epochs[8];
    size_t epoch_count;
    struct wal_replay_report report;
};

static enum status hear_series(void *context, struct series_ref ref, struct str tenant,
                               struct labels labels, struct error *err)
{
    (void)err;
    struct heard *heard = context;
    char *to = heard->series + heard->series_len;
    size_t left = sizeof heard->series - heard->series_len;
    size_t len = (size_t)snprintf(to, left, "%u %.*s ", ref.value, STR_ARG(tenant));
    for (size_t i = 0; i < labels.count; i++)
        len += (size_t)snprintf(to + len, left - len, "%.*s=%.*s,", STR_ARG(labels.ptr[i].name),
                                STR_ARG(labels.ptr[i].value));
    len += (size_t)snprintf(to + len, left - len, ";");
    assert_true(len < left);
    heard->series_len += len;
    return STATUS_OK;
}

static enum status hear_samples(void *context, const struct logged_sample *samples, size_t count,
                                struct error *err)
{
    (void)err;
    struct heard *heard = context;
    for (size_t i = 0; i < count; i++) {
        assert_true(heard->count < HEARD_MAX);
        heard->refs[heard->count] = samples[i].ref;
        heard->samples[heard->count++] = samples[i].sample;
    }
    return STATUS_OK;
}

static void hear_epoch(void *context, uint32_t epoch)
{
    struct heard *heard = context;
    assert_true(heard->epoch_count < 8);
    heard->epochs[heard->epoch_count++] = epoch;
}

static enum status hear(struct sim_disk *sim, uint32_t covered_epoch, struct heard *heard,
                        struct error *err)
{
    *heard = (struct heard){0};
    struct wal_replay_handler handler = {
        .context = heard, .series = hear_series, .samples = hear_samples, .epoch = hear_epoch};
    struct disk *disk = sim_disk_disk(sim);
    enum status status = wal_replay(disk, JOURNAL_FOLDER, JOURNAL_SHARD, covered_epoch, &handler,
                                    &heard->report, err);
    disk_close(disk);
    return status;
}

/* ---- the format ---- */

static const struct tenant_id acme = {.len = 4, .text = "acme"};

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
    assert_int_equal(len, sizeof golden);
    assert_memory_equal(bytes, golden, sizeof golden);
    sim_disk_free(sim);

    sim = journal_disk(1);
    write_file(sim, FIRST_SEGMENT, (struct bytes){golden, sizeof golden});
    expect_ok(hear(sim, 0, &heard, &err));
    expect_example(&heard);
    sim_disk_free(sim);
}

/* ---- what is logged comes back ---- */

static void declare(struct wal *wal, uint32_t ref)
{
    struct label labels[] = {{LABEL_METRIC_NAME, STR("m")}};
    wal_log_series(wal, (struct series_ref){ref}, &acme, (struct labels){labels, 1});
}

TEST(any_sequence_of_refs_timestamps_and_values_comes_back_bit_by_bit)
{
    static const uint32_t refs[] = {0, 1, 2, 2, 7, 3, UINT32_MAX - 1, 0, 1U << 31, 9, 10, 11};
    static const int64_t ts_ms[] = {INT64_MIN, INT64_MAX, 0, 0, -1, 1, 1, INT64_MAX};
    static const uint64_t values[] = {0,
                                      UINT64_C(1) << 63,
                                      STALE_NAN_BITS,
                                      1,
                                      UINT64_MAX,
                                      UINT64_C(0x3ff0000000000000),
                                      UINT64_C(0x3fb999999999999a)};
    enum { COUNT = 12 * 8 * 7 };
    static struct heard heard;
    struct error err;
    struct journal journal;
    struct sim_disk *sim = journal_disk(1);
    journal_open(&journal, sim, 1 << 20, 0);
    wal_batch_begin(journal.wal);
    for (size_t i = 0; i < COUNT; i++) {
        if (i < 12)
            declare(journal.wal, refs[i]);
        struct sample sample = {ts_ms[i % 8], f64_from_bits(values[i % 7])};
        wal_log_sample(journal.wal, (struct series_ref){refs[i % 12]}, sample);
    }
    wal_batch_end(journal.wal);
    expect_ok(wal_commit(journal.wal, &err));
    journal_close(&journal);
    expect_ok(hear(sim, 0, &heard, &err));
    assert_int_equal(heard.count, COUNT);
    for (size_t i = 0; i < COUNT; i++) {
        assert_int_equal(heard.refs[i].value, refs[i % 12]);
        assert_int_equal(heard.samples[i].ts_ms, ts_ms[i % 8]);
        assert_true(f64_bits(heard.samples[i].value) == values[i % 7]);
    }
    sim_disk_free(sim);
}

static void count_only(void *context, uint32_t epoch)
{
    (void)context;
    (void)epoch;
}

static enum status count_series(void *context, struct series_ref ref, struct str tenant,
                                struct labels labels, struct error *err)
{
    (void)ref;
    (void)tenant;
    (void)err;
    size_t *longest = context;
    if (labels.ptr[0].value.len > *longest)
        *longest = labels.ptr[0].value.len;
    return STATUS_OK;
}

static enum status count_samples(void *context, const struct logged_sample *samples, size_t count,
                                 struct error *err)
{
    (void)context;
    (void)err;
    for (size_t i = 0; i < count; i++)
        assert_int_equal(samples[i].sample.ts_ms, 1000 * (int64_t)samples[i].ref.value);
    return STATUS_OK;
}

TEST(a_large_batch_is_several_frames_and_one_commit)
{
    enum { COUNT = 200000 };
    struct error err;
    struct journal journal;
    struct sim_disk *sim = journal_disk(1);
    journal_open(&journal, sim, 1 << 20, 0);
    char *text = mem_alloc(WAL_SERIES_BYTES_MAX - 64);
    memset(text, 'x', WAL_SERIES_BYTES_MAX - 64);
    struct label labels[] = {{LABEL_METRIC_NAME, {text, WAL_SERIES_BYTES_MAX - 64}}};
    wal_batch_begin(journal.wal);
    wal_log_series(journal.wal, (struct series_ref){0}, &acme, (struct labels){labels, 1});
    for (uint32_t i = 1; i < COUNT; i++) {
        declare(journal.wal, i);
        wal_log_sample(journal.wal, (struct series_ref){i}, (struct sample){1000 * (int64_t)i, i});
    }
    wal_batch_end(journal.wal);
    assert_false(wal_is_writable(journal.wal));
    expect_ok(wal_commit(journal.wal, &err));
    assert_true(wal_is_writable(journal.wal));
    assert_int_equal(counter_get(&wal_counters(journal.wal)->commits), 1);
    journal_close(&journal);
    mem_free(text);

    size_t longest = 0;
    struct wal_replay_report report;
    struct wal_replay_handler handler = {
        .context = &longest, .series = count_series, .samples = count_samples, .epoch = count_only};
    struct disk *disk = sim_disk_disk(sim);
    expect_ok(wal_replay(disk, JOURNAL_FOLDER, JOURNAL_SHARD, 0, &handler, &report, &err));
    disk_close(disk);
    assert_int_equal(longest, WAL_SERIES_BYTES_MAX - 64);
    assert_int_equal(report.samples, COUNT - 1);
    assert_true(report.frames > 5);
    sim_disk_free(sim);
}

/* ---- epochs ---- */

TEST(an_epoch_that_has_ended_is_dropped_and_the_next_one_stays)
{
    static struct heard heard;
    struct error err;
    struct journal journal;
    struct sim_disk *sim = journal_disk(1);
    journal_open(&journal, sim, 1 << 20, 41);
    assert_int_equal(wal_epoch(journal.wal), 42);
    journal_log(&journal, 10);
    assert_int_equal(wal_end_epoch(journal.wal), 42);
    assert_int_equal(wal_epoch(journal.wal), 43);
    journal_log(&journal, 10);
    expect_ok(wal_commit(journal.wal, &err));

    expect_ok(hear(sim, 0, &heard, &err));
    assert_int_equal(heard.epoch_count, 2);
    assert_int_equal(heard.epochs[0], 42);
    assert_int_equal(heard.count, 20);
    expect_ok(hear(sim, 42, &heard, &err));
    assert_int_equal(heard.count, 10);
    assert_int_equal(heard.report.last_epoch, 43);

    uint64_t size_bytes = wal_size_bytes(journal.wal);
    expect_ok(wal_drop(journal.wal, 42, &err));
    assert_in_range(wal_size_bytes(journal.wal), 1, size_bytes - 1);
    /* also when no block is left that would tell which epochs were covered */
    expect_ok(hear(sim, 0, &heard, &err));
    assert_int_equal(heard.count, 10);
    assert_int_equal(heard.report.damaged_frames, 0);
    expect_ok(wal_drop(journal.wal, 43, &err));
    assert_int_equal(wal_size_bytes(journal.wal), 0);
    journal_close(&journal);
    sim_disk_free(sim);
}

TEST(a_new_run_writes_an_epoch_that_no_file_has)
{
    struct error err;
    struct journal journal;
    struct sim_disk *sim = journal_disk(1);
    for (uint32_t run = 1; run <= 3; run++) {
        journal_open(&journal, sim, 1 << 20, 0);
        assert_int_equal(wal_epoch(journal.wal), run);
        journal_log(&journal, 5);
        expect_ok(wal_commit(journal.wal, &err));
        journal_close(&journal);
    }
    static struct heard heard;
    expect_ok(hear(sim, 0, &heard, &err));
    assert_int_equal(heard.count, 15);
    assert_int_equal(heard.epoch_count, 3);
    sim_disk_free(sim);
}

/* ---- waiting ---- */

static void count_wakes(void *context)
{
    (*(size_t *)context)++;
}

TEST(a_waiter_is_told_once_what_it_waits_for_is_durable)
{
    struct error err;
    struct journal journal;
    struct sim_disk *sim = journal_disk(1);
    journal_open(&journal, sim, 1 << 20, 0);
    size_t wakes = 0;
    wal_set_wake(journal.wal, count_wakes, &wakes);
    journal_wait(&journal); /* nothing is logged: done at once */
    assert_int_equal(wakes, 0);
    journal_log(&journal, 5);
    assert_true(wal_has_pending(journal.wal));
    journal_wait(&journal);
    journal_wait(&journal); /* of somebody who repeats what is there */
    assert_int_equal(wakes, 2);
    assert_int_equal(journal.acked, 0);
    expect_ok(wal_commit(journal.wal, &err));
    assert_int_equal(journal.acked, 5);
    assert_false(wal_has_pending(journal.wal));
    journal_wait(&journal);
    assert_int_equal(wakes, 2);
    journal_log(&journal, 1);
    journal_wait(&journal);
    assert_int_equal(journal.refused, 0);
    journal_close(&journal); /* not committed: cancelled */
    assert_int_equal(journal.refused, 1);
    assert_int_equal(journal.acked, 5);
    sim_disk_free(sim);
}

TEST(a_failed_commit_refuses_keeps_and_writes_again)
{
    static struct replayed replayed;
    struct error err;
    struct journal journal;
    struct sim_disk *sim = journal_disk(1);
    journal_open(&journal, sim, 1 << 20, 0);
    journal_log(&journal, 5);
    expect_ok(wal_commit(journal.wal, &err));
    journal_log(&journal, 5);
    journal_wait(&journal);
    sim_disk_fail_at(sim, sim_disk_operation_count(sim) + 1, STATUS_IO); /* the sync */
    expect_status(wal_commit(journal.wal, &err), STATUS_IO);
    assert_int_equal(journal.refused, 1);
    assert_false(wal_is_writable(journal.wal));
    assert_true(wal_has_pending(journal.wal));
    assert_int_equal(counter_get(&wal_counters(journal.wal)->commit_failures), 1);
    journal_wait(&journal); /* the sender tries again: all of it is known, none of it durable */
    assert_int_equal(journal.acked, 0);
    expect_ok(wal_commit(journal.wal, &err));
    assert_int_equal(journal.acked, 10);
    assert_true(wal_is_writable(journal.wal));
    journal_close(&journal);
    sim_disk_restore_power(sim, POWER_CUT_DROP_ALL);
    expect_ok(journal_replay(sim, 0, &replayed, &err));
    journal_expect_prefix(&journal, &replayed);
    sim_disk_free(sim);
}

/* A flush that ends while the disk is full: what it has made durable need not be logged any more. */
TEST(what_waits_of_an_epoch_that_blocks_cover_is_durable_and_not_written)
{
    static struct replayed replayed;
    struct error err;
    struct journal journal;
    struct sim_disk *sim = journal_disk(1);
    journal_open(&journal, sim, 1 << 20, 0);
    journal_log(&journal, 5);
    sim_disk_fail_at(sim, sim_disk_operation_count(sim), STATUS_UNAVAILABLE);
    expect_status(wal_commit(journal.wal, &err), STATUS_UNAVAILABLE);
    journal_wait(&journal);
    journal.covered_epoch = wal_end_epoch(journal.wal);
    journal.covered = 5;
    wal_skip(journal.wal, journal.covered_epoch);
    assert_int_equal(journal.acked, 5);
    assert_false(wal_has_pending(journal.wal));
    assert_int_equal(wal_size_bytes(journal.wal), 0);
    expect_ok(wal_commit(journal.wal, &err)); /* there is nothing to refuse for any more */
    assert_true(wal_is_writable(journal.wal));
    journal_log(&journal, 5);
    journal_wait(&journal);
    wal_skip(journal.wal, journal.covered_epoch); /* not what came later */
    assert_int_equal(journal.acked, 5);
    expect_ok(wal_commit(journal.wal, &err));
    assert_int_equal(journal.acked, 10);
    journal_close(&journal);
    expect_ok(journal_replay(sim, journal.covered_epoch, &replayed, &err));
    journal_expect_prefix(&journal, &replayed);
    assert_int_equal(replayed.count, 5);
    sim_disk_free(sim);
}

TEST(a_segment_that_can_neither_be_begun_nor_deleted_goes_with_its_epoch)
{
    struct error err;
    struct journal journal;
    struct name_list files;
    struct sim_disk *sim = journal_disk(1);
    journal_open(&journal, sim, 1 << 20, 0);
    journal_log(&journal, 5);
    sim_disk_set_capacity(sim, 1);
    /* created, nothing reserved, no whole header written, not deleted */
    sim_disk_fail_at(sim, sim_disk_operation_count(sim) + 3, STATUS_IO);
    expect_status(wal_commit(journal.wal, &err), STATUS_UNAVAILABLE);
    sim_disk_files(sim, &files);
    assert_int_equal(files.count, 1);
    name_list_deinit(&files);
    sim_disk_set_capacity(sim, 1 << 20);
    uint32_t ended = wal_end_epoch(journal.wal);
    wal_skip(journal.wal, ended);
    expect_ok(wal_drop(journal.wal, ended, &err));
    sim_disk_files(sim, &files);
    assert_int_equal(files.count, 0);
    name_list_deinit(&files);
    journal_close(&journal);
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

/* Series 9, and one sample of it with this timestamp (0..63) and value 0: its ref is 9 beyond the first
   one, both runs have one element, its value is there and has no bytes. */
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

TEST(a_segment_that_was_given_up_is_read_as_far_as_it_was_durable)
{
    static struct heard heard;
    struct error err;
    struct sim_disk *sim = journal_disk(1);
    struct buffer out;
    buffer_init(&out, 1 << 16);
    begin_segment(&out, 1, 0, 0);
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
    struct sim_disk *sim = journal_disk(1);
    struct buffer out;
    buffer_init(&out, 1 << 16);
    begin_segment(&out, 1, 0, 0);
    append_frame(&out, 1, 1);
    size_t frame_len = out.len - SEGMENT_HEADER_BYTES;
    uint8_t frame[256];
    memcpy(frame, out.ptr + SEGMENT_HEADER_BYTES, frame_len);
    buffer_append(&out, frame, frame_len);
    write_file(sim, FIRST_SEGMENT, buffer_bytes(&out));
    expect_ok(hear(sim, 0, &heard, &err));
    assert_int_equal(heard.count, 1);
    assert_int_equal(heard.report.torn_tail_bytes, frame_len);
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

/* ---- threads ---- */

struct writer {
    struct wal *wal;
    struct mutex *shard_lock;
    uint32_t ref;
    struct counter acked;
    struct thread thread;
};

struct counted_waiter {
    struct wal_waiter base;
    struct writer *writer;
};

static void count_ack(struct wal_waiter *base, enum status status)
{
    struct counted_waiter *waiter = (struct counted_waiter *)base;
    if (status == STATUS_OK)
        counter_add(&waiter->writer->acked, 1);
}

enum { WRITERS = 3, WRITES = 500 };

static void run_writer(void *context)
{
    struct writer *writer = context;
    static struct counted_waiter waiters[WRITERS][WRITES];
    for (uint32_t i = 0; i < WRITES; i++) {
        struct counted_waiter *waiter = &waiters[writer->ref][i];
        *waiter = (struct counted_waiter){{NULL, count_ack}, writer};
        mutex_lock(writer->shard_lock);
        wal_batch_begin(writer->wal);
        if (i == 0)
            declare(writer->wal, writer->ref);
        wal_log_sample(writer->wal, (struct series_ref){writer->ref}, (struct sample){i, i});
        wal_batch_end(writer->wal);
        bool is_durable = wal_wait(writer->wal, &waiter->base);
        mutex_unlock(writer->shard_lock);
        if (is_durable)
            counter_add(&writer->acked, 1);
    }
}

static uint64_t acked_of(const struct writer *writers)
{
    uint64_t acked = 0;
    for (size_t i = 0; i < WRITERS; i++)
        acked += counter_get(&writers[i].acked);
    return acked;
}

TEST(writers_go_on_while_a_commit_is_under_way)
{
    static struct heard heard;
    struct error err;
    struct journal journal;
    struct sim_disk *sim = journal_disk(1);
    journal_open(&journal, sim, 4096, 0);
    struct mutex shard_lock;
    mutex_init(&shard_lock);
    struct writer writers[WRITERS] = {0};
    for (uint32_t i = 0; i < WRITERS; i++) {
        writers[i].wal = journal.wal;
        writers[i].shard_lock = &shard_lock;
        writers[i].ref = i;
        thread_start(&writers[i].thread, "writer", run_writer, &writers[i]);
    }
    while (acked_of(writers) < WRITERS * WRITES)
        expect_ok(wal_commit(journal.wal, &err));
    for (uint32_t i = 0; i < WRITERS; i++)
        thread_join(&writers[i].thread);
    journal_close(&journal);
    mutex_deinit(&shard_lock);
    expect_ok(hear(sim, 0, &heard, &err));
    assert_int_equal(heard.count, WRITERS * WRITES);
    int64_t next[WRITERS] = {0};
    for (size_t i = 0; i < heard.count; i++)
        assert_int_equal(heard.samples[i].ts_ms, next[heard.refs[i].value]++);
    sim_disk_free(sim);
}

TEST_MAIN(RUN(the_example_of_the_format_page_reads_and_writes_the_same_bytes),
          RUN(any_sequence_of_refs_timestamps_and_values_comes_back_bit_by_bit),
          RUN(a_large_batch_is_several_frames_and_one_commit),
          RUN(an_epoch_that_has_ended_is_dropped_and_the_next_one_stays),
          RUN(a_new_run_writes_an_epoch_that_no_file_has),
          RUN(a_waiter_is_told_once_what_it_waits_for_is_durable),
          RUN(a_failed_commit_refuses_keeps_and_writes_again),
          RUN(what_waits_of_an_epoch_that_blocks_cover_is_durable_and_not_written),
          RUN(a_segment_that_can_neither_be_begun_nor_deleted_goes_with_its_epoch),
          RUN(a_segment_that_was_given_up_is_read_as_far_as_it_was_durable),
          RUN(a_frame_counts_only_at_its_own_place),
          RUN(unknown_records_are_skipped_if_they_say_so_and_refused_otherwise),
          RUN(broken_records_count_as_damage_and_do_not_stop_the_start),
          RUN(a_segment_of_another_version_is_refused_not_guessed_at),
          RUN(names_of_segments_are_read_strictly), RUN(writers_go_on_while_a_commit_is_under_way))
