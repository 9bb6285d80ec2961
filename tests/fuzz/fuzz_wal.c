/*
 * fuzz_wal: any bytes as the records of a frame are handed over as samples of declared series, or
 * are counted as damage, or refused; any bytes as a segment are read past.
 */
#include "base/check.h"
#include "base/sim_disk.h"
#include "tsdb/wal/wal_frame.h"
#include "tsdb/wal/wal_record.h"
#include "tsdb/wal/wal_segment.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { SIZE_MAX_BYTES = 1 << 16 };

struct heard {
    uint64_t series;
    uint64_t samples;
};

static enum status hear_series(void *context, struct series_ref ref, struct str tenant,
                               struct labels labels, struct error *err)
{
    (void)ref;
    (void)err;
    struct heard *heard = context;
    heard->series++;
    CHECK(tenant.len <= SIZE_MAX_BYTES);
    for (size_t i = 0; i < labels.count; i++)
        CHECK(labels.ptr[i].name.len + labels.ptr[i].value.len <= SIZE_MAX_BYTES);
    return STATUS_OK;
}

static enum status hear_samples(void *context, const struct logged_sample *samples, size_t count,
                                struct error *err)
{
    (void)samples;
    (void)err;
    struct heard *heard = context;
    CHECK(count > 0);
    CHECK(heard->series > 0);
    heard->samples += count;
    return STATUS_OK;
}

static void hear_epoch(void *context, uint32_t epoch)
{
    (void)context;
    CHECK(epoch == 1);
}

static void replay(struct bytes segment)
{
    struct error err;
    struct file *file;
    struct heard heard = {0};
    struct wal_replay_report report;
    struct wal_replay_handler handler = {
        .context = &heard, .series = hear_series, .samples = hear_samples, .epoch = hear_epoch};
    struct sim_disk *sim = sim_disk_new(1);
    struct disk *disk = sim_disk_disk(sim);
    CHECK(disk_make_dir(disk, "wal", &err) == STATUS_OK);
    CHECK(disk_create(disk, "wal/0000000001-000001.log", &file, &err) == STATUS_OK);
    CHECK(file_append(file, segment, &err) == STATUS_OK);
    file_close(file);
    const struct wal_replay_options options = {
        .disk = disk, .folder = "wal", .shard = 3, .handler = &handler};
    enum status status = wal_replay(&options, &report, &err);
    CHECK(status == STATUS_OK || status == STATUS_CORRUPT);
    CHECK(report.samples == heard.samples);
    disk_close(disk);
    sim_disk_free(sim);
}

/* The records as a frame of a segment that is otherwise good. */
static void replay_records(struct bytes records)
{
    struct buffer segment;
    buffer_init(&segment, 1 << 20);
    struct segment_header header = {.shard = 3, .id = {1, 1}};
    segment_header_encode(&segment, &header);
    struct frame_place place = {3, 1, 1, SEGMENT_HEADER_BYTES};
    frame_encode(&segment, &place, SEGMENT_HEADER_BYTES, records);
    replay(buffer_bytes(&segment));
    buffer_deinit(&segment);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size == 0 || size > SIZE_MAX_BYTES)
        return 0;
    replay((struct bytes){data, size});
    replay_records((struct bytes){data, size});
    return 0;
}
