#include "base/words.h"

#include <stdlib.h>
#include <strings.h>

bool str_starts_with_caseless(struct str s, struct str prefix)
{
    return s.len >= prefix.len &&
           (prefix.len == 0 || strncasecmp(s.ptr, prefix.ptr, prefix.len) == 0);
}

bool str_eq_caseless(struct str a, struct str b)
{
    return a.len == b.len && str_starts_with_caseless(a, b);
}

static bool is_blank(char c)
{
    return c == ' ' || c == '\t';
}

struct str str_trim(struct str s)
{
    while (s.len > 0 && is_blank(s.ptr[0]))
        s = str_slice(s, 1, SIZE_MAX);
    while (s.len > 0 && is_blank(s.ptr[s.len - 1]))
        s.len--;
    return s;
}

static int compare_elements(const void *a, const void *b)
{
    return str_compare(*(const struct str *)a, *(const struct str *)b);
}

void str_sort(struct str *texts, size_t count)
{
    if (count > 0)
        qsort(texts, count, sizeof *texts, compare_elements);
}

size_t str_sort_unique(struct str *texts, size_t count)
{
    size_t kept = 0;
    str_sort(texts, count);
    for (size_t i = 0; i < count; i++) {
        if (kept == 0 || !str_eq(texts[i], texts[kept - 1]))
            texts[kept++] = texts[i];
    }
    return kept;
}

bool str_is_among(struct str text, const struct str *sorted, size_t count)
{
    return count > 0 && bsearch(&text, sorted, count, sizeof text, compare_elements) != NULL;
}
