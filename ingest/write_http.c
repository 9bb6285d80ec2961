#include "ingest/write_http.h"

#include <stdio.h>

#include "base/escape.h"
#include "ingest/write_media_type.h"
#include "ingest/write_tenant.h"

#define TEXT_PLAIN    "text/plain; charset=utf-8"
#define RETRY_AFTER_S "5"

/* Lives in the exchange's arena. */
struct write_exchange {
    struct write_job job; /* first: `done` gets its address */
    struct exchange *exchange;
    struct write_http *context;
    struct tenant_id tenant;
    struct crew_write crew; /* while it waits to be done */
    struct held_write held; /* while its answer waits */
};

static void reply_text(struct write_http *context, struct exchange *exchange, enum write_code code,
                       struct str text)
{
    struct buffer body;
    counter_add(&context->counters->requests[code], 1);
    buffer_init(&body, SIZE_MAX);
    escape_append(&body, text, STR(""));
    buffer_append_byte(&body, '\n');
    exchange_reply_buffer(exchange, write_code_number(code), TEXT_PLAIN, &body);
    buffer_deinit(&body);
}

/* ---- before the body ---- */

static enum status check_media_type(const struct exchange *exchange, struct error *err)
{
    enum write_protocol protocol;
    TRY(write_protocol_parse(exchange_header(exchange, "Content-Type", NULL), &protocol, err));
    if (protocol != WRITE_PROTOCOL_1)
        return error_set(err, STATUS_INVALID,
                         "remote write 2.0: not supported yet, want remote write 1.0: "
                         "Content-Type application/x-protobuf;proto=prometheus.WriteRequest");
    return write_encoding_check(exchange_header(exchange, "Content-Encoding", NULL), err);
}

static enum status check_once(const struct exchange *exchange, const char *name, struct error *err)
{
    size_t count = exchange_header_count(exchange, name);
    if (count <= 1)
        return STATUS_OK;
    return error_set(err, STATUS_INVALID, "%s: sent %zu times, want at most once", name, count);
}

static enum status check_headers(const struct exchange *exchange, struct error *err)
{
    TRY(check_once(exchange, "Content-Type", err));
    TRY(check_once(exchange, "Content-Encoding", err));
    return check_media_type(exchange, err);
}

static bool admit(void *context, struct exchange *exchange)
{
    struct error err;
    if (check_headers(exchange, &err) == STATUS_OK)
        return true;
    reply_text(context, exchange, WRITE_CODE_415, str_from(err.text));
    return false;
}

/* ---- after it ---- */

/* 429 when some of it would be taken later: the sender then repeats everything, which does no harm
   to what was taken. 403 when nothing else was wrong than whose the series are. */
static enum write_code code_of_report(const struct write_report *report)
{
    uint64_t not_granted = report->refused[WRITE_REFUSAL_TENANT_NOT_GRANTED];
    for (enum refusal_reason reason = 0; reason < REFUSAL_COUNT; reason++) {
        if (report->stored.samples_refused[reason] > 0 && refusal_reason_is_passing(reason))
            return WRITE_CODE_429;
    }
    if (report->refused[WRITE_REFUSAL_NEW_TENANTS] > 0)
        return WRITE_CODE_429;
    return not_granted == write_report_refused(report) ? WRITE_CODE_403 : WRITE_CODE_400;
}

static void add_retry_after(struct exchange *exchange, int64_t wait_ms)
{
    char seconds[24];
    snprintf(seconds, sizeof seconds, "%lld", (long long)(wait_ms + 999) / 1000);
    exchange_reply_header(exchange, "Retry-After", seconds);
}

static void reply_report(const struct write_exchange *write)
{
    const struct write_report *report = &write->job.report;
    struct buffer text;
    /* as Mimir says it, so that a replica that is not elected can tell; senders take it for done */
    if (write_report_refused(report) == 0 && report->samples_deduplicated > 0 &&
        report->stored.samples_written == 0) {
        reply_text(write->context, write->exchange, WRITE_CODE_202,
                   str_from(report->deduplicated.text));
        return;
    }
    if (write_report_refused(report) == 0) {
        counter_add(&write->context->counters->requests[WRITE_CODE_204], 1);
        exchange_reply_empty(write->exchange);
        return;
    }
    enum write_code code = code_of_report(report);
    if (code == WRITE_CODE_429)
        add_retry_after(write->exchange, report->stored.retry_after_ms);
    buffer_init(&text, SIZE_MAX);
    write_report_print(&text, report);
    reply_text(write->context, write->exchange, code, buffer_str(&text));
    buffer_deinit(&text);
}

static enum write_code code_of(enum status status)
{
    switch (status) {
    case STATUS_INVALID:
        return WRITE_CODE_400;
    case STATUS_DENIED:
        return WRITE_CODE_403;
    case STATUS_LIMIT:
        return WRITE_CODE_413;
    case STATUS_UNAVAILABLE:
        return WRITE_CODE_503;
    default:
        return WRITE_CODE_500;
    }
}

