/*
 * Refusals of a write: counted each, explained once for each reason, and the last one remembered
 * with the tenant.
 *
 * Memory is bounded by REFUSAL_EXPLAINED_MAX and the reasons, not by what is refused: a few series
 * of a write are looked at again when it ends, and a tenant has one record for each reason.
 */
#include "tsdb/store/store_write_impl.h"

#include <stdio.h>

#include "base/duration_text.h"
#include "base/mem.h"
#include "tsdb/model/quote.h"

enum { LABELS_SHOWN_BYTES = 200, NAME_SHOWN_BYTES = 80, VALUE_SHOWN_BYTES = 40 };

/* The end of each text about a limit: the tenant's id and the limit's name. */
#define REMEDY_FORMAT "; to raise it: tenants: {%s: {limits: {%s: ...}}}"

_Static_assert((int)GROWTH_EXAMPLES_MAX <= (int)REFUSAL_EXAMPLES_MAX, "all are remembered");

/* ---- while the write goes on ---- */

static struct str shown_labels(struct shard_write *w, const struct write_series *series)
{
    struct buffer text;
    buffer_init(&text, LABELS_SHOWN_BYTES * 8);
    labels_print(&text, labels_given(w, series), LABELS_SHOWN_BYTES);
    struct str shown = arena_copy(w->arena, buffer_str(&text));
    buffer_deinit(&text);
    return shown;
}

/* Comes first afterwards; NULL: not met yet. */
static struct refused *find_refused(struct shard_write *w, const struct tenant *tenant,
                                    enum refusal_reason reason)
{
    for (struct refused **link = &w->refused; *link != NULL; link = &(*link)->next) {
        struct refused *found = *link;
        if (found->tenant != tenant || found->reason != reason)
            continue;
        *link = found->next;
        found->next = w->refused;
        w->refused = found;
        return found;
    }
    return NULL;
}

size_t refusals_memory_max(size_t series_count)
{
    /* of one series: its own, or of its samples too early, too late, out of order, in conflict */
    enum { OF_SERIES_MAX = 5, SHOWN_BYTES = 2 * LABELS_SHOWN_BYTES };
    size_t most = REFUSAL_EXPLAINED_MAX + (size_t)REFUSAL_COUNT;
    size_t count = series_count < most / OF_SERIES_MAX ? series_count * OF_SERIES_MAX : most;
    return count * (sizeof(struct refused) + SHOWN_BYTES);
}

static struct refused *add_refused(struct shard_write *w, struct tenant *tenant,
                                   enum refusal_reason reason, bool is_first)
{
    if (w->refused_count >= REFUSAL_EXPLAINED_MAX && !is_first)
        return NULL;
    struct refused *refused = arena_alloc_zeroed(w->arena, sizeof *refused);
    refused->tenant = tenant;
    refused->reason = reason;
    refused->is_text_ours = is_first;
    refused->next = w->refused;
    w->refused = refused;
    w->refused_count++;
    return refused;
}

/* NULL: it is not explained. `*is_new`: it is the tenant's first for this reason. */
static struct refused *count_refusal(struct shard_write *w, const struct write_series *series,
                                     enum refusal_reason reason, uint64_t samples, bool *is_new)
{
    bool is_first = w->result->samples_refused[reason] + w->result->series_refused[reason] == 0;
    w->result->samples_refused[reason] += samples;
    counter_add(&series->tenant->samples_refused, samples);
    counter_add(&series->tenant->samples_refused_for[reason], samples);
    struct refused *refused = find_refused(w, series->tenant, reason);
    *is_new = refused == NULL;
    return *is_new ? add_refused(w, series->tenant, reason, is_first) : refused;
}

/* Of what is not about whole series, which are explained when the write ends. NULL: it was
   explained. */
