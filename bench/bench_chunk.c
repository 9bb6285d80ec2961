/*
 * bench_chunk: what encoding and decoding a column costs, by kind of column, and a day of a machine
 * as a block stores it.
 *
 * Prints bytes a sample and millions of samples per second of processor time on one core.
 */
#include <stdio.h>

#include "base/clock.h"
#include "base/mem.h"
#include "base/random.h"
#include "bench/fleet_value.h"
#include "tsdb/block/block_run.h"

enum { COLUMNS = 64, WORDS = COLUMN_WORDS_MAX, SPENT_MIN_NS = 100000000 };

/* ---- kinds of columns ---- */

static double make_constant(struct random *random, size_t index)
{
    (void)random, (void)index;
    return 42;
}

static double make_counter(struct random *random, size_t index)
{
    return (double)(1000000 + index * 1000 + random_below(random, 1000));
}

static double make_ticks(struct random *random, size_t index)
{
    return (double)(123456 + index * 1300 + random_below(random, 200)) / 100;
}

static double make_pages(struct random *random, size_t index)
{
    (void)index;
    return (double)((4000000 + random_below(random, 4096)) * 4096);
}

/* Most of them near a centre, some far off: integers of mixed sizes. */
static double make_mixed(struct random *random, size_t index)
{
    uint64_t distance = random_u64(random) >> 44 >> random_below(random, 20);
    return (double)(5000000 + (index % 2 == 0 ? distance : 0 - distance));
}

static double make_milliseconds(struct random *random, size_t index)
{
    return (double)(211000 + index * 70 + random_below(random, 70)) * 0.001;
}

static double make_random(struct random *random, size_t index)
{
    (void)index;
    return random_unit(random);
}

static double make_regular_ts(struct random *random, size_t index)
{
    (void)random;
    return (double)(1700000000000 + index * 15000);
}

static double make_jittery_ts(struct random *random, size_t index)
{
    return (double)(1700000000000 + index * 15000 + random_below(random, 8));
}

static const struct kind {
    const char *name;
    const struct encoding_table *table;
    double (*make)(struct random *random, size_t index);
} kinds[] = {
    {"a constant", &value_encodings, make_constant},
    {"a counter", &value_encodings, make_counter},
    {"a counter of hundredths", &value_encodings, make_ticks},
    {"a gauge of pages", &value_encodings, make_pages},
    {"integers of mixed sizes", &value_encodings, make_mixed},
    {"milliseconds * 0.001", &value_encodings, make_milliseconds},
    {"random floats", &value_encodings, make_random},
    {"timestamps, regular", &ts_encodings, make_regular_ts},
    {"timestamps with jitter", &ts_encodings, make_jittery_ts},
};

/* ---- columns ---- */

struct column {
    uint64_t words[WORDS];
    uint8_t bytes[COLUMN_BYTES_MAX];
    size_t len;
    unsigned number; /* of the encoding */
};

static void fill(struct column *columns, const struct kind *kind)
{
    struct random random;
    random_init_seeded(&random, 1);
    for (size_t c = 0; c < COLUMNS; c++) {
        for (size_t i = 0; i < WORDS; i++) {
            double value = kind->make(&random, i);
            columns[c].words[i] = kind->table == &ts_encodings ? (uint64_t)value : f64_bits(value);
        }
    }
}

static void encode_all(struct column *columns, const struct encoding_table *table)
{
    for (size_t c = 0; c < COLUMNS; c++)
        columns[c].len =
            column_encode(table, columns[c].words, WORDS, columns[c].bytes, &columns[c].number);
}

/* False when they do not come back. */
static bool decode_all(const struct column *columns, const struct encoding_table *table)
{
    bool is_same = true;
    for (size_t c = 0; c < COLUMNS; c++) {
        uint64_t words[WORDS];
        struct error err;
        struct reader r = reader_of((struct bytes){columns[c].bytes, columns[c].len});
        is_same = column_decode(table, columns[c].number, &r, words, WORDS, &err) == STATUS_OK &&
                  words[WORDS - 1] == columns[c].words[WORDS - 1] && is_same;
    }
    return is_same;
}

static double millions_per_second(uint64_t samples, uint64_t ns)
{
    return (double)samples * 1e3 / (double)ns;
}

