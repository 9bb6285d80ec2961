#include "http/params.h"

#include "base/check.h"
#include "base/words.h"
#include "http/percent.h"

/* Makes room for `count` more. */
static enum status reserve(struct params *params, struct arena *arena, size_t count,
                           struct error *err)
{
    if (count > PARAMS_MAX - params->count)
        return error_set(err, STATUS_INVALID, "parameters: got more than %d", PARAMS_MAX);
    size_t want = params->count + count;
    if (want <= params->capacity)
        return STATUS_OK;
    struct param *items = arena_alloc(arena, want * sizeof *items);
    if (params->count > 0)
        memcpy(items, params->items, params->count * sizeof *items);
    params->items = items;
    params->capacity = want;
    return STATUS_OK;
}

static enum status decode(char *text, size_t *len, struct error *err)
{
    if (!percent_decode(text, len, PERCENT_PLUS_IS_SPACE))
        return error_set(err, STATUS_INVALID, "parameters: bad percent escape, want %%XX");
    return STATUS_OK;
}

/* `pair` is "name", "name=value" or "name=value=more". */
static enum status add_pair(struct params *params, char *pair, size_t len, struct error *err)
{
    size_t name_len = str_find((struct str){pair, len}, '=', 0);
    char *value = pair + name_len;
    size_t value_len = 0;
    if (name_len < len) {
        value++;
        value_len = len - name_len - 1;
    }
    TRY(decode(pair, &name_len, err));
    TRY(decode(value, &value_len, err));
    CHECK(params->count < params->capacity);
    params->items[params->count++] = (struct param){{pair, name_len}, {value, value_len}};
    return STATUS_OK;
}

/* How many pairs `form` holds at most: empty ones ("a=1&&b=2") are counted but never stored. */
static size_t count_pairs(struct str form)
{
    size_t count = 1;
    for (size_t at = str_find(form, '&', 0); at < form.len; at = str_find(form, '&', at + 1))
        count++;
    return count;
}

enum status params_add_form(struct params *params, struct arena *arena, char *form, size_t len,
                            struct error *err)
{
    if (len == 0)
        return STATUS_OK;
    struct str rest = {form, len};
    TRY(reserve(params, arena, count_pairs(rest), err));
    size_t start = 0;
    while (start < len) {
        size_t end = str_find(rest, '&', start);
        if (end > start)
            TRY(add_pair(params, form + start, end - start, err));
        start = end + 1;
    }
    return STATUS_OK;
}

const struct param *params_find(const struct params *params, struct str name)
{
    for (size_t index = 0; index < params->count; index++) {
        if (str_eq(params->items[index].name, name))
            return &params->items[index];
    }
    return NULL;
}

size_t params_values(const struct params *params, struct str name, struct arena *arena,
                     struct str **out)
{
    size_t count = 0;
    for (size_t index = 0; index < params->count; index++)
        count += str_eq(params->items[index].name, name);
    *out = arena_alloc(arena, count * sizeof **out);
    size_t to = 0;
    for (size_t index = 0; index < params->count; index++) {
        if (str_eq(params->items[index].name, name))
            (*out)[to++] = params->items[index].value;
    }
    return count;
}

bool params_is_form(struct str content_type)
{
    const struct str form = STR("application/x-www-form-urlencoded");
    if (!str_starts_with_caseless(content_type, form))
        return false;
    struct str rest = str_slice(content_type, form.len, SIZE_MAX);
    return rest.len == 0 || rest.ptr[0] == ';' || rest.ptr[0] == ' ' || rest.ptr[0] == '\t';
}
