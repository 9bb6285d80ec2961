/*
 * api_fixture: the read endpoints over a real HTTP server and the real store on a simulated disk,
 * with samples of two tenants.
 */
#ifndef CROFT_TESTS_QUERY_API_FIXTURE_H
#define CROFT_TESTS_QUERY_API_FIXTURE_H

#include "http/server.h"
#include "query/api/api_http.h"
#include "tests/http/client.h"
#include "tests/support/store_box.h"

enum { CLOSE_TIMEOUT_MS = 30000, QUEUE_MAX = 4, SERIES_MAX = 5 };

struct fixture {
    struct store_box box;
    struct engine engine;
    struct query_api api;
    struct route routes[QUERY_API_ROUTES_MAX];
    struct http_server *server;
    struct client client;
};

void fixture_open(struct fixture *f);
void fixture_close(struct fixture *f);

/* Times of samples are seconds before BOX_START_MS, which is now. */
void put(struct fixture *f, const char *tenant, const char *series, int64_t ago_s, double value);

struct reply ask(struct fixture *f, const char *method, const char *path, const char *headers,
                 const char *form);
/* `what` is shown when it is another one. */
void check_reply(const char *what, const struct reply *reply, unsigned code, const char *want);
void expect_reply(struct fixture *f, const char *headers, const char *path, unsigned code,
                  const char *want);

#define TENANT_A     "X-Scope-OrgID: a\r\n"
#define DATA(json)   "{\"status\":\"success\",\"data\":" json "}"
#define VECTOR(json) DATA("{\"resultType\":\"vector\",\"result\":[" json "]}")
#define MATRIX(json) DATA("{\"resultType\":\"matrix\",\"result\":[" json "]}")
#define FAILURE(type, text)                                                                        \
    "{\"status\":\"error\",\"errorType\":\"" type "\",\"error\":\"" text "\"}"
#define BAD(text)             FAILURE("bad_data", text)
#define BAD_PARAM(name, text) BAD("invalid parameter \\\"" name "\\\": " text)
#define CUT_SHORT             "\"warnings\":[\"results truncated due to limit\"]"

#endif
