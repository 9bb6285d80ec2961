/* Dump, import into another server over HTTP, dump again: the same bytes. */
#include "base/mem.h"
#include "http/server.h"
#include "ingest/write_http.h"
#include "inspect/dump.h"
#include "inspect/import.h"
#include "tests/support/store_box.h"

enum { CLOSE_TIMEOUT_MS = 30000, DECODED_MAX_BYTES = 32 << 20 };

/* ---- dump ---- */

static struct str dump(struct store_box *box, const struct dump_options *wanted,
                       struct dump_report *report)
{
    struct error err;
    char *text;
    size_t len;
    FILE *out = open_memstream(&text, &len);
    struct dump_options options = *wanted;
    options.disk = sim_disk_disk(box->sim);
    options.tenant_label = STR("tenant_id");
    if (options.min_ts_ms == 0) {
        options.min_ts_ms = INT64_MIN / 4;
        options.max_ts_ms = INT64_MAX / 4;
    }
    uint64_t operations = sim_disk_operation_count(box->sim);
    expect_ok(dump_write(&options, out, report, &err));
    assert_int_equal(sim_disk_operation_count(box->sim), operations);
    disk_close(options.disk);
    fclose(out);
    struct str kept = arena_copy(&box->arena, (struct str){text, len});
    mem_free(text);
    return kept;
}

static void expect_dump(struct store_box *box, const struct dump_options *options, const char *want)
{
    struct dump_report report;
    expect_str(dump(box, options, &report), want);
    assert_int_equal(report.damaged, 0);
}

static const struct dump_options everything = {.scope = {.is_all = true}};
static const struct dump_options exactly = {.scope = {.is_all = true}, .is_exact = true};

/* Samples in a block, in the log, and in both; values that are hard to write. */
static void fill(struct store_box *box)
{
    struct error err;
    store_box_init(box, 1);
    expect_ok(store_box_open(box, &err));
    box_put(box, "acme", "up job=a", BOX_START_MS, 1);
    box_put(box, "acme", "up job=b", BOX_START_MS + 1, 0.1);
    box_put(box, "anonymous", "odd le=+Inf", BOX_START_MS, -0.0);
    expect_ok(box_flush(box, &err));
    box_put(box, "acme", "up job=a", BOX_START_MS + 15000, f64_from_bits(STALE_NAN_BITS));
    box_put(box, "acme", "up job=a", BOX_START_MS + 30000, 5e-324);
    box_put(box, "anonymous", "odd le=+Inf", BOX_START_MS + 1000, 1.0 / 0.0);
    box_put(box, "anonymous", "odd le=+Inf", BOX_START_MS + 2000, -1.0 / 0.0);
    box_put(box, "anonymous", "odd le=+Inf", BOX_START_MS + 3000,
            f64_from_bits(0x7ff8000000000001));
    box_put(box, "anonymous", "odd le=+Inf", BOX_START_MS + 4000,
            f64_from_bits(0xfff80000000000aa));
    box_put(box, "anonymous", "odd le=+Inf", BOX_START_MS + 5000, 0.1 + 0.2);
    box_put(box, "anonymous", "my.metric path=C:\\\"x\"", BOX_START_MS, 1e300);
}

TEST(a_dump_has_blocks_and_log_of_all_tenants)
{
    struct store_box box;
    struct dump_report report;
    fill(&box);
    expect_str(dump(&box, &everything, &report),
               "{\"my.metric\",path=\"C:\\\\\\\"x\\\"\"} 1e+300 1700000000.000\n"
               "odd{le=\"+Inf\"} -0 1700000000.000\n"
               "odd{le=\"+Inf\"} +Inf 1700000001.000\n"
               "odd{le=\"+Inf\"} -Inf 1700000002.000\n"
               "odd{le=\"+Inf\"} NaN 1700000003.000\n"
               "odd{le=\"+Inf\"} NaN 1700000004.000\n"
               "odd{le=\"+Inf\"} 0.30000000000000004 1700000005.000\n"
               "up{job=\"a\",tenant_id=\"acme\"} 1 1700000000.000\n"
               "up{job=\"a\",tenant_id=\"acme\"} 5e-324 1700000030.000\n"
               "up{job=\"b\",tenant_id=\"acme\"} 0.1 1700000000.001\n"
               "# EOF\n");
    assert_int_equal(report.series, 4);
    assert_int_equal(report.samples, 10);
    assert_int_equal(report.stale, 1);
    store_box_deinit(&box);
}

