/*
 * eval: one query under evaluation: its steps, its budgets, its notes.
 *
 * Ownership:  everything that it points to belongs to who evaluates (engine.c) and outlives it.
 * Threads:    the functions may be called from helpers (sweep.h); they lock what they change.
 */
#ifndef CROFT_QUERY_EVAL_H
#define CROFT_QUERY_EVAL_H

#include "query/engine/engine.h"
#include "query/engine/note_set.h"
#include "query/engine/scratch.h"
#include "query/engine/shared.h"

/* The steps of an evaluation: start_ms + i * step_ms for i in [0, count). */
struct grid {
    int64_t start_ms;
    int64_t step_ms; /* 1 when count is 1 */
    size_t count;
};

static inline int64_t grid_ts_ms(const struct grid *grid, size_t step)
{
    return grid->start_ms + (int64_t)step * grid->step_ms;
}

/* One query under evaluation. */
struct eval {
    const struct engine *engine;
    const struct query_options *options;
    struct arena *arena;         /* of the evaluation; limited to engine->memory_max_bytes */
    struct arena *result_arena;  /* of the answer; without a limit of its own */
    struct query_result *result; /* statistics are collected here */
    uintptr_t thread;            /* the query's own; others are helpers (sweep.h) */
    struct mutex lock;           /* of what the eval_ functions below change: the arena too */
    uint64_t samples_loaded;     /* guarded by lock; in memory now, as Prometheus counts */
    size_t least_left_bytes;     /* guarded by lock; of the query's own budget, so far */
    uint64_t longest_count;      /* guarded by lock; samples of the longest series read so far */
    struct note_set warnings;    /* guarded by lock */
    struct note_set infos;       /* guarded by lock */
    int64_t lookback_ms;
    struct shared_set shared; /* changed only when operators are opened and closed */
    struct scratch_pool scratches;
    uint64_t next_watch_ns; /* eval_check's, on the query's own thread */
};

/* STATUS_CANCELLED, STATUS_TIMEOUT or OK; cheap enough for once per series. */
MUST_USE enum status eval_check(struct eval *eval, struct error *err);
/* Counts samples against the budget: STATUS_LIMIT with Prometheus' text when it is spent. */
MUST_USE enum status eval_charge_samples(struct eval *eval, uint64_t count, struct error *err);
/* The same for samples that are gone again when the column that they are read for is made. Threads
   side by side do not add up here, so that what one thread may do, several may. STATUS_UNAVAILABLE
   when the columns that they are read into are too much for the share. */
MUST_USE enum status eval_charge_passing(struct eval *eval, uint64_t count, struct error *err);
/* Gives back what was charged for samples that are no longer in memory. */
void eval_release_samples(struct eval *eval, uint64_t count);
/* Adds to the statistics: samples that selectors and windows looked at. */
void eval_count_samples(struct eval *eval, uint64_t count);
/* Memory from the query's arena, not zeroed; STATUS_LIMIT when its own budget is spent,
   STATUS_UNAVAILABLE when its share of what all queries have is. So for the others below. */
MUST_USE enum status eval_alloc(struct eval *eval, size_t size_bytes, void **out,
                                struct error *err);
/* The same for `count` elements; a product that overflows is over the budget too. */
MUST_USE enum status eval_alloc_array(struct eval *eval, size_t count, size_t element_bytes,
                                      void **out, struct error *err);
/* Counts memory that lives elsewhere against the same budget, until it is released or the query
   ends. */
MUST_USE enum status eval_charge_array(struct eval *eval, size_t count, size_t element_bytes,
                                       struct error *err);
/* Opens a selection for the query: its scope, its cancel flag, its budget of memory, which counts
   what the selection holds until eval_select_close. */
MUST_USE enum status eval_select_open(struct eval *eval, const struct vector_selector *selector,
                                      int64_t min_ts_ms, int64_t max_ts_ms, struct selection **out,
                                      struct error *err);
/* NULL is fine. */
void eval_select_close(struct eval *eval, struct selection *selection);
void eval_release_array(struct eval *eval, size_t count, size_t element_bytes);
/* The same for the answer: it counts against the budget of the query, but lives in result_arena. */
MUST_USE enum status eval_alloc_result(struct eval *eval, size_t count, size_t element_bytes,
                                       void **out, struct error *err);
/* Adds a note of `owner` about `expr`, which is itself or an argument of it: "PromQL warning: " or
   "PromQL info: ", the text, and where `expr` starts, as " (1:6)". */
void eval_warn_at(struct eval *eval, const struct expr *owner, const struct expr *expr,
                  const char *format, ...) PRINTF_LIKE(4, 5);
void eval_info_at(struct eval *eval, const struct expr *owner, const struct expr *expr,
                  const char *format, ...) PRINTF_LIKE(4, 5);
/* As Go's %g prints a number into texts: shortest digits, exponent outside [1e-4, 1e6). */
void append_go_g(struct buffer *out, double value);

/* a - b, kept within int64. */
static inline int64_t time_minus(int64_t a_ms, int64_t b_ms)
{
    int64_t difference;
    if (!__builtin_sub_overflow(a_ms, b_ms, &difference))
        return difference;
    return b_ms > 0 ? INT64_MIN : INT64_MAX;
}
/* The time that a selector or subquery looks at in the step at `ts_ms`. */
int64_t eval_time_ms(const struct eval *eval, const struct time_modifier *time, int64_t ts_ms);

#endif
