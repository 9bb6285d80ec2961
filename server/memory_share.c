#include "server/memory_share.h"

#include "base/number.h"

static const struct {
    struct str suffix;
    unsigned shift;
} units[] = {{{"KiB", 3}, 10}, {{"MiB", 3}, 20}, {{"GiB", 3}, 30}, {{"TiB", 3}, 40}, {{"", 0}, 0}};

/* Takes `suffix` off the end of `text`. */
static bool cut_suffix(struct str *text, struct str suffix)
{
    if (text->len <= suffix.len ||
        !str_eq(str_slice(*text, text->len - suffix.len, suffix.len), suffix))
        return false;
    text->len -= suffix.len;
    return true;
}

static bool parse_percent(struct str text, uint64_t all_bytes, uint64_t *out)
{
    uint64_t percent;
    if (!cut_suffix(&text, STR("%")) || !parse_u64(text, &percent) || percent < 1 || percent > 100)
        return false;
    *out = all_bytes / 100 * percent;
    return true;
}

static bool parse_size(struct str text, uint64_t *out)
{
    size_t unit = 0;
    uint64_t number;
    while (!cut_suffix(&text, units[unit].suffix))
        if (++unit == sizeof units / sizeof *units)
            return false;
    if (!parse_u64(text, &number) || number > MEMORY_SHARE_MAX_BYTES >> units[unit].shift)
        return false;
    *out = number << units[unit].shift;
    return *out >= MEMORY_SHARE_MIN_BYTES;
}

enum status memory_share_parse(struct str text, const char *name, uint64_t all_bytes, size_t *out,
                               struct error *err)
{
    uint64_t bytes;
    if (!parse_percent(text, all_bytes, &bytes) && !parse_size(text, &bytes))
        return error_set(
            err, STATUS_INVALID,
            "%s: got \"%.*s\", want a percentage of the memory from 1%% to 100%%, or a "
            "size of at least 1MiB such as 512MiB or 4GiB",
            name, STR_ARG(str_slice(text, 0, 100)));
    *out = (size_t)bytes;
    return STATUS_OK;
}
