#include "base/buffer.h"

#include <stdarg.h>
#include <stdio.h>

#include "base/check.h"
#include "base/mem.h"

void buffer_init(struct buffer *buffer, size_t max_bytes)
{
    *buffer = (struct buffer){.max_bytes = max_bytes};
}

void buffer_deinit(struct buffer *buffer)
{
    charge_give(buffer->charge, buffer->capacity);
    mem_free(buffer->ptr);
    *buffer = (struct buffer){0};
}

void buffer_reset(struct buffer *buffer)
{
    buffer->len = 0;
    buffer->is_overflown = buffer->is_refused = false;
}

/* False when the charge is refused, now or before: what others give back meanwhile does not mend
   text with a gap. */
static bool grow(struct buffer *buffer, size_t want_bytes)
{
    if (buffer->is_refused)
        return false;
    size_t capacity = buffer->capacity < 64 ? 64 : buffer->capacity * 2;
    if (capacity < want_bytes)
        capacity = want_bytes;
    if (capacity > buffer->max_bytes)
        capacity = buffer->max_bytes;
    buffer->is_refused =
        charge_take(buffer->charge, capacity - buffer->capacity, NULL) != STATUS_OK;
    if (buffer->is_refused)
        return false;
    buffer->ptr = mem_realloc(buffer->ptr, capacity);
    buffer->capacity = capacity;
    return true;
}

uint8_t *buffer_reserve(struct buffer *buffer, size_t len)
{
    bool fits = len <= buffer->max_bytes && buffer->len <= buffer->max_bytes - len;
    if (!fits || (buffer->len + len > buffer->capacity && !grow(buffer, buffer->len + len))) {
        buffer->is_overflown = true;
        return NULL;
    }
    return buffer->ptr + buffer->len;
}

void buffer_append(struct buffer *buffer, const void *ptr, size_t len)
{
    uint8_t *to = len == 0 ? NULL : buffer_reserve(buffer, len);
    if (to == NULL)
        return;
    memcpy(to, ptr, len);
    buffer->len += len;
}

void buffer_append_str(struct buffer *buffer, struct str text)
{
    buffer_append(buffer, text.ptr, text.len);
}

void buffer_append_byte(struct buffer *buffer, uint8_t byte)
{
    /* most bytes of JSON come this way */
    if (buffer->len < buffer->capacity)
        buffer->ptr[buffer->len++] = byte;
    else
        buffer_append(buffer, &byte, 1);
}

void buffer_append_format(struct buffer *buffer, const char *format, ...)
{
    va_list args, again;
    va_start(args, format);
    va_copy(again, args);
    int len = vsnprintf(NULL, 0, format, args);
    va_end(args);
    CHECK(len >= 0);
    uint8_t *to = buffer_reserve(buffer, (size_t)len + 1);
    if (to != NULL) {
        vsnprintf((char *)to, (size_t)len + 1, format, again);
        buffer->len += (size_t)len;
    }
    va_end(again);
}
