/*
 * web_origin: what a browser tells about the web page that makes it call us.
 *
 * Any page may make a browser send requests, with whatever the browser knows: so what changes
 * something is refused to pages of other sites (Sec-Fetch-Site, or Origin from older browsers;
 * other programs send neither). And a page may have its own name lead to our address, after which
 * it is no other site (DNS rebinding): only a Host that nobody can have lead elsewhere shows that
 * there is none.
 */
#ifndef CROFT_HTTP_WEB_ORIGIN_H
#define CROFT_HTTP_WEB_ORIGIN_H

#include <stdbool.h>

#include "base/bytes.h"

/* The values of three header fields, empty when there is none. */
struct web_origin {
    struct str fetch_site; /* Sec-Fetch-Site */
    struct str origin;
    struct str host;
};

bool web_origin_is_foreign(const struct web_origin *page);
/* An address in digits or localhost, with or without a port. */
bool web_origin_host_is_fixed(struct str host);

#endif
