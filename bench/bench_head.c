/*
 * bench_head: what finding a series and appending its sample costs, and what a series costs in
 * memory.
 *
 * 500 targets with 350 series of 10 labels each are scraped every 15 s; each request has one sample
 * per series, and its series are found as store_write.c finds them: behind the one before, else by
 * hash. Prints nanoseconds of processor time per sample, for series that arrive in the order in
 * which they were made, in another that stays, and in a new one with each scrape, so that none is
 * where it was; and bytes per series after each scrape of a half hour that is worth noting.
 */
#include <stdio.h>

#include "base/clock.h"
#include "base/mem.h"
#include "base/random.h"
#include "tsdb/head/head.h"

enum { TARGETS = 500, SERIES_PER_TARGET = 350, SERIES = TARGETS * SERIES_PER_TARGET };
enum { REQUEST = 2000, BATCH = 64, STRANGERS = 8, SCRAPES = 120, SCRAPE_MS = 15000 };

struct bench_series {
    struct bytes identity;
    uint64_t hundredths; /* the value */
    int kind;            /* 0..3 counter, 4..6 gauge, 7..9 constant */
};

struct bench {
    struct head *head;
    struct tenant_table *tenants;
    struct tenant *tenant;
    struct arena arena;
    struct random random;
    struct bench_series *series;
    uint32_t *order;
};

static struct labels make_labels(struct arena *arena, size_t target, size_t number)
{
    struct label *labels = arena_alloc(arena, 10 * sizeof *labels);
    labels[0] = (struct label){LABEL_METRIC_NAME,
                               arena_format(arena, "node_subsystem_%zu_seconds_total", number / 8)};
    labels[1] = (struct label){STR("cluster"), STR("production-eu-1")};
    labels[2] = (struct label){STR("cpu"), arena_format(arena, "%zu", number % 8)};
    labels[3] = (struct label){STR("device"), arena_format(arena, "nvme%zun1", number % 4)};
    labels[4] = (struct label){
        STR("instance"), arena_format(arena, "10.1.%zu.%zu:9100", target / 250, target % 250)};
    labels[5] = (struct label){STR("job"), STR("node-exporter")};
    labels[6] = (struct label){STR("mode"), number % 2 == 0 ? STR("idle") : STR("system")};
    labels[7] = (struct label){STR("namespace"), STR("monitoring")};
    labels[8] =
        (struct label){STR("pod"), arena_format(arena, "node-exporter-%05zx", target * 977)};
    labels[9] = (struct label){STR("region"), STR("eu-central-1")};
    return (struct labels){labels, 10};
}

static void add_series(struct bench *b)
{
    struct buffer encoding;
    buffer_init(&encoding, SIZE_MAX);
    for (size_t i = 0; i < SERIES; i++) {
        struct labels labels = make_labels(&b->arena, i / SERIES_PER_TARGET, i % SERIES_PER_TARGET);
        buffer_reset(&encoding);
        labels_identity_encode(&encoding, labels);
        struct str copy = arena_copy(&b->arena, buffer_str(&encoding));
        b->series[i] = (struct bench_series){.identity = bytes_of_str(copy),
                                             .kind = (int)random_below(&b->random, 10)};
        head_add(b->head, b->tenant, labels, 0);
    }
    buffer_deinit(&encoding);
}

static double next_value(struct bench *b, struct bench_series *series)
{
    if (series->kind < 4)
        series->hundredths += random_below(&b->random, 1000);
    else if (series->kind < 7)
        series->hundredths = random_below(&b->random, 100000);
    return (double)series->hundredths / 100;
}

/* One sample of each of `count` series; their labels stand in `body` as in a request just
   unpacked. */
struct request {
    struct buffer body;
    struct head_key keys[REQUEST];
    struct sample samples[REQUEST];
    size_t count;
};

static void make_request(struct bench *b, struct request *request, size_t from, int64_t ts_ms)
{
    request->count = SERIES - from < REQUEST ? SERIES - from : REQUEST;
    buffer_reset(&request->body);
    buffer_reserve(&request->body, REQUEST * (size_t)1024); /* views stay valid */
    for (size_t i = 0; i < request->count; i++) {
        struct bench_series *series = &b->series[b->order[from + i]];
        size_t at = request->body.len;
        buffer_append(&request->body, series->identity.ptr, series->identity.len);
        request->keys[i] = (struct head_key){
            .tenant = b->tenant, .identity = {request->body.ptr + at, series->identity.len}};
        request->samples[i] = (struct sample){ts_ms, next_value(b, series)};
    }
}

static void find_strangers(struct head *head, struct head_key *keys, size_t count,
                           struct series_ref *before, struct series_ref *refs)
{
    for (size_t i = 0; i < count; i++)
        keys[i].hash = head_key_hash(&keys[i]);
    head_find(head, keys, count, refs);
    for (size_t i = 0; i < count; i++) {
        if (before->value != SERIES_REF_NONE.value)
            head_note_order(head, *before, refs[i]);
        *before = refs[i];
    }
}

