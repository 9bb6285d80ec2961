#include "base/regex.h"

#include "base/words.h"

/* More literals than this are cheaper to match than to look up, and the cross product of groups
   ("(a|b)(c|d)...") grows without bound. */
enum {
    LITERALS_MAX = 1024,
    ITEMS_MAX = 8 * LITERALS_MAX, /* that are made on the way to the result */
    BYTES_MAX = 1 << 17,          /* the same, of their text */
    DEPTH_MAX = 16,
};

struct literal_set {
    struct str *items;
    size_t count;
    size_t capacity;
};

struct parser {
    struct str pattern;
    size_t at;
    unsigned depth;
    size_t items_made;
    size_t bytes_made;
    struct arena *arena;
};

/* alternation   = concatenation *( "|" concatenation )
   concatenation = *( run / "(" [ "?:" ] alternation ")" )
   run           = 1*( plain byte / "\" punctuation ) */
static bool parse_alternation(struct parser *p, struct literal_set *out);

static bool is_at(const struct parser *p, char c)
{
    return p->at < p->pattern.len && p->pattern.ptr[p->at] == c;
}

static bool is_plain(char c)
{
    return strchr("\\.+*?()|[]{}^$", c) == NULL;
}

static bool is_punctuation(char c)
{
    return c != '\0' && strchr("!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~", c) != NULL;
}

static char *alloc_text(struct parser *p, size_t len)
{
    p->bytes_made += len;
    return p->bytes_made > BYTES_MAX ? NULL : arena_try_alloc(p->arena, len);
}

/* Makes room for `want` literals in all. The old room stays with the arena until it is reset. */
static bool grow(struct parser *p, struct literal_set *set, size_t want)
{
    if (want <= set->capacity)
        return true;
    size_t capacity = want < 2 * set->capacity ? 2 * set->capacity : want;
    p->items_made += capacity;
    if (want > LITERALS_MAX || p->items_made > ITEMS_MAX)
        return false;
    struct str *items = arena_try_alloc(p->arena, capacity * sizeof *items);
    if (items == NULL)
        return false;
    if (set->count > 0)
        memcpy(items, set->items, set->count * sizeof *items);
    set->items = items;
    set->capacity = capacity;
    return true;
}

static bool append_literal(struct parser *p, struct literal_set *set, struct str literal)
{
    if (!grow(p, set, set->count + 1))
        return false;
    set->items[set->count++] = literal;
    return true;
}

/* Takes one literal byte; false at anything else. */
static bool take_byte(struct parser *p, char *out)
{
    struct str left = str_slice(p->pattern, p->at, p->pattern.len);
    if (left.len > 1 && left.ptr[0] == '\\' && is_punctuation(left.ptr[1])) {
        *out = left.ptr[1];
        p->at += 2;
        return true;
    }
    if (left.len == 0 || left.ptr[0] == '\0' || !is_plain(left.ptr[0]))
        return false;
    *out = left.ptr[0];
    p->at++;
    return true;
}

static bool parse_run(struct parser *p, struct literal_set *out)
{
    struct parser ahead = *p;
    char byte;
    size_t len = 0;
    while (take_byte(&ahead, &byte))
        len++;
    char *text = alloc_text(p, len);
    if (len == 0 || text == NULL)
        return false;
    for (size_t i = 0; i < len; i++)
        take_byte(p, &text[i]);
    return append_literal(p, out, (struct str){text, len});
}

static bool parse_group(struct parser *p, struct literal_set *out)
{
    p->at++;
    if (is_at(p, '?')) {
        p->at++;
        if (!is_at(p, ':'))
            return false;
        p->at++;
    }
    if (++p->depth > DEPTH_MAX || !parse_alternation(p, out) || !is_at(p, ')'))
        return false;
    p->at++;
    p->depth--;
    return true;
}

/* Each of `head` followed by each of `tail`. */
static bool multiply(struct parser *p, const struct literal_set *head,
                     const struct literal_set *tail, struct literal_set *out)
{
    if (!grow(p, out, head->count * tail->count))
        return false;
    for (size_t i = 0; i < head->count; i++) {
        for (size_t k = 0; k < tail->count; k++) {
            struct str a = head->items[i], b = tail->items[k];
            char *text = alloc_text(p, a.len + b.len);
            if (text == NULL)
                return false;
            memcpy(text, a.ptr, a.len);
            memcpy(text + a.len, b.ptr, b.len);
            out->items[out->count++] = (struct str){text, a.len + b.len};
        }
    }
    return true;
}

static bool parse_concatenation(struct parser *p, struct literal_set *out)
{
    bool is_first = true;
    while (p->at < p->pattern.len && !is_at(p, '|') && !is_at(p, ')')) {
        struct literal_set head = *out, tail = {0};
        if (!(is_at(p, '(') ? parse_group(p, &tail) : parse_run(p, &tail)))
            return false;
        *out = is_first ? tail : (struct literal_set){0};
        if (!is_first && !multiply(p, &head, &tail, out))
            return false;
        is_first = false;
    }
    return is_first ? append_literal(p, out, STR("")) : true;
}

static bool parse_alternation(struct parser *p, struct literal_set *out)
{
    for (;;) {
        struct literal_set branch = {0};
        if (!parse_concatenation(p, &branch))
            return false;
        for (size_t i = 0; i < branch.count; i++) {
            if (!append_literal(p, out, branch.items[i]))
                return false;
        }
        if (!is_at(p, '|'))
            return true;
        p->at++;
    }
}

bool regex_literals(struct str pattern, struct arena *arena, struct str **out, size_t *count)
{
    struct parser p = {.pattern = pattern, .arena = arena};
    struct literal_set found = {0};
    if (!str_is_utf8(pattern) || !parse_alternation(&p, &found) || p.at != pattern.len)
        return false;
    found.count = str_sort_unique(found.items, found.count);
    *out = found.items;
    *count = found.count;
    return true;
}
