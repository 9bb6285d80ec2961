/*
 * escape: text of any origin for people to read: in a log line, in the body of a reply.
 */
#ifndef CROFT_BASE_ESCAPE_H
#define CROFT_BASE_ESCAPE_H

#include "base/buffer.h"

/* Appends `text` as UTF-8 without control characters (C0, DEL, C1): those and bytes that are no
   UTF-8 come out as \n, \t, \r or \x1b. The characters in `marked` get a backslash in front. */
void escape_append(struct buffer *out, struct str text, struct str marked);
/* The letter behind the backslash of a control character: n, r or t; 0 for one that has none. */
char escape_letter(uint8_t byte);

#endif
