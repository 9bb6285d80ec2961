#include "query/api/request_scope_http.h"

#include <stdlib.h>

#include "query/api/reply_http.h"
#include "tsdb/model/grant.h"

enum { SCOPE_TENANTS_MAX = 10000 };

static int compare_tenants(const void *left, const void *right)
{
    const struct tenant_id *a = left, *b = right;
    return str_compare(tenant_id_str(a), tenant_id_str(b));
}

static enum status parse_tenants(struct str text, struct arena *arena, struct scope *out,
                                 struct error *err)
{
    size_t count = 1;
    for (size_t at = str_find(text, '|', 0); at < text.len; at = str_find(text, '|', at + 1))
        count++;
    if (count > SCOPE_TENANTS_MAX)
        return error_set(err, STATUS_INVALID, "X-Scope-OrgID: got %zu tenants, want at most %d",
                         count, SCOPE_TENANTS_MAX);
    struct tenant_id *ids = arena_alloc(arena, count * sizeof *ids);
    size_t from = 0;
    for (size_t i = 0; i < count; i++) {
        size_t to = str_find(text, '|', from);
        TRY(tenant_id_parse(str_slice(text, from, to - from), &ids[i], err));
        from = to + 1;
    }
    qsort(ids, count, sizeof *ids, compare_tenants);
    size_t kept = 0;
    for (size_t i = 0; i < count; i++) {
        if (kept == 0 || compare_tenants(&ids[kept - 1], &ids[i]) != 0)
            ids[kept++] = ids[i];
    }
    *out = (struct scope){.tenants = ids, .tenant_count = kept};
    return STATUS_OK;
}

/* STATUS_DENIED: a tenant of `asked` is not granted. */
static enum status check_granted(const struct scope *asked, const struct scope *granted,
                                 struct error *err)
{
    for (size_t i = 0; i < asked->tenant_count; i++) {
        if (!scope_covers(granted, &asked->tenants[i]))
            return error_set(err, STATUS_DENIED,
                             "X-Scope-OrgID: this credential may not read tenant \"%s\"",
                             asked->tenants[i].text);
    }
    return STATUS_OK;
}

static enum status read_scope(struct exchange *exchange, struct scope *out, struct error *err)
{
    static const char header[] = "X-Scope-OrgID";
    const struct grant *grant = exchange_grant(exchange);
    struct scope granted = grant == NULL ? (struct scope){.is_all = true} : grant->read;
    bool is_present;
    struct str text = exchange_header(exchange, header, &is_present);
    if (exchange_header_count(exchange, header) > 1)
        return error_set(err, STATUS_INVALID, "X-Scope-OrgID: sent more than once");
    *out = granted;
    if (!is_present)
        return STATUS_OK;
    TRY(parse_tenants(text, exchange_arena(exchange), out, err));
    return check_granted(out, &granted, err);
}

bool request_scope(struct exchange *exchange, struct scope *out)
{
    struct error err;
    enum status status = read_scope(exchange, out, &err);
    if (status != STATUS_OK)
        reply_error(exchange, api_error_of(status), str_from(err.text));
    return status == STATUS_OK;
}

struct str request_payer(struct exchange *exchange, const struct scope *scope)
{
    const struct grant *grant = exchange_grant(exchange);
    if (!scope_is_federated(scope))
        return tenant_id_str(&scope->tenants[0]);
    if (grant == NULL)
        return STR("|");
    /* no tenant's id has a bar */
    return arena_format(exchange_arena(exchange), "|%.*s", STR_ARG(grant->holder));
}
