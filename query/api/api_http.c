#include "query/api/api_http.h"

#include "base/log.h"
#include "query/api/api_impl.h"
#include "query/api/request_scope_http.h"
#include "query/syntax/parse.h"
#include "tsdb/store/store.h"

/* Grafana's metrics browser posts selectors of megabytes. */
enum { FORM_MAX_BYTES = 10 << 20 };

/* One row per endpoint; each is also served below /prometheus. */
static const struct endpoint {
    const char *pattern;
    void (*run)(struct api_call *call);
    bool has_timeout; /* a parameter; of the others the limit alone counts */
} endpoints[] = {
    {"/api/v1/query", api_query, true},
    {"/api/v1/query_range", api_query_range, true},
    {"/api/v1/query_exemplars", api_query_exemplars, false},
    {"/api/v1/format_query", api_format_query, false},
    {"/api/v1/parse_query", api_parse_query, false},
    {"/api/v1/series", api_series, false},
    {"/api/v1/labels", api_label_names, false},
    {"/api/v1/label/*/values", api_label_values, false},
    {"/api/v1/status/tsdb", api_status_tsdb, false},
    {"/api/v1/cardinality/label_names", api_cardinality_names, false},
    {"/api/v1/cardinality/label_values", api_cardinality_values, false},
    {"/api/v1/cardinality/active_series", api_active_series, false},
    {"/api/v1/rules", api_rules, false},
    {"/api/v1/alerts", api_alerts, false},
    {"/api/v1/targets", api_targets, false},
    {"/api/v1/targets/metadata", api_targets_metadata, false},
    {"/api/v1/scrape_pools", api_scrape_pools, false},
    {"/api/v1/alertmanagers", api_alertmanagers, false},
    {"/api/v1/status/config", api_status_config, false},
    {"/api/v1/status/flags", api_status_flags, false},
};

_Static_assert(sizeof endpoints / sizeof *endpoints <= QUERY_API_ROUTES_MAX, "room for all routes");

/* ---- parameters ---- */

bool api_time(struct api_call *call, const char *name, int64_t fallback_ms, int64_t *out)
{
    struct error err;
    bool is_present;
    struct str text = exchange_param(call->exchange, name, &is_present);
    *out = fallback_ms;
    if (!is_present || text.len == 0 || param_time_ms(text, out, &err) == STATUS_OK)
        return true;
    struct error named;
    error_set(&named, STATUS_INVALID, "invalid time value for '%s': %s", name, err.text);
    reply_bad_param(call->exchange, name, &named);
    return false;
}

bool api_limit(struct api_call *call, uint64_t *out)
{
    struct error err;
    bool is_present;
    struct str text = exchange_param(call->exchange, "limit", &is_present);
    *out = 0;
    if (!is_present || text.len == 0 || param_limit(text, out, &err) == STATUS_OK)
        return true;
    reply_bad_param(call->exchange, "limit", &err);
    return false;
}

enum status api_selector_parse(struct api_call *call, struct str text, struct api_selector *out,
                               struct error *err)
{
    return parse_selector(text, exchange_arena(call->exchange), &out->matchers, &out->count, err);
}

enum status api_selectors(struct api_call *call, struct api_selector **out, size_t *count,
                          struct error *err)
{
    struct str *texts;
    size_t text_count = exchange_params(call->exchange, "match[]", &texts);
    *count = 0;
    if (text_count > API_MATCHERS_MAX)
        return error_set(err, STATUS_INVALID, "too many match[] parameters");
    *out = arena_alloc(exchange_arena(call->exchange), text_count * sizeof **out);
    for (size_t i = 0; i < text_count; i++) {
        struct api_selector *selector = &(*out)[i];
        enum status status = api_selector_parse(call, texts[i], selector, err);
        if (status != STATUS_OK) {
            api_selectors_deinit(*out, *count);
            return status;
        }
        (*count)++;
    }
    return STATUS_OK;
}

void api_selectors_deinit(struct api_selector *selectors, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        for (size_t k = 0; k < selectors[i].count; k++)
            matcher_deinit(&selectors[i].matchers[k]);
    }
}

/* When the call has taken all that the limit lets it. */
static uint64_t limit_ns(const struct api_call *call)
{
    return call->started_ns + (uint64_t)call->timeout_max_ms * 1000000;
}

