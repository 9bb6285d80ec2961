#include "tests/support/test.h"

#include <stdio.h>

#include "base/sim_disk.h"
#include "compaction/merge.h"
#include "tsdb/block/block_index.h"

enum { TEXT_MAX = 4096 };

/* ---- blocks from text ---- */

/* A block of the tenants "a" and "b"; a series is the tenant, the name, and pairs of time and
 * value. */
struct test_series {
    const char *tenant;
    const char *name;
    struct sample samples[6];
    size_t count;
};

struct bench {
    struct sim_disk *sim;
    struct disk *disk;
    struct block *blocks[BLOCK_REPLACED_MAX];
    size_t count;
};

static void bench_init(struct bench *bench)
{
    struct error err;
    *bench = (struct bench){.sim = sim_disk_new(1)};
    bench->disk = sim_disk_disk(bench->sim);
    expect_ok(disk_make_dir(bench->disk, "blocks", &err));
}

static void bench_deinit(struct bench *bench)
{
    for (size_t i = 0; i < bench->count; i++)
        block_release(bench->blocks[i]);
    disk_close(bench->disk);
    sim_disk_free(bench->sim);
}

static struct block_writer *open_writer(struct bench *bench, uint64_t sequence, uint32_t level)
{
    struct error err;
    struct block_writer *writer;
    struct block_meta meta = {.shard = 1, .sequence = sequence, .rank = 1, .level = level};
    expect_ok(block_writer_open(bench->disk, "blocks", &meta, &writer, &err));
    return writer;
}

static struct block *finish(struct bench *bench, struct block_writer *writer)
{
    struct error err;
    char path[DISK_PATH_MAX];
    struct block *block;
    expect_ok(block_writer_finish(writer, path, &err));
    expect_ok(block_open(bench->disk, path, &block, &err));
    expect_ok(block_verify(block, &err));
    return block;
}

static void write_one(struct block_writer *writer, const struct test_series *series)
{
    struct error err;
    struct label label = {LABEL_METRIC_NAME, str_from(series->name)};
    struct columns columns;
    columns_init(&columns);
    for (size_t i = 0; i < series->count; i++)
        columns_append(&columns, series->samples[i].ts_ms, series->samples[i].value);
    expect_ok(block_writer_series(writer, (struct labels){&label, 1}, &columns, &err));
    columns_deinit(&columns);
}

/* Series sorted by tenant, then name. */
static void add_block(struct bench *bench, const struct test_series *series, size_t count)
{
    struct error err;
    struct block_writer *writer = open_writer(bench, bench->count + 1, 0);
    for (size_t i = 0; i < count; i++) {
        struct tenant_id id;
        expect_ok(tenant_id_parse(str_from(series[i].tenant), &id, &err));
        if (i == 0 || strcmp(series[i].tenant, series[i - 1].tenant) != 0)
            expect_ok(block_writer_tenant(writer, &id, &err));
        write_one(writer, &series[i]);
    }
    bench->blocks[bench->count++] = finish(bench, writer);
}

/* ---- and back ---- */

static size_t print_series(struct block *block, size_t tenant, uint32_t series, char *out)
{
    struct error err;
    struct arena arena;
    struct labels labels;
    struct columns columns;
    size_t len = 0;
    arena_init(&arena, SIZE_MAX);
    columns_init(&columns);
    expect_ok(block_labels(block, tenant, series, &arena, &labels, &err));
    expect_ok(block_read(block, tenant, series, &block_all_time, &columns, &err));
    len += (size_t)snprintf(out, TEXT_MAX / 8, "%.*s/%.*s", STR_ARG(block_tenant(block, tenant)),
                            STR_ARG(labels_get(labels, LABEL_METRIC_NAME)));
    for (size_t i = 0; i < columns.count; i++)
        len += (size_t)snprintf(out + len, TEXT_MAX / 8 - len, " %lld:%g",
                                (long long)columns.ts_ms[i], columns.values[i]);
    len += (size_t)snprintf(out + len, TEXT_MAX / 8 - len, "\n");
    columns_deinit(&columns);
    arena_deinit(&arena);
    return len;
}

static void expect_block(struct block *block, const char *want)
{
    char got[TEXT_MAX] = "";
    size_t len = 0;
    for (size_t tenant = 0; tenant < block_tenant_count(block); tenant++) {
        for (uint32_t i = 0; i < block_series_count(block, tenant); i++)
            len += print_series(block, tenant, i, got + len);
    }
    assert_string_equal(got, want);
}

