/*
 * write_http: remote write over HTTP.
 *
 * The headers decide before the body is read; a reply comes when the write is durable.
 * docs/remote_write.md lists codes and texts.
 */
#ifndef CROFT_INGEST_WRITE_HTTP_H
#define CROFT_INGEST_WRITE_HTTP_H

#include "http/route.h"
#include "ingest/refusal_pace.h"
#include "ingest/write_crew.h"
#include "ingest/write_hold.h"
#include "ingest/write_path.h"

enum {
    WRITE_HTTP_ROUTE_COUNT = 2,
    WRITE_HTTP_BODY_MAX_BYTES = 32 << 20, /* compressed */
};

struct write_http {
    struct write_path *path;         /* kept */
    struct write_counters *counters; /* kept */
    struct write_crew *crew;         /* kept; NULL: each thread does all that it receives */
    struct refusal_pace *pace;       /* kept; NULL: every answer is given at once */
    struct write_hold *hold;         /* kept; of those that are not; NULL when `pace` is */
};

/* POST /api/v1/push and /api/v1/write; `context` is kept. */
void write_http_routes(struct write_http *context, struct route out[WRITE_HTTP_ROUTE_COUNT]);

#endif
