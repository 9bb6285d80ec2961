#include "tsdb/head/head_impl.h"

#include "base/hash.h"
#include "base/mem.h"

/* Elements of a page: 16 KiB of series. */
enum { SERIES_PAGE_BITS = 8, LATE_PAGE_BITS = 6 };
enum { LABELS_PER_SERIES_MAX = UINT16_MAX };

struct head *head_new(void)
{
    struct head *head = mem_alloc_zeroed(1, sizeof *head);
    slab_init(&head->series, sizeof(struct series), SERIES_PAGE_BITS);
    slab_init(&head->late, sizeof(struct late), LATE_PAGE_BITS);
    ref_table_init(&head->table);
    pair_pool_init(&head->pairs);
    open_pool_init(&head->open);
    chunk_pool_init(&head->chunks);
    buffer_init(&head->encoding, SIZE_MAX);
    columns_init(&head->decoding);
    return head;
}

static void free_late(struct head *head)
{
    for (uint32_t ref = 0; ref < head->series.slot_count; ref++) {
        struct series *series = slab_at(&head->series, ref);
        if (series->is_used)
            series_samples_release(head, &series->samples);
    }
    for (uint32_t ref = 0; ref < head->flushing_count; ref++)
        series_samples_release(head, &head->flushing[ref].samples);
}

void head_free(struct head *head)
{
    if (head == NULL)
        return;
    free_late(head);
    for (size_t i = 0; i < head->tenant_capacity; i++)
        tenant_index_free(head->tenants[i]);
    mem_free(head->tenants);
    mem_free(head->followers);
    mem_free(head->flushing);
    mem_free(head->retired);
    slab_deinit(&head->series);
    slab_deinit(&head->late);
    ref_table_deinit(&head->table);
    pair_pool_deinit(&head->pairs);
    open_pool_deinit(&head->open);
    chunk_pool_deinit(&head->chunks);
    buffer_deinit(&head->encoding);
    columns_deinit(&head->decoding);
    mem_free(head);
}

/* ---- add and remove ---- */

static struct tenant_index *get_index(struct head *head, struct tenant *tenant)
{
    size_t before = head->tenant_capacity;
    head->tenants = mem_grow(head->tenants, &head->tenant_capacity, tenant->number + (size_t)1,
                             sizeof(struct tenant_index *));
    for (size_t i = before; i < head->tenant_capacity; i++)
        head->tenants[i] = NULL;
    if (head->tenants[tenant->number] == NULL) {
        head->tenants[tenant->number] = tenant_index_new(tenant);
        head->index_bytes += tenant_index_memory_bytes(head->tenants[tenant->number]);
    }
    CHECK(head->tenants[tenant->number]->tenant == tenant);
    return head->tenants[tenant->number];
}

/* The texts of the pairs, one behind the other, are the identity encoding. */
static uint64_t identity_hash(struct head *head, const struct series *series)
{
    const struct str *texts = symbols_texts(head->tenants[series->tenant_number]->pairs);
    const uint32_t *pairs = series_pairs(head, series);
    buffer_reset(&head->encoding);
    for (size_t i = 0; i < series->pair_count; i++)
        buffer_append_str(&head->encoding, texts[pairs[i]]);
    return hash_bytes(buffer_bytes(&head->encoding));
}

static void add_follower(struct head *head, uint32_t ref)
{
    size_t before = head->follower_capacity;
    head->followers = mem_grow(head->followers, &head->follower_capacity, ref + (size_t)1,
                               sizeof *head->followers);
    for (size_t i = before; i < head->follower_capacity; i++)
        head->followers[i] = SERIES_REF_NONE.value;
}

struct series_ref head_add_key(struct head *head, struct tenant *tenant, const struct head_key *key,
                               int64_t now_ms)
{
    size_t count = key->label_count;
    CHECK(count > 0);
    CHECK(count <= LABELS_PER_SERIES_MAX);
    struct series_ref ref = {slab_take(&head->series)};
    struct series *series = slab_at(&head->series, ref.value);
    *series = (struct series){.tenant_number = tenant->number,
                              .pairs = pair_pool_take(&head->pairs, count),
                              .samples = SERIES_SAMPLES_NONE,
                              .last_ts_ms = INT64_MIN,
                              .last_append_ms = now_ms,
                              .pair_count = (uint16_t)count,
                              .is_used = true,
                              .is_active = true};
    struct tenant_index *index = get_index(head, tenant);
    head->index_bytes -= tenant_index_memory_bytes(index);
    tenant_index_add(index, key->identity, count, ref.value,
                     pair_pool_at(&head->pairs, series->pairs, count));
    head->index_bytes += tenant_index_memory_bytes(index);
    ref_table_add(&head->table, series_place(tenant->number, key->hash), ref.value);
    add_follower(head, ref.value);
    head->series_count++;
    counter_add(&tenant->active_series, 1);
    return ref;
}

struct series_ref head_add(struct head *head, struct tenant *tenant, struct labels labels,
                           int64_t now_ms)
{
    buffer_reset(&head->encoding);
    labels_identity_encode(&head->encoding, labels);
    struct bytes identity = buffer_bytes(&head->encoding);
    const struct head_key key = {
        .hash = hash_bytes(identity), .identity = identity, .label_count = labels.count};
    return head_add_key(head, tenant, &key, now_ms);
}

