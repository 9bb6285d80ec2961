/*
 * /api/v1/series, /api/v1/labels, /api/v1/label/<name>/values.
 */
#include "query/api/api_impl.h"

#include "base/mem.h"
#include "query/engine/note_set.h"

struct lookup {
    struct api_call *call;
    struct api_selector *selectors;
    size_t selector_count;
    int64_t min_ts_ms;
    int64_t max_ts_ms;
    uint64_t limit;
    struct note_set warnings;
};

static void warn(void *context, struct str text)
{
    struct lookup *lookup = context;
    note_set_add(&lookup->warnings, text, note_no_place);
}

/* As in Prometheus, only the list of series names the parameter. */
static bool find_selectors(struct lookup *lookup, bool is_of_series)
{
    struct error err;
    struct exchange *exchange = lookup->call->exchange;
    if (api_selectors(lookup->call, &lookup->selectors, &lookup->selector_count, &err) == STATUS_OK)
        return true;
    if (is_of_series)
        reply_bad_param(exchange, "match[]", &err);
    else
        reply_error(exchange, API_BAD_DATA, str_from(err.text));
    return false;
}

/* Replies and returns false when a parameter is bad; true: the caller calls lookup_deinit. */
static bool lookup_init(struct lookup *lookup, struct api_call *call, bool is_of_series)
{
    *lookup = (struct lookup){.call = call};
    return api_time(call, "start", TIME_MIN_MS, &lookup->min_ts_ms) &&
           api_time(call, "end", TIME_MAX_MS, &lookup->max_ts_ms) &&
           api_limit(call, &lookup->limit) && find_selectors(lookup, is_of_series);
}

static void lookup_deinit(struct lookup *lookup)
{
    api_selectors_deinit(lookup->selectors, lookup->selector_count);
    note_set_deinit(&lookup->warnings);
}

/* Both end the lookup before they reply: a reply ends the exchange that it lives in. */
static void finish(struct lookup *lookup, struct json *json, bool is_cut)
{
    struct exchange *exchange = lookup->call->exchange;
    struct notes warnings;
    if (is_cut)
        warn(lookup, STR("results truncated due to limit"));
    note_set_list(&lookup->warnings, "warning", STR(""), lookup->call->arena, &warnings);
    lookup_deinit(lookup);
    reply_end(exchange, json, &warnings, NULL);
}

static void fail(struct lookup *lookup, enum status status, const struct error *err)
{
    struct api_call *call = lookup->call;
    lookup_deinit(lookup);
    api_fail(call, status, err);
}

static struct select_options options_of(struct lookup *lookup, size_t selector)
{
    bool has_selector = selector < lookup->selector_count;
    struct select_options options =
        api_select_options(lookup->call, has_selector ? &lookup->selectors[selector] : NULL);
    options.min_ts_ms = lookup->min_ts_ms;
    options.max_ts_ms = lookup->max_ts_ms;
    options.damage = (struct damage_listener){warn, lookup};
    return options;
}

/* ---- names and values ---- */

/* The union of two sorted lists without duplicates. */
static struct str_list unite(struct str_list a, struct str_list b, struct arena *arena)
{
    struct str_list out = {.ptr = arena_alloc(arena, (a.count + b.count) * sizeof(struct str))};
    size_t i = 0, k = 0;
    while (i < a.count || k < b.count) {
        int order = i == a.count ? 1 : k == b.count ? -1 : str_compare(a.ptr[i], b.ptr[k]);
        out.ptr[out.count++] = order <= 0 ? a.ptr[i] : b.ptr[k];
        i += order <= 0;
        k += order >= 0;
    }
    return out;
}

/* Names when `name` is NULL, else the values of it. */
static enum status find_texts(struct lookup *lookup, const struct str *name, struct str_list *out,
                              struct error *err)
{
    struct store *store = lookup->call->api->engine->store;
    struct arena *arena = lookup->call->arena;
    *out = (struct str_list){0};
    for (size_t i = 0; i == 0 || i < lookup->selector_count; i++) {
        struct select_options options = options_of(lookup, i);
        struct str_list found;
        TRY(api_yield(lookup->call, err));
        if (name == NULL)
            TRY(select_label_names(store, &options, arena, &found, err));
        else
            TRY(select_label_values(store, &options, *name, arena, &found, err));
        *out = i == 0 ? found : unite(*out, found, arena);
    }
    return STATUS_OK;
}

