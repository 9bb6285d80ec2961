#include "tests/support/store_box.h"

#include "base/check.h"
#include "base/log.h"
#include "tsdb/store/verify.h"

enum { TENANTS_MAX = 1000, BOX_SHARDS = 2 };

/* ---- open and close ---- */

void store_box_init(struct store_box *box, uint64_t seed)
{
    log_set_level(LOG_NOTHING); /* failures by the thousand are made on purpose */
    *box = (struct store_box){.sim = sim_disk_new(seed)};
    sim_clock_init(&box->clock, BOX_START_MS);
    arena_init(&box->arena, SIZE_MAX);
    box->options = (struct store_options){
        .clock = &box->clock.base,
        .shard_count = BOX_SHARDS,
        .default_tenant = STR("anonymous"),
        .tenant_label = STR("tenant_id"),
        .tenants_max = TENANTS_MAX,
        .label_limits = {.labels_max = 8, .name_len_max = 100, .value_len_max = 1000},
        .retention_ms = BOX_RETENTION_MS,
        .future_max_ms = 10 * 60 * 1000,
        .idle_ms = 30 * 60 * 1000,
        .is_manual = true,
    };
}

/* ---- proving ---- */

static void note_wrong(void *context, const char *path, const char *text)
{
    struct error *err = context;
    if (err->text[0] == '\0')
        error_set(err, STATUS_CORRUPT, "%s: %s", path, text);
}

enum status box_verify(struct store_box *box, struct error *err)
{
    struct verify_report report;
    struct error first = {0};
    const struct verify_handler handler = {.context = &first, .wrong = note_wrong};
    struct disk *disk = sim_disk_disk(box->sim);
    enum status status = store_verify(disk, &handler, &report, err);
    disk_close(disk);
    if (status == STATUS_OK && report.wrong > 0)
        return error_set(err, STATUS_CORRUPT, "%s", first.text);
    return status;
}

static void expect_proved(struct store_box *box)
{
    struct error err = {0};
    if (!box->is_damaged && box_verify(box, &err) == STATUS_CORRUPT)
        fail_msg("at the end the files are not without fault: %s", err.text);
}

/* ---- life ---- */

void store_box_deinit(struct store_box *box)
{
    if (box->store != NULL)
        store_box_close(box);
    expect_proved(box);
    sim_disk_free(box->sim);
    arena_deinit(&box->arena);
}

enum status store_box_open(struct store_box *box, struct error *err)
{
    CHECK(box->store == NULL);
    box->disk = sim_disk_disk(box->sim);
    box->options.disk = box->disk;
    enum status status = store_open(&box->options, &box->store, err);
    if (status != STATUS_OK)
        disk_close(box->disk);
    return status;
}

void store_box_close(struct store_box *box)
{
    store_close(box->store);
    box->store = NULL;
    disk_close(box->disk);
}

void store_box_crash(struct store_box *box, enum power_cut cut)
{
    sim_disk_cut_power_at(box->sim, 0);
    if (box->store != NULL)
        store_box_close(box);
    sim_disk_restore_power(box->sim, cut);
}

static void expect_open(struct store_box *box)
{
    struct error err = {0};
    expect_ok(store_box_open(box, &err));
}

void store_box_start(struct store_box *box, uint64_t seed)
{
    store_box_init(box, seed);
    expect_open(box);
}

void store_box_restart(struct store_box *box)
{
    store_box_close(box);
    expect_open(box);
}

void store_box_crash_and_restart(struct store_box *box, enum power_cut cut)
{
    store_box_crash(box, cut);
    expect_open(box);
}

/* ---- writing ---- */

static void note_answer(struct write_commit *commit, enum status status)
{
    struct box_write *write = (struct box_write *)commit;
    mutex_lock(&write->lock);
    write->is_done = true;
    write->status = status;
    cond_signal(&write->is_answered);
    mutex_unlock(&write->lock);
}

static struct write_series make_series(struct store_box *box, struct arena *arena,
                                       const struct box_sample *samples, size_t count)
{
    struct error err;
    struct labels labels = box_labels(arena, samples[0].series);
    struct sample *copies = arena_alloc(arena, count * sizeof *copies);
    for (size_t i = 0; i < count; i++)
        copies[i] = (struct sample){samples[i].ts_ms, samples[i].value};
    struct buffer identity;
    buffer_init(&identity, SIZE_MAX);
    labels_identity_encode(&identity, labels);
    struct write_series series = {.identity =
                                      bytes_of_str(arena_copy(arena, buffer_str(&identity))),
                                  .labels = labels.ptr,
                                  .label_count = (uint32_t)labels.count,
                                  .sample_count = (uint32_t)count,
                                  .samples = copies};
    buffer_deinit(&identity);
    expect_ok(tenant_table_get(store_tenants(box->store), str_from(samples[0].tenant),
                               &series.tenant, &err));
    return series;
}

static size_t run_len(const struct box_sample *samples, size_t count)
{
    size_t len = 1;
    while (len < count && strcmp(samples[len].series, samples[0].series) == 0 &&
           strcmp(samples[len].tenant, samples[0].tenant) == 0)
        len++;
    return len;
}

static void free_write(struct box_write *write)
{
    arena_deinit(&write->arena);
    cond_deinit(&write->is_answered);
    mutex_deinit(&write->lock);
}

/* What store_write_memory_max leaves out. */
enum { FEW_PAGES_BYTES = 16 << 10 };

