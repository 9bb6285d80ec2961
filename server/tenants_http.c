#include "server/tenants_http.h"

#include "query/api/reply_http.h"
#include "query/api/request_scope_http.h"

enum { FORM_MAX_BYTES = 1 << 20 };

/* ---- words ---- */

static void put_u64(struct json *json, const char *key, uint64_t value)
{
    json_key(json, str_from(key));
    json_u64(json, value);
}

static void put_text(struct json *json, const char *key, struct str value)
{
    json_key(json, str_from(key));
    json_string(json, value);
}

/* 0 where there is none. */
static void put_limit(struct json *json, const char *key, const struct tenant *tenant,
                      enum tenant_limit limit)
{
    put_u64(json, key, tenant_limit_or(tenant, limit, 0));
}

/* ---- which tenants ---- */

/* The one that the path names. NULL: the reply is given; whether a tenant exists is told only to
   who may read it. */
static struct tenant *find_named(struct store *store, struct exchange *exchange)
{
    struct scope scope;
    struct tenant_id id;
    struct error err;
    if (!request_scope(exchange, &scope))
        return NULL;
    if (tenant_id_parse(exchange_capture(exchange), &id, &err) != STATUS_OK) {
        reply_error(exchange, API_BAD_DATA, str_from(err.text));
        return NULL;
    }
    if (!scope_covers(&scope, &id)) {
        reply_error(exchange, API_FORBIDDEN, STR("this credential may not read that tenant"));
        return NULL;
    }
    struct tenant *tenant = tenant_table_find(store_tenants(store), tenant_id_str(&id));
    if (tenant == NULL)
        reply_error(exchange, API_NOT_FOUND, STR("nobody has written for that tenant"));
    return tenant;
}

/* The only one of the request's scope, in `stranger` when it is not there yet; the default one
   where all are in it. */
static const struct tenant *find_single(struct store *store, struct exchange *exchange,
                                        struct tenant *stranger)
{
    struct scope scope;
    struct tenant_table *tenants = store_tenants(store);
    if (!request_scope(exchange, &scope))
        return NULL;
    if (scope.is_all)
        return tenant_table_default(tenants);
    if (scope.tenant_count != 1) {
        reply_error(exchange, API_BAD_DATA, STR("X-Scope-OrgID: want one tenant"));
        return NULL;
    }
    const struct tenant *tenant = tenant_table_find(tenants, tenant_id_str(&scope.tenants[0]));
    if (tenant == NULL)
        tenant_table_describe(tenants, &scope.tenants[0], stranger);
    return tenant == NULL ? stranger : tenant;
}

/* ---- tenants ---- */

static void put_usage(struct json *json, struct store *store, const struct tenant *tenant)
{
    struct tenant_usage usage;
    store_tenant_usage(store, tenant, &usage);
    put_text(json, "tenant", tenant_id_str(&tenant->id));
    put_u64(json, "activeSeries", counter_get(&tenant->active_series));
    put_u64(json, "maxSeries", tenant_limit_or(tenant, TENANT_LIMIT_MAX_SERIES, 0));
    put_u64(json, "seriesInMemory", usage.series);
    put_u64(json, "labelNames", usage.label_names);
    put_u64(json, "labelPairs", usage.label_pairs);
    put_u64(json, "seriesOfLargestMetric", usage.metric_series_max);
    put_u64(json, "valuesOfLargestLabel", usage.label_values_max);
    put_u64(json, "seriesBytes", usage.charged_bytes);
    put_u64(json, "samplesWritten", counter_get(&tenant->samples_written));
    put_u64(json, "samplesRejected", counter_get(&tenant->samples_refused));
}

static void handle_tenants(void *context, struct exchange *exchange)
{
    struct store *store = ((const struct limit_rows *)context)->store;
    struct tenant_table *table = store_tenants(store);
    struct scope scope;
    struct buffer out;
    struct json json;
    if (!request_scope(exchange, &scope))
        return;
    reply_begin(exchange, &json, &out);
    json_begin_array(&json);
    size_t count = tenant_table_count(table);
    for (size_t i = 0; i < count; i++) {
        const struct tenant *tenant = tenant_table_at(table, i);
        if (!scope_covers(&scope, &tenant->id))
            continue;
        json_begin_object(&json);
        put_usage(&json, store, tenant);
        json_end_object(&json);
    }
    json_end_array(&json);
    reply_end(exchange, &json, NULL, NULL);
}

static void put_top(struct json *json, const char *text_key, const char *count_key,
                    const struct top_text *top)
{
    put_text(json, text_key, top->text);
    put_u64(json, count_key, top->count);
}

static void put_top_metrics(struct json *json, const struct tenant_tops *tops)
{
    json_key(json, STR("topMetrics"));
    json_begin_array(json);
    for (size_t i = 0; i < tops->metric_count; i++) {
        json_begin_object(json);
        put_top(json, "metric", "series", &tops->metrics[i]);
        json_end_object(json);
    }
    json_end_array(json);
}

/* The largest, and all that have more values than the soft limit allows (as far
   as they are kept). */
static void put_top_labels(struct json *json, const struct tenant_tops *tops, uint64_t soft)
{
    enum { NAMES_SHOWN = 10 };
    json_key(json, STR("topLabels"));
    json_begin_array(json);
    for (size_t i = 0; i < tops->name_count; i++) {
        bool is_beyond = tops->names[i].count > soft;
        if (i >= NAMES_SHOWN && !is_beyond)
            break;
        json_begin_object(json);
        put_top(json, "label", "values", &tops->names[i]);
        json_key(json, STR("isBeyondSoftLimit"));
        json_bool(json, is_beyond);
        json_end_object(json);
    }
    json_end_array(json);
}