void api_fail(struct api_call *call, enum status status, const struct error *err)
{
    if (status == STATUS_IO || status == STATUS_CORRUPT) {
        counter_add(&call->api->counters.failures, 1);
        log_error("query: %s", err->text);
    }
    struct str text = str_from(err->text);
    if (status == STATUS_TIMEOUT && call->job.base.deadline_ns == limit_ns(call))
        text = arena_format(exchange_arena(call->exchange),
                            "%s: limit query_timeout is %g s (err-croft-query-timeout)", err->text,
                            (double)call->timeout_max_ms / 1000);
    reply_error(call->exchange, api_error_of(status), text);
}

/* What its tenants may take, lowered by the parameter "timeout" where there is one. */
static bool find_deadline(struct api_call *call, bool has_timeout)
{
    struct error err;
    bool is_present;
    uint64_t *deadline_ns = &call->job.base.deadline_ns;
    call->timeout_max_ms = (int64_t)api_tenant_limit(call, TENANT_LIMIT_QUERY_TIMEOUT,
                                                     (uint64_t)call->api->timeout_ms);
    *deadline_ns = limit_ns(call);
    if (!has_timeout)
        return true;
    struct str text = exchange_param(call->exchange, "timeout", &is_present);
    if (is_present && text.len > 0) {
        int64_t wanted_ms;
        if (param_duration_ms(text, &wanted_ms, &err) != STATUS_OK) {
            reply_bad_param(call->exchange, "timeout", &err);
            return false;
        }
        if (wanted_ms < call->timeout_max_ms)
            *deadline_ns = call->started_ns + (wanted_ms > 0 ? (uint64_t)wanted_ms * 1000000 : 0);
    }
    return true;
}

/* ---- the way to a query thread ---- */

void api_watch_client(void *context)
{
    struct api_call *call = context;
    if (exchange_is_abandoned(call->exchange))
        flag_set(&call->is_abandoned);
}

/* Whether a call is still worth going on with. */
static enum status check_call(void *context, struct error *err)
{
    struct api_call *call = context;
    api_watch_client(call);
    if (flag_is_set(&call->is_abandoned))
        return error_set(err, STATUS_CANCELLED, "query was canceled in query execution");
    if (clock_monotonic_ns(call->api->engine->clock) >= call->job.base.deadline_ns)
        return error_set(err, STATUS_TIMEOUT, "query timed out in query execution");
    return STATUS_OK;
}

enum status api_yield(struct api_call *call, struct error *err)
{
    TRY(check_call(call, err));
    TRY(charge_check(call->charge, err));
    return turn_yield(call->turn, clock_monotonic_ns(call->api->engine->clock), err);
}

static enum status yield_selecting(void *call, struct error *err)
{
    return api_yield(call, err);
}

struct select_options api_select_options(struct api_call *call, const struct api_selector *selector)
{
    const struct query_api *api = call->api;
    struct select_options options = {
        .scope = &call->scope,
        .min_ts_ms = INT64_MIN,
        .max_ts_ms = INT64_MAX,
        .series_max = api->series_max,
        .memory_max_bytes =
            api_tenant_limit(call, TENANT_LIMIT_MAX_QUERY_BYTES, api->engine->memory_max_bytes),
        .charge = call->charge,
        .check = yield_selecting,
        .check_context = call,
    };
    if (selector != NULL) {
        options.matchers = selector->matchers;
        options.matcher_count = selector->count;
    }
    return options;
}

/* Replies, which ends the exchange and `call` with it. */
static void answer_in_turn(struct api_call *call)
{
    struct error err;
    enum status status = turn_take(call->turn, &err);
    if (status == STATUS_OK)
        call->run(call);
    else
        api_fail(call, status, &err);
}

/* Counts the call for its payer, and notes what it makes of the payer's calls. */
static void open_call(const struct api_call *call)
{
    if (call->payer == NULL)
        return;
    counter_add(&call->payer->open_queries, 1);
    api_note_part(call, TENANT_LIMIT_MAX_CONCURRENT_QUERIES,
                  counter_get(&call->payer->open_queries));
}

static void close_call(struct tenant *payer)
{
    if (payer != NULL)
        counter_sub(&payer->open_queries, 1);
}

