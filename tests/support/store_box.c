#include "tests/support/store_box.h"

#include <stdlib.h>

#include "base/check.h"
#include "base/log.h"
#include "tsdb/store/verify.h"

enum { WORDS_MAX = 16, TENANTS_MAX = 1000, BOX_SHARDS = 2 };

/* ---- open and close ---- */

void store_box_init(struct store_box *box, uint64_t seed)
{
    log_set_level(LOG_NOTHING); /* failures by the thousand are made on purpose */
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

/* ---- texts ---- */

/* Splits at spaces; the words point into `text`. */
static size_t split(const char *text, char separator, struct str *words)
{
    struct str left = str_from(text);
    size_t count = 0;
    while (left.len > 0) {
        size_t end = str_find(left, separator, 0);
        CHECK(count < WORDS_MAX);
        if (end > 0)
            words[count++] = str_slice(left, 0, end);
        left = str_slice(left, end + 1, SIZE_MAX);
    }
    return count;
}

struct labels box_labels(struct arena *arena, const char *series)
{
    struct str words[WORDS_MAX];
    size_t count = split(series, ' ', words);
    struct label *labels = arena_alloc(arena, WORDS_MAX * sizeof *labels);
    for (size_t i = 0; i < count; i++) {
        size_t at = str_find(words[i], '=', 0);
        bool is_metric = at == words[i].len;
        labels[i] = (struct label){is_metric ? LABEL_METRIC_NAME : str_slice(words[i], 0, at),
                                   is_metric ? words[i] : str_slice(words[i], at + 1, SIZE_MAX)};
    }
    return (struct labels){labels, count};
}

static int compare_ids(const void *left, const void *right)
{
    return str_compare(tenant_id_str(left), tenant_id_str(right));
}

struct scope box_scope(struct arena *arena, const char *tenants)
{
    if (strcmp(tenants, "*") == 0)
        return (struct scope){.is_all = true};
    struct error err;
    struct str words[WORDS_MAX];
    size_t count = split(tenants, '|', words);
    struct tenant_id *ids = arena_alloc(arena, WORDS_MAX * sizeof *ids);
    for (size_t i = 0; i < count; i++)
        expect_ok(tenant_id_parse(words[i], &ids[i], &err));
    qsort(ids, count, sizeof *ids, compare_ids);
    return (struct scope){.tenants = ids, .tenant_count = count};
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
    enum status status = store_write(box->store, series, series_count, &write->arena,
                                     &write->result, &write->commit, err);
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

/* ---- reading ---- */

static void make_matcher(struct matcher *matcher, struct str word, struct arena *arena)
{
    struct error err;
    size_t at = 0;
    while (at < word.len && word.ptr[at] != '=' && word.ptr[at] != '!')
        at++;
    CHECK(at + 1 <= word.len);
    bool is_negative = word.ptr[at] == '!';
    bool is_regex = at + 1 < word.len && word.ptr[at + 1] == '~';
    enum matcher_op op = is_regex ? (is_negative ? MATCHER_NRE : MATCHER_RE)
                                  : (is_negative ? MATCHER_NE : MATCHER_EQ);
    size_t value = at + (op == MATCHER_EQ ? 1 : 2);
    expect_ok(matcher_init(matcher, op, str_slice(word, 0, at), str_slice(word, value, SIZE_MAX),
                           arena, &err));
}

/* A query made ready. */
struct asked {
    struct scope scope;
    struct matcher matchers[WORDS_MAX];
    struct select_options options;
};

static void ask(struct store_box *box, struct asked *asked, const struct box_query *query)
{
    struct str words[WORDS_MAX];
    bool is_all_time = query->min_ts_ms == 0 && query->max_ts_ms == 0;
    asked->scope = box_scope(&box->arena, query->tenants);
    size_t count = query->matchers == NULL ? 0 : split(query->matchers, ' ', words);
    for (size_t i = 0; i < count; i++)
        make_matcher(&asked->matchers[i], words[i], &box->arena);
    asked->options =
        (struct select_options){.scope = &asked->scope,
                                .matchers = asked->matchers,
                                .matcher_count = count,
                                .min_ts_ms = is_all_time ? INT64_MIN : query->min_ts_ms,
                                .max_ts_ms = is_all_time ? INT64_MAX : query->max_ts_ms};
}

static void end_asking(struct asked *asked)
{
    for (size_t i = 0; i < asked->options.matcher_count; i++)
        matcher_deinit(&asked->matchers[i]);
}

static enum status print_series(struct buffer *out, struct selection *selection, size_t index,
                                const struct select_options *options, struct error *err)
{
    struct columns samples;
    columns_init(&samples);
    labels_print(out, select_labels(selection, index), SIZE_MAX);
    enum status status =
        select_read(selection, index, options->min_ts_ms, options->max_ts_ms, &samples, err);
    for (size_t i = 0; i < samples.count; i++)
        buffer_append_format(out, " %lld:%.17g", (long long)samples.ts_ms[i], samples.values[i]);
    buffer_append_byte(out, '\n');
    columns_deinit(&samples);
    return status;
}

static enum status print_selection(struct store_box *box, const struct select_options *options,
                                   struct buffer *out, struct error *err)
{
    struct selection *selection;
    TRY(select_open(box->store, options, &selection, err));
    enum status status = STATUS_OK;
    for (size_t i = 0; i < select_count(selection) && status == STATUS_OK; i++)
        status = print_series(out, selection, i, options, err);
    select_close(selection);
    return status;
}

enum status box_select(struct store_box *box, const struct box_query *query, struct str *out,
                       struct error *err)
{
    struct asked asked;
    struct buffer text;
    ask(box, &asked, query);
    buffer_init(&text, SIZE_MAX);
    enum status status = print_selection(box, &asked.options, &text, err);
    *out = arena_copy(&box->arena, buffer_str(&text));
    buffer_deinit(&text);
    end_asking(&asked);
    return status;
}

void expect_series_(struct store_box *box, const char *tenants, const char *want, const char *file,
                    int line)
{
    struct error err = {0};
    struct str got;
    const struct box_query query = {.tenants = tenants};
    expect_status_(box_select(box, &query, &got, &err), STATUS_OK, &err, "select", file, line);
    expect_str_(got, want, tenants, file, line);
}

enum status box_label_list(struct store_box *box, const struct box_query *query, const char *name,
                           struct str *out, struct error *err)
{
    struct asked asked;
    struct str_list list = {0};
    struct buffer text;
    ask(box, &asked, query);
    buffer_init(&text, SIZE_MAX);
    enum status status =
        name == NULL ? select_label_names(box->store, &asked.options, &box->arena, &list, err)
                     : select_label_values(box->store, &asked.options, str_from(name), &box->arena,
                                           &list, err);
    for (size_t i = 0; i < list.count; i++)
        buffer_append_format(&text, "%s%.*s", i == 0 ? "" : " ", STR_ARG(list.ptr[i]));
    *out = arena_copy(&box->arena, buffer_str(&text));
    buffer_deinit(&text);
    end_asking(&asked);
    return status;
}

/* ---- deleting and proving ---- */

enum status box_delete(struct store_box *box, const struct box_query *query, struct error *err)
{
    struct asked asked;
    ask(box, &asked, query);
    const struct delete_request request = {.scope = &asked.scope,
                                           .matchers = asked.options.matchers,
                                           .matcher_count = asked.options.matcher_count,
                                           .min_ts_ms = asked.options.min_ts_ms,
                                           .max_ts_ms = asked.options.max_ts_ms};
    enum status status = store_delete(box->store, &request, err);
    end_asking(&asked);
    return status;
}