static void put_tops(struct json *json, struct arena *arena, struct store *store,
                     const struct tenant *tenant)
{
    struct tenant_tops tops;
    store_tenant_tops(store, tenant, arena, &tops);
    put_top_metrics(json, &tops);
    put_top_labels(json, &tops, tenant_limit_in(tenant, LIMIT_SOFT, TENANT_LIMIT_MAX_LABEL_VALUES));
}

static void handle_tenant(void *context, struct exchange *exchange)
{
    const struct limit_rows *limits = context;
    struct store *store = limits->store;
    const struct tenant *tenant = find_named(store, exchange);
    struct buffer out;
    struct json json;
    if (tenant == NULL)
        return;
    reply_begin(exchange, &json, &out);
    json_begin_object(&json);
    put_usage(&json, store, tenant);
    json_key(&json, STR("limits"));
    limit_rows_write(limits, tenant, &json);
    put_tops(&json, exchange_arena(exchange), store, tenant);
    json_end_object(&json);
    reply_end(exchange, &json, NULL, NULL);
}

static void put_last_refusal(struct json *json, const struct refusal *last)
{
    json_key(json, STR("lastAt"));
    json_seconds(json, last->at_ms);
    put_text(json, "lastError", str_from(last->why.text));
    if (last->metric[0] == '\0')
        return;
    put_text(json, "metric", str_from(last->metric));
    put_text(json, "label", str_from(last->label));
    put_u64(json, "newValues", last->value_count);
    json_key(json, STR("examples"));
    json_begin_array(json);
    for (size_t i = 0; i < REFUSAL_EXAMPLES_MAX && last->examples[i][0] != '\0'; i++)
        json_string(json, str_from(last->examples[i]));
    json_end_array(json);
}

static void handle_refusals(void *context, struct exchange *exchange)
{
    struct store *store = ((const struct limit_rows *)context)->store;
    const struct tenant *tenant = find_named(store, exchange);
    struct refusal last;
    struct buffer out;
    struct json json;
    if (tenant == NULL)
        return;
    reply_begin(exchange, &json, &out);
    json_begin_array(&json);
    for (enum refusal_reason reason = 0; reason < REFUSAL_COUNT; reason++) {
        uint64_t samples = counter_get(&tenant->samples_refused_for[reason]);
        if (samples == 0)
            continue;
        json_begin_object(&json);
        put_text(&json, "reason", str_from(refusal_reason_text(reason)));
        put_u64(&json, "samples", samples);
        if (store_last_refusal(store, tenant, reason, &last))
            put_last_refusal(&json, &last);
        json_end_object(&json);
    }
    json_end_array(&json);
    reply_end(exchange, &json, NULL, NULL);
}

/* As Mimir answers: flat, 0 for no limit. */
static void handle_user_limits(void *context, struct exchange *exchange)
{
    const struct limit_rows *limits = context;
    struct tenant stranger;
    const struct tenant *tenant = find_single(limits->store, exchange, &stranger);
    struct buffer out;
    struct json json;
    if (tenant == NULL)
        return;
    reply_begin_bare(exchange, &json, &out);
    put_u64(
        &json, "compactor_blocks_retention_period_seconds",
        tenant_limit_or(tenant, TENANT_LIMIT_RETENTION, limits->fallback[TENANT_LIMIT_RETENTION]) /
            1000);
    put_limit(&json, "ingestion_rate", tenant, TENANT_LIMIT_INGESTION_RATE);
    put_limit(&json, "ingestion_burst_size", tenant, TENANT_LIMIT_INGESTION_BURST);
    put_limit(&json, "max_global_series_per_user", tenant, TENANT_LIMIT_MAX_SERIES);
    put_limit(&json, "max_global_series_per_metric", tenant, TENANT_LIMIT_MAX_SERIES_PER_METRIC);
    put_u64(&json, "max_global_exemplars_per_user", 0);
    put_u64(&json, "max_fetched_chunks_per_query", 0);
    put_u64(&json, "max_fetched_series_per_query", 0);
    put_u64(&json, "max_fetched_chunk_bytes_per_query", 0);
    put_u64(&json, "ruler_max_rules_per_rule_group", 0);
    put_u64(&json, "ruler_max_rule_groups_per_tenant", 0);
    reply_end_bare(exchange, &json);
}

size_t tenants_api_routes(struct limit_rows *limits, struct route *out)
{
    static const struct {
        const char *pattern;
        route_handle handle;
    } rows[] = {
        {"/api/v1/tenants", handle_tenants},
        {"/api/v1/tenants/*", handle_tenant},
        {"/api/v1/tenants/*/rejections", handle_refusals},
        {"/api/v1/user_limits", handle_user_limits},
    };
    size_t count = sizeof rows / sizeof *rows;
    _Static_assert(sizeof rows / sizeof *rows <= TENANTS_API_ROUTES_MAX, "room for all rows");
    for (size_t i = 0; i < count; i++)
        out[i] = (struct route){.methods = HTTP_GET | HTTP_POST,
                                .pattern = rows[i].pattern,
                                .handle = rows[i].handle,
                                .context = limits,
                                .body_max_bytes = FORM_MAX_BYTES,
                                .access = ROUTE_READ};
    return count;
}