static void run_call(struct lanes_job *job)
{
    struct api_call *call = (struct api_call *)job;
    struct query_api *api = call->api;
    struct tenant *payer = call->payer;
    uint64_t started_ns = call->started_ns;
    struct turn_options options = {
        .payer = call->payer_id,
        .cpu_ns = payer == NULL ? NULL : &payer->query_cpu_ns,
        .check = check_call,
        .context = call,
    };
    struct charge charge;
    struct arena arena;
    struct turn turn;
    charge_init(&charge, api->memory, call->payer_id);
    exchange_charge_reply(call->exchange, api->memory, call->payer_id);
    arena_init(&arena, SIZE_MAX);
    arena.charge = &charge;
    turn_init(&turn, api->turns, &options);
    call->charge = &charge;
    call->arena = &arena;
    call->turn = &turn;
    answer_in_turn(call);
    arena_deinit(&arena); /* which takes its time, when it has become large */
    turn_deinit(&turn);
    charge_deinit(&charge);
    close_call(payer);
    counter_add(&api->counters.duration_ns, clock_monotonic_ns(api->engine->clock) - started_ns);
}

/* Begins as Prometheus says it, where queries wait for as long. */
static void refuse_call(struct lanes_job *job)
{
    struct api_call *call = (struct api_call *)job;
    counter_add(&call->api->counters.refused, 1);
    close_call(call->payer);
    exchange_reply_header(call->exchange, "Retry-After", "1");
    reply_error(call->exchange, API_TIMEOUT,
                STR("query timed out in query queue: others of the same tenant ran, as many as "
                    "limit max_concurrent_queries lets (err-croft-max-concurrent-queries)"));
}

static bool is_call_abandoned(struct lanes_job *job)
{
    return exchange_is_abandoned(((struct api_call *)job)->exchange);
}

static void find_payer(struct api_call *call)
{
    call->payer_id = request_payer(call->exchange, &call->scope);
    if (!scope_is_federated(&call->scope))
        call->payer = tenant_table_find(store_tenants(call->api->engine->store), call->payer_id);
}

uint64_t api_tenant_limit(const struct api_call *call, enum tenant_limit limit, uint64_t most)
{
    struct tenant_table *tenants = store_tenants(call->api->engine->store);
    const struct scope *scope = &call->scope;
    uint64_t smallest = most;
    if (scope->is_all) {
        uint64_t own = tenant_limit(tenant_table_default(tenants), limit);
        return own < most ? own : most;
    }
    for (size_t i = 0; i < scope->tenant_count; i++) {
        uint64_t own = tenant_table_limit(tenants, &scope->tenants[i], limit);
        if (own < smallest)
            smallest = own;
    }
    return smallest;
}

void api_note_part(const struct api_call *call, enum tenant_limit limit, uint64_t usage)
{
    if (call->payer != NULL)
        tenant_note_part(call->payer, limit, usage, clock_monotonic_ms(call->api->engine->clock));
}

static void hand_over(void *context, struct exchange *exchange)
{
    const struct query_api_route *route = context;
    struct query_api *api = route->api;
    struct api_call *call = arena_alloc_zeroed(exchange_arena(exchange), sizeof *call);
    call->job = (struct lanes_job){
        .run = run_call, .refuse = refuse_call, .is_abandoned = is_call_abandoned};
    call->api = api;
    call->exchange = exchange;
    call->run = route->run;
    call->started_ns = clock_monotonic_ns(api->engine->clock);
    if (!request_scope(exchange, &call->scope) || !find_deadline(call, route->has_timeout))
        return;
    find_payer(call);
    uint64_t running_max = api_tenant_limit(call, TENANT_LIMIT_MAX_CONCURRENT_QUERIES, SIZE_MAX);
    call->job.base.lane_running_max = running_max == SIZE_MAX ? 0 : (size_t)running_max;
    counter_add(&api->counters.queries, 1);
    open_call(call);
    if (!lanes_try_submit(api->lanes, &call->job, call->payer_id)) {
        close_call(call->payer);
        counter_add(&api->counters.refused, 1);
        reply_error(exchange, API_TOO_MANY,
                    STR("too many outstanding requests: as many of the same tenant wait as may, "
                        "try again later (err-croft-query-queue)"));
    }
}

size_t query_api_routes(struct query_api *api, struct route *out)
{
    size_t count = sizeof endpoints / sizeof *endpoints;
    for (size_t i = 0; i < count; i++) {
        api->routes[i] = (struct query_api_route){
            .api = api, .run = endpoints[i].run, .has_timeout = endpoints[i].has_timeout};
        out[i] = (struct route){.methods = HTTP_GET | HTTP_POST,
                                .pattern = endpoints[i].pattern,
                                .handle = hand_over,
                                .context = &api->routes[i],
                                .body_max_bytes = FORM_MAX_BYTES,
                                .access = ROUTE_READ};
    }
    return count;
}
