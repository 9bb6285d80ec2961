/*
 * What a shard does with its log at start: the samples that no block covers go to the head.
 *
 * Those behind the last proof of durability, usually the last commit of the process before, were
 * read from files that the kernel may never have written: after a failed sync it calls such pages
 * clean, and a second sync says nothing about them. So they are logged anew, to a new file, in the
 * first commit of this process: whoever sends them again waits for that commit. A process that dies
 * before it leaves its successor the same samples, and what is there twice by then is logged once.
 * A full disk does not keep the store from starting.
 */
#include "tsdb/store/store_impl.h"

#include "base/check.h"
#include "base/log.h"
#include "base/mem.h"
#include "tsdb/files/filenames.h"
#include "tsdb/store/replay_line.h"

/* Where the head will look for a series is fetched so many ahead. */
enum { FETCH_SERIES = 8 };

struct replay {
    struct shard *shard;
    struct replay_line line;

    /* Of who applies. */
    struct series_ref *refs; /* of the head, by ref of the log: what was declared last */
    size_t count;
    size_t capacity;
    struct tenant *tenant; /* of the latest declaration; NULL before the first */
    int64_t monotonic_ms;
};

/* ---- decoding: from the log to batches ---- */

static enum status pass_when_full(struct replay *replay, struct error *err)
{
    if (!replay_batch_is_full(replay_line_batch(&replay->line)))
        return STATUS_OK;
    return replay_line_pass(&replay->line, err);
}

static enum status decode_series(void *context, struct series_ref ref, struct str tenant,
                                 struct labels labels, struct error *err)
{
    struct replay *replay = context;
    replay_batch_add_series(replay_line_batch(&replay->line), ref, tenant, labels);
    return pass_when_full(replay, err);
}

static enum status decode_samples(void *context, const struct logged_sample *samples, size_t count,
                                  struct error *err)
{
    struct replay *replay = context;
    while (count > 0) {
        size_t taken = replay_batch_add_samples(replay_line_batch(&replay->line), samples, count);
        samples += taken;
        count -= taken;
        TRY(pass_when_full(replay, err));
    }
    return STATUS_OK;
}

static void decode_durable(void *context)
{
    struct replay *replay = context;
    replay_batch_add_durable(replay_line_batch(&replay->line));
}

static enum status decode_log(struct replay *replay, struct wal_replay_report *report,
                              struct error *err)
{
    char folder[DISK_PATH_MAX];
    struct shard *shard = replay->shard;
    const struct wal_observer observer = shard_damage_observer(shard);
    const struct wal_replay_handler handler = {.context = replay,
                                               .observer = &observer,
                                               .manifest = &shard->manifest,
                                               .series = decode_series,
                                               .samples = decode_samples,
                                               .durable = decode_durable};
    shard_path(shard, folder, WAL_FOLDER, "");
    const struct wal_replay_options options = {.disk = shard->store->options.disk,
                                               .folder = folder,
                                               .shard = shard->number,
                                               .covered_epoch = shard->covered_epoch,
                                               .handler = &handler};
    return wal_replay(&options, report, err);
}

/* ---- applying: from batches to the head ---- */

static void replay_map(struct replay *replay, struct series_ref from, struct series_ref to)
{
    size_t want = (size_t)from.value + 1;
    replay->refs = mem_grow(replay->refs, &replay->capacity, want, sizeof(struct series_ref));
    for (; replay->count < want; replay->count++)
        replay->refs[replay->count] = SERIES_REF_NONE;
    replay->refs[from.value] = to;
}

/* Most series are of the tenant of the one before. */
static enum status find_tenant(struct replay *replay, struct str id, struct error *err)
{
    if (replay->tenant != NULL && str_eq(tenant_id_str(&replay->tenant->id), id))
        return STATUS_OK;
    return shard_get_tenant(replay->shard, id, &replay->tenant, err);
}

/* `*text` is the place of its tenant and labels, and becomes that of the next. */
static enum status apply_series(struct replay *replay, const struct replay_series *series,
                                const uint8_t **text, struct error *err)
{
    struct head *head = replay->shard->head;
    TRY(find_tenant(replay, str_of_bytes((struct bytes){*text, series->tenant_len}), err));
    const struct head_key key = {.tenant = replay->tenant,
                                 .hash = series->hash,
                                 .identity = {*text + series->tenant_len, series->identity_len},
                                 .label_count = series->label_count};
    *text += series->tenant_len + series->identity_len;
    struct series_ref found;
    head_find(head, &key, 1, &found);
    if (found.value == SERIES_REF_NONE.value) {
        found = head_add_key(head, replay->tenant, &key, replay->monotonic_ms);
        replay->shard->replay.series++;
    }
    replay_map(replay, series->ref, found);
    return STATUS_OK;
}

static enum status apply_all_series(struct replay *replay, const struct replay_series *series,
                                    size_t count, const uint8_t **text, struct error *err)
{
    for (size_t i = 0; i < count; i++) {
        /* a guess at its tenant will do */
        if (i + FETCH_SERIES < count && replay->tenant != NULL)
            head_prefetch_find(replay->shard->head, replay->tenant, series[i + FETCH_SERIES].hash);
        TRY(apply_series(replay, &series[i], text, err));
    }
    return STATUS_OK;
}