static struct refused *first_refused(struct shard_write *w, const struct write_series *series,
                                     enum refusal_reason reason, uint64_t samples)
{
    bool is_new;
    struct refused *refused = count_refusal(w, series, reason, samples, &is_new);
    return is_new ? refused : NULL;
}

/* `why` is complete. */
static void tell(struct shard_write *w, const struct refused *refused)
{
    if (refused->is_text_ours)
        w->result->first[refused->reason] = refused->why;
}

static void note_wait(struct shard_write *w, int64_t wait_ms)
{
    if (wait_ms > w->result->retry_after_ms)
        w->result->retry_after_ms = wait_ms;
}

void refuse_conflict(struct shard_write *w, const struct write_series *series, struct sample sample)
{
    struct refused *first = first_refused(w, series, REFUSAL_DUPLICATE_TIMESTAMP, 1);
    if (first == NULL)
        return;
    struct str labels = shown_labels(w, series);
    error_set(&first->why, STATUS_INVALID,
              "duplicate sample for timestamp with another value: got timestamp %lld for series "
              "%.*s",
              (long long)sample.ts_ms, STR_ARG(labels));
    tell(w, first);
}

static struct str shown_duration(struct shard_write *w, uint64_t duration_ms)
{
    struct buffer text;
    buffer_init(&text, SIZE_MAX);
    append_duration_ms(&text, duration_ms > INT64_MAX ? INT64_MAX : (int64_t)duration_ms);
    struct str shown = arena_copy(w->arena, buffer_str(&text));
    buffer_deinit(&text);
    return shown;
}

void refuse_time(struct shard_write *w, const struct write_series *series, struct sample sample,
                 const struct time_hit *hit)
{
    struct refused *first = first_refused(w, series, hit->reason, 1);
    if (first == NULL)
        return;
    const char *limit = tenant_limit_name(hit->limit);
    struct str labels = shown_labels(w, series);
    struct str by = shown_duration(w, hit->by_ms);
    struct str max = shown_duration(w, (uint64_t)hit->max_ms);
    error_set(&first->why, STATUS_INVALID,
              "sample %s: got timestamp %lld for series %.*s, %.*s %s, limit %s is "
              "%.*s" REMEDY_FORMAT,
              hit->what, (long long)sample.ts_ms, STR_ARG(labels), STR_ARG(by), hit->from, limit,
              STR_ARG(max), series->tenant->id.text, limit);
    tell(w, first);
}

void refuse_labels(struct shard_write *w, const struct write_series *series,
                   const struct error *why)
{
    struct refused *first = first_refused(w, series, REFUSAL_INVALID_LABELS, series->sample_count);
    w->result->series_refused[REFUSAL_INVALID_LABELS]++;
    if (first == NULL)
        return;
    first->why = *why;
    tell(w, first);
}

static enum refusal_reason reason_of(enum tenant_limit limit)
{
    switch (limit) {
    case TENANT_LIMIT_MAX_LABEL_NAME_LEN:
        return REFUSAL_MAX_LABEL_NAME_LEN;
    case TENANT_LIMIT_MAX_LABEL_VALUE_LEN:
        return REFUSAL_MAX_LABEL_VALUE_LEN;
    default:
        return REFUSAL_MAX_LABEL_NAMES;
    }
}

void refuse_label_limit(struct shard_write *w, const struct write_series *series,
                        enum tenant_limit limit, const struct error *why)
{
    enum refusal_reason reason = reason_of(limit);
    const struct tenant_limit_row *row = tenant_limit_row(limit);
    struct refused *first = first_refused(w, series, reason, series->sample_count);
    w->result->series_refused[reason]++;
    if (first == NULL)
        return;
    struct str labels = shown_labels(w, series);
    if (tenant_limit(series->tenant, limit) >= row->most)
        error_set(&first->why, STATUS_INVALID, "%s, series %.*s", why->text, STR_ARG(labels));
    else
        error_set(&first->why, STATUS_INVALID, "%s, series %.*s" REMEDY_FORMAT, why->text,
                  STR_ARG(labels), series->tenant->id.text, row->name);
    tell(w, first);
}

