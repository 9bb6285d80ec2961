#include "http/web_origin.h"

#include <arpa/inet.h>

#include "base/words.h"

/* "https://name:port" -> "name:port"; empty for "null". */
static struct str authority_of(struct str origin)
{
    size_t at = str_find(origin, ':', 0);
    if (at + 3 > origin.len || !str_starts_with(str_slice(origin, at, origin.len), STR("://")))
        return STR("");
    return str_slice(origin, at + 3, origin.len - at - 3);
}

bool web_origin_is_foreign(const struct web_origin *from)
{
    if (from->fetch_site.len > 0)
        return !str_eq_caseless(from->fetch_site, STR("same-origin")) &&
               !str_eq_caseless(from->fetch_site, STR("none"));
    return from->origin.len > 0 && !str_eq_caseless(authority_of(from->origin), from->host);
}

/* Without the port, and without the brackets of an IPv6 address. */
static struct str name_of(struct str host)
{
    size_t end = str_find(host, ']', 0);
    if (host.len > 0 && host.ptr[0] == '[')
        return end < host.len ? str_slice(host, 1, end - 1) : STR("");
    return str_slice(host, 0, str_find(host, ':', 0));
}

bool web_origin_host_is_fixed(struct str host)
{
    char text[INET6_ADDRSTRLEN];
    unsigned char address[sizeof(struct in6_addr)];
    struct str name = name_of(host);
    if (str_eq_caseless(name, STR("localhost")))
        return true;
    if (name.len == 0 || name.len >= sizeof text)
        return false;
    memcpy(text, name.ptr, name.len);
    text[name.len] = '\0';
    return inet_pton(AF_INET, text, address) == 1 || inet_pton(AF_INET6, text, address) == 1;
}
