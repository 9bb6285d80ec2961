/*
 * What blocks already hold of the samples of a write. The head forgets what a flush has moved to
 * blocks, so a sample that comes late is looked up there: the same bits are a repetition, another
 * value is refused.
 *
 * Nothing here holds a lock while it reads a block. A flush that ends meanwhile may have moved
 * samples of somebody else's write out of the head after the blocks were listed: store_deferred.c
 * sees that by flush_count and asks again.
 *
 * Cost: for each series a search by labels in each block that may hold its samples, which begins
 * where it was found the last time; each chunk that covers one of them is decoded once, if they
 * come in order, and each timeline once for the series of the write that share it. Where each write
 * brings one sample of a series, and they come in order, most find it in the memo: of a series that
 * the head knows under its ref, before any of the above.
 */
#include "tsdb/store/store_write_impl.h"

#include "tsdb/store/thinned_series.h"

/* Samples that lie closer together are read at once. */
#define GAP_MS (INT64_C(15) * 60 * 1000)
/* How far the memo looks ahead: what it keeps of one sample each 15 s. */
#define AHEAD_MS (LATE_MEMO_SAMPLES * INT64_C(15000))

/* ---- deferred samples ---- */

bool may_be_in_blocks_locked(const struct shard_write *w, int64_t ts_ms)
{
    const struct shard *shard = w->shard;
    for (size_t i = shard->block_count; i > 0; i--) {
        const struct block_meta *meta = block_meta(shard->blocks[i - 1]);
        if (meta->min_ts_ms <= ts_ms && ts_ms <= meta->max_ts_ms)
            return true;
    }
    return false;
}

/* Nobody else gets the ref as long as the version stays: a slot is given away at the end of a flush
   that has published blocks since its series left. */
static struct late_key head_key_of_locked(const struct shard_write *w, struct series_ref ref)
    REQUIRES_SHARED(w->shard->lock)
{
    return (struct late_key){w->shard->blocks_version, LATE_KEY_HEAD, ref.value};
}

bool is_in_memo_locked(const struct shard_write *w, struct series_ref ref, struct sample sample,
                       enum append_result *result)
{
    const struct late_key key = head_key_of_locked(w, ref);
    return late_memo_find(&w->shard->late_memo, &key, sample, result);
}

static struct deferred_series *add_deferred(struct shard_write *w,
                                            const struct write_series *series)
{
    struct deferred_series *deferred = arena_alloc(w->arena, sizeof *deferred);
    *deferred = (struct deferred_series){
        .series = series,
        .newest_ms = INT64_MIN,
        .samples = arena_alloc(w->arena, series->sample_count * sizeof *deferred->samples)};
    *w->deferred_end = deferred;
    w->deferred_end = &deferred->next;
    w->last_deferred = deferred;
    return deferred;
}

static struct deferred_series *deferred_of(struct shard_write *w, const struct write_series *series)
{
    struct deferred_series *last = w->last_deferred;
    return last != NULL && last->series == series ? last : add_deferred(w, series);
}

void defer_series(struct shard_write *w, const struct write_series *series, uint32_t from)
{
    struct deferred_series *deferred = deferred_of(w, series);
    /* the head may have known it for the samples before */
    deferred->head_key = (struct late_key){0};
    for (uint32_t i = from; i < series->sample_count; i++)
        deferred->samples[deferred->sample_count++] = i;
}

void defer_sample_locked(struct shard_write *w, const struct write_series *series,
                         struct series_ref ref, uint32_t sample)
{
    struct deferred_series *deferred = deferred_of(w, series);
    deferred->head_key = head_key_of_locked(w, ref);
    deferred->samples[deferred->sample_count++] = sample;
}

void list_blocks_locked(struct shard_write *w)
{
    const struct shard *shard = w->shard;
    w->flush_count = shard->flush_count;
    w->blocks = arena_alloc(w->arena, shard->block_count * sizeof *w->blocks);
    w->block_count = shard->block_count;
    w->deletions = shard->deletions;
    deletions_acquire(w->deletions);
    for (size_t i = 0; i < shard->block_count; i++) {
        w->blocks[i] = shard->blocks[i];
        block_acquire(w->blocks[i]);
    }
}

void release_blocks(struct shard_write *w)
{
    for (size_t i = 0; i < w->block_count; i++)
        block_release(w->blocks[i]);
    deletions_release(w->deletions);
    w->block_count = 0;
}

