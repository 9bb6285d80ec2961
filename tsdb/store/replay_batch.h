/*
 * replay_batch: what a log says next, on its way into a head.
 *
 *     filled ─► applied ─► sealed ─► adopted
 *
 * It is filled with what stands in the log, in that order. To apply it leaves copies of the runs
 * that it has filled in the batch; to seal it encodes these, away from the head, and to adopt it
 * gives their chunks to the head.
 *
 * Ownership: the caller owns the struct; it owns everything in it, and keeps the memory when it is
 *            reset.
 * Threads:   of one thread at a time.
 */
#ifndef CROFT_TSDB_REPLAY_BATCH_H
#define CROFT_TSDB_REPLAY_BATCH_H

#include "tsdb/head/full_run.h"
#include "tsdb/wal/wal.h"

/* A few hundred KB at most, but for labels that are megabytes. Small enough to stay in a
 * processor's own cache on the way. */
enum { REPLAY_BATCH_SAMPLES_MAX = 2048, REPLAY_BATCH_TEXT_BYTES = 128 << 10 };

enum replay_step_kind {
    REPLAY_SERIES,  /* the next `count` declarations */
    REPLAY_SAMPLES, /* the next `count` samples */
    REPLAY_DURABLE, /* everything before is durable */
};

struct replay_step {
    enum replay_step_kind kind;
    uint32_t count;
};

/* Its tenant and then its identity encoding are the next bytes of `texts`. */
struct replay_series {
    struct series_ref ref; /* of the log */
    uint32_t tenant_len;
    uint32_t identity_len;
    uint32_t label_count;
    uint64_t hash;
};

struct replay_batch {
    struct replay_step *steps;
    size_t step_count;
    size_t step_capacity;
    struct replay_series *series;
    size_t series_count;
    size_t series_capacity;
    struct buffer texts;
    struct logged_sample samples[REPLAY_BATCH_SAMPLES_MAX]; /* refs of the log, later of the head */
    size_t sample_count;
    struct full_runs runs; /* that it has filled */
    struct buffer chunks;  /* of the runs, one behind the other */
    struct chunk_times times;
};

struct replay_batch *replay_batch_new(void);
void replay_batch_free(struct replay_batch *batch);
void replay_batch_reset(struct replay_batch *batch);

/* No series and no samples are to be added any more. */
bool replay_batch_is_full(const struct replay_batch *batch);
void replay_batch_add_series(struct replay_batch *batch, struct series_ref ref, struct str tenant,
                             struct labels labels);
/* As many as there is room for: how many. */
size_t replay_batch_add_samples(struct replay_batch *batch, const struct logged_sample *samples,
                                size_t count);
void replay_batch_add_durable(struct replay_batch *batch);

void replay_batch_seal(struct replay_batch *batch);
void replay_batch_adopt(const struct replay_batch *batch, struct head *head);

#endif
