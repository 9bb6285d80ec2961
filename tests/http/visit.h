/*
 * visit: a server and a connection to it, both new for each case of a test: VISIT instead of RUN.
 */
#ifndef CROFT_TESTS_HTTP_VISIT_H
#define CROFT_TESTS_HTTP_VISIT_H

#include "tests/http/client.h"
#include "tests/http/fixture.h"
#include "tests/support/test.h"

#define HOST        "Host: croft\r\n"
#define GET(target) "GET " target " HTTP/1.1\r\n" HOST "\r\n"

extern struct fixture fixture;
extern struct client client;

int visit_begin(void **state);
int visit_end(void **state);
#define VISIT(name) cmocka_unit_test_setup_teardown(name, visit_begin, visit_end)

struct str body_of(struct reply reply);
/* Sends `request` on the connection and compares the reply; `body` may be NULL. */
void expect_reply(const char *request, unsigned code, const char *body);

#endif
