/*
 * words: texts as protocols and people write them, compared and put in order.
 *
 * Of ASCII only: no other letter has a case here.
 */
#ifndef CROFT_BASE_WORDS_H
#define CROFT_BASE_WORDS_H

#include "base/bytes.h"

static inline bool is_digit(int c)
{
    return c >= '0' && c <= '9';
}

bool str_eq_caseless(struct str a, struct str b);
bool str_starts_with_caseless(struct str s, struct str prefix);
/* Without spaces and tabs at both ends. */
struct str str_trim(struct str s);

/* By str_compare. */
void str_sort(struct str *texts, size_t count);
/* The same, and of equal ones keeps one; how many are left. */
size_t str_sort_unique(struct str *texts, size_t count);
bool str_is_among(struct str text, const struct str *sorted, size_t count);

#endif
