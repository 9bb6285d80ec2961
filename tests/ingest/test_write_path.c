#include "ingest/write_path.h"

#include "base/check.h"
#include "base/mem.h"
#include "base/thread.h"
#include "tests/support/fake_store.h"
#include "tests/support/message.h"
#include "tests/support/test.h"

/* A write path over a fake store, and the one write that a case is about. */
struct rig {
    struct store store;
    struct tenant_table *tenants;
    struct metadata *metadata;
    struct write_counters counters;
    struct write_path *path;
    struct arena arena;
    struct buffer message;
    struct write_job *job;
    unsigned done_count;
};

struct rig_job {
    struct write_job job;
    struct rig *rig;
};

static void note_done(struct write_job *job)
{
    ((struct rig_job *)job)->rig->done_count++;
}

static void rig_init(struct rig *rig)
{
    struct error err;
    struct tenant_table_options tenant_options = {
        .shard_count = 4, .tenants_max = 5, .default_tenant = STR("anonymous")};
    *rig = (struct rig){0};
    fake_store_init(&rig->store);
    expect_ok(tenant_table_open(&tenant_options, &rig->tenants, &err));
    rig->store.tenants = rig->tenants;
    rig->metadata = metadata_new(100);
    struct write_path_options options = {
        .store = &rig->store,
        .tenants = rig->tenants,
        .metadata = rig->metadata,
        .counters = &rig->counters,
        .scan = write_scan_options_default(),
        .decoded_max_bytes = 1 << 20,
    };
    options.scan.labels_per_series_max = 5;
    options.scan.samples_max = 20;
    rig->path = write_path_new(&options);
    arena_init(&rig->arena, SIZE_MAX);
    buffer_init(&rig->message, SIZE_MAX);
    struct rig_job *job = mem_alloc_zeroed(1, sizeof *job);
    job->rig = rig;
    job->job.arena = &rig->arena;
    job->job.done = note_done;
    rig->job = &job->job;
}

static void rig_deinit(struct rig *rig)
{
    assert_false(rig->store.has_bad_identity);
    assert_true(rig->done_count <= 1);
    mem_free(rig->job);
    buffer_deinit(&rig->message);
    arena_deinit(&rig->arena);
    write_path_free(rig->path);
    metadata_free(rig->metadata);
    tenant_table_close(rig->tenants);
    fake_store_deinit(&rig->store);
}

static void add_series(struct rig *rig, const char *labels, double value)
{
    struct sample sample = {1000, value};
    message_add_series_text(&rig->message, labels, &sample, 1);
}

/* The compressed body is gone afterwards: nobody may look at it once write_path_run has
   returned. */
static void run(struct rig *rig)
{
    struct buffer body;
    buffer_init(&body, SIZE_MAX);
    message_compress(&body, buffer_bytes(&rig->message));
    rig->job->body = buffer_bytes(&body);
    write_path_run(rig->path, rig->job);
    buffer_deinit(&body);
}

static void expect_report(struct rig *rig, const char *want)
{
    struct buffer text;
    buffer_init(&text, SIZE_MAX);
    write_report_print(&text, &rig->job->report);
    expect_str(buffer_str(&text), want);
    buffer_deinit(&text);
}

TEST(samples_reach_the_store_under_the_tenant_of_their_label)
{
    struct rig rig;
    rig_init(&rig);
    add_series(&rig, "__name__=up,job=x,tenant_id=a", 1);
    add_series(&rig, "__name__=up,job=x", 2);
    add_series(&rig, "__name__=up,tenant_id=b", 3);
    run(&rig);
    assert_int_equal(rig.done_count, 1);
    assert_int_equal(rig.job->status, STATUS_OK);
    assert_int_equal(write_report_refused(&rig.job->report), 0);
    expect_str(buffer_str(&rig.store.written), "a up{job=\"x\", tenant_id=\"a\"} 1@1000\n"
                                               "anonymous up{job=\"x\"} 2@1000\n"
                                               "b up{tenant_id=\"b\"} 3@1000\n");
    assert_int_equal(counter_get(&rig.counters.samples_written), 3);
    assert_int_equal(counter_get(&rig.counters.samples_received), 3);
    rig_deinit(&rig);
}

TEST(the_tenant_of_the_request_takes_everything)
{
    struct rig rig;
    struct tenant_id tenant = {.len = 1, .text = "h"};
    rig_init(&rig);
    rig.job->tenant = &tenant;
    add_series(&rig, "__name__=up,tenant_id=a", 1);
    add_series(&rig, "__name__=up,tenant_id=..", 2);
    run(&rig);
    expect_str(buffer_str(&rig.store.written), "h up{tenant_id=\"a\"} 1@1000\n"
                                               "h up{tenant_id=\"..\"} 2@1000\n");
    rig_deinit(&rig);
}

