/*
 * open_run: the newest samples of a series, not encoded yet; and the memory of all of them.
 *
 *     sample  =  offset from base_ts_ms: u32 │ value bits: u32, u32          12 bytes
 *
 * A run has room for OPEN_RUN_COUNT_MAX samples; then its owner seals it. All runs have one size:
 * the series of a target are scraped together and would grow together, so memory of smaller sizes
 * would only be left behind. Offset and value stand side by side: an append touches one cache line.
 *
 *     page  =  first samples of its 64 runs │ second samples of its 64 runs │ ...
 *
 * The series of a scrape are appended to one behind the other, and five of them share that line.
 *
 * Invariant:  offsets are strictly increasing, the first is 0.
 * Ownership:  a run's memory belongs to its pool; the struct is embedded in its owner.
 * Threads:    not synchronised.
 */
#ifndef CROFT_TSDB_OPEN_RUN_H
#define CROFT_TSDB_OPEN_RUN_H

#include <stdbool.h>

#include "tsdb/index/slab.h"
#include "tsdb/model/sample.h"

/* More samples make better chunks and dearer series: at 16 what is open and what is lost at the
   start of each chunk (about 19 bytes) cost least together over a half hour of samples every 15 s.
 */
enum { OPEN_RUN_COUNT_MAX = 16 };

struct open_sample {
    uint32_t offset_ms;
    uint32_t value_bits[2]; /* low half, high half: keeps the struct at 12 bytes */
};

struct sample open_sample_decode(int64_t base_ts_ms, const struct open_sample *from);

struct open_run {
    int64_t base_ts_ms; /* of the first sample */
    uint32_t ref;       /* in the pool */
    uint8_t count;      /* 0: no memory is held */
};

struct open_pool {
    struct slab runs; /* OPEN_RUN_COUNT_MAX rows, each a struct open_sample */
};

void open_pool_init(struct open_pool *pool);
void open_pool_deinit(struct open_pool *pool);
/* Sets the runs of that moment aside: they are read as before, but neither changed nor released,
   until they are dropped all at once (whoever holds them forgets them) or taken back. */
void open_pool_set_aside(struct open_pool *pool);
void open_pool_drop_aside(struct open_pool *pool);
void open_pool_take_back(struct open_pool *pool);
size_t open_pool_memory_bytes(const struct open_pool *pool);

/* Whether a sample at `ts_ms` fits: the run is not full, and it is not before the first sample. */
bool open_run_has_room(const struct open_run *run, int64_t ts_ms);
/* Puts the sample, which is later than all others, at the end; the run has room. */
void open_run_append(struct open_pool *pool, struct open_run *run, struct sample sample);
/* Puts the sample at `index` > 0; the run has room and stays sorted. */
void open_run_insert(struct open_pool *pool, struct open_run *run, uint32_t index,
                     struct sample sample);
/* The index of the first sample at or after `ts_ms`. */
uint32_t open_run_find(const struct open_pool *pool, const struct open_run *run, int64_t ts_ms);
struct sample open_run_at(const struct open_pool *pool, const struct open_run *run, uint32_t index);
/* All of them to `out`. */
void open_run_copy(const struct open_pool *pool, const struct open_run *run,
                   struct open_sample out[OPEN_RUN_COUNT_MAX]);
/* Appends the samples to `out`, all later than what it has. */
void open_run_read(const struct open_pool *pool, const struct open_run *run, struct columns *out);
/* Gives the memory back; the run is empty. */
void open_run_release(struct open_pool *pool, struct open_run *run);
/* Fetches what the next open_run_insert at the end will touch. */
void open_run_prefetch(const struct open_pool *pool, const struct open_run *run);

#endif
