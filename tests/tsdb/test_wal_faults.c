#include "tests/support/test.h"

#include "base/disk.h"
#include "tests/tsdb/wal_journal.h"
#include "tsdb/wal/wal_segment.h"

/* A request, and a commit after every third: some requests share a commit. */
static void request(struct journal *journal, size_t number)
{
    struct error err;
    if (wal_is_writable(journal->wal)) {
        journal_log(journal, 1 + number % 11);
        journal_wait(journal);
    }
    if (number % 3 == 2) {
        enum status status = wal_commit(journal->wal, &err);
        (void)status; /* the waiters know */
    }
}

/* Ends an epoch as a flush does: what it covers is in a block, so it may go. */
static void flush(struct journal *journal)
{
    struct error err;
    size_t logged = journal->logged;
    uint32_t ended = wal_end_epoch(journal->wal);
    request(journal, 0);
    journal->covered_epoch = ended;
    journal->covered = logged;
    enum status status = wal_drop(journal->wal, ended, &err);
    (void)status; /* it stays, and is dropped by the next one */
}

/* 36 requests, small segments, two flushes. */
static void run_workload(struct journal *journal)
{
    struct error err;
    for (size_t i = 0; i < 36; i++) {
        request(journal, i);
        if (i % 15 == 13)
            flush(journal);
    }
    enum status status = wal_commit(journal->wal, &err);
    (void)status;
}

enum { SEGMENT_BYTES = 700 };

static uint64_t count_operations(void)
{
    struct journal journal;
    struct sim_disk *sim = journal_disk(1);
    journal_open(&journal, sim, SEGMENT_BYTES, 0);
    uint64_t before = sim_disk_operation_count(sim);
    run_workload(&journal);
    assert_int_equal(journal.acked, journal.logged);
    uint64_t operations = sim_disk_operation_count(sim) - before;
    journal_close(&journal);
    sim_disk_free(sim);
    return operations;
}

static void expect_replay_twice(const struct journal *journal, struct sim_disk *sim)
{
    struct error err;
    static struct replayed first, second;
    expect_ok(journal_replay(sim, journal->covered_epoch, &first, &err));
    expect_ok(journal_replay(sim, journal->covered_epoch, &second, &err));
    journal_expect_prefix(journal, &first);
    assert_memory_equal(&first, &second, sizeof first);
}

static void cut_power_at(uint64_t operation, enum power_cut cut, uint64_t seed)
{
    static struct journal journal;
    struct sim_disk *sim = journal_disk(seed);
    journal_open(&journal, sim, SEGMENT_BYTES, 0);
    sim_disk_cut_power_at(sim, sim_disk_operation_count(sim) + operation);
    run_workload(&journal);
    journal_close(&journal);
    sim_disk_restore_power(sim, cut);
    expect_replay_twice(&journal, sim);

    /* the server goes on in a new epoch: nothing of before changes */
    static struct journal next;
    struct error err;
    static struct replayed before, after;
    expect_ok(journal_replay(sim, journal.covered_epoch, &before, &err));
    journal_open(&next, sim, SEGMENT_BYTES, journal.covered_epoch);
    next.logged = journal.covered + before.count;
    journal_log(&next, 5);
    journal_wait(&next);
    expect_ok(wal_commit(next.wal, &err));
    journal_close(&next);
    next.covered = journal.covered;
    expect_ok(journal_replay(sim, journal.covered_epoch, &after, &err));
    journal_expect_prefix(&next, &after);
    sim_disk_free(sim);
}

TEST(a_power_cut_at_any_operation_loses_nothing_acknowledged)
{
    uint64_t seed = test_seed(11), operations = count_operations();
    for (uint64_t operation = 0; operation <= operations; operation++) {
        cut_power_at(operation, POWER_CUT_DROP_ALL, seed);
        for (uint64_t round = 0; round < 3; round++) {
            cut_power_at(operation, POWER_CUT_KEEP_SOME, seed + round);
            cut_power_at(operation, POWER_CUT_TORN_TAIL, seed + round);
        }
    }
}

