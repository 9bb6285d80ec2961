#include "inspect/import.h"

#include <errno.h>
#include <inttypes.h>
#include <time.h>

#include "base/command_line.h"
#include "inspect/line_reader.h"
#include "tsdb/model/tenant_id.h"

enum { HEADERS_MAX_BYTES = 16 << 10, TOKEN_MAX_BYTES = 4096 };

#define DEFAULT_PATH "/api/v1/push"

/* ---- reading ---- */

static enum status add_line(struct import_sender *sender, struct import_batch *batch,
                            struct str text, uint64_t number, enum openmetrics_unit unit,
                            struct error *err)
{
    struct openmetrics_line line;
    enum status status = openmetrics_split(text, unit, &line, err);
    if (status == STATUS_OK && line.series.len > 0)
        status = import_batch_add(batch, &line, number, err);
    if (status != STATUS_OK)
        return error_prefix(err, status, "line %" PRIu64, number);
    if (!import_batch_is_full(batch))
        return STATUS_OK;
    status = import_send(sender, batch, err);
    import_batch_reset(batch);
    return status;
}

static enum status read_lines(struct import_sender *sender, struct import_batch *batch,
                              struct line_reader *reader, enum openmetrics_unit unit,
                              struct error *err)
{
    for (;;) {
        struct str line;
        bool has_line;
        TRY(line_reader_next(reader, &line, &has_line, err));
        if (!has_line)
            return STATUS_OK;
        TRY(add_line(sender, batch, line, reader->number, unit, err));
    }
}

enum status import_file(struct import_sender *sender, FILE *file, enum openmetrics_unit unit,
                        struct error *err)
{
    struct line_reader reader;
    struct import_batch *batch = import_batch_new();
    line_reader_init(&reader, file);
    enum status status = read_lines(sender, batch, &reader, unit, err);
    /* what stands before a bad line is good */
    struct error last;
    bool is_usable = status == STATUS_OK || status == STATUS_INVALID || status == STATUS_IO;
    enum status sent = is_usable ? import_send(sender, batch, &last) : STATUS_OK;
    if (status == STATUS_OK && sent != STATUS_OK)
        status = error_set(err, sent, "%s", last.text);
    line_reader_deinit(&reader);
    import_batch_free(batch);
    return status;
}

/* ---- the command ---- */

static const char usage[] =
    "usage: croft import [flags] FILE\n"
    "\n"
    "Reads samples as croft dump, promtool tsdb dump and dump-openmetrics print them (- for "
    "standard input)\n"
    "and sends them as remote write. Sending a file again does no harm.\n"
    "\n"
    "  --url URL           the server (default http://127.0.0.1:9009); without a "
    "path: " DEFAULT_PATH "\n"
    "  --tenant ID         whose they are; without it the label tenant_id of each series decides\n"
    "  --token-file FILE   a token to send along\n"
    "  --time-unit UNIT    of integer timestamps: s (OpenMetrics), ms (text format 0.0.4, promtool "
    "tsdb\n"
    "                      dump) or auto: ms from 10^11 on (default)\n"
    "  --help              this text\n";

struct import_flags {
    struct str url, tenant, token_file, time_unit, file;
    bool wants_help;
    struct url target;
    enum openmetrics_unit unit;
    struct buffer headers;
};

static enum status parse_unit(struct str text, enum openmetrics_unit *out, struct error *err)
{
    static const struct {
        struct str name;
        enum openmetrics_unit unit;
    } units[] = {{{"auto", 4}, OPENMETRICS_UNIT_AUTO},
                 {{"s", 1}, OPENMETRICS_UNIT_SECONDS},
                 {{"ms", 2}, OPENMETRICS_UNIT_MS}};
    for (size_t i = 0; i < sizeof units / sizeof *units; i++) {
        *out = units[i].unit;
        if (str_eq(units[i].name, text))
            return STATUS_OK;
    }
    return error_set(err, STATUS_INVALID, "--time-unit: got \"%.*s\", want s, ms or auto",
                     STR_ARG(text));
}

/* In a file, because a command line shows to everybody on the machine. */
static enum status add_token(struct buffer *headers, struct str path, struct error *err)
{
    char token[TOKEN_MAX_BYTES];
    FILE *file = fopen(path.ptr, "re");
    if (file == NULL)
        return error_set(err, STATUS_INVALID, "--token-file: %.*s: %s", STR_ARG(path),
                         strerrordesc_np(errno));
    size_t len = fread(token, 1, sizeof token, file);
    fclose(file);
    struct str line =
        str_slice((struct str){token, len}, 0, str_find((struct str){token, len}, '\n', 0));
    if (line.len == 0 || line.len == sizeof token || str_find(line, '\r', 0) < line.len)
        return error_set(err, STATUS_INVALID, "--token-file: %.*s: no token", STR_ARG(path));
    buffer_append_format(headers, "Authorization: Bearer %.*s\r\n", STR_ARG(line));
    return STATUS_OK;
}

