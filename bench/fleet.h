/*
 * fleet: a made-up fleet of machines: label sets and values that look like the real thing.
 *
 * Each instance is what one machine's node exporter, kubelet and web service show together: about
 * 1,000 series in some 40 metrics, histograms among them, with eight to ten labels each.
 * Deterministic: the same seed gives the same bytes on every machine, so that servers can be
 * compared.
 */
#ifndef CROFT_BENCH_FLEET_H
#define CROFT_BENCH_FLEET_H

#include "base/buffer.h"

struct fleet_series;

struct fleet {
    struct fleet_series *series;
    size_t count;
};

/* `count` series, instance by instance. */
void fleet_init(struct fleet *fleet, size_t count);
/* The same of one metric alone, with as many instances as that takes; false when there is none of
   that name. */
bool fleet_init_metric(struct fleet *fleet, size_t count, struct str metric);
void fleet_deinit(struct fleet *fleet);

struct fleet_sample {
    int64_t ts_ms;
    double value;
};

/* Of the scrape that is due at `due_ms`: moves the value of series `index` on. */
struct fleet_sample fleet_next_sample(struct fleet *fleet, size_t index, int64_t due_ms);
/* Appends the labels of series `index` as pairs of JSON: ["name","value"],... */
void fleet_append_labels(const struct fleet *fleet, size_t index, struct buffer *out);

/* Appends the wire form of prometheus.WriteRequest with one sample for the series [from, to), of
   the scrape that is due at `due_ms`. Moves their values on. */
void fleet_append_request(struct fleet *fleet, size_t from, size_t to, int64_t due_ms,
                          struct buffer *out);

#endif
