#include "tsdb/model/literals.h"

#include "base/regex.h"
#include "base/words.h"

/* Bytes that mean something in a regex; an escaped one stands for itself. */
static bool is_meta(char c)
{
    return c == '\0' || strchr("\\.+*?()|[]{}^$", c) != NULL;
}

static bool is_escape(struct str pattern, size_t at)
{
    if (pattern.ptr[at] != '\\' || at + 1 == pattern.len)
        return false;
    char c = pattern.ptr[at + 1];
    return c != '\0' && strchr("\\.+*?()|[]{}^$-/ \"'", c) != NULL;
}

/* The number of alternatives of a pattern like "a|b\.c|d"; 0 for any other. */
static size_t count_alternatives(struct str pattern)
{
    size_t count = 1;
    for (size_t at = 0; at < pattern.len; at++) {
        if (is_escape(pattern, at))
            at++;
        else if (pattern.ptr[at] == '|')
            count++;
        else if (is_meta(pattern.ptr[at]))
            return 0;
    }
    return count;
}

static size_t find_bar(struct str pattern, size_t from)
{
    size_t at = from;
    while (at < pattern.len && pattern.ptr[at] != '|')
        at += pattern.ptr[at] == '\\' ? 2 : 1;
    return at;
}

/* Takes the backslashes out; the text itself when it has none. False when the arena is full. */
static bool unescape(struct str text, struct arena *arena, struct str *out)
{
    *out = text;
    if (str_find(text, '\\', 0) == text.len)
        return true;
    char *plain = arena_try_alloc(arena, text.len);
    if (plain == NULL)
        return false;
    size_t len = 0;
    for (size_t at = 0; at < text.len; at++) {
        at += text.ptr[at] == '\\';
        plain[len++] = text.ptr[at];
    }
    *out = (struct str){plain, len};
    return true;
}

static bool split(struct str pattern, size_t count, struct arena *arena, struct str *out)
{
    size_t from = 0;
    for (size_t i = 0; i < count; i++) {
        size_t end = find_bar(pattern, from);
        if (!unescape(str_slice(pattern, from, end - from), arena, &out[i]))
            return false;
        from = end + 1;
    }
    return true;
}

/* "(a|b)" as "a|b". */
static struct str without_parens(struct str pattern)
{
    bool is_enclosed =
        pattern.len >= 2 && pattern.ptr[0] == '(' && pattern.ptr[pattern.len - 1] == ')';
    return is_enclosed ? str_slice(pattern, 1, pattern.len - 2) : pattern;
}

static bool list_alternatives(struct str pattern, struct arena *arena, struct str **out,
                              size_t *count)
{
    pattern = without_parens(pattern);
    *count = count_alternatives(pattern);
    if (*count == 0)
        return false;
    *out = arena_try_alloc(arena, *count * sizeof **out);
    return *out != NULL && split(pattern, *count, arena, *out);
}

bool literals_of_pattern(struct str pattern, struct arena *arena, const struct str **out,
                         size_t *count)
{
    struct str *texts;
    if (!list_alternatives(pattern, arena, &texts, count) &&
        !regex_literals(pattern, arena, &texts, count))
        return false;
    *count = str_sort_unique(texts, *count);
    *out = texts;
    return true;
}

bool literals_hold(const struct str *literals, size_t count, struct str text)
{
    return str_is_among(text, literals, count);
}
