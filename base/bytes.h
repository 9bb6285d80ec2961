/*
 * bytes: borrowed views of memory and of text.
 *
 * Ownership:  a view never owns what it points at.
 * Invariant:  `ptr` may be NULL only when `len` is 0; text is not NUL-terminated.
 */
#ifndef CROFT_BASE_BYTES_H
#define CROFT_BASE_BYTES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct bytes {
    const uint8_t *ptr;
    size_t len;
};

struct str {
    const char *ptr;
    size_t len;
};

struct str_list {
    struct str *ptr;
    size_t count;
};

/* For string literals: STR("le"). */
#define STR(literal) ((struct str){(literal), sizeof(literal) - 1})
/* For printf("%.*s", STR_ARG(s)). */
#define STR_ARG(s) (int)(s).len, (s).ptr

static inline struct str str_from(const char *text)
{
    return (struct str){text, strlen(text)};
}

/* Copies the text to `to` and makes it point there; returns the place behind it. */
static inline char *str_move(struct str *text, char *to)
{
    if (text->len > 0)
        memcpy(to, text->ptr, text->len);
    text->ptr = to;
    return to + text->len;
}

static inline struct str str_of_bytes(struct bytes b)
{
    return (struct str){(const char *)b.ptr, b.len};
}

static inline struct bytes bytes_of_str(struct str s)
{
    return (struct bytes){(const uint8_t *)s.ptr, s.len};
}

static inline bool str_eq(struct str a, struct str b)
{
    return a.len == b.len && (a.len == 0 || memcmp(a.ptr, b.ptr, a.len) == 0);
}

/* Byte-wise order, as Prometheus sorts labels: <0, 0 or >0. */
int str_compare(struct str a, struct str b);
bool str_starts_with(struct str s, struct str prefix);
bool str_ends_with(struct str s, struct str suffix);
/* Position of the first `byte` at or after `from`, or s.len. */
size_t str_find(struct str s, char byte, size_t from);
bool str_is_utf8(struct str s);
/* Writes a code point (no surrogate, at most 0x10ffff) as UTF-8: the number of bytes, 4 at most. */
size_t utf8_put(char *to, uint32_t point);
/* The part [from, from + len) of `s`; both are cut to what is there. */
struct str str_slice(struct str s, size_t from, size_t len);

#endif
