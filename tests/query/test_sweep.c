/* Columns made by several threads: the same answers, to the bit, as by one. */
#include "tests/support/test.h"

#include <stdio.h>

#include "base/counter.h"
#include "base/pool.h"
#include "base/random.h"
#include "query/engine/sweep.h"
#include "query/engine/turns.h"
#include "tests/support/naive_select.h"

enum { SERIES = 150, SAMPLES = 90, HELPERS = 3, COLUMNS = 400, MINUTE_MS = 60 * 1000 };

/* Each look at it takes a millisecond, so that every sweep takes long enough to be helped. */
struct slow_clock {
    struct clock base;
    struct counter looks;
};

static uint64_t look(const struct clock *clock)
{
    struct counter *looks = &((struct slow_clock *)clock)->looks;
    counter_add(looks, 1);
    return counter_get(looks) * 1000000;
}

struct fixture {
    struct slow_clock clock;
    struct turns *turns;
    struct turn turn;
    struct engine engine;
    struct arena arena;
};

static void fixture_init(struct fixture *fixture, unsigned processors)
{
    struct error err;
    struct pool_options helpers = {.name = "helper", .thread_count = HELPERS, .queue_max = 64};
    *fixture = (struct fixture){.clock.base.monotonic_ns = look};
    arena_init(&fixture->arena, SIZE_MAX);
    fixture->turns = turns_new(clock_real(), processors);
    turn_init(&fixture->turn, fixture->turns, &(struct turn_options){.payer = STR("a")});
    expect_ok(turn_take(&fixture->turn, &err));
    fixture->engine = (struct engine){.store = naive_store_new(),
                                      .clock = &fixture->clock.base,
                                      .lookback_ms = 5 * MINUTE_MS,
                                      .default_step_ms = MINUTE_MS,
                                      .samples_max = 1000000,
                                      .memory_max_bytes = 64 << 20,
                                      .helpers = pool_open(&helpers),
                                      .helper_count = HELPERS};
}

static void fixture_deinit(struct fixture *fixture)
{
    pool_close(fixture->engine.helpers);
    turn_deinit(&fixture->turn);
    turns_free(fixture->turns);
    naive_store_free(fixture->engine.store);
    arena_deinit(&fixture->arena);
}

/* ---- queries ---- */

/* Values of all sizes, so that the order of an addition shows; gaps and resets. */
static void add_series(struct store *store, struct random *random, size_t number)
{
    char instance[16], le[16];
    snprintf(instance, sizeof instance, "i%zu", number % 25);
    snprintf(le, sizeof le, "%zu", number / 25);
    struct label labels[] = {{LABEL_METRIC_NAME, STR("c")},
                             {STR("instance"), str_from(instance)},
                             {STR("le"), number / 25 == 5 ? STR("+Inf") : str_from(le)}};
    for (int64_t i = 0; i < SAMPLES; i++) {
        double value = random_unit(random) * (double)(UINT64_C(1) << random_below(random, 60));
        if (random_below(random, 10) > 0)
            naive_store_append(store, (struct labels){labels, 3}, i * MINUTE_MS, value);
    }
}

static void print_answer(const struct query_result *result, struct buffer *out)
{
    for (size_t i = 0; i < result->series_count; i++) {
        const struct result_series *series = &result->series[i];
        labels_print(out, series->labels, SIZE_MAX);
        for (size_t k = 0; k < series->point_count; k++)
            buffer_append_format(out, " %lld:%llx", (long long)series->points[k].ts_ms,
                                 (unsigned long long)f64_bits(series->points[k].value));
        buffer_append_byte(out, '\n');
    }
    for (size_t i = 0; i < result->warnings.count; i++)
        buffer_append_str(out, result->warnings.ptr[i]);
    for (size_t i = 0; i < result->infos.count; i++)
        buffer_append_str(out, result->infos.ptr[i]);
}

