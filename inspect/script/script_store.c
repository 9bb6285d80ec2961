#include "inspect/script/script_store.h"

/* 10,000 years both ways, and far from what overflows when added. */
#define SPAN_MAX_MS (INT64_C(10000) * 366 * 86400 * 1000)

static struct store_options options_of(struct script_store *script)
{
    return (struct store_options){
        .disk = script->disk,
        .clock = &script->clock.base,
        .shard_count = 1,
        .default_tenant = STR("anonymous"),
        .tenant_label = STR("tenant_id"),
        .tenants_max = 1,
        .label_limits = {.labels_max = 1024, .name_len_max = 65535, .value_len_max = 65535},
        .retention_ms = SPAN_MAX_MS,
        .future_max_ms = SPAN_MAX_MS,
        .idle_ms = SPAN_MAX_MS,
        .is_manual = true,
    };
}

enum status script_store_init(struct script_store *script, struct error *err)
{
    *script = (struct script_store){.sim = sim_disk_new(0)};
    sim_clock_init(&script->clock, 0);
    script->disk = sim_disk_disk(script->sim);
    struct store_options options = options_of(script);
    enum status status = store_open(&options, &script->store, err);
    if (status != STATUS_OK)
        script_store_deinit(script);
    return status;
}

void script_store_deinit(struct script_store *script)
{
    store_close(script->store);
    disk_close(script->disk);
    sim_disk_free(script->sim);
    *script = (struct script_store){0};
}

static void ignore_commit(struct write_commit *commit, enum status status)
{
    (void)commit, (void)status;
}

static size_t samples_of(const struct script_series *series, int64_t interval_ms,
                         struct sample *samples)
{
    size_t count = 0;
    for (size_t i = 0; i < series->count; i++) {
        if (!series->is_absent[i])
            samples[count++] = (struct sample){(int64_t)i * interval_ms, series->values[i]};
    }
    return count;
}

static enum status first_refusal(const struct write_result *result, struct error *err)
{
    for (size_t i = 0; i < REFUSAL_COUNT; i++) {
        if (result->samples_refused[i] > 0 || result->series_refused[i] > 0)
            return error_set(err, STATUS_INVALID, "%s", result->first[i].text);
    }
    return STATUS_OK;
}

static enum status write_samples(struct script_store *script, struct write_series *series,
                                 struct arena *arena, struct error *err)
{
    struct write_result result = {0};
    struct write_commit *commit = arena_alloc_zeroed(arena, sizeof *commit);
    commit->done = ignore_commit;
    TRY(tenant_table_get(store_tenants(script->store), STR("anonymous"), &series->tenant, err));
    const struct store_write_request request = {
        .series = series, .series_count = 1, .arena = arena, .result = &result, .commit = commit};
    TRY(store_write(script->store, &request, err));
    TRY(store_commit(script->store, 0, err));
    return first_refusal(&result, err);
}

enum status script_store_load(struct script_store *script, const struct script_series *series,
                              int64_t interval_ms, struct error *err)
{
    if (series->count > 0 && interval_ms > SPAN_MAX_MS / (int64_t)series->count)
        return error_set(err, STATUS_INVALID,
                         "load: the last sample is more than 10,000 years away");
    struct arena arena;
    arena_init(&arena, SIZE_MAX);
    struct sample *samples = arena_alloc(&arena, series->count * sizeof *samples);
    size_t count = samples_of(series, interval_ms, samples);
    struct write_series write = {.labels = series->labels.ptr,
                                 .label_count = (uint32_t)series->labels.count,
                                 .sample_count = (uint32_t)count,
                                 .samples = samples};
    enum status status = count == 0 ? STATUS_OK : write_samples(script, &write, &arena, err);
    arena_deinit(&arena);
    return status;
}
