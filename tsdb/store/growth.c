#include "tsdb/store/growth.h"

#include "base/check.h"

/* The new values of one label name. */
struct values {
    struct str name;
    struct str values[GROWTH_SERIES_MAX]; /* each once */
    uint32_t count;
};

struct search {
    struct head *head;
    const struct tenant *tenant;
    struct values names[GROWTH_NAMES_MAX];
    size_t name_count;
};

/* NULL: there is no room for one more. */
static struct values *values_of(struct search *search, struct str name)
{
    for (size_t i = 0; i < search->name_count; i++) {
        if (str_eq(search->names[i].name, name))
            return &search->names[i];
    }
    if (search->name_count == GROWTH_NAMES_MAX)
        return NULL;
    search->names[search->name_count] = (struct values){.name = name};
    return &search->names[search->name_count++];
}

static void add_value(struct search *search, struct label label)
{
    struct values *values = values_of(search, label.name);
    if (values == NULL || label.name.len == 0 || label.value.len == 0)
        return;
    for (uint32_t i = 0; i < values->count; i++) {
        if (str_eq(values->values[i], label.value))
            return;
    }
    /* a name that a series repeats may bring more than one value of it */
    if (values->count < GROWTH_SERIES_MAX &&
        head_label_series_count(search->head, search->tenant, label) == 0)
        values->values[values->count++] = label.value;
}

static void find_metric(struct growth *out, const struct labels *series, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        struct str metric = labels_get(series[i], LABEL_METRIC_NAME);
        uint32_t same = 0;
        for (size_t k = i; k < count; k++)
            same += str_eq(labels_get(series[k], LABEL_METRIC_NAME), metric);
        if (same > out->metric_count) {
            out->metric = metric;
            out->metric_count = same;
        }
    }
}

/* How many values the name of something new has already. */
static size_t known_values(const struct search *search, const struct values *values)
{
    struct label one = {values->name, values->values[0]};
    size_t known;
    (void)head_new_label_value(search->head, search->tenant, (struct labels){&one, 1}, &known);
    return known;
}

static bool grows_more(const struct search *search, const struct values *values,
                       const struct values *most)
{
    if (values->count == 0 || most == NULL)
        return values->count > 0;
    if (values->count != most->count)
        return values->count > most->count;
    return known_values(search, values) > known_values(search, most);
}

void growth_find(struct growth *out, struct head *head, const struct tenant *tenant,
                 const struct labels *series, size_t count)
{
    CHECK(count > 0 && count <= GROWTH_SERIES_MAX);
    struct search search;
    search.head = head;
    search.tenant = tenant;
    search.name_count = 0;
    *out = (struct growth){.series_count = (uint32_t)count};
    find_metric(out, series, count);
    for (size_t i = 0; i < count; i++) {
        for (size_t k = 0; k < series[i].count; k++)
            add_value(&search, series[i].ptr[k]);
    }
    const struct values *most = NULL;
    for (size_t i = 0; i < search.name_count; i++) {
        if (grows_more(&search, &search.names[i], most))
            most = &search.names[i];
    }
    if (most == NULL)
        return;
    out->label = most->name;
    out->value_count = most->count;
    for (; out->example_count < GROWTH_EXAMPLES_MAX && out->example_count < most->count;
         out->example_count++)
        out->examples[out->example_count] = most->values[out->example_count];
}
