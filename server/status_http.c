#include "server/status_http.h"

#include <stdlib.h>

#include "base/number.h"
#include "http/json.h"
#include "query/api/reply_http.h"
#include "query/api/request_scope_http.h"
#include "server/exposition.h"
#include "server/version.h"

enum { METRICS_REPLY_MAX_BYTES = 256 << 20, FORM_MAX_BYTES = 1 << 20 };

static void handle_healthy(void *context, struct exchange *exchange)
{
    (void)context;
    exchange_reply_text(exchange, 200, "Croft is Healthy.");
}

/* The server listens only when the store is open, so whoever gets an answer gets this one. */
static void handle_ready(void *context, struct exchange *exchange)
{
    (void)context;
    exchange_reply_text(exchange, 200, "Croft is Ready.");
}

static void handle_metrics(void *context, struct exchange *exchange)
{
    const struct status_api *api = context;
    struct buffer out;
    buffer_init(&out, METRICS_REPLY_MAX_BYTES);
    own_metrics_write(api->own_metrics, &out);
    exchange_reply_buffer(exchange, 200, EXPOSITION_CONTENT_TYPE, &out);
}

/* No key "features": Grafana then treats the server as a Prometheus with read-only rules. The
   version is that of the Prometheus API that is spoken, by which Grafana chooses what it may
   ask. */
static void handle_buildinfo(void *context, struct exchange *exchange)
{
    (void)context;
    static const struct {
        struct str key, value;
    } fields[] = {
        {{"version", 7}, {"3.0.0", 5}},
        {{"revision", 8}, {"croft-" CROFT_VERSION, sizeof "croft-" CROFT_VERSION - 1}},
        {{"branch", 6}, {"main", 4}},
        {{"buildUser", 9}, {"", 0}},
        {{"buildDate", 9}, {"", 0}},
        {{"goVersion", 9}, {"", 0}},
    };
    struct buffer out;
    struct json json;
    reply_begin(exchange, &json, &out);
    json_begin_object(&json);
    for (size_t i = 0; i < sizeof fields / sizeof *fields; i++) {
        json_key(&json, fields[i].key);
        json_string(&json, fields[i].value);
    }
    json_end_object(&json);
    reply_end(exchange, &json, NULL, NULL);
}

/* ---- metadata ---- */

/* Below 1 is no limit. */
static bool find_limit(struct exchange *exchange, const char *name, uint64_t *out)
{
    int64_t limit = 0;
    struct str text = exchange_param(exchange, name, NULL);
    if (text.len > 0 && !parse_i64(text, &limit)) {
        reply_error(exchange, API_BAD_DATA,
                    arena_format(exchange_arena(exchange), "%s must be a number", name));
        return false;
    }
    *out = limit > 0 ? (uint64_t)limit : 0;
    return true;
}

static int compare_metadata(const void *left, const void *right)
{
    const struct metric_metadata *a = left, *b = right;
    return str_compare(a->metric, b->metric);
}

/* Of all tenants that the request covers, sorted by metric; the list lives in the exchange. */
static size_t collect_metadata(const struct status_api *api, struct exchange *exchange,
                               const struct scope *scope, struct metric_metadata **out)
{
    struct arena *arena = exchange_arena(exchange);
    size_t tenant_count = tenant_table_count(api->tenants), total = 0;
    struct metric_metadata **lists = arena_alloc(arena, tenant_count * sizeof *lists);
    size_t *counts = arena_alloc_zeroed(arena, tenant_count * sizeof *counts);
    for (size_t i = 0; i < tenant_count; i++) {
        const struct tenant *tenant = tenant_table_at(api->tenants, i);
        if (!scope_covers(scope, &tenant->id))
            continue;
        metadata_list(api->metadata, tenant, arena, &lists[i], &counts[i]);
        total += counts[i];
    }
    *out = arena_alloc(arena, total * sizeof **out);
    size_t count = 0;
    for (size_t i = 0; i < tenant_count; i++) {
        for (size_t k = 0; k < counts[i]; k++)
            (*out)[count++] = lists[i][k];
    }
    if (count > 0)
        qsort(*out, count, sizeof **out, compare_metadata);
    return count;
}

