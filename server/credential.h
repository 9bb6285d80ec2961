/*
 * credential: who may do what, and the gate of the HTTP server that asks.
 *
 * A caller shows a token, as a bearer token or as the password of basic auth; what is stored of it
 * is its SHA-256. Every request is compared with all credentials, in a time that does not depend on
 * which of them fits or whether one does.
 *
 * Threads: the gate may be asked while the credentials are replaced: from then on requests meet the
 *          new ones; what was granted before lives until its requests end.
 */
#ifndef CROFT_SERVER_CREDENTIAL_H
#define CROFT_SERVER_CREDENTIAL_H

#include "base/clock.h"
#include "base/counter.h"
#include "base/sha256.h"
#include "http/gate.h"
#include "tsdb/model/grant.h"

struct credential {
    struct str name;     /* for people */
    struct sha256 token; /* of the token's text */
    struct str user;     /* of basic auth */
    struct grant grant;  /* tenants sorted and unique */
};

struct credentials_counters {
    struct counter unknown; /* requests without a credential or with a wrong one: 401 */
    struct counter denied;  /* requests that their credential does not allow: 403 */
    struct counter slowed;  /* requests after too many wrong tokens of the same address: 429 */
    struct counter foreign; /* requests that a web page of another site made a browser send: 403 */
};

struct credentials;

/* Lets nobody in. `clock` is kept. */
struct credentials *credentials_new(const struct clock *clock);
/* No exchange may be under way. NULL is fine. */
void credentials_free(struct credentials *credentials);

/* From now on these hold; copied. */
void credentials_replace(struct credentials *credentials, const struct credential *list,
                         size_t count);
/* From now on everybody may do everything; with `checks_host` only under a name that no page can
   have lead here (http/web_origin.h). */
void credentials_open_to_all(struct credentials *credentials, bool checks_host);

/* Valid as long as `credentials`. */
struct gate credentials_gate(struct credentials *credentials);
const struct credentials_counters *credentials_counters(const struct credentials *credentials);

#endif
