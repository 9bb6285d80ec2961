#include "server/routes_http.h"

#include "http/json.h"
#include "query/api/reply_http.h"

static const struct {
    enum http_method method;
    struct str name;
} methods[] = {{HTTP_GET, {"GET", 3}},
               {HTTP_POST, {"POST", 4}},
               {HTTP_PUT, {"PUT", 3}},
               {HTTP_DELETE, {"DELETE", 6}}};

static const char *const accesses[] = {
    [ROUTE_ADMIN] = "admin", [ROUTE_OPERATOR] = "operator", [ROUTE_READ] = "read",
    [ROUTE_WRITE] = "write", [ROUTE_KNOWN] = "known",       [ROUTE_OPEN] = "open",
};

static void write_route(struct json *json, const struct route *route)
{
    json_begin_object(json);
    json_key(json, STR("methods"));
    json_begin_array(json);
    for (size_t i = 0; i < sizeof methods / sizeof *methods; i++) {
        if ((route->methods & methods[i].method) != 0)
            json_string(json, methods[i].name);
    }
    json_end_array(json);
    json_key(json, STR("pattern"));
    json_string(json, str_from(route->pattern));
    json_key(json, STR("access"));
    json_string(json, str_from(accesses[route->access]));
    json_end_object(json);
}

static void handle_routes(void *context, struct exchange *exchange)
{
    const struct routes_api *api = context;
    struct buffer out;
    struct json json;
    reply_begin(exchange, &json, &out);
    json_begin_array(&json);
    for (size_t i = 0; i < *api->route_count; i++)
        write_route(&json, &api->routes[i]);
    json_end_array(&json);
    reply_end(exchange, &json, NULL, NULL);
}

struct route routes_api_route(const struct routes_api *api)
{
    return (struct route){.methods = HTTP_GET,
                          .pattern = "/api/v1/admin/routes",
                          .handle = handle_routes,
                          .context = (void *)(uintptr_t)api,
                          .access = ROUTE_ADMIN};
}
