#include "tsdb/store/store_impl.h"

#include "base/check.h"
#include "base/log.h"
#include "base/mem.h"
#include "tsdb/files/clock_mark.h"
#include "tsdb/files/layout.h"

enum { RESERVE_HELD_PART = 4, HOUR_MS = 3600 * 1000, EXTENT_SERIES_AT_ONCE = 256 };

/* ---- open and close ---- */

/* Shards replay side by side; a thread whose shard is open helps with others. */
struct opening {
    struct shard *shard; /* NULL: it only helps */
    struct store *store;
    uint32_t number;
    struct replay_crew *crew;
    struct thread thread;
    enum status status;
    struct error err;
};

static void open_shard(struct opening *opening)
{
    opening->status =
        shard_open(opening->shard, opening->store, opening->number, opening->crew, &opening->err);
    replay_crew_end_shard(opening->crew);
}

static void run_opening(void *context)
{
    struct opening *opening = context;
    if (opening->shard != NULL)
        open_shard(opening);
    replay_crew_help(opening->crew);
}

static void add_replay(struct store *store, const struct store_replay_report *shard)
{
    store->replay.samples += shard->samples;
    store->replay.series += shard->series;
    store->replay.torn_tail_bytes += shard->torn_tail_bytes;
    store->replay.damaged_frames += shard->damaged_frames;
    store->replay.lost_samples += shard->lost_samples;
    store->replay.quarantined_blocks += shard->quarantined_blocks;
    store->replay.missing_files += shard->missing_files;
}

/* All folders are durable before the first write is taken, so only a store that holds nothing may
   lack some. */
static void count_missing_shards(struct store *store)
{
    uint64_t held = store->replay.samples;
    for (uint32_t i = 0; i < store->shard_count; i++)
        held += store->shards[i].block_count;
    for (uint32_t i = 0; held > 0 && i < store->shard_count; i++) {
        if (!store->shards[i].was_missing)
            continue;
        store->replay.missing_files++;
        log_error("%s is not whole: what it held is gone, and it is made anew",
                  store->shards[i].folder);
    }
}

/* A thread for each shard, because they wait for the disk as well; and so many that only help. */
static uint32_t helper_count(const struct store *store, unsigned processor_count)
{
    uint32_t useful = store->shard_count * REPLAY_HELPERS_MAX;
    if (store->options.is_manual || processor_count <= store->shard_count)
        return 0;
    uint32_t idle = processor_count - store->shard_count;
    return idle < useful ? idle : useful;
}

static enum status open_shards(struct store *store, struct error *err)
{
    unsigned processor_count = thread_cpu_count();
    uint32_t count = store->shard_count + helper_count(store, processor_count);
    struct opening *openings = mem_alloc_zeroed(count, sizeof *openings);
    struct replay_crew *crew = replay_crew_new(store->shard_count, processor_count);
    enum status status = STATUS_OK;
    for (uint32_t i = 0; i < count; i++) {
        struct shard *shard = i < store->shard_count ? &store->shards[i] : NULL;
        openings[i] = (struct opening){.shard = shard, .store = store, .number = i, .crew = crew};
        if (store->options.is_manual)
            open_shard(&openings[i]);
        else
            thread_start(&openings[i].thread, "replay", run_opening, &openings[i]);
    }
    for (uint32_t i = 0; i < count; i++) {
        thread_join(&openings[i].thread);
        if (status == STATUS_OK && openings[i].status != STATUS_OK)
            status = error_set(err, openings[i].status, "%s", openings[i].err.text);
    }
    for (uint32_t i = 0; i < store->shard_count; i++)
        add_replay(store, &store->shards[i].replay);
    if (status == STATUS_OK)
        count_missing_shards(store);
    replay_crew_free(crew);
    mem_free(openings);
    return status;
}

static int64_t newest_sample_ms(struct store *store)
{
    int64_t newest_ms = INT64_MIN;
    for (uint32_t i = 0; i < store->shard_count; i++) {
        struct shard *shard = &store->shards[i];
        rwlock_lock_read(&shard->lock);
        int64_t in_head_ms = head_max_ts_ms(shard->head);
        if (in_head_ms > newest_ms)
            newest_ms = in_head_ms;
        if (shard->blocks_max_ts_ms > newest_ms)
            newest_ms = shard->blocks_max_ts_ms;
        rwlock_unlock_read(&shard->lock);
    }
    return newest_ms;
}

