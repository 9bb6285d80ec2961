/*
 * The store under several threads at once. A check that fails in a thread ends the process:
 * cmocka's asserts are for the main thread only.
 */
#include "tests/support/store_box.h"

#include <stdio.h>

#include "base/check.h"

enum { WRITERS = 8, BOX_SEED = 11 };

static void open_threaded(struct store_box *box)
{
    struct error err = {0};
    store_box_init(box, BOX_SEED);
    box->options.is_manual = false;
    expect_ok(store_box_open(box, &err));
}

/* ---- the series limit ---- */

enum { SERIES_MAX = 300, SERIES_EACH = 100 };

struct limit_writer {
    struct store_box *box;
    struct thread thread;
    uint64_t seed;
    uint64_t accepted;
};

/* Own series, each once: some are over the limit. */
static void write_own_series(void *context)
{
    struct limit_writer *writer = context;
    for (int i = 0; i < SERIES_EACH; i++) {
        char series[64];
        struct error err;
        struct write_result result;
        snprintf(series, sizeof series, "m writer=%llu n=%d", (unsigned long long)writer->seed, i);
        const struct box_sample sample = {"a", series, BOX_START_MS, 1};
        CHECK(box_write(writer->box, &sample, 1, &result, &err) == STATUS_OK);
        CHECK(result.samples_written + result.samples_refused[REFUSAL_MAX_SERIES] == 1);
        writer->accepted += result.samples_written;
    }
}

/* Everybody's series, again and again, while they go idle. */
static void write_common_series(void *context)
{
    struct limit_writer *writer = context;
    struct random random;
    random_init_seeded(&random, writer->seed);
    struct tenant *tenant = tenant_table_find(store_tenants(writer->box->store), STR("a"));
    for (int i = 0; i < SERIES_EACH; i++) {
        char series[64];
        struct error err;
        struct write_result result;
        snprintf(series, sizeof series, "m writer=%d n=%d", (int)random_below(&random, WRITERS),
                 (int)random_below(&random, SERIES_EACH));
        const struct box_sample sample = {"a", series, BOX_START_MS + i, i};
        CHECK(box_write(writer->box, &sample, 1, &result, &err) == STATUS_OK);
        CHECK(counter_get(&tenant->active_series) <= SERIES_MAX);
        if (random_below(&random, 10) == 0) {
            sim_clock_advance(&writer->box->clock, writer->box->options.idle_ms / 20);
            store_sweep_idle(writer->box->store, tenant->shard);
        }
        if (random_below(&random, 50) == 0)
            CHECK(store_flush_shard(writer->box->store, tenant->shard, &err) == STATUS_OK);
    }
}

static uint64_t run_writers(struct store_box *box, void (*run)(void *context))
{
    struct limit_writer writers[WRITERS];
    uint64_t accepted = 0;
    for (uint64_t i = 0; i < WRITERS; i++) {
        writers[i] = (struct limit_writer){.box = box, .seed = i};
        thread_start(&writers[i].thread, "writer", run, &writers[i]);
    }
    for (int i = 0; i < WRITERS; i++) {
        thread_join(&writers[i].thread);
        accepted += writers[i].accepted;
    }
    return accepted;
}

static size_t count_lines(struct str text)
{
    size_t count = 0;
    for (size_t at = str_find(text, '\n', 0); at < text.len; at = str_find(text, '\n', at + 1))
        count++;
    return count;
}

TEST(the_series_limit_is_exact_under_concurrent_writers)
{
    struct store_box box;
    struct error err = {0};
    struct tenant *tenant;
    open_threaded(&box);
    expect_ok(tenant_table_get(store_tenants(box.store), STR("a"), &tenant, &err));
    counter_set(&tenant->limit_max[LIMIT_HARD][TENANT_LIMIT_MAX_SERIES], SERIES_MAX);
    assert_int_equal(run_writers(&box, write_own_series), SERIES_MAX);
    assert_int_equal(counter_get(&tenant->active_series), SERIES_MAX);
    struct str got;
    const struct box_query query = {.tenants = "a"};
    expect_ok(box_select(&box, &query, &got, &err));
    assert_int_equal(count_lines(got), SERIES_MAX);
    run_writers(&box, write_common_series);
    assert_true(counter_get(&tenant->active_series) <= SERIES_MAX);
    store_box_deinit(&box);
}

/* ---- readers, writers and flushes ---- */

enum { SAMPLES_EACH = 400 };

struct stream {
    struct store_box *box;
    struct thread thread;
    int number;
    struct counter acknowledged; /* samples 0..acknowledged-1 are */
    struct flag *is_over;
};

