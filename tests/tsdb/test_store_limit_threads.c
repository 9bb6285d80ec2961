/* Limits are exact when eight writers come to them at once. */
#include "tests/tsdb/limit_box.h"

#include <stdio.h>

#include "base/check.h"

enum { WRITERS = 8, SERIES_EACH = 60 };

/* What one of the writers does for the i-th time. */
struct attempt {
    int writer;
    int i;
};
typedef struct box_sample (*make_sample)(struct attempt attempt, char series[64]);

struct writer {
    struct store_box *box;
    struct thread thread;
    make_sample make;
    int number;
    uint64_t accepted;
    const struct flag *is_last_call; /* for write_on */
};

/* Whether it was accepted. */
static bool write_one(struct writer *writer, int i)
{
    char series[64];
    struct error err;
    struct write_result result;
    const struct box_sample sample = writer->make((struct attempt){writer->number, i}, series);
    CHECK(box_write(writer->box, &sample, 1, &result, &err) == STATUS_OK);
    writer->accepted += result.samples_written;
    return result.samples_written > 0;
}

static void write_own(void *context)
{
    for (int i = 0; i < SERIES_EACH; i++)
        write_one(context, i);
}

/* Until it is refused after the last call. */
static void write_on(void *context)
{
    struct writer *writer = context;
    bool is_last_call;
    int i = 0;
    do
        is_last_call = flag_is_set(writer->is_last_call);
    while (write_one(writer, i++) || !is_last_call);
}

static void start_writers(struct writer writers[WRITERS], const struct writer *like,
                          void (*run)(void *context))
{
    for (int i = 0; i < WRITERS; i++) {
        writers[i] = *like;
        writers[i].number = i;
        thread_start(&writers[i].thread, "writer", run, &writers[i]);
    }
}

/* How many samples were accepted. */
static uint64_t join_writers(struct writer writers[WRITERS])
{
    uint64_t accepted = 0;
    for (int i = 0; i < WRITERS; i++) {
        thread_join(&writers[i].thread);
        accepted += writers[i].accepted;
    }
    return accepted;
}

static uint64_t run_writers(struct store_box *box, make_sample make)
{
    struct writer writers[WRITERS];
    start_writers(writers, &(struct writer){.box = box, .make = make}, write_own);
    return join_writers(writers);
}

static struct box_sample make_series(struct attempt attempt, char series[64])
{
    snprintf(series, 64, "m n=%02d-%02d", attempt.writer, attempt.i);
    return (struct box_sample){"a", series, BOX_START_MS, 1};
}

/* What half of the writers send is one too large in what the limit bounds. */
static struct box_sample make_label_value(struct attempt attempt, char series[64])
{
    snprintf(series, 64, attempt.writer % 2 == 0 ? "m n=%02d-%02d" : "m n=%02d-%02dx",
             attempt.writer, attempt.i);
    return (struct box_sample){"a", series, BOX_START_MS, 1};
}

static struct box_sample make_label_name(struct attempt attempt, char series[64])
{
    snprintf(series, 64, attempt.writer % 2 == 0 ? "m n%02d45678=%02d" : "m n%02d456789=%02d",
             attempt.writer, attempt.i);
    return (struct box_sample){"a", series, BOX_START_MS, 1};
}

static struct box_sample make_label_count(struct attempt attempt, char series[64])
{
    snprintf(series, 64, attempt.writer % 2 == 0 ? "m n=%d o=%d" : "m n=%d o=%d p=1",
             attempt.writer, attempt.i);
    return (struct box_sample){"a", series, BOX_START_MS, 1};
}

static struct box_sample make_future(struct attempt attempt, char series[64])
{
    struct box_sample sample = make_series(attempt, series);
    sample.ts_ms += 1000 + attempt.writer % 2;
    return sample;
}

static struct box_sample make_past(struct attempt attempt, char series[64])
{
    struct box_sample sample = make_series(attempt, series);
    sample.ts_ms -= 1000 + attempt.writer % 2;
    return sample;
}

/* Into series that already have a sample of BOX_START_MS. */
static struct box_sample make_late(struct attempt attempt, char series[64])
{
    struct box_sample sample = make_past(attempt, series);
    snprintf(series, 64, "m n=%d", attempt.i);
    sample.value = 0;
    return sample;
}

enum { WRITES = WRITERS * SERIES_EACH, MAX = 200 };

TEST(what_a_tenant_has_is_exact_under_eight_writers)
{
    static const enum tenant_limit limits[] = {
        TENANT_LIMIT_MAX_SERIES, TENANT_LIMIT_MAX_SERIES_PER_METRIC, TENANT_LIMIT_MAX_LABEL_VALUES,
        TENANT_LIMIT_MAX_NEW_SERIES, TENANT_LIMIT_MAX_NEW_SERIES_PER_HOUR};
    for (size_t i = 0; i < sizeof limits / sizeof *limits; i++) {
        struct store_box box;
        struct tenant *tenant = limit_box_open(&box, limits[i], MAX, false);
        assert_int_equal(run_writers(&box, make_series), MAX);
        assert_int_equal(counter_get(&tenant->active_series), MAX);
        assert_int_equal(counter_get(&tenant->samples_refused), WRITES - MAX);
        store_box_deinit(&box);
    }
}

