#include "http/problem.h"

#include "http/json.h"

void problem_reply(struct exchange *exchange, unsigned code, const char *type, struct str text)
{
    struct buffer out;
    struct json json;
    buffer_init(&out, SIZE_MAX);
    json_init(&json, &out);
    json_begin_object(&json);
    json_key(&json, STR("status"));
    json_string(&json, STR("error"));
    json_key(&json, STR("errorType"));
    json_string(&json, str_from(type));
    json_key(&json, STR("error"));
    json_string(&json, text);
    json_end_object(&json);
    exchange_reply_buffer(exchange, code, "application/json", &out);
}