static void write_stream(void *context)
{
    struct stream *stream = context;
    char tenant[2] = {(char)('a' + stream->number), '\0'};
    for (int i = 0; i < SAMPLES_EACH; i++) {
        struct error err;
        struct write_result result;
        const struct box_sample sample = {tenant, "up", BOX_START_MS + i, i};
        CHECK(box_write(stream->box, &sample, 1, &result, &err) == STATUS_OK);
        CHECK(result.samples_written == 1);
        counter_set(&stream->acknowledged, (uint64_t)i + 1);
    }
}

static void check_stream(struct stream *stream, struct columns *samples)
{
    struct error err;
    struct tenant_id id;
    char tenant[2] = {(char)('a' + stream->number), '\0'};
    CHECK(tenant_id_parse(str_from(tenant), &id, &err) == STATUS_OK);
    const struct scope scope = {.tenants = &id, .tenant_count = 1};
    const struct select_options options = {
        .scope = &scope, .min_ts_ms = INT64_MIN, .max_ts_ms = INT64_MAX};
    uint64_t acknowledged = counter_get(&stream->acknowledged);
    struct selection *selection;
    CHECK(select_open(stream->box->store, &options, &selection, &err) == STATUS_OK);
    CHECK(select_count(selection) == (acknowledged == 0 ? select_count(selection) : 1));
    for (int round = 0; round < 2 && select_count(selection) == 1; round++) {
        CHECK(select_read(selection, 0, INT64_MIN, INT64_MAX, samples, &err) == STATUS_OK);
        CHECK(samples->count >= acknowledged);
        for (size_t i = 0; i < samples->count; i++) {
            CHECK(samples->ts_ms[i] == BOX_START_MS + (int64_t)i);
            CHECK(samples->values[i] == (double)i);
        }
    }
    select_close(selection);
}

static void read_streams(void *context)
{
    struct stream *streams = context;
    struct columns samples;
    columns_init(&samples);
    while (!flag_is_set(streams->is_over)) {
        for (int i = 0; i < WRITERS; i++)
            check_stream(&streams[i], &samples);
    }
    columns_deinit(&samples);
}

/* Series go idle all the time, so that flushes remove them. */
static void flush_streams(void *context)
{
    struct stream *streams = context;
    struct store_box *box = streams->box;
    while (!flag_is_set(streams->is_over)) {
        for (uint32_t shard = 0; shard < store_shard_count(box->store); shard++) {
            struct error err;
            sim_clock_advance(&box->clock, 1);
            store_sweep_idle(box->store, shard);
            CHECK(store_flush_shard(box->store, shard, &err) == STATUS_OK);
        }
    }
}

static void start_streams(struct store_box *box, struct stream *streams, struct flag *is_over)
{
    for (int i = 0; i < WRITERS; i++)
        streams[i] = (struct stream){.box = box, .number = i, .is_over = is_over};
    for (int i = 0; i < WRITERS; i++)
        thread_start(&streams[i].thread, "writer", write_stream, &streams[i]);
}

static void join_streams(struct stream *streams)
{
    for (int i = 0; i < WRITERS; i++)
        thread_join(&streams[i].thread);
}

static void check_streams(struct stream *streams)
{
    struct columns samples;
    columns_init(&samples);
    for (int i = 0; i < WRITERS; i++)
        check_stream(&streams[i], &samples);
    columns_deinit(&samples);
}

TEST(readers_see_every_acknowledged_sample_once_while_flushes_run)
{
    struct store_box box;
    struct error err = {0};
    struct stream streams[WRITERS];
    struct thread readers[2], flusher = {0};
    struct flag is_over = {0};
    store_box_init(&box, BOX_SEED);
    box.options.is_manual = false;
    box.options.idle_ms = 1;
    expect_ok(store_box_open(&box, &err));
    start_streams(&box, streams, &is_over);
    for (int i = 0; i < 2; i++)
        thread_start(&readers[i], "reader", read_streams, streams);
    thread_start(&flusher, "flusher", flush_streams, streams);
    join_streams(streams);
    flag_set(&is_over);
    for (int i = 0; i < 2; i++)
        thread_join(&readers[i]);
    thread_join(&flusher);
    check_streams(streams);
    store_box_crash(&box, POWER_CUT_DROP_ALL);
    expect_ok(store_box_open(&box, &err));
    check_streams(streams);
    store_box_deinit(&box);
}

/* ---- a disk that fails now and then ---- */