void refuse_series(struct shard_write *w, const struct write_series *series, const struct hit *hit)
{
    bool is_new;
    note_wait(w, hit->wait_ms);
    struct refused *refused = count_refusal(w, series, hit->reason, series->sample_count, &is_new);
    w->result->series_refused[hit->reason]++;
    if (refused == NULL)
        return;
    if (refused->series_count == 0)
        refused->hit = *hit;
    if (refused->series_count < GROWTH_SERIES_MAX)
        refused->series[refused->series_count] = series;
    refused->series_count++;
}

void refuse_fast(struct shard_write *w, const struct write_series *series,
                 const struct rate_limit *limit, uint64_t samples, int64_t wait_ms)
{
    note_wait(w, wait_ms);
    struct refused *first = first_refused(w, series, REFUSAL_INGESTION_RATE, samples);
    if (first == NULL)
        return;
    error_set(&first->why, STATUS_LIMIT,
              "tenant \"%s\" sends faster than its limits ingestion_rate of %llu samples a "
              "second and ingestion_burst_size of %llu: refused %llu samples, send them "
              "again" REMEDY_FORMAT,
              series->tenant->id.text, (unsigned long long)limit->per_second,
              (unsigned long long)limit->burst, (unsigned long long)samples,
              series->tenant->id.text, tenant_limit_name(TENANT_LIMIT_INGESTION_RATE));
    tell(w, first);
}

/* ---- when it ends ---- */

static void append_shown(struct buffer *out, struct str text, size_t len_max)
{
    append_quoted(out, str_slice(text, 0, len_max));
    if (text.len > len_max)
        buffer_append_str(out, STR("..."));
}

static void append_growth(struct buffer *out, const struct growth *growth)
{
    buffer_append_str(out, STR(" of metric "));
    append_shown(out, growth->metric, NAME_SHOWN_BYTES);
    if (growth->metric_count < growth->series_count)
        buffer_append_format(out, " (%u of the first %u)", growth->metric_count,
                             growth->series_count);
    if (growth->label.len == 0) {
        buffer_append_str(out, STR("; no label has a new value"));
        return;
    }
    buffer_append_str(out, STR("; label "));
    append_shown(out, growth->label, NAME_SHOWN_BYTES);
    buffer_append_format(out, " has the most new values (%u in the first %u), such as ",
                         growth->value_count, growth->series_count);
    for (size_t i = 0; i < growth->example_count; i++) {
        if (i > 0)
            buffer_append_str(out, STR(", "));
        append_shown(out, growth->examples[i], VALUE_SHOWN_BYTES);
    }
}

static void explain_hit(const struct refused *refused, const struct growth *growth,
                        struct error *out)
{
    const struct tenant_limit_row *row = tenant_limit_row(refused->hit.limit);
    const char *tenant = refused->tenant->id.text;
    struct buffer grown;
    buffer_init(&grown, SIZE_MAX);
    append_growth(&grown, growth);
    error_set(
        out, STATUS_LIMIT,
        "tenant \"%s\" has %llu %s, limit %s is %llu: refused %llu new series%.*s" REMEDY_FORMAT,
        tenant, (unsigned long long)refused->hit.usage, row->what, row->name,
        (unsigned long long)tenant_limit(refused->tenant, refused->hit.limit),
        (unsigned long long)refused->series_count, STR_ARG(buffer_str(&grown)), tenant, row->name);
    buffer_deinit(&grown);
}

