/*
 * literals: the set behind a regex that is nothing but an alternation of fixed texts.
 *
 * Dashboards send "a|b|c" with as many texts as they have series, megabytes of it: one pass and a
 * sort instead of a compilation, one binary search instead of a match.
 */
#ifndef CROFT_TSDB_LITERALS_H
#define CROFT_TSDB_LITERALS_H

#include "base/arena.h"
#include "base/bytes.h"

/* False when the pattern has any other meaning, or the arena is full. The set is sorted
   and unique; it lives in `arena`, and texts without escapes point into `pattern`, which is kept.
 */
bool literals_of_pattern(struct str pattern, struct arena *arena, const struct str **out,
                         size_t *count);
/* Whether `text` is one of them. */
bool literals_hold(const struct str *literals, size_t count, struct str text);

#endif
