/*
 * Writes that take so long that others get the shard's lock in the middle of them: a clock that
 * moves on whenever somebody looks makes all of them long. A check that fails in a thread ends the
 * process: cmocka's asserts are for the main thread only.
 */
#include "tests/support/store_box.h"

#include <stdio.h>

#include "base/check.h"
#include "base/mem.h"

enum { WRITERS = 8, SCRAPES = 50, SERIES = 100, BOX_SEED = 12 };

static uint64_t looked_at_ns(const struct clock *clock)
{
    struct sim_clock *sim = (struct sim_clock *)(uintptr_t)clock;
    sim_clock_advance(sim, 1);
    return sim->elapsed_ns;
}

struct writer {
    struct store_box *box;
    struct thread thread;
    int number;
    uint64_t written;
    struct counter *writes; /* of all of them */
};

/* Half of the series are of this scrape alone. Everybody says something else of them. */
static void fill(const struct writer *writer, int scrape, struct box_sample *samples,
                 char (*series)[40])
{
    for (int i = 0; i < SERIES; i++) {
        snprintf(series[i], sizeof *series, "m n=%d scrape=%d", i, i % 2 == 0 ? scrape : 0);
        samples[i] = (struct box_sample){"a", series[i], BOX_START_MS + scrape, writer->number};
    }
}

static void write_scrapes(void *context)
{
    struct writer *writer = context;
    struct box_sample samples[SERIES];
    char series[SERIES][40];
    for (int scrape = 0; scrape < SCRAPES; scrape++) {
        struct error err;
        struct write_result result;
        fill(writer, scrape, samples, series);
        CHECK(box_write(writer->box, samples, SERIES, &result, &err) == STATUS_OK);
        CHECK(result.samples_written + result.samples_refused[REFUSAL_DUPLICATE_TIMESTAMP] ==
              SERIES);
        writer->written += result.samples_written;
        counter_add(writer->writes, 1);
    }
}

struct flusher {
    struct store_box *box;
    struct thread thread;
    struct flag is_over;
    struct counter writes;
};

/* Series go idle all the time, so that flushes remove them. One comes after some writes, in the
   middle of others: as many as there can be would make more blocks than can be looked into. */
static void flush(void *context)
{
    struct flusher *flusher = context;
    struct store *store = flusher->box->store;
    for (uint64_t round = 0; !flag_is_set(&flusher->is_over);) {
        if (counter_get(&flusher->writes) / WRITERS == round) {
            thread_sleep_ms(1);
            continue;
        }
        round = counter_get(&flusher->writes) / WRITERS;
        for (uint32_t shard = 0; shard < store_shard_count(store); shard++) {
            struct error err;
            store_sweep_idle(store, shard);
            CHECK(store_flush_shard(store, shard, &err) == STATUS_OK);
        }
    }
}

static void count_all(struct store_box *box, size_t *samples, size_t *lines)
{
    struct str got;
    struct error err = {0};
    const struct box_query query = {.tenants = "a"};
    expect_ok(box_select(box, &query, &got, &err));
    *samples = *lines = 0;
    for (size_t i = 0; i < got.len; i++) {
        *samples += got.ptr[i] == ':';
        *lines += got.ptr[i] == '\n';
    }
}

static void check_all(struct store_box *box)
{
    size_t samples, lines;
    count_all(box, &samples, &lines);
    assert_int_equal(samples, SERIES * SCRAPES);
    assert_int_equal(lines, SERIES / 2 + SERIES / 2 * SCRAPES);
}

/* Samples that are written by all, each at the same times, while flushes run. */
static uint64_t write_all(struct store_box *box, void (*write)(void *))
{
    struct error err = {0};
    struct writer writers[WRITERS];
    struct flusher flusher = {.box = box};
    store_box_init(box, BOX_SEED);
    box->options.is_manual = false;
    box->options.idle_ms = 1;
    box->clock.base.monotonic_ns = looked_at_ns;
    expect_ok(store_box_open(box, &err));
    for (int i = 0; i < WRITERS; i++) {
        writers[i] = (struct writer){.box = box, .number = i, .writes = &flusher.writes};
        thread_start(&writers[i].thread, "writer", write, &writers[i]);
    }
    thread_start(&flusher.thread, "flusher", flush, &flusher);
    uint64_t written = 0;
    for (int i = 0; i < WRITERS; i++) {
        thread_join(&writers[i].thread);
        written += writers[i].written;
    }
    flag_set(&flusher.is_over);
    thread_join(&flusher.thread);
    return written;
}

TEST(of_those_who_write_at_length_one_alone_has_his_say_of_a_sample)
{
    struct store_box box;
    assert_int_equal(write_all(&box, write_scrapes), SERIES * SCRAPES);
    check_all(&box);
    store_box_crash_and_restart(&box, POWER_CUT_DROP_ALL);
    check_all(&box);
    store_box_deinit(&box);
}

/* ---- one series of many samples ---- */

enum { LONG_SAMPLES = 400, LONG_WRITES = 20 };

