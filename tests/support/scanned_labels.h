/*
 * scanned_labels: the labels of a series that write_scan found, in whichever form it has them.
 */
#ifndef CROFT_TESTS_SUPPORT_SCANNED_LABELS_H
#define CROFT_TESTS_SUPPORT_SCANNED_LABELS_H

#include "ingest/write_scan.h"
#include "tsdb/head/identity.h"

/* In `room`, which has place for label_count. */
static inline struct labels scanned_labels(const struct write_scan *scan,
                                           const struct scanned_series *series, struct label *room)
{
    if (series->identity.len > 0)
        labels_identity_decode(series->identity, room, series->label_count);
    else if (series->label_count > 0)
        memcpy(room, scan->labels + series->first_label, series->label_count * sizeof *room);
    return (struct labels){room, series->label_count};
}

#endif