void head_remove(struct head *head, struct series_ref ref)
{
    struct series *series = head_series(head, ref);
    CHECK(!series->is_active);
    CHECK(series_samples_is_empty(&series->samples));
    ref_table_remove(&head->table, series_place(series->tenant_number, identity_hash(head, series)),
                     ref.value);
    struct tenant_index *index = head->tenants[series->tenant_number];
    head->index_bytes -= tenant_index_memory_bytes(index);
    tenant_index_remove(index, series_pairs(head, series), series->pair_count, ref.value);
    head->index_bytes += tenant_index_memory_bytes(index);
    pair_pool_give(&head->pairs, series->pairs, series->pair_count);
    series->is_used = false;
    head->retired = mem_grow(head->retired, &head->retired_capacity, head->retired_count + 1,
                             sizeof *head->retired);
    head->retired[head->retired_count++] = ref.value;
    head->series_count--;
}

/* ---- active and idle ---- */

static struct tenant *tenant_of(const struct head *head, const struct series *series)
{
    return head->tenants[series->tenant_number]->tenant;
}

bool head_is_active(const struct head *head, struct series_ref ref)
{
    return head_series(head, ref)->is_active;
}

void head_activate(struct head *head, struct series_ref ref, int64_t now_ms)
{
    struct series *series = head_series(head, ref);
    if (!series->is_active)
        counter_add(&tenant_of(head, series)->active_series, 1);
    series->is_active = true;
    series->last_append_ms = now_ms;
}

void head_deactivate(struct head *head, struct series_ref ref)
{
    struct series *series = head_series(head, ref);
    if (series->is_active)
        counter_sub(&tenant_of(head, series)->active_series, 1);
    series->is_active = false;
}

void head_sweep_idle(struct head *head, int64_t idle_since_ms)
{
    for (uint32_t ref = 0; ref < head->series.slot_count; ref++) {
        const struct series *series = slab_at(&head->series, ref);
        if (series->is_used && series->last_append_ms <= idle_since_ms)
            head_deactivate(head, (struct series_ref){ref});
    }
}

/* ---- what a series says about itself ---- */

uint32_t head_logged_epoch(const struct head *head, struct series_ref ref)
{
    return head_series(head, ref)->logged_epoch;
}

void head_set_logged_epoch(struct head *head, struct series_ref ref, uint32_t epoch)
{
    head_series(head, ref)->logged_epoch = epoch;
}

const struct tenant *head_tenant(const struct head *head, struct series_ref ref)
{
    return tenant_of(head, head_series(head, ref));
}

struct labels head_labels(const struct head *head, struct series_ref ref, struct arena *arena)
{
    const struct series *series = head_series(head, ref);
    const struct tenant_index *index = head->tenants[series->tenant_number];
    const uint32_t *pairs = series_pairs(head, series);
    struct label *labels = arena_alloc(arena, series->pair_count * sizeof *labels);
    for (size_t i = 0; i < series->pair_count; i++)
        labels[i] = tenant_index_label(index, pairs[i]);
    return (struct labels){labels, series->pair_count};
}

static int64_t samples_max_ts_ms(const struct head *head, const struct series_samples *samples,
                                 int64_t last_ts_ms)
{
    if (samples->open.count > 0 || samples->chunks != CHUNK_REF_NONE)
        return last_ts_ms;
    const struct late *late = series_samples_late(head, samples);
    return late == NULL ? INT64_MIN : late_max_ts_ms(late);
}

void head_time_range(const struct head *head, struct series_ref ref, int64_t *min_ts_ms,
                     int64_t *max_ts_ms)
{
    const struct series *series = head_series(head, ref);
    *min_ts_ms = series->samples.min_ts_ms;
    *max_ts_ms = samples_max_ts_ms(head, &series->samples, series->last_ts_ms);
    const struct flushing_series *flushing = head_flushing(head, ref);
    if (flushing == NULL)
        return;
    int64_t flushing_max_ts_ms = samples_max_ts_ms(head, &flushing->samples, flushing->last_ts_ms);
    if (flushing->samples.min_ts_ms < *min_ts_ms)
        *min_ts_ms = flushing->samples.min_ts_ms;
    if (flushing_max_ts_ms > *max_ts_ms)
        *max_ts_ms = flushing_max_ts_ms;
}

/* ---- totals ---- */

size_t head_series_count(const struct head *head)
{
    return head->series_count;
}

int64_t head_max_ts_ms(const struct head *head)
{
    int64_t max_ts_ms = INT64_MIN;
    for (uint32_t ref = 0; ref < head->series.slot_count; ref++) {
        const struct series *series = slab_at(&head->series, ref);
        if (series->is_used && series->last_ts_ms > max_ts_ms)
            max_ts_ms = series->last_ts_ms;
    }
    return max_ts_ms;
}

uint64_t head_sample_count(const struct head *head)
{
    return head->sample_count;
}

size_t head_sample_memory_bytes(const struct head *head)
{
    return open_pool_memory_bytes(&head->open) + chunk_pool_memory_bytes(&head->chunks) +
           slab_memory_bytes(&head->late) + head->late_bytes;
}

size_t head_memory_bytes(const struct head *head)
{
    return sizeof *head + slab_memory_bytes(&head->series) + ref_table_memory_bytes(&head->table) +
           pair_pool_memory_bytes(&head->pairs) + head_sample_memory_bytes(head) +
           head->flushing_count * sizeof *head->flushing +
           head->retired_capacity * sizeof *head->retired +
           head->follower_capacity * sizeof *head->followers +
           head->tenant_capacity * sizeof(struct tenant_index *) + head->encoding.capacity +
           head->index_bytes;
}

size_t head_claimed_bytes(const struct head *head)
{
    size_t samples = head_sample_memory_bytes(head);
    size_t open = head->series_count * OPEN_RUN_COUNT_MAX * sizeof(struct open_sample);
    return head_memory_bytes(head) + (open > samples ? open - samples : 0);
}
