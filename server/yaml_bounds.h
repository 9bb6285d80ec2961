/*
 * yaml_bounds: refuses a YAML text that would cost far more to load than a configuration can say.
 *
 * libyaml compares every anchor with all before it, every token with all open brackets, and takes a
 * hundred times the memory of the text for short values. Here its events are counted, in one pass
 * and without keeping them, before it may build a document.
 */
#ifndef CROFT_SERVER_YAML_BOUNDS_H
#define CROFT_SERVER_YAML_BOUNDS_H

#include <yaml.h>

#include "base/bytes.h"
#include "base/status.h"

enum {
    YAML_DEPTH_MAX = 16,
    YAML_ANCHORS_MAX = 1000,
    YAML_NODES_MAX = 1000000, /* 160 bytes each */
};

/* A parser that reads `text`, which may be empty without a place; the caller deletes it. STATUS_IO
   when there is no memory for it. */
MUST_USE enum status yaml_open(yaml_parser_t *parser, struct str text, const char *name,
                               struct error *err);

/* Also refuses text that is not YAML, or more than one document. STATUS_INVALID: "name:line:
   ...". */
MUST_USE enum status yaml_bounds_check(struct str text, const char *name, struct error *err);

#endif
