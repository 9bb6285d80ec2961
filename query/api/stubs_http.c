/*
 * Endpoints of what Croft does not have: they answer with success and nothing, because Grafana
 * switches features off, or shows errors, when they fail.
 */
#include "query/api/api_impl.h"

#include "query/syntax/parse.h"

/* "name":[],... */
static void write_empty_lists(struct json *json, const struct str *names, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        json_key(json, names[i]);
        json_begin_array(json);
        json_end_array(json);
    }
}

/* {"name":[],...} */
static void reply_empty_lists(struct api_call *call, const struct str *names, size_t count)
{
    struct buffer out;
    struct json json;
    reply_begin(call->exchange, &json, &out);
    json_begin_object(&json);
    write_empty_lists(&json, names, count);
    json_end_object(&json);
    reply_end(call->exchange, &json, NULL, NULL);
}

void api_rules(struct api_call *call)
{
    reply_empty_lists(call, &STR("groups"), 1);
}

void api_alerts(struct api_call *call)
{
    reply_empty_lists(call, &STR("alerts"), 1);
}

void api_scrape_pools(struct api_call *call)
{
    reply_empty_lists(call, &STR("scrapePools"), 1);
}

void api_targets(struct api_call *call)
{
    static const struct str names[] = {{"activeTargets", 13}, {"droppedTargets", 14}};
    struct buffer out;
    struct json json;
    reply_begin(call->exchange, &json, &out);
    json_begin_object(&json);
    write_empty_lists(&json, names, 2);
    json_key(&json, STR("droppedTargetCounts"));
    json_begin_object(&json);
    json_end_object(&json);
    json_end_object(&json);
    reply_end(call->exchange, &json, NULL, NULL);
}

void api_status_flags(struct api_call *call)
{
    reply_empty_lists(call, NULL, 0);
}

/* What Mimir answers. */
void api_status_config(struct api_call *call)
{
    struct buffer out;
    struct json json;
    reply_begin(call->exchange, &json, &out);
    json_begin_object(&json);
    json_key(&json, STR("yaml"));
    json_string(&json, STR(""));
    json_end_object(&json);
    reply_end(call->exchange, &json, NULL, NULL);
}

void api_alertmanagers(struct api_call *call)
{
    static const struct str names[] = {{"activeAlertmanagers", 19}, {"droppedAlertmanagers", 20}};
    reply_empty_lists(call, names, 2);
}

/* [] */
static void reply_empty_list(struct api_call *call)
{
    struct buffer out;
    struct json json;
    reply_begin(call->exchange, &json, &out);
    json_begin_array(&json);
    json_end_array(&json);
    reply_end(call->exchange, &json, NULL, NULL);
}

void api_targets_metadata(struct api_call *call)
{
    reply_empty_list(call);
}

/* Grafana asks with query=test whether exemplars exist at all: success means the toggle works. */
void api_query_exemplars(struct api_call *call)
{
    struct error err;
    struct expr *expr;
    int64_t start_ms, end_ms;
    if (!api_time(call, "start", INT64_MIN, &start_ms) ||
        !api_time(call, "end", INT64_MAX, &end_ms))
        return;
    if (end_ms < start_ms) {
        reply_error(call->exchange, API_BAD_DATA,
                    STR("end timestamp must not be before start timestamp"));
        return;
    }
    struct parse_options parse = {.allows_experimental = call->api->engine->allows_experimental};
    if (parse_expr(exchange_param(call->exchange, "query", NULL), &parse, call->arena, &expr,
                   &err) != STATUS_OK) {
        reply_error(call->exchange, API_BAD_DATA, str_from(err.text));
        return;
    }
    ast_deinit(expr);
    reply_empty_list(call);
}