static void write_stubbornly(void *context)
{
    struct stream *stream = context;
    char tenant[2] = {(char)('a' + stream->number), '\0'};
    for (int i = 0; !flag_is_set(stream->is_over); i++) {
        struct error err;
        struct write_result result;
        const struct box_sample sample = {tenant, "up", BOX_START_MS + i, i};
        /* ends: the store takes writes again by itself */
        while (box_write(stream->box, &sample, 1, &result, &err) != STATUS_OK)
            continue;
        CHECK(result.samples_written == 1);
        counter_set(&stream->acknowledged, (uint64_t)i + 1);
    }
}

static void flush_sometimes(void *context)
{
    struct stream *streams = context;
    struct store_box *box = streams->box;
    while (!flag_is_set(streams->is_over)) {
        for (uint32_t shard = 0; shard < store_shard_count(box->store); shard++) {
            struct error err;
            enum status status = store_flush_shard(box->store, shard, &err);
            CHECK(status == STATUS_OK || status == STATUS_IO);
        }
    }
}

TEST(a_disk_that_fails_now_and_then_costs_time_but_no_sample)
{
    enum { FAILURES = 10 };
    struct store_box box;
    struct error err = {0};
    struct stream streams[WRITERS];
    struct thread flusher = {0};
    struct flag is_over = {0};
    struct random random;
    open_threaded(&box);
    random_init_seeded(&random, BOX_SEED);
    for (int i = 0; i < WRITERS; i++)
        streams[i] = (struct stream){.box = &box, .number = i, .is_over = &is_over};
    for (int i = 0; i < WRITERS; i++)
        thread_start(&streams[i].thread, "writer", write_stubbornly, &streams[i]);
    thread_start(&flusher, "flusher", flush_sometimes, streams);
    for (int i = 0; i < FAILURES; i++) {
        uint64_t at = sim_disk_operation_count(box.sim) + random_below(&random, 30);
        sim_disk_fail_at(box.sim, at, STATUS_IO);
        while (sim_disk_operation_count(box.sim) <= at)
            continue;
    }
    sim_disk_fail_at(box.sim, UINT64_MAX, STATUS_IO);
    flag_set(&is_over);
    join_streams(streams);
    thread_join(&flusher);
    check_streams(streams);
    store_box_crash(&box, POWER_CUT_DROP_ALL);
    expect_ok(store_box_open(&box, &err));
    check_streams(streams);
    store_box_deinit(&box);
}

/* ---- replay ---- */

/* Runs that fill up, late samples among them, in several epochs: tenants of both shards, one of
   them with nearly all. */
static void write_log(struct store_box *box, struct random *random)
{
    enum { SCRAPES = 60, RESTARTS_EVERY = 25, LOG_SERIES = 200 };
    struct box_sample samples[LOG_SERIES];
    char series[LOG_SERIES][16];
    for (int scrape = 0; scrape < SCRAPES; scrape++) {
        for (int i = 0; i < LOG_SERIES; i++) {
            bool is_late = scrape > 0 && random_below(random, 50) == 0;
            int64_t ts_ms = BOX_START_MS + scrape * 1000 - (is_late ? 500 : 0);
            snprintf(series[i], sizeof series[i], "m n=%d", i);
            samples[i] = (struct box_sample){i % 100 == 0 ? "b" : "a", series[i], ts_ms,
                                             (double)random_below(random, 10)};
        }
        expect_write(box, samples, LOG_SERIES);
        if (scrape % RESTARTS_EVERY == RESTARTS_EVERY - 1)
            store_box_restart(box);
    }
}

static struct str select_all(struct store_box *box)
{
    struct str all;
    struct error err = {0};
    const struct box_query query = {.tenants = "*"};
    expect_ok(box_select(box, &query, &all, &err));
    return all;
}

TEST(a_log_that_several_threads_replay_gives_what_one_gives)
{
    struct store_box box;
    struct error err = {0};
    struct random random;
    random_init_seeded(&random, test_seed(BOX_SEED));
    store_box_start(&box, BOX_SEED);
    write_log(&box, &random);
    struct str want = select_all(&box);
    for (int i = 0; i < 3; i++) {
        struct store_replay_report before = *store_replay_report(box.store);
        box.options.is_manual = i % 2 == 1;
        store_box_crash(&box, POWER_CUT_DROP_ALL);
        expect_ok(store_box_open(&box, &err));
        assert_true(str_eq(select_all(&box), want));
        assert_true(store_replay_report(box.store)->samples >= before.samples);
        assert_int_equal(store_replay_report(box.store)->series, 200);
    }
    store_box_deinit(&box);
}

TEST_MAIN(RUN(a_log_that_several_threads_replay_gives_what_one_gives),
          RUN(the_series_limit_is_exact_under_concurrent_writers),
          RUN(readers_see_every_acknowledged_sample_once_while_flushes_run),
          RUN(a_disk_that_fails_now_and_then_costs_time_but_no_sample))
