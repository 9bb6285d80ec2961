/*
 * scope: which tenants a read covers, and how they show.
 *
 * A scope of one named tenant shows series as they were written. Any other scope is federated:
 * every series of a tenant other than the default one shows its tenant as the label `tenant_label`,
 * one of the default tenant shows none; what else was written under that name shows as "original_"
 * + name. Series of a tenant that are shown with the same labels are one. Matchers on
 * `tenant_label` and on "__tenant_id__" choose tenants before any index is read. See
 * docs/decisions/0002-default-tenant-shows-no-label.md.
 */
#ifndef CROFT_TSDB_SCOPE_H
#define CROFT_TSDB_SCOPE_H

#include "tsdb/model/tenant_id.h"

#define TENANT_PSEUDO_LABEL STR("__tenant_id__")

struct scope {
    bool is_all;                     /* every tenant; `tenants` is then unused */
    const struct tenant_id *tenants; /* sorted, unique; borrowed */
    size_t tenant_count;
};

static inline bool scope_is_federated(const struct scope *scope)
{
    return scope->is_all || scope->tenant_count != 1;
}

/* Among `tenants`; `id` may be any text. */
static inline bool scope_names(const struct scope *scope, struct str id)
{
    size_t from = 0, to = scope->tenant_count;
    while (from < to) {
        size_t middle = from + (to - from) / 2;
        int order = str_compare(tenant_id_str(&scope->tenants[middle]), id);
        if (order == 0)
            return true;
        if (order < 0)
            from = middle + 1;
        else
            to = middle;
    }
    return false;
}

static inline bool scope_covers(const struct scope *scope, const struct tenant_id *id)
{
    return scope->is_all || scope_names(scope, tenant_id_str(id));
}

#endif
