/*
 * select_scope: what a scope and its matchers mean for one tenant (scope.h has the rules).
 *
 * Private to select*.c.
 */
#ifndef CROFT_TSDB_SELECT_SCOPE_H
#define CROFT_TSDB_SELECT_SCOPE_H

#include "tsdb/model/tenant.h"
#include "tsdb/store/select.h"

/* The part of a selection that concerns one tenant. */
struct tenant_part {
    struct tenant *tenant;
    int64_t min_ts_ms;        /* of the selection, less what the tenant's retention hides */
    bool is_federated;        /* its series show whose they are */
    struct str shown;         /* the tenant label then says this; empty: it is not shown */
    struct matcher *matchers; /* those for the index; borrowed regexes */
    size_t matcher_count;
    const struct matcher *on_original; /* matchers on "original_<tenant label>", after rewriting */
    size_t on_original_count;
};

/* The tenants of the scope that the matchers do not rule out, with their matchers. In `arena`. */
void scope_parts(struct tenant_table *table, struct str tenant_label,
                 const struct select_options *options, struct arena *arena,
                 struct tenant_part **out, size_t *count);

/* "original_" + the tenant label: what shows a different tenant that a series was written with. */
bool scope_is_original_label(struct str name, struct str tenant_label);
struct str scope_original_label(struct str tenant_label, struct arena *arena);

/* The labels of a series as the scope shows them. False when a matcher of on_original says no. */
bool scope_labels(const struct tenant_part *part, struct str tenant_label, struct labels stored,
                  struct arena *arena, struct labels *out);

#endif
