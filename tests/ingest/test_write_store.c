/* The write path in front of the real store, on a simulated disk and clock. */
#include <stdio.h>

#include "base/clock.h"
#include "base/mem.h"
#include "base/sim_disk.h"
#include "ingest/write_path.h"
#include "tests/support/message.h"
#include "tests/support/test.h"
#include "tsdb/store/select.h"

enum { SHARD_COUNT = 3, HOUR_MS = 3600000 };

static const int64_t now_ms = INT64_C(1700000000000);

static struct {
    struct sim_disk *sim;
    struct disk *disk;
    struct sim_clock clock;
    struct store *store;
    struct metadata *metadata;
    struct ha_tracker *ha_tracker;
    struct charge *charge;
    struct write_counters counters;
    struct write_path *path;
    struct arena arena;
    struct buffer message;
    struct write_job *job;
    const struct tenant_id *named; /* by the sender of the next writes; NULL for none */
    unsigned done_count;
} rig;

static void note_done(struct write_job *job)
{
    assert_ptr_equal(job, rig.job);
    rig.done_count++;
}

static void open_store(void)
{
    struct error err;
    struct store_options options = {
        .disk = rig.disk,
        .clock = &rig.clock.base,
        .shard_count = SHARD_COUNT,
        .default_tenant = STR("anonymous"),
        .tenant_label = STR("tenant_id"),
        .tenants_max = 10,
        .label_limits = {.labels_max = 64, .name_len_max = 1024, .value_len_max = 4096},
        .retention_ms = INT64_C(24) * HOUR_MS,
        .future_max_ms = HOUR_MS,
        .idle_ms = HOUR_MS,
        .is_manual = true,
    };
    expect_ok(store_open(&options, &rig.store, &err));
}

static void open_path(void)
{
    rig.ha_tracker = ha_tracker_new(&rig.clock.base);
    struct write_path_options options = {
        .store = rig.store,
        .tenants = store_tenants(rig.store),
        .metadata = rig.metadata,
        .counters = &rig.counters,
        .ha_tracker = rig.ha_tracker,
        .scan = write_scan_options_default(),
        .decoded_max_bytes = 1 << 20,
    };
    rig.path = write_path_new(&options);
}

static int begin(void **state)
{
    (void)state;
    memset(&rig, 0, sizeof rig);
    rig.sim = sim_disk_new(1);
    rig.disk = sim_disk_disk(rig.sim);
    sim_clock_init(&rig.clock, now_ms);
    open_store();
    rig.metadata = metadata_new(100);
    open_path();
    arena_init(&rig.arena, SIZE_MAX);
    buffer_init(&rig.message, SIZE_MAX);
    return 0;
}

static int end(void **state)
{
    (void)state;
    buffer_deinit(&rig.message);
    arena_deinit(&rig.arena);
    write_path_free(rig.path);
    ha_tracker_free(rig.ha_tracker);
    metadata_free(rig.metadata);
    store_close(rig.store);
    disk_close(rig.disk);
    sim_disk_free(rig.sim);
    return 0;
}

static void add_series(const char *labels, int64_t age_ms, double value)
{
    struct sample sample = {now_ms - age_ms, value};
    message_add_series_text(&rig.message, labels, &sample, 1);
}

/* Hands the message to the path, and takes a new one. */
static void start_write(void)
{
    struct buffer body;
    buffer_init(&body, SIZE_MAX);
    message_compress(&body, buffer_bytes(&rig.message));
    rig.job = arena_alloc_zeroed(&rig.arena, sizeof *rig.job);
    rig.job->body = buffer_bytes(&body);
    rig.job->tenant = rig.named;
    rig.job->arena = &rig.arena;
    rig.job->charge = rig.charge;
    rig.job->done = note_done;
    rig.done_count = 0;
    write_path_run(rig.path, rig.job);
    buffer_deinit(&body);
    buffer_reset(&rig.message);
}

static void write_message(void)
{
    struct error err;
    start_write();
    for (uint32_t shard = 0; shard < SHARD_COUNT; shard++)
        expect_ok(store_commit(rig.store, shard, &err));
    assert_int_equal(rig.done_count, 1);
    assert_int_equal(rig.job->status, STATUS_OK);
}

static void expect_report(const char *want)
{
    struct buffer text;
    buffer_init(&text, SIZE_MAX);
    write_report_print(&text, &rig.job->report);
    expect_str(buffer_str(&text), want);
    buffer_deinit(&text);
}

