/*
 * histograms: the classic histograms of a vector, one series per bucket, told apart by `le`.
 *
 * The series of a histogram are those that are equal but for `le`. One histogram is worked on at a
 * time: memory is one column per bucket of it.
 *
 * Invariant:  a series whose `le` is no number is in no histogram; a warning says so if it has
 *             values.
 * Ownership:  everything lives in the query's arena, but for the operator and what it loaded, which
 *             histograms_close gives back. The labels outlive both.
 */
#ifndef CROFT_QUERY_HISTOGRAMS_H
#define CROFT_QUERY_HISTOGRAMS_H

#include "query/engine/grouping.h"
#include "query/function/bucket.h"

struct histograms {
    struct eval *eval;
    const struct expr *call;
    const struct expr *arg; /* the vector of buckets */
    struct query_operator *vector;
    uint64_t loaded_before; /* samples that the query held at open */
    double *uppers;         /* per series: its `le` */
    uint32_t *groups;       /* per series: its histogram; GROUP_NONE when `le` is no number */
    struct labels *labels;  /* per histogram: with the name, without `le`; own text */
    size_t count;           /* of histograms */
    struct members members;
    double *columns;        /* of the buckets of the histogram at hand */
    struct bucket *buckets; /* of one step of it */
};

/* Those of the argument `arg` of a call. On failure there is nothing to close. */
MUST_USE enum status histograms_open(struct histograms *histograms, struct eval *eval,
                                     const struct grid *grid, const struct expr *call, size_t arg,
                                     struct error *err);
void histograms_close(struct histograms *histograms);

/* Reads the columns of all buckets of histogram `index`, which is the one at hand from now on. */
MUST_USE enum status histograms_read(struct histograms *histograms, size_t index,
                                     struct error *err);
/* Puts the buckets that the histogram at hand has at a step into `buckets`; how many. */
size_t histograms_collect(struct histograms *histograms, size_t index, size_t step);

#endif
