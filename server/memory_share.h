/*
 * memory_share: how much memory something may take: "40%" of what the process may use, or "2GiB".
 */
#ifndef CROFT_SERVER_MEMORY_SHARE_H
#define CROFT_SERVER_MEMORY_SHARE_H

#include "base/bytes.h"
#include "base/status.h"

#define MEMORY_SHARE_MIN_BYTES (UINT64_C(1) << 20)
#define MEMORY_SHARE_MAX_BYTES (UINT64_C(1) << 50)

/* `all_bytes` is what percentages are of. STATUS_INVALID: neither a percentage from 1 to 100 nor a
   size within the bounds above; `name` stands for the setting. */
MUST_USE enum status memory_share_parse(struct str text, const char *name, uint64_t all_bytes,
                                        size_t *out, struct error *err);

#endif
