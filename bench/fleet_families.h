/*
 * fleet_families: the metrics that one instance of a fleet shows, and which series they have.
 *
 * A family has a series for each combination of the values of its labels.
 */
#ifndef CROFT_BENCH_FLEET_FAMILIES_H
#define CROFT_BENCH_FLEET_FAMILIES_H

#include <stdbool.h>
#include <stddef.h>

/* How the value of a series moves, and the form in which it is shown: see fleet_value. */
enum fleet_kind {
    FLEET_CONSTANT,
    FLEET_INFO,  /* always 1 */
    FLEET_STATE, /* 1 for the second value of the last label, 0 for the others */
    FLEET_COUNTER,
    FLEET_SLOW_COUNTER,
    FLEET_BYTES,
    FLEET_SECONDS,      /* ticks of a hundredth, as the kernel counts them: two decimals */
    FLEET_MILLISECONDS, /* counted, shown in seconds */
    FLEET_NANOSECONDS,  /* counted, shown in seconds */
    FLEET_LOAD,         /* a gauge with two decimals */
    FLEET_DURATION,     /* measured anew each time, in nanoseconds */
    FLEET_BUCKET,       /* its share of what its histogram observed; so are the two below */
    FLEET_HISTOGRAM_COUNT,
    FLEET_HISTOGRAM_SUM,
};

enum { FLEET_DIMENSIONS_MAX = 3 };

/* One label and its values: words, or a prefix with a number behind it. */
struct fleet_dimension {
    const char *name;
    const char *const *words; /* NULL: numbers */
    const char *prefix;
    size_t count;
    bool is_per_instance; /* the values of each instance are its own: names of pods */
};

struct fleet_family {
    const char *metric;
    const char *job;
    enum fleet_kind kind;
    const struct fleet_dimension *dimensions[FLEET_DIMENSIONS_MAX]; /* NULL behind the last */
};

extern const struct fleet_family fleet_families[];
extern const size_t fleet_family_count;

/* How many series the family has per instance. */
size_t fleet_family_size(const struct fleet_family *family);
/* Which value each label has in series `index` of the family. */
void fleet_family_values(const struct fleet_family *family, size_t index,
                         size_t values[FLEET_DIMENSIONS_MAX]);
/* The share of observations at or below the bound of bucket `index` of the label "le". */
double fleet_bucket_share(size_t index);

#endif
