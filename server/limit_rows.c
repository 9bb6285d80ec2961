#include "server/limit_rows.h"

struct limit_rows limit_rows_of(struct store *store, struct limit_layers *layers)
{
    struct limit_rows rows = {.store = store, .layers = layers};
    for (size_t i = 0; i < TENANT_LIMIT_COUNT; i++)
        rows.fallback[i] = TENANT_LIMIT_NONE;
    return rows;
}

/* The tenant's own may only be below the server's. */
static bool is_capped(enum tenant_limit limit)
{
    return limit == TENANT_LIMIT_QUERY_TIMEOUT || limit == TENANT_LIMIT_MAX_CONCURRENT_QUERIES;
}

static uint64_t hard_max(const struct limit_rows *rows, const struct tenant *tenant,
                         enum tenant_limit limit)
{
    uint64_t fallback = rows->fallback[limit];
    uint64_t max = tenant_limit_or(tenant, limit, fallback);
    if (is_capped(limit) && max > fallback)
        return fallback;
    if (limit == TENANT_LIMIT_OUT_OF_ORDER_WINDOW && max == TENANT_LIMIT_NONE)
        return hard_max(rows, tenant, TENANT_LIMIT_RETENTION);
    return max;
}

static void put_value(struct json *json, const char *key, enum tenant_limit limit, uint64_t value)
{
    enum tenant_limit_unit unit = tenant_limit_row(limit)->unit;
    json_key(json, str_from(key));
    if (value == TENANT_LIMIT_NONE)
        json_null(json);
    else if (unit == TENANT_LIMIT_SWITCH)
        json_bool(json, value == 1);
    else
        json_u64(json, unit == TENANT_LIMIT_DURATION ? value / 1000 : value);
}

static void put_if_any(struct json *json, const char *key, enum tenant_limit limit, uint64_t value)
{
    if (value != TENANT_LIMIT_NONE)
        put_value(json, key, limit, value);
}

static void put_count(struct json *json, const char *key, const struct counter *counter)
{
    json_key(json, str_from(key));
    json_u64(json, counter_get(counter));
}

static void write_row(const struct limit_rows *rows, const struct tenant *tenant,
                      enum tenant_limit limit, uint64_t usage, struct json *json)
{
    json_begin_object(json);
    put_value(json, "hard", limit, hard_max(rows, tenant, limit));
    put_if_any(json, "warnsBeyond", limit, tenant_limit_in(tenant, LIMIT_SOFT, limit));
    put_if_any(json, "dryRun", limit, tenant_limit_in(tenant, LIMIT_DRY_RUN, limit));
    put_if_any(json, "current", limit, usage);
    json_key(json, STR("source"));
    json_string(json, str_from(limit_layers_source(rows->layers, &tenant->id, limit)));
    put_count(json, "warnings", &tenant->limit_warnings[limit]);
    put_count(json, "wouldRefuse", &tenant->limit_would_refuse[limit]);
    json_end_object(json);
}

static void write_texts(const struct limit_rows *rows, const struct tenant *tenant,
                        struct json *json)
{
    struct tenant_texts texts;
    tenant_table_texts(store_tenants(rows->store), &tenant->id, &texts);
    for (enum tenant_text i = 0; i < TENANT_TEXT_COUNT; i++) {
        json_key(json, str_from(tenant_text_name(i)));
        json_begin_object(json);
        json_key(json, STR("value"));
        json_string(json, str_from(texts.of[i]));
        json_key(json, STR("source"));
        json_string(json, str_from(limit_layers_text_source(rows->layers, &tenant->id, i)));
        json_end_object(json);
    }
}

void limit_rows_write(const struct limit_rows *rows, const struct tenant *tenant, struct json *json)
{
    uint64_t usage[TENANT_LIMIT_COUNT];
    store_limit_usage(rows->store, tenant, usage);
    json_begin_object(json);
    for (enum tenant_limit limit = 0; limit < TENANT_LIMIT_COUNT; limit++) {
        json_key(json, str_from(tenant_limit_name(limit)));
        write_row(rows, tenant, limit, usage[limit], json);
    }
    write_texts(rows, tenant, json);
    json_end_object(json);
}