static void reply_texts(struct lookup *lookup, struct str_list texts)
{
    struct buffer out;
    struct json json;
    bool is_cut = lookup->limit > 0 && texts.count > lookup->limit;
    reply_begin(lookup->call->exchange, &json, &out);
    json_begin_array(&json);
    for (size_t i = 0; i < (is_cut ? lookup->limit : texts.count); i++)
        json_string(&json, texts.ptr[i]);
    json_end_array(&json);
    finish(lookup, &json, is_cut);
}

static void answer_texts(struct api_call *call, const struct str *name)
{
    struct lookup lookup;
    struct str_list texts;
    struct error err;
    if (!lookup_init(&lookup, call, false))
        return;
    enum status status = find_texts(&lookup, name, &texts, &err);
    if (status == STATUS_OK)
        reply_texts(&lookup, texts);
    else
        fail(&lookup, status, &err);
}

void api_label_names(struct api_call *call)
{
    answer_texts(call, NULL);
}

void api_label_values(struct api_call *call)
{
    struct str escaped = exchange_capture(call->exchange);
    struct str name =
        param_label_name(escaped, arena_alloc(exchange_arena(call->exchange), escaped.len));
    if (name.len == 0 || !str_is_utf8(name)) {
        struct str shown = str_is_utf8(escaped) ? escaped : STR("not UTF-8");
        reply_error(call->exchange, API_BAD_DATA,
                    arena_format(exchange_arena(call->exchange), "invalid label name: \"%.*s\"",
                                 STR_ARG(shown)));
        return;
    }
    answer_texts(call, &name);
}

/* ---- series ---- */

/* A selection that is walked; sorted by labels. */
struct walk {
    const struct selection *selection;
    size_t at;
};

/* Whether `walk` stands on labels that come before those of `first`, which may be NULL. */
static bool is_before(const struct walk *walk, const struct walk *first)
{
    if (walk->at == select_count(walk->selection))
        return false;
    return first == NULL || labels_compare(select_labels(walk->selection, walk->at),
                                           select_labels(first->selection, first->at)) < 0;
}

/* The least labels of all walks, each of which goes past them; false at the end of all. */
static bool take_least(struct walk *walks, size_t count, struct labels *out)
{
    struct walk *first = NULL;
    for (size_t i = 0; i < count; i++) {
        if (is_before(&walks[i], first))
            first = &walks[i];
    }
    if (first == NULL)
        return false;
    *out = select_labels(first->selection, first->at);
    for (size_t i = 0; i < count; i++) {
        if (walks[i].at < select_count(walks[i].selection) &&
            labels_eq(select_labels(walks[i].selection, walks[i].at), *out))
            walks[i].at++;
    }
    return true;
}

/* Each label set once, sorted. False when the limit cut. */
static bool write_selections(struct json *json, const struct lookup *lookup,
                             struct selection *const *selections)
{
    struct labels labels;
    uint64_t written = 0;
    struct walk *walks = arena_alloc(lookup->call->arena, lookup->selector_count * sizeof *walks);
    for (size_t i = 0; i < lookup->selector_count; i++)
        walks[i] = (struct walk){.selection = selections[i]};
    while (take_least(walks, lookup->selector_count, &labels)) {
        if (lookup->limit > 0 && written++ == lookup->limit)
            return false;
        reply_labels(json, labels);
    }
    return true;
}

static void reply_series(struct lookup *lookup, struct selection *const *selections)
{
    struct buffer out;
    struct json json;
    reply_begin(lookup->call->exchange, &json, &out);
    json_begin_array(&json);
    bool is_whole = write_selections(&json, lookup, selections);
    json_end_array(&json);
    finish(lookup, &json, !is_whole);
}

static void select_and_reply(struct lookup *lookup)
{
    struct error err;
    struct api_call *call = lookup->call;
    struct selection **selections = mem_alloc_zeroed(lookup->selector_count, sizeof *selections);
    enum status status = STATUS_OK;
    size_t opened = 0;
    for (; opened < lookup->selector_count; opened++) {
        struct select_options options = options_of(lookup, opened);
        status = api_yield(call, &err);
        if (status == STATUS_OK)
            status = select_open(call->api->engine->store, &options, &selections[opened], &err);
        if (status != STATUS_OK)
            break;
    }
    if (status == STATUS_OK)
        reply_series(lookup, selections);
    else
        fail(lookup, status, &err);
    for (size_t i = 0; i < opened; i++)
        select_close(selections[i]);
    mem_free(selections);
}

void api_series(struct api_call *call)
{
    struct lookup lookup;
    if (!lookup_init(&lookup, call, true))
        return;
    if (lookup.selector_count == 0) {
        reply_error(call->exchange, API_BAD_DATA, STR("no match[] parameter provided"));
        return;
    }
    select_and_reply(&lookup);
}
