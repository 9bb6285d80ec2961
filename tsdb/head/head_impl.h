/*
 * head_impl: what the files of the head share; no other module includes this.
 *
 *     ref ─► struct series (one cache line) ─► pair numbers      (pair_pool)
 *                                           ─► open samples      (open_pool)
 *                                           ─► sealed chunks     (chunk_pool)
 *                                           ─► late              (slab)
 *     tenant number ─► tenant_index: pairs, names, postings
 *     flushing[ref]: what a flush has taken from the series; only while one is under way
 *
 * The samples in order, of all parts of a series together, are strictly increasing: flushing
 * chunks, flushing open, chunks, open. Only late samples lie across.
 */
#ifndef CROFT_TSDB_HEAD_IMPL_H
#define CROFT_TSDB_HEAD_IMPL_H

#include "base/check.h"
#include "tsdb/head/chunk_pool.h"
#include "tsdb/head/head.h"
#include "tsdb/head/late.h"
#include "tsdb/head/open_run.h"
#include "tsdb/head/pair_pool.h"
#include "tsdb/head/tenant_index.h"
#include "tsdb/index/ref_table.h"

/* Samples of one series. */
struct series_samples {
    struct open_run open;
    int64_t min_ts_ms; /* of all of them, inclusive; INT64_MAX when there are none */
    uint32_t chunks;   /* the newest of the ring; CHUNK_REF_NONE when there is none */
    uint32_t late;     /* struct late, nothing later than last_ts_ms; SLAB_REF_NONE for none */
};

#define SERIES_SAMPLES_NONE                                                                        \
    ((struct series_samples){                                                                      \
        .min_ts_ms = INT64_MAX, .chunks = CHUNK_REF_NONE, .late = SLAB_REF_NONE})

struct series {
    uint32_t tenant_number; /* first: a free slot keeps the slab's link here */
    uint32_t pairs;         /* in the pair pool */
    struct series_samples samples;
    int64_t last_ts_ms;     /* the greatest ever appended, moved aside or not; INT64_MIN for none */
    int64_t last_append_ms; /* when a sample came, or the series was made active */
    uint32_t logged_epoch;
    uint16_t pair_count;
    bool is_used : 1; /* false: the slot is free */
    bool is_active : 1;
    bool has_newest : 1; /* no block holds a sample of it that is later than last_ts_ms */
};

_Static_assert(sizeof(struct series) == 64, "a series is one cache line");

/* What a flush has taken from a series. */
struct flushing_series {
    struct series_samples samples;
    int64_t last_ts_ms;
};

struct head {
    struct slab series;
    struct ref_table table; /* hash of tenant and identity ─► ref */
    struct pair_pool pairs;
    struct open_pool open;
    struct chunk_pool chunks;
    struct slab late;              /* struct late */
    struct tenant_index **tenants; /* by tenant number; NULL where the head has no series */
    size_t tenant_capacity;
    /* By ref: who was sent behind it the last time; a guess, proved by who uses it. */
    uint32_t *followers;
    size_t follower_capacity;
    struct flushing_series *flushing; /* by ref; NULL when no flush is under way */
    uint32_t flushing_count;          /* series from here on are younger than the flush */
    uint32_t *retired; /* slots that the last head_flush_end freed; the next one reuses them */
    size_t retired_count;
    size_t retired_capacity;
    size_t series_count;
    uint64_t sample_count;
    uint64_t flushing_sample_count;
    size_t late_bytes;        /* what they point to */
    size_t index_bytes;       /* of all tenants */
    struct buffer encoding;   /* scratch of those who seal */
    struct columns decoding;  /* the same, samples */
    struct chunk_times times; /* the same, of the last chunk */
};

static inline bool series_samples_is_empty(const struct series_samples *samples)
{
    return samples->open.count == 0 && samples->chunks == CHUNK_REF_NONE &&
           samples->late == SLAB_REF_NONE;
}

/* NULL when the head has no series of the tenant. */
static inline struct tenant_index *head_index(const struct head *head, const struct tenant *tenant)
{
    return tenant->number < head->tenant_capacity ? head->tenants[tenant->number] : NULL;
}

static inline struct series *head_series(const struct head *head, struct series_ref ref)
{
    CHECK(ref.value < head->series.slot_count);
    struct series *series = slab_at(&head->series, ref.value);
    CHECK(series->is_used);
    return series;
}

/* Where the table keeps a series: two tenants with the same labels are two series. */
static inline uint64_t series_place(uint32_t tenant_number, uint64_t identity_hash)
{
    return identity_hash + tenant_number;
}

/* NULL when the flush under way took nothing from the series, or none is. */
static inline struct flushing_series *head_flushing(const struct head *head, struct series_ref ref)
{
    if (ref.value >= head->flushing_count ||
        series_samples_is_empty(&head->flushing[ref.value].samples))
        return NULL;
    return &head->flushing[ref.value];
}

static inline const uint32_t *series_pairs(const struct head *head, const struct series *series)
{
    return pair_pool_at(&head->pairs, series->pairs, series->pair_count);
}

/* NULL when there are none. */
static inline struct late *series_samples_late(const struct head *head,
                                               const struct series_samples *samples)
{
    return samples->late == SLAB_REF_NONE ? NULL : slab_at(&head->late, samples->late);
}

/* Encodes the open samples, if there are any, into a chunk. */
void series_samples_seal(struct head *head, struct series_samples *samples);
/* The sample came too late for the open run. */
void series_samples_add_late(struct head *head, struct series_samples *samples,
                             struct sample sample);
/* Moves the late samples of `from`. */
void series_samples_join_late(struct head *head, struct series_samples *samples,
                              struct series_samples *from);
/* The last sealed chunk that begins at or before `ts_ms`, the only one that may hold it; NULL for
   none. */
const struct sealed_chunk *series_samples_chunk_at(struct head *head,
                                                   struct series_samples *samples, int64_t ts_ms);
/* Frees the open run and what is late; chunks go with their pages. */
void series_samples_release(struct head *head, struct series_samples *samples);

/* Takes the series out of the count of active ones. */
void head_deactivate(struct head *head, struct series_ref ref);
/* Takes the series out of table and index and retires its slot. It holds no samples. */
void head_remove(struct head *head, struct series_ref ref);

#endif
