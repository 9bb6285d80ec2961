/*
 * text_set: texts as they are found, many of them several times.
 *
 * Ownership:  text is kept by who adds it, or copied to the set's arena; the list of them is the
 *             set's, until text_set_finish has copied that to the arena as well.
 * Errors:     everything is charged before it is allocated, and refused with the charge.
 */
#ifndef CROFT_TSDB_TEXT_SET_H
#define CROFT_TSDB_TEXT_SET_H

#include "base/arena.h"
#include "base/buffer.h"

struct text_set {
    struct arena *arena; /* where copies go */
    struct buffer texts; /* struct str */
};

/* Both are kept; `charge` may be NULL. */
void text_set_init(struct text_set *set, struct arena *arena, struct charge *charge);
void text_set_deinit(struct text_set *set);

/* The text lives as long as the set is used. */
MUST_USE enum status text_set_add(struct text_set *set, struct str text, struct error *err);
MUST_USE enum status text_set_add_all(struct text_set *set, struct str_list texts,
                                      struct error *err);
/* For a text that comes again and again: the list stays as short as the texts are few. */
MUST_USE enum status text_set_add_repeated(struct text_set *set, struct str text,
                                           struct error *err);
MUST_USE enum status text_set_add_copy(struct text_set *set, struct str text, struct error *err);
MUST_USE enum status text_set_add_copies(struct text_set *set, struct str_list texts,
                                         struct error *err);

/* As they were added, or, after text_set_thin, sorted and each once. */
struct str *text_set_ptr(const struct text_set *set);
size_t text_set_count(const struct text_set *set);
void text_set_thin(struct text_set *set);
/* Sorted, each once; in the arena. */
MUST_USE enum status text_set_finish(struct text_set *set, struct str_list *out, struct error *err);

#endif