/* Nobody's limit: there is too little for all. */
static void explain_memory(const struct refused *refused, const struct growth *growth,
                           uint64_t max_bytes, struct error *out)
{
    struct buffer grown;
    buffer_init(&grown, SIZE_MAX);
    append_growth(&grown, growth);
    error_set(out, STATUS_LIMIT,
              "tenant \"%s\" has %llu KiB of series, and all tenants leave it less of head_memory, "
              "which is %llu KiB: refused %llu new series%.*s; to raise it: --head-memory SIZE, or "
              "head_memory: SIZE",
              refused->tenant->id.text, (unsigned long long)refused->hit.usage >> 10,
              (unsigned long long)max_bytes >> 10, (unsigned long long)refused->series_count,
              STR_ARG(buffer_str(&grown)));
    buffer_deinit(&grown);
}

static void find_growth_locked(struct shard_write *w, const struct refused *refused,
                               struct growth *out) REQUIRES(w->shard->lock)
{
    struct labels series[GROWTH_SERIES_MAX];
    size_t count = 0;
    for (; count < GROWTH_SERIES_MAX && count < refused->series_count; count++) {
        const struct write_series *one = refused->series[count];
        struct label *labels = arena_alloc(w->arena, one->label_count * sizeof *labels);
        write_series_labels(one, labels);
        series[count] = (struct labels){labels, one->label_count};
    }
    growth_find(out, w->shard->head, refused->tenant, series, count);
}

static void copy_text(char to[REFUSAL_TEXT_MAX], struct str text)
{
    snprintf(to, REFUSAL_TEXT_MAX, "%.*s", STR_ARG(str_slice(text, 0, REFUSAL_TEXT_MAX - 1)));
}

/* The lock of the tenant's shard is held. */
static void remember(struct tenant *tenant, enum refusal_reason reason, const struct growth *growth,
                     int64_t now_ms, const struct error *why)
{
    if (tenant->refusals == NULL)
        tenant->refusals = mem_alloc_zeroed(REFUSAL_COUNT, sizeof *tenant->refusals);
    struct refusal **slot = &tenant->refusals[reason];
    if (*slot == NULL)
        *slot = mem_alloc(sizeof **slot);
    struct refusal *refusal = *slot;
    *refusal = (struct refusal){.at_ms = now_ms, .why = *why, .value_count = growth->value_count};
    copy_text(refusal->metric, growth->metric);
    copy_text(refusal->label, growth->label);
    for (size_t i = 0; i < growth->example_count; i++)
        copy_text(refusal->examples[i], growth->examples[i]);
}

static void explain_series_locked(struct shard_write *w, struct refused *refused,
                                  struct growth *growth) REQUIRES(w->shard->lock)
{
    find_growth_locked(w, refused, growth);
    if (refused->reason == REFUSAL_HEAD_MEMORY)
        explain_memory(refused, growth, counter_get(&w->shard->store->head_memory_max_bytes),
                       &refused->why);
    else
        explain_hit(refused, growth, &refused->why);
    tell(w, refused);
}

void explain_refusals_locked(struct shard_write *w)
{
    for (struct refused *refused = w->refused; refused != NULL; refused = refused->next) {
        struct growth growth = {0};
        if (refused->series_count > 0)
            explain_series_locked(w, refused, &growth);
        remember(refused->tenant, refused->reason, &growth, w->now_ms, &refused->why);
    }
}

/* ---- before it came to the store ---- */

void store_refuse_series(struct store *store, struct tenant *tenant, enum refusal_reason reason,
                         uint64_t samples, const struct error *why, struct write_result *result)
{
    const struct growth none = {0};
    struct shard *shard = &store->shards[tenant->shard];
    bool is_first = result->samples_refused[reason] + result->series_refused[reason] == 0;
    result->samples_refused[reason] += samples;
    result->series_refused[reason]++;
    counter_add(&tenant->samples_refused, samples);
    counter_add(&tenant->samples_refused_for[reason], samples);
    if (!is_first)
        return;
    result->first[reason] = *why;
    rwlock_lock_write(&shard->lock);
    remember(tenant, reason, &none, clock_now_ms(store->options.clock), why);
    rwlock_unlock_write(&shard->lock);
}