static void reply_done(const struct write_exchange *write)
{
    const struct write_job *job = &write->job;
    if (job->status == STATUS_OK) {
        reply_report(write);
        return;
    }
    if (job->status == STATUS_UNAVAILABLE)
        exchange_reply_header(write->exchange, "Retry-After", RETRY_AFTER_S);
    reply_text(write->context, write->exchange, code_of(job->status), str_from(job->err.text));
}

/* ---- when ---- */

/* What the refusals among it took of the time of a write; of one that was refused as a whole, all.
 */
static uint64_t refusing_ns(const struct write_job *job)
{
    uint64_t refused = write_report_refused(&job->report);
    if (job->status != STATUS_OK)
        return job->status == STATUS_UNAVAILABLE ? 0 : job->cpu_ns;
    return refused == 0 ? 0 : job->cpu_ns * refused / job->report.samples_received;
}

static uint64_t wait_ns(const struct write_exchange *write)
{
    struct write_http *http = write->context;
    uint64_t cost_ns = refusing_ns(&write->job);
    if (http->pace == NULL || cost_ns == 0)
        return 0;
    return refusal_pace_begin(http->pace, write->crew.slot, cost_ns,
                              clock_monotonic_ns(clock_real()));
}

static void release_held(struct held_write *held)
{
    struct write_exchange *write =
        (struct write_exchange *)((char *)held - offsetof(struct write_exchange, held));
    refusal_pace_end(write->context->pace, write->crew.slot);
    reply_done(write);
}

static void reply_when_due(struct write_job *job)
{
    struct write_exchange *write = (struct write_exchange *)job;
    struct write_http *http = write->context;
    uint64_t hold_ns = wait_ns(write);
    if (http->crew != NULL)
        write_crew_charge(http->crew, write->crew.slot, job->cpu_ns);
    if (hold_ns == 0) {
        reply_done(write);
        return;
    }
    counter_add(&http->counters->held, 1);
    write->held.release = release_held;
    write_hold_add(http->hold, &write->held, hold_ns);
}

/* ---- the beginning ---- */

/* STATUS_INVALID when the header is not one tenant id. */
static enum status read_tenant(struct write_exchange *write, struct error *err)
{
    bool is_present;
    struct str value = exchange_header(write->exchange, "X-Scope-OrgID", &is_present);
    if (!is_present)
        return STATUS_OK;
    size_t count = exchange_header_count(write->exchange, "X-Scope-OrgID");
    TRY(write_tenant_parse_header(value, count, &write->tenant, err));
    write->job.tenant = &write->tenant;
    return STATUS_OK;
}

static void run(struct write_exchange *write)
{
    write_path_run(write->context->path, &write->job);
}

static void run_in_crew(struct crew_write *crew)
{
    struct write_exchange *write =
        (struct write_exchange *)((char *)crew - offsetof(struct write_exchange, crew));
    write->job.gives_way = true;
    run(write);
}

static void run_or_hand_over(struct write_exchange *write)
{
    struct write_http *http = write->context;
    write->crew = (struct crew_write){.run = run_in_crew,
                                      .slot = payer_slot(exchange_payer(write->exchange))};
    if (http->crew != NULL && write_crew_try_take(http->crew, &write->crew, write->job.body.len))
        counter_add(&http->counters->handed_over, 1);
    else
        run(write);
}

static void handle(void *context, struct exchange *exchange)
{
    struct write_http *http = context;
    struct arena *arena = exchange_arena(exchange);
    struct write_exchange *write = arena_alloc_zeroed(arena, sizeof *write);
    write->exchange = exchange;
    write->context = http;
    write->job.body = exchange_body(exchange);
    write->job.grant = exchange_grant(exchange);
    write->job.arena = arena;
    write->job.charge = exchange_body_charge(exchange);
    write->job.done = reply_when_due;
    struct error err;
    if (read_tenant(write, &err) != STATUS_OK)
        reply_text(http, exchange, WRITE_CODE_400, str_from(err.text));
    else
        run_or_hand_over(write);
}

void write_http_routes(struct write_http *context, struct route out[WRITE_HTTP_ROUTE_COUNT])
{
    static const char *const patterns[WRITE_HTTP_ROUTE_COUNT] = {"/api/v1/push", "/api/v1/write"};
    for (size_t i = 0; i < WRITE_HTTP_ROUTE_COUNT; i++)
        out[i] = (struct route){.methods = HTTP_POST,
                                .pattern = patterns[i],
                                .handle = handle,
                                .context = context,
                                .body_max_bytes = WRITE_HTTP_BODY_MAX_BYTES,
                                .admit = admit,
                                .access = ROUTE_WRITE};
}
