#include "tests/fault/journal.h"

#include <inttypes.h>
#include <stdio.h>

#include "base/hash.h"
#include "base/mem.h"
#include "base/number.h"

static const char *const tenant_names[JOURNAL_TENANTS] = {"a", "b", "d", "anonymous"};
static const char *const kind_names[JOURNAL_KINDS] = {"k0", "k1", "k2"};

/* ---- keeping ---- */

struct journal *journal_new(void)
{
    return mem_alloc_zeroed(1, sizeof(struct journal));
}

void journal_free(struct journal *journal)
{
    for (size_t t = 0; t < JOURNAL_TENANTS; t++) {
        for (size_t s = 0; s < JOURNAL_SERIES_MAX; s++)
            mem_free(journal->series[t][s].entries);
    }
    mem_free(journal);
}

/* The first entry at or after `ts_ms`. */
static size_t find_entry(const struct journal_series *series, int64_t ts_ms)
{
    size_t at = series->count;
    while (at > 0 && series->entries[at - 1].ts_ms >= ts_ms)
        at--;
    return at;
}

static bool is_at(const struct journal_series *series, size_t at, int64_t ts_ms)
{
    return at < series->count && series->entries[at].ts_ms == ts_ms;
}

const char *journal_tenant(uint32_t tenant)
{
    return tenant_names[tenant];
}

void journal_note_sent(struct journal *journal, struct mark *mark)
{
    struct journal_series *series = &journal->series[mark->tenant][mark->series];
    size_t at = find_entry(series, mark->ts_ms);
    mark->generation = series->generation;
    if (is_at(series, at, mark->ts_ms)) {
        mark->generation = series->entries[at].generation;
        return;
    }
    series->entries =
        mem_grow(series->entries, &series->capacity, series->count + 1, sizeof *series->entries);
    memmove(series->entries + at + 1, series->entries + at,
            (series->count - at) * sizeof *series->entries);
    series->entries[at] =
        (struct journal_entry){.ts_ms = mark->ts_ms, .generation = mark->generation};
    series->count++;
}

void journal_note_acknowledged(struct journal *journal, struct mark mark)
{
    struct journal_series *series = &journal->series[mark.tenant][mark.series];
    size_t at = find_entry(series, mark.ts_ms);
    if (is_at(series, at, mark.ts_ms) && series->entries[at].generation == mark.generation)
        series->entries[at].is_acknowledged = true;
}

static void delete_entries(struct journal_series *series, const struct journal_deletion *deletion)
{
    size_t kept = 0;
    for (size_t i = 0; i < series->count; i++) {
        struct journal_entry *entry = &series->entries[i];
        bool is_meant = deletion->min_ms <= entry->ts_ms && entry->ts_ms <= deletion->max_ms;
        if (is_meant)
            entry->is_acknowledged = false;
        if (!is_meant || !deletion->is_certain)
            series->entries[kept++] = *entry;
    }
    series->count = kept;
    series->generation += deletion->is_certain;
}

void journal_note_deleted(struct journal *journal, const struct journal_deletion *deletion)
{
    for (uint32_t s = 0; s < JOURNAL_SERIES_MAX; s++) {
        if (deletion->kind == JOURNAL_ALL_KINDS || s % JOURNAL_KINDS == deletion->kind)
            delete_entries(&journal->series[deletion->tenant][s], deletion);
    }
}

/* ---- samples ---- */

double journal_value(struct mark mark)
{
    const int64_t key[4] = {mark.tenant, mark.series, mark.ts_ms, mark.generation};
    uint64_t mixed = hash_stable((struct bytes){(const uint8_t *)key, sizeof key});
    switch (mixed % 8) {
    case 0:
        return f64_from_bits(STALE_NAN_BITS);
    case 1:
    case 2:
        return f64_from_bits(mixed);
    case 3:
    case 4:
        return (double)(mixed % 100000) / 100;
    default:
        return (double)(mixed % 1000);
    }
}

struct box_sample journal_sample(struct mark mark, struct arena *arena)
{
    struct str series =
        arena_format(arena, "m kind=%s n=%u", kind_names[mark.series % JOURNAL_KINDS], mark.series);
    return (struct box_sample){.tenant = tenant_names[mark.tenant],
                               .series = series.ptr,
                               .ts_ms = mark.ts_ms,
                               .value = journal_value(mark)};
}

/* False when the labels are none that journal_sample makes. */
static bool read_series(struct labels labels, uint32_t *series)
{
    uint64_t number;
    if (labels.count != 3 || !str_eq(labels_get(labels, LABEL_METRIC_NAME), STR("m")) ||
        !parse_u64(labels_get(labels, STR("n")), &number) || number >= JOURNAL_SERIES_MAX ||
        !str_eq(labels_get(labels, STR("kind")), str_from(kind_names[number % JOURNAL_KINDS])))
        return false;
    *series = (uint32_t)number;
    return true;
}

/* ---- checking ---- */

struct checking {
    const struct journal *journal;
    const struct journal_question *question;
    struct verdict *verdict;
    bool *is_seen; /* by series of the tenant */
    uint32_t tenant;
};

static void note_fault(struct verdict *verdict, uint64_t *count, struct mark mark, const char *what)
{
    if (verdict->missing + verdict->invented + verdict->unsorted == 0)
        snprintf(verdict->first_fault, sizeof verdict->first_fault,
                 "%s: tenant %s, series %u, timestamp %" PRId64, what, tenant_names[mark.tenant],
                 mark.series, mark.ts_ms);
    (*count)++;
}

static void check_missing(struct checking *c, struct mark mark, const struct journal_entry *entry)
{
    mark.ts_ms = entry->ts_ms;
    if (entry->is_acknowledged && entry->ts_ms >= c->question->required_from_ms[mark.tenant])
        note_fault(c->verdict, &c->verdict->missing, mark, "missing");
}

