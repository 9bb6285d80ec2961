/*
 * workload: requests to a store as a fleet sends them, from a seed: several tenants, new series and
 * old ones that end, repeated and late samples, commits that serve several requests, flushes in
 * between.
 *
 * What was sent and acknowledged goes to the journal. The same seed gives the same requests as long
 * as the disk does not refuse any.
 */
#ifndef CROFT_TESTS_FAULT_WORKLOAD_H
#define CROFT_TESTS_FAULT_WORKLOAD_H

#include "tests/fault/journal.h"

/* CROFT_FAULT_FULL is set: the long versions of the tests. */
bool fault_is_full(void);
/* The seed of the round, printed when it is a new one: CROFT_FAULT_ROUND, which script/soak
   counts up, moves it. */
uint64_t fault_seed(uint64_t usual);

enum { WORKLOAD_PENDING_MAX = 4, WORKLOAD_SAMPLES_MAX = 6 };

/* A request that has no answer yet. */
struct pending {
    struct box_write write;
    struct mark marks[WORKLOAD_SAMPLES_MAX];
    size_t count;
};

struct workload {
    struct store_box *box;
    struct journal *journal;
    struct random random;
    uint32_t series_min; /* older ones get no samples any more */
    struct pending pending[WORKLOAD_PENDING_MAX];
    size_t pending_count;
    uint64_t acknowledged; /* requests */
    uint64_t refused;
    int64_t late_max_ms; /* how late the latest are; 2 days */
    int64_t behind_ms;   /* what is sent is of a time so long ago: somebody fills the past */
};

void workload_init(struct workload *w, struct store_box *box, struct journal *journal,
                   uint64_t seed);
/* One request, and what happens around it: perhaps a commit, a flush, a sweep; time goes on. */
void workload_step(struct workload *w);
/* Commits and takes the answers. */
void workload_settle(struct workload *w);
/* Ends the store, and the requests without an answer. */
void workload_crash(struct workload *w, enum power_cut cut);

#endif
