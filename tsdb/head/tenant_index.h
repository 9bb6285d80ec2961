/*
 * tenant_index: the label pairs of one tenant's series in a head, and which series have each.
 *
 *     pair number ─► identity encoding of the label (the text of a symbol)
 *                ─► postings: refs of the series that have the pair
 *                ─► name number ─► all pairs of that name
 *
 * A pair without series is not listed, but keeps its number and its text: who reads may still have
 * a view of it, and it often comes back.
 *
 * Ownership:  owns everything; the text of labels lives until tenant_index_free.
 * Threads:    not synchronised; the shard's lock guards it.
 */
#ifndef CROFT_TSDB_TENANT_INDEX_H
#define CROFT_TSDB_TENANT_INDEX_H

#include "tsdb/head/identity.h"
#include "tsdb/index/postings.h"
#include "tsdb/index/symbols.h"

struct tenant;

struct indexed_pair {
    struct postings series;
    uint32_t name;  /* number of the name */
    uint32_t place; /* in the list of the name; unused while there are no series */
};

struct indexed_name {
    uint32_t *pairs; /* pairs of this name that have series, in no order */
    size_t count;
    size_t capacity;
};

/* Most series have no more labels; what is beyond them is looked up each time. */
enum { TENANT_INDEX_LATEST_MAX = 24 };

struct tenant_index {
    struct tenant *tenant;
    bool is_leaving; /* it had no series at the end of the last flush, and has got none since */
    struct symbols *names;
    struct symbols *pairs;        /* the text is the identity encoding of the label */
    struct indexed_name *by_name; /* by the number of the name */
    size_t name_capacity;
    struct indexed_pair *by_pair; /* by the number of the pair */
    size_t pair_capacity;
    struct postings all_series;
    size_t list_bytes;                        /* of all by_name[..].pairs */
    size_t postings_bytes;                    /* of all postings, all_series included */
    uint64_t charged_bytes;                   /* for what it holds: see tenant_index_charge */
    uint32_t latest[TENANT_INDEX_LATEST_MAX]; /* pairs of the series that was added last */
    size_t latest_count;
    struct buffer encoding; /* scratch of those who add */
};

/* `tenant` is kept. */
struct tenant_index *tenant_index_new(struct tenant *tenant);
/* NULL is fine. */
void tenant_index_free(struct tenant_index *index);

/* Adds a series whose identity encoding has `count` labels; writes the numbers of its pairs to
   `pairs`. */
void tenant_index_add(struct tenant_index *index, struct bytes identity, size_t count, uint32_t ref,
                      uint32_t *pairs);
void tenant_index_remove(struct tenant_index *index, const uint32_t *pairs, size_t count,
                         uint32_t ref);

/* What the limits compare; each may be asked only by who may also change the index. */

/* What a series with these labels would add to charged_bytes: its own part and that of each text
   that is new. So a tenant pays for what it holds, not for how memory happens to grow. `index` may
   be NULL: then all is new. */
uint64_t tenant_index_charge(struct tenant_index *index, struct labels labels);
/* How many series have the label. */
size_t tenant_index_series_count(struct tenant_index *index, struct label label);
/* Of the names of which the labels bring a new value, the one with the most values: how many it
   has; false when no value is new. */
bool tenant_index_grows(struct tenant_index *index, struct labels labels, size_t *value_count);

/* The label with that number, pointing into the index. */
struct label tenant_index_label(const struct tenant_index *index, uint32_t pair);
/* The series that have the label; NULL when none has. */
const struct postings *tenant_index_find(const struct tenant_index *index, struct label label);
/* False when no series ever had a label of that name. */
bool tenant_index_find_name(const struct tenant_index *index, struct str name, uint32_t *out);
size_t tenant_index_memory_bytes(const struct tenant_index *index);

#endif
