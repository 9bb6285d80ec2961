/*
 * What the head says it holds, per series: like bench_head, 10 labels each, of which most are
 * shared.
 */
#include "tests/support/test.h"

#include "tsdb/head/head.h"

enum { TARGETS = 60, SERIES_PER_TARGET = 350, SERIES = TARGETS * SERIES_PER_TARGET, LABELS = 10 };
enum { SCRAPE_MS = 15000 };

/* Bytes per series. */
enum {
    KNOWN_BYTES_MAX = 160, /* no samples: the price of being found */
};

struct fixture {
    struct tenant_table *tenants;
    struct tenant *tenant;
    struct head *head;
};

static struct labels make_labels(struct arena *arena, size_t target, size_t number)
{
    struct label *labels = arena_alloc(arena, LABELS * sizeof *labels);
    labels[0] = (struct label){LABEL_METRIC_NAME,
                               arena_format(arena, "node_subsystem_%zu_seconds_total", number / 8)};
    labels[1] = (struct label){STR("cluster"), STR("production-eu-1")};
    labels[2] = (struct label){STR("cpu"), arena_format(arena, "%zu", number % 8)};
    labels[3] = (struct label){STR("device"), arena_format(arena, "nvme%zun1", number % 4)};
    labels[4] = (struct label){STR("instance"), arena_format(arena, "10.1.0.%zu:9100", target)};
    labels[5] = (struct label){STR("job"), STR("node-exporter")};
    labels[6] = (struct label){STR("mode"), number % 2 == 0 ? STR("idle") : STR("system")};
    labels[7] = (struct label){STR("namespace"), STR("monitoring")};
    labels[8] =
        (struct label){STR("pod"), arena_format(arena, "node-exporter-%05zx", target * 977)};
    labels[9] = (struct label){STR("region"), STR("eu-central-1")};
    return (struct labels){labels, LABELS};
}

static struct fixture make_fixture(void)
{
    struct error err;
    struct arena arena;
    struct fixture f = {.head = head_new()};
    const struct tenant_table_options options = {
        .shard_count = 1, .tenants_max = 4, .default_tenant = STR("anonymous")};
    expect_ok(tenant_table_open(&options, &f.tenants, &err));
    f.tenant = tenant_table_default(f.tenants);
    arena_init(&arena, SIZE_MAX);
    for (size_t i = 0; i < SERIES; i++) {
        arena_reset(&arena);
        head_add(f.head, f.tenant,
                 make_labels(&arena, i / SERIES_PER_TARGET, i % SERIES_PER_TARGET), 0);
    }
    arena_deinit(&arena);
    return f;
}

static void free_fixture(struct fixture *f)
{
    head_free(f->head);
    tenant_table_close(f->tenants);
}

/* A third each: constants, counters, gauges. */
static double value_of(uint32_t series, uint32_t scrape)
{
    if (series % 3 == 0)
        return series;
    return series % 3 == 1 ? series + scrape * 7 : (series * 31 % 97 + scrape * 13 % 53) / 100.0;
}

static void scrape(struct fixture *f, uint32_t number)
{
    int64_t ts_ms = (int64_t)number * SCRAPE_MS;
    for (uint32_t i = 0; i < SERIES; i++) {
        struct sample sample = {ts_ms, value_of(i, number)};
        head_append(f->head, (struct series_ref){i}, sample, ts_ms);
    }
}

static void expect_bytes_per_series(const struct fixture *f, size_t max)
{
    size_t bytes = head_memory_bytes(f->head) / SERIES;
    if (bytes > max)
        fail_msg("got %zu bytes per series, want at most %zu", bytes, max);
}

TEST(a_known_series_is_cheap)
{
    struct fixture f = make_fixture();
    expect_bytes_per_series(&f, KNOWN_BYTES_MAX);
    free_fixture(&f);
}

TEST(a_flush_gives_back_all_that_samples_held)
{
    struct fixture f = make_fixture();
    size_t before = head_memory_bytes(f.head);
    for (uint32_t round = 0; round < 3; round++) {
        for (uint32_t i = 1; i <= 40; i++)
            scrape(&f, round * 40 + i);
        assert_true(head_memory_bytes(f.head) > before + SERIES * 100);
        assert_true(head_sample_memory_bytes(f.head) > SERIES * 100);
        head_flush_begin(f.head);
        head_flush_end(f.head);
        /* what is left over: scratch, and the arrays that name pages */
        assert_true(head_memory_bytes(f.head) < before + SERIES * 4);
        assert_true(head_sample_memory_bytes(f.head) < SERIES * 4);
    }
    free_fixture(&f);
}

/* Bytes per tenant, the tenant itself included. */
enum { TENANTS = 400, SERIES_PER_TENANT = 20, TENANT_BYTES_MAX = 9728, GONE_BYTES_MAX = 3072 };

static void add_tenants(struct head *head, struct tenant_table *tenants, int64_t now_ms)
{
    struct arena arena;
    arena_init(&arena, SIZE_MAX);
    for (size_t t = 0; t < TENANTS; t++) {
        struct error err;
        struct tenant *tenant;
        arena_reset(&arena);
        expect_ok(tenant_table_get(tenants, arena_format(&arena, "tenant-%zu", t), &tenant, &err));
        for (size_t i = 0; i < SERIES_PER_TENANT; i++) {
            struct series_ref ref = head_add(head, tenant, make_labels(&arena, t, i), now_ms);
            head_append(head, ref, (struct sample){now_ms, 1}, now_ms);
        }
    }
    arena_deinit(&arena);
}

static void flush(struct head *head)
{
    head_flush_begin(head);
    head_flush_end(head);
}

static void expect_bytes_per_tenant(const struct head *head, size_t max)
{
    size_t bytes = head_memory_bytes(head) / TENANTS + sizeof(struct tenant);
    if (bytes > max)
        fail_msg("got %zu bytes per tenant, want at most %zu", bytes, max);
}

TEST(a_small_tenant_is_cheap_and_an_idle_one_cheaper)
{
    struct error err;
    struct tenant_table *tenants;
    struct head *head = head_new();
    const struct tenant_table_options options = {
        .shard_count = 1, .tenants_max = TENANTS + 1, .default_tenant = STR("anonymous")};
    expect_ok(tenant_table_open(&options, &tenants, &err));
    add_tenants(head, tenants, 1000);
    flush(head);
    expect_bytes_per_tenant(head, TENANT_BYTES_MAX);
    head_sweep_idle(head, 2000);
    flush(head);
    flush(head);
    flush(head); /* slots of series are free now, their pages stay */
    expect_bytes_per_tenant(head, GONE_BYTES_MAX + SERIES_PER_TENANT * 64);
    head_free(head);
    tenant_table_close(tenants);
}

TEST_MAIN(RUN(a_known_series_is_cheap), RUN(a_flush_gives_back_all_that_samples_held),
          RUN(a_small_tenant_is_cheap_and_an_idle_one_cheaper))
