/*
 * write_report: what became of the samples of one write, and how the sender is told.
 */
#ifndef CROFT_INGEST_WRITE_REPORT_H
#define CROFT_INGEST_WRITE_REPORT_H

#include "base/buffer.h"
#include "tsdb/store/store.h"

/* Refusals that never reach the store; its own are REFUSAL_LIST. A native histogram counts as a
 * sample. */
#define WRITE_REFUSAL_LIST(X)                                                                      \
    X(WRITE_REFUSAL_INVALID_TENANT, "invalid-tenant")                                              \
    X(WRITE_REFUSAL_TENANT_NOT_GRANTED, "tenant-not-granted")                                      \
    X(WRITE_REFUSAL_NEW_TENANTS, "new-tenants")                                                    \
    X(WRITE_REFUSAL_MAX_TENANTS, "max-tenants")                                                    \
    X(WRITE_REFUSAL_NATIVE_HISTOGRAM, "native-histogram")

enum write_refusal {
#define WRITE_REFUSAL_ENUM(name, text) name,
    WRITE_REFUSAL_LIST(WRITE_REFUSAL_ENUM)
#undef WRITE_REFUSAL_ENUM
        WRITE_REFUSAL_COUNT
};

/* Both lists in one numbering: the store's reasons, then those above. */
enum { WRITE_REASON_COUNT = (int)REFUSAL_COUNT + (int)WRITE_REFUSAL_COUNT };

enum { WRITE_REPORT_TEXT_MAX = 4096 };

struct write_report {
    uint64_t samples_received;     /* native histograms included */
    uint64_t samples_deduplicated; /* of replicas that are not elected: dropped, not refused */
    struct error deduplicated;     /* the first of them, whose they are */
    uint64_t exemplars_skipped;
    uint64_t metadata_received;
    struct write_result stored;
    uint64_t refused[WRITE_REFUSAL_COUNT]; /* samples */
    struct error first[WRITE_REFUSAL_COUNT];
};

/* "max-series"; `reason` < WRITE_REASON_COUNT. */
const char *write_reason_text(unsigned reason);
/* Samples refused for that reason. */
uint64_t write_report_reason_count(const struct write_report *report, unsigned reason);
uint64_t write_report_refused(const struct write_report *report);

/* Counts a refusal by ingest; the text of the first of each reason is kept. */
void write_report_refuse(struct write_report *report, enum write_refusal reason, uint64_t samples,
                         const struct error *why);
/* A series refused for a reason of the store that ingest finds first. */
void write_report_refuse_series(struct write_report *report, enum refusal_reason reason,
                                uint64_t samples, const struct error *why);

/* One line: "12 of 2000 samples were refused: 12 max-series (err-croft-max-series): tenant ...;
   ...". At most WRITE_REPORT_TEXT_MAX bytes of UTF-8 without control characters, no newline. */
void write_report_print(struct buffer *out, const struct write_report *report);

#endif
