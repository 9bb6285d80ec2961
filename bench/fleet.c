#include "bench/fleet.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/codec.h"
#include "base/mem.h"
#include "base/random.h"
#include "bench/fleet_families.h"

enum {
    LABELS_MAX_BYTES = 1024,
    LABELS_MAX = 16,
    VALUE_MAX_BYTES = 64,
    /* a counter starts anew every so many scrapes, on average: half a day at 15 s */
    SCRAPES_PER_RESTART = 2880,
};

struct fleet_series {
    uint8_t *labels; /* wire form of the repeated label fields */
    size_t labels_len;
    enum fleet_kind kind;
    double share; /* of a bucket */
    double value;
    struct random random; /* the same for all series of one histogram */
};

/* ---- labels ---- */

struct pair {
    const char *name;
    char value[VALUE_MAX_BYTES];
};

static void add_pair(struct pair *pairs, size_t *count, const char *name, const char *format, ...)
    __attribute__((format(printf, 4, 5)));

static void add_pair(struct pair *pairs, size_t *count, const char *name, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    pairs[*count].name = name;
    vsnprintf(pairs[*count].value, VALUE_MAX_BYTES, format, args);
    va_end(args);
    (*count)++;
}

static int compare_pairs(const void *left, const void *right)
{
    return strcmp(((const struct pair *)left)->name, ((const struct pair *)right)->name);
}

static void put_label(struct buffer *out, const struct pair *pair)
{
    struct str name = str_from(pair->name), value = str_from(pair->value);
    write_u8(out, 0x0a);
    write_varint(out, 4 + name.len + value.len);
    write_u8(out, 0x0a);
    write_sized(out, bytes_of_str(name));
    write_u8(out, 0x12);
    write_sized(out, bytes_of_str(value));
}

static void add_dimension(struct pair *pairs, size_t *count,
                          const struct fleet_dimension *dimension, size_t instance, size_t value)
{
    if (dimension->words != NULL)
        add_pair(pairs, count, dimension->name, "%s", dimension->words[value]);
    else if (dimension->is_per_instance)
        add_pair(pairs, count, dimension->name, "%s%zu-%zu", dimension->prefix, instance, value);
    else
        add_pair(pairs, count, dimension->name, "%s%zu", dimension->prefix, value);
}

/* In order of name, as a Prometheus sends them. */
static void put_labels(struct buffer *out, const struct fleet_family *family, size_t instance,
                       size_t index)
{
    struct pair pairs[LABELS_MAX];
    size_t count = 0, values[FLEET_DIMENSIONS_MAX];
    add_pair(pairs, &count, "__name__", "%s", family->metric);
    add_pair(pairs, &count, "cluster", "%s", "production-eu-1");
    add_pair(pairs, &count, "datacenter", "%s", "fra-2");
    add_pair(pairs, &count, "environment", "%s", "production");
    add_pair(pairs, &count, "instance", "10.%zu.%zu.%zu:9100", instance / 65536,
             instance / 256 % 256, instance % 256);
    add_pair(pairs, &count, "job", "%s", family->job);
    add_pair(pairs, &count, "team", "%s", "platform");
    fleet_family_values(family, index, values);
    for (size_t i = 0; i < FLEET_DIMENSIONS_MAX && family->dimensions[i] != NULL; i++)
        add_dimension(pairs, &count, family->dimensions[i], instance, values[i]);
    qsort(pairs, count, sizeof *pairs, compare_pairs);
    for (size_t i = 0; i < count; i++)
        put_label(out, &pairs[i]);
}

/* ---- series ---- */

/* The histogram that series `index` of its family belongs to: the same number in all its families.
 */
static size_t histogram_of(const struct fleet_family *family, size_t index)
{
    return family->kind == FLEET_BUCKET ? index / family->dimensions[2]->count : index;
}

static void init_series(struct fleet_series *series, const struct fleet_family *family,
                        size_t instance, size_t index, size_t number)
{
    struct buffer labels;
    bool is_histogram = family->kind >= FLEET_BUCKET;
    buffer_init(&labels, LABELS_MAX_BYTES);
    put_labels(&labels, family, instance, index);
    *series =
        (struct fleet_series){.labels = labels.ptr, .labels_len = labels.len, .kind = family->kind};
    if (family->kind == FLEET_BUCKET)
        series->share = fleet_bucket_share(index % family->dimensions[2]->count);
    random_init_seeded(&series->random,
                       is_histogram ? (instance + 1) << 32 | histogram_of(family, index) : number);
    series->value = (double)random_below(&series->random, 1000000);
    if (family->kind == FLEET_INFO)
        series->value = 1;
    if (family->kind == FLEET_STATE)
        series->value = index % family->dimensions[1]->count == 1;
}

void fleet_init(struct fleet *fleet, size_t count)
{
    fleet->count = count;
    fleet->series = mem_alloc_zeroed(count, sizeof *fleet->series);
    size_t number = 0;
    for (size_t instance = 0; number < count; instance++) {
        for (size_t f = 0; f < fleet_family_count; f++) {
            size_t size = fleet_family_size(&fleet_families[f]);
            for (size_t index = 0; index < size && number < count; index++, number++)
                init_series(&fleet->series[number], &fleet_families[f], instance, index, number);
        }
    }
}

void fleet_deinit(struct fleet *fleet)
{
    for (size_t i = 0; i < fleet->count; i++)
        mem_free(fleet->series[i].labels);
    mem_free(fleet->series);
    *fleet = (struct fleet){0};
}

/* ---- values ---- */

static double next_count(struct fleet_series *series, uint64_t growth_max)
{
    struct random *random = &series->random;
    if (random_below(random, SCRAPES_PER_RESTART) == 0)
        series->value = 0;
    series->value += (double)random_below(random, growth_max);
    return series->value;
}

static double next_value(struct fleet_series *series)
{
    struct random *random = &series->random;
    switch (series->kind) {
    case FLEET_CONSTANT:
    case FLEET_INFO:
    case FLEET_STATE:
        break;
    case FLEET_COUNTER:
        return next_count(series, 100000);
    case FLEET_SLOW_COUNTER:
        return random_below(random, 4) == 0 ? next_count(series, 10) : series->value;
    case FLEET_BYTES:
        series->value += 4096 * ((double)random_below(random, 64) - 31);
        break;
    case FLEET_SECONDS:
        return next_count(series, 1500) / 100;
    case FLEET_LOAD:
        return (double)random_below(random, 1000) / 100;
    case FLEET_DURATION:
        return random_unit(random) / 100;
    case FLEET_BUCKET:
        return floor(next_count(series, 500) * series->share);
    case FLEET_HISTOGRAM_COUNT:
        return next_count(series, 500);
    case FLEET_HISTOGRAM_SUM:
        return next_count(series, 500) * 0.0731;
    }
    return series->value;
}

void fleet_append_request(struct fleet *fleet, size_t from, size_t to, int64_t ts_ms,
                          struct buffer *out)
{
    struct buffer sample;
    buffer_init(&sample, 32);
    for (size_t i = from; i < to; i++) {
        struct fleet_series *series = &fleet->series[i];
        buffer_reset(&sample);
        write_u8(&sample, 0x09);
        write_f64(&sample, next_value(series));
        write_u8(&sample, 0x10);
        write_varint(&sample, (uint64_t)ts_ms);
        write_u8(out, 0x0a);
        write_varint(out, series->labels_len + 2 + sample.len);
        buffer_append(out, series->labels, series->labels_len);
        write_u8(out, 0x12);
        write_sized(out, buffer_bytes(&sample));
    }
    buffer_deinit(&sample);
}
