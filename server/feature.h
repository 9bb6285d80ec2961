/*
 * feature: what Prometheus keeps behind --enable-feature, under the same names.
 */
#ifndef CROFT_SERVER_FEATURE_H
#define CROFT_SERVER_FEATURE_H

#include "base/bytes.h"

struct features {
    bool has_experimental_functions; /* promql-experimental-functions */
};

/* `list`: names with commas between. Adds to `features`. A name that is not known, or is always on,
   is logged and otherwise ignored, as by Prometheus. */
void features_enable(struct features *features, struct str list);

#endif
