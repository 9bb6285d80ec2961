/*
 * /api/v1/status/tsdb as Prometheus has it, /api/v1/cardinality/label_names, label_values and
 * active_series as Mimir has them: where the series come from.
 */
#include <stdlib.h>

#include "query/api/pair_counts_http.h"

enum { LIST_DEFAULT = 20, STATUS_LIST_DEFAULT = 10, LIST_MAX = 10000, NAMES_MAX = 100 };

/* ---- parameters ---- */

static bool read_limit(struct api_call *call, uint64_t fallback, uint64_t *out)
{
    if (!api_limit(call, out))
        return false;
    if (*out == 0)
        *out = exchange_param(call->exchange, "limit", NULL).len == 0 ? fallback : LIST_MAX;
    if (*out > LIST_MAX)
        *out = LIST_MAX;
    return true;
}

/* The caller calls api_selectors_deinit with what was read, none or one. */
static bool read_query(struct api_call *call, struct api_selector *selector, size_t *count,
                       struct pair_query *out)
{
    struct error err;
    struct str text = exchange_param(call->exchange, "selector", NULL);
    struct str method = exchange_param(call->exchange, "count_method", NULL);
    bool is_active = str_eq(method, STR("active"));
    *count = 0;
    *out = (struct pair_query){.source = is_active ? SELECT_ACTIVE : SELECT_IN_MEMORY};
    if (method.len > 0 && !is_active && !str_eq(method, STR("inmemory"))) {
        reply_error(call->exchange, API_BAD_DATA, STR("count_method: want inmemory or active"));
        return false;
    }
    if (text.len == 0)
        return true;
    if (api_selector_parse(call, text, selector, &err) != STATUS_OK) {
        reply_bad_param(call->exchange, "selector", &err);
        return false;
    }
    *count = 1;
    out->selector = selector;
    return true;
}

/* Replies when it fails. */
static bool find_counts(struct api_call *call, const struct pair_query *query,
                        struct pair_counts *out)
{
    struct error err;
    enum status status = pair_counts_find(out, call, query, &err);
    if (status != STATUS_OK)
        api_fail(call, status, &err);
    return status == STATUS_OK;
}

/* By the request's selector and count_method. */
static bool find_asked_counts(struct api_call *call, struct pair_counts *out)
{
    struct api_selector selector;
    struct pair_query query;
    size_t count;
    if (!read_query(call, &selector, &count, &query))
        return false;
    bool is_found = find_counts(call, &query, out);
    api_selectors_deinit(&selector, count);
    return is_found;
}

/* ---- lists ---- */

struct ranked {
    struct label label; /* the value is empty where it is about names */
    uint64_t count;
};

struct ranking {
    struct ranked *ptr;
    size_t count;
};

static int compare_ranked(const void *left, const void *right)
{
    const struct ranked *a = left, *b = right;
    if (a->count != b->count)
        return a->count < b->count ? 1 : -1;
    int order = str_compare(a->label.name, b->label.name);
    return order != 0 ? order : str_compare(a->label.value, b->label.value);
}

/* How the pairs of one name make up its number. */
typedef uint64_t (*weigh_pair)(const struct label_count *pair);

static uint64_t weigh_one(const struct label_count *pair)
{
    (void)pair;
    return 1;
}

/* As Prometheus estimates it: each series as if it held its own copy. */
static uint64_t weigh_bytes(const struct label_count *pair)
{
    return pair->label.value.len * pair->series_count;
}

static struct ranking rank_names(struct api_call *call, const struct pair_counts *counts,
                                 weigh_pair weigh)
{
    struct ranking ranking = {arena_alloc(call->arena, counts->count * sizeof(struct ranked)), 0};
    for (size_t i = 0; i < counts->count; i++) {
        const struct label_count *pair = &counts->ptr[i];
        if (i == 0 || !str_eq(counts->ptr[i - 1].label.name, pair->label.name))
            ranking.ptr[ranking.count++] = (struct ranked){.label.name = pair->label.name};
        ranking.ptr[ranking.count - 1].count += weigh(pair);
    }
    return ranking;
}

