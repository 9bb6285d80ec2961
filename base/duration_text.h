/*
 * duration_text: durations as Prometheus reads and writes them: "1d12h", "30s".
 *
 * Units y w d h m s ms, descending, each at most once; a year is 365 d.
 */
#ifndef CROFT_BASE_DURATION_TEXT_H
#define CROFT_BASE_DURATION_TEXT_H

#include "base/buffer.h"
#include "base/bytes.h"
#include "base/status.h"

/* As Prometheus' model.ParseDuration: "0" alone is fine, "" is not, overflow of int64 milliseconds
   is not. */
MUST_USE enum status parse_duration_ms(struct str text, int64_t *out, struct error *err);
bool is_duration_unit(struct str name);
/* As Prometheus prints: "0s", "5m", "1h30m", "1d", "250ms"; a negative one with a sign. */
void append_duration_ms(struct buffer *out, int64_t duration_ms);

#endif
