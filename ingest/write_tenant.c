#include "ingest/write_tenant.h"

#include "base/hash.h"

enum status write_tenant_parse_header(struct str value, size_t times_sent, struct tenant_id *out,
                                      struct error *err)
{
    if (times_sent > 1)
        return error_set(err, STATUS_INVALID, "X-Scope-OrgID: sent %zu times, want at most once",
                         times_sent);
    if (str_find(value, '|', 0) < value.len || str_find(value, ',', 0) < value.len)
        return error_set(err, STATUS_INVALID,
                         "X-Scope-OrgID: a write goes to one tenant, got a list of them");
    enum status status = tenant_id_parse(value, out, err);
    return status == STATUS_OK ? STATUS_OK : error_prefix(err, status, "X-Scope-OrgID");
}

void write_tenant_init(struct write_tenant *resolver, struct tenant_table *table)
{
    *resolver = (struct write_tenant){.table = table};
}

/* Where samples go that say nothing themselves. */
static const struct tenant_id *fallback_of(const struct write_tenant *resolver)
{
    const struct grant *grant = resolver->grant;
    const struct tenant_id *default_id = &tenant_table_default(resolver->table)->id;
    if (grant == NULL || scope_covers(&grant->write, default_id))
        return default_id;
    return grant->write.tenant_count == 1 ? &grant->write.tenants[0] : NULL;
}

enum status write_tenant_begin(struct write_tenant *resolver, const struct grant *grant,
                               const struct tenant_id *header, struct error *err)
{
    resolver->grant = grant;
    resolver->fixed = header;
    resolver->fallback = fallback_of(resolver);
    resolver->last = NULL; /* what was granted to the request before says nothing about this one */
    if (grant == NULL)
        return STATUS_OK;
    if (header != NULL && !scope_covers(&grant->write, header))
        return error_set(err, STATUS_DENIED,
                         "X-Scope-OrgID: this credential may not write tenant \"%s\"",
                         header->text);
    if (header != NULL || grant->is_tenant_from_label)
        return STATUS_OK;
    resolver->fixed = resolver->fallback;
    if (resolver->fixed == NULL)
        return error_set(err, STATUS_DENIED,
                         "X-Scope-OrgID: missing, and this credential may write several tenants");
    return STATUS_OK;
}

/* Looks for `name` among what the grant covers. */
static enum status check_granted(const struct write_tenant *resolver, struct str name,
                                 struct error *err)
{
    const struct grant *grant = resolver->grant;
    if (resolver->fixed != NULL || grant == NULL || grant->write.is_all ||
        scope_names(&grant->write, name))
        return STATUS_OK;
    struct tenant_id id;
    TRY(tenant_id_parse(name, &id, err));
    return error_set(err, STATUS_DENIED, "tenant \"%s\": this credential may not write it",
                     id.text);
}

static enum status find_name(const struct write_tenant *resolver, struct str label_value,
                             struct str *out, struct error *err)
{
    *out = label_value;
    if (resolver->fixed != NULL)
        *out = tenant_id_str(resolver->fixed);
    else if (label_value.len == 0 && resolver->fallback != NULL)
        *out = tenant_id_str(resolver->fallback);
    if (out->len == 0)
        return error_set(err, STATUS_DENIED,
                         "series without a tenant label: this credential may not write the default "
                         "tenant \"%s\"",
                         tenant_table_default(resolver->table)->id.text);
    return STATUS_OK;
}

static enum status note_unknown(struct write_tenant *resolver, struct str name, struct error *err)
{
    TRY(tenant_id_parse(name, &resolver->unknown, err));
    return error_set(err, STATUS_NOT_FOUND, "tenant \"%s\": nobody has written to it",
                     resolver->unknown.text);
}

enum status write_tenant_find(struct write_tenant *resolver, struct str label_value,
                              struct tenant **out, struct error *err)
{
    struct str name;
    TRY(find_name(resolver, label_value, &name, err));
    *out = resolver->last;
    if (*out != NULL && str_eq(tenant_id_str(&(*out)->id), name))
        return STATUS_OK;
    TRY(check_granted(resolver, name, err));
    struct tenant **slot =
        &resolver->cache[hash_bytes(bytes_of_str(name)) % WRITE_TENANT_CACHE_SLOTS];
    if (*slot == NULL || !str_eq(tenant_id_str(&(*slot)->id), name)) {
        struct tenant *found = tenant_table_find(resolver->table, name);
        if (found == NULL)
            return note_unknown(resolver, name, err);
        *slot = found;
    }
    *out = resolver->last = *slot;
    return STATUS_OK;
}
