/* What a log takes, tells its writers and gives back. */
#include "tests/support/test.h"

#include "base/disk.h"
#include "base/mem.h"
#include "tests/tsdb/wal_journal.h"
#include "tests/tsdb/wal_listener.h"

/* ---- what is logged comes back ---- */

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
            declare_series(journal.wal, refs[i]);
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
    struct tenant_id acme = {.len = 4, .text = "acme"};
    struct label labels[] = {{LABEL_METRIC_NAME, {text, WAL_SERIES_BYTES_MAX - 64}}};
    wal_batch_begin(journal.wal);
    wal_log_series(journal.wal, (struct series_ref){0}, &acme, (struct labels){labels, 1});
    for (uint32_t i = 1; i < COUNT; i++) {
        declare_series(journal.wal, i);
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
    const struct wal_replay_options options = {
        .disk = disk, .folder = JOURNAL_FOLDER, .shard = JOURNAL_SHARD, .handler = &handler};
    expect_ok(wal_replay(&options, &report, &err));
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

/* A flush that ends while the disk is full: what it has made durable need not be
   logged any more. */
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
    /* created, no whole header written, not deleted */
    sim_disk_fail_at(sim, sim_disk_operation_count(sim) + 2, STATUS_IO);
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

TEST_MAIN(RUN(any_sequence_of_refs_timestamps_and_values_comes_back_bit_by_bit),
          RUN(a_large_batch_is_several_frames_and_one_commit),
          RUN(an_epoch_that_has_ended_is_dropped_and_the_next_one_stays),
          RUN(a_new_run_writes_an_epoch_that_no_file_has),
          RUN(a_waiter_is_told_once_what_it_waits_for_is_durable),
          RUN(a_failed_commit_refuses_keeps_and_writes_again),
          RUN(what_waits_of_an_epoch_that_blocks_cover_is_durable_and_not_written),
          RUN(a_segment_that_can_neither_be_begun_nor_deleted_goes_with_its_epoch))
