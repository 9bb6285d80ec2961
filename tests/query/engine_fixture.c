#include "tests/query/engine_fixture.h"

#include <stdio.h>

static struct label series_labels[SERIES_COUNT][2];
static char numbers[SERIES_COUNT][16];

void engine_fixture_init(struct engine_fixture *fixture)
{
    *fixture = (struct engine_fixture){0};
    sim_clock_init(&fixture->clock, 0);
    arena_init(&fixture->arena, SIZE_MAX);
    fixture->engine = (struct engine){
        .store = naive_store_new(),
        .clock = &fixture->clock.base,
        .lookback_ms = 5 * MINUTE_MS,
        .default_step_ms = MINUTE_MS,
        .samples_max = 1000000,
        .memory_max_bytes = 64 << 20,
    };
    for (int i = 0; i < SERIES_COUNT; i++) {
        snprintf(numbers[i], sizeof numbers[i], "%d", i);
        series_labels[i][0] = (struct label){LABEL_METRIC_NAME, STR("c_total")};
        series_labels[i][1] = (struct label){STR("n"), str_from(numbers[i])};
        for (int k = 0; k < SAMPLE_COUNT; k++)
            naive_store_append(fixture->engine.store, (struct labels){series_labels[i], 2},
                               k * MINUTE_MS, k);
    }
}

void engine_fixture_deinit(struct engine_fixture *fixture)
{
    naive_store_free(fixture->engine.store);
    arena_deinit(&fixture->arena);
}

enum status engine_fixture_query(struct engine_fixture *fixture, struct query_options options)
{
    static const struct scope everything = {.is_all = true};
    options.scope = &everything;
    return engine_query(&fixture->engine, &options, &fixture->arena, &fixture->result,
                        &fixture->err);
}

struct query_options instant_query(const char *text)
{
    int64_t ts_ms = (SAMPLE_COUNT - 1) * MINUTE_MS;
    return (struct query_options){.text = str_from(text), .start_ms = ts_ms, .end_ms = ts_ms};
}

struct query_options range_query(const char *text)
{
    return (struct query_options){.text = str_from(text),
                                  .is_range = true,
                                  .end_ms = (SAMPLE_COUNT - 1) * MINUTE_MS,
                                  .step_ms = MINUTE_MS};
}

void expect_answer(struct engine_fixture *fixture, struct query_options options)
{
    if (engine_fixture_query(fixture, options) != STATUS_OK)
        fail_msg("%.*s: %s", STR_ARG(options.text), fixture->err.text);
}

void expect_failure(struct engine_fixture *fixture, struct query_options options,
                    enum status status, const char *message)
{
    assert_int_equal(engine_fixture_query(fixture, options), status);
    assert_string_equal(fixture->err.text, message);
}
