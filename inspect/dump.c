#include "inspect/dump.h"

#include <errno.h>
#include <inttypes.h>

#include "base/command_line.h"
#include "base/number.h"
#include "inspect/openmetrics.h"
#include "inspect/snapshot.h"
#include "inspect/text.h"
#include "query/api/param.h"
#include "query/syntax/parse.h"
#include "tsdb/store/store.h"

enum {
    SERIES_MAX_BYTES = 1 << 20,
    LINES_MAX_BYTES = 4 << 20,
    LINES_FULL_BYTES = 1 << 20, /* then they are written */
};

struct dump {
    const struct dump_options *options;
    FILE *out;
    struct dump_report *report;
    struct store *store;
    struct selection *selection;
    struct columns samples; /* of one series */
    struct buffer series;   /* its text */
    struct buffer lines;
};

/* ---- writing ---- */

static enum status write_lines(struct dump *dump, struct error *err)
{
    bool is_written = fwrite(dump->lines.ptr, 1, dump->lines.len, dump->out) == dump->lines.len;
    buffer_reset(&dump->lines);
    return is_written ? STATUS_OK
                      : error_set(err, STATUS_IO, "dump: output: %s", strerrordesc_np(errno));
}

static void add_sample(struct dump *dump, int64_t ts_ms, double value)
{
    if (!dump->options->is_exact && sample_is_stale(value)) {
        dump->report->stale++;
        return;
    }
    buffer_append_str(&dump->lines, buffer_str(&dump->series));
    buffer_append_byte(&dump->lines, ' ');
    if (dump->options->is_exact)
        append_exact_f64(&dump->lines, value);
    else
        append_f64(&dump->lines, value);
    buffer_append_byte(&dump->lines, ' ');
    openmetrics_append_ts(&dump->lines, ts_ms);
    buffer_append_byte(&dump->lines, '\n');
    dump->report->samples++;
}

static enum status write_series(struct dump *dump, size_t index, struct error *err)
{
    const struct dump_options *options = dump->options;
    TRY(select_read(dump->selection, index, options->min_ts_ms, options->max_ts_ms, &dump->samples,
                    err));
    buffer_reset(&dump->series);
    openmetrics_append_series(&dump->series, select_labels(dump->selection, index));
    if (dump->series.is_overflown)
        return error_set(err, STATUS_CORRUPT, "dump: a series with more than %d bytes of labels",
                         SERIES_MAX_BYTES);
    dump->report->series += dump->samples.count > 0;
    for (size_t i = 0; i < dump->samples.count; i++) {
        add_sample(dump, dump->samples.ts_ms[i], dump->samples.values[i]);
        if (dump->lines.len > LINES_FULL_BYTES)
            TRY(write_lines(dump, err));
    }
    return STATUS_OK;
}

static enum status write_all(struct dump *dump, struct error *err)
{
    for (size_t i = 0; i < select_count(dump->selection); i++) {
        TRY(write_series(dump, i, err));
    }
    buffer_append_str(&dump->lines, STR("# EOF\n"));
    TRY(write_lines(dump, err));
    return fflush(dump->out) == 0
               ? STATUS_OK
               : error_set(err, STATUS_IO, "dump: output: %s", strerrordesc_np(errno));
}

/* ---- selecting ---- */

/* The store logs it, once for each block. */
static void leave_out(void *context, struct str text)
{
    (void)context, (void)text;
}

static enum status write_matching(struct dump *dump, const struct matcher *matchers, size_t count,
                                  struct error *err)
{
    const struct select_options select = {.scope = &dump->options->scope,
                                          .matchers = matchers,
                                          .matcher_count = count,
                                          .min_ts_ms = dump->options->min_ts_ms,
                                          .max_ts_ms = dump->options->max_ts_ms,
                                          .damage = {.tell = leave_out}};
    TRY(select_open(dump->store, &select, &dump->selection, err));
    columns_init(&dump->samples);
    buffer_init(&dump->series, SERIES_MAX_BYTES);
    buffer_init(&dump->lines, LINES_MAX_BYTES);
    enum status status = write_all(dump, err);
    buffer_deinit(&dump->lines);
    buffer_deinit(&dump->series);
    columns_deinit(&dump->samples);
    select_close(dump->selection);
    return status;
}

static enum status write_selected(struct dump *dump, struct error *err)
{
    struct arena arena;
    struct matcher *matchers = NULL;
    size_t count = 0;
    enum status status = STATUS_OK;
    arena_init(&arena, SIZE_MAX);
    if (dump->options->selector.len > 0)
        status = parse_selector(dump->options->selector, &arena, &matchers, &count, err);
    if (status == STATUS_OK)
        status = write_matching(dump, matchers, count, err);
    for (size_t i = 0; i < count; i++)
        matcher_deinit(&matchers[i]);
    arena_deinit(&arena);
    return status;
}

/* ---- opening ---- */

static enum status open_once(const struct dump_options *options, struct store **store,
                             bool *is_intact, struct error *err)
{
    const struct store_options store_options = {.disk = options->disk,
                                                .clock = clock_real(),
                                                .default_tenant = STR("anonymous"),
                                                .tenant_label = options->tenant_label,
                                                .tenants_max = UINT32_MAX,
                                                .retention_ms = INT64_MAX / 2,
                                                .is_manual = true,
                                                .is_read_only = true};
    struct snapshot snapshot;
    *is_intact = false;
    TRY(snapshot_take(&snapshot, options->disk, err));
    enum status status = store_open(&store_options, store, err);
    if (status == STATUS_OK) {
        status = snapshot_check(&snapshot, options->disk, is_intact, err);
        if (status != STATUS_OK || !*is_intact)
            store_close(*store);
    }
    snapshot_deinit(&snapshot);
    /* a file went between listing and opening */
    return status == STATUS_NOT_FOUND ? STATUS_OK : status;
}

