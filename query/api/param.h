/*
 * param: the values of request parameters, as the Prometheus API takes them.
 *
 * Times:      unix seconds as a float, or RFC 3339 with fraction and zone, or the two literal texts
 *             that API clients send for the ends of time. Seconds are rounded to milliseconds, RFC
 *             3339 is cut to them; clamped to the ends below.
 * Durations:  seconds as a float, or a PromQL duration (1h30m).
 * Errors:     STATUS_INVALID with Prometheus' wording; the caller names the parameter.
 */
#ifndef CROFT_QUERY_PARAM_H
#define CROFT_QUERY_PARAM_H

#include "base/bytes.h"
#include "base/status.h"

/* The ends of the time axis that endpoints use when a parameter is missing; a day inside int64, so
   that windows and offsets of any legal size can be added without overflow. */
#define TIME_MIN_MS (INT64_MIN / 4)
#define TIME_MAX_MS (INT64_MAX / 4)

MUST_USE enum status param_time_ms(struct str text, int64_t *out, struct error *err);
MUST_USE enum status param_duration_ms(struct str text, int64_t *out, struct error *err);
/* A count of results: 0 for none. */
MUST_USE enum status param_limit(struct str text, uint64_t *out, struct error *err);

/* The label name of a path segment: "U__" escapes (name.escaping of Prometheus 3) are undone when
   they are well-formed; the result is in `buffer`, which has name.len bytes at least, or is `name`
   itself. */
struct str param_label_name(struct str name, char *buffer);

#endif