/* ---- asking ---- */

struct asking {
    struct shard_write *write;
    struct deferred_series *deferred;
    struct arena scratch;
    struct columns found;
    struct columns ahead; /* for the memo: all that blocks have in the range below; is_ahead */
    bool is_ahead;
    struct timeline_cache timelines;
    enum append_result *results; /* by sample; NULL as long as no block holds the series */
    int64_t min_ts_ms;           /* of the deferred samples, or what is read ahead */
    int64_t max_ts_ms;
};

static const struct sample *sample_at(const struct deferred_series *deferred, uint32_t index)
{
    return &deferred->series->samples[deferred->samples[index]];
}

static void note_range(struct asking *a)
{
    a->min_ts_ms = INT64_MAX;
    a->max_ts_ms = INT64_MIN;
    for (uint32_t i = 0; i < a->deferred->sample_count; i++) {
        int64_t ts_ms = sample_at(a->deferred, i)->ts_ms;
        a->min_ts_ms = ts_ms < a->min_ts_ms ? ts_ms : a->min_ts_ms;
        a->max_ts_ms = ts_ms > a->max_ts_ms ? ts_ms : a->max_ts_ms;
    }
    a->is_ahead = a->deferred->head_key.tenant == LATE_KEY_HEAD && a->deferred->sample_count == 1;
    if (a->is_ahead)
        a->max_ts_ms = a->min_ts_ms + AHEAD_MS;
}

static void compare(struct asking *a, uint32_t index)
{
    const struct sample *sample = sample_at(a->deferred, index);
    size_t at = columns_find(&a->found, sample->ts_ms);
    /* the block of lower rank has spoken: its value is the one that is shown */
    if (a->results[index] != APPEND_OK || at == a->found.count ||
        a->found.ts_ms[at] != sample->ts_ms)
        return;
    bool is_same = f64_bits(a->found.values[at]) == f64_bits(sample->value);
    a->results[index] = is_same ? APPEND_DUPLICATE : APPEND_CONFLICT;
}

/* The end of the samples from `from` on that are read at once; their range. */
static uint32_t group_of(const struct asking *a, uint32_t from, struct block_range *range)
{
    uint32_t to = from + 1;
    range->min_ts_ms = range->max_ts_ms = sample_at(a->deferred, from)->ts_ms;
    for (; to < a->deferred->sample_count; to++) {
        int64_t ts_ms = sample_at(a->deferred, to)->ts_ms;
        if (ts_ms < range->min_ts_ms || ts_ms - range->max_ts_ms > GAP_MS)
            break;
        range->max_ts_ms = ts_ms > range->max_ts_ms ? ts_ms : range->max_ts_ms;
    }
    return to;
}

/* The sample, and those that are going to be asked for next, of a series that the head does not
   know. */
static enum status ask_for_one(struct asking *a, struct block *block, size_t tenant,
                               uint32_t series, struct error *err)
{
    struct late_memo *memo = &a->write->shard->late_memo;
    const struct late_key key = {block_meta(block)->sequence, (uint32_t)tenant, series};
    const struct sample *sample = sample_at(a->deferred, 0);
    enum append_result result;
    if (late_memo_find(memo, &key, *sample, &result)) {
        if (a->results[0] == APPEND_OK)
            a->results[0] = result;
        return STATUS_OK;
    }
    const struct block_range range = {sample->ts_ms, sample->ts_ms + AHEAD_MS, &a->timelines};
    columns_reset(&a->found);
    TRY(block_read(block, tenant, series, &range, &a->found, err));
    late_memo_keep(memo, &key, range.min_ts_ms, range.max_ts_ms, &a->found);
    compare(a, 0);
    return STATUS_OK;
}

