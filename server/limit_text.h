/*
 * limit_text: limits as text: what the admin API takes and gives, and the file that keeps
 * what it was given.
 *
 *     {"max_series": 150000, "ingestion_rate": {"hard": 50000, "soft": 30000}, "retention": "90d"}
 *
 * The keys and values of `limits:` in the configuration (server/config.h), as JSON or YAML; written
 * as JSON. What is not named is TENANT_LIMIT_KEPT.
 *
 * Format:  docs/format/limits.md.
 */
#ifndef CROFT_SERVER_LIMIT_TEXT_H
#define CROFT_SERVER_LIMIT_TEXT_H

#include "base/buffer.h"
#include "base/status.h"
#include "tsdb/model/tenant_id.h"
#include "tsdb/model/tenant_limit.h"

struct json;

/* Tenants whose limits were set at run time: each of them rewrites the file. */
enum { LIMIT_SETS_MAX = 10000, LIMIT_FILE_MAX_BYTES = 32 << 20 };

struct limit_set {
    struct tenant_id id;
    struct tenant_limits limits; /* TENANT_LIMIT_KEPT where nothing is set */
};

/* Ownership: owns `ptr`. Invariant: sorted by id, each once. */
struct limit_sets {
    struct limit_set *ptr;
    size_t count;
};
void limit_sets_deinit(struct limit_sets *sets);
void limit_sets_sort(struct limit_sets *sets);
/* NULL: there is none. */
const struct limit_set *limit_sets_find(const struct limit_sets *sets, const struct tenant_id *id);

/* Of one set, or of what several come to: a soft limit beyond the hard one cannot be meant.
   STATUS_INVALID: "max_series: soft: got 5, want at most the hard limit, which is 4". */
MUST_USE enum status limit_check_soft(const struct tenant_limits *limits, enum tenant_limit limit,
                                      struct error *err);

/* The labels of HA pairs: two, and neither names the metric. */
MUST_USE enum status limit_check_texts(const struct tenant_limits *limits, struct error *err);

/* STATUS_INVALID: "name:1: ..."; an empty text sets nothing and is not valid. */
MUST_USE enum status limit_text_read(struct str text, const char *name, struct tenant_limits *out,
                                     struct error *err);
/* One object. */
void limit_text_write(struct json *json, const struct tenant_limits *limits);

void limit_file_encode(struct buffer *out, const struct limit_sets *sets);
/* STATUS_CORRUPT: not what limit_file_encode has written. */
MUST_USE enum status limit_file_decode(struct str text, struct limit_sets *out, struct error *err);

#endif
