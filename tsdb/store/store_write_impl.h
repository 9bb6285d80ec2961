/*
 * store_write_impl: one shard's part of a write, shared by store_write.c, store_lock.c,
 * store_append.c, store_deferred.c, store_late.c, store_bounds.c, store_limit.c and
 * store_refusal.c.
 */
#ifndef CROFT_TSDB_STORE_WRITE_IMPL_H
#define CROFT_TSDB_STORE_WRITE_IMPL_H

#include "tsdb/store/growth.h"
#include "tsdb/store/store_impl.h"

struct time_bounds {
    int64_t min_ts_ms;
    int64_t max_ts_ms;
    int64_t late_max_ms; /* behind the newest sample of a series; INT64_MAX for any */
};

/* What the tenant of the series at hand may do with time; changes with the tenant. */
struct write_bounds {
    struct tenant *tenant;
    struct time_bounds of[LIMIT_MODE_COUNT];
    struct time_bounds all; /* within it, nothing is refused nor noted */
};

/* A series of which not all could be appended at once: the head does not know it, or a block may
   have samples of these times. */
struct deferred_series {
    struct deferred_series *next;
    const struct write_series *series;
    uint32_t *samples; /* positions in `series`, as they came */
    uint32_t sample_count;
    struct labels labels;       /* canonical */
    uint64_t hash;              /* of their identity encoding */
    enum append_result *blocks; /* by sample: what the blocks say; NULL: they have none */
    int64_t newest_ms;          /* that the blocks have; INT64_MIN for none */
    struct late_key head_key;   /* zeroed: the head does not know it */
};

/* A limit that leaves no room for a whole series. */
struct hit {
    enum refusal_reason reason;
    enum tenant_limit limit; /* unused where it is head_memory, which is all tenants' */
    uint64_t usage;
    int64_t wait_ms; /* until it may be tried again; 0 when waiting alone does not help */
};

/* A limit on the time of a sample. */
struct time_hit {
    enum refusal_reason reason;
    enum tenant_limit limit;
    const char *what; /* is wrong with the sample */
    const char *from; /* where `by_ms` is counted from */
    uint64_t by_ms;
    int64_t max_ms;
};

/* What this part of the write was refused of one tenant for one reason. */
struct refused {
    struct refused *next;
    struct tenant *tenant;
    enum refusal_reason reason;
    bool is_text_ours; /* the reason's text in the result is this one's */
    struct error why;  /* of the first; of series when the write ends */
    struct hit hit;    /* of the first series */
    uint64_t series_count;
    const struct write_series *series[GROWTH_SERIES_MAX]; /* the first of them */
};

struct shard_write {
    struct shard *shard;
    const struct write_series *series;
    const uint32_t *picked; /* positions in `series` that belong to the shard; NULL: all */
    size_t count;           /* of the series of this shard */
    struct deferred_series *deferred; /* as they came */
    struct deferred_series **deferred_end;
    struct deferred_series *last_deferred;
    struct arena *arena;
    struct write_result *result;
    int64_t now_ms;
    int64_t monotonic_ms; /* what the head calls now */
    bool gives_way;
    uint64_t locked_ns;   /* monotonic; since then it has the lock */
    bool has_rates;       /* some tenant of the write has an ingestion_rate */
    uint32_t flush_count; /* of the shard, when the blocks below were listed */
    struct block *
        *blocks; /* that deferred samples are looked up in, lowest rank first; a reference each */
    size_t block_count;
    struct deletions *deletions; /* one reference; of the same moment as the blocks */
    struct write_bounds bounds;
    uint64_t written;     /* samples of bounds.tenant that are not counted yet */
    struct label *labels; /* what labels_given gave last */
    size_t label_capacity;
    struct refused *refused; /* the last that was met comes first */
    size_t refused_count;    /* of the write so far, other shards included */
};

static inline const struct write_series *series_at(const struct shard_write *w, size_t index)
{
    return &w->series[w->picked == NULL ? index : w->picked[index]];
}

/* ---- store_write.c ---- */

/* As the sender gave them; until the next call. */
struct labels labels_given(struct shard_write *w, const struct write_series *series);
/* False when the series may not be active: it is refused. */
bool activate_locked(struct shard_write *w, const struct write_series *series,
                     struct series_ref ref) REQUIRES(w->shard->lock);

/* ---- store_lock.c ---- */

void lock_shard(struct shard_write *w) ACQUIRES(w->shard->lock);
void unlock_shard(struct shard_write *w) RELEASES(w->shard->lock);
/* True when others may have had the lock: what was known of the head may no longer be so. */
bool let_others_in_locked(struct shard_write *w) REQUIRES(w->shard->lock);

/* ---- store_append.c ---- */

/* So many samples are appended before others are let in: some 10 us, of repeated ones some 50. */
enum { PIECE_SAMPLES = 128 };

/* Step 2, for a piece of the samples from `from` on; returns where the next one begins. */
uint32_t append_piece_locked(struct shard_write *w, const struct write_series *series,
                             struct series_ref ref, uint32_t from) REQUIRES(w->shard->lock);
