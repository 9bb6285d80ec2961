#include "tsdb/store/text_set.h"

#include "base/words.h"

void text_set_init(struct text_set *set, struct arena *arena, struct charge *charge)
{
    set->arena = arena;
    buffer_init(&set->texts, SIZE_MAX);
    set->texts.charge = charge;
}

void text_set_deinit(struct text_set *set)
{
    buffer_deinit(&set->texts);
}

struct str *text_set_ptr(const struct text_set *set)
{
    return (struct str *)(void *)set->texts.ptr;
}

size_t text_set_count(const struct text_set *set)
{
    return set->texts.len / sizeof(struct str);
}

enum status text_set_add(struct text_set *set, struct str text, struct error *err)
{
    buffer_append(&set->texts, &text, sizeof text);
    return set->texts.is_overflown ? charge_refusal(set->texts.charge, err) : STATUS_OK;
}

enum status text_set_add_all(struct text_set *set, struct str_list texts, struct error *err)
{
    for (size_t i = 0; i < texts.count; i++)
        TRY(text_set_add(set, texts.ptr[i], err));
    return STATUS_OK;
}

enum status text_set_add_copy(struct text_set *set, struct str text, struct error *err)
{
    char *copy = arena_try_alloc(set->arena, text.len);
    if (copy == NULL)
        return arena_refusal(set->arena, err);
    str_move(&text, copy);
    return text_set_add(set, text, err);
}

enum status text_set_add_copies(struct text_set *set, struct str_list texts, struct error *err)
{
    for (size_t i = 0; i < texts.count; i++)
        TRY(text_set_add_copy(set, texts.ptr[i], err));
    return STATUS_OK;
}

void text_set_thin(struct text_set *set)
{
    size_t kept = str_sort_unique(text_set_ptr(set), text_set_count(set));
    set->texts.len = kept * sizeof(struct str);
}

enum status text_set_add_repeated(struct text_set *set, struct str text, struct error *err)
{
    size_t room = set->texts.capacity - set->texts.len;
    if (room < sizeof text) {
        text_set_thin(set);
        /* as much again, or it would be sorted for each text */
        if (buffer_reserve(&set->texts, set->texts.len + sizeof text) == NULL)
            return charge_refusal(set->texts.charge, err);
    }
    return text_set_add(set, text, err);
}

enum status text_set_finish(struct text_set *set, struct str_list *out, struct error *err)
{
    text_set_thin(set);
    *out = (struct str_list){.ptr = arena_try_alloc(set->arena, set->texts.len)};
    if (out->ptr == NULL)
        return arena_refusal(set->arena, err);
    out->count = text_set_count(set);
    if (out->count > 0)
        memcpy(out->ptr, set->texts.ptr, set->texts.len);
    return STATUS_OK;
}
