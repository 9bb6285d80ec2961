/*
 * problem: a refusal in the envelope of the Prometheus API.
 *
 *     {"status":"error","errorType":"bad_data","error":"..."}
 */
#ifndef CROFT_HTTP_PROBLEM_H
#define CROFT_HTTP_PROBLEM_H

#include "http/exchange.h"

/* Ends the exchange. `type` is "bad_data" or the like. */
void problem_reply(struct exchange *exchange, unsigned code, const char *type, struct str text);

#endif
