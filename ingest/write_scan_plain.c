/*
 * The tight path of write_scan: bytes as most senders write a series. NULL means "not plain", never
 * "wrong".
 */
#include "ingest/write_scan_impl.h"

/* Tags as the tight path meets them, one byte each. */
#define TAG_BYTE(field_number, wire_type) ((uint8_t)((field_number) << 3 | (wire_type)))
enum {
    TAG_SERIES_LABEL = TAG_BYTE(SERIES_LABEL, WIRE_BYTES),
    TAG_SERIES_SAMPLE = TAG_BYTE(SERIES_SAMPLE, WIRE_BYTES),
    TAG_LABEL_NAME = TAG_BYTE(LABEL_NAME, WIRE_BYTES),
    TAG_LABEL_VALUE = TAG_BYTE(LABEL_VALUE, WIRE_BYTES),
    TAG_SAMPLE_VALUE = TAG_BYTE(SAMPLE_VALUE, WIRE_FIXED64),
    TAG_SAMPLE_TS = TAG_BYTE(SAMPLE_TS, WIRE_VARINT),
};

/*
 * A plain label, whose lengths take one byte each:
 *
 *     0a len 0a name_len name... 12 value_len value...        len = 4 + name_len + value_len < 128
 *
 * Any label that fits this is in its only canonical encoding, so the bytes can be hashed as they
 * are.
 */
static inline const uint8_t *scan_plain_label(const uint8_t *at, const uint8_t *end,
                                              struct label *label)
{
    if (end - at < 6)
        return NULL;
    size_t len = at[1];
    size_t name_len = at[3];
    if (at[0] != TAG_SERIES_LABEL || at[2] != TAG_LABEL_NAME || len >= 0x80 ||
        len + 2 > (size_t)(end - at) || name_len + 4 > len)
        return NULL;
    const uint8_t *name = at + 4;
    const uint8_t *value = name + name_len + 2;
    size_t value_len = len - 4 - name_len;
    if (value[-2] != TAG_LABEL_VALUE || value[-1] != value_len)
        return NULL;
    label->name = (struct str){(const char *)name, name_len};
    label->value = (struct str){(const char *)value, value_len};
    return value + value_len;
}

/* A length in one byte, or in two of which neither is superfluous. Needs two readable bytes. */
static inline const uint8_t *read_plain_length(const uint8_t *at, size_t *len)
{
    *len = at[0] & 0x7f;
    if (at[0] < 0x80)
        return at + 1;
    *len |= (size_t)at[1] << 7;
    return at[1] < 0x80 && at[1] != 0 ? at + 2 : NULL;
}

/* A plain label with a long value: len takes two bytes, value_len one or two, name_len one. */
static const uint8_t *scan_plain_long_label(const uint8_t *at, const uint8_t *end,
                                            struct label *label)
{
    if (end - at < 3 || at[0] != TAG_SERIES_LABEL)
        return NULL;
    size_t len;
    at = read_plain_length(at + 1, &len);
    /* at least 128 bytes of content, or it would have been a short one: lengths below are
       readable */
    if (at == NULL || len < 0x80 || len > (size_t)(end - at))
        return NULL;
    const uint8_t *label_end = at + len;
    size_t name_len = at[1];
    if (at[0] != TAG_LABEL_NAME || name_len >= 0x80 || name_len + 5 > len)
        return NULL;
    const uint8_t *name = at + 2;
    if (name[name_len] != TAG_LABEL_VALUE)
        return NULL;
    size_t value_len;
    const uint8_t *value = read_plain_length(name + name_len + 1, &value_len);
    if (value == NULL || value_len != (size_t)(label_end - value))
        return NULL;
    label->name = (struct str){(const char *)name, name_len};
    label->value = (struct str){(const char *)value, value_len};
    return label_end;
}

/* A plain sample: 12 len [09 value] [10 ts], each at most once; what is 0 is often left out. */
static inline const uint8_t *scan_plain_sample(const uint8_t *at, const uint8_t *end,
                                               struct sample *sample)
{
    if (end - at < 2 || at[0] != TAG_SERIES_SAMPLE || at[1] >= 0x80 || at[1] > end - at - 2)
        return NULL;
    const uint8_t *sample_end = at + 2 + at[1];
    uint64_t value_bits = 0;
    uint64_t ts = 0;
    at += 2;
    if (sample_end - at >= 9 && at[0] == TAG_SAMPLE_VALUE) {
        value_bits = load_u64(at + 1);
        at += 9;
    }
    if (at < sample_end && at[0] == TAG_SAMPLE_TS) {
        uint8_t byte = 0x80;
        at++;
        for (unsigned shift = 0; byte >= 0x80; shift += 7) {
            if (at == sample_end || shift > 63)
                return NULL;
            byte = *at++;
            ts |= (uint64_t)(byte & 0x7f) << shift;
        }
    }
    *sample = (struct sample){(int64_t)ts, f64_from_bits(value_bits)};
    return at == sample_end ? at : NULL;
}

/* As many plain labels as there are; returns where they end. */
static const uint8_t *scan_plain_labels(const struct scanner *scanner,
                                        struct scanned_series *series, const uint8_t *at,
                                        const uint8_t *end)
{
    struct str tenant_label = scanner->options->tenant_label;
    uint32_t count = 0, max = scanner->options->labels_per_series_max;
    for (struct label label; count < max; count++) {
        const uint8_t *next = scan_plain_label(at, end, &label);
        if (next == NULL)
            next = scan_plain_long_label(at, end, &label);
        if (next == NULL)
            break;
        if (is_tenant_label(label.name, tenant_label))
            series->tenant = label.value;
        at = next;
    }
    series->label_count = series->label_total = count;
    return at;
}

enum plain_result scan_plain_series(struct scanner *scanner, struct bytes content,
                                    struct scanned_series *series)
{
    struct write_scan *scan = scanner->scan;
    const uint8_t *end = content.ptr + content.len;
    const uint8_t *at = scan_plain_labels(scanner, series, content.ptr, end);
    series->identity = (struct bytes){content.ptr, (size_t)(at - content.ptr)};
    while (at < end) {
        if (!scanner_reserve_sample(scanner))
            return PLAIN_LIMIT;
        at = scan_plain_sample(at, end, &scan->samples[scan->sample_count]);
        if (at == NULL)
            return PLAIN_NOT;
        scan->sample_count++;
    }
    return PLAIN_ALL;
}
