/*
 * /api/v1/query, /api/v1/query_range.
 */
#include "query/api/api_impl.h"

#include "base/number.h"
#include "http/reply_body.h"

/* Of a double without an exponent: base/number.h. */
enum { SCALAR_TEXT_MAX = 327 };

static bool find_lookback(struct api_call *call, int64_t *out_ms)
{
    struct error err;
    bool is_present;
    struct str text = exchange_param(call->exchange, "lookback_delta", &is_present);
    *out_ms = 0;
    if (!is_present || text.len == 0 || param_duration_ms(text, out_ms, &err) == STATUS_OK)
        return true;
    reply_error(call->exchange, API_BAD_DATA,
                arena_format(exchange_arena(call->exchange),
                             "error parsing lookback delta duration: %s", err.text));
    return false;
}

/* Replies when the text is longer than the tenant's may be. */
static bool check_text(struct api_call *call, struct str text)
{
    uint64_t max = api_tenant_limit(call, TENANT_LIMIT_MAX_QUERY_LEN, UINT64_MAX);
    api_note_part(call, TENANT_LIMIT_MAX_QUERY_LEN, text.len);
    if (text.len <= max)
        return true;
    reply_error(call->exchange, API_BAD_DATA,
                arena_format(exchange_arena(call->exchange),
                             "query: got %zu bytes, limit max_query_expression_size_bytes is %llu "
                             "(err-croft-max-query-expression-size-bytes)",
                             text.len, (unsigned long long)max));
    return false;
}

static bool prepare(struct api_call *call, struct query_options *options, uint64_t *limit)
{
    *options = (struct query_options){.text = exchange_param(call->exchange, "query", NULL),
                                      .scope = &call->scope};
    if (!check_text(call, options->text) || !find_lookback(call, &options->lookback_ms) ||
        !api_limit(call, limit))
        return false;
    options->deadline_ns = call->job.base.deadline_ns;
    options->charge = call->charge;
    options->turn = call->turn;
    return true;
}

/* ---- result ---- */

static void write_point(struct json *json, struct sample point)
{
    json_begin_array(json);
    json_seconds(json, point.ts_ms);
    json_sample_value(json, point.value);
    json_end_array(json);
}

/* Scalars and strings look a little different from points: Prometheus leaves them to Go's encoder
   of JSON, so that fractions of seconds end where they end and values have no exponent. */
static void write_single_seconds(struct json *json, int64_t ts_ms)
{
    json_f64(json, (double)ts_ms / 1000);
}

static void write_scalar(struct json *json, struct sample scalar)
{
    struct buffer text;
    buffer_init(&text, SCALAR_TEXT_MAX);
    append_f64_plain(&text, scalar.value);
    json_begin_array(json);
    write_single_seconds(json, scalar.ts_ms);
    json_string(json, buffer_str(&text));
    json_end_array(json);
    buffer_deinit(&text);
}

static void write_string(struct json *json, int64_t ts_ms, struct str text)
{
    json_begin_array(json);
    write_single_seconds(json, ts_ms);
    json_string(json, text);
    json_end_array(json);
}

static void write_series(struct json *json, const struct result_series *series, bool is_matrix)
{
    json_begin_object(json);
    json_key(json, STR("metric"));
    reply_labels(json, series->labels);
    json_key(json, is_matrix ? STR("values") : STR("value"));
    if (is_matrix)
        json_begin_array(json);
    for (size_t i = 0; i < series->point_count; i++)
        write_point(json, series->points[i]);
    if (is_matrix)
        json_end_array(json);
    json_end_object(json);
}

static void write_result(struct json *json, const struct query_result *result)
{
    switch (result->type) {
    case VALUE_SCALAR:
        write_scalar(json, result->scalar);
        return;
    case VALUE_STRING:
        write_string(json, result->scalar.ts_ms, result->string);
        return;
    case VALUE_VECTOR:
    case VALUE_MATRIX:
        break;
    }
    json_begin_array(json);
    for (size_t i = 0; i < result->series_count; i++)
        write_series(json, &result->series[i], result->type == VALUE_MATRIX);
    json_end_array(json);
}

/* Members of the object "data". */
static void write_data(struct json *json, const struct query_result *result)
{
    static const struct str names[] = {[VALUE_SCALAR] = {"scalar", 6},
                                       [VALUE_VECTOR] = {"vector", 6},
                                       [VALUE_MATRIX] = {"matrix", 6},
                                       [VALUE_STRING] = {"string", 6}};
    json_key(json, STR("resultType"));
    json_string(json, names[result->type]);
    json_key(json, STR("result"));
    write_result(json, result);
}

