/*
 * limit_rows: every limit of a tenant as a row of JSON: what holds, where that comes
 * from, how near it is.
 *
 *     "max_series":{"hard":150000,"warnsBeyond":119999,"current":14210,"source":"config",...}
 *
 * Times in seconds; "hard" is null where there is no limit.
 */
#ifndef CROFT_SERVER_LIMIT_ROWS_H
#define CROFT_SERVER_LIMIT_ROWS_H

#include "http/json.h"
#include "server/limit_layers.h"
#include "tsdb/store/store.h"

struct limit_rows {
    struct store *store;         /* kept */
    struct limit_layers *layers; /* kept */
    /* What holds where a tenant has no limit of its own; TENANT_LIMIT_NONE: nothing does. */
    uint64_t fallback[TENANT_LIMIT_COUNT];
};

/* Without fallbacks. */
struct limit_rows limit_rows_of(struct store *store, struct limit_layers *layers);
/* One object, with a member for each limit. */
void limit_rows_write(const struct limit_rows *rows, const struct tenant *tenant,
                      struct json *json);

#endif
