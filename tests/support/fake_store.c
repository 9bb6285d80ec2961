#include "tests/support/fake_store.h"

#include "base/check.h"
#include "base/mem.h"
#include "tsdb/head/head.h"

void fake_store_init(struct store *store)
{
    *store = (struct store){.answer = STATUS_OK};
    buffer_init(&store->written, SIZE_MAX);
    mutex_init(&store->lock);
    cond_init(&store->has_pending);
}

void fake_store_deinit(struct store *store)
{
    cond_deinit(&store->has_pending);
    mutex_deinit(&store->lock);
    buffer_deinit(&store->written);
}

void fake_store_commit(struct store *store, enum status status)
{
    mutex_lock(&store->lock);
    while (store->pending == NULL)
        cond_wait(&store->has_pending, &store->lock);
    struct write_commit *commit = store->pending;
    store->pending = NULL;
    mutex_unlock(&store->lock);
    commit->done(commit, status);
}

/* The decoder takes any encoding for what it is; the store compares with the only one. */
static bool has_good_identity(const struct write_series *series, struct labels labels)
{
    struct buffer encoded;
    buffer_init(&encoded, SIZE_MAX);
    labels_identity_encode(&encoded, labels);
    bool is_good =
        series->identity.len == 0 || str_eq(str_of_bytes(series->identity), buffer_str(&encoded));
    buffer_deinit(&encoded);
    return is_good;
}

static void refuse(const struct store *store, const struct write_series *series,
                   struct write_result *result)
{
    if (store->refuses_for_now) {
        error_set(&result->first[REFUSAL_INGESTION_RATE], STATUS_LIMIT, "too fast");
        result->samples_refused[REFUSAL_INGESTION_RATE] += series->sample_count;
        result->retry_after_ms = 1001;
        return;
    }
    if (result->series_refused[REFUSAL_MAX_SERIES]++ == 0)
        error_set(&result->first[REFUSAL_MAX_SERIES], STATUS_LIMIT,
                  "tenant \"%s\" has 7 active series, limit max_series is 7",
                  series->tenant->id.text);
    result->samples_refused[REFUSAL_MAX_SERIES] += series->sample_count;
}

static void note(struct store *store, const struct write_series *series, struct labels labels,
                 struct write_result *result)
{
    for (uint32_t i = 0; i < series->sample_count; i++) {
        buffer_append_format(&store->written, "%s ", series->tenant->id.text);
        labels_print(&store->written, labels, 1000);
        buffer_append_format(&store->written, " %g@%lld\n", series->samples[i].value,
                             (long long)series->samples[i].ts_ms);
    }
    result->samples_written += series->sample_count;
}

static void apply(struct store *store, const struct write_series *series,
                  struct write_result *result)
{
    struct label *given = mem_alloc((series->label_count + 1) * sizeof *given);
    struct labels labels = {given, series->label_count};
    write_series_labels(series, given);
    store->has_bad_identity |= !has_good_identity(series, labels);
    if (store->refused_metric != NULL &&
        str_eq(labels_get(labels, LABEL_METRIC_NAME), str_from(store->refused_metric)))
        refuse(store, series, result);
    else
        note(store, series, labels, result);
    mem_free(given);
}

const struct clock *store_clock(const struct store *store)
{
    (void)store;
    return clock_real();
}

size_t store_write_memory_max(const struct write_series *series, size_t series_count)
{
    (void)series;
    (void)series_count;
    return 0;
}

enum status store_write(struct store *store, const struct store_write_request *request,
                        struct error *err)
{
    CHECK(request->arena != NULL);
    if (store->answer != STATUS_OK)
        return error_set(err, store->answer, "store: the log of shard 3 cannot take writes now");
    mutex_lock(&store->lock);
    store->write_count++;
    for (size_t i = 0; i < request->series_count; i++)
        apply(store, &request->series[i], request->result);
    if (store->is_deferred)
        store->pending = request->commit;
    cond_signal(&store->has_pending);
    mutex_unlock(&store->lock);
    if (!store->is_deferred)
        request->commit->done(request->commit, STATUS_OK);
    return STATUS_OK;
}

enum status store_admit_tenant(struct store *store, const struct tenant_id *id,
                               const struct write_series *series, struct write_result *result,
                               struct tenant **out, struct error *err)
{
    (void)series;
    (void)result;
    return tenant_table_get(store->tenants, tenant_id_str(id), out, err);
}

void store_refuse_series(struct store *store, struct tenant *tenant, enum refusal_reason reason,
                         uint64_t samples, const struct error *why, struct write_result *result)
{
    (void)store;
    (void)tenant;
    result->samples_refused[reason] += samples;
    result->first[reason] = *why;
}