TEST(bad_series_are_refused_and_the_others_kept)
{
    struct rig rig;
    struct sample three[] = {{1, 1}, {2, 2}, {3, 3}};
    rig_init(&rig);
    rig.store.refused_metric = "too_many";
    add_series(&rig, "__name__=up,tenant_id=a/b", 1);
    add_series(&rig, "__name__=up", 2);
    message_add_series_text(&rig.message, "__name__=too_many", three, 3);
    add_series(&rig, "__name__=up,l1=1,l2=2,l3=3,l4=4,l5=5", 4);
    add_series(&rig, "__name__=up,tenant_id=c", 5);
    run(&rig);
    assert_int_equal(rig.job->status, STATUS_OK);
    expect_str(buffer_str(&rig.store.written), "anonymous up 2@1000\n"
                                               "c up{tenant_id=\"c\"} 5@1000\n");
    expect_report(&rig, "5 of 7 samples were refused: 1 max-label-names-per-series "
                        "(err-croft-max-label-names-per-series): "
                        "labels: too many, got 6, want at most 5: "
                        "up{l1=\"1\", l2=\"2\", l3=\"3\", l4=\"4\"}; "
                        "3 max-series (err-croft-max-series): "
                        "tenant \"anonymous\" has 7 active series, limit max_series is 7; "
                        "1 invalid-tenant (err-croft-invalid-tenant): tenant id: want only "
                        "0-9 A-Z a-z ! - _ . * ' ( ), got \"a/b\"");
    assert_int_equal(counter_get(&rig.counters.samples_refused[REFUSAL_MAX_SERIES]), 3);
    assert_int_equal(counter_get(&rig.counters.samples_refused[REFUSAL_MAX_LABEL_NAMES]), 1);
    assert_int_equal(
        counter_get(&rig.counters.samples_refused[REFUSAL_COUNT + WRITE_REFUSAL_INVALID_TENANT]),
        1);
    assert_int_equal(counter_get(&rig.counters.samples_written), 2);
    rig_deinit(&rig);
}

TEST(tenants_beyond_their_number_are_refused_and_the_known_kept)
{
    struct rig rig;
    rig_init(&rig);
    add_series(&rig, "__name__=up,tenant_id=t1", 1);
    add_series(&rig, "__name__=up,tenant_id=t2", 1);
    add_series(&rig, "__name__=up,tenant_id=t3", 1);
    add_series(&rig, "__name__=up,tenant_id=t4", 1);
    add_series(&rig, "__name__=up,tenant_id=t5", 1);
    add_series(&rig, "__name__=up,tenant_id=t1", 2);
    run(&rig);
    assert_int_equal(rig.job->report.stored.samples_written, 5);
    expect_report(&rig, "1 of 6 samples were refused: 1 max-tenants (err-croft-max-tenants): "
                        "tenants: too many, got a new one (t5), want at most 5");
    rig_deinit(&rig);
}

TEST(native_histograms_are_refused_and_exemplars_skipped)
{
    struct rig rig;
    struct buffer series;
    rig_init(&rig);
    buffer_init(&series, SIZE_MAX);
    message_add_label(&series, (struct label){STR("__name__"), STR("latency")});
    message_add_sample(&series, (struct sample){1000, 1});
    message_add_bytes(&series, 3, bytes_of_str(STR("exemplar")));
    message_add_bytes(&series, 4, bytes_of_str(STR("histogram")));
    message_add_bytes(&rig.message, 1, buffer_bytes(&series));
    run(&rig);
    expect_str(buffer_str(&rig.store.written), "anonymous latency 1@1000\n");
    expect_report(&rig, "1 of 2 samples were refused: 1 native-histogram "
                        "(err-croft-native-histogram): native histograms: not supported yet, "
                        "want float samples");
    assert_int_equal(counter_get(&rig.counters.exemplars_skipped), 1);
    buffer_deinit(&series);
    rig_deinit(&rig);
}

static void expect_nothing_done(struct rig *rig)
{
    assert_int_equal(rig->done_count, 1);
    assert_int_equal(rig->job->status, STATUS_OK);
    assert_int_equal(write_report_refused(&rig->job->report), 0);
    assert_int_equal(rig->store.write_count, 0);
}

