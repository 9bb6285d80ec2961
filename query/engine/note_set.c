#include "query/engine/note_set.h"

#include "base/mem.h"

void note_set_deinit(struct note_set *set)
{
    for (size_t i = 0; i < set->count; i++)
        mem_free(set->texts[i]);
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
    while (at < set->count && str_compare(str_from(set->texts[at]), text) < 0)
        at++;
    return at;
}

void note_set_add(struct note_set *set, struct str text)
{
    text = str_slice(text, 0, NOTE_LEN_MAX);
    size_t at = find_note(set, text);
    if (at == NOTE_SET_MAX || (at < set->count && str_eq(str_from(set->texts[at]), text)))
        return;
    if (set->count == NOTE_SET_MAX)
        mem_free(set->texts[--set->count]);
    memmove(&set->texts[at + 1], &set->texts[at], (set->count - at) * sizeof *set->texts);
    set->texts[at] = clone_text(text);
    set->count++;
}

void note_set_list(const struct note_set *set, const char *kind, struct arena *arena,
                   struct notes *out)
{
    *out = (struct notes){0};
    if (set->count == 0)
        return;
    out->ptr = arena_alloc(arena, (NOTES_SHOWN_MAX + 1) * sizeof *out->ptr);
    for (; out->count < set->count && out->count < NOTES_SHOWN_MAX; out->count++)
        out->ptr[out->count] = arena_copy(arena, str_from(set->texts[out->count]));
    if (set->count > NOTES_SHOWN_MAX)
        out->ptr[out->count++] = arena_format(arena, "%zu more %s annotations omitted",
                                              set->count - NOTES_SHOWN_MAX, kind);
}
