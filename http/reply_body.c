#include "http/reply_body.h"

#include "base/check.h"
#include "http/gzip.h"

/* Small enough to stay in the cache between being written and being compressed. */
enum { PIECE_BYTES = 64 << 10 };

void reply_body_init(struct reply_body *body, struct exchange *exchange, size_t max_bytes)
{
    *body = (struct reply_body){
        .exchange = exchange,
        .takes_gzip = gzip_is_accepted(exchange_header(exchange, "Accept-Encoding", NULL))};
    buffer_init(&body->text, max_bytes);
    buffer_init(&body->packed, max_bytes);
    body->text.charge = body->packed.charge = exchange_reply_charge(exchange);
}

void reply_body_deinit(struct reply_body *body)
{
    gzip_free(body->gzip);
    buffer_deinit(&body->packed);
    buffer_deinit(&body->text);
    *body = (struct reply_body){0};
}

static void pack(struct reply_body *body)
{
    gzip_append(body->gzip, buffer_bytes(&body->text), &body->packed);
    buffer_reset(&body->text);
}

void reply_body_flush(struct reply_body *body)
{
    if (!body->takes_gzip || body->text.len < PIECE_BYTES)
        return;
    if (body->gzip == NULL)
        body->gzip = gzip_new();
    pack(body);
}

bool reply_body_is_overflown(const struct reply_body *body)
{
    return body->text.is_overflown || body->packed.is_overflown;
}

void reply_body_send(struct reply_body *body, unsigned code, const char *content_type)
{
    CHECK(!reply_body_is_overflown(body));
    bool is_packed = body->gzip != NULL;
    if (is_packed) {
        pack(body);
        gzip_finish(body->gzip, &body->packed);
    }
    /* what is charged to the exchange must be gone before it */
    struct exchange *exchange = body->exchange;
    struct buffer *sent = is_packed ? &body->packed : &body->text, reply = *sent;
    *sent = (struct buffer){0};
    reply_body_deinit(body);
    if (is_packed)
        exchange_reply_packed(exchange, code, content_type, &reply);
    else
        exchange_reply_buffer(exchange, code, content_type, &reply);
}
