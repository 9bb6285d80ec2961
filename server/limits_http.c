#include "server/limits_http.h"

#include "base/log.h"
#include "http/params.h"
#include "query/api/reply_http.h"

enum { BODY_MAX_BYTES = 64 << 10, LOGGED_BYTES_MAX = 800 };

/* Lives in the exchange's arena, so until the reply. */
struct limits_call {
    struct pool_job job;
    const struct limits_api *api;
    struct exchange *exchange;
    struct tenant_id id;
    struct tenant_limits limits; /* of PUT */
};

static void reply_limits(struct limits_call *call)
{
    struct tenant_limits limits = limit_layers_get(call->api->layers, &call->id);
    struct buffer out;
    struct json json;
    reply_begin(call->exchange, &json, &out);
    limit_text_write(&json, &limits);
    reply_end(call->exchange, &json, NULL, NULL);
}

static void log_change(const struct limits_call *call, bool is_delete)
{
    struct buffer text;
    struct json json;
    buffer_init(&text, SIZE_MAX);
    json_init(&json, &text);
    limit_text_write(&json, &call->limits);
    struct str shown = str_slice(buffer_str(&text), 0, LOGGED_BYTES_MAX);
    log_info("limits of tenant \"%s\" %s at run time: %.*s", call->id.text,
             is_delete ? "no longer set" : "set", STR_ARG(shown));
    buffer_deinit(&text);
}

static void fail(const struct limits_call *call, enum status status, const struct error *err)
{
    enum api_error kind = status == STATUS_NOT_FOUND ? API_NOT_FOUND : api_error_of(status);
    reply_error(call->exchange, kind, str_from(err->text));
}

static void run_change(struct pool_job *job)
{
    struct limits_call *call = (struct limits_call *)job;
    bool is_delete = exchange_method(call->exchange) == HTTP_DELETE;
    struct error err;
    enum status status =
        limit_layers_set(call->api->layers, &call->id, is_delete ? NULL : &call->limits, &err);
    if (status != STATUS_OK) {
        fail(call, status, &err);
        return;
    }
    log_change(call, is_delete);
    reply_limits(call);
}

/* Of a form, which is what curl says of a body unless it is told, nothing is left to read. */
static enum status check_no_form(const struct exchange *exchange, struct error *err)
{
    struct str type = exchange_header(exchange, "Content-Type", NULL);
    if (!params_is_form(type))
        return STATUS_OK;
    return error_set(err, STATUS_INVALID, "Content-Type: got %.*s, want application/json",
                     STR_ARG(str_slice(type, 0, 100)));
}

static enum status read_limits(struct limits_call *call, struct error *err)
{
    TRY(check_no_form(call->exchange, err));
    return limit_text_read(str_of_bytes(exchange_body(call->exchange)), "limits", &call->limits,
                           err);
}

static enum status read_call(struct limits_call *call, struct error *err)
{
    TRY(tenant_id_parse(exchange_capture(call->exchange), &call->id, err));
    call->limits = tenant_limits_kept();
    if (exchange_method(call->exchange) == HTTP_PUT)
        return read_limits(call, err);
    return STATUS_OK;
}

static void handle(void *context, struct exchange *exchange)
{
    struct limits_call *call = arena_alloc_zeroed(exchange_arena(exchange), sizeof *call);
    struct error err;
    call->job.run = run_change;
    call->api = context;
    call->exchange = exchange;
    enum status status = read_call(call, &err);
    if (status != STATUS_OK)
        fail(call, status, &err);
    else if (exchange_method(exchange) == HTTP_GET)
        reply_limits(call);
    else if (!pool_try_submit(call->api->pool, &call->job))
        reply_error(exchange, API_UNAVAILABLE, STR("too many changes are waiting"));
}

void limits_api_routes(struct limits_api *api, struct route *out)
{
    out[0] = (struct route){.methods = HTTP_GET | HTTP_PUT | HTTP_DELETE,
                            .pattern = "/api/v1/admin/tenants/*/limits",
                            .handle = handle,
                            .context = api,
                            .body_max_bytes = BODY_MAX_BYTES,
                            .access = ROUTE_ADMIN};
}
