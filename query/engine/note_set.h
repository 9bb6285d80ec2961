/*
 * note_set: the warnings, or the infos, of one query while it is evaluated.
 *
 * Texts are kept without duplicates and in their own order, so that it does not matter in which
 * order threads find them; of too many the last in that order are dropped.
 *
 * Ownership:  the set owns its texts.
 * Threads:    not synchronised; eval guards it with its lock.
 */
#ifndef CROFT_QUERY_NOTE_SET_H
#define CROFT_QUERY_NOTE_SET_H

#include "query/engine/value.h"

enum {
    NOTE_SET_MAX = 256, /* texts; what is dropped is not even counted */
    NOTE_LEN_MAX = 1024,
    NOTES_SHOWN_MAX = 10,
};

struct note_set {
    char *texts[NOTE_SET_MAX]; /* increasing */
    size_t count;
};

void note_set_deinit(struct note_set *set);
/* Copies the first NOTE_LEN_MAX bytes of `text`, which holds no NUL. */
void note_set_add(struct note_set *set, struct str text);
/* As Prometheus shows them: the first ten, and how many are left out; `kind` is "warning" or
   "info". */
void note_set_list(const struct note_set *set, const char *kind, struct arena *arena,
                   struct notes *out);

#endif
