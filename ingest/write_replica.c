#include "ingest/write_replica.h"

void write_replica_begin(struct write_replica *replica)
{
    replica->tenant = NULL;
    replica->named_by = NULL;
}

/* UINT32_MAX: there is none, or it is empty, which is the same. */
static uint32_t find_named(const struct write_replica *r, const struct label *labels,
                           uint32_t count, enum tenant_text which)
{
    struct str name = str_from(r->names.of[which]);
    for (uint32_t i = 0; i < count; i++) {
        if (str_eq(labels[i].name, name))
            return labels[i].value.len == 0 ? UINT32_MAX : i;
    }
    return UINT32_MAX;
}

static void ask(struct write_replica *r)
{
    struct ha_replica replica = {.cluster = r->cluster, .name = r->replica};
    struct ha_verdict verdict;
    enum status status = ha_tracker_check(r->tracker, r->tenant, replica, &verdict, &r->why);
    r->verdict = status == STATUS_INVALID ? REPLICA_INVALID
                 : status != STATUS_OK    ? REPLICA_REFUSE
                 : verdict.is_kept        ? REPLICA_KEEP
                                          : REPLICA_DROP;
    if (r->verdict == REPLICA_DROP)
        error_set(&r->why, STATUS_OK,
                  "tenant \"%s\": cluster \"%.*s\" is kept from replica \"%s\", not from \"%.*s\"",
                  r->tenant->id.text, STR_ARG(r->cluster), verdict.elected, STR_ARG(r->replica));
}

bool write_replica_concerns(const struct write_replica *r, const struct tenant *tenant)
{
    return r->tracker != NULL && tenant_limit(tenant, TENANT_LIMIT_ACCEPT_HA) == 1;
}

enum replica_verdict write_replica_check(struct write_replica *r, const struct tenant *tenant,
                                         struct label *labels, uint32_t *count)
{
    if (!write_replica_concerns(r, tenant))
        return REPLICA_KEEP;
    if (r->named_by != tenant)
        tenant_table_texts(r->tenants, &tenant->id, &r->names);
    r->named_by = tenant;
    uint32_t cluster = find_named(r, labels, *count, TENANT_TEXT_HA_CLUSTER_LABEL);
    uint32_t replica = find_named(r, labels, *count, TENANT_TEXT_HA_REPLICA_LABEL);
    if (cluster == UINT32_MAX || replica == UINT32_MAX)
        return REPLICA_KEEP;
    if (r->tenant != tenant || !str_eq(r->cluster, labels[cluster].value) ||
        !str_eq(r->replica, labels[replica].value)) {
        r->tenant = tenant;
        r->cluster = labels[cluster].value;
        r->replica = labels[replica].value;
        ask(r);
    }
    if (r->verdict == REPLICA_KEEP) {
        memmove(&labels[replica], &labels[replica + 1], (*count - replica - 1) * sizeof *labels);
        --*count;
    }
    return r->verdict;
}