static void print_series(struct buffer *out, struct selection *selection, size_t index)
{
    struct error err;
    struct columns columns;
    columns_init(&columns);
    labels_print(out, select_labels(selection, index), 1000);
    expect_ok(select_read(selection, index, INT64_MIN, INT64_MAX, &columns, &err));
    for (size_t i = 0; i < columns.count; i++)
        buffer_append_format(out, " %g@%lld", columns.values[i],
                             (long long)(columns.ts_ms[i] - now_ms));
    buffer_append_byte(out, '\n');
    columns_deinit(&columns);
}

/* Everything that the tenant has, one series per line, timestamps relative to now. */
static void expect_stored(const char *tenant, const char *want)
{
    struct error err;
    struct buffer got;
    struct selection *selection;
    struct tenant_id id;
    buffer_init(&got, SIZE_MAX);
    expect_ok(tenant_id_parse(str_from(tenant), &id, &err));
    struct scope scope = {.tenants = &id, .tenant_count = 1};
    struct select_options options = {
        .scope = &scope, .min_ts_ms = INT64_MIN, .max_ts_ms = INT64_MAX};
    expect_ok(select_open(rig.store, &options, &selection, &err));
    for (size_t i = 0; i < select_count(selection); i++)
        print_series(&got, selection, i);
    expect_str(buffer_str(&got), want);
    select_close(selection);
    buffer_deinit(&got);
}

TEST(samples_of_many_tenants_are_read_back_each_from_its_own)
{
    add_series("__name__=up,job=x,tenant_id=a", 1000, 1);
    add_series("__name__=up,job=x,tenant_id=b", 1000, 2);
    add_series("__name__=up,job=x", 1000, 3);
    add_series("__name__=up,job=x,tenant_id=a", 0, 4);
    write_message();
    assert_int_equal(write_report_refused(&rig.job->report), 0);
    expect_stored("a", "up{job=\"x\", tenant_id=\"a\"} 1@-1000 4@0\n");
    expect_stored("b", "up{job=\"x\", tenant_id=\"b\"} 2@-1000\n");
    expect_stored("anonymous", "up{job=\"x\"} 3@-1000\n");
}

TEST(done_waits_for_every_shard)
{
    struct error err;
    add_series("__name__=up,tenant_id=a", 0, 1);
    add_series("__name__=up,tenant_id=b", 0, 1);
    add_series("__name__=up,tenant_id=c", 0, 1);
    add_series("__name__=up,tenant_id=d", 0, 1);
    start_write();
    for (uint32_t shard = 0; shard < SHARD_COUNT; shard++) {
        assert_true(rig.done_count == 0 || shard > 0);
        expect_ok(store_commit(rig.store, shard, &err));
    }
    assert_int_equal(rig.done_count, 1);
    assert_int_equal(counter_get(&rig.counters.samples_written), 4);
}

TEST(labels_in_any_order_and_empty_ones_are_one_series)
{
    add_series("__name__=up,instance=i,job=x", 3000, 1);
    add_series("job=x,__name__=up,instance=i", 2000, 2);
    add_series("__name__=up,instance=i,job=x,zone=", 1000, 3);
    write_message();
    add_series("instance=i,job=x,__name__=up", 0, 4);
    write_message();
    expect_stored("anonymous", "up{instance=\"i\", job=\"x\"} 1@-3000 2@-2000 3@-1000 4@0\n");
}

TEST(a_repeated_write_is_fine_and_another_value_is_refused)
{
    add_series("__name__=up", 1000, 1);
    write_message();
    add_series("__name__=up", 1000, 1);
    add_series("__name__=up", 0, 2);
    write_message();
    assert_int_equal(write_report_refused(&rig.job->report), 0);
    assert_int_equal(rig.job->report.stored.samples_written, 2);
    add_series("__name__=up", 1000, 7);
    add_series("__name__=other", 0, 1);
    write_message();
    assert_int_equal(rig.job->report.stored.samples_refused[REFUSAL_DUPLICATE_TIMESTAMP], 1);
    assert_int_equal(write_report_refused(&rig.job->report), 1);
    expect_stored("anonymous", "other 1@0\nup 1@-1000 2@0\n");
}

TEST(bad_label_sets_and_bad_times_are_refused_and_the_rest_is_kept)
{
    add_series("job=x", 0, 1);
    add_series("__name__=up,job=x,job=y", 0, 1);
    add_series("__name__=up,job=\xff", 0, 1);
    add_series("__name__=up", -2 * HOUR_MS, 1);
    add_series("__name__=up", INT64_C(25) * HOUR_MS, 1);
    add_series("__name__=up,job=\xc3\xa9", 0, 1);
    write_message();
    assert_int_equal(rig.job->report.stored.samples_refused[REFUSAL_INVALID_LABELS], 3);
    assert_int_equal(rig.job->report.stored.samples_refused[REFUSAL_TOO_FAR_IN_FUTURE], 1);
    assert_int_equal(rig.job->report.stored.samples_refused[REFUSAL_TOO_OLD], 1);
    expect_stored("anonymous", "up{job=\"\xc3\xa9\"} 1@0\n");
}

