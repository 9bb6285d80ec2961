/*
 * fleet_value: how the value of one made-up series goes from scrape to scrape.
 *
 * Modelled on a recording of a real node exporter: two thirds of the series of a machine never
 * change. The others count or wander in whole units (bytes, pages, ticks, nanoseconds), show them
 * in one of a few forms of decimals, some at every scrape and some rarely, and all of a machine
 * move more while it is busy. Durations are measured anew each time.
 *
 * Deterministic: the same seed and the same moments give the same bits on every machine.
 */
#ifndef CROFT_BENCH_FLEET_VALUE_H
#define CROFT_BENCH_FLEET_VALUE_H

#include "base/random.h"
#include "bench/fleet_families.h"

/* One scrape of one machine. */
struct fleet_moment {
    int64_t ts_ms; /* on the grid that Prometheus aligns to, but for one scrape in sixteen */
    unsigned rush; /* a busy machine takes steps 2^rush times as large */
    bool is_restart;
};

/* Of the scrape that is due at `due_ms`; each instance has its own place in the interval. */
struct fleet_moment fleet_moment_of(size_t instance, int64_t due_ms);

struct fleet_value {
    enum fleet_kind kind;
    uint32_t chance; /* of 65536: to move in a scrape */
    bool is_even;    /* takes the same step nearly always */
    int64_t step;    /* of a quiet scrape */
    int64_t level;   /* that a gauge returns to */
    int64_t units;
    double sum; /* of what a histogram observed: float64 added to float64 */
    struct random random;
};

void fleet_value_init(struct fleet_value *value, enum fleet_kind kind, uint64_t seed);
/* The series of one histogram have the same seed: they count the same. `share` is
   that of a bucket. */
double fleet_value_next(struct fleet_value *value, const struct fleet_moment *moment, double share);

#endif