static void find_last_time(struct store *store)
{
    struct error err;
    enum status status = clock_mark_read(store->options.disk, &store->noted_time_ms, &err);
    store->last_time_ms = store->noted_time_ms;
    if (status == STATUS_OK)
        return;
    if (status != STATUS_NOT_FOUND)
        log_error("%s; the newest sample tells how late it was", err.text);
    store->noted_time_ms = INT64_MIN;
    store->last_time_ms = newest_sample_ms(store);
}

/* From now on a manifest that is gone was taken away. When the disk does not take that, the next
   start says it. */
static void note_manifests(struct store *store)
{
    struct error ignored;
    bool has_all = true;
    for (uint32_t i = 0; i < store->shard_count; i++)
        has_all = has_all && store->shards[i].is_manifest_saved;
    if (store->has_manifests || !has_all)
        return;
    const struct layout layout = {.shard_count = store->shard_count, .has_manifests = true};
    enum status status = layout_write(store->options.disk, &layout, &ignored);
    (void)status;
}

static enum status open_contents(struct store *store, struct error *err)
{
    struct layout fresh = {.shard_count = store->options.shard_count};
    struct layout layout;
    TRY(store->options.is_read_only ? layout_find(store->options.disk, &layout, err)
                                    : layout_open(store->options.disk, &fresh, &layout, err));
    struct tenant_table_options tenants = {.shard_count = layout.shard_count,
                                           .tenants_max = store->options.tenants_max,
                                           .default_tenant = store->options.default_tenant};
    TRY(tenant_table_open(&tenants, &store->tenants, err));
    store->shards = mem_alloc_zeroed(layout.shard_count, sizeof *store->shards);
    store->shard_count = layout.shard_count;
    store->has_manifests = layout.has_manifests;
    uint64_t start_ns = clock_monotonic_ns(store->options.clock);
    TRY(open_shards(store, err));
    note_manifests(store);
    find_last_time(store);
    store->replay.duration_ms = (clock_monotonic_ns(store->options.clock) - start_ns) / 1000000;
    return STATUS_OK;
}

/* False when the disk does not say. */
static bool look_at_disk(struct store *store)
{
    uint64_t free_bytes;
    struct error ignored;
    if (disk_free_bytes(store->options.disk, &free_bytes, &ignored) != STATUS_OK)
        return false;
    counter_set(&store->free_bytes, free_bytes);
    return true;
}

/* With what was seen of the disk last. */
static enum status adjust_reserve(struct store *store, struct error *err)
{
    return disk_reserve_adjust(&store->reserve, counter_get(&store->free_bytes), err);
}

enum status store_open(const struct store_options *options, struct store **out, struct error *err)
{
    struct store *store = mem_alloc_zeroed(1, sizeof *store);
    store->options = *options;
    counter_set(&store->free_bytes, UINT64_MAX);
    disk_reserve_init(&store->reserve, options->disk,
                      options->is_read_only ? 0 : options->reserve_bytes / RESERVE_HELD_PART);
    enum status status = open_contents(store, err);
    if (status != STATUS_OK) {
        store_close(store);
        return status;
    }
    /* the disk may be full before the first step of whoever calls store_adjust_reserve */
    struct error why;
    look_at_disk(store);
    if (adjust_reserve(store, &why) != STATUS_OK)
        log_warn("no space is held for deletions on a full disk: %s", why.text);
    for (uint32_t i = 0; i < store->shard_count && !options->is_manual; i++)
        shard_start_committer(&store->shards[i]);
    *out = store;
    return STATUS_OK;
}

void store_close(struct store *store)
{
    if (store == NULL)
        return;
    for (uint32_t i = 0; i < store->shard_count; i++)
        shard_close(&store->shards[i]);
    mem_free(store->shards);
    tenant_table_close(store->tenants);
    disk_reserve_deinit(&store->reserve);
    mem_free(store);
}

/* ---- what others ask ---- */

struct tenant_table *store_tenants(struct store *store)
{
    return store->tenants;
}

uint32_t store_shard_count(const struct store *store)
{
    return store->shard_count;
}

