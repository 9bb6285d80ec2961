#include "ingest/write_report.h"

#include <inttypes.h>

#include "base/check.h"
#include "base/escape.h"

static const char *const refusal_texts[] = {
#define WRITE_REFUSAL_TEXT(name, text) text,
    WRITE_REFUSAL_LIST(WRITE_REFUSAL_TEXT)
#undef WRITE_REFUSAL_TEXT
};

const char *write_reason_text(unsigned reason)
{
    CHECK(reason < WRITE_REASON_COUNT);
    return reason < REFUSAL_COUNT ? refusal_reason_text((enum refusal_reason)reason)
                                  : refusal_texts[reason - REFUSAL_COUNT];
}

uint64_t write_report_reason_count(const struct write_report *report, unsigned reason)
{
    CHECK(reason < WRITE_REASON_COUNT);
    return reason < REFUSAL_COUNT ? report->stored.samples_refused[reason]
                                  : report->refused[reason - REFUSAL_COUNT];
}

static const struct error *first_of(const struct write_report *report, unsigned reason)
{
    return reason < REFUSAL_COUNT ? &report->stored.first[reason]
                                  : &report->first[reason - REFUSAL_COUNT];
}

uint64_t write_report_refused(const struct write_report *report)
{
    uint64_t sum = 0;
    for (unsigned reason = 0; reason < WRITE_REASON_COUNT; reason++)
        sum += write_report_reason_count(report, reason);
    return sum;
}

void write_report_refuse(struct write_report *report, enum write_refusal reason, uint64_t samples,
                         const struct error *why)
{
    if (report->refused[reason] == 0)
        report->first[reason] = *why;
    report->refused[reason] += samples;
}

void write_report_refuse_series(struct write_report *report, enum refusal_reason reason,
                                uint64_t samples, const struct error *why)
{
    if (report->stored.samples_refused[reason] == 0)
        report->stored.first[reason] = *why;
    report->stored.samples_refused[reason] += samples;
    report->stored.series_refused[reason]++;
}

/* ---- text ---- */

static void print_reason(struct buffer *out, const struct write_report *report, unsigned reason)
{
    const char *name = write_reason_text(reason);
    buffer_append_format(out, "%" PRIu64 " %s (err-croft-%s): ",
                         write_report_reason_count(report, reason), name, name);
    escape_append(out, str_from(first_of(report, reason)->text), STR(""));
}

void write_report_print(struct buffer *out, const struct write_report *report)
{
    const char *separator = ": ";
    struct buffer text;
    buffer_init(&text, WRITE_REPORT_TEXT_MAX);
    buffer_append_format(&text, "%" PRIu64 " of %" PRIu64 " samples were refused",
                         write_report_refused(report), report->samples_received);
    for (unsigned reason = 0; reason < WRITE_REASON_COUNT && !text.is_overflown; reason++) {
        if (write_report_reason_count(report, reason) == 0)
            continue;
        buffer_append_str(&text, str_from(separator));
        print_reason(&text, report, reason);
        separator = "; ";
    }
    buffer_append_str(out, buffer_str(&text));
    buffer_deinit(&text);
}
