/*
 * reply_http: the envelope of the Prometheus API around data and errors.
 *
 * {"status":"success","data":...,"warnings":[...],"infos":[...]}
 * {"status":"error","errorType":"bad_data","error":"..."}
 */
#ifndef CROFT_QUERY_REPLY_HTTP_H
#define CROFT_QUERY_REPLY_HTTP_H

#include "http/exchange.h"
#include "http/json.h"
#include "query/engine/value.h"

enum { REPLY_MAX_BYTES = 1 << 30, REPLY_NOTES_MAX = 10 };

enum api_error {
    API_BAD_DATA,     /* 400 */
    API_UNAUTHORIZED, /* 401 */
    API_FORBIDDEN,    /* 403 */
    API_NOT_FOUND,    /* 404 */
    API_EXECUTION,    /* 422 */
    API_TOO_MANY,     /* 429, with Retry-After */
    API_TIMEOUT,      /* 503 */
    API_CANCELED,     /* 499 */
    API_UNAVAILABLE,  /* 503, with Retry-After */
    API_INTERNAL,     /* 500 */
};

void reply_error(struct exchange *exchange, enum api_error kind, struct str text);
/* 400: invalid parameter "name": text */
void reply_bad_param(struct exchange *exchange, const char *name, const struct error *err);
/* What a failure of the store or the engine means to the client. */
enum api_error api_error_of(enum status status);

/* Opens the envelope in `out`, which is initialised here and charged as a reply of `exchange`; the
   caller then writes the value of "data" to `json`. */
void reply_begin(struct exchange *exchange, struct json *json, struct buffer *out);
/* The same without the envelope, as Mimir's pages are: the caller writes the
   members of an object. */
void reply_begin_bare(struct exchange *exchange, struct json *json, struct buffer *out);
void reply_end_bare(struct exchange *exchange, struct json *json);
/* Closes the envelope, adding notes when there are any (NULL for none), and replies 200; takes
   `out`. */
void reply_end(struct exchange *exchange, struct json *json, const struct notes *warnings,
               const struct notes *infos);
/* The same for an envelope in a buffer that is there already, and is sent otherwise. */
void reply_open(struct json *json, struct buffer *out);
void reply_close(struct exchange *exchange, struct json *json, const struct notes *warnings,
                 const struct notes *infos);
/* Why the text of a reply overflowed: its charge was refused (STATUS_UNAVAILABLE), or it became too
   large (STATUS_LIMIT). */
enum status reply_overflow(struct exchange *exchange, bool is_refused, struct error *err);
void reply_labels(struct json *json, struct labels labels);

#endif
