/*
 * reply_body: the body of a large reply, written piece by piece and compressed on the way.
 *
 *     reply_body_init(&body, exchange, max_bytes);
 *     for each piece: append to body.text, reply_body_flush(&body);
 *     reply_body_send(&body, 200, "application/json");
 *
 * A client that takes gzip never makes the server hold more than one piece of the plain text. The
 * reply begins when the body is complete, so whoever fails half-way can still answer with an error.
 *
 * Ownership:  the body owns its buffers until it is sent or deinitialised.
 * Threads:    one at a time, like the exchange.
 */
#ifndef CROFT_HTTP_REPLY_BODY_H
#define CROFT_HTTP_REPLY_BODY_H

#include "http/exchange.h"

struct gzip;

struct reply_body {
    struct exchange *exchange; /* kept */
    struct buffer text;        /* what was written and is not compressed */
    struct buffer packed;
    struct gzip *gzip; /* NULL until something is compressed */
    bool takes_gzip;
};

/* `max_bytes` is for what the reply consists of, compressed or not. */
void reply_body_init(struct reply_body *body, struct exchange *exchange, size_t max_bytes);
/* For a body that will not be sent; twice is safe. */
void reply_body_deinit(struct reply_body *body);
/* Compresses what has been written, if the client takes it and it is enough to be worth it. */
void reply_body_flush(struct reply_body *body);
bool reply_body_is_overflown(const struct reply_body *body);
/* Ends the exchange; takes the body, which is not overflown. */
void reply_body_send(struct reply_body *body, unsigned code, const char *content_type);

#endif