TEST(a_message_without_samples_is_done_at_once)
{
    struct rig rig;
    rig_init(&rig);
    run(&rig);
    expect_nothing_done(&rig);
    rig_deinit(&rig);

    rig_init(&rig);
    rig.job->body = (struct bytes){0};
    write_path_run(rig.path, rig.job);
    expect_nothing_done(&rig);
    rig_deinit(&rig);

    rig_init(&rig);
    message_add_series_text(&rig.message, "__name__=up,tenant_id=t1", NULL, 0);
    run(&rig);
    expect_nothing_done(&rig);
    assert_int_equal(tenant_table_count(rig.tenants), 1);
    rig_deinit(&rig);
}

TEST(done_comes_when_the_commit_is_durable_and_not_before)
{
    struct rig rig;
    rig_init(&rig);
    rig.store.is_deferred = true;
    add_series(&rig, "__name__=up", 1);
    run(&rig);
    assert_int_equal(rig.done_count, 0);
    assert_int_equal(counter_get(&rig.counters.samples_written), 0);
    fake_store_commit(&rig.store, STATUS_OK);
    assert_int_equal(rig.done_count, 1);
    assert_int_equal(rig.job->status, STATUS_OK);
    assert_int_equal(counter_get(&rig.counters.samples_written), 1);
    rig_deinit(&rig);
}

TEST(a_commit_that_fails_makes_the_whole_write_unavailable)
{
    struct rig rig;
    rig_init(&rig);
    rig.store.is_deferred = true;
    rig.store.refused_metric = "too_many";
    add_series(&rig, "__name__=up", 1);
    add_series(&rig, "__name__=too_many", 1);
    run(&rig);
    fake_store_commit(&rig.store, STATUS_UNAVAILABLE);
    assert_int_equal(rig.job->status, STATUS_UNAVAILABLE);
    expect_str(str_from(rig.job->err.text), "write: could not be made durable, try again");
    assert_int_equal(counter_get(&rig.counters.samples_written), 0);
    rig_deinit(&rig);
}

TEST(a_store_that_takes_no_writes_is_passed_on)
{
    struct rig rig;
    rig_init(&rig);
    rig.store.answer = STATUS_UNAVAILABLE;
    add_series(&rig, "__name__=up", 1);
    run(&rig);
    assert_int_equal(rig.done_count, 1);
    assert_int_equal(rig.job->status, STATUS_UNAVAILABLE);
    expect_str(str_from(rig.job->err.text), "store: the log of shard 3 cannot take writes now");
    rig_deinit(&rig);
}

static void expect_refused(struct str body, enum status want, const char *text)
{
    struct rig rig;
    rig_init(&rig);
    rig.job->body = bytes_of_str(body);
    write_path_run(rig.path, rig.job);
    assert_int_equal(rig.done_count, 1);
    assert_int_equal(rig.job->status, want);
    expect_str(str_from(rig.job->err.text), text);
    assert_int_equal(rig.store.write_count, 0);
    rig_deinit(&rig);
}

TEST(what_cannot_be_read_writes_nothing)
{
    expect_refused(STR("\xff\xff"), STATUS_INVALID,
                   "snappy: the body does not begin with a length, got 2 bytes");
    expect_refused(STR("\x81\x80\x40xx"), STATUS_LIMIT,
                   "snappy: declared length too large, got 1048577, want at most 1048576");
    expect_refused(STR("\x02\x04\x0a\x07"), STATUS_INVALID,
                   "write request: after 0 series and 0 metadata entries: "
                   "series: length runs past the end at byte 1, got 7, want at most 0");
}

TEST(a_message_over_a_limit_writes_nothing)
{
    struct rig rig;
    struct sample samples[21] = {{0, 0}};
    rig_init(&rig);
    message_add_series_text(&rig.message, "__name__=up", samples, 21);
    run(&rig);
    assert_int_equal(rig.job->status, STATUS_LIMIT);
    expect_str(str_from(rig.job->err.text), "write request: too many samples, want at most 20");
    assert_int_equal(rig.store.write_count, 0);
    rig_deinit(&rig);
}

static struct metric_metadata only_metadata_of(struct rig *rig, const struct tenant *tenant)
{
    struct metric_metadata *list;
    size_t count;
    metadata_list(rig->metadata, tenant, &rig->arena, &list, &count);
    assert_int_equal(count, 1);
    return list[0];
}