static void ask(struct fixture *fixture, const char *text, bool is_helped, struct buffer *answer)
{
    static const struct scope everything = {.is_all = true};
    struct query_options options = {.text = str_from(text),
                                    .scope = &everything,
                                    .is_range = true,
                                    .end_ms = SAMPLES * MINUTE_MS,
                                    .step_ms = MINUTE_MS,
                                    .turn = is_helped ? &fixture->turn : NULL};
    struct query_result result;
    struct error err = {{0}};
    enum status status = engine_query(&fixture->engine, &options, &fixture->arena, &result, &err);
    buffer_init(answer, SIZE_MAX);
    buffer_append_format(answer, "%d %s\n", (int)status, err.text);
    if (status == STATUS_OK)
        print_answer(&result, answer);
}

static void expect_same_answer(struct fixture *fixture, const char *text)
{
    struct buffer alone, helped;
    ask(fixture, text, false, &alone);
    ask(fixture, text, true, &helped);
    assert_true(str_eq(buffer_str(&alone), buffer_str(&helped)));
    buffer_deinit(&alone);
    buffer_deinit(&helped);
}

TEST(answers_are_the_same_to_the_bit_with_and_without_helpers)
{
    static const char *const queries[] = {
        "c",
        "rate(c[5m])",
        "sum(c)",
        "avg by (instance) (rate(c[7m]))",
        "stddev by (le) (c)",
        "topk(3, c)",
        "bottomk by (instance) (2, rate(c[5m]))",
        "limitk(4, c)",
        "quantile by (le) (0.9, c)",
        "count_values by (le) (\"v\", c > 1e9)",
        "histogram_quantile(0.9, rate(c[5m]))",
        "histogram_quantile(0.5, c)",
        "c * on (instance, le) c offset 3m",
        "c - ignoring (le) group_left () sum by (instance) (c)",
        "c > 1e6 or -c",
        "max_over_time(sum by (le) (c)[10m:1m])",
        "max_over_time(rate(c[3m])[10m:1m])",
        "sum(quantile_over_time(2, c[5m]))",
        "label_replace(c, \"le\", \"same\", \"le\", \".*\")",
        "sum(absent_over_time(c{le=\"x\"}[5m]))",
        "sort(c)",
        "(c - 1) / (c - 1)",
        "sum by (le) (c) / count by (le) (c)",
        "max_over_time(c[5m:1m]) - c",
        "quantile(2, c) + quantile(2, c)",
    };
    struct fixture fixture;
    struct random random;
    fixture_init(&fixture, HELPERS + 1);
    random_init_seeded(&random, 7);
    for (size_t i = 0; i < SERIES; i++)
        add_series(fixture.engine.store, &random, i);
    for (size_t i = 0; i < sizeof queries / sizeof *queries; i++)
        expect_same_answer(&fixture, queries[i]);
    fixture_deinit(&fixture);
}

/* ---- who makes what ---- */

/* An operator whose columns are the number of the series. */
struct probe {
    struct query_operator base;
    struct eval eval;
    struct arena arena;
    struct query_options options;
    struct query_result result;
    size_t fails_from; /* columns from here on fail */
    bool wants_company;
    struct mutex lock;
    struct cond has_company;
    size_t by_others; /* guarded by lock; columns made by helpers */
    size_t used;
};

static void count_others(struct probe *probe)
{
    mutex_lock(&probe->lock);
    probe->by_others += thread_self() != probe->eval.thread;
    cond_broadcast(&probe->has_company);
    mutex_unlock(&probe->lock);
}

/* The query's own thread gets no further than its second batch before a helper has done
   something. */
static void wait_for_company(struct probe *probe, size_t series)
{
    mutex_lock(&probe->lock);
    while (series > 20 && probe->wants_company && probe->by_others == 0)
        cond_wait(&probe->has_company, &probe->lock);
    mutex_unlock(&probe->lock);
}

static enum status probe_column(struct query_operator *op, size_t series, double *values,
                                struct error *err)
{
    struct probe *probe = (struct probe *)op;
    count_others(probe);
    wait_for_company(probe, series);
    if (series >= probe->fails_from)
        return error_set(err, STATUS_LIMIT, "series %zu", series);
    for (size_t step = 0; step < op->grid.count; step++)
        values[step] = (double)series;
    return STATUS_OK;
}

static enum status expect_next(void *context, size_t at, const double *column, struct error *err)
{
    (void)err;
    struct probe *probe = context;
    assert_int_equal(at, probe->used);
    assert_int_equal(column[0], at);
    probe->used++;
    return STATUS_OK;
}