TEST(bytes_are_exact_under_eight_writers)
{
    struct store_box box;
    uint64_t usage[TENANT_LIMIT_COUNT], series_bytes;
    struct tenant *tenant = limit_box_open(&box, TENANT_LIMIT_MAX_SERIES, MAX, true);
    struct counter *max = &tenant->limit_max[LIMIT_HARD][TENANT_LIMIT_MAX_SERIES_BYTES];
    expect_taken(&box, "m n=aa-aa", BOX_START_MS);
    store_limit_usage(box.store, tenant, usage);
    series_bytes = usage[TENANT_LIMIT_MAX_SERIES_BYTES];
    expect_taken(&box, "m n=aa-ab", BOX_START_MS);
    store_limit_usage(box.store, tenant, usage);
    series_bytes = usage[TENANT_LIMIT_MAX_SERIES_BYTES] - series_bytes;
    store_box_close(&box);
    box.options.is_manual = false;
    struct error err;
    expect_ok(store_box_open(&box, &err));
    tenant = tenant_table_find(store_tenants(box.store), STR("a"));
    max = &tenant->limit_max[LIMIT_HARD][TENANT_LIMIT_MAX_SERIES_BYTES];
    counter_set(max, usage[TENANT_LIMIT_MAX_SERIES_BYTES] + MAX * series_bytes + 1);
    assert_int_equal(run_writers(&box, make_series), MAX);
    store_limit_usage(box.store, tenant, usage);
    assert_int_equal(usage[TENANT_LIMIT_MAX_SERIES_BYTES], counter_get(max) - 1);
    store_box_deinit(&box);
}

TEST(the_rate_is_exact_under_eight_writers)
{
    struct store_box box;
    struct tenant *tenant = limit_box_open(&box, TENANT_LIMIT_INGESTION_RATE, 1, false);
    counter_set(&tenant->limit_max[LIMIT_HARD][TENANT_LIMIT_INGESTION_BURST], MAX);
    assert_int_equal(run_writers(&box, make_series), MAX);
    assert_int_equal(counter_get(&tenant->samples_refused), WRITES - MAX);
    store_box_deinit(&box);
}

/* Nothing that time gives is lost or given twice: what is there is used up before the clock goes
   on, which is certain when somebody who asked behind its last step was refused. */
static void let_time_pass(struct store_box *box, const struct tenant *tenant, int64_t step_ms)
{
    uint64_t refused = counter_get(&tenant->samples_refused);
    while (counter_get(&tenant->samples_refused) <= refused + WRITERS)
        ;
    sim_clock_advance(&box->clock, step_ms);
}

TEST(what_time_gives_back_is_exact_under_eight_writers)
{
    enum { STEPS = 11 };
    static const struct {
        enum tenant_limit limit;
        uint64_t max;
        int64_t step_ms;
        uint64_t given; /* in all steps */
    } rows[] = {{TENANT_LIMIT_INGESTION_RATE, 199, 70, 153 /* .23 */},
                {TENANT_LIMIT_MAX_NEW_SERIES, MAX, 70, 154},
                {TENANT_LIMIT_MAX_NEW_SERIES_PER_HOUR, MAX, 3600000, STEPS * MAX},
                {TENANT_LIMIT_MAX_NEW_SERIES_PER_HOUR, MAX, 360000, MAX}};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct store_box box;
        struct writer writers[WRITERS];
        struct flag is_last_call = {0};
        struct tenant *tenant = limit_box_open(&box, rows[i].limit, rows[i].max, false);
        counter_set(&tenant->limit_max[LIMIT_HARD][TENANT_LIMIT_INGESTION_BURST], MAX);
        const struct writer like = {&box, .make = make_series, .is_last_call = &is_last_call};
        start_writers(writers, &like, write_on);
        for (int step = 0; step < STEPS; step++)
            let_time_pass(&box, tenant, rows[i].step_ms);
        flag_set(&is_last_call);
        assert_int_equal(join_writers(writers), MAX + rows[i].given);
        store_box_deinit(&box);
    }
}

TEST(what_one_sample_or_series_may_be_holds_under_eight_writers)
{
    static const struct {
        enum tenant_limit limit;
        uint64_t max;
        make_sample make;
    } rows[] = {{TENANT_LIMIT_MAX_LABEL_NAMES, 3, make_label_count},
                {TENANT_LIMIT_MAX_LABEL_NAME_LEN, 8, make_label_name},
                {TENANT_LIMIT_MAX_LABEL_VALUE_LEN, 5, make_label_value},
                {TENANT_LIMIT_CREATION_GRACE, 1000, make_future},
                {TENANT_LIMIT_RETENTION, 1000, make_past},
                {TENANT_LIMIT_OUT_OF_ORDER_WINDOW, 1000, make_late}};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct store_box box;
        struct tenant *tenant = limit_box_open(&box, rows[i].limit, rows[i].max, false);
        for (int k = 0; k < SERIES_EACH && rows[i].make == make_late; k++) {
            char series[64];
            snprintf(series, sizeof series, "m n=%d", k);
            expect_taken(&box, series, BOX_START_MS);
        }
        assert_int_equal(run_writers(&box, rows[i].make), WRITES / 2);
        assert_int_equal(counter_get(&tenant->samples_refused), WRITES / 2);
        store_box_deinit(&box);
    }
}

TEST_MAIN(RUN(what_a_tenant_has_is_exact_under_eight_writers),
          RUN(bytes_are_exact_under_eight_writers), RUN(the_rate_is_exact_under_eight_writers),
          RUN(what_time_gives_back_is_exact_under_eight_writers),
          RUN(what_one_sample_or_series_may_be_holds_under_eight_writers))
