#include "ingest/write_scan.h"

#include "base/mem.h"
#include "ingest/write_scan_impl.h"

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

/* ---- room: limits first, memory second ---- */

static bool reserve_series(struct scanner *scanner)
{
    struct write_scan *scan = scanner->scan;
    if (scan->series_count >= scanner->options->series_max)
        return scanner_fail_limit(scanner, "series", scanner->options->series_max);
    if (scan->series_count < scan->series_capacity)
        return true;
    void *grown = scanner_grow(scanner, scan->series, &scan->series_capacity,
                               scan->series_count + 1, sizeof *scan->series);
    if (grown != NULL)
        scan->series = grown;
    return grown != NULL;
}

/* Room for all the labels that one series may keep, so that the label loops need not look. */
static bool reserve_labels(struct scanner *scanner)
{
    struct write_scan *scan = scanner->scan;
    size_t want = scan->label_count + scanner->options->labels_per_series_max;
    if (want <= scan->label_capacity)
        return true;
    void *grown =
        scanner_grow(scanner, scan->labels, &scan->label_capacity, want, sizeof *scan->labels);
    if (grown != NULL)
        scan->labels = grown;
    return grown != NULL;
}

static bool reserve_metadata(struct scanner *scanner)
{
    struct write_scan *scan = scanner->scan;
    if (scan->metadata_count >= scanner->options->metadata_max)
        return scanner_fail_limit(scanner, "metadata entries", scanner->options->metadata_max);
    if (scan->metadata_count < scan->metadata_capacity)
        return true;
    void *grown = scanner_grow(scanner, scan->metadata, &scan->metadata_capacity,
                               scan->metadata_count + 1, sizeof *scan->metadata);
    if (grown != NULL)
        scan->metadata = grown;
    return grown != NULL;
}

/* ---- the message ---- */

static bool scan_series(struct scanner *scanner, struct bytes content)
{
    struct write_scan *scan = scanner->scan;
    if (!reserve_series(scanner) || !reserve_labels(scanner))
        return false;
    struct scanned_series fresh = {.first_label = (uint32_t)scan->label_count,
                                   .first_sample = (uint32_t)scan->sample_count};
    struct scanned_series *series = &scan->series[scan->series_count];
    *series = fresh;
    enum plain_result plain = scan_plain_series(scanner, content, series);
    if (plain == PLAIN_LIMIT)
        return false;
    if (plain == PLAIN_NOT) {
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
        return scanner_fail_limit(scanner, "labels", scanner->options->labels_max);
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
        return scan_text(wire, "metadata metric name", tag, &metadata->metric);
    case METADATA_HELP:
        return scan_text(wire, "metadata help", tag, &metadata->help);
    case METADATA_UNIT:
        return scan_text(wire, "metadata unit", tag, &metadata->unit);
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
    struct wire wire = scanner_wire(scanner, content);
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
    struct wire wire = scanner_wire(scanner, body);
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
    if (scanner.is_refused)
        return charge_refusal(options->charge, err);
    if (scanner.limit != NULL)
        return error_set(err, STATUS_LIMIT, "write request: too many %s, want at most %u",
                         scanner.limit, (unsigned)scanner.limit_max);
    enum status status = wire_fault_error(&scanner.fault, body.ptr, err);
    return error_prefix(err, status, "write request: after %zu series and %zu metadata entries",
                        scan->series_count, scan->metadata_count);
}