/* By itself it has recovered: the next request is taken and acknowledged. */
static void expect_recovered(struct journal *journal, struct sim_disk *sim)
{
    struct error err;
    expect_ok(wal_commit(journal->wal, &err));
    assert_true(wal_is_writable(journal->wal));
    journal_log(journal, 3);
    journal_wait(journal);
    expect_ok(wal_commit(journal->wal, &err));
    assert_int_equal(journal->acked, journal->logged);
    journal_close(journal);
    expect_replay_twice(journal, sim);
    sim_disk_restore_power(sim, POWER_CUT_DROP_ALL);
    expect_replay_twice(journal, sim);
    sim_disk_free(sim);
}

static void fail_at(uint64_t operation, enum status status, uint64_t seed)
{
    static struct journal journal;
    struct sim_disk *sim = journal_disk(seed);
    journal_open(&journal, sim, SEGMENT_BYTES, 0);
    sim_disk_fail_at(sim, sim_disk_operation_count(sim) + operation, status);
    run_workload(&journal);
    expect_recovered(&journal, sim);
}

TEST(any_operation_may_fail_once)
{
    uint64_t seed = test_seed(12), operations = count_operations();
    for (uint64_t operation = 0; operation < operations; operation++) {
        fail_at(operation, STATUS_IO, seed);
        fail_at(operation, STATUS_UNAVAILABLE, seed);
    }
}

static void fill_disk_at(uint64_t capacity_bytes)
{
    static struct journal journal;
    struct sim_disk *sim = journal_disk(7);
    journal_open(&journal, sim, 1 << 20, 0);
    sim_disk_set_capacity(sim, capacity_bytes);
    for (size_t i = 0; i < 12; i++)
        request(&journal, i);
    struct name_list files;
    sim_disk_files(sim, &files);
    assert_true(files.count <= 1); /* a full disk does not fill with empty segments */
    name_list_deinit(&files);
    sim_disk_set_capacity(sim, 1 << 30);
    expect_recovered(&journal, sim);
}

TEST(a_disk_that_fills_at_any_byte_takes_writes_again_once_there_is_space)
{
    for (uint64_t capacity_bytes = 0; capacity_bytes < 900; capacity_bytes++)
        fill_disk_at(capacity_bytes);
}

/* ---- damage ---- */

/* One commit per entry of `counts`; every commit is one frame. */
static struct sim_disk *write_log(struct journal *journal, const size_t *counts, size_t count,
                                  uint64_t segment_bytes)
{
    struct error err;
    struct sim_disk *sim = journal_disk(5);
    journal_open(journal, sim, segment_bytes, 0);
    for (size_t i = 0; i < count; i++) {
        journal_log(journal, counts[i]);
        journal_wait(journal);
        expect_ok(wal_commit(journal->wal, &err));
    }
    assert_int_equal(journal->acked, journal->logged);
    journal_close(journal);
    return sim;
}

static const size_t commit_sizes[] = {7, 5, 9, 30, 4, 6};
enum { COMMITS = sizeof commit_sizes / sizeof *commit_sizes };

static uint64_t size_of(struct sim_disk *sim, const char *path)
{
    struct error err;
    struct disk *disk = sim_disk_disk(sim);
    struct file *file;
    uint64_t size_bytes;
    expect_ok(disk_open(disk, path, &file, &err));
    expect_ok(file_size(file, &size_bytes, &err));
    file_close(file);
    disk_close(disk);
    return size_bytes;
}

/* The same without the zeros that were written ahead, which nobody misses. */
static uint64_t written_size_of(struct sim_disk *sim, const char *path)
{
    struct error err;
    struct disk *disk = sim_disk_disk(sim);
    struct bytes bytes;
    struct file *file;
    expect_ok(disk_open(disk, path, &file, &err));
    expect_ok(file_map(file, &bytes, &err));
    while (bytes.len > 0 && bytes.ptr[bytes.len - 1] == 0)
        bytes.len--;
    file_close(file);
    disk_close(disk);
    return bytes.len;
}

