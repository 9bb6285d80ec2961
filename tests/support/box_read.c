/*
 * Asking a store_box: the texts that stand for series, scopes and matchers, and answers as text.
 */
#include "tests/support/store_box.h"

#include <stdlib.h>

#include "base/check.h"

enum { WORDS_MAX = 16 };

/* ---- texts ---- */

/* The words point into `text`. */
static size_t split(const char *text, char separator, struct str *words)
{
    struct str left = str_from(text);
    size_t count = 0;
    while (left.len > 0) {
        size_t end = str_find(left, separator, 0);
        CHECK(count < WORDS_MAX);
        if (end > 0)
            words[count++] = str_slice(left, 0, end);
        left = str_slice(left, end + 1, SIZE_MAX);
    }
    return count;
}

struct labels box_labels(struct arena *arena, const char *series)
{
    struct str words[WORDS_MAX];
    size_t count = split(series, ' ', words);
    struct label *labels = arena_alloc(arena, WORDS_MAX * sizeof *labels);
    for (size_t i = 0; i < count; i++) {
        size_t at = str_find(words[i], '=', 0);
        bool is_metric = at == words[i].len;
        labels[i] = (struct label){is_metric ? LABEL_METRIC_NAME : str_slice(words[i], 0, at),
                                   is_metric ? words[i] : str_slice(words[i], at + 1, SIZE_MAX)};
    }
    return (struct labels){labels, count};
}

static int compare_ids(const void *left, const void *right)
{
    return str_compare(tenant_id_str(left), tenant_id_str(right));
}

struct scope box_scope(struct arena *arena, const char *tenants)
{
    if (strcmp(tenants, "*") == 0)
        return (struct scope){.is_all = true};
    struct error err;
    struct str words[WORDS_MAX];
    size_t count = split(tenants, '|', words);
    struct tenant_id *ids = arena_alloc(arena, WORDS_MAX * sizeof *ids);
    for (size_t i = 0; i < count; i++)
        expect_ok(tenant_id_parse(words[i], &ids[i], &err));
    qsort(ids, count, sizeof *ids, compare_ids);
    return (struct scope){.tenants = ids, .tenant_count = count};
}

/* ---- asking ---- */

static void make_matcher(struct matcher *matcher, struct str word, struct arena *arena)
{
    struct error err;
    size_t at = 0;
    while (at < word.len && word.ptr[at] != '=' && word.ptr[at] != '!')
        at++;
    CHECK(at + 1 <= word.len);
    bool is_negative = word.ptr[at] == '!';
    bool is_regex = at + 1 < word.len && word.ptr[at + 1] == '~';
    enum matcher_op op = is_regex ? (is_negative ? MATCHER_NRE : MATCHER_RE)
                                  : (is_negative ? MATCHER_NE : MATCHER_EQ);
    size_t value = at + (op == MATCHER_EQ ? 1 : 2);
    expect_ok(matcher_init(matcher, op, str_slice(word, 0, at), str_slice(word, value, SIZE_MAX),
                           arena, &err));
}

/* A query made ready. */
struct asked {
    struct scope scope;
    struct matcher matchers[WORDS_MAX];
    struct select_options options;
};

static void ask(struct store_box *box, struct asked *asked, const struct box_query *query)
{
    struct str words[WORDS_MAX];
    bool is_all_time = query->min_ts_ms == 0 && query->max_ts_ms == 0;
    asked->scope = box_scope(&box->arena, query->tenants);
    size_t count = query->matchers == NULL ? 0 : split(query->matchers, ' ', words);
    for (size_t i = 0; i < count; i++)
        make_matcher(&asked->matchers[i], words[i], &box->arena);
    asked->options =
        (struct select_options){.scope = &asked->scope,
                                .matchers = asked->matchers,
                                .matcher_count = count,
                                .min_ts_ms = is_all_time ? INT64_MIN : query->min_ts_ms,
                                .max_ts_ms = is_all_time ? INT64_MAX : query->max_ts_ms};
}

static void end_asking(struct asked *asked)
{
    for (size_t i = 0; i < asked->options.matcher_count; i++)
        matcher_deinit(&asked->matchers[i]);
}

static enum status print_series(struct buffer *out, struct selection *selection, size_t index,
                                const struct select_options *options, struct error *err)
{
    struct columns samples;
    columns_init(&samples);
    labels_print(out, select_labels(selection, index), SIZE_MAX);
    enum status status =
        select_read(selection, index, options->min_ts_ms, options->max_ts_ms, &samples, err);
    for (size_t i = 0; i < samples.count; i++)
        buffer_append_format(out, " %lld:%.17g", (long long)samples.ts_ms[i], samples.values[i]);
    buffer_append_byte(out, '\n');
    columns_deinit(&samples);
    return status;
}

static enum status print_selection(struct store_box *box, const struct select_options *options,
                                   struct buffer *out, struct error *err)
{
    struct selection *selection;
    TRY(select_open(box->store, options, &selection, err));
    enum status status = STATUS_OK;
    for (size_t i = 0; i < select_count(selection) && status == STATUS_OK; i++)
        status = print_series(out, selection, i, options, err);
    select_close(selection);
    return status;
}

enum status box_select(struct store_box *box, const struct box_query *query, struct str *out,
                       struct error *err)
{
    struct asked asked;
    struct buffer text;
    ask(box, &asked, query);
    buffer_init(&text, SIZE_MAX);
    enum status status = print_selection(box, &asked.options, &text, err);
    *out = arena_copy(&box->arena, buffer_str(&text));
    buffer_deinit(&text);
    end_asking(&asked);
    return status;
}

void expect_series_(struct store_box *box, const char *tenants, const char *want, const char *file,
                    int line)
{
    struct error err = {0};
    struct str got;
    const struct box_query query = {.tenants = tenants};
    expect_status_(box_select(box, &query, &got, &err), STATUS_OK, &err, "select", file, line);
    expect_str_(got, want, tenants, file, line);
}

enum status box_label_list(struct store_box *box, const struct box_query *query, const char *name,
                           struct str *out, struct error *err)
{
    struct asked asked;
    struct str_list list = {0};
    struct buffer text;
    ask(box, &asked, query);
    buffer_init(&text, SIZE_MAX);
    enum status status =
        name == NULL ? select_label_names(box->store, &asked.options, &box->arena, &list, err)
                     : select_label_values(box->store, &asked.options, str_from(name), &box->arena,
                                           &list, err);
    for (size_t i = 0; i < list.count; i++)
        buffer_append_format(&text, "%s%.*s", i == 0 ? "" : " ", STR_ARG(list.ptr[i]));
    *out = arena_copy(&box->arena, buffer_str(&text));
    buffer_deinit(&text);
    end_asking(&asked);
    return status;
}

enum status box_delete(struct store_box *box, const struct box_query *query, struct error *err)
{
    struct asked asked;
    ask(box, &asked, query);
    const struct delete_request request = {.scope = &asked.scope,
                                           .matchers = asked.options.matchers,
                                           .matcher_count = asked.options.matcher_count,
                                           .min_ts_ms = asked.options.min_ts_ms,
                                           .max_ts_ms = asked.options.max_ts_ms};
    enum status status = store_delete(box->store, &request, err);
    end_asking(&asked);
    return status;
}
