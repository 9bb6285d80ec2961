/*
 * import_send: brings batches to a server, as often as it takes.
 *
 * 429 and 5xx, and a connection that fails, are tried again: after what Retry-After says, else
 * after 1 s, 2 s, 4 s and so on up to a minute. Other answers than 2xx refuse samples: the first
 * time that happens the batch is halved until the sample is found whose line is reported. Sending
 * samples again does no harm: a server takes them as known.
 */
#ifndef CROFT_INSPECT_IMPORT_SEND_H
#define CROFT_INSPECT_IMPORT_SEND_H

#include "http/outgoing.h"
#include "inspect/import_batch.h"

/* How to reach the server; tests put their own. */
struct import_transport {
    void *context;
    enum status (*post)(void *context, struct bytes body, struct outgoing_reply *reply,
                        struct error *err);
    void (*wait)(void *context, int64_t delay_ms);
};

enum {
    IMPORT_TRIES_MAX = 20, /* in a row, for one request: about a quarter of an hour */
    IMPORT_DELAY_MAX_S = 60,
};

struct import_report {
    uint64_t samples; /* taken by the server */
    uint64_t refused;
    uint64_t requests;
    uint64_t retries;
    uint64_t first_refused_line; /* 0 when there is none */
    char first_refusal[OUTGOING_TEXT_MAX];
};

struct import_sender {
    const struct import_transport *transport; /* kept */
    struct import_report report;
    struct buffer message;
    struct buffer body;
};

void import_sender_init(struct import_sender *sender, const struct import_transport *transport);
void import_sender_deinit(struct import_sender *sender);
/* Sends the whole batch. Refused samples are in the report. STATUS_LIMIT: it makes too long a
   message; STATUS_UNAVAILABLE: tried IMPORT_TRIES_MAX times. */
MUST_USE enum status import_send(struct import_sender *sender, const struct import_batch *batch,
                                 struct error *err);

#endif
