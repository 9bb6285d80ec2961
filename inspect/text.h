/*
 * text: numbers as the tools show them.
 */
#ifndef CROFT_INSPECT_TEXT_H
#define CROFT_INSPECT_TEXT_H

#include "base/buffer.h"

/* As base/number.h; a NaN that is not the usual one (7ff8000000000001) keeps its bits: a stale
   marker is NaN(7ff0000000000002). */
void append_exact_f64(struct buffer *out, double value);
/* What append_exact_f64 and others write: as parse_f64, but NaN is the usual one and may have its
 * bits. */
bool parse_exact_f64(struct str text, double *out);

#endif
