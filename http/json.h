/*
 * json: writes JSON into a buffer; commas are put where they belong.
 *
 * Strings come out as valid UTF-8: invalid sequences become U+FFFD, control characters are escaped.
 */
#ifndef CROFT_HTTP_JSON_H
#define CROFT_HTTP_JSON_H

#include "base/buffer.h"

struct json {
    struct buffer *out;
    bool needs_comma;
};

void json_init(struct json *json, struct buffer *out);
void json_begin_object(struct json *json);
void json_end_object(struct json *json);
void json_begin_array(struct json *json);
void json_end_array(struct json *json);
/* Inside an object; a value must follow. */
void json_key(struct json *json, struct str key);
void json_string(struct json *json, struct str text);
void json_bool(struct json *json, bool value);
void json_null(struct json *json);
void json_u64(struct json *json, uint64_t value);
void json_i64(struct json *json, int64_t value);
/* A JSON number; `value` must be finite. */
void json_f64(struct json *json, double value);
/* A PromQL value as Prometheus writes it: a string: "1.5", "NaN", "+Inf". */
void json_sample_value(struct json *json, double value);
/* A timestamp as Prometheus writes it: seconds, with three decimals only when they are not zero. */
void json_seconds(struct json *json, int64_t ts_ms);

#endif