TEST(at_the_limit_known_series_flow_and_new_ones_are_refused)
{
    struct tenant_limits limits = tenant_limits_default();
    limits.max[LIMIT_HARD][TENANT_LIMIT_MAX_SERIES] = 2;
    tenant_table_set_limits(store_tenants(rig.store), &limits, NULL, NULL, 0);
    add_series("__name__=a", 1000, 1);
    add_series("__name__=b", 1000, 1);
    write_message();
    add_series("__name__=c", 0, 1);
    add_series("__name__=a", 0, 2);
    add_series("__name__=a,tenant_id=other", 0, 1);
    write_message();
    expect_report(
        "1 of 3 samples were refused: 1 max-series (err-croft-max-series): "
        "tenant \"anonymous\" has 2 active series, limit max_series is 2: refused 1 new "
        "series of metric \"c\"; label \"__name__\" has the most new values (1 in the "
        "first 1), such as \"c\"; to raise it: tenants: {anonymous: {limits: {max_series: "
        "...}}}");
    expect_stored("anonymous", "a 1@-1000 2@0\nb 1@-1000\n");
    expect_stored("other", "a{tenant_id=\"other\"} 1@0\n");
}

static void accept_ha(void)
{
    struct tenant_limits limits = tenant_limits_default();
    limits.max[LIMIT_HARD][TENANT_LIMIT_ACCEPT_HA] = 1;
    limits.max[LIMIT_HARD][TENANT_LIMIT_HA_MAX_CLUSTERS] = 2;
    tenant_table_set_limits(store_tenants(rig.store), &limits, NULL, NULL, 0);
}

/* For the tenant, and remembered with it. */
static void expect_counted(enum refusal_reason reason, uint64_t samples)
{
    const struct tenant *tenant = tenant_table_default(store_tenants(rig.store));
    struct refusal last;
    assert_int_equal(counter_get(&tenant->samples_refused_for[reason]), samples);
    assert_true(store_last_refusal(rig.store, tenant, reason, &last));
    assert_string_equal(last.why.text, rig.job->report.stored.first[reason].text);
}

static void expect_outcome(uint64_t written, uint64_t deduplicated)
{
    assert_int_equal(rig.job->report.stored.samples_written, written);
    assert_int_equal(rig.job->report.samples_deduplicated, deduplicated);
    assert_int_equal(write_report_refused(&rig.job->report), 0);
}

TEST(of_an_ha_pair_each_sample_is_stored_once)
{
    accept_ha();
    for (int64_t age_ms = 3000; age_ms > 0; age_ms -= 1000) {
        add_series("__name__=up,__replica__=r1,cluster=c,job=j", age_ms, 1);
        add_series("cluster=c,__replica__=r1,job=k,__name__=up", age_ms, 1); /* not sorted */
        write_message();
        expect_outcome(2, 0);
        add_series("__name__=up,__replica__=r2,cluster=c,job=j", age_ms - 300, 2);
        add_series("cluster=c,__replica__=r2,job=k,__name__=up", age_ms - 300, 2);
        write_message();
        expect_outcome(0, 2);
        expect_str(
            str_from(rig.job->report.deduplicated.text),
            "tenant \"anonymous\": cluster \"c\" is kept from replica \"r1\", not from \"r2\"");
    }
    expect_stored("anonymous", "up{cluster=\"c\", job=\"j\"} 1@-3000 1@-2000 1@-1000\n"
                               "up{cluster=\"c\", job=\"k\"} 1@-3000 1@-2000 1@-1000\n");
    sim_clock_advance(&rig.clock, HA_FAILOVER_MS);
    add_series("__name__=up,__replica__=r2,cluster=c,job=j", 0, 2);
    write_message();
    expect_outcome(1, 0);
    struct tenant *tenant = tenant_table_default(store_tenants(rig.store));
    assert_int_equal(counter_get(&tenant->samples_deduplicated), 6);
    assert_int_equal(counter_get(&tenant->active_series), 2);
}

