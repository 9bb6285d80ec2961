/*
 * The general path of write_scan: a series whose fields may come in any order and repeat.
 */
#include "ingest/write_scan_impl.h"

bool scan_text(struct wire *wire, const char *field, struct wire_tag tag, struct str *out)
{
    struct bytes content;
    if (!wire_expect_type(wire, field, tag, WIRE_BYTES) || !wire_read_bytes(wire, field, &content))
        return false;
    *out = str_of_bytes(content);
    return true;
}

static bool scan_label(struct scanner *scanner, struct bytes content, struct label *label)
{
    struct wire wire = scanner_wire(scanner, content);
    *label = (struct label){0};
    while (wire_has_more(&wire)) {
        struct wire_tag tag;
        if (!wire_read_tag(&wire, &tag))
            return false;
        bool is_read =
            tag.field_number == LABEL_NAME    ? scan_text(&wire, "label name", tag, &label->name)
            : tag.field_number == LABEL_VALUE ? scan_text(&wire, "label value", tag, &label->value)
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
    struct wire wire = scanner_wire(scanner, content);
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
    if (!scanner_reserve_sample(scanner) ||
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

bool scan_any_series(struct scanner *scanner, struct bytes content, struct scanned_series *series)
{
    struct wire wire = scanner_wire(scanner, content);
    while (wire_has_more(&wire)) {
        struct wire_tag tag;
        if (!wire_read_tag(&wire, &tag) || !scan_series_field(scanner, &wire, tag, series))
            return false;
    }
    return true;
}
