#include "tests/tsdb/block_model.h"

#include "tests/support/test.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/mem.h"

/* ---- making one ---- */

static const char *const names[] = {"__name__", "a", "b", "c"};
enum { NAMES = 4 };

static struct labels random_labels(struct random *random, struct arena *arena)
{
    struct label *labels = arena_alloc(arena, NAMES * sizeof *labels);
    size_t count = 0;
    for (size_t i = 0; i < NAMES; i++) {
        uint64_t value = random_below(random, i == 3 ? 40 : 6);
        if (i > 0 && value == 0)
            continue; /* no such label */
        struct str text = arena_format(arena, "%s%llu",
                                       i == 0      ? "metric_"
                                       : value % 2 ? "x"
                                                   : "",
                                       (unsigned long long)value);
        labels[count++] = (struct label){str_from(names[i]), text};
    }
    return (struct labels){labels, count};
}

static void random_samples(struct random *random, size_t count, struct columns *out)
{
    int64_t ts_ms = 1700000000000 + (int64_t)random_below(random, 3600000);
    double value = (double)random_below(random, 1000);
    columns_init(out);
    for (size_t i = 0; i < count; i++) {
        columns_append(out, ts_ms, value);
        ts_ms += 15000 + (int64_t)random_below(random, 10);
        value += (double)random_below(random, 100) / 10;
    }
}

/* Other values at the times of `scrape`; of `misses` ones in a hundred, none. */
static void scraped_samples(struct random *random, const struct columns *scrape, uint64_t misses,
                            struct columns *out)
{
    columns_init(out);
    for (size_t i = 0; i < scrape->count; i++) {
        if (i == 0 || random_below(random, 100) >= misses)
            columns_append(out, scrape->ts_ms[i], (double)random_below(random, 1000));
    }
}

static int compare_series(const void *a, const void *b)
{
    return labels_compare(((const struct model_series *)a)->labels,
                          ((const struct model_series *)b)->labels);
}

static void drop_repeated(struct model_tenant *tenant)
{
    size_t kept = 0;
    for (size_t i = 0; i < tenant->count; i++) {
        if (kept > 0 && labels_eq(tenant->series[kept - 1].labels, tenant->series[i].labels))
            columns_deinit(&tenant->series[i].samples);
        else
            tenant->series[kept++] = tenant->series[i];
    }
    tenant->count = kept;
}

static void fill_tenant(struct model_tenant *tenant, struct random *random, struct model_size size,
                        struct arena *arena)
{
    tenant->count = 1 + random_below(random, size.series_max);
    tenant->series = mem_alloc(tenant->count * sizeof *tenant->series);
    struct columns scrape;
    random_samples(random, 1 + random_below(random, size.samples_max), &scrape);
    for (size_t i = 0; i < tenant->count; i++) {
        struct model_series *series = &tenant->series[i];
        series->labels = random_labels(random, arena);
        if (random_below(random, 2) == 0)
            random_samples(random, 1 + random_below(random, size.samples_max), &series->samples);
        else
            scraped_samples(random, &scrape, random_below(random, 3), &series->samples);
    }
    columns_deinit(&scrape);
    qsort(tenant->series, tenant->count, sizeof *tenant->series, compare_series);
    drop_repeated(tenant);
}

void block_model_init(struct block_model *model, struct random *random, struct model_size size)
{
    struct error err;
    arena_init(&model->arena, SIZE_MAX);
    model->count = size.tenants;
    model->tenants = mem_alloc_zeroed(size.tenants, sizeof *model->tenants);
    for (size_t i = 0; i < size.tenants; i++) {
        char id[32];
        snprintf(id, sizeof id, "tenant-%06zu", i);
        expect_ok(tenant_id_parse(str_from(id), &model->tenants[i].id, &err));
        fill_tenant(&model->tenants[i], random, size, &model->arena);
    }
}

void block_model_init_seeded(struct block_model *model, uint64_t seed, struct model_size size)
{
    struct random random;
    random_init_seeded(&random, seed);
    block_model_init(model, &random, size);
}

void block_model_deinit(struct block_model *model)
{
    for (size_t i = 0; i < model->count; i++) {
        for (size_t j = 0; j < model->tenants[i].count; j++)
            columns_deinit(&model->tenants[i].series[j].samples);
        mem_free(model->tenants[i].series);
    }
    mem_free(model->tenants);
    arena_deinit(&model->arena);
}

/* ---- writing it ---- */