TEST(what_is_not_of_an_ha_pair_passes_as_it_is)
{
    accept_ha();
    add_series("__name__=a,__replica__=r1", 0, 1);
    add_series("__name__=b,cluster=c", 0, 1);
    add_series("__name__=c,__replica__=,cluster=c", 0, 1);
    write_message();
    add_series("__name__=a,__replica__=r2", 0, 1);
    write_message();
    expect_outcome(1, 0);
    expect_stored("anonymous", "a{__replica__=\"r1\"} 1@0\na{__replica__=\"r2\"} 1@0\n"
                               "b{cluster=\"c\"} 1@0\nc{cluster=\"c\"} 1@0\n");
}

TEST(each_tenant_names_the_labels_of_its_ha_pairs)
{
    struct tenant_limits all = tenant_limits_default(), own;
    struct tenant_id id;
    struct error err;
    all.max[LIMIT_HARD][TENANT_LIMIT_ACCEPT_HA] = 1;
    own = all;
    snprintf(own.texts.of[TENANT_TEXT_HA_CLUSTER_LABEL], TENANT_TEXT_LEN_MAX, "team");
    snprintf(own.texts.of[TENANT_TEXT_HA_REPLICA_LABEL], TENANT_TEXT_LEN_MAX, "prometheus");
    expect_ok(tenant_id_parse(STR("own"), &id, &err));
    tenant_table_set_limits(store_tenants(rig.store), &all, &id, &own, 1);
    for (int replica = 1; replica <= 2; replica++) {
        char labels[100];
        snprintf(labels, sizeof labels, "__name__=a,__replica__=%d,cluster=c", replica);
        add_series(labels, 0, replica);
        snprintf(labels, sizeof labels, "__name__=b,prometheus=%d,team=t,tenant_id=own", replica);
        add_series(labels, 0, replica);
        snprintf(labels, sizeof labels, "__name__=c,__replica__=%d,cluster=c,tenant_id=own",
                 replica);
        add_series(labels, 0, replica);
    }
    write_message();
    expect_outcome(4, 2);
    expect_stored("anonymous", "a{cluster=\"c\"} 1@0\n");
    expect_stored("own", "b{team=\"t\", tenant_id=\"own\"} 1@0\n"
                         "c{__replica__=\"1\", cluster=\"c\", tenant_id=\"own\"} 1@0\n"
                         "c{__replica__=\"2\", cluster=\"c\", tenant_id=\"own\"} 2@0\n");
}

TEST(a_tenant_that_does_not_accept_ha_pairs_stores_what_is_sent)
{
    add_series("__name__=a,__replica__=r1,cluster=c", 0, 1);
    add_series("__name__=a,__replica__=r2,cluster=c", 0, 1);
    write_message();
    expect_outcome(2, 0);
    expect_stored("anonymous", "a{__replica__=\"r1\", cluster=\"c\"} 1@0\n"
                               "a{__replica__=\"r2\", cluster=\"c\"} 1@0\n");
}

TEST(a_write_has_as_many_bytes_as_the_limit_of_its_tenant_says)
{
    struct tenant_limits limits = tenant_limits_default();
    struct tenant_id id;
    struct error err;
    expect_ok(tenant_id_parse(STR("a"), &id, &err));
    rig.named = &id;
    for (int more = -1; more <= 1; more++) {
        add_series("__name__=m,n=1", 0, 1);
        size_t max = (size_t)((int64_t)rig.message.len + more);
        limits.max[LIMIT_HARD][TENANT_LIMIT_MAX_REQUEST_BYTES] = max;
        tenant_table_set_limits(store_tenants(rig.store), &limits, NULL, NULL, 0);
        if (more >= 0) {
            write_message();
            continue;
        }
        start_write();
        assert_int_equal(rig.job->status, STATUS_LIMIT);
        assert_non_null(strstr(rig.job->err.text, "limit max_request_bytes is "));
        assert_int_equal(rig.job->report.stored.samples_written, 0);
    }
    expect_stored("a", "m{n=\"1\"} 1@0\n");
}

/* Of a write to a path without buffers: the body, the arrays of its scan, the series, and what the
   store says. */
static size_t needed_bytes(void)
{
    struct write_scan scan;
    struct write_scan_options options = write_scan_options_default();
    struct error err;
    write_scan_init(&scan);
    expect_ok(write_scan_run(&scan, &options, buffer_bytes(&rig.message), &err));
    struct write_series *series = mem_alloc_zeroed(scan.series_count, sizeof *series);
    for (size_t i = 0; i < scan.series_count; i++) {
        series[i].label_count = scan.series[i].label_count;
        series[i].sample_count = scan.series[i].sample_count;
    }
    size_t bytes = rig.message.len + write_scan_memory_bytes(&scan) +
                   mem_grown_capacity(0, scan.series_count) * sizeof *series +
                   store_write_memory_max(series, scan.series_count);
    mem_free(series);
    write_scan_deinit(&scan);
    return bytes;
}

