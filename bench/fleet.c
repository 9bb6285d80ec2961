#include "bench/fleet.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/codec.h"
#include "base/mem.h"
#include "bench/fleet_value.h"

enum {
    LABELS_MAX_BYTES = 1024,
    LABELS_MAX = 16,
    VALUE_MAX_BYTES = 64,
};

struct fleet_series {
    uint8_t *labels; /* wire form of the repeated label fields */
    size_t labels_len;
    size_t instance;
    double share; /* of a bucket */
    struct fleet_value value;
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

/* The histogram that series `index` of its family belongs to: the same number in all its
   families. */
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
        (struct fleet_series){.labels = labels.ptr, .labels_len = labels.len, .instance = instance};
    if (family->kind == FLEET_BUCKET)
        series->share = fleet_bucket_share(index % family->dimensions[2]->count);
    fleet_value_init(&series->value, family->kind,
                     is_histogram ? (instance + 1) << 32 | histogram_of(family, index) : number);
    if (family->kind == FLEET_INFO)
        series->value.units = 1;
    if (family->kind == FLEET_STATE)
        series->value.units = index % family->dimensions[1]->count == 1;
}

static void init_families(struct fleet *fleet, size_t count, const struct fleet_family *families,
                          size_t family_count)
{
    fleet->count = count;
    fleet->series = mem_alloc_zeroed(count, sizeof *fleet->series);
    size_t number = 0;
    for (size_t instance = 0; number < count; instance++) {
        for (size_t f = 0; f < family_count; f++) {
            size_t size = fleet_family_size(&families[f]);
            for (size_t index = 0; index < size && number < count; index++, number++)
                init_series(&fleet->series[number], &families[f], instance, index, number);
        }
    }
}

void fleet_init(struct fleet *fleet, size_t count)
{
    init_families(fleet, count, fleet_families, fleet_family_count);
}

bool fleet_init_metric(struct fleet *fleet, size_t count, struct str metric)
{
    for (size_t i = 0; i < fleet_family_count; i++) {
        if (!str_eq(str_from(fleet_families[i].metric), metric))
            continue;
        init_families(fleet, count, &fleet_families[i], 1);
        return true;
    }
    return false;
}

void fleet_deinit(struct fleet *fleet)
{
    for (size_t i = 0; i < fleet->count; i++)
        mem_free(fleet->series[i].labels);
    mem_free(fleet->series);
    *fleet = (struct fleet){0};
}

/* ---- reading ---- */

struct fleet_sample fleet_next_sample(struct fleet *fleet, size_t index, int64_t due_ms)
{
    struct fleet_series *series = &fleet->series[index];
    struct fleet_moment moment = fleet_moment_of(series->instance, due_ms);
    double value = fleet_value_next(&series->value, &moment, series->share);
    return (struct fleet_sample){moment.ts_ms, value};
}

void fleet_append_labels(const struct fleet *fleet, size_t index, struct buffer *out)
{
    const struct fleet_series *series = &fleet->series[index];
    struct reader labels = reader_of((struct bytes){series->labels, series->labels_len});
    for (bool is_first = true; reader_left(&labels) > 0; is_first = false) {
        reader_u8(&labels);
        struct reader pair = reader_of(reader_sized(&labels));
        reader_u8(&pair);
        struct bytes name = reader_sized(&pair);
        reader_u8(&pair);
        struct bytes value = reader_sized(&pair);
        buffer_append_format(out, "%s[\"%.*s\",\"%.*s\"]", is_first ? "" : ",", (int)name.len,
                             (const char *)name.ptr, (int)value.len, (const char *)value.ptr);
    }
}

/* ---- requests ---- */

void fleet_append_request(struct fleet *fleet, size_t from, size_t to, int64_t due_ms,
                          struct buffer *out)
{
    struct buffer sample;
    buffer_init(&sample, 32);
    struct fleet_moment moment = {0};
    for (size_t i = from; i < to; i++) {
        struct fleet_series *series = &fleet->series[i];
        if (i == from || series->instance != series[-1].instance)
            moment = fleet_moment_of(series->instance, due_ms);
        buffer_reset(&sample);
        write_u8(&sample, 0x09);
        write_f64(&sample, fleet_value_next(&series->value, &moment, series->share));
        write_u8(&sample, 0x10);
        write_varint(&sample, (uint64_t)moment.ts_ms);
        write_u8(out, 0x0a);
        write_varint(out, series->labels_len + 2 + sample.len);
        buffer_append(out, series->labels, series->labels_len);
        write_u8(out, 0x12);
        write_sized(out, buffer_bytes(&sample));
    }
    buffer_deinit(&sample);
}