/* The pairs of one name; all when it is empty. */
static struct ranking rank_pairs(struct api_call *call, const struct pair_counts *counts,
                                 struct str name)
{
    struct ranking ranking = {arena_alloc(call->arena, counts->count * sizeof(struct ranked)), 0};
    for (size_t i = 0; i < counts->count; i++) {
        const struct label_count *pair = &counts->ptr[i];
        if (name.len == 0 || str_eq(pair->label.name, name))
            ranking.ptr[ranking.count++] = (struct ranked){pair->label, pair->series_count};
    }
    return ranking;
}

struct list_style {
    const char *text_key;
    const char *count_key;
    enum { SHOW_NAME, SHOW_VALUE, SHOW_PAIR } show;
};

static struct str shown(struct api_call *call, const struct label *label,
                        const struct list_style *style)
{
    if (style->show == SHOW_PAIR)
        return arena_format(call->arena, "%.*s=%.*s", STR_ARG(label->name), STR_ARG(label->value));
    return style->show == SHOW_NAME ? label->name : label->value;
}

/* The first `limit`, the largest first. */
static void put_ranking(struct json *json, struct api_call *call, struct ranking ranking,
                        uint64_t limit, const struct list_style *style)
{
    if (ranking.count > 0)
        qsort(ranking.ptr, ranking.count, sizeof *ranking.ptr, compare_ranked);
    json_begin_array(json);
    for (size_t i = 0; i < ranking.count && i < limit; i++) {
        json_begin_object(json);
        json_key(json, str_from(style->text_key));
        json_string(json, shown(call, &ranking.ptr[i].label, style));
        json_key(json, str_from(style->count_key));
        json_u64(json, ranking.ptr[i].count);
        json_end_object(json);
    }
    json_end_array(json);
}

static void put_u64(struct json *json, const char *key, uint64_t value)
{
    json_key(json, str_from(key));
    json_u64(json, value);
}

/* ---- /api/v1/status/tsdb ---- */

static void put_status(struct json *json, struct api_call *call, const struct pair_counts *counts,
                       uint64_t limit)
{
    static const struct list_style names = {"name", "value", SHOW_NAME},
                                   values = {"name", "value", SHOW_VALUE},
                                   pairs = {"name", "value", SHOW_PAIR};
    json_begin_object(json);
    json_key(json, STR("headStats"));
    json_begin_object(json);
    put_u64(json, "numSeries", counts->series_count);
    put_u64(json, "numLabelPairs", counts->count);
    put_u64(json, "chunkCount", counts->extent.chunks);
    json_key(json, STR("minTime"));
    json_i64(json, counts->extent.min_ts_ms);
    json_key(json, STR("maxTime"));
    json_i64(json, counts->extent.max_ts_ms);
    json_end_object(json);
    json_key(json, STR("seriesCountByMetricName"));
    put_ranking(json, call, rank_pairs(call, counts, LABEL_METRIC_NAME), limit, &values);
    json_key(json, STR("labelValueCountByLabelName"));
    put_ranking(json, call, rank_names(call, counts, weigh_one), limit, &names);
    json_key(json, STR("memoryInBytesByLabelName"));
    put_ranking(json, call, rank_names(call, counts, weigh_bytes), limit, &names);
    json_key(json, STR("seriesCountByLabelValuePair"));
    put_ranking(json, call, rank_pairs(call, counts, STR("")), limit, &pairs);
    json_end_object(json);
}

void api_status_tsdb(struct api_call *call)
{
    const struct pair_query query = {.source = SELECT_IN_MEMORY, .wants_extent = true};
    struct pair_counts counts;
    struct buffer out;
    struct json json;
    uint64_t limit;
    if (!read_limit(call, STATUS_LIST_DEFAULT, &limit) || !find_counts(call, &query, &counts))
        return;
    reply_begin(call->exchange, &json, &out);
    put_status(&json, call, &counts, limit);
    pair_counts_deinit(&counts);
    reply_end(call->exchange, &json, NULL, NULL);
}

