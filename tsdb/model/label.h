/*
 * label: a name and a value; a label set identifies a series within a tenant.
 *
 * Invariant:  a `struct labels` is sorted by name byte-wise, names are unique and not empty, values
 *             are not empty (an empty value is the same as no label).
 * Ownership:  borrowed views throughout.
 */
#ifndef CROFT_TSDB_LABEL_H
#define CROFT_TSDB_LABEL_H

#include "base/arena.h"
#include "base/buffer.h"
#include "base/bytes.h"
#include "base/status.h"

#define LABEL_METRIC_NAME STR("__name__")

struct label {
    struct str name;
    struct str value;
};

struct labels {
    const struct label *ptr;
    size_t count;
};

struct label_limits {
    uint32_t labels_max;    /* labels per series, the metric name included */
    uint32_t name_len_max;  /* bytes */
    uint32_t value_len_max; /* bytes */
};

/* Order of Prometheus' labels.Compare: pair by pair, then the shorter first. */
int labels_compare(struct labels a, struct labels b);
bool labels_eq(struct labels a, struct labels b);
/* A copy of array and text, as one piece of the arena. STATUS_LIMIT and STATUS_UNAVAILABLE when it
   is full. */
MUST_USE enum status labels_clone(struct labels labels, struct arena *arena, struct labels *out,
                                  struct error *err);
/* Independent of how the labels arrived; keyed (base/hash). */
uint64_t labels_hash(struct labels labels);
/* The value, or an empty view when there is no such label. */
struct str labels_get(struct labels labels, struct str name);
/* Whether they stand as labels_canonicalise would give them, as far as order, repetition
   and empty texts go. */
bool labels_are_in_order(const struct label *labels, size_t count);
/* Sorts in place by name. */
void labels_sort(struct label *labels, size_t count);

/* Checks the `count` labels as a sender gave them (any order, empty values) against the rules of
   the data model and `limits`, and gives the sorted label set with empty values dropped; names and
   values still point where they pointed. STATUS_INVALID names the offending label:
   no metric name, a repeated name, an empty name, invalid UTF-8. STATUS_LIMIT: too many, or one is
   too long; the first that is. */
MUST_USE enum status labels_canonicalise(const struct label *given, size_t count,
                                         const struct label_limits *limits, struct arena *arena,
                                         struct labels *out, struct error *err);

/* {__name__="up", job="x"} as Prometheus prints a metric: up{job="x"}. Values are quoted as Go's
   %q. Cut at about `len_max` bytes on a character boundary. */
void labels_print(struct buffer *out, struct labels labels, size_t len_max);

#endif