TEST(a_write_is_taken_when_its_sender_may_hold_what_it_needs)
{
    struct charge charge;
    for (int more = -1; more <= 1; more++) {
        char labels[32];
        for (int i = 0; i < 100; i++) {
            snprintf(labels, sizeof labels, "__name__=m,n=%02d", i);
            add_series(labels, 0, 1);
        }
        /* alone he may hold a half */
        struct budget *budget = budget_new("request-memory", 2 * (needed_bytes() + (size_t)more));
        charge_init(&charge, budget, STR("a"));
        rig.charge = &charge;
        write_path_free(rig.path);
        ha_tracker_free(rig.ha_tracker);
        open_path();
        if (more >= 0) {
            write_message();
            expect_outcome(100, 0);
        } else {
            start_write();
            assert_int_equal(rig.job->status, STATUS_UNAVAILABLE);
            assert_non_null(strstr(rig.job->err.text, "(err-croft-request-memory)"));
            assert_int_equal(rig.job->report.stored.samples_written, 0);
        }
        assert_int_equal(budget_held_bytes(budget), 0);
        charge_deinit(&charge);
        budget_free(budget);
        rig.charge = NULL;
    }
}

TEST(one_cluster_too_many_refuses_its_series_only)
{
    accept_ha();
    add_series("__name__=a,__replica__=r,cluster=c1", 0, 1);
    add_series("__name__=a,__replica__=r,cluster=c2", 0, 1);
    add_series("__name__=a,__replica__=r,cluster=c3", 0, 1);
    add_series("__name__=b,__replica__=r,cluster=c2", 0, 1);
    write_message();
    assert_int_equal(rig.job->report.stored.samples_written, 3);
    expect_report(
        "1 of 4 samples were refused: 1 ha-max-clusters (err-croft-ha-max-clusters): tenant "
        "\"anonymous\" has 2 HA clusters, limit ha_max_clusters is 2: refused cluster \"c3\"; to "
        "raise it: tenants: {anonymous: {limits: {ha_max_clusters: ...}}}");
    expect_counted(REFUSAL_HA_MAX_CLUSTERS, 1);
}

TEST(a_name_of_a_replica_is_taken_up_to_its_limit)
{
    char series[300];
    accept_ha();
    for (int len = HA_TEXT_LEN_MAX - 1; len <= HA_TEXT_LEN_MAX + 1; len++) {
        snprintf(series, sizeof series, "__name__=m%d,__replica__=%0*d,cluster=c%d", len, len, 1,
                 len % 2);
        add_series(series, 0, 1);
    }
    write_message();
    assert_int_equal(rig.job->report.stored.samples_written, 2);
    expect_report("1 of 3 samples were refused: 1 invalid-labels (err-croft-invalid-labels): HA "
                  "pair: names of cluster and replica: got 2 and 201 bytes, want at most 200");
    expect_counted(REFUSAL_INVALID_LABELS, 1);
}

TEST(a_restart_elects_again_whoever_comes_first)
{
    accept_ha();
    add_series("__name__=a,__replica__=r1,cluster=c", 1000, 1);
    write_message();
    ha_tracker_free(rig.ha_tracker);
    write_path_free(rig.path);
    open_path();
    add_series("__name__=a,__replica__=r2,cluster=c", 0, 2);
    write_message();
    expect_outcome(1, 0);
    expect_stored("anonymous", "a{cluster=\"c\"} 1@-1000 2@0\n");
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, begin, end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(samples_of_many_tenants_are_read_back_each_from_its_own),
        CASE(done_waits_for_every_shard),
        CASE(labels_in_any_order_and_empty_ones_are_one_series),
        CASE(a_repeated_write_is_fine_and_another_value_is_refused),
        CASE(bad_label_sets_and_bad_times_are_refused_and_the_rest_is_kept),
        CASE(at_the_limit_known_series_flow_and_new_ones_are_refused),
        CASE(of_an_ha_pair_each_sample_is_stored_once),
        CASE(what_is_not_of_an_ha_pair_passes_as_it_is),
        CASE(each_tenant_names_the_labels_of_its_ha_pairs),
        CASE(a_tenant_that_does_not_accept_ha_pairs_stores_what_is_sent),
        CASE(a_write_has_as_many_bytes_as_the_limit_of_its_tenant_says),
        CASE(a_write_is_taken_when_its_sender_may_hold_what_it_needs),
        CASE(one_cluster_too_many_refuses_its_series_only),
        CASE(a_name_of_a_replica_is_taken_up_to_its_limit),
        CASE(a_restart_elects_again_whoever_comes_first),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
