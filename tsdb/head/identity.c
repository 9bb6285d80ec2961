#include "tsdb/head/identity.h"

#include "base/check.h"
#include "base/codec.h"
#include "base/hash.h"

/* Field number << 3 | wire type 2: TimeSeries.labels, Label.name, Label.value. */
enum { TAG_LABEL = 0x0a, TAG_NAME = 0x0a, TAG_VALUE = 0x12 };

static size_t varint_len(uint64_t value)
{
    size_t len = 1;
    while (value >= 0x80) {
        value >>= 7;
        len++;
    }
    return len;
}

/* Of a tag, the length, the text. */
static size_t field_len(struct str text)
{
    return 1 + varint_len(text.len) + text.len;
}

size_t label_identity_len(struct label label)
{
    size_t len = field_len(label.name) + field_len(label.value);
    return 1 + varint_len(len) + len;
}

/* Returns the place behind what it wrote. */
static uint8_t *store_field(uint8_t *to, uint8_t tag, struct str text)
{
    *to++ = tag;
    to = store_varint(to, text.len);
    if (text.len > 0)
        memcpy(to, text.ptr, text.len);
    return to + text.len;
}

static uint8_t *store_label(uint8_t *to, struct label label)
{
    *to++ = TAG_LABEL;
    to = store_varint(to, field_len(label.name) + field_len(label.value));
    to = store_field(to, TAG_NAME, label.name);
    return store_field(to, TAG_VALUE, label.value);
}

void label_identity_encode(struct buffer *out, struct label label)
{
    uint8_t *to = buffer_reserve(out, label_identity_len(label));
    if (to != NULL)
        out->len = (size_t)(store_label(to, label) - out->ptr);
}

struct label label_identity_decode(struct str encoding)
{
    struct label label;
    struct reader r = reader_of(bytes_of_str(encoding));
    reader_u8(&r);
    reader_varint(&r);
    reader_u8(&r);
    label.name = str_of_bytes(reader_sized(&r));
    reader_u8(&r);
    label.value = str_of_bytes(reader_sized(&r));
    CHECK(!r.is_broken);
    return label;
}

void labels_identity_encode(struct buffer *out, struct labels labels)
{
    size_t len = 0;
    for (size_t i = 0; i < labels.count; i++)
        len += label_identity_len(labels.ptr[i]);
    uint8_t *to = buffer_reserve(out, len);
    if (to == NULL)
        return;
    for (size_t i = 0; i < labels.count; i++)
        to = store_label(to, labels.ptr[i]);
    out->len += len;
}

/* Of bytes that are known to be an encoding. */
static inline const uint8_t *load_len(const uint8_t *at, size_t *len)
{
    *len = at[0] & 0x7f;
    for (unsigned shift = 7; *at++ >= 0x80; shift += 7)
        *len |= (size_t)(*at & 0x7f) << shift;
    return at;
}

static inline const uint8_t *load_text(const uint8_t *at, struct str *text)
{
    at = load_len(at + 1, &text->len);
    text->ptr = (const char *)at;
    return at + text->len;
}

void labels_identity_decode(struct bytes identity, struct label *out, size_t count)
{
    const uint8_t *at = identity.ptr;
    for (size_t i = 0, len; i < count; i++) {
        at = load_len(at + 1, &len);
        at = load_text(at, &out[i].name);
        at = load_text(at, &out[i].value);
    }
    CHECK(at == identity.ptr + identity.len);
}

struct str label_identity_take(struct bytes *identity)
{
    size_t len;
    const uint8_t *text = load_len(identity->ptr + 1, &len);
    len += (size_t)(text - identity->ptr);
    CHECK(len <= identity->len);
    struct str label = str_of_bytes((struct bytes){identity->ptr, len});
    *identity = (struct bytes){identity->ptr + len, identity->len - len};
    return label;
}

uint64_t labels_identity_hash(struct labels labels)
{
    struct buffer encoding;
    buffer_init(&encoding, SIZE_MAX);
    labels_identity_encode(&encoding, labels);
    uint64_t hash = hash_bytes(buffer_bytes(&encoding));
    buffer_deinit(&encoding);
    return hash;
}
