#include "http/json.h"

#include <inttypes.h>
#include <math.h>

#include "base/check.h"
#include "base/escape.h"
#include "base/number.h"

void json_init(struct json *json, struct buffer *out)
{
    *json = (struct json){.out = out};
}

/* Every value and key begins here, so that no caller thinks about commas. */
static void begin_item(struct json *json)
{
    if (json->needs_comma)
        buffer_append_byte(json->out, ',');
    json->needs_comma = true;
}

static void open_scope(struct json *json, uint8_t bracket)
{
    begin_item(json);
    buffer_append_byte(json->out, bracket);
    json->needs_comma = false;
}

static void close_scope(struct json *json, uint8_t bracket)
{
    buffer_append_byte(json->out, bracket);
    json->needs_comma = true;
}

void json_begin_object(struct json *json)
{
    open_scope(json, '{');
}

void json_end_object(struct json *json)
{
    close_scope(json, '}');
}

void json_begin_array(struct json *json)
{
    open_scope(json, '[');
}

void json_end_array(struct json *json)
{
    close_scope(json, ']');
}

static bool is_plain(uint8_t byte)
{
    return byte >= 0x20 && byte < 0x80 && byte != '"' && byte != '\\';
}

static void append_escaped(struct buffer *out, uint8_t byte)
{
    char letter = byte == '"' || byte == '\\' ? (char)byte : escape_letter(byte);
    if (letter == '\0') {
        buffer_append_format(out, "\\u%04x", byte);
        return;
    }
    buffer_append_byte(out, '\\');
    buffer_append_byte(out, (uint8_t)letter);
}

/* What a lead byte promises; 1 for bytes that cannot lead. */
static size_t promised_len(uint8_t lead)
{
    return lead >= 0xf0 ? 4 : lead >= 0xe0 ? 3 : lead >= 0xc0 ? 2 : 1;
}

/* Appends the sequence that starts at `at`, or U+FFFD for one byte of it; returns the length
   read. */
static size_t append_multibyte(struct buffer *out, struct str text, size_t at)
{
    struct str sequence = str_slice(text, at, promised_len((uint8_t)text.ptr[at]));
    if (str_is_utf8(sequence)) {
        buffer_append_str(out, sequence);
        return sequence.len;
    }
    buffer_append_str(out, STR("\xef\xbf\xbd"));
    return 1;
}

static void append_quoted(struct buffer *out, struct str text)
{
    buffer_append_byte(out, '"');
    size_t at = 0;
    while (at < text.len) {
        size_t run = at;
        while (run < text.len && is_plain((uint8_t)text.ptr[run]))
            run++;
        buffer_append(out, text.ptr + at, run - at);
        at = run;
        if (at == text.len)
            break;
        if ((uint8_t)text.ptr[at] >= 0x80)
            at += append_multibyte(out, text, at);
        else
            append_escaped(out, (uint8_t)text.ptr[at++]);
    }
    buffer_append_byte(out, '"');
}

void json_key(struct json *json, struct str key)
{
    begin_item(json);
    append_quoted(json->out, key);
    buffer_append_byte(json->out, ':');
    json->needs_comma = false;
}

void json_string(struct json *json, struct str text)
{
    begin_item(json);
    append_quoted(json->out, text);
}

void json_bool(struct json *json, bool value)
{
    begin_item(json);
    buffer_append_str(json->out, value ? STR("true") : STR("false"));
}

void json_null(struct json *json)
{
    begin_item(json);
    buffer_append_str(json->out, STR("null"));
}

void json_u64(struct json *json, uint64_t value)
{
    begin_item(json);
    buffer_append_format(json->out, "%" PRIu64, value);
}

void json_i64(struct json *json, int64_t value)
{
    begin_item(json);
    buffer_append_format(json->out, "%" PRId64, value);
}

void json_f64(struct json *json, double value)
{
    CHECK(isfinite(value));
    begin_item(json);
    append_f64(json->out, value);
}

void json_sample_value(struct json *json, double value)
{
    begin_item(json);
    buffer_append_byte(json->out, '"');
    append_f64(json->out, value);
    buffer_append_byte(json->out, '"');
}

void json_seconds(struct json *json, int64_t ts_ms)
{
    begin_item(json);
    append_seconds(json->out, ts_ms);
}
