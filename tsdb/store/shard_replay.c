/*
 * What a shard does with its log at start: the samples that no block covers go to the head.
 *
 * Those behind the last proof of durability, usually the last commit of the process before, were read
 * from files that the kernel may never have written: after a failed sync it calls such pages clean,
 * and a second sync says nothing about them. So they are logged anew, to a new file, in the first
 * commit of this process: whoever sends them again waits for that commit. A process that dies before
 * it leaves its successor the same samples, and what is there twice by then is logged once. A full
 * disk does not keep the store from starting.
 */
#include "tsdb/store/store_impl.h"

#include "base/check.h"
#include "base/hash.h"
#include "base/log.h"
#include "base/mem.h"
#include "tsdb/files/filenames.h"

/* An append waits for memory twice: for its series and for the series' open samples. So both are fetched so
   many samples ahead. */
enum { FETCH_SAMPLES = 16 };

struct replay {
    struct shard *shard;
    struct series_ref *refs; /* of the head, by ref of the log; SERIES_REF_NONE: not declared */
    size_t count;
    size_t capacity;
    struct buffer identity; /* of the series at hand */
    int64_t monotonic_ms;
};

static void replay_map(struct replay *replay, struct series_ref from, struct series_ref to)
{
    size_t want = (size_t)from.value + 1;
    replay->refs = mem_grow(replay->refs, &replay->capacity, want, sizeof(struct series_ref));
    for (; replay->count < want; replay->count++)
        replay->refs[replay->count] = SERIES_REF_NONE;
    replay->refs[from.value] = to;
}

static enum status replay_series(void *context, struct series_ref ref, struct str tenant_id,
                                 struct labels labels, struct error *err)
{
    struct replay *replay = context;
    struct tenant *tenant;
    TRY(shard_get_tenant(replay->shard, tenant_id, &tenant, err));
    buffer_reset(&replay->identity);
    labels_identity_encode(&replay->identity, labels);
    struct bytes identity = buffer_bytes(&replay->identity);
    struct head_key key = {.tenant = tenant, .hash = hash_bytes(identity), .identity = identity};
    struct series_ref found;
    head_find(replay->shard->head, &key, 1, &found);
    if (found.value == SERIES_REF_NONE.value) {
        found = head_add(replay->shard->head, tenant, labels, replay->monotonic_ms);
        replay->shard->replay.series++;
    }
    replay_map(replay, ref, found);
    return STATUS_OK;
}

static struct series_ref replay_ref(const struct replay *replay, const struct logged_sample *logged)
{
    CHECK(logged->ref.value < replay->count);
    return replay->refs[logged->ref.value];
}

static void replay_append(struct replay *replay, const struct logged_sample *logged)
{
    struct shard *shard = replay->shard;
    struct series_ref ref = replay_ref(replay, logged);
    /* a conflict cannot be: only what the head took was logged; a duplicate was logged anew */
    if (head_append(shard->head, ref, logged->sample, replay->monotonic_ms) == APPEND_OK)
        shard->unproven[shard->unproven_count++] = (struct logged_sample){logged->sample, ref};
}

static enum status replay_samples(void *context, const struct logged_sample *samples, size_t count,
                                  struct error *err)
{
    (void)err;
    struct replay *replay = context;
    struct shard *shard = replay->shard;
    shard->unproven = mem_grow(shard->unproven, &shard->unproven_capacity,
                               shard->unproven_count + count, sizeof *shard->unproven);
    for (size_t i = 0; i < count + 2 * FETCH_SAMPLES; i++) {
        if (i < count)
            head_prefetch_series(shard->head, replay_ref(replay, &samples[i]));
        if (i >= FETCH_SAMPLES && i - FETCH_SAMPLES < count)
            head_prefetch_append(shard->head, replay_ref(replay, &samples[i - FETCH_SAMPLES]));
        if (i >= 2 * FETCH_SAMPLES)
            replay_append(replay, &samples[i - 2 * FETCH_SAMPLES]);
    }
    return STATUS_OK;
}

static void replay_durable(void *context)
{
    struct replay *replay = context;
    replay->shard->unproven_count = 0;
}

static void replay_epoch(void *context, uint32_t epoch)
{
    (void)epoch;
    struct replay *replay = context;
    replay->count = 0;
}

enum status shard_replay(struct shard *shard, struct error *err)
{
    char folder[DISK_PATH_MAX];
    shard_path(shard, folder, WAL_FOLDER, "");
    struct replay replay = {.shard = shard,
                            .monotonic_ms = clock_monotonic_ms(shard->store->options.clock)};
    struct wal_replay_handler handler = {.context = &replay,
                                         .series = replay_series,
                                         .samples = replay_samples,
                                         .epoch = replay_epoch,
                                         .durable = replay_durable};
    struct wal_replay_report report = {0};
    buffer_init(&replay.identity, SIZE_MAX);
    enum status status = wal_replay(shard->store->options.disk, folder, shard->number,
                                    shard->covered_epoch, &handler, &report, err);
    buffer_deinit(&replay.identity);
    mem_free(replay.refs);
    shard->replay.samples = report.samples;
    shard->replay.torn_tail_bytes = report.torn_tail_bytes;
    shard->replay.damaged_frames = report.damaged_frames;
    if (report.damaged_frames > 0)
        log_error("log of shard %u: %llu damaged frames skipped, with them %llu samples without a "
                  "series and %llu that rest on lost ones",
                  shard->number, (unsigned long long)report.damaged_frames,
                  (unsigned long long)report.unknown_series,
                  (unsigned long long)report.lost_samples);
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
    rwlock_unlock_write(&shard->lock);
    arena_deinit(&arena);
    mem_free(shard->unproven);
    shard->unproven = NULL;
    shard->unproven_count = shard->unproven_capacity = 0;
}
