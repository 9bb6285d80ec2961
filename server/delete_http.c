#include "server/delete_http.h"

#include "http/json.h"
#include "query/api/param.h"
#include "query/api/reply_http.h"
#include "query/api/request_scope_http.h"
#include "query/syntax/parse.h"
#include "tsdb/model/grant.h"

enum { BODY_MAX_BYTES = 1 << 20, SELECTORS_MAX = 1000, STATUS_MAX_BYTES = 1024 };

struct selector {
    struct matcher *matchers;
    size_t count;
};

/* Lives in the exchange's arena, so until the reply. */
struct delete_call {
    struct pool_job job;
    struct delete_api *api;
    struct exchange *exchange;
    struct scope scope;
    struct selector *selectors;
    size_t selector_count;
    int64_t min_ts_ms;
    int64_t max_ts_ms;
    bool is_tenant; /* all of it */
};

/* ---- who may ---- */

static bool may_write(const struct grant *grant, const struct scope *scope)
{
    if (grant == NULL || grant->write.is_all)
        return true;
    for (size_t i = 0; i < scope->tenant_count; i++) {
        if (!scope_covers(&grant->write, &scope->tenants[i]))
            return false;
    }
    return !scope->is_all;
}

/* False: the reply is given. */
static bool read_scope(struct delete_call *call)
{
    if (!request_scope(call->exchange, &call->scope))
        return false;
    if (may_write(exchange_grant(call->exchange), &call->scope))
        return true;
    reply_error(call->exchange, API_FORBIDDEN,
                STR("this credential may not write all tenants of the request"));
    return false;
}

/* ---- parameters; false: the reply is given ---- */

static bool read_time(struct exchange *exchange, const char *name, int64_t fallback_ms,
                      int64_t *out)
{
    struct error err, named;
    struct str text = exchange_param(exchange, name, NULL);
    *out = fallback_ms;
    if (text.len == 0 || param_time_ms(text, out, &err) == STATUS_OK)
        return true;
    error_set(&named, STATUS_INVALID, "invalid time value for '%s': %s", name, err.text);
    reply_bad_param(exchange, name, &named);
    return false;
}

static void deinit_selectors(struct delete_call *call)
{
    for (size_t i = 0; i < call->selector_count; i++) {
        for (size_t k = 0; k < call->selectors[i].count; k++)
            matcher_deinit(&call->selectors[i].matchers[k]);
    }
    call->selector_count = 0;
}

static bool read_selector_texts(struct delete_call *call, struct str **texts, size_t *count)
{
    *count = exchange_params(call->exchange, "match[]", texts);
    if (*count > 0 && *count <= SELECTORS_MAX)
        return true;
    reply_error(call->exchange, API_BAD_DATA,
                *count == 0 ? STR("no match[] parameter provided")
                            : STR("too many match[] parameters"));
    return false;
}

static bool read_selectors(struct delete_call *call, const struct str *texts, size_t count)
{
    struct error err;
    struct arena *arena = exchange_arena(call->exchange);
    call->selectors = arena_alloc(arena, count * sizeof *call->selectors);
    for (size_t i = 0; i < count; i++) {
        struct selector *selector = &call->selectors[i];
        if (parse_selector(texts[i], arena, &selector->matchers, &selector->count, &err) !=
            STATUS_OK) {
            deinit_selectors(call);
            reply_bad_param(call->exchange, "match[]", &err);
            return false;
        }
        call->selector_count++;
    }
    return true;
}

/* ---- on the deleting thread ---- */

static enum status delete_all(struct delete_call *call, struct error *err)
{
    for (size_t i = 0; i < call->selector_count; i++) {
        const struct delete_request request = {.scope = &call->scope,
                                               .matchers = call->selectors[i].matchers,
                                               .matcher_count = call->selectors[i].count,
                                               .min_ts_ms = call->min_ts_ms,
                                               .max_ts_ms = call->max_ts_ms};
        TRY(store_delete(call->api->store, &request, err));
    }
    return STATUS_OK;
}