struct sim_disk *model_disk(uint64_t seed)
{
    struct error err;
    struct sim_disk *sim = sim_disk_new(seed);
    struct disk *disk = sim_disk_disk(sim);
    expect_ok(disk_make_dir(disk, MODEL_FOLDER, &err));
    expect_ok(disk_sync_dir(disk, "", &err));
    disk_close(disk);
    return sim;
}

static enum status write_tenants(const struct block_model *model, struct block_writer *writer,
                                 struct error *err)
{
    for (size_t i = 0; i < model->count; i++) {
        const struct model_tenant *tenant = &model->tenants[i];
        TRY(block_writer_tenant(writer, &tenant->id, err));
        for (size_t j = 0; j < tenant->count; j++)
            TRY(block_writer_series(writer, tenant->series[j].labels, &tenant->series[j].samples,
                                    err));
    }
    return STATUS_OK;
}

enum status block_model_write(const struct block_model *model, struct disk *disk, struct error *err)
{
    struct block_writer *writer;
    struct block_meta meta = {.shard = 3, .sequence = 12, .level = 1, .covered_epoch = 7};
    TRY(block_writer_open(disk, MODEL_FOLDER, &meta, &writer, err));
    enum status status = write_tenants(model, writer, err);
    if (status != STATUS_OK) {
        block_writer_abort(writer);
        return status;
    }
    char path[DISK_PATH_MAX];
    TRY(block_writer_finish(writer, path, err));
    expect_str(str_from(path), MODEL_PATH);
    return STATUS_OK;
}

/* ---- comparing ---- */

bool model_matches(struct labels labels, const struct matcher *matchers, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (!matcher_matches(&matchers[i], labels_get(labels, matchers[i].name)))
            return false;
    }
    return true;
}

static enum status check_samples(const struct model_series *want, struct block *block,
                                 size_t tenant, uint32_t series, struct timeline_cache *timelines,
                                 struct error *err)
{
    const struct block_range all = {INT64_MIN, INT64_MAX, timelines};
    struct columns samples;
    columns_init(&samples);
    enum status status = block_read(block, tenant, series, &all, &samples, err);
    if (status == STATUS_OK) {
        assert_int_equal(samples.count, want->samples.count);
        assert_memory_equal(samples.ts_ms, want->samples.ts_ms,
                            samples.count * sizeof *samples.ts_ms);
        assert_memory_equal(samples.values, want->samples.values,
                            samples.count * sizeof *samples.values);
    }
    columns_deinit(&samples);
    return status;
}

static enum status check_series(const struct model_series *want, struct block *block, size_t tenant,
                                uint32_t series, struct arena *arena, struct error *err)
{
    struct labels labels;
    TRY(block_labels(block, tenant, series, arena, &labels, err));
    assert_true(labels_eq(labels, want->labels));
    return check_samples(want, block, tenant, series, NULL, err);
}

/* Reading many series through one cache gives the same. */
static enum status check_cached(const struct model_tenant *want, struct block *block, size_t tenant,
                                struct error *err)
{
    struct timeline_cache timelines;
    timeline_cache_init(&timelines);
    enum status status = STATUS_OK;
    for (uint32_t i = 0; i < want->count && status == STATUS_OK; i++)
        status = check_samples(&want->series[i], block, tenant, i, &timelines, err);
    timeline_cache_deinit(&timelines);
    return status;
}

static bool has_value(const struct model_tenant *tenant, struct str name, struct str value)
{
    for (size_t i = 0; i < tenant->count; i++) {
        if (str_eq(labels_get(tenant->series[i].labels, name), value))
            return true;
    }
    return false;
}

static size_t count_values(const struct model_tenant *tenant, struct str name)
{
    size_t count = 0;
    for (size_t i = 0; i < tenant->count; i++) {
        struct str value = labels_get(tenant->series[i].labels, name);
        bool is_new = value.len > 0;
        for (size_t j = 0; j < i && is_new; j++)
            is_new = !str_eq(labels_get(tenant->series[j].labels, name), value);
        count += is_new;
    }
    return count;
}

static void expect_sorted(struct str_list texts)
{
    for (size_t i = 1; i < texts.count; i++)
        assert_true(str_compare(texts.ptr[i - 1], texts.ptr[i]) < 0);
}

