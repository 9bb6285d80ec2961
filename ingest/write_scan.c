#include "ingest/write_scan.h"

#include "base/mem.h"
#include "ingest/wire.h"
#include "tsdb/head/identity.h"

/* Field numbers: ingest/proto/remote_write.proto. */
enum {
    REQUEST_SERIES = 1,
    REQUEST_METADATA = 3,
    SERIES_LABEL = 1,
    SERIES_SAMPLE = 2,
    SERIES_EXEMPLAR = 3,
    SERIES_HISTOGRAM = 4,
    LABEL_NAME = 1,
    LABEL_VALUE = 2,
    SAMPLE_VALUE = 1,
    SAMPLE_TS = 2,
    METADATA_TYPE = 1,
    METADATA_METRIC = 2,
    METADATA_HELP = 4,
    METADATA_UNIT = 5,
};

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

struct scanner {
    struct write_scan *scan;
    const struct write_scan_options *options;
    struct wire_fault fault;
    uint64_t label_total; /* of all series so far */
    const char *limit;    /* which limit was passed; NULL for none */
    uint32_t limit_max;
};

struct write_scan_options write_scan_options_default(void)
{
    return (struct write_scan_options){
        .tenant_label = STR("tenant_id"),
        .labels_per_series_max = 256,
        .series_max = 1000000,
        .labels_max = 4 << 20,
        .samples_max = 1000000,
        .metadata_max = 100000,
    };
}

void write_scan_init(struct write_scan *scan)
{
    *scan = (struct write_scan){0};
}

void write_scan_deinit(struct write_scan *scan)
{
    mem_free(scan->series);
    mem_free(scan->labels);
    mem_free(scan->samples);
    mem_free(scan->metadata);
    *scan = (struct write_scan){0};
}

size_t write_scan_memory_bytes(const struct write_scan *scan)
{
    return scan->series_capacity * sizeof *scan->series +
           scan->label_capacity * sizeof *scan->labels +
           scan->sample_capacity * sizeof *scan->samples +
           scan->metadata_capacity * sizeof *scan->metadata;
}

static void forget(struct write_scan *scan)
{
    scan->series_count = 0;
    scan->label_count = 0;
    scan->sample_count = 0;
    scan->metadata_count = 0;
    scan->exemplar_count = 0;
    scan->histogram_count = 0;
}

static struct wire wire_over(struct scanner *scanner, struct bytes content)
{
    return (struct wire){content.ptr, content.ptr + content.len, &scanner->fault};
}

static bool fail_limit(struct scanner *scanner, const char *limit, uint32_t limit_max)
{
    scanner->limit = limit;
    scanner->limit_max = limit_max;
    return false;
}

/* --- room: limits first, memory second --- */

static bool reserve_series(struct scanner *scanner)
{
    struct write_scan *scan = scanner->scan;
    if (scan->series_count >= scanner->options->series_max)
        return fail_limit(scanner, "series", scanner->options->series_max);
    if (scan->series_count == scan->series_capacity)
        scan->series = mem_grow(scan->series, &scan->series_capacity, scan->series_count + 1,
                                sizeof *scan->series);
    return true;
}

/* Room for all the labels that one series may keep, so that the label loops need not look. */
static void reserve_labels(struct scanner *scanner)
{
    struct write_scan *scan = scanner->scan;
    size_t want = scan->label_count + scanner->options->labels_per_series_max;
    if (want > scan->label_capacity)
        scan->labels = mem_grow(scan->labels, &scan->label_capacity, want, sizeof *scan->labels);
}

static bool reserve_sample(struct scanner *scanner)
{
    struct write_scan *scan = scanner->scan;
    if (scan->sample_count >= scanner->options->samples_max)
        return fail_limit(scanner, "samples", scanner->options->samples_max);
    if (scan->sample_count == scan->sample_capacity)
        scan->samples = mem_grow(scan->samples, &scan->sample_capacity, scan->sample_count + 1,
                                 sizeof *scan->samples);
    return true;
}

static bool reserve_metadata(struct scanner *scanner)
{
    struct write_scan *scan = scanner->scan;
    if (scan->metadata_count >= scanner->options->metadata_max)
        return fail_limit(scanner, "metadata entries", scanner->options->metadata_max);
    if (scan->metadata_count == scan->metadata_capacity)
        scan->metadata = mem_grow(scan->metadata, &scan->metadata_capacity,
                                  scan->metadata_count + 1, sizeof *scan->metadata);
    return true;
}

/* --- the tight path: NULL means "not plain", never "wrong" --- */

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

