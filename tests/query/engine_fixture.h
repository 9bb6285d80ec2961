/*
 * engine_fixture: an engine over a small store, and queries of it.
 */
#ifndef CROFT_TESTS_QUERY_ENGINE_FIXTURE_H
#define CROFT_TESTS_QUERY_ENGINE_FIXTURE_H

#include "query/engine/engine.h"
#include "tests/support/naive_select.h"
#include "tests/support/test.h"

enum { SERIES_COUNT = 20, SAMPLE_COUNT = 60, MINUTE_MS = 60 * 1000 };

struct engine_fixture {
    struct engine engine;
    struct sim_clock clock;
    struct arena arena;
    struct query_result result; /* of the last query */
    struct error err;           /* the same */
};

/* Series c_total{n="0"} to {n="19"}: an hour of one sample a minute, whose value is the minute. */
void engine_fixture_init(struct engine_fixture *fixture);
void engine_fixture_deinit(struct engine_fixture *fixture);

/* At the last minute. */
struct query_options instant_query(const char *text);
/* At each minute. */
struct query_options range_query(const char *text);

enum status engine_fixture_query(struct engine_fixture *fixture, struct query_options options);
void expect_answer(struct engine_fixture *fixture, struct query_options options);
void expect_failure(struct engine_fixture *fixture, struct query_options options,
                    enum status status, const char *message);

#endif