static void probe_init(struct probe *probe, struct fixture *fixture)
{
    *probe = (struct probe){.options.turn = &fixture->turn, .fails_from = COLUMNS};
    arena_init(&probe->arena, 1 << 20);
    mutex_init(&probe->lock);
    cond_init(&probe->has_company);
    probe->eval = (struct eval){.engine = &fixture->engine,
                                .options = &probe->options,
                                .arena = &probe->arena,
                                .result = &probe->result,
                                .thread = thread_self()};
    mutex_init(&probe->eval.lock);
    scratch_pool_init(&probe->eval.scratches);
    probe->base = (struct query_operator){.eval = &probe->eval,
                                          .grid = {.step_ms = 1, .count = 3},
                                          .series_count = COLUMNS,
                                          .column = probe_column};
}

static void probe_deinit(struct probe *probe)
{
    scratch_pool_deinit(&probe->eval.scratches);
    mutex_deinit(&probe->eval.lock);
    cond_deinit(&probe->has_company);
    mutex_deinit(&probe->lock);
    arena_deinit(&probe->arena);
}

static enum status sweep_probe(struct probe *probe, struct error *err)
{
    struct sweep sweep = {.op = &probe->base, .use = expect_next, .context = probe};
    return sweep_columns(&sweep, err);
}

TEST(helpers_take_part_while_processors_are_idle)
{
    struct fixture fixture;
    struct probe probe;
    struct error err;
    fixture_init(&fixture, 2);
    probe_init(&probe, &fixture);
    probe.wants_company = true;
    expect_ok(sweep_probe(&probe, &err));
    assert_int_equal(probe.used, COLUMNS);
    assert_true(probe.by_others > 0);
    assert_int_equal(probe.arena.limit_bytes, 1 << 20);
    probe_deinit(&probe);
    fixture_deinit(&fixture);
}

TEST(no_helper_takes_part_without_an_idle_processor)
{
    struct fixture fixture;
    struct probe probe;
    struct error err;
    fixture_init(&fixture, 1);
    probe_init(&probe, &fixture);
    expect_ok(sweep_probe(&probe, &err));
    assert_int_equal(probe.used, COLUMNS);
    assert_int_equal(probe.by_others, 0);
    probe_deinit(&probe);
    fixture_deinit(&fixture);
}

TEST(of_several_errors_the_first_in_order_is_told)
{
    struct fixture fixture;
    fixture_init(&fixture, HELPERS + 1);
    for (size_t from = 0; from < COLUMNS; from += 13) {
        struct probe probe;
        struct error err;
        char want[32];
        probe_init(&probe, &fixture);
        probe.fails_from = from;
        snprintf(want, sizeof want, "series %zu", from);
        expect_status(sweep_probe(&probe, &err), STATUS_LIMIT);
        assert_string_equal(err.text, want);
        assert_int_equal(probe.used, from);
        probe_deinit(&probe);
    }
    fixture_deinit(&fixture);
}

static enum status refuse_fortieth(void *context, size_t at, const double *column,
                                   struct error *err)
{
    TRY(expect_next(context, at, column, err));
    return at == 40 ? error_set(err, STATUS_LIMIT, "enough") : STATUS_OK;
}

TEST(a_sweep_ends_when_its_user_has_enough)
{
    struct fixture fixture;
    struct probe probe;
    struct error err;
    fixture_init(&fixture, HELPERS + 1);
    probe_init(&probe, &fixture);
    struct sweep sweep = {.op = &probe.base, .use = refuse_fortieth, .context = &probe};
    expect_status(sweep_columns(&sweep, &err), STATUS_LIMIT);
    assert_string_equal(err.text, "enough");
    assert_int_equal(probe.used, 41);
    probe_deinit(&probe);
    fixture_deinit(&fixture);
}

TEST_MAIN(RUN(answers_are_the_same_to_the_bit_with_and_without_helpers),
          RUN(helpers_take_part_while_processors_are_idle),
          RUN(no_helper_takes_part_without_an_idle_processor),
          RUN(of_several_errors_the_first_in_order_is_told),
          RUN(a_sweep_ends_when_its_user_has_enough))
