#include <inttypes.h>

#include "inspect/text.h"
#include "inspect/topic.h"
#include "tsdb/files/filenames.h"
#include "tsdb/index/ref_set.h"
#include "tsdb/wal/wal.h"

enum { LINE_MAX_BYTES = 1 << 20 };

struct log_view {
    struct topic *topic;
    struct ref_set shown; /* refs of the epoch whose tenant is covered */
    struct buffer line;
};

static void show_segment(void *context, const struct wal_segment_view *segment)
{
    const struct log_view *view = context;
    FILE *out = topic_out(view->topic);
    fprintf(out, "  segment " WAL_FILE_FORMAT ", %" PRIu64 " bytes", segment->epoch,
            segment->number, segment->size_bytes);
    if (!segment->has_header)
        fprintf(out, ", no good header");
    else if (segment->previous_epoch == 0)
        fprintf(out, ", first of a run");
    else
        fprintf(out, ", behind " WAL_FILE_FORMAT " with %" PRIu64 " bytes", segment->previous_epoch,
                segment->previous_number, segment->previous_bytes);
    if (segment->torn_tail_bytes > 0)
        fprintf(out, ", given up at %" PRIu64, segment->limit_bytes);
    fprintf(out, "\n");
}

static void show_frame(void *context, const struct wal_frame_view *frame)
{
    const struct log_view *view = context;
    fprintf(topic_out(view->topic),
            "    frame at %" PRIu64 ": %u bytes of records, %u stored, %u unsynced before\n",
            frame->offset, frame->raw_len, frame->stored_len, frame->unsynced_bytes);
}

static void show_segment_end(void *context, const struct wal_segment_view *segment)
{
    struct log_view *view = context;
    FILE *out = topic_out(view->topic);
    if (segment->torn_tail_bytes > 0)
        fprintf(out, "    torn tail of %" PRIu64 " bytes\n", segment->torn_tail_bytes);
    if (segment->damaged_frames > 0)
        fprintf(out, "    damaged: %" PRIu64 " places\n", segment->damaged_frames);
    view->topic->wrong += segment->damaged_frames > 0;
}

static enum status show_series(void *context, struct series_ref ref, struct str tenant,
                               struct labels labels, struct error *err)
{
    struct log_view *view = context;
    (void)err;
    if (!topic_covers_tenant(view->topic, tenant))
        return STATUS_OK;
    ref_set_add(&view->shown, ref.value);
    buffer_reset(&view->line);
    labels_print(&view->line, labels, LINE_MAX_BYTES / 2);
    fprintf(topic_out(view->topic), "      series %u of %.*s: %.*s\n", ref.value, STR_ARG(tenant),
            STR_ARG(buffer_str(&view->line)));
    return STATUS_OK;
}

static void show_sample(struct log_view *view, const struct logged_sample *logged)
{
    if (!ref_set_has(&view->shown, logged->ref.value))
        return;
    buffer_reset(&view->line);
    append_exact_f64(&view->line, logged->sample.value);
    fprintf(topic_out(view->topic), "      sample %u %" PRId64 " %.*s\n", logged->ref.value,
            logged->sample.ts_ms, STR_ARG(buffer_str(&view->line)));
}

static enum status show_samples(void *context, const struct logged_sample *samples, size_t count,
                                struct error *err)
{
    (void)err;
    for (size_t i = 0; i < count; i++)
        show_sample(context, &samples[i]);
    return STATUS_OK;
}

static void begin_epoch(void *context, uint32_t epoch)
{
    struct log_view *view = context;
    (void)epoch;
    ref_set_reset(&view->shown);
}

static enum status show_shard(struct log_view *view, uint32_t shard, struct error *err)
{
    char folder[DISK_PATH_MAX];
    uint32_t covered_epoch;
    TRY(topic_covered_epoch(view->topic, shard, &covered_epoch, err));
    fprintf(topic_out(view->topic), "shard %u, epochs up to %u are in blocks\n", shard,
            covered_epoch);
    shard_file_path(folder, shard, WAL_FOLDER, "");
    const struct wal_observer observer = {.context = view,
                                          .segment = show_segment,
                                          .frame = show_frame,
                                          .segment_end = show_segment_end};
    const struct wal_replay_handler handler = {.context = view,
                                               .observer = &observer,
                                               .series = show_series,
                                               .samples = show_samples,
                                               .epoch = begin_epoch};
    struct wal_replay_report report = {0};
    const struct wal_replay_options options = {.disk = view->topic->inspection->disk,
                                               .folder = folder,
                                               .shard = shard,
                                               .covered_epoch = covered_epoch,
                                               .handler = &handler};
    enum status status = wal_replay(&options, &report, err);
    if (report.unknown_series > 0)
        fprintf(topic_out(view->topic), "  %" PRIu64 " samples of undeclared series\n",
                report.unknown_series);
    if (report.lost_samples > 0)
        fprintf(topic_out(view->topic), "  %" PRIu64 " samples that rest on a damaged frame\n",
                report.lost_samples);
    return topic_pass_damage(view->topic, status, err);
}

enum status show_log(struct topic *topic, struct error *err)
{
    struct log_view view = {.topic = topic};
    enum status status = STATUS_OK;
    ref_set_init(&view.shown);
    buffer_init(&view.line, LINE_MAX_BYTES);
    for (uint32_t shard = 0; shard < topic->shard_count && status == STATUS_OK; shard++) {
        if (topic_covers_shard(topic, shard))
            status = show_shard(&view, shard, err);
    }
    buffer_deinit(&view.line);
    ref_set_deinit(&view.shown);
    return status;
}