static struct merge_options options_of(const struct bench *bench)
{
    return (struct merge_options){
        .blocks = bench->blocks, .count = bench->count, .min_ts_ms = INT64_MIN};
}

static void expect_merge(struct bench *bench, const struct merge_options *options,
                         struct merge_report *report, const char *want)
{
    struct error err;
    struct block_writer *writer = open_writer(bench, 100, 1);
    expect_ok(merge_blocks(options, writer, report, &err));
    struct block *block = finish(bench, writer);
    expect_block(block, want);
    block_release(block);
}

/* ---- cases ---- */

TEST(series_of_all_inputs_come_in_order_and_the_first_written_sample_wins)
{
    struct bench bench;
    struct merge_report report;
    bench_init(&bench);
    add_block(&bench,
              (struct test_series[]){{"a", "cpu", {{10, 1}, {20, 2}, {50, 5}}, 3},
                                     {"a", "up", {{10, 1}}, 1},
                                     {"c", "up", {{10, 9}}, 1}},
              3);
    add_block(&bench,
              (struct test_series[]){{"a", "cpu", {{5, 0.5}, {20, 99}, {30, 3}}, 3},
                                     {"a", "mem", {{40, 4}}, 1},
                                     {"b", "up", {{10, 7}}, 1}},
              3);
    add_block(&bench,
              (struct test_series[]){{"a", "cpu", {{20, 98}, {30, 97}, {60, 6}}, 3},
                                     {"c", "up", {{11, 8}}, 1}},
              2);
    struct merge_options options = options_of(&bench);
    expect_merge(&bench, &options, &report,
                 "a/cpu 5:0.5 10:1 20:2 30:3 50:5 60:6\n"
                 "a/mem 40:4\n"
                 "a/up 10:1\n"
                 "b/up 10:7\n"
                 "c/up 10:9 11:8\n");
    assert_int_equal(report.sample_count, 11);
    assert_int_equal(report.why.text[0], 0);
    bench_deinit(&bench);
}

static uint32_t timeline_count(struct block *block, size_t tenant)
{
    struct error err;
    const struct block_index *index;
    expect_ok(block_tenant_index(block, tenant, &index, &err));
    return index->timeline_count;
}

/* A flush between the series of a scrape leaves them with different timestamps in each block. */
TEST(series_of_one_scrape_share_their_timestamps_again_when_all_of_them_are_together)
{
    struct bench bench;
    struct merge_report report;
    struct error err;
    bench_init(&bench);
    add_block(&bench,
              (struct test_series[]){{"a", "cpu", {{10, 1}, {20, 2}}, 2},
                                     {"a", "mem", {{10, 1}, {20, 2}}, 2},
                                     {"a", "up", {{10, 1}}, 1}},
              3);
    add_block(&bench,
              (struct test_series[]){{"a", "cpu", {{30, 3}}, 1},
                                     {"a", "mem", {{30, 3}}, 1},
                                     {"a", "up", {{20, 2}, {30, 3}}, 2}},
              3);
    assert_int_equal(timeline_count(bench.blocks[0], 0), 2);
    assert_int_equal(timeline_count(bench.blocks[1], 0), 2);
    struct merge_options options = options_of(&bench);
    struct block_writer *writer = open_writer(&bench, 100, 1);
    expect_ok(merge_blocks(&options, writer, &report, &err));
    struct block *block = finish(&bench, writer);
    assert_int_equal(timeline_count(block, 0), 1);
    expect_block(block, "a/cpu 10:1 20:2 30:3\na/mem 10:1 20:2 30:3\na/up 10:1 20:2 30:3\n");
    block_release(block);
    bench_deinit(&bench);
}

TEST(what_has_expired_is_left_out_series_and_tenants_with_it)
{
    struct bench bench;
    struct merge_report report;
    bench_init(&bench);
    add_block(&bench,
              (struct test_series[]){{"a", "cpu", {{10, 1}, {20, 2}}, 2},
                                     {"a", "up", {{10, 1}, {19, 1}}, 2},
                                     {"b", "up", {{19, 1}}, 1}},
              3);
    struct merge_options options = options_of(&bench);
    options.min_ts_ms = 20;
    expect_merge(&bench, &options, &report, "a/cpu 20:2\n");
    options.min_ts_ms = 21;
    expect_merge(&bench, &options, &report, "");
    assert_int_equal(report.sample_count, 0);
    bench_deinit(&bench);
}

/* ---- damage ---- */

