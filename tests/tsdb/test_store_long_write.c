/*
 * Writes that take so long that others get the shard's lock in the middle of them: a clock that
 * moves on whenever somebody looks makes all of them long. A check that fails in a thread ends the
 * process: cmocka's asserts are for the main thread only.
 */
#include "tests/support/store_box.h"

#include <stdio.h>

#include "base/check.h"

enum { WRITERS = 8, SCRAPES = 300, SERIES = 100, BOX_SEED = 12 };

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
    }
}

struct flusher {
    struct store_box *box;
    struct thread thread;
    struct flag is_over;
};

/* Series go idle all the time, so that flushes remove them. */
static void flush(void *context)
{
    struct flusher *flusher = context;
    struct store *store = flusher->box->store;
    while (!flag_is_set(&flusher->is_over)) {
        for (uint32_t shard = 0; shard < store_shard_count(store); shard++) {
            struct error err;
            store_sweep_idle(store, shard);
            CHECK(store_flush_shard(store, shard, &err) == STATUS_OK);
        }
    }
}

static void check_all(struct store_box *box)
{
    struct str got;
    struct error err = {0};
    const struct box_query query = {.tenants = "a"};
    expect_ok(box_select(box, &query, &got, &err));
    size_t samples = 0, lines = 0;
    for (size_t i = 0; i < got.len; i++) {
        samples += got.ptr[i] == ':';
        lines += got.ptr[i] == '\n';
    }
    assert_int_equal(samples, SERIES * SCRAPES);
    assert_int_equal(lines, SERIES / 2 + SERIES / 2 * SCRAPES);
}

TEST(of_those_who_write_at_length_one_alone_has_his_say_of_a_sample)
{
    struct store_box box;
    struct error err = {0};
    struct writer writers[WRITERS];
    struct flusher flusher = {.box = &box};
    store_box_init(&box, BOX_SEED);
    box.options.is_manual = false;
    box.options.idle_ms = 1;
    box.clock.base.monotonic_ns = looked_at_ns;
    expect_ok(store_box_open(&box, &err));
    for (int i = 0; i < WRITERS; i++) {
        writers[i] = (struct writer){.box = &box, .number = i};
        thread_start(&writers[i].thread, "writer", write_scrapes, &writers[i]);
    }
    thread_start(&flusher.thread, "flusher", flush, &flusher);
    uint64_t written = 0;
    for (int i = 0; i < WRITERS; i++) {
        thread_join(&writers[i].thread);
        written += writers[i].written;
    }
    flag_set(&flusher.is_over);
    thread_join(&flusher.thread);
    assert_int_equal(written, SERIES * SCRAPES);
    check_all(&box);
    store_box_crash_and_restart(&box, POWER_CUT_DROP_ALL);
    check_all(&box);
    store_box_deinit(&box);
}

TEST_MAIN(RUN(of_those_who_write_at_length_one_alone_has_his_say_of_a_sample))
