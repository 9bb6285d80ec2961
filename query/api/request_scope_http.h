/*
 * request_scope_http: the tenants that a read request covers.
 *
 * Those that the caller's credential may read (without credentials: all), narrowed by the header
 * X-Scope-OrgID, which names one or several ("a|b"). A tenant outside of the grant is refused.
 */
#ifndef CROFT_QUERY_REQUEST_SCOPE_HTTP_H
#define CROFT_QUERY_REQUEST_SCOPE_HTTP_H

#include "http/exchange.h"
#include "tsdb/model/scope.h"

/* Lives in the exchange. False: the header is not valid or asks for too much, and the reply is
   given. */
MUST_USE bool request_scope(struct exchange *exchange, struct scope *out);
/* Who pays for the read: the one tenant, or for several the caller's credential, which is never a
   tenant's id. Valid as long as both. */
struct str request_payer(struct exchange *exchange, const struct scope *scope);

#endif
