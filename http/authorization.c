#include "http/authorization.h"

#include <gnutls/gnutls.h>

#include "base/words.h"

/* Drops "Scheme " from the front; scheme names are case-insensitive. */
static bool take_scheme(struct str *value, struct str scheme)
{
    if (value->len <= scheme.len || !str_starts_with_caseless(*value, scheme) ||
        value->ptr[scheme.len] != ' ')
        return false;
    size_t at = scheme.len;
    while (at < value->len && value->ptr[at] == ' ')
        at++;
    *value = str_slice(*value, at, SIZE_MAX);
    return true;
}

static bool decode_base64(struct str text, struct arena *arena, struct str *out)
{
    gnutls_datum_t encoded = {.data = (unsigned char *)(uintptr_t)text.ptr,
                              .size = (unsigned)text.len};
    gnutls_datum_t decoded;
    if (text.len == 0 || gnutls_base64_decode2(&encoded, &decoded) != 0)
        return false;
    *out = arena_copy(arena, (struct str){(const char *)decoded.data, decoded.size});
    gnutls_memset(decoded.data, 0, decoded.size);
    gnutls_free(decoded.data);
    return true;
}

static bool read_basic(struct str text, struct arena *arena, struct authorization *out)
{
    struct str pair;
    if (!decode_base64(text, arena, &pair))
        return false;
    size_t colon = str_find(pair, ':', 0);
    out->has_user = true;
    out->user = str_slice(pair, 0, colon);
    out->secret = str_slice(pair, colon + 1, SIZE_MAX);
    return out->secret.len > 0;
}

enum status authorization_parse(struct str value, struct arena *arena, struct authorization *out,
                                struct error *err)
{
    *out = (struct authorization){0};
    if (value.len > AUTHORIZATION_LEN_MAX)
        return error_set(err, STATUS_INVALID, "Authorization: got %zu bytes, want at most %d",
                         value.len, AUTHORIZATION_LEN_MAX);
    if (take_scheme(&value, STR("Bearer"))) {
        out->secret = value;
        return STATUS_OK;
    }
    if (!take_scheme(&value, STR("Basic")))
        return error_set(err, STATUS_INVALID, "Authorization: want \"Bearer\" or \"Basic\"");
    if (!read_basic(value, arena, out))
        return error_set(err, STATUS_INVALID, "Authorization: want base64 of \"user:token\"");
    return STATUS_OK;
}