static enum status make_headers(struct import_flags *flags, struct error *err)
{
    struct tenant_id tenant;
    buffer_append_str(&flags->headers, STR("Content-Type: application/x-protobuf\r\n"
                                           "Content-Encoding: snappy\r\n"
                                           "X-Prometheus-Remote-Write-Version: 0.1.0\r\n"
                                           "User-Agent: croft-import\r\n"));
    if (flags->tenant.len > 0) {
        TRY(tenant_id_parse(flags->tenant, &tenant, err));
        buffer_append_format(&flags->headers, "X-Scope-OrgID: %s\r\n", tenant.text);
    }
    return flags->token_file.len == 0 ? STATUS_OK
                                      : add_token(&flags->headers, flags->token_file, err);
}

static enum status parse_flags(struct import_flags *flags, int count, char *const *args,
                               struct error *err)
{
    const struct flag_row rows[] = {
        {.name = "url", .value = &flags->url},
        {.name = "tenant", .value = &flags->tenant},
        {.name = "token-file", .value = &flags->token_file},
        {.name = "time-unit", .value = &flags->time_unit},
        {.name = "help", .is_on = &flags->wants_help},
    };
    struct command_line line = {.flags = rows,
                                .flag_count = sizeof rows / sizeof *rows,
                                .plain = &flags->file,
                                .plain_max = 1};
    TRY(command_line_parse(&line, count, args, err));
    if (flags->wants_help)
        return STATUS_OK;
    if (line.plain_count == 0)
        return error_set(err, STATUS_INVALID, "no file given; - is standard input");
    TRY(parse_unit(flags->time_unit, &flags->unit, err));
    TRY(url_parse(flags->url, &flags->target, err));
    if (strcmp(flags->target.path, "/") == 0)
        memcpy(flags->target.path, DEFAULT_PATH, sizeof DEFAULT_PATH);
    return make_headers(flags, err);
}

struct http_transport {
    struct outgoing *outgoing;
    struct str headers;
};

static enum status post(void *context, struct bytes body, struct outgoing_reply *reply,
                        struct error *err)
{
    struct http_transport *http = context;
    return outgoing_post(http->outgoing, http->headers, body, reply, err);
}

static void wait_for(void *context, int64_t delay_ms)
{
    (void)context;
    fprintf(stderr, "croft: the server does not take it now: trying again in %" PRId64 " s\n",
            delay_ms / 1000);
    struct timespec left = {.tv_sec = delay_ms / 1000, .tv_nsec = delay_ms % 1000 * 1000000};
    while (nanosleep(&left, &left) != 0 && errno == EINTR)
        continue;
}

static enum status run(const struct import_flags *flags, struct import_report *report,
                       struct error *err)
{
    bool is_stdin = str_eq(flags->file, STR("-"));
    FILE *file = is_stdin ? stdin : fopen(flags->file.ptr, "re");
    if (file == NULL)
        return error_set(err, STATUS_NOT_FOUND, "%.*s: %s", STR_ARG(flags->file),
                         strerrordesc_np(errno));
    struct http_transport http = {outgoing_new(&flags->target), buffer_str(&flags->headers)};
    const struct import_transport transport = {.context = &http, .post = post, .wait = wait_for};
    struct import_sender sender;
    import_sender_init(&sender, &transport);
    enum status status = import_file(&sender, file, flags->unit, err);
    *report = sender.report;
    import_sender_deinit(&sender);
    outgoing_free(http.outgoing);
    if (!is_stdin)
        fclose(file);
    return status;
}

static int finish(enum status status, const struct import_report *report, const struct error *err)
{
    fprintf(stderr,
            "croft: imported %" PRIu64 " samples, %" PRIu64 " refused, in %" PRIu64
            " requests of which %" PRIu64 " were repeated\n",
            report->samples, report->refused, report->requests, report->retries);
    if (report->first_refused_line > 0)
        fprintf(stderr, "croft: first refused: line %" PRIu64 ": %s\n", report->first_refused_line,
                report->first_refusal);
    if (status != STATUS_OK)
        fprintf(stderr, "croft: %s\n", err->text);
    return status != STATUS_OK || report->refused > 0;
}

int import_main(int count, char *const *args)
{
    struct error err;
    struct import_report report = {0};
    struct import_flags flags = {.url = STR("http://127.0.0.1:9009"), .time_unit = STR("auto")};
    buffer_init(&flags.headers, HEADERS_MAX_BYTES);
    enum status status = parse_flags(&flags, count, args, &err);
    int code;
    if (status != STATUS_OK) {
        fprintf(stderr, "croft: %s\n%s", err.text, usage);
        code = 2;
    } else if (flags.wants_help) {
        fputs(usage, stdout);
        code = 0;
    } else {
        status = run(&flags, &report, &err);
        code = finish(status, &report, &err);
    }
    buffer_deinit(&flags.headers);
    return code;
}
