#include "query/engine/note_set.h"

#include "base/mem.h"

const struct note_place note_no_place = {.offset = SIZE_MAX};

void note_set_deinit(struct note_set *set)
{
    for (size_t i = 0; i < set->count; i++)
        mem_free(set->notes[i].text);
    set->count = 0;
}

static char *clone_text(struct str text)
{
    char *clone = mem_alloc(text.len + 1);
    memcpy(clone, text.ptr, text.len);
    clone[text.len] = '\0';
    return clone;
}

/* The first whose text is not less. */
static size_t find_note(const struct note_set *set, struct str text)
{
    size_t at = 0;
    while (at < set->count && str_compare(str_from(set->notes[at].text), text) < 0)
        at++;
    return at;
}

static bool encloses(const struct position *outer, const struct position *inner)
{
    return outer->start <= inner->start && inner->end <= outer->end;
}

static bool is_later(const struct note_place *place, const struct note_place *than)
{
    bool is_outer = encloses(&place->owner, &than->owner);
    bool is_inner = encloses(&than->owner, &place->owner);
    if (is_outer != is_inner)
        return is_outer;
    return place->offset > than->offset;
}

void note_set_add(struct note_set *set, struct str text, struct note_place place)
{
    text = str_slice(text, 0, NOTE_LEN_MAX);
    size_t at = find_note(set, text);
    if (at < set->count && str_eq(str_from(set->notes[at].text), text)) {
        if (is_later(&place, &set->notes[at].place))
            set->notes[at].place = place;
        return;
    }
    if (at == NOTE_SET_MAX)
        return;
    if (set->count == NOTE_SET_MAX)
        mem_free(set->notes[--set->count].text);
    memmove(&set->notes[at + 1], &set->notes[at], (set->count - at) * sizeof *set->notes);
    set->notes[at] = (struct note){.text = clone_text(text), .place = place};
    set->count++;
}

static struct str show(const struct note *note, struct str query, struct arena *arena)
{
    if (note->place.offset == note_no_place.offset)
        return arena_copy(arena, str_from(note->text));
    size_t line = 1;
    size_t line_start = 0;
    for (size_t i = 0; i < note->place.offset && i < query.len; i++) {
        if (query.ptr[i] == '\n') {
            line++;
            line_start = i + 1;
        }
    }
    return arena_format(arena, "%s (%zu:%zu)", note->text, line,
                        note->place.offset - line_start + 1);
}

void note_set_list(const struct note_set *set, const char *kind, struct str query,
                   struct arena *arena, struct notes *out)
{
    *out = (struct notes){0};
    if (set->count == 0)
        return;
    out->ptr = arena_alloc(arena, (NOTES_SHOWN_MAX + 1) * sizeof *out->ptr);
    for (; out->count < set->count && out->count < NOTES_SHOWN_MAX; out->count++)
        out->ptr[out->count] = show(&set->notes[out->count], query, arena);
    if (set->count > NOTES_SHOWN_MAX)
        out->ptr[out->count++] = arena_format(arena, "%zu more %s annotations omitted",
                                              set->count - NOTES_SHOWN_MAX, kind);
}