static void run_call(struct pool_job *job)
{
    struct delete_call *call = (struct delete_call *)job;
    struct error err;
    enum status status = delete_all(call, &err);
    deinit_selectors(call);
    if (status != STATUS_OK)
        reply_error(call->exchange, api_error_of(status), str_from(err.text));
    else if (call->is_tenant)
        exchange_reply(call->exchange, 200, "text/plain", STR(""));
    else
        exchange_reply_empty(call->exchange);
}

static void submit(struct delete_call *call)
{
    if (pool_try_submit(call->api->pool, &call->job))
        return;
    deinit_selectors(call);
    reply_error(call->exchange, API_UNAVAILABLE,
                STR("too many deletions wait, or the server is stopping"));
}

static struct delete_call *new_call(void *context, struct exchange *exchange)
{
    struct delete_call *call = arena_alloc(exchange_arena(exchange), sizeof *call);
    *call = (struct delete_call){.job = {.run = run_call},
                                 .api = context,
                                 .exchange = exchange,
                                 .min_ts_ms = INT64_MIN,
                                 .max_ts_ms = INT64_MAX};
    return call;
}

/* ---- endpoints ---- */

static void handle_series(void *context, struct exchange *exchange)
{
    struct delete_call *call = new_call(context, exchange);
    struct str *texts;
    size_t count;
    if (read_scope(call) && read_selector_texts(call, &texts, &count) &&
        read_time(exchange, "start", INT64_MIN, &call->min_ts_ms) &&
        read_time(exchange, "end", INT64_MAX, &call->max_ts_ms) &&
        read_selectors(call, texts, count))
        submit(call);
}

/* One tenant, and named: a missing header must not mean everybody. */
static bool read_tenant(struct delete_call *call)
{
    bool is_named;
    exchange_header(call->exchange, "X-Scope-OrgID", &is_named);
    if (!read_scope(call))
        return false;
    if (is_named && call->scope.tenant_count == 1)
        return true;
    reply_error(call->exchange, API_BAD_DATA, STR("X-Scope-OrgID: want the id of one tenant"));
    return false;
}

static void handle_tenant(void *context, struct exchange *exchange)
{
    struct delete_call *call = new_call(context, exchange);
    if (!read_tenant(call))
        return;
    call->is_tenant = true;
    call->selectors = arena_alloc_zeroed(exchange_arena(exchange), sizeof *call->selectors);
    call->selector_count = 1;
    submit(call);
}

static void handle_tenant_status(void *context, struct exchange *exchange)
{
    struct delete_call *call = new_call(context, exchange);
    struct store *store = call->api->store;
    if (!read_tenant(call))
        return;
    struct str id = tenant_id_str(&call->scope.tenants[0]);
    const struct tenant *tenant = tenant_table_find(store_tenants(store), id);
    struct buffer body;
    struct json json;
    buffer_init(&body, STATUS_MAX_BYTES);
    json_init(&json, &body);
    json_begin_object(&json);
    json_key(&json, STR("tenant_id"));
    json_string(&json, id);
    json_key(&json, STR("blocks_deleted"));
    json_bool(&json, tenant == NULL || !store_has_blocks_of(store, tenant));
    json_end_object(&json);
    exchange_reply_buffer(exchange, 200, "application/json", &body);
}

void delete_api_routes(struct delete_api *api, struct route *out)
{
    out[0] = (struct route){.methods = HTTP_POST | HTTP_PUT,
                            .pattern = "/api/v1/admin/tsdb/delete_series",
                            .handle = handle_series,
                            .context = api,
                            .body_max_bytes = BODY_MAX_BYTES,
                            .access = ROUTE_ADMIN};
    out[1] = (struct route){.methods = HTTP_POST,
                            .pattern = "/compactor/delete_tenant",
                            .handle = handle_tenant,
                            .context = api,
                            .access = ROUTE_ADMIN};
    out[2] = (struct route){.methods = HTTP_GET,
                            .pattern = "/compactor/delete_tenant_status",
                            .handle = handle_tenant_status,
                            .context = api,
                            .access = ROUTE_ADMIN};
}
