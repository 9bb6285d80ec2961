/*
 * write_tenant: whose each series of a write is.
 *
 * In this order, as far as the sender's grant goes:
 *
 *   1. the tenant that the X-Scope-OrgID header names, for the whole request
 *   2. the series' own tenant label, if the grant lets labels decide
 *   3. the one tenant of the grant, when there is just one; else the default tenant
 *
 * What the grant does not cover is refused: by 1 the request, by 2 the series, by 3 whichever of
 * them came so far. Without a grant everything is covered. A tenant is made by its first series, by
 * the store.
 *
 * Threads: a resolver belongs to one thread at a time; the table it asks is synchronised.
 */
#ifndef CROFT_INGEST_WRITE_TENANT_H
#define CROFT_INGEST_WRITE_TENANT_H

#include "base/status.h"
#include "tsdb/model/grant.h"
#include "tsdb/model/tenant.h"

/* Writers for many tenants send them interleaved: so many are found without asking the table. */
enum { WRITE_TENANT_CACHE_SLOTS = 64 };

struct write_tenant {
    struct tenant_table *table;       /* kept */
    const struct grant *grant;        /* of the request's sender; kept */
    const struct tenant_id *fixed;    /* of the whole request; NULL: the label decides; kept */
    const struct tenant_id *fallback; /* where there is no label; NULL for none */
    struct tenant *last;              /* of the series before; NULL before the first */
    struct tenant_id unknown;         /* after STATUS_NOT_FOUND: who is not there yet */
    struct tenant *cache[WRITE_TENANT_CACHE_SLOTS]; /* by the hash of the id */
};

/* The tenant that the header names. STATUS_INVALID: sent twice, a list, or not a tenant id. */
MUST_USE enum status write_tenant_parse_header(struct str value, size_t times_sent,
                                               struct tenant_id *out, struct error *err);

void write_tenant_init(struct write_tenant *resolver, struct tenant_table *table);
/* The next series belong to another request; `header` is the tenant it names, NULL when it names
   none. STATUS_DENIED: the grant covers nothing of it. */
MUST_USE enum status write_tenant_begin(struct write_tenant *resolver, const struct grant *grant,
                                        const struct tenant_id *header, struct error *err);
/* `label_value` is that of the tenant label, empty when the series has none. STATUS_INVALID: not a
   tenant id; STATUS_DENIED: not covered by the grant; STATUS_NOT_FOUND: nobody has written under
   that id (resolver->unknown) yet. */
MUST_USE enum status write_tenant_find(struct write_tenant *resolver, struct str label_value,
                                       struct tenant **out, struct error *err);

#endif