static void write_entry(struct json *json, const struct metric_metadata *entry)
{
    json_begin_object(json);
    json_key(json, STR("type"));
    json_string(json, str_from(metric_type_text(entry->type)));
    json_key(json, STR("help"));
    json_string(json, entry->help);
    json_key(json, STR("unit"));
    json_string(json, entry->unit);
    json_end_object(json);
}

static bool is_same_entry(const struct metric_metadata *a, const struct metric_metadata *b)
{
    return a->type == b->type && str_eq(a->help, b->help) && str_eq(a->unit, b->unit);
}

/* The entries of one metric, which several tenants may know; each different one once. */
static void write_metric(struct json *json, const struct metric_metadata *entries, size_t count,
                         uint64_t per_metric_max)
{
    uint64_t written = 0;
    json_key(json, entries[0].metric);
    json_begin_array(json);
    for (size_t i = 0; i < count; i++) {
        bool is_repeated = false;
        for (size_t k = 0; k < i && !is_repeated; k++)
            is_repeated = is_same_entry(&entries[k], &entries[i]);
        if (is_repeated || (per_metric_max > 0 && written == per_metric_max))
            continue;
        write_entry(json, &entries[i]);
        written++;
    }
    json_end_array(json);
}

static void handle_metadata(void *context, struct exchange *exchange)
{
    const struct status_api *api = context;
    uint64_t limit, per_metric_max, metric_count = 0;
    struct scope scope;
    if (!find_limit(exchange, "limit", &limit) ||
        !find_limit(exchange, "limit_per_metric", &per_metric_max) ||
        !request_scope(exchange, &scope))
        return;
    exchange_charge_reply(exchange, api->memory, request_payer(exchange, &scope));
    struct str wanted = exchange_param(exchange, "metric", NULL);
    struct metric_metadata *entries;
    size_t count = collect_metadata(api, exchange, &scope, &entries);
    struct buffer out;
    struct json json;
    reply_begin(exchange, &json, &out);
    json_begin_object(&json);
    for (size_t from = 0; from < count && (limit == 0 || metric_count < limit);) {
        size_t to = from + 1;
        while (to < count && str_eq(entries[to].metric, entries[from].metric))
            to++;
        if (wanted.len == 0 || str_eq(wanted, entries[from].metric)) {
            write_metric(&json, &entries[from], to - from, per_metric_max);
            metric_count++;
        }
        from = to;
    }
    json_end_object(&json);
    reply_end(exchange, &json, NULL, NULL);
}

size_t status_api_routes(struct status_api *api, struct route *out)
{
    static const struct {
        unsigned methods;
        const char *pattern;
        route_handle handle;
        enum route_access access;
    } rows[] = {
        {HTTP_GET | HTTP_HEAD, "/-/healthy", handle_healthy, ROUTE_OPEN},
        {HTTP_GET | HTTP_HEAD, "/-/ready", handle_ready, ROUTE_OPEN},
        {HTTP_GET, "/metrics", handle_metrics, ROUTE_OPERATOR},
        {HTTP_GET | HTTP_POST, "/api/v1/status/buildinfo", handle_buildinfo, ROUTE_KNOWN},
        {HTTP_GET | HTTP_POST, "/api/v1/metadata", handle_metadata, ROUTE_READ},
    };
    size_t count = sizeof rows / sizeof *rows;
    _Static_assert(sizeof rows / sizeof *rows <= STATUS_API_ROUTES_MAX, "room for all rows");
    for (size_t i = 0; i < count; i++)
        out[i] = (struct route){.methods = rows[i].methods,
                                .pattern = rows[i].pattern,
                                .handle = rows[i].handle,
                                .context = api,
                                .body_max_bytes = FORM_MAX_BYTES,
                                .access = rows[i].access};
    return count;
}
