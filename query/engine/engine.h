/*
 * engine: evaluates a PromQL query against the store.
 *
 * Semantics are those of Prometheus 3: left-open windows and lookback, stale markers, per-step
 * matching.
 * Evaluation is by columns: every node of the tree yields all steps of each of its series at once.
 *
 * Threads: one engine serves many threads; each query is one call on one thread, which may have
 *          helpers (sweep.h).
 */
#ifndef CROFT_QUERY_ENGINE_H
#define CROFT_QUERY_ENGINE_H

#include "base/clock.h"
#include "base/counter.h"
#include "query/engine/value.h"
#include "tsdb/store/select.h"

struct pool;
struct turn;

struct engine {
    struct store *store;
    const struct clock *clock;
    int64_t lookback_ms;     /* 5 minutes */
    int64_t default_step_ms; /* of subqueries without a step: 1 minute */
    uint64_t samples_max;    /* in memory at once, of one query */
    size_t memory_max_bytes; /* of one query, its answer included */
    bool allows_experimental;
    struct pool *helpers; /* threads that help a query while processors are idle; may be NULL */
    size_t helper_count;  /* of them at most for one query */
};

struct query_options {
    struct str text;
    const struct scope *scope;
    bool is_range;
    int64_t start_ms;          /* of an instant query: the time */
    int64_t end_ms;            /* inclusive; equal to start_ms for an instant query */
    int64_t step_ms;           /* > 0 for a range query */
    int64_t lookback_ms;       /* 0: the engine's */
    uint64_t deadline_ns;      /* of clock_monotonic_ns; 0 for none */
    const struct flag *cancel; /* may be NULL */
    /* Called every few milliseconds on the query's thread, to raise `cancel` when nobody waits for
       the answer any more; may be NULL. */
    void (*watch)(void *context);
    void *watch_context;
    /* What the query holds of the memory that all share; the caller ends it, after the result. May
       be NULL. */
    struct charge *charge;
    /* Held, and given away now and then; may be NULL: then nobody helps. */
    struct turn *turn;
    /* Takes the series of a range query in order of their labels, instead of the result: so an
       answer need not be in memory. Labels and points are borrowed. Anything but STATUS_OK ends the
       query with that. May be NULL. */
    enum status (*take_series)(void *context, const struct result_series *series,
                               struct error *err);
    void *take_context;
};

/* Everything in `out` lives in `arena`, which must have no limit of its own: memory_max_bytes
   bounds what is taken, and it is charged as options->charge is. Notes are filled in on failure
   too. STATUS_INVALID: does not parse (text from the parser), or a range query of something without
   steps; STATUS_LIMIT: a budget was hit, or an evaluation error such as many-to-many matching (both
   are "execution" for the HTTP API); STATUS_UNAVAILABLE: the share of `charge` is used up;
   STATUS_TIMEOUT, STATUS_CANCELLED. */
MUST_USE enum status engine_query(const struct engine *engine, const struct query_options *options,
                                  struct arena *arena, struct query_result *out, struct error *err);

#endif
