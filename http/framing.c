#include "http/framing.h"

#include <string.h>

#include "base/bytes.h"
#include "base/number.h"
#include "base/words.h"

/* What one pass over the fields tells. */
struct fields {
    size_t count;
    size_t size_bytes;
    size_t host_count;
    size_t length_count;
    size_t encoding_count;
    struct str length;
    struct str encoding;
    bool expects_continue;
    bool is_malformed;
};

/* The characters of a field name (RFC 9110, "tchar"). */
static bool is_token_char(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           (c != '\0' && strchr("!#$%&'*+-.^_`|~", c) != NULL);
}

/* libmicrohttpd 0.9.75 lets a blank before the colon pass as part of the name, and pastes the text
   of a folded line to the *name*: "Transfer-Encoding:\r\n chunked" shows as
   "Transfer-Encodingchunked". No honest name begins like that, nor like that of the tenant, who
   would be the default one for a caller that named another. */
static bool is_name_malformed(struct str name)
{
    const struct str telling[] = {STR(MHD_HTTP_HEADER_CONTENT_LENGTH),
                                  STR(MHD_HTTP_HEADER_TRANSFER_ENCODING), STR("X-Scope-OrgID")};
    for (size_t index = 0; index < sizeof telling / sizeof *telling; index++) {
        if (name.len > telling[index].len && str_starts_with_caseless(name, telling[index]))
            return true;
    }
    for (size_t at = 0; at < name.len; at++) {
        if (!is_token_char(name.ptr[at]))
            return true;
    }
    return false;
}

/* A bare CR ends a line for some readers. */
static bool is_value_malformed(struct str value)
{
    for (size_t at = 0; at < value.len; at++) {
        unsigned char c = (unsigned char)value.ptr[at];
        if ((c < 0x20 && c != '\t') || c == 0x7f)
            return true;
    }
    return false;
}

static void note(struct fields *fields, struct str name, struct str value)
{
    fields->count++;
    fields->size_bytes += name.len + value.len + STR(": \r\n").len;
    fields->is_malformed |= is_name_malformed(name) || is_value_malformed(value);
    if (str_eq_caseless(name, STR(MHD_HTTP_HEADER_HOST))) {
        fields->host_count++;
    } else if (str_eq_caseless(name, STR(MHD_HTTP_HEADER_CONTENT_LENGTH))) {
        fields->length_count++;
        fields->length = value;
    } else if (str_eq_caseless(name, STR(MHD_HTTP_HEADER_TRANSFER_ENCODING))) {
        fields->encoding_count++;
        fields->encoding = value;
    } else if (str_eq_caseless(name, STR(MHD_HTTP_HEADER_EXPECT))) {
        fields->expects_continue = true;
    }
}

static enum MHD_Result on_field(void *context, enum MHD_ValueKind kind, const char *name,
                                size_t name_len, const char *value, size_t value_len)
{
    (void)kind;
    note(context, (struct str){name, name_len}, (struct str){value, value_len});
    return MHD_YES;
}

/* Whoever stands between the client and us may have read it the other way, and what we take for the
   body may be his next request: anything but one length or "chunked" alone is refused. */
struct framing framing_of(struct MHD_Connection *connection, const char *version)
{
    struct fields fields = {0};
    MHD_get_connection_values_n(connection, MHD_HEADER_KIND, on_field, &fields);
    struct framing framing = {.field_count = fields.count,
                              .field_bytes = fields.size_bytes,
                              .expects_continue = fields.expects_continue,
                              .is_chunked = fields.encoding_count > 0,
                              .is_ambiguous = fields.is_malformed || fields.host_count > 1};
    if (framing.is_chunked)
        framing.is_ambiguous |= fields.encoding_count > 1 || fields.length_count > 0 ||
                                !str_eq_caseless(fields.encoding, STR("chunked")) ||
                                strcmp(version, MHD_HTTP_VERSION_1_1) != 0;
    else if (fields.length_count > 0)
        framing.is_ambiguous |=
            fields.length_count > 1 || !parse_u64(fields.length, &framing.length);
    return framing;
}
