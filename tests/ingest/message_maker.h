/*
 * message_maker: random messages of remote write, as odd as protobuf allows, and then changed.
 */
#ifndef CROFT_TESTS_INGEST_MESSAGE_MAKER_H
#define CROFT_TESTS_INGEST_MESSAGE_MAKER_H

#include "base/buffer.h"
#include "base/random.h"

struct maker {
    struct random random; /* the caller's to seed */
    unsigned oddity;      /* one field in so many is odd; 0 for none */
};

/* Appends a request that every decoder must accept. */
void maker_fill_request(struct maker *maker, struct buffer *out);
/* Changes a few bytes, often to such as mean something. */
void maker_mutate(struct maker *maker, struct buffer *message);

#endif
