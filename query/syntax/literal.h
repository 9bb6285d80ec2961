/*
 * literal: the value of a number, duration or string token.
 *
 * The tokens come from the lexer (query/syntax/lexer.h), which has checked their form; errors are
 * in Prometheus' words, which are Go's.
 */
#ifndef CROFT_QUERY_LITERAL_H
#define CROFT_QUERY_LITERAL_H

#include "base/arena.h"
#include "base/status.h"

/* Decimal, hexadecimal, octal with a leading 0, or float; '_' between digits. */
MUST_USE enum status literal_number(struct str token, struct arena *arena, double *out,
                                    struct error *err);
/* "1h30m"; less than 2^63 ns. */
MUST_USE enum status literal_duration_ms(struct str token, int64_t *out, struct error *err);
/* The text between the quotes with its escapes resolved. `room` has at least as many bytes as the
 * token. */
struct str literal_unquote(struct str token, char *room);

#endif