static void write_stats(struct json *json, const struct api_call *call,
                        const struct query_result *result)
{
    uint64_t spent_ns = clock_monotonic_ns(call->api->engine->clock) - call->started_ns;
    double spent_s = (double)spent_ns / 1e9;
    static const struct str timings[] = {{"evalTotalTime", 13},        {"resultSortTime", 14},
                                         {"queryPreparationTime", 20}, {"innerEvalTime", 13},
                                         {"execQueueTime", 13},        {"execTotalTime", 13}};
    json_key(json, STR("stats"));
    json_begin_object(json);
    json_key(json, STR("timings"));
    json_begin_object(json);
    for (size_t i = 0; i < sizeof timings / sizeof *timings; i++) {
        bool is_total = i == 0 || i == 3 || i == 5;
        json_key(json, timings[i]);
        json_f64(json, is_total ? spent_s : 0);
    }
    json_end_object(json);
    json_key(json, STR("samples"));
    json_begin_object(json);
    json_key(json, STR("totalQueryableSamples"));
    json_u64(json, result->samples_total);
    json_key(json, STR("peakSamples"));
    json_u64(json, result->samples_peak);
    json_end_object(json);
    json_end_object(json);
}

static void warn_of_limit(struct api_call *call, struct query_result *result)
{
    struct str *texts =
        arena_alloc(exchange_arena(call->exchange), (result->warnings.count + 1) * sizeof *texts);
    for (size_t i = 0; i < result->warnings.count; i++)
        texts[i] = result->warnings.ptr[i];
    texts[result->warnings.count] = STR("results truncated due to limit");
    result->warnings = (struct notes){texts, result->warnings.count + 1};
}

static void cut_to_limit(struct api_call *call, struct query_result *result, uint64_t limit)
{
    if (limit == 0 || result->series_count <= limit)
        return;
    result->series_count = (size_t)limit;
    warn_of_limit(call, result);
}

static void reply_result(struct api_call *call, const struct query_result *result)
{
    struct buffer out;
    struct json json;
    reply_begin(call->exchange, &json, &out);
    json_begin_object(&json);
    write_data(&json, result);
    if (exchange_param(call->exchange, "stats", NULL).len > 0)
        write_stats(&json, call, result);
    json_end_object(&json);
    reply_end(call->exchange, &json, &result->warnings, &result->infos);
}

static enum status evaluate(struct api_call *call, struct query_options *options,
                            struct query_result *result, struct error *err)
{
    TRY(api_yield(call, err));
    options->cancel = &call->is_abandoned;
    options->watch = api_watch_client;
    options->watch_context = call;
    /* the tenant's limits are never wider than the server's */
    struct engine engine = *call->api->engine;
    engine.samples_max = api_tenant_limit(call, TENANT_LIMIT_MAX_QUERY_SAMPLES, engine.samples_max);
    engine.memory_max_bytes =
        api_tenant_limit(call, TENANT_LIMIT_MAX_QUERY_BYTES, engine.memory_max_bytes);
    enum status status = engine_query(&engine, options, call->arena, result, err);
    api_note_part(call, TENANT_LIMIT_MAX_QUERY_SAMPLES, result->samples_peak);
    api_note_part(call, TENANT_LIMIT_MAX_QUERY_BYTES, result->memory_peak_bytes);
    api_note_part(call, TENANT_LIMIT_QUERY_TIMEOUT,
                  (clock_monotonic_ns(engine.clock) - call->started_ns) / 1000000);
    counter_add(&call->api->counters.samples, result->samples_total);
    if (call->payer != NULL)
        counter_add(&call->payer->query_samples, result->samples_total);
    return status;
}

static void fail(struct api_call *call, enum status status, const struct error *err)
{
    if (status == STATUS_INVALID)
        reply_bad_param(call->exchange, "query", err);
    else
        api_fail(call, status, err);
}

static void answer_instant(struct api_call *call, struct query_options *options, uint64_t limit)
{
    struct error err;
    struct query_result result = {0};
    enum status status = evaluate(call, options, &result, &err);
    if (status != STATUS_OK) {
        fail(call, status, &err);
        return;
    }
    cut_to_limit(call, &result, limit);
    reply_result(call, &result);
}

/* ---- range: series by series ---- */

#define TOO_LARGE STR("the result is larger than 1 GiB")

struct range_answer {
    struct reply_body body;
    struct json json;
    uint64_t limit; /* 0: none */
    uint64_t series_count;
};

