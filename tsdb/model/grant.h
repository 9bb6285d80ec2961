/*
 * grant: what a caller may do.
 *
 * Where a grant is a pointer, NULL stands for everything: no credentials are configured.
 */
#ifndef CROFT_TSDB_GRANT_H
#define CROFT_TSDB_GRANT_H

#include "tsdb/model/scope.h"

struct grant {
    struct scope read;
    struct scope write;
    bool is_tenant_from_label; /* the tenant label of a series may say whose it is */
    bool is_admin;
    struct str holder; /* the credential's name */
};

static inline bool scope_is_empty(const struct scope *scope)
{
    return !scope->is_all && scope->tenant_count == 0;
}

#endif
