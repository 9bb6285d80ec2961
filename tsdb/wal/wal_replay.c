#include "base/mem.h"
#include "tsdb/index/ref_set.h"
#include "tsdb/wal/wal.h"
#include "tsdb/wal/wal_reader.h"
#include "tsdb/wal/wal_record.h"

struct replay {
    struct disk *disk;
    const char *folder;
    uint32_t shard;
    uint32_t covered_epoch;
    struct segment_id *segments; /* to read, in the order in which they were written */
    size_t count;
    size_t capacity;
    uint32_t epoch; /* whose declarations `declared` holds; 0 before the first */
    struct ref_set declared;
    struct last_values last;
    struct sample_list *samples;
    struct arena arena;
    const struct wal_replay_handler *handler;
    struct wal_replay_report *report;
};

/* ---- what there is ---- */

static void add_segment(struct replay *replay, struct segment_id id)
{
    size_t at = replay->count++;
    replay->segments =
        mem_grow(replay->segments, &replay->capacity, replay->count, sizeof *replay->segments);
    for (; at > 0 && segment_id_compare(replay->segments[at - 1], id) > 0; at--)
        replay->segments[at] = replay->segments[at - 1];
    replay->segments[at] = id;
}

static enum status list_segments(struct replay *replay, struct error *err)
{
    struct name_list names;
    TRY(disk_list(replay->disk, replay->folder, &names, err));
    for (size_t i = 0; i < names.count; i++) {
        struct segment_id id;
        if (!segment_id_parse(str_from(names.names[i]), &id))
            continue;
        if (id.epoch > replay->report->last_epoch)
            replay->report->last_epoch = id.epoch;
        if (id.epoch > replay->covered_epoch)
            add_segment(replay, id);
    }
    name_list_deinit(&names);
    return STATUS_OK;
}

static enum status read_header(struct replay *replay, struct segment_id id,
                               struct segment_header *header, enum segment_header_state *state,
                               struct error *err)
{
    struct wal_reader reader;
    TRY(wal_reader_open(&reader, replay->disk, replay->folder, replay->shard, id, err));
    enum status status = wal_reader_header(&reader, header, state, err);
    wal_reader_close(&reader);
    return status;
}

/* ---- how far a segment counts ---- */

/* The header of the segment behind it in the list tells:
   1. it names this one: durable up to there, given up behind that;
   2. it names an earlier one: this one was given up before anything in it was durable;
   3. it names none (another run of the server), a later one (which is missing), or is damaged:
   nothing is known. */
static enum status find_limit(struct replay *replay, size_t index, struct wal_reader *reader,
                              struct error *err)
{
    struct segment_header next;
    enum segment_header_state state;
    if (index + 1 == replay->count)
        return STATUS_OK;
    TRY(read_header(replay, replay->segments[index + 1], &next, &state, err));
    if (state != SEGMENT_HEADER_GOOD || next.previous.epoch == 0)
        return STATUS_OK;
    int order = segment_id_compare(next.previous, replay->segments[index]);
    if (order == 0)
        return wal_reader_set_limit(reader, next.previous_bytes, err);
    return order < 0 ? wal_reader_set_limit(reader, 0, err) : STATUS_OK;
}

static void note_known(const struct replay *replay, struct wal_reader *reader)
{
    const struct manifest *manifest = replay->handler->manifest;
    if (manifest != NULL)
        wal_reader_set_durable(
            reader, manifest_durable_bytes(manifest, reader->id.epoch, reader->id.number));
}

/* A segment that should be there and is not: a file was lost. Epochs before the first one that is
   there were dropped. */
static void check_previous(struct replay *replay, size_t index, struct segment_id previous)
{
    if (previous.epoch < replay->segments[0].epoch)
        return;
    int order = -1;
    for (size_t i = index; i > 0 && order < 0; i--)
        order = segment_id_compare(previous, replay->segments[i - 1]);
    if (order != 0)
        replay->report->damaged_frames++;
}

/* ---- reading ---- */

static void begin_epoch(struct replay *replay, uint32_t epoch)
{
    if (epoch == replay->epoch)
        return;
    replay->epoch = epoch;
    ref_set_reset(&replay->declared);
    if (replay->handler->epoch != NULL)
        replay->handler->epoch(replay->handler->context, epoch);
}

static void call_durable(const struct replay *replay)
{
    if (replay->handler->durable != NULL)
        replay->handler->durable(replay->handler->context);
}

static void show_frame(const struct replay *replay, const struct wal_reader *reader)
{
    const struct wal_observer *observer = replay->handler->observer;
    const struct wal_frame_view frame = {.offset = reader->frame_offset,
                                         .raw_len = reader->frame.raw_len,
                                         .stored_len = reader->frame.stored_len,
                                         .unsynced_bytes = reader->frame.unsynced_bytes};
    if (observer != NULL && observer->frame != NULL)
        observer->frame(observer->context, &frame);
}

