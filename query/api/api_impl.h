/*
 * api_impl: one call of a read endpoint on its way through the pool; shared by the *_http.c files.
 */
#ifndef CROFT_QUERY_API_IMPL_H
#define CROFT_QUERY_API_IMPL_H

#include "query/api/api_http.h"
#include "query/api/param.h"
#include "query/api/reply_http.h"
#include "tsdb/store/store.h"

enum { API_POINTS_MAX = 11000, API_MATCHERS_MAX = 1000 };

struct api_call {
    struct lanes_job job;
    struct query_api *api;
    struct exchange *exchange;
    void (*run)(struct api_call *call);
    uint64_t started_ns;
    int64_t timeout_max_ms; /* limit query_timeout of what it reads */
    struct scope scope;
    struct str payer_id;
    struct tenant *payer;  /* NULL: several tenants, or one that nobody has written to */
    struct arena *arena;   /* of this call; outlives the reply */
    struct charge *charge; /* what the call holds of all queries' memory, but for the reply */
    struct flag is_abandoned;
    struct turn *turn; /* held while the call runs */
};

/* Parameters; each replies and returns false when the value is bad. A missing one is `fallback`. */
MUST_USE bool api_time(struct api_call *call, const char *name, int64_t fallback_ms, int64_t *out);
MUST_USE bool api_limit(struct api_call *call, uint64_t *out);
/* The union of match[]: each a set of matchers. */
struct api_selector {
    struct matcher *matchers;
    size_t count;
};
/* The caller calls api_selectors_deinit with a count of 1 when it is STATUS_OK. */
MUST_USE enum status api_selector_parse(struct api_call *call, struct str text,
                                        struct api_selector *out, struct error *err);
/* Replies to nothing: endpoints say in different words what is wrong. */
MUST_USE enum status api_selectors(struct api_call *call, struct api_selector **out, size_t *count,
                                   struct error *err);
void api_selectors_deinit(struct api_selector *selectors, size_t count);

/* The hard limit for what the call reads: the smallest of its tenants', of the default tenant when
   it reads all; at most `most`. */
uint64_t api_tenant_limit(const struct api_call *call, enum tenant_limit limit, uint64_t most);
/* What a soft limit or dry run of the one tenant that the call reads has to say. */
void api_note_part(const struct api_call *call, enum tenant_limit limit, uint64_t usage);

/* All that the call may read, of all times, within its limits; `selector` may be NULL. */
struct select_options api_select_options(struct api_call *call,
                                         const struct api_selector *selector);

/* Looks whether the client is still there; `call` is a struct api_call. */
void api_watch_client(void *call);
/* For endpoints that do not evaluate: STATUS_CANCELLED, STATUS_TIMEOUT, STATUS_UNAVAILABLE when the
   call has more memory than its share, or OK, perhaps after others had their turn. */
MUST_USE enum status api_yield(struct api_call *call, struct error *err);
void api_fail(struct api_call *call, enum status status, const struct error *err);

/* Endpoints. */
void api_query(struct api_call *call);
void api_query_range(struct api_call *call);
void api_format_query(struct api_call *call);
void api_parse_query(struct api_call *call);
void api_series(struct api_call *call);
void api_label_names(struct api_call *call);
void api_label_values(struct api_call *call);
void api_status_tsdb(struct api_call *call);
void api_cardinality_names(struct api_call *call);
void api_cardinality_values(struct api_call *call);
void api_active_series(struct api_call *call);
void api_rules(struct api_call *call);
void api_alerts(struct api_call *call);
void api_targets(struct api_call *call);
void api_targets_metadata(struct api_call *call);
void api_scrape_pools(struct api_call *call);
void api_alertmanagers(struct api_call *call);
void api_status_config(struct api_call *call);
void api_status_flags(struct api_call *call);
void api_query_exemplars(struct api_call *call);

#endif