static int run_kind(struct column *columns, const struct kind *kind)
{
    uint64_t encoded = 0, decoded = 0, len = 0;
    bool is_same = true;
    fill(columns, kind);
    uint64_t start_ns = clock_thread_cpu_ns();
    for (; clock_thread_cpu_ns() - start_ns < SPENT_MIN_NS; encoded += COLUMNS * WORDS)
        encode_all(columns, kind->table);
    uint64_t encoded_ns = clock_thread_cpu_ns();
    for (; clock_thread_cpu_ns() - encoded_ns < SPENT_MIN_NS; decoded += COLUMNS * WORDS)
        is_same = decode_all(columns, kind->table) && is_same;
    uint64_t decoded_ns = clock_thread_cpu_ns();
    for (size_t c = 0; c < COLUMNS; c++)
        len += columns[c].len;
    printf("%-24s %-9s %9.4f %9.0f %9.0f\n", kind->name,
           encoding_name(kind->table, columns[0].number), (double)len / (COLUMNS * WORDS),
           millions_per_second(encoded, encoded_ns - start_ns),
           millions_per_second(decoded, decoded_ns - encoded_ns));
    return is_same ? 0 : 1;
}

/* ---- a day of a machine ---- */

enum { DAY_SAMPLES = 5760, STEP_MS = 15000 };

struct day {
    struct columns samples;
    struct timeline *timeline;
    struct buffer run;
    struct buffer chunks;
    struct columns decoded;
    uint64_t count, bytes, encode_ns, decode_ns;
};

static void open_timeline(struct day *day)
{
    struct error err;
    timeline_encode(&day->run, &day->chunks, day->samples.ts_ms, DAY_SAMPLES);
    if (timeline_open(buffer_bytes(&day->run), INT64_MIN, INT64_MAX, &day->timeline, &err) !=
        STATUS_OK)
        printf("%s\n", err.text);
}

static int run_series(struct day *day)
{
    struct error err;
    uint64_t start_ns = clock_thread_cpu_ns();
    run_encode(&day->run, &day->chunks, day->samples.values, DAY_SAMPLES);
    uint64_t encoded_ns = clock_thread_cpu_ns();
    columns_reset(&day->decoded);
    enum status status = run_decode(buffer_bytes(&day->run), day->timeline, INT64_MIN, INT64_MAX,
                                    &day->decoded, &err);
    day->decode_ns += clock_thread_cpu_ns() - encoded_ns;
    day->encode_ns += encoded_ns - start_ns;
    day->count += DAY_SAMPLES;
    day->bytes += day->run.len;
    return status == STATUS_OK && memcmp(day->decoded.values, day->samples.values,
                                         DAY_SAMPLES * sizeof(double)) == 0
               ? 0
               : 1;
}

static int run_family(struct day *day, const struct fleet_family *family, uint64_t *seed)
{
    int status = 0;
    for (size_t index = 0; index < fleet_family_size(family); index++) {
        struct fleet_value value;
        fleet_value_init(&value, family->kind, ++*seed);
        columns_reset(&day->samples);
        for (int64_t i = 0; i < DAY_SAMPLES; i++) {
            struct fleet_moment moment = fleet_moment_of(0, 1700000000000 + i * STEP_MS);
            columns_append(&day->samples, moment.ts_ms, fleet_value_next(&value, &moment, 0.5));
        }
        if (day->timeline == NULL)
            open_timeline(day);
        status |= run_series(day);
    }
    return status;
}

static int run_day(void)
{
    struct day day = {0};
    uint64_t seed = 0;
    int status = 0;
    columns_init(&day.samples);
    columns_init(&day.decoded);
    buffer_init(&day.run, SIZE_MAX);
    buffer_init(&day.chunks, SIZE_MAX);
    for (size_t f = 0; f < fleet_family_count; f++)
        status |= run_family(&day, &fleet_families[f], &seed);
    printf("%-34s %9.4f %9.0f %9.0f\n", "a day of a machine, values",
           (double)day.bytes / (double)day.count, millions_per_second(day.count, day.encode_ns),
           millions_per_second(day.count, day.decode_ns));
    timeline_release(day.timeline);
    buffer_deinit(&day.run);
    buffer_deinit(&day.chunks);
    columns_deinit(&day.samples);
    columns_deinit(&day.decoded);
    return status;
}

int main(void)
{
    struct column *columns = mem_alloc(COLUMNS * sizeof *columns);
    int status = 0;
    printf("%-24s %-9s %9s %9s %9s\n", "column of 240", "encoding", "B/sample", "encode", "decode");
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
        status |= run_kind(columns, &kinds[i]);
    status |= run_day();
    mem_free(columns);
    return status;
}