static const struct test_series damaged_series[] = {{"a", "cpu", {{10, 1}, {20, 2}}, 2},
                                                    {"a", "mem", {{10, 1}, {20, 2}}, 2},
                                                    {"a", "up", {{10, 3}}, 1},
                                                    {"b", "up", {{10, 4}}, 1}};

/* Two blocks; the byte at `offset` of the first is another. */
static void expect_damage(uint64_t offset, struct block_loss want_loss, const char *want)
{
    struct bench bench;
    struct merge_report report;
    struct error err;
    bench_init(&bench);
    add_block(&bench, damaged_series, 4);
    add_block(&bench, (struct test_series[]){{"a", "cpu", {{20, 9}, {30, 9}}, 2}}, 1);
    char path[DISK_PATH_MAX];
    snprintf(path, sizeof path, "%s", block_path(bench.blocks[0]));
    sim_disk_flip(bench.sim, path, offset, 0x40);
    block_release(bench.blocks[0]); /* an open block has looked at its index already */
    expect_ok(block_open(bench.disk, path, &bench.blocks[0], &err));
    struct block_loss loss;
    block_measure_loss(bench.blocks[0], &loss);
    assert_int_equal(loss.series, want_loss.series);
    assert_int_equal(loss.samples, want_loss.samples);
    struct merge_options options = options_of(&bench);
    expect_merge(&bench, &options, &report, want);
    assert_true(report.is_damaged[0]);
    assert_false(report.is_damaged[1]);
    assert_true(str_starts_with(str_from(report.why.text), str_from(path)));
    bench_deinit(&bench);
}

TEST(damage_costs_the_series_that_need_what_is_damaged)
{
    /* a timeline of 9 bytes, two runs of 7, then the timeline of a/up */
    expect_damage(32 + 3, (struct block_loss){2, 4}, "a/cpu 20:9 30:9\na/up 10:3\nb/up 10:4\n");
    expect_damage(32 + 9 + 3, (struct block_loss){1, 2},
                  "a/cpu 20:9 30:9\na/mem 10:1 20:2\na/up 10:3\nb/up 10:4\n");
    expect_damage(120, (struct block_loss){3, 5},
                  "a/cpu 20:9 30:9\nb/up 10:4\n"); /* in the index */
}

/* Prints what a merge gave; ends the bench. */
static uint64_t merge_and_print(struct bench *bench, struct merge_report *report, char *out)
{
    struct error err;
    struct merge_options options = options_of(bench);
    struct block_writer *writer = open_writer(bench, 100, 1);
    size_t len = 0;
    expect_ok(merge_blocks(&options, writer, report, &err));
    uint64_t looks = sim_disk_look_count(bench->sim);
    struct block *block = finish(bench, writer);
    out[0] = '\0';
    for (size_t tenant = 0; tenant < block_tenant_count(block); tenant++) {
        for (uint32_t i = 0; i < block_series_count(block, tenant); i++)
            len += print_series(block, tenant, i, out + len);
    }
    block_release(block);
    bench_deinit(bench);
    return looks;
}

/* A piece of the first of two blocks is lost at a look, counted from the begin of the merge. */
static uint64_t merge_lossy_block(struct sim_loss loss, struct merge_report *report, char *out)
{
    struct bench bench;
    bench_init(&bench);
    add_block(&bench, damaged_series, 4);
    add_block(&bench,
              (struct test_series[]){{"a", "cpu", {{20, 9}, {30, 9}}, 2}, {"c", "up", {{1, 1}}, 1}},
              2);
    uint64_t begin = sim_disk_look_count(bench.sim);
    loss.look += begin;
    sim_disk_lose_at(bench.sim, block_path(bench.blocks[0]), &loss);
    return merge_and_print(&bench, report, out) - begin;
}

/* Each line is one of the whole, or of what the other block has of it. */
static void expect_lines_of(const char *got, const char *whole, const char *rest)
{
    for (struct str left = str_from(got); left.len > 0;) {
        char line[TEXT_MAX];
        size_t end = str_find(left, '\n', 0);
        snprintf(line, sizeof line, "%.*s\n", (int)end, left.ptr);
        if (strstr(whole, line) == NULL && strstr(rest, line) == NULL)
            fail_msg("nobody wrote %s", line);
        left = str_slice(left, end + 1, left.len);
    }
}