static enum status read_frames(struct replay *replay, struct wal_reader *reader, struct error *err)
{
    const struct record_sink sink = {.handler = replay->handler,
                                     .report = replay->report,
                                     .declared = &replay->declared,
                                     .last = &replay->last,
                                     .samples = replay->samples,
                                     .arena = &replay->arena};
    last_values_reset(&replay->last);
    for (;;) {
        struct bytes records;
        uint64_t damaged_frames = reader->damaged_frames;
        TRY(wal_reader_next(reader, &records, err));
        if (records.len == 0)
            return STATUS_OK;
        /* not at the first frame: the first commit of a run logs what was not proven before it */
        if (reader->frame_offset > SEGMENT_HEADER_BYTES &&
            reader->durable_bytes >= reader->frame_offset)
            call_durable(replay);
        /* whose values they were that are lost, nobody knows */
        if (reader->damaged_frames > damaged_frames)
            last_values_reset(&replay->last);
        begin_epoch(replay, reader->id.epoch);
        replay->report->frames++;
        show_frame(replay, reader);
        TRY(records_decode(&sink, records, err));
    }
}

/* A header that is not good, where something behind it is durable, is damage of its own: the frames
   do not need it. */
static void check_header_state(struct wal_reader *reader, enum segment_header_state state)
{
    if (state == SEGMENT_HEADER_DAMAGED && reader->durable_bytes > 0)
        reader->damaged_frames++;
}

static struct wal_segment_view view_segment(const struct wal_reader *reader,
                                            const struct segment_header *header,
                                            enum segment_header_state state)
{
    struct wal_segment_view view = {.epoch = reader->id.epoch,
                                    .number = reader->id.number,
                                    .has_header = state == SEGMENT_HEADER_GOOD,
                                    .size_bytes = reader->size_bytes,
                                    .limit_bytes = reader->limit_bytes,
                                    .torn_tail_bytes = reader->torn_tail_bytes};
    if (view.has_header) {
        view.previous_epoch = header->previous.epoch;
        view.previous_number = header->previous.number;
        view.previous_bytes = header->previous_bytes;
    }
    return view;
}

/* Reads on where the header has been read; `before` is the report as it was before the segment. */
static enum status read_segment_body(struct replay *replay, struct wal_reader *reader,
                                     const struct segment_header *header,
                                     enum segment_header_state state,
                                     const struct wal_replay_report *before, struct error *err)
{
    const struct wal_observer *observer = replay->handler->observer;
    struct wal_segment_view view = view_segment(reader, header, state);
    if (observer != NULL && observer->segment != NULL)
        observer->segment(observer->context, &view);
    TRY(read_frames(replay, reader, err));
    check_header_state(reader, state);
    replay->report->damaged_frames += reader->damaged_frames;
    replay->report->torn_tail_bytes += reader->torn_tail_bytes;
    view.limit_bytes = reader->limit_bytes;
    view.durable_bytes = reader->durable_bytes;
    view.frames = replay->report->frames - before->frames;
    view.damaged_frames = replay->report->damaged_frames - before->damaged_frames;
    view.torn_tail_bytes = replay->report->torn_tail_bytes - before->torn_tail_bytes;
    view.unread_samples = replay->report->unknown_series - before->unknown_series +
                          replay->report->lost_samples - before->lost_samples;
    view.is_damaged = reader->damaged_frames > 0;
    if (observer != NULL && observer->segment_end != NULL)
        observer->segment_end(observer->context, &view);
    return STATUS_OK;
}

static enum status read_segment(struct replay *replay, size_t index, struct wal_reader *reader,
                                struct error *err)
{
    const struct wal_replay_report before = *replay->report;
    struct segment_header header;
    enum segment_header_state state;
    TRY(wal_reader_header(reader, &header, &state, err));
    if (state == SEGMENT_HEADER_GOOD)
        check_previous(replay, index, header.previous);
    if (state == SEGMENT_HEADER_GOOD && header.previous.epoch != 0)
        call_durable(replay);
    note_known(replay, reader);
    TRY(find_limit(replay, index, reader, err));
    return read_segment_body(replay, reader, &header, state, &before, err);
}

static enum status read_segments(struct replay *replay, struct error *err)
{
    for (size_t i = 0; i < replay->count; i++) {
        struct wal_reader reader;
        TRY(wal_reader_open(&reader, replay->disk, replay->folder, replay->shard,
                            replay->segments[i], err));
        enum status status = read_segment(replay, i, &reader, err);
        wal_reader_close(&reader);
        if (status != STATUS_OK)
            return status;
    }
    return STATUS_OK;
}

enum status wal_replay(const struct wal_replay_options *options, struct wal_replay_report *report,
                       struct error *err)
{
    *report = (struct wal_replay_report){0};
    struct replay replay = {.disk = options->disk,
                            .folder = options->folder,
                            .shard = options->shard,
                            .covered_epoch = options->covered_epoch,
                            .handler = options->handler,
                            .report = report};
    ref_set_init(&replay.declared);
    last_values_init(&replay.last);
    replay.samples = mem_alloc(sizeof *replay.samples);
    arena_init(&replay.arena, SIZE_MAX);
    enum status status = list_segments(&replay, err);
    if (status == STATUS_OK)
        status = read_segments(&replay, err);
    arena_deinit(&replay.arena);
    mem_free(replay.samples);
    last_values_deinit(&replay.last);
    ref_set_deinit(&replay.declared);
    mem_free(replay.segments);
    return status;
}
