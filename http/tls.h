/*
 * tls: the server's certificate and key, and whom it trusts among clients.
 *
 * TLS 1.2 and 1.3. All can be exchanged while the server runs: connections made from then on see
 * the new certificate, and all connections are held to the new client CAs at their next request.
 *
 * Ownership: names of files are borrowed.
 * Threads:   any.
 */
#ifndef CROFT_HTTP_TLS_H
#define CROFT_HTTP_TLS_H

#include <stdbool.h>

#include "base/status.h"

struct tls;

/* PEM files. */
struct tls_files {
    const char *certificate; /* the server's own first, then those up to a root */
    const char *key;
    const char *client_ca; /* may be NULL; else a client has to show a certificate that one of these
                              has signed */
};

/* STATUS_INVALID: a file cannot be read or holds something else, or the key is not that of the
   certificate. */
MUST_USE enum status tls_open(const struct tls_files *files, struct tls **out, struct error *err);
/* No server may use it any more. NULL is fine. */
void tls_close(struct tls *tls);
/* Reads all again, perhaps from other files, which are regular ones: it waits for nobody. Whether
   clients have to show a certificate stays as it was. On failure everything does. */
MUST_USE enum status tls_reload(struct tls *tls, const struct tls_files *files, struct error *err);

#endif