TEST(an_exact_dump_keeps_every_bit)
{
    struct store_box box;
    const struct tenant_id acme = {.len = 4, .text = "acme"};
    const struct dump_options options = {.scope = {.tenants = &acme, .tenant_count = 1},
                                         .is_exact = true};
    fill(&box);
    expect_dump(&box, &options,
                "up{job=\"a\"} 1 1700000000.000\n"
                "up{job=\"a\"} NaN(7ff0000000000002) 1700000015.000\n"
                "up{job=\"a\"} 5e-324 1700000030.000\n"
                "up{job=\"b\"} 0.1 1700000000.001\n"
                "# EOF\n");
    store_box_deinit(&box);
}

TEST(a_dump_is_narrowed_by_selector_and_time)
{
    struct store_box box;
    const struct dump_options options = {.scope = {.is_all = true},
                                         .selector = STR("{le=~\".+\"}"),
                                         .min_ts_ms = BOX_START_MS + 1000,
                                         .max_ts_ms = BOX_START_MS + 2000};
    fill(&box);
    expect_dump(&box, &options,
                "odd{le=\"+Inf\"} +Inf 1700000001.000\n"
                "odd{le=\"+Inf\"} -Inf 1700000002.000\n"
                "# EOF\n");
    store_box_deinit(&box);
}

TEST(a_dump_refuses_a_bad_selector_and_a_folder_without_data)
{
    struct store_box box;
    struct error err;
    struct dump_report report;
    fill(&box);
    struct dump_options options = {
        .disk = sim_disk_disk(box.sim), .scope = {.is_all = true}, .selector = STR("up{")};
    expect_status(dump_write(&options, stdout, &report, &err), STATUS_INVALID);
    disk_close(options.disk);
    store_box_deinit(&box);
    store_box_init(&box, 1);
    options.disk = sim_disk_disk(box.sim);
    expect_status(dump_write(&options, stdout, &report, &err), STATUS_NOT_FOUND);
    disk_close(options.disk);
    store_box_deinit(&box);
}

TEST(a_dump_leaves_out_what_is_damaged_and_says_so)
{
    struct store_box box;
    struct dump_report report;
    struct name_list files;
    fill(&box);
    store_box_close(&box);
    sim_disk_files(box.sim, &files);
    for (size_t i = 0; i < files.count; i++) {
        if (str_ends_with(str_from(files.names[i]), STR(".block")))
            sim_disk_flip(box.sim, files.names[i], 0, 1);
    }
    name_list_deinit(&files);
    box.is_damaged = true;
    struct str text = dump(&box, &everything, &report);
    assert_true(report.damaged > 0);
    assert_true(report.samples > 0);
    assert_true(str_ends_with(text, STR("# EOF\n")));
    store_box_deinit(&box);
}

/* ---- import ---- */

/* A server in front of a store that is not manual. */
struct target {
    struct store_box box;
    struct metadata *metadata;
    struct write_counters counters;
    struct write_http http;
    struct route routes[WRITE_HTTP_ROUTE_COUNT];
    struct http_server *server;
    struct outgoing *outgoing;
};