static enum status ask_series(struct asking *a, struct block *block, size_t tenant, uint32_t series,
                              struct error *err)
{
    struct thinned_series thinned = {.block = block, .tenant = tenant, .series = series};
    thinned.deleted = deletions_of_series(a->write->deletions, block_meta(block)->sequence,
                                          tenant_id_str(&a->deferred->series->tenant->id),
                                          a->deferred->labels, &a->scratch);
    if (thinned.deleted.count == 0 && a->deferred->sample_count == 1 && !a->is_ahead)
        return ask_for_one(a, block, tenant, series, err);
    for (uint32_t from = 0, to; from < a->deferred->sample_count; from = to) {
        struct block_range range = {.timelines = &a->timelines};
        to = group_of(a, from, &range);
        if (a->is_ahead)
            range.max_ts_ms = a->max_ts_ms;
        columns_reset(&a->found);
        TRY(thinned_series_read(&thinned, &range, &a->found, err));
        for (uint32_t i = from; i < to && a->found.count > 0; i++)
            compare(a, i);
        if (a->is_ahead)
            columns_merge(&a->ahead, &a->found);
    }
    return STATUS_OK;
}

/* Where an earlier answer is, if there was one. */
static void need_results(struct asking *a)
{
    struct deferred_series *deferred = a->deferred;
    size_t bytes = deferred->sample_count * sizeof *a->results;
    if (a->results != NULL)
        return;
    a->results = deferred->blocks != NULL ? deferred->blocks : arena_alloc(a->write->arena, bytes);
    memset(a->results, 0, bytes);
}

_Static_assert(APPEND_OK == 0, "results begin as zeros");

/* Where a series of that hash was found in the block the last time, or some other series. */
static struct counter *hint_of(const struct asking *a, const struct block *block)
{
    uint64_t hash = a->deferred->hash ^ block_meta(block)->sequence;
    /* 2^64 / golden ratio: sequences are small numbers */
    return &a->write->shard->hints[(hash * UINT64_C(0x9e3779b97f4a7c15)) >> (64 - SHARD_HINT_BITS)];
}

static enum status find_series(struct asking *a, struct block *block, size_t tenant,
                               uint32_t *series, struct error *err)
{
    struct counter *hint = hint_of(a, block);
    *series = (uint32_t)counter_get(hint);
    TRY(block_find_series(block, tenant, a->deferred->labels, &a->scratch, series, err));
    counter_set(hint, *series);
    return STATUS_OK;
}

static enum status ask_block(struct asking *a, struct block *block, struct error *err)
{
    size_t tenant;
    uint32_t series;
    int64_t min_ts_ms, max_ts_ms;
    if (block_meta(block)->max_ts_ms < a->min_ts_ms)
        return STATUS_OK;
    TRY(block_find_tenant(block, tenant_id_str(&a->deferred->series->tenant->id), &tenant, err));
    if (block_tenant_section(block, tenant).max_ts_ms < a->min_ts_ms)
        return STATUS_OK;
    TRY(find_series(a, block, tenant, &series, err));
    TRY(block_time_range(block, tenant, series, &min_ts_ms, &max_ts_ms, err));
    if (max_ts_ms > a->deferred->newest_ms)
        a->deferred->newest_ms = max_ts_ms;
    if (max_ts_ms < a->min_ts_ms || min_ts_ms > a->max_ts_ms)
        return STATUS_OK;
    need_results(a);
    return ask_series(a, block, tenant, series, err);
}

static void ask_all(struct asking *a)
{
    struct shard_write *w = a->write;
    a->results = NULL;
    a->deferred->newest_ms = INT64_MIN;
    columns_reset(&a->ahead);
    note_range(a);
    for (size_t i = 0; i < w->block_count; i++) {
        struct error err;
        enum status status = ask_block(a, w->blocks[i], &err);
        a->is_ahead = a->is_ahead && (status == STATUS_OK || status == STATUS_NOT_FOUND);
        if (status == STATUS_CORRUPT) /* the sample is taken as a new one */
            store_note_damage(w->shard->store, w->blocks[i], &err);
    }
    if (a->is_ahead)
        late_memo_keep(&w->shard->late_memo, &a->deferred->head_key, a->min_ts_ms, a->max_ts_ms,
                       &a->ahead);
    a->deferred->blocks = a->results;
}

void ask_blocks(struct shard_write *w)
{
    struct asking a = {.write = w};
    arena_init(&a.scratch, SIZE_MAX);
    columns_init(&a.found);
    columns_init(&a.ahead);
    timeline_cache_init(&a.timelines);
    for (a.deferred = w->deferred; a.deferred != NULL; a.deferred = a.deferred->next)
        ask_all(&a);
    timeline_cache_deinit(&a.timelines);
    columns_deinit(&a.ahead);
    columns_deinit(&a.found);
    arena_deinit(&a.scratch);
}