static void map_refs(const struct replay *replay, struct logged_sample *samples, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        CHECK(samples[i].ref.value < replay->count);
        samples[i].ref = replay->refs[samples[i].ref.value];
    }
}

static void note_unproven(struct shard *shard, const struct logged_sample *samples, size_t count)
{
    shard->unproven = mem_grow(shard->unproven, &shard->unproven_capacity,
                               shard->unproven_count + count, sizeof *shard->unproven);
    memcpy(shard->unproven + shard->unproven_count, samples, count * sizeof *samples);
    shard->unproven_count += count;
}

static void apply_samples(struct replay *replay, struct replay_batch *batch,
                          struct logged_sample *samples, size_t count, bool is_proven)
{
    map_refs(replay, samples, count);
    /* a conflict cannot be: only what the head took was logged; a duplicate was logged anew */
    size_t taken =
        head_append_logged(replay->shard->head, samples, count, replay->monotonic_ms, &batch->runs);
    if (!is_proven)
        note_unproven(replay->shard, samples, taken);
}

/* Steps before the last one of its kind are proven within the batch. */
static size_t count_proven_steps(const struct replay_batch *batch)
{
    size_t count = batch->step_count;
    while (count > 0 && batch->steps[count - 1].kind != REPLAY_DURABLE)
        count--;
    return count;
}

static enum status apply_batch(void *context, struct replay_batch *batch, struct error *err)
{
    struct replay *replay = context;
    const struct replay_series *series = batch->series;
    struct logged_sample *samples = batch->samples;
    const uint8_t *text = batch->texts.ptr;
    size_t proven_steps = count_proven_steps(batch);
    for (size_t i = 0; i < batch->step_count; i++) {
        uint32_t count = batch->steps[i].count;
        switch (batch->steps[i].kind) {
        case REPLAY_SERIES:
            TRY(apply_all_series(replay, series, count, &text, err));
            series += count;
            break;
        case REPLAY_SAMPLES:
            apply_samples(replay, batch, samples, count, i < proven_steps);
            samples += count;
            break;
        case REPLAY_DURABLE:
            replay->shard->unproven_count = 0;
            break;
        }
    }
    return STATUS_OK;
}

/* ---- the whole ---- */

static void report_replay(struct shard *shard, const struct wal_replay_report *report)
{
    shard->replay.samples = report->samples;
    shard->replay.torn_tail_bytes = report->torn_tail_bytes;
    shard->replay.damaged_frames = report->damaged_frames;
    if (report->damaged_frames > 0)
        log_error("log of shard %u: %llu damaged frames skipped, with them %llu samples without a "
                  "series and %llu that rest on lost ones",
                  shard->number, (unsigned long long)report->damaged_frames,
                  (unsigned long long)report->unknown_series,
                  (unsigned long long)report->lost_samples);
}

enum status shard_replay(struct shard *shard, struct replay_crew *crew, struct error *err)
{
    struct replay replay = {.shard = shard,
                            .line = {.head = shard->head, .apply = apply_batch, .context = &replay},
                            .monotonic_ms = clock_monotonic_ms(shard->store->options.clock)};
    struct wal_replay_report report = {0};
    struct error line_err;
    replay_line_open(&replay.line, crew);
    enum status status = decode_log(&replay, &report, err);
    enum status line_status = replay_line_close(&replay.line, &line_err);
    if (line_status != STATUS_OK) {
        /* stands before whatever the log ended with */
        *err = line_err;
        status = line_status;
    }
    mem_free(replay.refs);
    report_replay(shard, &report);
    shard->head_since_ms = replay.monotonic_ms;
    return status;
}

/* ---- what is not proven to be durable ---- */

static void log_series_locked(struct shard *shard, struct series_ref ref, struct arena *arena)
    REQUIRES(shard->lock)
{
    uint32_t epoch = wal_epoch(shard->wal);
    if (head_logged_epoch(shard->head, ref) == epoch)
        return;
    arena_reset(arena);
    wal_log_series(shard->wal, ref, &head_tenant(shard->head, ref)->id,
                   head_labels(shard->head, ref, arena));
    head_set_logged_epoch(shard->head, ref, epoch);
}

void shard_log_unproven(struct shard *shard)
{
    struct arena arena;
    arena_init(&arena, SIZE_MAX);
    rwlock_lock_write(&shard->lock);
    wal_batch_begin(shard->wal);
    for (size_t i = 0; i < shard->unproven_count; i++) {
        log_series_locked(shard, shard->unproven[i].ref, &arena);
        wal_log_sample(shard->wal, shard->unproven[i].ref, shard->unproven[i].sample);
    }
    wal_batch_end(shard->wal);
    shard_note_memory_locked(shard);
    rwlock_unlock_write(&shard->lock);
    arena_deinit(&arena);
    mem_free(shard->unproven);
    shard->unproven = NULL;
    shard->unproven_count = shard->unproven_capacity = 0;
}
