#include "tsdb/model/tenant_id.h"

#include "base/hash.h"
#include "tsdb/model/quote.h"

static bool is_allowed(char c)
{
    bool is_letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
    bool is_digit = c >= '0' && c <= '9';
    return is_letter || is_digit || (c != '\0' && strchr("!-_.*'()", c) != NULL);
}

/* Names that mean something to a file system, or to Mimir. */
static bool is_reserved(struct str text)
{
    return str_eq(text, STR(".")) || str_eq(text, STR("..")) ||
           str_eq(text, STR("__mimir_cluster"));
}

static enum status refuse(struct str text, const char *why, struct error *err)
{
    struct buffer quoted;
    buffer_init(&quoted, SIZE_MAX);
    append_quoted(&quoted, str_slice(text, 0, TENANT_ID_LEN_MAX));
    error_set(err, STATUS_INVALID, "tenant id: %s, got %.*s", why, STR_ARG(buffer_str(&quoted)));
    buffer_deinit(&quoted);
    return STATUS_INVALID;
}

enum status tenant_id_parse(struct str text, struct tenant_id *out, struct error *err)
{
    if (text.len == 0)
        return error_set(err, STATUS_INVALID, "tenant id: empty, want 1 to %d bytes",
                         TENANT_ID_LEN_MAX);
    if (text.len > TENANT_ID_LEN_MAX)
        return error_set(err, STATUS_INVALID, "tenant id: too long, got %zu bytes, want at most %d",
                         text.len, TENANT_ID_LEN_MAX);
    for (size_t i = 0; i < text.len; i++) {
        if (!is_allowed(text.ptr[i]))
            return refuse(text, "want only 0-9 A-Z a-z ! - _ . * ' ( )", err);
    }
    if (is_reserved(text))
        return refuse(text, "a reserved name", err);
    out->len = (uint8_t)text.len;
    memcpy(out->text, text.ptr, text.len);
    out->text[text.len] = '\0';
    return STATUS_OK;
}

uint32_t tenant_id_shard(const struct tenant_id *id, uint32_t shard_count)
{
    return (uint32_t)(hash_stable(bytes_of_str(tenant_id_str(id))) % shard_count);
}
