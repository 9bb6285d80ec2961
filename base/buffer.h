/*
 * buffer: a growable run of bytes with a hard maximum.
 *
 * Ownership:  the caller owns the struct; the buffer owns `ptr`.
 * Invariant:  len <= capacity <= max_bytes. When an append does not fit under `max_bytes`, or its
 *             charge is refused, nothing is appended and `is_overflown` stays set until
 *             buffer_reset. A charge that was refused is not asked for again until then.
 */
#ifndef CROFT_BASE_BUFFER_H
#define CROFT_BASE_BUFFER_H

#include "base/budget.h"
#include "base/bytes.h"
#include "base/status.h"

struct buffer {
    uint8_t *ptr;
    size_t len;
    size_t capacity;
    size_t max_bytes;
    struct charge *charge; /* of the capacity; set behind buffer_init, kept; may be NULL */
    bool is_overflown;
    bool is_refused; /* it was the charge that was refused, not the maximum passed */
};

void buffer_init(struct buffer *buffer, size_t max_bytes);
void buffer_deinit(struct buffer *buffer);
/* Empty again, capacity kept. */
void buffer_reset(struct buffer *buffer);

/* Room for `len` more bytes at the returned pointer, or NULL when it cannot be had. The
   caller writes there and then adds what it wrote to `len`. */
uint8_t *buffer_reserve(struct buffer *buffer, size_t len);
void buffer_append(struct buffer *buffer, const void *ptr, size_t len);
void buffer_append_str(struct buffer *buffer, struct str text);
void buffer_append_byte(struct buffer *buffer, uint8_t byte);
void buffer_append_format(struct buffer *buffer, const char *format, ...) PRINTF_LIKE(2, 3);

static inline struct bytes buffer_bytes(const struct buffer *buffer)
{
    return (struct bytes){buffer->ptr, buffer->len};
}

static inline struct str buffer_str(const struct buffer *buffer)
{
    return (struct str){(const char *)buffer->ptr, buffer->len};
}

#endif
