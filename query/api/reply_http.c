#include "query/api/reply_http.h"

#include "http/problem.h"

static const struct {
    const char *name;
    unsigned code;
} kinds[] = {
    [API_BAD_DATA] = {"bad_data", 400},       [API_UNAUTHORIZED] = {"unauthorized", 401},
    [API_FORBIDDEN] = {"forbidden", 403},     [API_NOT_FOUND] = {"not_found", 404},
    [API_EXECUTION] = {"execution", 422},     [API_TOO_MANY] = {"too_many_requests", 429},
    [API_TIMEOUT] = {"timeout", 503},         [API_CANCELED] = {"canceled", 499},
    [API_UNAVAILABLE] = {"unavailable", 503}, [API_INTERNAL] = {"internal", 500},
};

static const char json_type[] = "application/json";

enum api_error api_error_of(enum status status)
{
    switch (status) {
    case STATUS_INVALID:
        return API_BAD_DATA;
    case STATUS_DENIED:
        return API_FORBIDDEN;
    case STATUS_LIMIT:
        return API_EXECUTION;
    case STATUS_TIMEOUT:
        return API_TIMEOUT;
    case STATUS_CANCELLED:
        return API_CANCELED;
    case STATUS_UNAVAILABLE:
        return API_UNAVAILABLE;
    case STATUS_OK:
    case STATUS_NOT_FOUND:
    case STATUS_IO:
    case STATUS_CORRUPT:
        break;
    }
    return API_INTERNAL;
}

void reply_error(struct exchange *exchange, enum api_error kind, struct str text)
{
    if (kind == API_UNAVAILABLE || kind == API_TOO_MANY)
        exchange_reply_header(exchange, "Retry-After", "1");
    problem_reply(exchange, kinds[kind].code, kinds[kind].name, text);
}

void reply_bad_param(struct exchange *exchange, const char *name, const struct error *err)
{
    struct str text =
        arena_format(exchange_arena(exchange), "invalid parameter \"%s\": %s", name, err->text);
    reply_error(exchange, API_BAD_DATA, text);
}

void reply_open(struct json *json, struct buffer *out)
{
    json_init(json, out);
    json_begin_object(json);
    json_key(json, STR("status"));
    json_string(json, STR("success"));
    json_key(json, STR("data"));
}

static void init_text(struct exchange *exchange, struct buffer *out)
{
    buffer_init(out, REPLY_MAX_BYTES);
    out->charge = exchange_reply_charge(exchange);
}

void reply_begin(struct exchange *exchange, struct json *json, struct buffer *out)
{
    init_text(exchange, out);
    reply_open(json, out);
}

void reply_begin_bare(struct exchange *exchange, struct json *json, struct buffer *out)
{
    init_text(exchange, out);
    json_init(json, out);
    json_begin_object(json);
}

static void add_notes(struct exchange *exchange, struct json *json, struct str key,
                      const struct notes *notes)
{
    if (notes == NULL || notes->count == 0)
        return;
    json_key(json, key);
    json_begin_array(json);
    for (size_t i = 0; i < notes->count && i < REPLY_NOTES_MAX; i++)
        json_string(json, notes->ptr[i]);
    if (notes->count > REPLY_NOTES_MAX)
        json_string(json, arena_format(exchange_arena(exchange), "%zu more %.*s omitted",
                                       notes->count - REPLY_NOTES_MAX, STR_ARG(key)));
    json_end_array(json);
}

void reply_close(struct exchange *exchange, struct json *json, const struct notes *warnings,
                 const struct notes *infos)
{
    add_notes(exchange, json, STR("warnings"), warnings);
    add_notes(exchange, json, STR("infos"), infos);
    json_end_object(json);
}

/* Takes `out`. */
static void send(struct exchange *exchange, struct buffer *out)
{
    struct error err;
    if (!out->is_overflown) {
        exchange_reply_buffer(exchange, 200, json_type, out);
        return;
    }
    enum status status = reply_overflow(exchange, out->is_refused, &err);
    buffer_deinit(out);
    reply_error(exchange, api_error_of(status), str_from(err.text));
}

void reply_end(struct exchange *exchange, struct json *json, const struct notes *warnings,
               const struct notes *infos)
{
    reply_close(exchange, json, warnings, infos);
    send(exchange, json->out);
}

void reply_end_bare(struct exchange *exchange, struct json *json)
{
    json_end_object(json);
    send(exchange, json->out);
}

enum status reply_overflow(struct exchange *exchange, bool is_refused, struct error *err)
{
    if (is_refused)
        return charge_refusal(exchange_reply_charge(exchange), err);
    return error_set(err, STATUS_LIMIT, "the result is larger than 1 GiB");
}

void reply_labels(struct json *json, struct labels labels)
{
    json_begin_object(json);
    for (size_t i = 0; i < labels.count; i++) {
        json_key(json, labels.ptr[i].name);
        json_string(json, labels.ptr[i].value);
    }
    json_end_object(json);
}
