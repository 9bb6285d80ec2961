/*
 * shared: parts of a query that are written more than once, evaluated once.
 *
 *     (a - b) / a     a is opened once; b's columns are made once, a's too
 *
 * Parts are the same when they print the same. The first that is opened over a grid stays open to
 * the end of the query, and all of them are views of it. Its columns are kept as they are made, as
 * long as all of them together are small; else they are made anew for each view.
 *
 * Ownership:  the set owns the operators that are shared; views own nothing.
 * Threads:    opened and closed on the query's own thread; columns are read by several.
 */
#ifndef CROFT_QUERY_SHARED_H
#define CROFT_QUERY_SHARED_H

#include "query/syntax/ast.h"

enum {
    SHARED_PARTS_MAX = 256,              /* a query that repeats more shares nothing */
    SHARED_TEXT_BYTES_MAX = 256 << 10,   /* nor does one whose parts take more to print */
    SHARED_COLUMNS_BYTES_MAX = 16 << 20, /* of one part */
};

struct eval;
struct grid;
struct query_operator;
struct shared;

/* One place where a part that occurs several times is written. */
struct shared_place {
    const struct expr *expr;
    uint32_t group; /* the same for the same parts */
};

struct shared_set {
    struct shared_place *places; /* in the query's arena; sorted by group */
    size_t count;
    struct shared *first; /* those that are open, the latest first */
};

/* Finds what is written more than once. */
MUST_USE enum status shared_set_find(struct shared_set *set, struct eval *eval,
                                     const struct expr *expr, struct error *err);
void shared_set_close(struct shared_set *set);

/* The place of `expr`; NULL when it is written once. */
const struct shared_place *shared_set_at(const struct shared_set *set, const struct expr *expr);

typedef enum status (*shared_open_first)(struct eval *eval, const struct grid *grid,
                                         const struct expr *expr, struct query_operator **out,
                                         struct error *err);
/* A view of the part at `place`, which is opened if it is not yet. */
MUST_USE enum status shared_open(struct eval *eval, const struct grid *grid,
                                 const struct shared_place *place, shared_open_first open_first,
                                 struct query_operator **out, struct error *err);

/* Calls `use` for every place where what is at `position` of the query's text is written, with how
   far behind `position` that is: so with 0 first. */
void shared_set_each_place(const struct shared_set *set, const struct position *position,
                           void (*use)(void *context, ptrdiff_t distance), void *context);

#endif