static void write_long_series(void *context)
{
    struct writer *writer = context;
    static const struct box_sample first = {"a", "m n=long", 0, 0};
    struct box_sample *samples = mem_alloc(LONG_SAMPLES * sizeof *samples);
    for (int number = 0; number < LONG_WRITES; number++) {
        struct error err;
        struct write_result result;
        for (int i = 0; i < LONG_SAMPLES; i++) {
            samples[i] = first;
            samples[i].ts_ms = BOX_START_MS + number * LONG_SAMPLES + i;
            samples[i].value = writer->number;
        }
        CHECK(box_write(writer->box, samples, LONG_SAMPLES, &result, &err) == STATUS_OK);
        CHECK(result.samples_written + result.samples_refused[REFUSAL_DUPLICATE_TIMESTAMP] ==
              LONG_SAMPLES);
        writer->written += result.samples_written;
        counter_add(writer->writes, 1);
    }
    mem_free(samples);
}

TEST(others_come_in_between_the_samples_of_a_long_series_and_none_counts_twice)
{
    struct store_box box;
    assert_int_equal(write_all(&box, write_long_series), LONG_SAMPLES * LONG_WRITES);
    size_t samples, lines;
    count_all(&box, &samples, &lines);
    assert_int_equal(samples, LONG_SAMPLES * LONG_WRITES);
    assert_int_equal(lines, 1);
    store_box_deinit(&box);
}

/* ---- who gives way ---- */

enum { FILLERS = 500, ROUNDS_MAX = 20000 };

/* A write of many series by somebody who writes much: "m n=first" and "m n=last" stand at its
   ends. */
struct heavy_write {
    struct store_box *box;
    struct thread thread;
    struct arena arena;
    struct write_series series[FILLERS + 2];
    struct sample sample;
    struct write_result result;
    struct write_commit commit;
};

static void no_answer(struct write_commit *commit, enum status status)
{
    (void)commit;
    (void)status;
}

static void heavy_init(struct heavy_write *heavy, struct store_box *box)
{
    struct error err;
    struct tenant *tenant;
    *heavy = (struct heavy_write){.box = box};
    arena_init(&heavy->arena, SIZE_MAX);
    expect_ok(tenant_table_get(store_tenants(box->store), STR("a"), &tenant, &err));
    for (int i = 0; i < FILLERS + 2; i++) {
        char *text = arena_alloc(&heavy->arena, 40);
        snprintf(text, 40, "m n=%d", i);
        struct labels labels = box_labels(&heavy->arena, i == 0             ? "m n=first"
                                                         : i == FILLERS + 1 ? "m n=last"
                                                                            : text);
        heavy->series[i] = (struct write_series){.tenant = tenant,
                                                 .labels = labels.ptr,
                                                 .label_count = (uint32_t)labels.count,
                                                 .sample_count = 1,
                                                 .samples = &heavy->sample};
    }
}

static void write_heavily(void *context)
{
    struct heavy_write *heavy = context;
    struct error err;
    heavy->result = (struct write_result){0};
    heavy->commit = (struct write_commit){.done = no_answer};
    const struct store_write_request request = {.series = heavy->series,
                                                .series_count = FILLERS + 2,
                                                .arena = &heavy->arena,
                                                .result = &heavy->result,
                                                .commit = &heavy->commit,
                                                .gives_way = true};
    CHECK(store_write(heavy->box->store, &request, &err) == STATUS_OK);
}

/* Both write the first and the last series at the same time, with other values. True: the small
   write came in between, so that each has one of the two. */
static bool comes_in_between(struct heavy_write *heavy, int64_t ts_ms)
{
    struct error err;
    struct box_write small;
    const struct box_sample samples[] = {{"a", "m n=first", ts_ms, 2}, {"a", "m n=last", ts_ms, 2}};
    heavy->sample = (struct sample){ts_ms, 1};
    thread_start(&heavy->thread, "heavy", write_heavily, heavy);
    expect_ok(box_write_begin(heavy->box, &small, samples, 2, &err));
    thread_join(&heavy->thread);
    expect_ok(box_commit(heavy->box, &err));
    uint64_t written = small.result.samples_written;
    expect_ok(box_write_end(&small));
    return written == 1;
}

TEST(who_writes_much_gives_way_in_the_middle_of_a_write)
{
    struct store_box box;
    struct heavy_write heavy;
    store_box_start(&box, BOX_SEED);
    heavy_init(&heavy, &box);
    int round = 0;
    /* time stands still, so nobody has had the lock for long; who comes too early or too late for
       the middle comes again */
    while (round < ROUNDS_MAX && !comes_in_between(&heavy, BOX_START_MS + round))
        round++;
    assert_true(round < ROUNDS_MAX);
    arena_deinit(&heavy.arena);
    store_box_deinit(&box);
}

TEST_MAIN(RUN(of_those_who_write_at_length_one_alone_has_his_say_of_a_sample),
          RUN(others_come_in_between_the_samples_of_a_long_series_and_none_counts_twice),
          RUN(who_writes_much_gives_way_in_the_middle_of_a_write))