enum status box_write_begin(struct store_box *box, struct box_write *write,
                            const struct box_sample *samples, size_t count, struct error *err)
{
    *write = (struct box_write){.commit.done = note_answer};
    mutex_init(&write->lock);
    cond_init(&write->is_answered);
    arena_init(&write->arena, SIZE_MAX);
    struct write_series *series = arena_alloc(&write->arena, count * sizeof *series);
    size_t series_count = 0;
    for (size_t from = 0; from < count;) {
        size_t len = run_len(samples + from, count - from);
        series[series_count++] = make_series(box, &write->arena, samples + from, len);
        from += len;
    }
    size_t max_bytes = write->arena.used_bytes + store_write_memory_max(series, series_count);
    for (size_t i = 0; i < series_count; i++)
        max_bytes += 2 * series[i].label_count * sizeof(struct label);
    const struct store_write_request request = {.series = series,
                                                .series_count = series_count,
                                                .arena = &write->arena,
                                                .result = &write->result,
                                                .commit = &write->commit};
    enum status status = store_write(box->store, &request, err);
    CHECK(write->arena.used_bytes <= max_bytes + FEW_PAGES_BYTES);
    if (status != STATUS_OK)
        free_write(write);
    return status;
}

enum status box_write_end(struct box_write *write)
{
    mutex_lock(&write->lock);
    while (!write->is_done)
        cond_wait(&write->is_answered, &write->lock);
    enum status status = write->status;
    mutex_unlock(&write->lock);
    free_write(write);
    return status;
}

bool box_write_is_done(struct box_write *write)
{
    mutex_lock(&write->lock);
    bool is_done = write->is_done;
    mutex_unlock(&write->lock);
    return is_done;
}

enum status box_commit(struct store_box *box, struct error *err)
{
    enum status first = STATUS_OK;
    for (uint32_t i = 0; i < store_shard_count(box->store); i++) {
        struct error mine;
        enum status status = store_commit(box->store, i, &mine);
        if (first == STATUS_OK && status != STATUS_OK)
            first = error_set(err, status, "%s", mine.text);
    }
    return first;
}

enum status box_write(struct store_box *box, const struct box_sample *samples, size_t count,
                      struct write_result *result, struct error *err)
{
    struct box_write write;
    TRY(box_write_begin(box, &write, samples, count, err));
    enum status committed = box->options.is_manual ? box_commit(box, err) : STATUS_OK;
    *result = write.result;
    if (committed != STATUS_OK && !box_write_is_done(&write))
        fail_msg("a failed commit told nobody: %s", err->text);
    return box_write_end(&write);
}

struct write_result expect_write(struct store_box *box, const struct box_sample *samples,
                                 size_t count)
{
    struct error err = {0};
    struct write_result result;
    expect_ok(box_write(box, samples, count, &result, &err));
    return result;
}

void box_put(struct store_box *box, const char *tenant, const char *series, int64_t ts_ms,
             double value)
{
    const struct box_sample sample = {tenant, series, ts_ms, value};
    assert_int_equal(expect_write(box, &sample, 1).samples_written, 1);
}

enum status box_flush(struct store_box *box, struct error *err)
{
    enum status first = STATUS_OK;
    for (uint32_t i = 0; i < store_shard_count(box->store); i++) {
        struct error mine;
        enum status status = store_flush_shard(box->store, i, &mine);
        if (first == STATUS_OK && status != STATUS_OK)
            first = error_set(err, status, "%s", mine.text);
    }
    return first;
}

void expect_flush(struct store_box *box)
{
    struct error err = {0};
    expect_ok(box_flush(box, &err));
}

void box_make_idle(struct store_box *box)
{
    sim_clock_advance(&box->clock, box->options.idle_ms);
    for (uint32_t i = 0; i < store_shard_count(box->store); i++)
        store_sweep_idle(box->store, i);
}

/* ---- looking at the store ---- */

size_t box_file_count(struct store_box *box, const char *part)
{
    struct name_list files;
    size_t count = 0;
    sim_disk_files(box->sim, &files);
    for (size_t i = 0; i < files.count; i++)
        count += strstr(files.names[i], part) != NULL;
    name_list_deinit(&files);
    return count;
}

uint64_t box_used_bytes(struct store_box *box)
{
    struct error err = {0};
    uint64_t free_bytes;
    expect_ok(disk_free_bytes(box->disk, &free_bytes, &err));
    return (UINT64_C(1) << 40) - free_bytes;
}

uint64_t box_block_count(struct store_box *box)
{
    uint64_t count = 0;
    for (uint32_t i = 0; i < store_shard_count(box->store); i++) {
        struct shard_status status;
        store_shard_status(box->store, i, &status);
        count += status.block_count;
    }
    return count;
}

uint64_t box_block_samples(struct store_box *box)
{
    uint64_t samples = 0;
    for (uint32_t shard = 0; shard < store_shard_count(box->store); shard++) {
        struct block **blocks;
        size_t count;
        store_blocks(box->store, shard, &box->arena, &blocks, &count);
        for (size_t i = 0; i < count; i++) {
            samples += block_meta(blocks[i])->sample_count;
            block_release(blocks[i]);
        }
    }
    return samples;
}

uint32_t box_shard_of(struct store_box *box, const char *tenant)
{
    return tenant_table_find(store_tenants(box->store), str_from(tenant))->shard;
}
