/*
 * large_body: the body of a reply that is sent in pieces and given back to the system as it goes.
 *
 * Sent from one buffer, a body of hundreds of MB is freed in one go at its end, which takes some 20
 * ms, in which all other connections of the thread wait.
 *
 * Ownership:  the response owns the body.
 */
#ifndef CROFT_HTTP_LARGE_BODY_H
#define CROFT_HTTP_LARGE_BODY_H

#include <microhttpd.h>

#include "base/buffer.h"

#define LARGE_BODY_BYTES_MIN ((size_t)1 << 20)

/* `body` is taken, and has at least LARGE_BODY_BYTES_MIN. NULL as libmicrohttpd says it. */
struct MHD_Response *large_body_response(struct buffer *body);

#endif
