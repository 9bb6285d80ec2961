/*
 * tls_impl: what the server tells libmicrohttpd of a tls.
 */
#ifndef CROFT_HTTP_TLS_IMPL_H
#define CROFT_HTTP_TLS_IMPL_H

#include <microhttpd.h>

#include "http/tls.h"

/* Certificate, priorities, end. */
enum { TLS_ITEMS = 3 };

/* The daemon's options; none without a tls. Its connections have a peer as their socket context. */
void tls_items(const struct tls *tls, struct MHD_OptionItem items[TLS_ITEMS]);
/* Whether the client has shown the certificate that it needs to have, if any. `roots_number`: by
   which of its roots the connection was trusted last, 0 before; it is looked at anew only when they
   have been exchanged since. */
bool tls_trusts(struct tls *tls, struct MHD_Connection *connection, uint64_t *roots_number);

#endif