static enum status overflow(const struct range_answer *answer, struct error *err)
{
    const struct reply_body *body = &answer->body;
    return reply_overflow(body->exchange, body->text.is_refused || body->packed.is_refused, err);
}

static enum status write_range_series(void *context, const struct result_series *series,
                                      struct error *err)
{
    struct range_answer *answer = context;
    answer->series_count++;
    if (answer->limit > 0 && answer->series_count > answer->limit)
        return STATUS_OK;
    write_series(&answer->json, series, true);
    reply_body_flush(&answer->body);
    if (!reply_body_is_overflown(&answer->body))
        return STATUS_OK;
    return overflow(answer, err);
}

static void open_range(struct range_answer *answer)
{
    reply_open(&answer->json, &answer->body.text);
    json_begin_object(&answer->json);
    json_key(&answer->json, STR("resultType"));
    json_string(&answer->json, STR("matrix"));
    json_key(&answer->json, STR("result"));
    json_begin_array(&answer->json);
}

static void close_range(struct range_answer *answer, struct api_call *call,
                        struct query_result *result)
{
    if (answer->limit > 0 && answer->series_count > answer->limit)
        warn_of_limit(call, result);
    json_end_array(&answer->json);
    if (exchange_param(call->exchange, "stats", NULL).len > 0)
        write_stats(&answer->json, call, result);
    json_end_object(&answer->json);
    reply_close(call->exchange, &answer->json, &result->warnings, &result->infos);
}

static void answer_range(struct api_call *call, struct query_options *options, uint64_t limit)
{
    struct error err;
    struct query_result result = {0};
    struct range_answer answer = {.limit = limit};
    reply_body_init(&answer.body, call->exchange, REPLY_MAX_BYTES);
    open_range(&answer);
    options->take_series = write_range_series;
    options->take_context = &answer;
    enum status status = evaluate(call, options, &result, &err);
    if (status != STATUS_OK) {
        reply_body_deinit(&answer.body);
        fail(call, status, &err);
        return;
    }
    close_range(&answer, call, &result);
    if (reply_body_is_overflown(&answer.body)) {
        status = overflow(&answer, &err);
        reply_body_deinit(&answer.body);
        fail(call, status, &err);
        return;
    }
    reply_body_send(&answer.body, 200, "application/json");
}

/* ---- endpoints ---- */

void api_query(struct api_call *call)
{
    struct query_options options;
    uint64_t limit;
    int64_t time_ms;
    if (!prepare(call, &options, &limit) ||
        !api_time(call, "time", clock_now_ms(call->api->engine->clock), &time_ms))
        return;
    options.start_ms = options.end_ms = time_ms;
    answer_instant(call, &options, limit);
}

/* Unlike elsewhere, a missing time is an error here, as in Prometheus. */
static bool find_range_time(struct api_call *call, const char *name, int64_t *out)
{
    struct error err;
    if (param_time_ms(exchange_param(call->exchange, name, NULL), out, &err) == STATUS_OK)
        return true;
    reply_bad_param(call->exchange, name, &err);
    return false;
}

static bool find_step(struct api_call *call, int64_t *out)
{
    struct error err;
    if (param_duration_ms(exchange_param(call->exchange, "step", NULL), out, &err) != STATUS_OK) {
        reply_bad_param(call->exchange, "step", &err);
        return false;
    }
    if (*out > 0)
        return true;
    error_set(&err, STATUS_INVALID,
              "zero or negative query resolution step widths are not accepted. Try a positive "
              "integer");
    reply_bad_param(call->exchange, "step", &err);
    return false;
}

static bool check_range(struct api_call *call, const struct query_options *options)
{
    struct error err;
    if (options->end_ms < options->start_ms) {
        error_set(&err, STATUS_INVALID, "end timestamp must not be before start time");
        reply_bad_param(call->exchange, "end", &err);
        return false;
    }
    if ((options->end_ms - options->start_ms) / options->step_ms > API_POINTS_MAX) {
        reply_error(call->exchange, API_BAD_DATA,
                    STR("exceeded maximum resolution of 11,000 points per timeseries. Try "
                        "decreasing the query resolution (?step=XX)"));
        return false;
    }
    return true;
}

void api_query_range(struct api_call *call)
{
    struct query_options options;
    uint64_t limit;
    if (!prepare(call, &options, &limit) || !find_range_time(call, "start", &options.start_ms) ||
        !find_range_time(call, "end", &options.end_ms) || !find_step(call, &options.step_ms) ||
        !check_range(call, &options))
        return;
    options.is_range = true;
    answer_range(call, &options, limit);
}
