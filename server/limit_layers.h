/*
 * limit_layers: which limits hold: built in, over them `limits:` of the configuration, over them
 * the tenant's in `tenants:`, over them what was set at run time.
 *
 * What is set at run time is on disk before it holds, and is read again at the start.
 *
 * Threads:  any; one change at a time, which waits for the disk when it is made at run time. Reads
 *           do not wait for it.
 * Format:   docs/format/limits.md.
 */
#ifndef CROFT_SERVER_LIMIT_LAYERS_H
#define CROFT_SERVER_LIMIT_LAYERS_H

#include "base/disk.h"
#include "server/config.h"
#include "server/limit_text.h"

struct limit_layers;

/* Reads what was set at run time; limit_layers_configure makes it hold. Both are kept.
   STATUS_CORRUPT: the file is damaged; it is left as it is. */
MUST_USE enum status limit_layers_open(struct disk *disk, struct tenant_table *tenants,
                                       struct limit_layers **out, struct error *err);
/* NULL is fine. */
void limit_layers_close(struct limit_layers *layers);

/* Replaces what the configuration says; copied. Holds at once. */
void limit_layers_configure(struct limit_layers *layers, const struct config *config);

/* Replaces what was set for the tenant, whether anybody has written to it yet or not; NULL: nothing
   is set any more. On failure all is as before. STATUS_INVALID: gives a soft limit beyond the hard
   one that then holds; STATUS_NOT_FOUND: nothing was set; STATUS_LIMIT: for too many tenants. */
MUST_USE enum status limit_layers_set(struct limit_layers *layers, const struct tenant_id *id,
                                      const struct tenant_limits *limits, struct error *err);
/* What is set at run time for the tenant: TENANT_LIMIT_KEPT where nothing is. */
struct tenant_limits limit_layers_get(struct limit_layers *layers, const struct tenant_id *id);
/* Where the tenant's limit comes from: "runtime"; "config", where that says something else than
   what is built in; or "default". */
const char *limit_layers_source(struct limit_layers *layers, const struct tenant_id *id,
                                enum tenant_limit limit);
/* The same of a text. */
const char *limit_layers_text_source(struct limit_layers *layers, const struct tenant_id *id,
                                     enum tenant_text text);

#endif
