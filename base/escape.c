#include "base/escape.h"

/* Bytes of the character at the start of `text` that a terminal may see as it is, or 0. */
static size_t harmless_len(struct str text)
{
    uint8_t first = (uint8_t)text.ptr[0];
    if (first < 0x80)
        return first >= 0x20 && first != 0x7f;
    for (size_t len = 2; len <= 4 && len <= text.len; len++) {
        if (!str_is_utf8((struct str){text.ptr, len}))
            continue;
        /* U+0080 to U+009F steer terminals, as ESC does */
        bool is_control = first == 0xc2 && (uint8_t)text.ptr[1] < 0xa0;
        return is_control ? 0 : len;
    }
    return 0;
}

static void append_escaped_byte(struct buffer *out, uint8_t byte)
{
    char letter = escape_letter(byte);
    if (letter != '\0')
        buffer_append_format(out, "\\%c", letter);
    else
        buffer_append_format(out, "\\x%02x", byte);
}

void escape_append(struct buffer *out, struct str text, struct str marked)
{
    size_t at = 0;
    while (at < text.len && !out->is_overflown) {
        size_t len = harmless_len(str_slice(text, at, text.len));
        if (len == 0) {
            append_escaped_byte(out, (uint8_t)text.ptr[at++]);
            continue;
        }
        if (str_find(marked, text.ptr[at], 0) < marked.len)
            buffer_append_byte(out, '\\');
        buffer_append(out, text.ptr + at, len);
        at += len;
    }
}

char escape_letter(uint8_t byte)
{
    switch (byte) {
    case '\n':
        return 'n';
    case '\r':
        return 'r';
    case '\t':
        return 't';
    default:
        return '\0';
    }
}
