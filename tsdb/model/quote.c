#include "tsdb/model/quote.h"

struct rune_range {
    uint32_t first;
    uint32_t last; /* inclusive */
};

/* What Go's unicode.IsPrint refuses above ASCII: controls, spaces, format characters, private use
   and noncharacters. Code points that Unicode has not assigned yet are printed as they are. */
static const struct rune_range unprintable[] = {
    {0x80, 0xa0},     {0xad, 0xad},     {0x600, 0x605},     {0x61c, 0x61c},      {0x6dd, 0x6dd},
    {0x70f, 0x70f},   {0x8e2, 0x8e2},   {0x1680, 0x1680},   {0x180e, 0x180e},    {0x2000, 0x200f},
    {0x2028, 0x202f}, {0x205f, 0x206f}, {0x3000, 0x3000},   {0xd800, 0xf8ff},    {0xfeff, 0xfeff},
    {0xfff0, 0xfffb}, {0xfffe, 0xffff}, {0xe0000, 0xe0fff}, {0xf0000, 0x10ffff},
};

static bool is_printable(uint32_t rune)
{
    if (rune < 0x80)
        return rune >= 0x20 && rune < 0x7f;
    for (size_t i = 0; i < sizeof unprintable / sizeof unprintable[0]; i++)
        if (rune >= unprintable[i].first && rune <= unprintable[i].last)
            return false;
    return true;
}

/* Length of the character at `text`, 0 when it is no UTF-8. */
static size_t decode_rune(struct str text, uint32_t *rune)
{
    uint8_t lead = (uint8_t)text.ptr[0];
    size_t len = lead < 0x80 ? 1 : lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : 4;
    if (len > text.len || !str_is_utf8((struct str){text.ptr, len}))
        return 0;
    *rune = len == 1 ? lead : lead & (0xffu >> (len + 1));
    for (size_t i = 1; i < len; i++)
        *rune = *rune << 6 | ((uint8_t)text.ptr[i] & 0x3f);
    return len;
}

/* The letter behind the backslash, or 0. */
static char short_escape(uint32_t rune, char quote)
{
    static const char letters[] = {['\a'] = 'a', ['\b'] = 'b', ['\f'] = 'f', ['\n'] = 'n',
                                   ['\r'] = 'r', ['\t'] = 't', ['\v'] = 'v'};
    if (rune == '\\' || rune == (uint8_t)quote)
        return (char)rune;
    return rune < sizeof letters ? letters[rune] : '\0';
}

static void append_escaped(struct buffer *out, uint32_t rune)
{
    if (rune < 0x80)
        buffer_append_format(out, "\\x%02x", rune);
    else if (rune < 0x10000)
        buffer_append_format(out, "\\u%04x", rune);
    else
        buffer_append_format(out, "\\U%08x", rune);
}

static void append_rune(struct buffer *out, uint32_t rune, struct str text, char quote)
{
    char letter = short_escape(rune, quote);
    if (letter != '\0') {
        buffer_append_byte(out, '\\');
        buffer_append_byte(out, (uint8_t)letter);
    } else if (is_printable(rune)) {
        buffer_append_str(out, text);
    } else {
        append_escaped(out, rune);
    }
}

/* Appends the first character of `text` and returns how many bytes it took. */
static size_t append_character(struct buffer *out, struct str text)
{
    uint32_t rune;
    size_t len = decode_rune(text, &rune);
    if (len == 0) {
        buffer_append_format(out, "\\x%02x", (uint8_t)text.ptr[0]);
        return 1;
    }
    append_rune(out, rune, (struct str){text.ptr, len}, '"');
    return len;
}

void append_quoted(struct buffer *out, struct str text)
{
    buffer_append_byte(out, '"');
    for (size_t at = 0; at < text.len;)
        at += append_character(out, (struct str){text.ptr + at, text.len - at});
    buffer_append_byte(out, '"');
}

/* The first character of `text` alone; U+FFFD when there is none. */
static struct str first_rune(struct str text, uint32_t *rune)
{
    size_t len = text.len == 0 ? 0 : decode_rune(text, rune);
    if (len > 0)
        return (struct str){text.ptr, len};
    *rune = 0xfffd;
    return STR("\ufffd");
}

void append_quoted_rune(struct buffer *out, struct str text)
{
    uint32_t rune;
    struct str character = first_rune(text, &rune);
    buffer_append_byte(out, '\'');
    append_rune(out, rune, character, '\'');
    buffer_append_byte(out, '\'');
}

void append_rune_name(struct buffer *out, struct str text)
{
    uint32_t rune;
    struct str character = first_rune(text, &rune);
    buffer_append_format(out, "U+%04X", rune);
    if (is_printable(rune))
        buffer_append_format(out, " '%.*s'", STR_ARG(character));
}

static bool is_name(struct str name, bool allows_colon)
{
    for (size_t i = 0; i < name.len; i++) {
        char c = name.ptr[i];
        bool is_letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
        bool is_digit = c >= '0' && c <= '9';
        if (!is_letter && !(is_digit && i > 0) && !(c == ':' && allows_colon))
            return false;
    }
    return name.len > 0;
}

bool label_name_is_plain(struct str name)
{
    return is_name(name, false);
}

bool metric_name_is_plain(struct str name)
{
    return is_name(name, true);
}
