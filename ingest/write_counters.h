/*
 * write_counters: what /metrics shows of the way of a sample up to the store.
 *
 * Threads: any.
 */
#ifndef CROFT_INGEST_WRITE_COUNTERS_H
#define CROFT_INGEST_WRITE_COUNTERS_H

#include "base/counter.h"
#include "ingest/write_report.h"

/* The codes that a write is answered with. */
#define WRITE_CODE_LIST(X) X(202) X(204) X(400) X(403) X(413) X(415) X(429) X(500) X(503)

enum write_code {
#define WRITE_CODE_ENUM(code) WRITE_CODE_##code,
    WRITE_CODE_LIST(WRITE_CODE_ENUM)
#undef WRITE_CODE_ENUM
        WRITE_CODE_COUNT
};

struct write_counters {
    struct counter requests[WRITE_CODE_COUNT];
    struct counter body_bytes; /* as received, compressed */
    struct counter decoded_bytes;
    struct counter samples_received; /* of readable messages; native histograms included */
    struct counter samples_written;  /* durable */
    struct counter samples_refused[WRITE_REASON_COUNT];
    struct counter exemplars_skipped;
    struct counter metadata_received;
    struct counter handed_over; /* writes done by the crew of those who write much */
    struct counter held;        /* answers that waited because of refusals */
};

/* 204 for WRITE_CODE_204. */
unsigned write_code_number(enum write_code code);

#endif
