#include "tests/tsdb/wal_listener.h"

#include <stdio.h>

#include "base/disk.h"
#include "tests/support/test.h"
#include "tests/tsdb/wal_journal.h"

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

enum status hear(struct sim_disk *sim, uint32_t covered_epoch, struct heard *heard,
                 struct error *err)
{
    *heard = (struct heard){0};
    struct wal_replay_handler handler = {
        .context = heard, .series = hear_series, .samples = hear_samples, .epoch = hear_epoch};
    struct disk *disk = sim_disk_disk(sim);
    const struct wal_replay_options options = {.disk = disk,
                                               .folder = JOURNAL_FOLDER,
                                               .shard = JOURNAL_SHARD,
                                               .covered_epoch = covered_epoch,
                                               .handler = &handler};
    enum status status = wal_replay(&options, &heard->report, err);
    disk_close(disk);
    return status;
}