/* ---- /api/v1/cardinality ---- */

void api_cardinality_names(struct api_call *call)
{
    static const struct list_style style = {"label_name", "label_values_count", SHOW_NAME};
    struct pair_counts counts;
    struct buffer out;
    struct json json;
    uint64_t limit;
    if (!read_limit(call, LIST_DEFAULT, &limit) || !find_asked_counts(call, &counts))
        return;
    struct ranking ranking = rank_names(call, &counts, weigh_one);
    reply_begin_bare(call->exchange, &json, &out);
    put_u64(&json, "label_values_count_total", counts.count);
    put_u64(&json, "label_names_count", ranking.count);
    json_key(&json, STR("cardinality"));
    put_ranking(&json, call, ranking, limit, &style);
    pair_counts_deinit(&counts);
    reply_end_bare(call->exchange, &json);
}

static void put_values_of(struct json *json, struct api_call *call,
                          const struct pair_counts *counts, struct str name, uint64_t limit)
{
    static const struct list_style style = {"label_value", "series_count", SHOW_VALUE};
    struct ranking ranking = rank_pairs(call, counts, name);
    uint64_t series_count = 0;
    for (size_t i = 0; i < ranking.count; i++)
        series_count += ranking.ptr[i].count;
    json_begin_object(json);
    json_key(json, STR("label_name"));
    json_string(json, name);
    put_u64(json, "label_values_count", ranking.count);
    put_u64(json, "series_count", series_count);
    json_key(json, STR("cardinality"));
    put_ranking(json, call, ranking, limit, &style);
    json_end_object(json);
}

void api_cardinality_values(struct api_call *call)
{
    struct pair_counts counts;
    struct buffer out;
    struct json json;
    struct str *names;
    uint64_t limit;
    size_t name_count = exchange_params(call->exchange, "label_names[]", &names);
    if (name_count == 0 || name_count > NAMES_MAX) {
        reply_error(call->exchange, API_BAD_DATA, STR("label_names[]: want 1 to 100"));
        return;
    }
    if (!read_limit(call, LIST_DEFAULT, &limit) || !find_asked_counts(call, &counts))
        return;
    reply_begin_bare(call->exchange, &json, &out);
    put_u64(&json, "series_count_total", counts.series_count);
    json_key(&json, STR("labels"));
    json_begin_array(&json);
    for (size_t i = 0; i < name_count; i++) {
        if (names[i].len > 0)
            put_values_of(&json, call, &counts, names[i], limit);
    }
    json_end_array(&json);
    pair_counts_deinit(&counts);
    reply_end_bare(call->exchange, &json);
}

static enum status select_active(struct api_call *call, struct api_selector *selector,
                                 struct selection **out, struct error *err)
{
    struct select_options options = api_select_options(call, selector);
    options.source = SELECT_ACTIVE;
    return select_open(call->api->engine->store, &options, out, err);
}

void api_active_series(struct api_call *call)
{
    struct api_selector selector;
    struct selection *selection;
    struct error err;
    struct buffer out;
    struct json json;
    struct str text = exchange_param(call->exchange, "selector", NULL);
    if (api_selector_parse(call, text, &selector, &err) != STATUS_OK) {
        reply_bad_param(call->exchange, "selector", &err);
        return;
    }
    enum status status = select_active(call, &selector, &selection, &err);
    api_selectors_deinit(&selector, 1);
    if (status != STATUS_OK) {
        api_fail(call, status, &err);
        return;
    }
    reply_begin_bare(call->exchange, &json, &out);
    json_key(&json, STR("data"));
    json_begin_array(&json);
    for (size_t i = 0; i < select_count(selection); i++)
        reply_labels(&json, select_labels(selection, i));
    json_end_array(&json);
    select_close(selection);
    reply_end_bare(call->exchange, &json);
}