/* Blocks are mapped and the log is in memory when this returns: what the server deletes from then
 * on stays. */
static enum status open_intact(const struct dump_options *options, struct store **store,
                               struct error *err)
{
    struct snapshot snapshot;
    TRY(snapshot_take(&snapshot, options->disk, err));
    snapshot_deinit(&snapshot);
    bool is_intact = false;
    for (int i = 0; i < SNAPSHOT_TRIES_MAX && !is_intact; i++)
        TRY(open_once(options, store, &is_intact, err));
    return is_intact ? STATUS_OK : error_set(err, STATUS_UNAVAILABLE, "dump: " SNAPSHOT_MOVES);
}

enum status dump_write(const struct dump_options *options, FILE *out, struct dump_report *report,
                       struct error *err)
{
    struct dump dump = {.options = options, .out = out, .report = report};
    *report = (struct dump_report){0};
    TRY(open_intact(options, &dump.store, err));
    const struct store_replay_report *replay = store_replay_report(dump.store);
    report->damaged = replay->damaged_frames + replay->quarantined_blocks + replay->missing_files;
    enum status status = write_selected(&dump, err);
    report->damaged += store_damaged_block_count(dump.store);
    store_close(dump.store);
    return status;
}

/* ---- the command ---- */

static const char usage[] =
    "usage: croft dump --data-dir FOLDER [flags]\n"
    "\n"
    "Prints samples as OpenMetrics text on standard output; a server may run meanwhile.\n"
    "\n"
    "  --data-dir FOLDER    where the data lives (default ./data)\n"
    "  --tenant ID          this tenant only, as it was written; without it all of them, with a "
    "label\n"
    "  --tenant-label NAME  that label (default tenant_id)\n"
    "  --match SELECTOR     these series only: up{job=\"a\"}\n"
    "  --min-time TIME      unix seconds or RFC 3339, inclusive\n"
    "  --max-time TIME      the same\n"
    "  --exact              stale markers and other NaNs as NaN(bits), which croft import reads; "
    "without\n"
    "                       it stale markers are left out, for OpenMetrics has no form for them\n"
    "  --help               this text\n";

struct dump_flags {
    struct str data_dir, tenant, tenant_label, match, min_time, max_time;
    bool is_exact, wants_help;
};

static enum status parse_time_flag(const char *name, struct str text, int64_t *ts_ms,
                                   struct error *err)
{
    enum status status = text.len == 0 ? STATUS_OK : param_time_ms(text, ts_ms, err);
    return status == STATUS_OK ? status : error_prefix(err, status, "%s", name);
}

static enum status parse_flags(struct dump_flags *flags, struct dump_options *options,
                               struct tenant_id *tenant, int count, char *const *args,
                               struct error *err)
{
    const struct flag_row rows[] = {
        {.name = "data-dir", .value = &flags->data_dir},
        {.name = "tenant", .value = &flags->tenant},
        {.name = "tenant-label", .value = &flags->tenant_label},
        {.name = "match", .value = &flags->match},
        {.name = "min-time", .value = &flags->min_time},
        {.name = "max-time", .value = &flags->max_time},
        {.name = "exact", .is_on = &flags->is_exact},
        {.name = "help", .is_on = &flags->wants_help},
    };
    struct command_line line = {.flags = rows, .flag_count = sizeof rows / sizeof *rows};
    TRY(command_line_parse(&line, count, args, err));
    *options = (struct dump_options){.scope = {.is_all = flags->tenant.len == 0},
                                     .tenant_label = flags->tenant_label,
                                     .selector = flags->match,
                                     .min_ts_ms = TIME_MIN_MS,
                                     .max_ts_ms = TIME_MAX_MS,
                                     .is_exact = flags->is_exact};
    if (flags->tenant.len > 0) {
        TRY(tenant_id_parse(flags->tenant, tenant, err));
        options->scope = (struct scope){.tenants = tenant, .tenant_count = 1};
    }
    TRY(parse_time_flag("--min-time", flags->min_time, &options->min_ts_ms, err));
    return parse_time_flag("--max-time", flags->max_time, &options->max_ts_ms, err);
}

static enum status run(const struct dump_flags *flags, struct dump_options *options,
                       struct dump_report *report, struct error *err)
{
    /* an argument is NUL-terminated to its end */
    TRY(disk_open_read_only(flags->data_dir.ptr, &options->disk, err));
    enum status status = dump_write(options, stdout, report, err);
    disk_close(options->disk);
    return status;
}

int dump_main(int count, char *const *args)
{
    struct error err;
    struct dump_flags flags = {.data_dir = STR("./data"), .tenant_label = STR("tenant_id")};
    struct dump_options options;
    struct dump_report report = {0};
    struct tenant_id tenant;
    if (parse_flags(&flags, &options, &tenant, count, args, &err) != STATUS_OK) {
        fprintf(stderr, "croft: %s\n%s", err.text, usage);
        return 2;
    }
    if (flags.wants_help) {
        fputs(usage, stdout);
        return 0;
    }
    if (run(&flags, &options, &report, &err) != STATUS_OK) {
        fprintf(stderr, "croft: %s\n", err.text);
        return 1;
    }
    fprintf(stderr, "croft: dumped %" PRIu64 " samples of %" PRIu64 " series", report.samples,
            report.series);
    if (report.stale > 0)
        fprintf(stderr, ", left out %" PRIu64 " stale markers", report.stale);
    if (report.damaged > 0)
        fprintf(stderr, ", %" PRIu64 " damaged things left out: croft inspect --verify lists them",
                report.damaged);
    fprintf(stderr, "\n");
    return report.damaged > 0;
}
