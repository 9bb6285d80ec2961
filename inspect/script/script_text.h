/*
 * script_text: words and times of a script's line.
 */
#ifndef CROFT_INSPECT_SCRIPT_TEXT_H
#define CROFT_INSPECT_SCRIPT_TEXT_H

#include "base/bytes.h"

struct str script_trim(struct str s);
/* Takes the first word off `rest`; empty at the end. */
struct str script_take_word(struct str *rest);
bool script_take_prefix(struct str *rest, struct str prefix);
/* A duration such as 1h30m, or seconds as a number; either may be negative. False: neither. */
bool script_time_ms(struct str text, int64_t *out);

#endif