const struct clock *store_clock(const struct store *store)
{
    return store->options.clock;
}

struct str store_tenant_label(const struct store *store)
{
    return store->options.tenant_label;
}

int64_t store_retention_ms(const struct store *store)
{
    return tenant_table_longest_retention_ms(store->tenants, store->options.retention_ms);
}

static int64_t retention_of_ms(const struct store *store, const struct tenant *tenant)
{
    return (int64_t)tenant_limit_or(tenant, TENANT_LIMIT_RETENTION,
                                    (uint64_t)store->options.retention_ms);
}

int64_t store_retention_of_ms(const struct store *store, struct str id)
{
    const struct tenant *tenant = tenant_table_find(store->tenants, id);
    return tenant == NULL ? store->options.retention_ms : retention_of_ms(store, tenant);
}

int64_t store_first_visible_ms(const struct store *store, const struct tenant *tenant,
                               int64_t min_ts_ms)
{
    int64_t retention_ms =
        tenant == NULL ? store_retention_ms(store) : retention_of_ms(store, tenant);
    int64_t oldest_ms = clock_now_ms(store->options.clock) - retention_ms;
    return min_ts_ms > oldest_ms ? min_ts_ms : oldest_ms;
}

const struct store_replay_report *store_replay_report(const struct store *store)
{
    return &store->replay;
}

enum status store_commit(struct store *store, uint32_t shard, struct error *err)
{
    CHECK(shard < store->shard_count);
    return shard_commit(&store->shards[shard], err);
}

void store_check_reserve(struct store *store)
{
    uint64_t reserve_bytes =
        store->options.reserve_bytes - disk_reserve_held_bytes(&store->reserve);
    if (reserve_bytes == 0 || !look_at_disk(store))
        return;
    uint64_t free_bytes = counter_get(&store->free_bytes);
    bool was_short = counter_get(&store->is_short) != 0;
    /* a little more before writes begin again, so that it does not go to and fro */
    bool is_short = free_bytes < reserve_bytes + (was_short ? reserve_bytes / 8 : 0);
    counter_set(&store->is_short, is_short);
    if (is_short && !was_short)
        log_error("the disk is nearly full, writes are refused: got %llu bytes free, want %llu",
                  (unsigned long long)free_bytes, (unsigned long long)reserve_bytes);
    if (was_short && !is_short)
        log_info("the disk has space again, writes are taken");
}

void store_adjust_reserve(struct store *store)
{
    struct error ignored; /* there is another time */
    if (counter_get(&store->is_short) != 0)
        return;
    enum status status = adjust_reserve(store, &ignored);
    (void)status;
}

void store_sweep_idle(struct store *store, uint32_t number)
{
    CHECK(number < store->shard_count);
    struct shard *shard = &store->shards[number];
    int64_t idle_since_ms = clock_monotonic_ms(store->options.clock) - store->options.idle_ms;
    rwlock_lock_write(&shard->lock);
    head_sweep_idle(shard->head, idle_since_ms);
    rwlock_unlock_write(&shard->lock);
    late_memo_rest(&shard->late_memo);
}

void store_tenant_usage(struct store *store, const struct tenant *tenant, struct tenant_usage *out)
{
    struct shard *shard = &store->shards[tenant->shard];
    rwlock_lock_read(&shard->lock);
    head_tenant_usage(shard->head, tenant, out);
    rwlock_unlock_read(&shard->lock);
}

enum status store_add_extent(struct store *store, const struct tenant *tenant, struct arena *arena,
                             struct head_extent *out, struct error *err)
{
    struct shard *shard = &store->shards[tenant->shard];
    struct ref_list refs;
    rwlock_lock_read(&shard->lock);
    enum status status = head_select(shard->head, tenant, (struct matchers){0}, arena, &refs, err);
    rwlock_unlock_read(&shard->lock);
    if (status != STATUS_OK)
        return status;
    for (size_t i = 0; i < refs.count;) {
        rwlock_lock_read(&shard->lock);
        do
            head_add_extent(shard->head, tenant, refs.ptr[i++], out);
        while (i < refs.count && i % EXTENT_SERIES_AT_ONCE != 0);
        rwlock_unlock_read(&shard->lock);
    }
    return STATUS_OK;
}