static enum status check_names(const struct model_tenant *want, struct block *block, size_t tenant,
                               struct arena *arena, struct error *err)
{
    struct str_list texts;
    size_t expected = 0;
    TRY(block_label_names(block, tenant, arena, &texts, err));
    expect_sorted(texts);
    for (size_t i = 0; i < NAMES; i++)
        expected += count_values(want, str_from(names[i])) > 0;
    assert_int_equal(texts.count, expected);
    for (size_t i = 0; i < NAMES; i++) {
        TRY(block_label_values(block, tenant, str_from(names[i]), arena, &texts, err));
        expect_sorted(texts);
        assert_int_equal(texts.count, count_values(want, str_from(names[i])));
        for (size_t j = 0; j < texts.count; j++)
            assert_true(has_value(want, str_from(names[i]), texts.ptr[j]));
    }
    TRY(block_label_values(block, tenant, STR("no such name"), arena, &texts, err));
    assert_int_equal(texts.count, 0);
    return STATUS_OK;
}

static enum status check_selection(const struct model_tenant *want, struct block *block,
                                   size_t tenant, struct arena *arena, struct error *err)
{
    struct matcher matcher;
    struct series_list found;
    size_t expected = 0;
    TRY(matcher_init(&matcher, MATCHER_EQ, STR("a"), STR("x1"), arena, err));
    struct matchers matchers = {&matcher, 1};
    enum status status = block_select(block, tenant, matchers, arena, &found, err);
    for (size_t i = 0; i < want->count && status == STATUS_OK; i++) {
        if (model_matches(want->series[i].labels, &matcher, 1)) {
            assert_true(expected < found.count);
            assert_int_equal(found.ptr[expected++], i);
        }
    }
    if (status == STATUS_OK)
        assert_int_equal(found.count, expected);
    matcher_deinit(&matcher);
    return status;
}

static enum status check_tenant(const struct model_tenant *want, struct block *block, size_t tenant,
                                struct arena *arena, struct error *err)
{
    struct str id = block_tenant(block, tenant);
    size_t series_count = block_series_count(block, tenant);
    bool is_id = str_eq(id, tenant_id_str(&want->id));
    TRY(block_confirm_directory(block, err));
    assert_true(is_id);
    assert_int_equal(series_count, want->count);
    for (uint32_t i = 0; i < want->count; i++)
        TRY(check_series(&want->series[i], block, tenant, i, arena, err));
    TRY(check_cached(want, block, tenant, err));
    TRY(check_names(want, block, tenant, arena, err));
    return check_selection(want, block, tenant, arena, err);
}

enum status block_model_check_tenant(const struct block_model *model, struct block *block,
                                     size_t tenant, struct error *err)
{
    struct arena arena;
    arena_init(&arena, SIZE_MAX);
    enum status status = check_tenant(&model->tenants[tenant], block, tenant, &arena, err);
    arena_deinit(&arena);
    return status;
}

static void expect_meta(const struct block_model *model, const struct block_meta *meta)
{
    uint64_t series = 0, samples = 0;
    int64_t min_ts_ms = INT64_MAX, max_ts_ms = INT64_MIN;
    for (size_t i = 0; i < model->count; i++) {
        series += model->tenants[i].count;
        for (size_t j = 0; j < model->tenants[i].count; j++) {
            const struct columns *columns = &model->tenants[i].series[j].samples;
            int64_t last = columns->ts_ms[columns->count - 1];
            samples += columns->count;
            min_ts_ms = columns->ts_ms[0] < min_ts_ms ? columns->ts_ms[0] : min_ts_ms;
            max_ts_ms = last > max_ts_ms ? last : max_ts_ms;
        }
    }
    assert_int_equal(meta->shard, 3);
    assert_int_equal(meta->sequence, 12);
    assert_int_equal(meta->level, 1);
    assert_int_equal(meta->covered_epoch, 7);
    assert_int_equal(meta->series_count, series);
    assert_int_equal(meta->sample_count, samples);
    assert_int_equal(meta->min_ts_ms, min_ts_ms);
    assert_int_equal(meta->max_ts_ms, max_ts_ms);
}

void block_model_expect(const struct block_model *model, struct block *block)
{
    struct error err;
    expect_meta(model, block_meta(block));
    assert_int_equal(block_tenant_count(block), model->count);
    for (size_t i = 0; i < model->count; i++) {
        size_t tenant;
        expect_ok(block_find_tenant(block, tenant_id_str(&model->tenants[i].id), &tenant, &err));
        assert_int_equal(tenant, i);
        expect_ok(block_model_check_tenant(model, block, i, &err));
    }
    expect_ok(block_verify(block, &err));
}