static inline bool is_tenant_label(struct str name, struct str tenant_label)
{
    return name.len == tenant_label.len && name.len > 0 &&
           memcmp(name.ptr, tenant_label.ptr, name.len) == 0;
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

/* 1 whole series was plain, 0 it is not plain, -1 a limit was passed. */
static int scan_plain_series(struct scanner *scanner, struct bytes content,
                             struct scanned_series *series)
{
    struct write_scan *scan = scanner->scan;
    const uint8_t *end = content.ptr + content.len;
    const uint8_t *at = scan_plain_labels(scanner, series, content.ptr, end);
    series->identity = (struct bytes){content.ptr, (size_t)(at - content.ptr)};
    while (at < end) {
        if (!reserve_sample(scanner))
            return -1;
        at = scan_plain_sample(at, end, &scan->samples[scan->sample_count]);
        if (at == NULL)
            return 0;
        scan->sample_count++;
    }
    return 1;
}

/* --- the general path --- */

static bool read_text(struct wire *wire, const char *field, struct wire_tag tag, struct str *out)
{
    struct bytes content;
    if (!wire_expect_type(wire, field, tag, WIRE_BYTES) || !wire_read_bytes(wire, field, &content))
        return false;
    *out = str_of_bytes(content);
    return true;
}

static bool scan_label(struct scanner *scanner, struct bytes content, struct label *label)
{
    struct wire wire = wire_over(scanner, content);
    *label = (struct label){0};
    while (wire_has_more(&wire)) {
        struct wire_tag tag;
        if (!wire_read_tag(&wire, &tag))
            return false;
        bool is_read =
            tag.field_number == LABEL_NAME    ? read_text(&wire, "label name", tag, &label->name)
            : tag.field_number == LABEL_VALUE ? read_text(&wire, "label value", tag, &label->value)
                                              : wire_skip(&wire, tag);
        if (!is_read)
            return false;
    }
    return true;
}

static bool read_sample_value(struct wire *wire, struct wire_tag tag, struct sample *sample)
{
    uint64_t bits;
    if (!wire_expect_type(wire, "sample value", tag, WIRE_FIXED64) ||
        !wire_read_fixed64(wire, "sample value", &bits))
        return false;
    sample->value = f64_from_bits(bits);
    return true;
}

static bool read_sample_ts(struct wire *wire, struct wire_tag tag, struct sample *sample)
{
    uint64_t ts;
    if (!wire_expect_type(wire, "sample timestamp", tag, WIRE_VARINT) ||
        !wire_read_varint(wire, "sample timestamp", &ts))
        return false;
    sample->ts_ms = (int64_t)ts;
    return true;
}

static bool scan_sample(struct scanner *scanner, struct bytes content, struct sample *sample)
{
    struct wire wire = wire_over(scanner, content);
    *sample = (struct sample){0};
    while (wire_has_more(&wire)) {
        struct wire_tag tag;
        if (!wire_read_tag(&wire, &tag))
            return false;
        bool is_read = tag.field_number == SAMPLE_VALUE ? read_sample_value(&wire, tag, sample)
                       : tag.field_number == SAMPLE_TS  ? read_sample_ts(&wire, tag, sample)
                                                        : wire_skip(&wire, tag);
        if (!is_read)
            return false;
    }
    return true;
}

static void add_label(struct scanner *scanner, struct scanned_series *series, struct label label)
{
    if (is_tenant_label(label.name, scanner->options->tenant_label))
        series->tenant = label.value;
    series->label_total++;
    if (series->label_count < scanner->options->labels_per_series_max)
        scanner->scan->labels[series->first_label + series->label_count++] = label;
}

static bool scan_series_label(struct scanner *scanner, struct bytes content,
                              struct scanned_series *series)
{
    struct label label;
    if (!scan_label(scanner, content, &label))
        return false;
    add_label(scanner, series, label);
    return true;
}

static bool scan_series_sample(struct scanner *scanner, struct bytes content)
{
    struct write_scan *scan = scanner->scan;
    if (!reserve_sample(scanner) ||
        !scan_sample(scanner, content, &scan->samples[scan->sample_count]))
        return false;
    scan->sample_count++;
    return true;
}

static const char *series_field_name(uint32_t field_number)
{
    switch (field_number) {
    case SERIES_LABEL:
        return "label";
    case SERIES_SAMPLE:
        return "sample";
    case SERIES_EXEMPLAR:
        return "exemplar";
    case SERIES_HISTOGRAM:
        return "histogram";
    default:
        return NULL;
    }
}

static bool scan_series_field(struct scanner *scanner, struct wire *wire, struct wire_tag tag,
                              struct scanned_series *series)
{
    const char *name = series_field_name(tag.field_number);
    struct bytes content;
    if (name == NULL)
        return wire_skip(wire, tag);
    if (!wire_expect_type(wire, name, tag, WIRE_BYTES) || !wire_read_bytes(wire, name, &content))
        return false;
    switch (tag.field_number) {
    case SERIES_LABEL:
        return scan_series_label(scanner, content, series);
    case SERIES_SAMPLE:
        return scan_series_sample(scanner, content);
    case SERIES_EXEMPLAR:
        scanner->scan->exemplar_count++;
        return true;
    default:
        scanner->scan->histogram_count++;
        return true;
    }
}

static bool scan_any_series(struct scanner *scanner, struct bytes content,
                            struct scanned_series *series)
{
    struct wire wire = wire_over(scanner, content);
    while (wire_has_more(&wire)) {
        struct wire_tag tag;
        if (!wire_read_tag(&wire, &tag) || !scan_series_field(scanner, &wire, tag, series))
            return false;
    }
    return true;
}

/* --- the message --- */

static bool scan_series(struct scanner *scanner, struct bytes content)
{
    struct write_scan *scan = scanner->scan;
    if (!reserve_series(scanner))
        return false;
    reserve_labels(scanner);
    struct scanned_series fresh = {.first_label = (uint32_t)scan->label_count,
                                   .first_sample = (uint32_t)scan->sample_count};
    struct scanned_series *series = &scan->series[scan->series_count];
    *series = fresh;
    int is_plain = scan_plain_series(scanner, content, series);
    if (is_plain < 0)
        return false;
    if (is_plain == 0) {
        /* from the start again: nothing of the attempt stays */
        *series = fresh;
        scan->sample_count = fresh.first_sample;
        if (!scan_any_series(scanner, content, series))
            return false;
    }
    series->sample_count = (uint32_t)(scan->sample_count - series->first_sample);
    if (series->identity.len == 0)
        scan->label_count += series->label_count;
    scanner->label_total += series->label_count;
    if (scanner->label_total > scanner->options->labels_max)
        return fail_limit(scanner, "labels", scanner->options->labels_max);
    scan->series_count++;
    return true;
}

static bool read_metadata_type(struct wire *wire, struct wire_tag tag, uint32_t *type)
{
    uint64_t value;
    if (!wire_expect_type(wire, "metadata type", tag, WIRE_VARINT) ||
        !wire_read_varint(wire, "metadata type", &value))
        return false;
    *type = (uint32_t)value;
    return true;
}

static bool scan_metadata_field(struct wire *wire, struct wire_tag tag,
                                struct scanned_metadata *metadata)
{
    switch (tag.field_number) {
    case METADATA_TYPE:
        return read_metadata_type(wire, tag, &metadata->type);
    case METADATA_METRIC:
        return read_text(wire, "metadata metric name", tag, &metadata->metric);
    case METADATA_HELP:
        return read_text(wire, "metadata help", tag, &metadata->help);
    case METADATA_UNIT:
        return read_text(wire, "metadata unit", tag, &metadata->unit);
    default:
        return wire_skip(wire, tag);
    }
}

static bool scan_metadata(struct scanner *scanner, struct bytes content)
{
    struct write_scan *scan = scanner->scan;
    if (!reserve_metadata(scanner))
        return false;
    struct scanned_metadata *metadata = &scan->metadata[scan->metadata_count];
    *metadata = (struct scanned_metadata){0};
    struct wire wire = wire_over(scanner, content);
    while (wire_has_more(&wire)) {
        struct wire_tag tag;
        if (!wire_read_tag(&wire, &tag) || !scan_metadata_field(&wire, tag, metadata))
            return false;
    }
    scan->metadata_count++;
    return true;
}

static bool scan_request_field(struct scanner *scanner, struct wire *wire, struct wire_tag tag)
{
    struct bytes content;
    if (tag.field_number != REQUEST_SERIES && tag.field_number != REQUEST_METADATA)
        return wire_skip(wire, tag);
    bool is_series = tag.field_number == REQUEST_SERIES;
    const char *name = is_series ? "series" : "metadata";
    if (!wire_expect_type(wire, name, tag, WIRE_BYTES) || !wire_read_bytes(wire, name, &content))
        return false;
    return is_series ? scan_series(scanner, content) : scan_metadata(scanner, content);
}

static bool scan_request(struct scanner *scanner, struct bytes body)
{
    struct wire wire = wire_over(scanner, body);
    while (wire_has_more(&wire)) {
        struct wire_tag tag;
        if (!wire_read_tag(&wire, &tag) || !scan_request_field(scanner, &wire, tag))
            return false;
    }
    return true;
}

enum status write_scan_run(struct write_scan *scan, const struct write_scan_options *options,
                           struct bytes body, struct error *err)
{
    forget(scan);
    if (body.len == 0)
        return STATUS_OK;
    struct scanner scanner = {.scan = scan, .options = options};
    if (scan_request(&scanner, body))
        return STATUS_OK;
    if (scanner.limit != NULL)
        return error_set(err, STATUS_LIMIT, "write request: too many %s, want at most %u",
                         scanner.limit, (unsigned)scanner.limit_max);
    enum status status = wire_fault_error(&scanner.fault, body.ptr, err);
    return error_prefix(err, status, "write request: after %zu series and %zu metadata entries",
                        scan->series_count, scan->metadata_count);
}

void write_scan_labels(const struct write_scan *scan, const struct scanned_series *series,
                       struct label *out)
{
    if (series->identity.len > 0)
        labels_identity_decode(series->identity, out, series->label_count);
    else if (series->label_count > 0)
        memcpy(out, scan->labels + series->first_label, series->label_count * sizeof *out);
}
