/*
 * framing: what the header fields of a request say about where it ends, and whether all who read it
 * agree.
 *
 * Ownership: nothing.
 * Threads:   the connection's.
 */
#ifndef CROFT_HTTP_FRAMING_H
#define CROFT_HTTP_FRAMING_H

#include <microhttpd.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct framing {
    size_t field_count;
    size_t field_bytes;
    bool expects_continue;
    bool is_chunked;
    bool is_ambiguous; /* readers might disagree about where this request ends */
    uint64_t length;   /* of the body; 0 when chunked */
};

/* `version`: as the request line has it, "HTTP/1.1". */
struct framing framing_of(struct MHD_Connection *connection, const char *version);

#endif