void store_tenant_tops(struct store *store, const struct tenant *tenant, struct arena *arena,
                       struct tenant_tops *out)
{
    struct shard *shard = &store->shards[tenant->shard];
    rwlock_lock_read(&shard->lock);
    head_tenant_tops(shard->head, tenant, arena, out);
    rwlock_unlock_read(&shard->lock);
}

void store_limit_usage(struct store *store, const struct tenant *tenant,
                       uint64_t out[TENANT_LIMIT_COUNT])
{
    struct shard *shard = &store->shards[tenant->shard];
    struct tenant_usage usage;
    for (enum tenant_limit limit = 0; limit < TENANT_LIMIT_COUNT; limit++)
        out[limit] = TENANT_LIMIT_NONE;
    rwlock_lock_read(&shard->lock);
    head_tenant_usage(shard->head, tenant, &usage);
    out[TENANT_LIMIT_MAX_NEW_SERIES_PER_HOUR] =
        quota_taken(&tenant->new_series_in_hour, clock_monotonic_ms(store->options.clock));
    rwlock_unlock_read(&shard->lock);
    out[TENANT_LIMIT_MAX_SERIES] = counter_get(&tenant->active_series);
    out[TENANT_LIMIT_MAX_SERIES_PER_METRIC] = usage.metric_series_max;
    out[TENANT_LIMIT_MAX_LABEL_VALUES] = usage.label_values_max;
    out[TENANT_LIMIT_MAX_SERIES_BYTES] = usage.charged_bytes;
}

bool store_last_refusal(struct store *store, const struct tenant *tenant,
                        enum refusal_reason reason, struct refusal *out)
{
    struct shard *shard = &store->shards[tenant->shard];
    rwlock_lock_read(&shard->lock);
    const struct refusal *last = tenant->refusals == NULL ? NULL : tenant->refusals[reason];
    if (last != NULL)
        *out = *last;
    rwlock_unlock_read(&shard->lock);
    return last != NULL;
}

void store_label_counts(struct store *store, const struct tenant *tenant, struct arena *arena,
                        struct label_count_list *out)
{
    struct shard *shard = &store->shards[tenant->shard];
    rwlock_lock_read(&shard->lock);
    head_label_counts(shard->head, tenant, arena, out);
    rwlock_unlock_read(&shard->lock);
}

int64_t store_last_time_ms(const struct store *store)
{
    return store->last_time_ms;
}

static int64_t hour_of(int64_t ts_ms)
{
    return ts_ms / HOUR_MS;
}

void store_note_time(struct store *store, int64_t now_ms)
{
    struct error ignored;
    if (hour_of(now_ms) == hour_of(store->noted_time_ms))
        return;
    if (clock_mark_write(store->options.disk, now_ms, &ignored) == STATUS_OK)
        store->noted_time_ms = now_ms;
}

void store_shard_status(struct store *store, uint32_t number, struct shard_status *out)
{
    CHECK(number < store->shard_count);
    struct shard *shard = &store->shards[number];
    const struct wal_counters *counters = wal_counters(shard->wal);
    *out = (struct shard_status){.wal_bytes = wal_size_bytes(shard->wal),
                                 .wal_commits = counter_get(&counters->commits),
                                 .wal_commit_failures = counter_get(&counters->commit_failures),
                                 .wal_bytes_written = counter_get(&counters->bytes_written),
                                 .late_memo_bytes = late_memo_bytes(&shard->late_memo),
                                 .is_writable = wal_is_writable(shard->wal),
                                 .disk_free_bytes = counter_get(&store->free_bytes),
                                 .wants_memory = shard_wants_memory(shard)};
    rwlock_lock_read(&shard->lock);
    out->series = head_series_count(shard->head);
    out->head_samples = head_sample_count(shard->head);
    out->head_memory_bytes = head_memory_bytes(shard->head);
    out->head_sample_memory_bytes = head_sample_memory_bytes(shard->head);
    if (out->head_samples > 0)
        out->head_age_ms = clock_monotonic_ms(store->options.clock) - shard->head_since_ms;
    out->block_count = shard->block_count;
    for (size_t i = 0; i < shard->block_count; i++)
        out->block_bytes += block_size_bytes(shard->blocks[i]);
    rwlock_unlock_read(&shard->lock);
}
