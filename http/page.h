/*
 * page: what a browser tells about the web page that makes it call us.
 *
 * Any page may make a browser send requests, with whatever the browser knows: so what changes something
 * is refused to pages of other sites (Sec-Fetch-Site, or Origin from older browsers; other programs
 * send neither). And a page may have its own name lead to our address, after which it is no other
 * site (DNS rebinding): only a Host that nobody can have lead elsewhere shows that there is none.
 */
#ifndef CROFT_HTTP_PAGE_H
#define CROFT_HTTP_PAGE_H

#include <stdbool.h>

#include "base/bytes.h"

/* The values of three header fields, empty when there is none. */
struct page {
    struct str fetch_site; /* Sec-Fetch-Site */
    struct str origin;
    struct str host;
};

bool page_is_foreign(const struct page *page);
/* An address in digits or localhost, with or without a port. */
bool page_host_is_fixed(struct str host);

#endif
