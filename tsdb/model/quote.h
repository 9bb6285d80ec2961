/*
 * quote: text as Prometheus shows it in quotes, which is how Go's strconv.Quote does.
 */
#ifndef CROFT_TSDB_QUOTE_H
#define CROFT_TSDB_QUOTE_H

#include "base/buffer.h"

/* Appends `text` in double quotes; what does not print, and bytes that are no UTF-8, are
   escaped. */
void append_quoted(struct buffer *out, struct str text);
/* Appends the first character of `text` in single quotes, as Go's %q shows a rune; U+FFFD stands
   for the end of the text and for what is no UTF-8. */
void append_quoted_rune(struct buffer *out, struct str text);
/* The same as Go's %#U: U+0071 'q'. */
void append_rune_name(struct buffer *out, struct str text);
/* Whether `name` may stand in a query without quotes: [a-zA-Z_][a-zA-Z0-9_]*. */
bool label_name_is_plain(struct str name);
/* The same for metric names, which may also hold ':'. */
bool metric_name_is_plain(struct str name);

#endif
