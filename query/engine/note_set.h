/*
 * note_set: the warnings, or the infos, of one query while it is evaluated.
 *
 * Texts are kept without duplicates and in their own order, so that it does not matter in which
 * order threads find them; of too many the last in that order are dropped. A text that is due to
 * several parts of the query names that part which is evaluated last, as in Prometheus: an outer
 * one after those in it, and else from left to right.
 *
 * Ownership:  the set owns its texts.
 * Threads:    not synchronised; eval guards it with its lock.
 */
#ifndef CROFT_QUERY_NOTE_SET_H
#define CROFT_QUERY_NOTE_SET_H

#include "query/engine/value.h"
#include "query/syntax/ast.h"

enum {
    NOTE_SET_MAX = 256, /* texts; what is dropped is not even counted */
    NOTE_LEN_MAX = 1024,
    NOTES_SHOWN_MAX = 10,
};

/* Where in the text of the query a note belongs to. */
struct note_place {
    struct position owner; /* the call or aggregation whose note it is */
    size_t offset;         /* what the note names: mostly an argument of it */
};

/* Of a note about the whole query: it shows none. */
extern const struct note_place note_no_place;

struct note {
    char *text;
    struct note_place place;
};

struct note_set {
    struct note notes[NOTE_SET_MAX]; /* by increasing text */
    size_t count;
};

void note_set_deinit(struct note_set *set);
/* Copies the first NOTE_LEN_MAX bytes of `text`, which holds no NUL. */
void note_set_add(struct note_set *set, struct str text, struct note_place place);
/* As Prometheus shows them: the first ten, with their places in `query` as " (1:6)", if they have
   one, and how many are left out; `kind` is "warning" or "info". */
void note_set_list(const struct note_set *set, const char *kind, struct str query,
                   struct arena *arena, struct notes *out);

#endif
