#include "tests/tsdb/wal_journal.h"

#include "tests/support/test.h"

#include <stdio.h>

struct sample journal_sample(size_t entry)
{
    /* long fractions, integers and a stale marker now and then */
    static const double fractions[] = {0, 0.1, 1.0 / 3};
    double value = (double)entry + fractions[entry % 3];
    if (entry % 97 == 96)
        value = f64_from_bits(STALE_NAN_BITS);
    return (struct sample){1700000000000 + (int64_t)(entry / JOURNAL_SERIES) * 15000, value};
}

static const struct tenant_id acme = {.len = 4, .text = "acme"};

static void declare(struct journal *journal, uint32_t series)
{
    uint32_t epoch = wal_epoch(journal->wal);
    if (journal->declared_in[series] == epoch)
        return;
    journal->declared_in[series] = epoch;
    char number[16];
    int len = snprintf(number, sizeof number, "%u", series);
    struct label labels[] = {{LABEL_METRIC_NAME, STR("requests_total")},
                             {STR("series"), {number, (size_t)len}}};
    wal_log_series(journal->wal, (struct series_ref){series}, &acme, (struct labels){labels, 2});
}

void journal_log(struct journal *journal, size_t count)
{
    wal_batch_begin(journal->wal);
    for (; count > 0; count--) {
        uint32_t series = (uint32_t)(journal->logged % JOURNAL_SERIES);
        declare(journal, series);
        wal_log_sample(journal->wal, (struct series_ref){series}, journal_sample(journal->logged));
        journal->logged++;
    }
    wal_batch_end(journal->wal);
    assert_true(journal->logged <= JOURNAL_ENTRIES_MAX);
}

void declare_series(struct wal *wal, uint32_t ref)
{
    struct label labels[] = {{LABEL_METRIC_NAME, STR("m")}};
    wal_log_series(wal, (struct series_ref){ref}, &acme, (struct labels){labels, 1});
}

static void told(struct wal_waiter *base, enum status status)
{
    struct journal_waiter *waiter = (struct journal_waiter *)base;
    if (status != STATUS_OK)
        waiter->journal->refused++;
    else if (waiter->logged > waiter->journal->acked)
        waiter->journal->acked = waiter->logged;
}

void journal_wait(struct journal *journal)
{
    assert_true(journal->waiter_count < JOURNAL_WAITERS_MAX);
    struct journal_waiter *waiter = &journal->waiters[journal->waiter_count++];
    *waiter =
        (struct journal_waiter){.base.done = told, .journal = journal, .logged = journal->logged};
    wal_batch_begin(journal->wal);
    bool is_durable = wal_wait(journal->wal, &waiter->base);
    wal_batch_end(journal->wal);
    if (is_durable)
        told(&waiter->base, STATUS_OK);
}

struct sim_disk *journal_disk(uint64_t seed)
{
    struct error err;
    struct sim_disk *sim = sim_disk_new(seed);
    struct disk *disk = sim_disk_disk(sim);
    expect_ok(disk_make_dir(disk, JOURNAL_FOLDER, &err));
    expect_ok(disk_sync_dir(disk, "", &err));
    disk_close(disk);
    return sim;
}

void journal_open(struct journal *journal, struct sim_disk *sim, uint64_t segment_bytes,
                  uint32_t epoch_after)
{
    struct error err;
    *journal = (struct journal){.disk = sim_disk_disk(sim)};
    struct wal_options options = {.disk = journal->disk,
                                  .folder = JOURNAL_FOLDER,
                                  .shard = JOURNAL_SHARD,
                                  .segment_bytes = segment_bytes,
                                  .batch_max_bytes = 1 << 20,
                                  .epoch_after = epoch_after};
    expect_ok(wal_open(&options, &journal->wal, &err));
}

void journal_close(struct journal *journal)
{
    wal_close(journal->wal);
    disk_close(journal->disk);
}

static enum status take_series(void *context, struct series_ref ref, struct str tenant,
                               struct labels labels, struct error *err)
{
    (void)err;
    struct replayed *replayed = context;
    expect_str(tenant, "acme");
    assert_int_equal(labels.count, 2);
    expect_str(labels.ptr[0].name, "__name__");
    expect_str(labels.ptr[0].value, "requests_total");
    expect_str(labels.ptr[1].name, "series");
    assert_true(ref.value < 64);
    assert_int_equal(labels.ptr[1].value.len, 1);
    replayed->series_of_ref[ref.value] = (size_t)(labels.ptr[1].value.ptr[0] - '0');
    return STATUS_OK;
}

static void take_sample(struct replayed *replayed, const struct logged_sample *logged)
{
    int64_t round = (logged->sample.ts_ms - 1700000000000) / 15000;
    size_t entry = (size_t)round * JOURNAL_SERIES + replayed->series_of_ref[logged->ref.value];
    struct sample want = journal_sample(entry);
    assert_int_equal(logged->sample.ts_ms, want.ts_ms);
    assert_memory_equal(&logged->sample.value, &want.value, sizeof want.value);
    assert_true(replayed->count < JOURNAL_ENTRIES_MAX);
    replayed->entries[replayed->count++] = entry;
}

static enum status take_samples(void *context, const struct logged_sample *samples, size_t count,
                                struct error *err)
{
    (void)err;
    for (size_t i = 0; i < count; i++)
        take_sample(context, &samples[i]);
    return STATUS_OK;
}

static void take_epoch(void *context, uint32_t epoch)
{
    (void)epoch;
    struct replayed *replayed = context;
    for (size_t i = 0; i < 64; i++)
        replayed->series_of_ref[i] = SIZE_MAX / 2;
}

enum status journal_replay(struct sim_disk *sim, uint32_t covered_epoch, struct replayed *out,
                           struct error *err)
{
    *out = (struct replayed){0};
    struct wal_replay_handler handler = {
        .context = out, .series = take_series, .samples = take_samples, .epoch = take_epoch};
    struct disk *disk = sim_disk_disk(sim);
    const struct wal_replay_options options = {.disk = disk,
                                               .folder = JOURNAL_FOLDER,
                                               .shard = JOURNAL_SHARD,
                                               .covered_epoch = covered_epoch,
                                               .handler = &handler};
    enum status status = wal_replay(&options, &out->report, err);
    disk_close(disk);
    return status;
}

void journal_expect_prefix(const struct journal *journal, const struct replayed *replayed)
{
    for (size_t i = 0; i < replayed->count; i++)
        assert_int_equal(replayed->entries[i], journal->covered + i);
    assert_true(journal->covered + replayed->count >= journal->acked);
    assert_true(journal->covered + replayed->count <= journal->logged);
    assert_int_equal(replayed->report.samples, replayed->count);
    assert_int_equal(replayed->report.damaged_frames, 0);
    assert_int_equal(replayed->report.unknown_series, 0);
}