/* `*before` is the last series that was found. */
static void find(struct head *head, struct head_key *keys, size_t count, struct series_ref *before,
                 struct series_ref *refs)
{
    for (size_t done = 0; done < count;) {
        size_t found = head_follow(head, *before, keys + done, count - done, refs + done);
        done += found;
        if (found > 0)
            *before = refs[done - 1];
        size_t left = count - done, strangers = left < STRANGERS ? left : STRANGERS;
        find_strangers(head, keys + done, strangers, before, refs + done);
        done += strangers;
    }
}

static void write_request(struct bench *b, struct request *request)
{
    struct series_ref refs[BATCH], before = SERIES_REF_NONE;
    for (size_t from = 0; from < request->count; from += BATCH) {
        size_t count = request->count - from < BATCH ? request->count - from : BATCH;
        find(b->head, request->keys + from, count, &before, refs);
        for (size_t i = 0; i < count; i++) {
            struct sample sample = request->samples[from + i];
            head_append(b->head, refs[i], sample, sample.ts_ms);
        }
    }
}

/* Returns the processor time of finding and appending alone. */
static uint64_t scrape(struct bench *b, int64_t ts_ms)
{
    static struct request request = {.body = {.max_bytes = SIZE_MAX}};
    uint64_t spent_ns = 0;
    for (size_t from = 0; from < SERIES; from += REQUEST) {
        make_request(b, &request, from, ts_ms);
        uint64_t start_ns = clock_thread_cpu_ns();
        write_request(b, &request);
        spent_ns += clock_thread_cpu_ns() - start_ns;
    }
    return spent_ns;
}

static void shuffle(struct bench *b)
{
    for (size_t i = SERIES - 1; i > 0; i--) {
        size_t other = random_below(&b->random, i + 1);
        uint32_t swap = b->order[i];
        b->order[i] = b->order[other];
        b->order[other] = swap;
    }
}

static void run(struct bench *b, const char *name, bool changes_order, int64_t start_ms)
{
    uint64_t spent_ns = 0;
    uint64_t slowest_ns = 0;
    for (int i = 0; i < SCRAPES; i++) {
        if (changes_order)
            shuffle(b);
        uint64_t ns = scrape(b, start_ms + (int64_t)i * SCRAPE_MS);
        spent_ns += ns;
        slowest_ns = ns > slowest_ns ? ns : slowest_ns;
        if (i == 0 || i == 15 || i == 31 || i == 63 || i == SCRAPES - 1)
            printf("%s: after %3d samples %4zu bytes per series\n", name, i + 1,
                   head_memory_bytes(b->head) / SERIES);
    }
    printf("%s: %.1f ns per sample, slowest scrape %.1f\n", name,
           (double)spent_ns / SCRAPES / SERIES, (double)slowest_ns / SERIES);
}

static void flush(struct bench *b)
{
    uint64_t start_ns = clock_thread_cpu_ns();
    head_flush_begin(b->head);
    uint64_t begun_ns = clock_thread_cpu_ns();
    head_flush_end(b->head);
    printf("flush: begin %.1f ms, end %.1f ms, then %zu bytes per series\n",
           (double)(begun_ns - start_ns) / 1e6, (double)(clock_thread_cpu_ns() - begun_ns) / 1e6,
           head_memory_bytes(b->head) / SERIES);
}

int main(void)
{
    struct error err;
    struct bench b = {.head = head_new()};
    struct tenant_table_options options = {
        .shard_count = 1, .tenants_max = 10, .default_tenant = STR("bench")};
    if (tenant_table_open(&options, &b.tenants, &err) != STATUS_OK)
        return 1;
    b.tenant = tenant_table_default(b.tenants);
    arena_init(&b.arena, SIZE_MAX);
    random_init_seeded(&b.random, 1);
    b.series = mem_alloc(SERIES * sizeof *b.series);
    b.order = mem_alloc(SERIES * sizeof *b.order);
    for (uint32_t i = 0; i < SERIES; i++)
        b.order[i] = i;
    uint64_t start_ns = clock_thread_cpu_ns();
    add_series(&b);
    printf("add: %.0f ns per series, %zu bytes per series\n",
           (double)(clock_thread_cpu_ns() - start_ns) / SERIES, head_memory_bytes(b.head) / SERIES);
    run(&b, "in order", false, SCRAPE_MS);
    flush(&b);
    shuffle(&b);
    run(&b, "in another", false, (SCRAPES + 1) * (int64_t)SCRAPE_MS);
    flush(&b);
    run(&b, "in a new one", true, (2 * SCRAPES + 1) * (int64_t)SCRAPE_MS);
    flush(&b);
    head_free(b.head);
    tenant_table_close(b.tenants);
    arena_deinit(&b.arena);
    mem_free(b.series);
    mem_free(b.order);
    return 0;
}
