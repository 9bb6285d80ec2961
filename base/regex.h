/*
 * regex: RE2 behind a C interface: linear time, the syntax and the complaints of Go's regexp.
 *
 * Patterns are anchored at both ends and '.' matches newlines, as Prometheus compiles them:
 * (?s)^(?:p)$.
 *
 * Threads: a compiled regex may be used by many threads.
 */
#ifndef CROFT_BASE_REGEX_H
#define CROFT_BASE_REGEX_H

#include "base/arena.h"
#include "base/buffer.h"
#include "base/bytes.h"
#include "base/status.h"

struct regex;

/* STATUS_INVALID with the reason as text: bad syntax, or a program over the memory cap (1 MiB). */
MUST_USE enum status regex_new(struct str pattern, struct regex **out, struct error *err);
void regex_free(struct regex *regex);
bool regex_matches(const struct regex *regex, struct str text);

/* When `text` matches as a whole, appends `replacement` to `out` with $1, ${1}, $name, ${name} and
   $$ expanded as Go's Regexp.Expand does (unknown groups are empty), and returns true. */
bool regex_expand(const struct regex *regex, struct str text, struct str replacement,
                  struct buffer *out);

/* When the pattern is nothing but an alternation of at most 1,024 literals ("a|b|(c|d)e",
   case-sensitive), lists them in `arena`, sorted and each once, and returns true; the caller may
   then look them up instead of matching. `arena` needs no more room than 1 MiB. */
bool regex_literals(struct str pattern, struct arena *arena, struct str **out, size_t *count);

#endif
