#include "tests/http/visit.h"

struct fixture fixture;
struct client client;

int visit_begin(void **state)
{
    (void)state;
    fixture_open(&fixture);
    client_open(&client, fixture.port);
    return 0;
}

int visit_end(void **state)
{
    (void)state;
    client_close(&client);
    fixture_close(&fixture);
    return 0;
}

struct str body_of(struct reply reply)
{
    return str_of_bytes(reply.body);
}

void expect_reply(const char *request, unsigned code, const char *body)
{
    struct reply reply = client_ask(&client, request);
    assert_int_equal(reply.code, code);
    if (body != NULL)
        expect_str(body_of(reply), body);
}