/* The same in step 4. */
uint32_t append_deferred_piece_locked(struct shard_write *w, const struct deferred_series *deferred,
                                      struct series_ref ref, uint32_t from)
    REQUIRES(w->shard->lock);
/* Counts what was written of the tenant that is left. */
void count_written(struct shard_write *w);

/* ---- store_deferred.c ---- */

/* Steps 3 and 4. Gives the lock back in between. */
void finish_deferred_locked(struct shard_write *w) REQUIRES(w->shard->lock);

/* ---- store_bounds.c ---- */

/* To be called before the samples of a series are looked at. */
void enter_tenant(struct shard_write *w, const struct write_series *series);
/* Counts the refusal when it is not. */
bool is_in_time(struct shard_write *w, const struct write_series *series, struct sample sample);
/* The sample is kept: what soft limits and dry runs have to say of its time. */
void note_time(const struct shard_write *w, int64_t ts_ms);
/* A series is made, or comes back from idleness, only for a sample that can be kept. */
bool has_sample_in_time(struct shard_write *w, const struct write_series *series);
/* Too far behind the newest sample of the series: counted. */
bool is_too_late_locked(struct shard_write *w, const struct write_series *series,
                        struct series_ref ref, struct sample sample) REQUIRES(w->shard->lock);

/* Makes the labels of a series canonical. False: they are not valid, or beyond what the store or
   the tenant allows; the refusal is counted. */
bool has_good_labels(struct shard_write *w, const struct write_series *series, struct labels given,
                     struct labels *canonical);
/* The labels are good: what soft limits and dry runs have to say. */
void note_labels(const struct shard_write *w, struct tenant *tenant, struct labels labels);

/* ---- store_limit.c ---- */

/* Whether the tenant may have one more active series; if not, the series is refused. Exact, because
   a tenant's series are all in this shard and its lock is held. */
bool may_activate_locked(struct shard_write *w, const struct write_series *series)
    REQUIRES(w->shard->lock);
/* The same for a series that the head does not know; takes from the rate of new ones. `labels` are
   canonical. */
bool may_add_locked(struct shard_write *w, const struct write_series *series, struct labels labels)
    REQUIRES(w->shard->lock);
/* A series that is not known as it stands here is refused without a closer look when a limit of its
   tenant leaves no room for it and its labels stand as they are stored, so that another order
   cannot be why it was not found. Allocates nothing. */
bool is_refused_early_locked(struct shard_write *w, const struct write_series *series)
    REQUIRES(w->shard->lock);
/* Leaves out (in `picked`) the series of tenants that send too fast: all of a tenant's series that
   follow each other, or none. */
void refuse_over_rate_locked(struct shard_write *w) REQUIRES(w->shard->lock);

/* ---- store_late.c ---- */

/* Whether some block may hold a sample of the tenant at that time. */
bool may_be_in_blocks_locked(const struct shard_write *w, int64_t ts_ms)
    REQUIRES_SHARED(w->shard->lock);
/* Whether the memo knows what blocks say of a sample of a series of the head: then `*result` is. */
bool is_in_memo_locked(const struct shard_write *w, struct series_ref ref, struct sample sample,
                       enum append_result *result) REQUIRES_SHARED(w->shard->lock);
/* Leave the samples, from `from` on, of a series that the head does not know, or a sample of one
   that it knows, to steps 3 and 4 of the write. */
void defer_series(struct shard_write *w, const struct write_series *series, uint32_t from);
void defer_sample_locked(struct shard_write *w, const struct write_series *series,
                         struct series_ref ref, uint32_t sample) REQUIRES_SHARED(w->shard->lock);
/* Takes references to the blocks that may have to be asked. */
void list_blocks_locked(struct shard_write *w) REQUIRES_SHARED(w->shard->lock);
void release_blocks(struct shard_write *w);
/* Looks deferred samples up in the blocks that were listed, one series after the other. What cannot
   be read there counts as not there: a damaged block does not stop writes. */
void ask_blocks(struct shard_write *w);

/* ---- store_refusal.c ---- */

/* Another value than is there already. */
void refuse_conflict(struct shard_write *w, const struct write_series *series,
                     struct sample sample);
void refuse_time(struct shard_write *w, const struct write_series *series, struct sample sample,
                 const struct time_hit *hit);
void refuse_labels(struct shard_write *w, const struct write_series *series,
                   const struct error *why);
/* `why` says what is beyond that limit, and not of which series. */
void refuse_label_limit(struct shard_write *w, const struct write_series *series,
                        enum tenant_limit limit, const struct error *why);
void refuse_series(struct shard_write *w, const struct write_series *series, const struct hit *hit);
/* `samples` of the tenant of `series`, for `wait_ms`. */
void refuse_fast(struct shard_write *w, const struct write_series *series,
                 const struct rate_limit *limit, uint64_t samples, int64_t wait_ms);

/* Arena that refusals of so many series take at most, without their labels. */
size_t refusals_memory_max(size_t series_count);

/* Says in the result which metric and label refused series grow by, and remembers with the tenants
   what was refused. Nothing is looked at when nothing was refused. */
void explain_refusals_locked(struct shard_write *w) REQUIRES(w->shard->lock);

#endif
