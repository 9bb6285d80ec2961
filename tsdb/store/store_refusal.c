/*
 * Refusals of a write: counted each, explained once for each reason.
 */
#include "tsdb/store/store_write_impl.h"

enum { LABELS_SHOWN_BYTES = 200 };

static struct str shown_labels(const struct shard_write *w, const struct write_series *series)
{
    struct buffer text;
    buffer_init(&text, LABELS_SHOWN_BYTES * 8);
    labels_print(&text, (struct labels){series->labels, series->label_count}, LABELS_SHOWN_BYTES);
    struct str shown = arena_copy(w->arena, buffer_str(&text));
    buffer_deinit(&text);
    return shown;
}

/* True for the first refusal of this reason: the caller then writes the text. */
static bool count_refusal(struct shard_write *w, const struct write_series *series,
                          enum reject_reason reason, uint64_t samples)
{
    bool is_first = w->result->samples_rejected[reason] + w->result->series_rejected[reason] == 0;
    w->result->samples_rejected[reason] += samples;
    counter_add(&series->tenant->samples_rejected, samples);
    counter_add(&series->tenant->samples_rejected_for[reason], samples);
    return is_first;
}

static void note_wait(struct shard_write *w, int64_t wait_ms)
{
    if (wait_ms > w->result->retry_after_ms)
        w->result->retry_after_ms = wait_ms;
}

void refuse_sample(struct shard_write *w, const struct write_series *series,
                   enum reject_reason reason, struct sample sample, const char *what)
{
    if (!count_refusal(w, series, reason, 1))
        return;
    struct str labels = shown_labels(w, series);
    error_set(&w->result->first[reason], STATUS_INVALID, "%s: got timestamp %lld for series %.*s",
              what, (long long)sample.ts_ms, STR_ARG(labels));
}

void refuse_labels(struct shard_write *w, const struct write_series *series,
                   const struct error *why)
{
    if (count_refusal(w, series, REJECT_INVALID_LABELS, series->sample_count))
        error_set(&w->result->first[REJECT_INVALID_LABELS], STATUS_INVALID, "%s", why->text);
    w->result->series_rejected[REJECT_INVALID_LABELS]++;
}

void refuse_series(struct shard_write *w, const struct write_series *series, const struct hit *hit)
{
    note_wait(w, hit->wait_ms);
    if (count_refusal(w, series, hit->reason, series->sample_count)) {
        const struct tenant_limit_row *row = tenant_limit_row(hit->limit);
        const char *tenant = series->tenant->id.text;
        struct str labels = shown_labels(w, series);
        error_set(&w->result->first[hit->reason], STATUS_LIMIT,
                  "tenant \"%s\" has %llu %s, limit %s is %llu (to raise it: "
                  "tenants: {%s: {limits: {%s: ...}}}): refused new series %.*s",
                  tenant, (unsigned long long)hit->usage, row->what, row->name,
                  (unsigned long long)tenant_limit(series->tenant, hit->limit), tenant, row->name,
                  STR_ARG(labels));
    }
    w->result->series_rejected[hit->reason]++;
}

void refuse_fast(struct shard_write *w, const struct write_series *series,
                 const struct rate_limit *limit, uint64_t samples, int64_t wait_ms)
{
    note_wait(w, wait_ms);
    if (count_refusal(w, series, REJECT_INGESTION_RATE, samples))
        error_set(&w->result->first[REJECT_INGESTION_RATE], STATUS_LIMIT,
                  "tenant \"%s\" sends faster than its limits ingestion_rate of %llu samples a "
                  "second and ingestion_burst_size of %llu: refused %llu samples, send them again",
                  series->tenant->id.text, (unsigned long long)limit->per_second,
                  (unsigned long long)limit->burst, (unsigned long long)samples);
}
