/*
 * fuzz_write_scan: any bytes as the body of a remote write, decompressed and scanned.
 *
 * What the scan gives must be sound: every view lies in the message, every count in its array, and
 * the hash is that of the labels.
 */
#include "base/check.h"
#include "ingest/snappy_body.h"
#include "tests/support/scanned_labels.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { DECODED_MAX_BYTES = 1 << 16 };

static void check_view(struct bytes message, struct str view)
{
    const uint8_t *ptr = (const uint8_t *)view.ptr;
    CHECK(view.len == 0 || (ptr >= message.ptr && ptr + view.len <= message.ptr + message.len));
}

static void check_series(struct bytes message, const struct write_scan *scan,
                         const struct scanned_series *series)
{
    struct label room[256]; /* labels_per_series_max */
    CHECK(series->label_count <= sizeof room / sizeof *room);
    CHECK(series->first_label + (series->identity.len > 0 ? 0 : series->label_count) <=
          scan->label_count);
    struct labels labels = scanned_labels(scan, series, room);
    CHECK(series->first_sample + series->sample_count <= scan->sample_count);
    for (size_t i = 0; i < labels.count; i++) {
        check_view(message, labels.ptr[i].name);
        check_view(message, labels.ptr[i].value);
    }
    check_view(message, series->tenant);
    check_view(message, str_of_bytes(series->identity));
}

static void scan_and_check(struct bytes message)
{
    struct write_scan scan;
    struct error err;
    struct write_scan_options options = write_scan_options_default();
    write_scan_init(&scan);
    if (write_scan_run(&scan, &options, message, &err) == STATUS_OK) {
        for (size_t i = 0; i < scan.series_count; i++)
            check_series(message, &scan, &scan.series[i]);
        for (size_t i = 0; i < scan.metadata_count; i++)
            check_view(message, scan.metadata[i].help);
    } else {
        CHECK(str_is_utf8(str_from(err.text)));
    }
    write_scan_deinit(&scan);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct buffer decoded;
    struct error err;
    buffer_init(&decoded, DECODED_MAX_BYTES);
    scan_and_check((struct bytes){data, size});
    if (snappy_body_decode((struct bytes){data, size}, DECODED_MAX_BYTES, &decoded, &err) ==
        STATUS_OK)
        scan_and_check(buffer_bytes(&decoded));
    buffer_deinit(&decoded);
    return 0;
}