/* What a damaged log gives back: logged entries in order, and a word about each loss. */
static void expect_honest(const struct journal *journal, const struct replayed *replayed)
{
    const struct wal_replay_report *report = &replayed->report;
    for (size_t i = 1; i < replayed->count; i++)
        assert_true(replayed->entries[i - 1] < replayed->entries[i]);
    assert_true(report->frames + 1 >= COMMITS);
    if (replayed->count < journal->logged)
        assert_true(report->damaged_frames > 0 || report->torn_tail_bytes > 0);
    /* only the last commit may pass for torn */
    if (report->damaged_frames == 0)
        assert_true(replayed->count >= journal->logged - commit_sizes[COMMITS - 1]);
}

static void expect_flips_are_found(uint64_t segment_bytes, size_t segment_count)
{
    static struct journal journal;
    static struct replayed replayed;
    struct error err;
    struct sim_disk *sim = write_log(&journal, commit_sizes, COMMITS, segment_bytes);
    struct name_list files;
    sim_disk_files(sim, &files);
    assert_int_equal(files.count, segment_count);
    for (size_t f = 0; f < files.count; f++) {
        uint64_t size_bytes = size_of(sim, files.names[f]);
        for (uint64_t offset = 0; offset < size_bytes; offset++) {
            uint8_t mask = (uint8_t)(1U << offset % 8);
            sim_disk_flip(sim, files.names[f], offset, mask);
            expect_ok(journal_replay(sim, 0, &replayed, &err));
            expect_honest(&journal, &replayed);
            sim_disk_flip(sim, files.names[f], offset, mask);
        }
    }
    expect_ok(journal_replay(sim, 0, &replayed, &err));
    journal_expect_prefix(&journal, &replayed);
    name_list_deinit(&files);
    sim_disk_free(sim);
}

TEST(a_flipped_byte_costs_at_most_the_frame_it_is_in)
{
    expect_flips_are_found(1 << 20, 1);
    expect_flips_are_found(200, 4);
}

/* Where the second frame begins: where a log of one commit ends. */
static uint64_t second_frame_offset(size_t first_commit)
{
    static struct journal first;
    struct sim_disk *shorter = write_log(&first, &first_commit, 1, 1 << 20);
    uint64_t offset = written_size_of(shorter, "wal/0000000001-000001.log");
    sim_disk_free(shorter);
    return offset;
}

/* A value that is told by one in the lost frame is lost too; each series is whole again at its next
   value in full. */
TEST(damage_in_the_middle_is_reported_and_what_follows_is_read)
{
    enum { ROUNDS = 50 };
    static struct journal journal;
    static struct replayed replayed;
    struct error err;
    size_t counts[ROUNDS];
    for (size_t i = 0; i < ROUNDS; i++)
        counts[i] = JOURNAL_SERIES;
    struct sim_disk *sim = write_log(&journal, counts, ROUNDS, 1 << 20);
    sim_disk_flip(sim, "wal/0000000001-000001.log", second_frame_offset(JOURNAL_SERIES) + 30, 0x10);
    expect_ok(journal_replay(sim, 0, &replayed, &err));
    const struct wal_replay_report *report = &replayed.report;
    assert_int_equal(report->damaged_frames, 1);
    assert_int_equal(report->torn_tail_bytes, 0);
    assert_int_equal(replayed.count, journal.logged - JOURNAL_SERIES - report->lost_samples);
    assert_true(report->lost_samples > 0);
    /* the second round and those that rest on it, 16 in all; nothing behind is missing */
    size_t behind = (1 + 16) * JOURNAL_SERIES;
    assert_true(replayed.count >= JOURNAL_SERIES + journal.logged - behind);
    for (size_t i = 0; i < journal.logged - behind; i++)
        assert_int_equal(replayed.entries[replayed.count - 1 - i], journal.logged - 1 - i);
    sim_disk_free(sim);
}

TEST(samples_whose_declaration_was_lost_are_counted_not_given)
{
    static struct journal journal;
    static struct replayed replayed;
    struct error err;
    struct sim_disk *sim = write_log(&journal, commit_sizes, COMMITS, 1 << 20);
    sim_disk_flip(sim, "wal/0000000001-000001.log", SEGMENT_HEADER_BYTES + 30, 0x01);
    expect_ok(journal_replay(sim, 0, &replayed, &err));
    assert_int_equal(replayed.count, 0);
    assert_true(replayed.report.unknown_series > 0);
    assert_int_equal(replayed.report.unknown_series + replayed.report.lost_samples,
                     journal.logged - commit_sizes[0]);
    assert_int_equal(replayed.report.damaged_frames, 1);
    sim_disk_free(sim);
}

