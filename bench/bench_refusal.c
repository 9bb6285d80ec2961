/*
 * bench_refusal: what a series costs that a limit refuses, beside one that is taken.
 *
 * Requests of 2000 series of 10 labels each go to a store in memory. For each limit, prints
 * nanoseconds of processor time per series: the first requests, which are taken and fill the limit,
 * and a thousand requests that are refused.
 */
#include <stdio.h>

#include "base/check.h"
#include "base/clock.h"
#include "base/sim_disk.h"
#include "tsdb/store/store.h"

enum { REQUEST = 2000, TAKEN_REQUESTS = 50, REFUSED_REQUESTS = 1000, LABELS = 10 };

struct bench {
    struct sim_disk *sim;
    struct disk *disk;
    struct store *store;
    struct tenant *tenant;
    uint64_t next; /* number of the next series */
};

static void open_store(struct bench *b)
{
    struct error err;
    b->sim = sim_disk_new(1);
    b->disk = sim_disk_disk(b->sim);
    struct store_options options = {
        .disk = b->disk,
        .clock = clock_real(),
        .shard_count = 1,
        .default_tenant = STR("anonymous"),
        .tenant_label = STR("tenant_id"),
        .tenants_max = 10,
        .label_limits = {.labels_max = 64, .name_len_max = 1024, .value_len_max = 4096},
        .retention_ms = INT64_C(86400000),
        .future_max_ms = 600000,
        .idle_ms = 1800000,
        .is_manual = true};
    CHECK(store_open(&options, &b->store, &err) == STATUS_OK);
    b->tenant = tenant_table_default(store_tenants(b->store));
}

static void close_store(struct bench *b)
{
    store_close(b->store);
    disk_close(b->disk);
    sim_disk_free(b->sim);
}

static void make_series(struct bench *b, struct arena *arena, struct write_series *out,
                        struct sample *sample)
{
    static const char *const names[LABELS] = {"__name__", "cluster", "cpu",  "device",
                                              "instance", "job",     "mode", "namespace",
                                              "region",   "session"};
    struct label *labels = arena_alloc(arena, LABELS * sizeof *labels);
    for (size_t i = 0; i < LABELS; i++)
        labels[i] = (struct label){str_from(names[i]), STR("production-eu-1")};
    labels[LABELS - 1].value = arena_format(arena, "%016llx", (unsigned long long)b->next++);
    struct buffer encoding;
    buffer_init(&encoding, SIZE_MAX);
    labels_identity_encode(&encoding, (struct labels){labels, LABELS});
    struct str identity = arena_copy(arena, buffer_str(&encoding));
    buffer_deinit(&encoding);
    *out = (struct write_series){.tenant = b->tenant,
                                 .identity = bytes_of_str(identity),
                                 .labels = labels,
                                 .label_count = LABELS,
                                 .sample_count = 1,
                                 .samples = sample};
}

static void ignore(struct write_commit *commit, enum status status)
{
    (void)commit, (void)status;
}

/* Processor time of one request of new series. */
static uint64_t send(struct bench *b, uint64_t *written)
{
    struct arena arena;
    struct error err;
    struct write_result result = {0};
    struct write_commit commit = {.done = ignore};
    struct sample sample = {clock_now_ms(clock_real()), 1};
    arena_init(&arena, SIZE_MAX);
    struct write_series *series = arena_alloc(&arena, REQUEST * sizeof *series);
    for (size_t i = 0; i < REQUEST; i++)
        make_series(b, &arena, &series[i], &sample);
    const struct store_write_request request = {.series = series,
                                                .series_count = REQUEST,
                                                .arena = &arena,
                                                .result = &result,
                                                .commit = &commit};
    uint64_t start_ns = clock_thread_cpu_ns();
    CHECK(store_write(b->store, &request, &err) == STATUS_OK);
    uint64_t spent_ns = clock_thread_cpu_ns() - start_ns;
    CHECK(store_commit(b->store, 0, &err) == STATUS_OK);
    *written += result.samples_written;
    arena_deinit(&arena);
    return spent_ns;
}

static void run(enum tenant_limit limit)
{
    struct bench b = {0};
    uint64_t taken_ns = 0, refused_ns = 0, written = 0;
    open_store(&b);
    /* of bytes: whatever was taken is the most */
    if (limit != TENANT_LIMIT_MAX_SERIES_BYTES)
        counter_set(&b.tenant->limit_max[LIMIT_HARD][limit], TAKEN_REQUESTS * REQUEST);
    for (int i = 0; i < TAKEN_REQUESTS; i++)
        taken_ns += send(&b, &written);
    CHECK(written == TAKEN_REQUESTS * REQUEST);
    if (limit == TENANT_LIMIT_MAX_SERIES_BYTES)
        counter_set(&b.tenant->limit_max[LIMIT_HARD][limit], 1);
    for (int i = 0; i < REFUSED_REQUESTS; i++)
        refused_ns += send(&b, &written);
    CHECK(written == TAKEN_REQUESTS * REQUEST);
    printf("%-26s taken %6.0f ns, refused %6.0f ns a series\n", tenant_limit_name(limit),
           (double)taken_ns / (TAKEN_REQUESTS * REQUEST),
           (double)refused_ns / ((double)REFUSED_REQUESTS * REQUEST));
    close_store(&b);
}

int main(void)
{
    run(TENANT_LIMIT_MAX_SERIES);
    run(TENANT_LIMIT_MAX_SERIES_PER_METRIC);
    run(TENANT_LIMIT_MAX_LABEL_VALUES);
    run(TENANT_LIMIT_MAX_SERIES_BYTES);
    run(TENANT_LIMIT_MAX_NEW_SERIES_PER_HOUR);
    return 0;
}
