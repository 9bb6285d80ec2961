#include "ingest/write_media_type.h"

#include "base/words.h"

#define MEDIA_TYPE STR("application/x-protobuf")
#define WANT_TYPE  "application/x-protobuf, with proto=prometheus.WriteRequest or without"
#define PROTO_1    STR("prometheus.WriteRequest")
#define PROTO_2    STR("io.prometheus.write.v2.Request")

/* Of header text shown in an error. */
enum { SHOWN_LEN_MAX = 100, PARAMETER_LEN_MAX = 128 };

/* A parameter's value with quotes and escapes undone. */
struct parameter {
    struct str name;
    char value[PARAMETER_LEN_MAX];
    size_t value_len;
};

static bool is_token_char(char c)
{
    bool is_letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
    return is_letter || is_digit(c) || (c != '\0' && strchr("!#$%&'*+-.^_`|~", c) != NULL);
}

static size_t token_len(struct str text)
{
    size_t len = 0;
    while (len < text.len && is_token_char(text.ptr[len]))
        len++;
    return len;
}

static bool append_value(struct parameter *parameter, char c)
{
    if (parameter->value_len == sizeof parameter->value)
        return false;
    parameter->value[parameter->value_len++] = c;
    return true;
}

/* "..." with backslash escapes; returns its length in `text`, 0 when it does not end or is too
 * long. */
static size_t read_quoted(struct str text, struct parameter *parameter)
{
    for (size_t at = 1; at < text.len; at++) {
        if (text.ptr[at] == '"')
            return at + 1;
        if (text.ptr[at] == '\\' && ++at == text.len)
            return 0;
        if (!append_value(parameter, text.ptr[at]))
            return 0;
    }
    return 0;
}

static size_t read_token(struct str text, struct parameter *parameter)
{
    size_t len = token_len(text);
    for (size_t i = 0; i < len; i++) {
        if (!append_value(parameter, text.ptr[i]))
            return 0;
    }
    return len;
}

/* name=value at the start of `rest`, which moves behind it. */
static bool read_parameter(struct str *rest, struct parameter *parameter)
{
    size_t name_len = token_len(*rest);
    *parameter = (struct parameter){.name = {rest->ptr, name_len}};
    if (name_len == 0 || name_len == rest->len || rest->ptr[name_len] != '=')
        return false;
    struct str value = str_slice(*rest, name_len + 1, rest->len);
    size_t len = value.len > 0 && value.ptr[0] == '"' ? read_quoted(value, parameter)
                                                      : read_token(value, parameter);
    *rest = str_slice(value, len, value.len);
    return len > 0;
}

static bool read_proto(const struct parameter *parameter, enum write_protocol *out)
{
    struct str value = {parameter->value, parameter->value_len};
    if (!str_eq(value, PROTO_1) && !str_eq(value, PROTO_2))
        return false;
    *out = str_eq(value, PROTO_1) ? WRITE_PROTOCOL_1 : WRITE_PROTOCOL_2;
    return true;
}

/* *( OWS ";" OWS [ parameter ] ); parameters other than proto mean nothing here. */
static bool read_parameters(struct str rest, enum write_protocol *out)
{
    for (rest = str_trim(rest); rest.len > 0; rest = str_trim(rest)) {
        struct parameter parameter;
        if (rest.ptr[0] != ';')
            return false;
        rest = str_trim(str_slice(rest, 1, rest.len));
        if (rest.len == 0 || rest.ptr[0] == ';')
            continue;
        if (!read_parameter(&rest, &parameter))
            return false;
        if (str_eq_caseless(parameter.name, STR("proto")) && !read_proto(&parameter, out))
            return false;
    }
    return true;
}

enum status write_protocol_parse(struct str content_type, enum write_protocol *out,
                                 struct error *err)
{
    struct str text = str_trim(content_type);
    size_t end = str_find(text, ';', 0);
    *out = WRITE_PROTOCOL_1;
    if (text.len == 0)
        return STATUS_OK;
    if (str_eq_caseless(str_trim(str_slice(text, 0, end)), MEDIA_TYPE) &&
        read_parameters(str_slice(text, end, text.len), out))
        return STATUS_OK;
    return error_set(err, STATUS_INVALID, "Content-Type: got %.*s, want " WANT_TYPE,
                     STR_ARG(str_slice(text, 0, SHOWN_LEN_MAX)));
}

enum status write_encoding_check(struct str content_encoding, struct error *err)
{
    struct str text = str_trim(content_encoding);
    if (text.len == 0 || str_eq_caseless(text, STR("snappy")))
        return STATUS_OK;
    return error_set(err, STATUS_INVALID, "Content-Encoding: got %.*s, want snappy",
                     STR_ARG(str_slice(text, 0, SHOWN_LEN_MAX)));
}