static void check_shown(struct checking *c, struct mark mark, const struct columns *got, size_t i)
{
    struct verdict *v = c->verdict;
    const struct journal_series *series = &c->journal->series[mark.tenant][mark.series];
    mark.ts_ms = got->ts_ms[i];
    size_t at = find_entry(series, mark.ts_ms);
    bool was_sent = is_at(series, at, mark.ts_ms);
    if (was_sent)
        mark.generation = series->entries[at].generation;
    if (i > 0 && got->ts_ms[i - 1] >= mark.ts_ms)
        note_fault(v, &v->unsorted, mark, "unsorted");
    if (!was_sent || mark.ts_ms < c->question->visible_from_ms[mark.tenant])
        note_fault(v, &v->invented, mark, "invented");
    else if (f64_bits(got->values[i]) != f64_bits(journal_value(mark)))
        note_fault(v, &v->invented, mark, "wrong value");
    v->found++;
}

static void check_samples(struct checking *c, uint32_t number, const struct columns *got)
{
    const struct journal_series *series = &c->journal->series[c->tenant][number];
    struct mark mark = {.tenant = c->tenant, .series = number};
    size_t at = 0;
    for (size_t i = 0; i < got->count; i++) {
        for (; at < series->count && series->entries[at].ts_ms < got->ts_ms[i]; at++)
            check_missing(c, mark, &series->entries[at]);
        check_shown(c, mark, got, i);
        if (is_at(series, at, got->ts_ms[i]))
            at++;
    }
    for (; at < series->count; at++)
        check_missing(c, mark, &series->entries[at]);
}

static void note_error(struct verdict *verdict, const struct error *err)
{
    if (verdict->errors++ == 0)
        verdict->first_error = *err;
}

static void check_series(struct checking *c, struct selection *selection, size_t index,
                         struct columns *got)
{
    uint32_t number;
    struct mark mark = {.tenant = c->tenant};
    if (!read_series(select_labels(selection, index), &number)) {
        note_fault(c->verdict, &c->verdict->invented, mark, "invented series");
        return;
    }
    mark.series = number;
    if (c->is_seen[number])
        note_fault(c->verdict, &c->verdict->unsorted, mark, "series twice");
    c->is_seen[number] = true;
    struct error err;
    if (select_read(selection, index, INT64_MIN, INT64_MAX, got, &err) == STATUS_OK)
        check_samples(c, number, got);
    else
        note_error(c->verdict, &err);
}

static void check_selection(struct checking *c, struct selection *selection)
{
    struct columns got;
    columns_init(&got);
    for (size_t i = 0; i < select_count(selection); i++)
        check_series(c, selection, i, &got);
    columns_reset(&got);
    for (uint32_t s = 0; s < JOURNAL_SERIES_MAX; s++) {
        if (!c->is_seen[s])
            check_samples(c, s, &got);
    }
    columns_deinit(&got);
}

static void note_damage(void *context, struct str text)
{
    struct verdict *verdict = context;
    if (verdict->damaged++ == 0)
        snprintf(verdict->first_error.text, sizeof verdict->first_error.text, "%.*s",
                 STR_ARG(text));
}

static void check_tenant(struct checking *c, struct store_box *box)
{
    struct error err;
    struct selection *selection;
    struct scope scope = box_scope(&box->arena, tenant_names[c->tenant]);
    const struct select_options options = {.scope = &scope,
                                           .min_ts_ms = INT64_MIN,
                                           .max_ts_ms = INT64_MAX,
                                           .damage = {note_damage, c->verdict}};
    if (select_open(box->store, &options, &selection, &err) != STATUS_OK) {
        note_error(c->verdict, &err);
        return;
    }
    check_selection(c, selection);
    select_close(selection);
}

struct verdict journal_check(const struct journal *journal, struct store_box *box,
                             const struct journal_question *question)
{
    struct verdict verdict = {0};
    for (uint32_t tenant = 0; tenant < JOURNAL_TENANTS; tenant++) {
        bool is_seen[JOURNAL_SERIES_MAX] = {false};
        struct checking c = {.journal = journal,
                             .question = question,
                             .verdict = &verdict,
                             .is_seen = is_seen,
                             .tenant = tenant};
        check_tenant(&c, box);
    }
    arena_reset(&box->arena);
    return verdict;
}

void expect_faultless(const struct verdict *v, const char *where, uint64_t number)
{
    if (v->missing + v->invented + v->unsorted + v->damaged + v->errors == 0)
        return;
    fail_msg("%s %" PRIu64 ": missing %" PRIu64 ", invented %" PRIu64 ", unsorted %" PRIu64
             ", damaged %" PRIu64 ", errors %" PRIu64 " (%s%s)",
             where, number, v->missing, v->invented, v->unsorted, v->damaged, v->errors,
             v->first_fault, v->first_error.text);
}

struct journal_question journal_question_all(void)
{
    struct journal_question all;
    for (size_t t = 0; t < JOURNAL_TENANTS; t++)
        all.visible_from_ms[t] = all.required_from_ms[t] = INT64_MIN;
    return all;
}

void expect_verified(struct store_box *box, const char *where, uint64_t number)
{
    struct error err = {0};
    if (box_verify(box, &err) != STATUS_OK)
        fail_msg("%s %" PRIu64 ": the files are not without fault: %s", where, number, err.text);
}

void journal_expect_all(const struct journal *journal, struct store_box *box, const char *where,
                        uint64_t number)
{
    const struct journal_question all = journal_question_all();
    struct verdict verdict = journal_check(journal, box, &all);
    expect_faultless(&verdict, where, number);
}
