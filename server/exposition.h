/*
 * exposition: writes metrics in Prometheus' text format, version 0.0.4.
 *
 * Use: exposition_family once per metric name, then its samples.
 */
#ifndef CROFT_SERVER_EXPOSITION_H
#define CROFT_SERVER_EXPOSITION_H

#include "base/buffer.h"
#include "ingest/metadata.h"

#define EXPOSITION_CONTENT_TYPE "text/plain; version=0.0.4; charset=utf-8"

struct exposition {
    struct buffer *out;
    const char *name; /* of the family under way */
};

struct metric_label {
    const char *name;
    struct str value;
};

void exposition_init(struct exposition *exposition, struct buffer *out);
/* `help` is one line of plain text. */
void exposition_family(struct exposition *exposition, const char *name, enum metric_type type,
                       const char *help);
void exposition_sample(struct exposition *exposition, const struct metric_label *labels,
                       size_t label_count, double value);
/* A sample with one label. */
void exposition_labelled(struct exposition *exposition, const char *name, struct str value,
                         double number);
/* A family of one sample without labels. */
void exposition_single(struct exposition *exposition, const char *name, enum metric_type type,
                       const char *help, double value);

#endif
