/*
 * Tenants that a write names first. One is made only for a series that the store would keep, so
 * that nobody fills the table with names of tenants that have nothing.
 */
#include "tsdb/store/store_write_impl.h"

#include "base/arena.h"

/* The series is looked at as if its tenant were there; what is refused is counted in
   the result alone. */
static bool would_keep(struct store *store, struct tenant *stranger,
                       const struct write_series *series, struct write_result *result)
{
    struct arena arena; /* a write may name as many tenants as it has series */
    struct write_series one = *series;
    struct shard_write w = {.shard = &store->shards[stranger->shard],
                            .series = &one,
                            .count = 1,
                            .arena = &arena,
                            .result = result,
                            .refused_count =
                                REFUSAL_EXPLAINED_MAX, /* nobody to remember them with */
                            .now_ms = clock_now_ms(store->options.clock),
                            .monotonic_ms = clock_monotonic_ms(store->options.clock)};
    struct labels canonical;
    one.tenant = stranger;
    arena_init(&arena, SIZE_MAX);
    enter_tenant(&w, &one);
    bool would = has_sample_in_time(&w, &one) &&
                 has_good_labels(&w, &one, labels_given(&w, &one), &canonical);
    arena_deinit(&arena);
    return would;
}

enum status store_admit_tenant(struct store *store, const struct tenant_id *id,
                               const struct write_series *series, struct write_result *result,
                               struct tenant **out, struct error *err)
{
    struct tenant stranger;
    int64_t wait_ms = 0;
    tenant_table_describe(store->tenants, id, &stranger);
    if (!would_keep(store, &stranger, series, result))
        return error_set(err, STATUS_NOT_FOUND, "tenant \"%s\": has no series yet", id->text);
    enum status status = tenant_table_add(
        store->tenants, id, clock_monotonic_ns(store->options.clock), out, &wait_ms, err);
    if (wait_ms > result->retry_after_ms)
        result->retry_after_ms = wait_ms;
    return status;
}
