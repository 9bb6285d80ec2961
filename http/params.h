/*
 * params: the parameters of a request, from its form and from its URL, in that order.
 *
 * Ownership:  the arena owns the array; names and values point into the text that
 *             they were read from.
 * Invariant:  names and values are percent-decoded; a parameter without '=' has an empty value.
 */
#ifndef CROFT_HTTP_PARAMS_H
#define CROFT_HTTP_PARAMS_H

#include "base/arena.h"
#include "base/bytes.h"
#include "base/status.h"

/* Far more than any sender needs, and 3.2 MB of array: a form of 10 MiB could hold 10 million. */
enum { PARAMS_MAX = 100000 };

struct param {
    struct str name;
    struct str value;
};

struct params {
    struct param *items;
    size_t count;
    size_t capacity;
};

/* Adds the pairs of "a=1&b=x+y%21", of a form or of a URL behind its '?', decoded where they lie.
   STATUS_INVALID: a bad escape or more than PARAMS_MAX in all. */
MUST_USE enum status params_add_form(struct params *params, struct arena *arena, char *form,
                                     size_t len, struct error *err);

/* The first of that name, or NULL; lives as long as the params. */
const struct param *params_find(const struct params *params, struct str name);
/* All values of that name in order, in an array of `arena`; returns how many. */
size_t params_values(const struct params *params, struct str name, struct arena *arena,
                     struct str **out);

/* True for application/x-www-form-urlencoded, in any case and with any parameters behind it. */
bool params_is_form(struct str content_type);

#endif
