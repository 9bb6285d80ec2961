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
void fleet_deinit(struct fleet *fleet);

/* Appends the wire form of prometheus.WriteRequest with one sample at `ts_ms` for the series [from,
   to). Moves their values on by one scrape. */
void fleet_append_request(struct fleet *fleet, size_t from, size_t to, int64_t ts_ms,
                          struct buffer *out);

#endif
