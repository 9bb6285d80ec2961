#include "http/large_body.h"

#include <string.h>

#include "base/check.h"
#include "base/mem.h"

enum {
    PIECE_BYTES = 64 << 10,
    DISCARD_BYTES = 1 << 20, /* what is sent goes back by so much at a time, in some 0.1 ms */
};

struct large_body {
    uint8_t *ptr;
    size_t len;
    size_t discarded_len; /* at the front */
};

/* Asked for one piece after the other. */
static ssize_t read_piece(void *context, uint64_t offset, char *out, size_t max_bytes)
{
    struct large_body *body = context;
    CHECK(offset >= body->discarded_len);
    CHECK(offset < body->len);
    size_t left = body->len - (size_t)offset;
    size_t count = left < max_bytes ? left : max_bytes;
    memcpy(out, body->ptr + offset, count);
    size_t sent = (size_t)offset - body->discarded_len;
    if (sent >= DISCARD_BYTES) {
        mem_discard(body->ptr + body->discarded_len, sent);
        body->discarded_len = (size_t)offset;
    }
    return (ssize_t)count;
}

static void free_body(void *context)
{
    struct large_body *body = context;
    mem_free(body->ptr);
    mem_free(body);
}

struct MHD_Response *large_body_response(struct buffer *taken)
{
    CHECK(taken->len >= LARGE_BODY_BYTES_MIN);
    struct large_body *body = mem_alloc(sizeof *body);
    *body = (struct large_body){.ptr = taken->ptr, .len = taken->len};
    *taken = (struct buffer){0};
    return MHD_create_response_from_callback(body->len, PIECE_BYTES, read_piece, body, free_body);
}