TEST(bytes_that_are_lost_in_the_middle_of_a_merge_cost_what_needs_them_and_nothing_else)
{
    enum { BLOCK_BYTES = 700, LOST_BYTES = 40 };
    const char *whole = "a/cpu 10:1 20:2 30:9\na/mem 10:1 20:2\na/up 10:3\nb/up 10:4\nc/up 1:1\n";
    const char *rest = "a/cpu 20:9 30:9\nc/up 1:1\n";
    struct merge_report report;
    char got[TEXT_MAX];
    uint64_t looks = merge_lossy_block((struct sim_loss){0}, &report, got);
    assert_string_equal(got, whole);
    for (size_t offset = 0; offset < BLOCK_BYTES; offset += LOST_BYTES / 2) {
        for (uint64_t look = 0; look < looks; look++) {
            merge_lossy_block((struct sim_loss){look, offset, LOST_BYTES}, &report, got);
            expect_lines_of(got, whole, rest);
            assert_non_null(strstr(got, "c/up 1:1\n"));
            assert_true(report.is_damaged[0] || strcmp(got, whole) == 0);
            assert_false(report.is_damaged[1]);
        }
    }
}

/* ---- stopping ---- */

static bool count_down(void *context)
{
    int *left = context;
    return (*left)-- > 0;
}

TEST(a_merge_can_be_stopped)
{
    enum { SAMPLES = 20000 };
    struct bench bench;
    struct merge_report report;
    struct error err;
    struct tenant_id id = {.len = 1, .text = "a"};
    bench_init(&bench);
    struct block_writer *writer = open_writer(&bench, 1, 0);
    expect_ok(block_writer_tenant(writer, &id, &err));
    for (char name = 'a'; name < 'e'; name++) {
        char text[2] = {name, '\0'};
        struct label label = {LABEL_METRIC_NAME, str_from(text)};
        struct columns columns;
        columns_init(&columns);
        for (int64_t i = 0; i < SAMPLES; i++)
            columns_append(&columns, i, 1);
        expect_ok(block_writer_series(writer, (struct labels){&label, 1}, &columns, &err));
        columns_deinit(&columns);
    }
    bench.blocks[bench.count++] = finish(&bench, writer);
    int left = 2;
    struct merge_options options = options_of(&bench);
    options.goes_on = count_down;
    options.context = &left;
    writer = open_writer(&bench, 2, 1);
    expect_status(merge_blocks(&options, writer, &report, &err), STATUS_CANCELLED);
    block_writer_abort(writer);
    assert_int_equal(report.sample_count, 3 * SAMPLES);
    bench_deinit(&bench);
}

TEST(a_merge_that_wants_too_much_memory_is_not_made)
{
    enum { SERIES = 2000 };
    struct bench bench;
    struct error err;
    struct merge_report report;
    bench_init(&bench);
    struct block_writer *writer = open_writer(&bench, 1, 0);
    struct tenant_id id;
    expect_ok(tenant_id_parse(STR("a"), &id, &err));
    expect_ok(block_writer_tenant(writer, &id, &err));
    for (int i = 0; i < SERIES; i++) {
        char name[16];
        snprintf(name, sizeof name, "m%04d", i);
        write_one(writer, &(struct test_series){"a", name, {{10, 1}}, 1});
    }
    size_t index_bytes = block_writer_memory_bytes(writer);
    assert_true(index_bytes > SERIES * 48);
    bench.blocks[bench.count++] = finish(&bench, writer);
    struct merge_options options = options_of(&bench);
    options.memory_max_bytes = 2 * index_bytes - 1;
    writer = open_writer(&bench, 2, 1);
    expect_status(merge_blocks(&options, writer, &report, &err), STATUS_UNAVAILABLE);
    block_writer_abort(writer);
    options.memory_max_bytes = 2 * index_bytes;
    writer = open_writer(&bench, 3, 1);
    expect_ok(merge_blocks(&options, writer, &report, &err));
    assert_int_equal(report.sample_count, SERIES);
    block_release(finish(&bench, writer));
    bench_deinit(&bench);
}

TEST_MAIN(RUN(series_of_all_inputs_come_in_order_and_the_first_written_sample_wins),
          RUN(series_of_one_scrape_share_their_timestamps_again_when_all_of_them_are_together),
          RUN(what_has_expired_is_left_out_series_and_tenants_with_it),
          RUN(damage_costs_the_series_that_need_what_is_damaged),
          RUN(bytes_that_are_lost_in_the_middle_of_a_merge_cost_what_needs_them_and_nothing_else),
          RUN(a_merge_can_be_stopped), RUN(a_merge_that_wants_too_much_memory_is_not_made))