static void target_open(struct target *target)
{
    struct error err;
    struct url url;
    *target = (struct target){0};
    store_box_init(&target->box, 2);
    target->box.options.is_manual = false;
    expect_ok(store_box_open(&target->box, &err));
    target->metadata = metadata_new(100);
    const struct write_path_options path = {.store = target->box.store,
                                            .tenants = store_tenants(target->box.store),
                                            .metadata = target->metadata,
                                            .counters = &target->counters,
                                            .scan = write_scan_options_default(),
                                            .decoded_max_bytes = DECODED_MAX_BYTES};
    target->http =
        (struct write_http){.path = write_path_new(&path), .counters = &target->counters};
    write_http_routes(&target->http, target->routes);
    const struct http_server_options server = {.listen = STR("127.0.0.1:0"),
                                               .thread_count = 1,
                                               .connections_max = 4,
                                               .idle_timeout_s = 60,
                                               .routes = target->routes,
                                               .route_count = WRITE_HTTP_ROUTE_COUNT,
                                               .alias_prefix = STR("/prometheus"),
                                               .clock = clock_real()};
    expect_ok(http_server_open(&server, &target->server, &err));
    char text[64];
    snprintf(text, sizeof text, "http://127.0.0.1:%u/api/v1/push",
             http_server_port(target->server));
    expect_ok(url_parse(str_from(text), &url, &err));
    target->outgoing = outgoing_new(&url);
}

static void target_close(struct target *target)
{
    struct error err;
    outgoing_free(target->outgoing);
    expect_ok(http_server_close(target->server, CLOSE_TIMEOUT_MS, &err));
    write_path_free(target->http.path);
    metadata_free(target->metadata);
    store_box_deinit(&target->box);
}

static enum status post(void *context, struct bytes body, struct outgoing_reply *reply,
                        struct error *err)
{
    struct target *target = context;
    return outgoing_post(target->outgoing, STR("Content-Encoding: snappy\r\n"), body, reply, err);
}

static void never_wait(void *context, int64_t delay_ms)
{
    (void)context;
    fail_msg("asked to wait %lld ms", (long long)delay_ms);
}

static struct import_report import_text(struct target *target, struct str text)
{
    struct error err;
    struct import_sender sender;
    const struct import_transport transport = {.context = target, .post = post, .wait = never_wait};
    FILE *file = fmemopen((void *)(uintptr_t)text.ptr, text.len, "r");
    import_sender_init(&sender, &transport);
    expect_ok(import_file(&sender, file, OPENMETRICS_UNIT_AUTO, &err));
    struct import_report report = sender.report;
    import_sender_deinit(&sender);
    fclose(file);
    return report;
}

static void expect_round_trip(const struct dump_options *options)
{
    struct store_box source;
    struct target target;
    struct dump_report before, after;
    fill(&source);
    target_open(&target);
    struct str first = dump(&source, options, &before);
    struct import_report report = import_text(&target, first);
    assert_int_equal(report.samples, before.samples);
    assert_int_equal(report.refused, 0);
    struct str second = dump(&target.box, options, &after);
    assert_int_equal(first.len, second.len);
    assert_memory_equal(first.ptr, second.ptr, first.len);
    report = import_text(&target, first); /* again does no harm */
    assert_int_equal(report.refused, 0);
    target_close(&target);
    store_box_deinit(&source);
}

TEST(what_is_dumped_and_imported_is_dumped_again_as_the_same_text)
{
    expect_round_trip(&everything);
}

TEST(an_exact_dump_brings_stale_markers_and_payloads_over)
{
    expect_round_trip(&exactly);
}

TEST(an_import_reports_what_the_server_refuses)
{
    struct target target;
    target_open(&target);
    struct import_report report = import_text(&target, STR("up 1 1700000000.000\n"
                                                           "up 2 1700000001.000\n"
                                                           "up 3 1700000001.000\n"
                                                           "up 4 1700000002.000\n"));
    assert_int_equal(report.samples, 3);
    assert_int_equal(report.refused, 1);
    assert_int_equal(report.first_refused_line, 3);
    assert_true(str_starts_with(str_from(report.first_refusal),
                                STR("1 of 1 samples were refused: 1 duplicate-timestamp")));
    target_close(&target);
}

TEST_MAIN(RUN(a_dump_has_blocks_and_log_of_all_tenants), RUN(an_exact_dump_keeps_every_bit),
          RUN(a_dump_is_narrowed_by_selector_and_time),
          RUN(a_dump_refuses_a_bad_selector_and_a_folder_without_data),
          RUN(a_dump_leaves_out_what_is_damaged_and_says_so),
          RUN(what_is_dumped_and_imported_is_dumped_again_as_the_same_text),
          RUN(an_exact_dump_brings_stale_markers_and_payloads_over),
          RUN(an_import_reports_what_the_server_refuses))
