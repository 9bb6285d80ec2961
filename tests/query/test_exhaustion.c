/* Every kind of query under every budget of memory: it is answered, or refused in one sentence;
   nothing leaks (the sanitizers watch), nothing is half done. */
#include "tests/support/test.h"

#include "query/engine/engine.h"
#include "tests/support/naive_select.h"

enum { BUDGET_MAX_BYTES = 1 << 20, SERIES = 6, SAMPLES = 4, STEP_MS = 60000 };

static const char *const queries[] = {
    "sum by (a) (m)",
    "avg without (a) (m)",
    "topk(2, m)",
    "limitk by (a) (1, m)",
    "limit_ratio(0.5, m)",
    "quantile by (a) (0.5, m)",
    "count_values(\"v\", m)",
    "m + 1",
    "1 < bool m",
    "m * on(a, le) m",
    "m * on(a, le) group_left(b) sum by (a, le) (m)",
    "m * on(a) m",
    "m and on(a) m",
    "m or on(b) -m",
    "m unless on(le) m",
    "abs(m) + clamp(m, 1, 2)",
    "hour() + hour(m)",
    "scalar(m) + time() + pi()",
    "vector(1) or absent(x)",
    "label_replace(m, \"b\", \"$1\", \"a\", \"(.*)\")",
    "label_join(m, \"b\", \"-\", \"a\", \"le\")",
    "label_replace(m, \"le\", \"\", \"\", \"\")",
    "sort(m) or sort_by_label(m, \"le\")",
    "histogram_quantile(0.5, m)",
    "histogram_quantiles(m, \"q\", 0.5, 0.9)",
    "histogram_fraction(0, 1, m)",
    "info(m, {__name__=\"i\"})",
    "sum(rate(m[2m]) / ignoring(le) group_left avg by (a) (m))",
};

static struct store *make_store(void)
{
    static const struct str as[] = {{"1", 1}, {"2", 1}};
    static const struct str les[] = {{"0.5", 3}, {"2", 1}, {"+Inf", 4}};
    struct store *store = naive_store_new();
    for (int series = 0; series < SERIES; series++) {
        struct label labels[] = {
            {STR("__name__"), STR("m")}, {STR("a"), as[series / 3]}, {STR("le"), les[series % 3]}};
        for (int sample = 0; sample < SAMPLES; sample++)
            naive_store_append(store, (struct labels){labels, 3}, sample * STEP_MS,
                               (series % 3 + 1) * (sample + 1));
    }
    struct label info[] = {{STR("__name__"), STR("i")}, {STR("b"), STR("x")}};
    naive_store_append(store, (struct labels){info, 2}, 0, 1);
    return store;
}

/* Of a query's own budget, or of what all queries share: what more than it ends in. */
struct kind {
    bool is_shared;
    enum status refusal;
};

/* The status of one query; its memory is gone again. */
static enum status run(struct store *store, const char *text, size_t budget_bytes, bool is_range,
                       const struct kind *kind)
{
    struct budget *budget = budget_new("query-memory", kind->is_shared ? budget_bytes : 1 << 30);
    struct charge charge;
    struct engine engine = {
        .store = store,
        .clock = clock_real(),
        .lookback_ms = 300000,
        .default_step_ms = STEP_MS,
        .samples_max = 1000000,
        .memory_max_bytes = kind->is_shared ? 1 << 30 : budget_bytes,
        .allows_experimental = true,
    };
    struct scope scope = {.is_all = true};
    struct query_options options = {
        .text = str_from(text),
        .scope = &scope,
        .is_range = is_range,
        .end_ms = is_range ? (SAMPLES - 1) * STEP_MS : 0,
        .step_ms = is_range ? STEP_MS : 0,
        .charge = &charge,
    };
    struct arena arena;
    struct query_result result;
    struct error err = {""};
    charge_init(&charge, budget, STR("a"));
    arena_init(&arena, SIZE_MAX);
    arena.charge = &charge;
    enum status status = engine_query(&engine, &options, &arena, &result, &err);
    /* some find series that are not unique, whatever their budget */
    bool is_about_memory = status == kind->refusal && strstr(err.text, "memory") != NULL;
    bool is_about_labels = status == STATUS_LIMIT && strstr(err.text, "label") != NULL;
    if (status != STATUS_OK && !is_about_memory && !is_about_labels)
        fail_msg("%s with %zu bytes: %s: %s", text, budget_bytes, status_text(status), err.text);
    arena_deinit(&arena);
    charge_deinit(&charge);
    budget_free(budget);
    return status;
}

static bool is_about_memory(struct store *store, const char *text, size_t budget_bytes,
                            bool is_range, const struct kind *kind)
{
    return run(store, text, budget_bytes, is_range, kind) != STATUS_OK &&
           budget_bytes < BUDGET_MAX_BYTES;
}

static void run_under_all_budgets(const struct kind *kind)
{
    struct store *store = make_store();
    for (size_t i = 0; i < sizeof queries / sizeof queries[0]; i++) {
        for (int is_range = 0; is_range < 2; is_range++) {
            size_t budget_bytes = 0;
            while (is_about_memory(store, queries[i], budget_bytes, is_range, kind))
                budget_bytes += 1 + budget_bytes / 64;
        }
    }
    naive_store_free(store);
}

TEST(a_query_ends_well_whatever_its_budget)
{
    run_under_all_budgets(&(struct kind){.refusal = STATUS_LIMIT});
}

TEST(a_query_ends_well_whatever_all_queries_may_hold)
{
    run_under_all_budgets(&(struct kind){.is_shared = true, .refusal = STATUS_UNAVAILABLE});
}

TEST_MAIN(RUN(a_query_ends_well_whatever_its_budget),
          RUN(a_query_ends_well_whatever_all_queries_may_hold))