TEST(metadata_goes_to_the_tenant_of_the_request_or_the_default_one)
{
    struct rig rig;
    struct tenant_id tenant = {.len = 1, .text = "h"};
    rig_init(&rig);
    message_add_metadata(&rig.message, 1, "http_total", "Requests.", "");
    run(&rig);
    expect_str(only_metadata_of(&rig, tenant_table_default(rig.tenants)).help, "Requests.");
    rig.done_count = 0;
    rig.job->tenant = &tenant;
    run(&rig);
    assert_null(tenant_table_find(rig.tenants, STR("h"))); /* a tenant is made by a series */
    rig.done_count = 0;
    add_series(&rig, "__name__=http_total", 1);
    run(&rig);
    struct metric_metadata found = only_metadata_of(&rig, tenant_table_find(rig.tenants, STR("h")));
    expect_str(found.metric, "http_total");
    assert_int_equal(found.type, METRIC_COUNTER);
    assert_int_equal(counter_get(&rig.counters.metadata_received), 3);
    rig_deinit(&rig);
}

TEST(unsorted_labels_and_fields_in_any_order_arrive_as_they_are)
{
    struct rig rig;
    struct buffer series;
    rig_init(&rig);
    buffer_init(&series, SIZE_MAX);
    message_add_sample(&series, (struct sample){1000, 1});
    message_add_label(&series, (struct label){STR("tenant_id"), STR("z")});
    message_add_label(&series, (struct label){STR("__name__"), STR("up")});
    message_add_bytes(&rig.message, 1, buffer_bytes(&series));
    add_series(&rig, "z=1,__name__=up", 2);
    run(&rig);
    expect_str(buffer_str(&rig.store.written), "z up{tenant_id=\"z\"} 1@1000\n"
                                               "anonymous up{z=\"1\"} 2@1000\n");
    buffer_deinit(&series);
    rig_deinit(&rig);
}

enum { WRITER_COUNT = 3, WRITES_PER_WRITER = 100 };

static void write_many(void *context)
{
    struct rig *rig = context;
    struct buffer body;
    struct arena arena;
    struct rig own = {.path = rig->path};
    buffer_init(&body, SIZE_MAX);
    arena_init(&arena, SIZE_MAX);
    message_compress(&body, buffer_bytes(&rig->message));
    for (unsigned i = 0; i < WRITES_PER_WRITER; i++) {
        struct rig_job *job = arena_alloc_zeroed(&arena, sizeof *job);
        job->rig = &own;
        job->job.body = buffer_bytes(&body);
        job->job.arena = &arena;
        job->job.done = note_done;
        write_path_run(rig->path, &job->job);
        CHECK(job->job.report.stored.samples_written == 2);
        arena_reset(&arena);
    }
    CHECK(own.done_count == WRITES_PER_WRITER);
    arena_deinit(&arena);
    buffer_deinit(&body);
}

TEST(many_threads_may_write)
{
    struct rig rig;
    struct thread writers[WRITER_COUNT] = {0};
    rig_init(&rig);
    add_series(&rig, "__name__=up,tenant_id=a", 1);
    add_series(&rig, "__name__=up,tenant_id=b", 1);
    message_add_metadata(&rig.message, 1, "up", "Whether it is up.", "");
    for (unsigned i = 0; i < WRITER_COUNT; i++)
        thread_start(&writers[i], "writer", write_many, &rig);
    for (unsigned i = 0; i < WRITER_COUNT; i++)
        thread_join(&writers[i]);
    assert_int_equal(counter_get(&rig.counters.samples_written),
                     2 * WRITER_COUNT * WRITES_PER_WRITER);
    rig_deinit(&rig);
}

TEST_MAIN(RUN(samples_reach_the_store_under_the_tenant_of_their_label),
          RUN(the_tenant_of_the_request_takes_everything),
          RUN(bad_series_are_refused_and_the_others_kept),
          RUN(tenants_beyond_their_number_are_refused_and_the_known_kept),
          RUN(native_histograms_are_refused_and_exemplars_skipped),
          RUN(a_message_without_samples_is_done_at_once),
          RUN(done_comes_when_the_commit_is_durable_and_not_before),
          RUN(a_commit_that_fails_makes_the_whole_write_unavailable),
          RUN(a_store_that_takes_no_writes_is_passed_on), RUN(what_cannot_be_read_writes_nothing),
          RUN(a_message_over_a_limit_writes_nothing),
          RUN(metadata_goes_to_the_tenant_of_the_request_or_the_default_one),
          RUN(many_threads_may_write),
          RUN(unsorted_labels_and_fields_in_any_order_arrive_as_they_are))
