#include "server/admin_http.h"

/* Lives in the exchange's arena, so until the reply. */
struct admin_request {
    struct settle_request base;
    struct exchange *exchange;
};

static unsigned code_of(enum status status)
{
    return status == STATUS_CANCELLED || status == STATUS_UNAVAILABLE ? 503 : 500;
}

static void reply(struct settle_request *settled, enum status status, const struct error *err)
{
    struct exchange *exchange = ((struct admin_request *)settled)->exchange;
    if (status == STATUS_OK)
        exchange_reply_empty(exchange);
    else
        exchange_reply_text(exchange, code_of(status), "%s", err->text);
}

static void handle(const struct admin_api *api, struct exchange *exchange, enum settle_kind kind)
{
    struct admin_request *request = arena_alloc(exchange_arena(exchange), sizeof *request);
    *request = (struct admin_request){.base = {.kind = kind, .done = reply}, .exchange = exchange};
    compactor_request(api->compactor, &request->base);
}

static void handle_flush(void *context, struct exchange *exchange)
{
    handle(context, exchange, SETTLE_FLUSH);
}

static void handle_compact(void *context, struct exchange *exchange)
{
    handle(context, exchange, SETTLE_COMPACT);
}

static void handle_clean(void *context, struct exchange *exchange)
{
    handle(context, exchange, SETTLE_CLEAN);
}

void admin_api_routes(struct admin_api *api, struct route *out)
{
    out[0] = (struct route){.methods = HTTP_POST | HTTP_PUT,
                            .pattern = "/api/v1/admin/tsdb/flush",
                            .handle = handle_flush,
                            .context = api,
                            .access = ROUTE_ADMIN};
    out[1] = (struct route){.methods = HTTP_POST | HTTP_PUT,
                            .pattern = "/api/v1/admin/tsdb/compact",
                            .handle = handle_compact,
                            .context = api,
                            .access = ROUTE_ADMIN};
    out[2] = (struct route){.methods = HTTP_POST | HTTP_PUT,
                            .pattern = "/api/v1/admin/tsdb/clean_tombstones",
                            .handle = handle_clean,
                            .context = api,
                            .access = ROUTE_ADMIN};
}