TEST(a_log_cut_at_any_byte_gives_what_comes_before)
{
    static struct journal journal;
    static struct replayed replayed;
    struct error err;
    uint64_t size_bytes = SIZE_MAX;
    for (uint64_t len = 0; len < size_bytes; len++) {
        struct sim_disk *sim = write_log(&journal, commit_sizes, COMMITS, 1 << 20);
        size_bytes = written_size_of(sim, "wal/0000000001-000001.log");
        sim_disk_truncate(sim, "wal/0000000001-000001.log", len);
        expect_ok(journal_replay(sim, 0, &replayed, &err));
        for (size_t i = 0; i < replayed.count; i++)
            assert_int_equal(replayed.entries[i], i);
        assert_true(replayed.count < journal.logged);
        assert_int_equal(replayed.report.damaged_frames, 0);
        sim_disk_free(sim);
    }
}

TEST(a_lost_or_shortened_segment_in_the_middle_is_reported)
{
    static struct journal journal;
    static struct replayed replayed;
    struct error err;
    struct sim_disk *sim = write_log(&journal, commit_sizes, COMMITS, 200);
    struct disk *disk = sim_disk_disk(sim);
    sim_disk_truncate(sim, "wal/0000000001-000002.log", SEGMENT_HEADER_BYTES);
    expect_ok(journal_replay(sim, 0, &replayed, &err));
    assert_true(replayed.report.damaged_frames > 0);
    expect_ok(disk_unlink(disk, "wal/0000000001-000002.log", &err));
    expect_ok(journal_replay(sim, 0, &replayed, &err));
    assert_true(replayed.report.damaged_frames > 0);
    assert_int_equal(replayed.entries[0], 0);
    assert_int_equal(replayed.entries[replayed.count - 1], journal.logged - 1);
    disk_close(disk);
    sim_disk_free(sim);
}

TEST(zeros_and_stale_frames_of_other_places_are_never_taken_for_data)
{
    static struct journal journal;
    static struct replayed replayed;
    struct error err;
    struct sim_disk *sim = write_log(&journal, commit_sizes, COMMITS, 1 << 20);
    struct disk *disk = sim_disk_disk(sim);
    static uint8_t zeros[1 << 16];
    struct file *file;
    expect_ok(disk_create(disk, "wal/0000000001-000002.log", &file, &err));
    expect_ok(file_append(file, (struct bytes){zeros, sizeof zeros}, &err));
    file_close(file);
    /* under another name the same bytes are another file's */
    uint64_t torn_bytes = written_size_of(sim, "wal/0000000001-000001.log") - SEGMENT_HEADER_BYTES;
    expect_ok(disk_rename(disk, "wal/0000000001-000001.log", "wal/0000000001-000003.log", &err));
    expect_ok(journal_replay(sim, 0, &replayed, &err));
    assert_int_equal(replayed.count, 0);
    assert_int_equal(replayed.report.torn_tail_bytes, torn_bytes);
    disk_close(disk);
    sim_disk_free(sim);
}

TEST_MAIN(RUN(a_power_cut_at_any_operation_loses_nothing_acknowledged),
          RUN(any_operation_may_fail_once),
          RUN(a_disk_that_fills_at_any_byte_takes_writes_again_once_there_is_space),
          RUN(a_flipped_byte_costs_at_most_the_frame_it_is_in),
          RUN(damage_in_the_middle_is_reported_and_what_follows_is_read),
          RUN(samples_whose_declaration_was_lost_are_counted_not_given),
          RUN(a_log_cut_at_any_byte_gives_what_comes_before),
          RUN(a_lost_or_shortened_segment_in_the_middle_is_reported),
          RUN(zeros_and_stale_frames_of_other_places_are_never_taken_for_data))
