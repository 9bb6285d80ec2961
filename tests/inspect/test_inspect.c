#include "inspect/inspect.h"

#include <stdlib.h>

#include "base/mem.h"
#include "tests/support/store_box.h"

enum { GOLDEN_MAX_BYTES = 64 << 10 };

/* What is printed while `print` runs; freed with the box. */
struct capture {
    FILE *out;
    char *text;
    size_t len;
};

static void begin_capture(struct capture *capture)
{
    capture->out = open_memstream(&capture->text, &capture->len);
    assert_non_null(capture->out);
}

static struct str end_capture(struct capture *capture, struct store_box *box)
{
    fclose(capture->out);
    struct str kept = arena_copy(&box->arena, (struct str){capture->text, capture->len});
    mem_free(capture->text);
    return kept;
}

static struct str print(struct store_box *box, const char *topic, const char *tenant,
                        uint64_t *wrong)
{
    struct error err;
    struct capture capture;
    begin_capture(&capture);
    struct disk *disk = sim_disk_disk(box->sim);
    uint64_t operations = sim_disk_operation_count(box->sim);
    const struct inspection inspection = {
        .disk = disk, .out = capture.out, .tenant = str_from(tenant)};
    expect_ok(inspect_print(&inspection, str_from(topic), wrong, &err));
    assert_int_equal(sim_disk_operation_count(box->sim), operations);
    disk_close(disk);
    return end_capture(&capture, box);
}

/* With CROFT_TEST_UPDATE set the file is written instead: after a change of a format. */
static void expect_golden(struct str got, const char *name)
{
    char path[128], want[GOLDEN_MAX_BYTES];
    snprintf(path, sizeof path, "tests/inspect/golden/%s.txt", name);
    bool is_update = getenv("CROFT_TEST_UPDATE") != NULL;
    FILE *file = fopen(path, is_update ? "w" : "r");
    assert_non_null(file);
    if (is_update)
        fwrite(got.ptr, 1, got.len, file);
    size_t len = is_update ? 0 : fread(want, 1, sizeof want - 1, file);
    fclose(file);
    want[len] = '\0';
    if (!is_update)
        expect_str(got, want);
}

/* A block with two tenants in one shard, and a log behind it. */
static void fill(struct store_box *box)
{
    struct error err;
    store_box_init(box, 1);
    box->options.shard_count = 1;
    expect_ok(store_box_open(box, &err));
    for (int i = 0; i < 4; i++) {
        box_put(box, "acme", "up job=a", BOX_START_MS + i * 15000, i);
        box_put(box, "acme", "up job=b", BOX_START_MS + i * 15000, 0.1);
    }
    box_put(box, "beta", "down job=a", BOX_START_MS, 1);
    expect_ok(box_flush(box, &err));
    box_put(box, "acme", "up job=a", BOX_START_MS + 60000, 4);
    box_put(box, "acme", "up job=a", BOX_START_MS + 75000, f64_from_bits(STALE_NAN_BITS));
    box_put(box, "beta", "down job=\"x\"", BOX_START_MS + 1, -0.0);
    /* a clean stop would leave one more segment, with nothing in it to see */
    store_box_crash(box, POWER_CUT_PROCESS_ONLY);
}

static void expect_topic(const char *topic, const char *tenant, const char *golden)
{
    struct store_box box;
    uint64_t wrong;
    fill(&box);
    expect_golden(print(&box, topic, tenant, &wrong), golden);
    assert_int_equal(wrong, 0);
    store_box_deinit(&box);
}

TEST(shows_an_overview)
{
    expect_topic("", "", "overview");
}

TEST(shows_the_log)
{
    expect_topic("log", "", "log");
    expect_topic("log", "beta", "log_of_beta");
}

TEST(shows_the_blocks)
{
    expect_topic("blocks", "", "blocks");
    expect_topic("blocks", "beta", "blocks_of_beta");
}

TEST(shows_the_index)
{
    expect_topic("index", "", "index");
    expect_topic("index", "acme", "index_of_acme");
}

TEST(shows_the_tenants)
{
    expect_topic("tenants", "", "tenants");
}

TEST(shows_the_sizes)
{
    expect_topic("sizes", "", "sizes");
}

static bool has(struct str text, const char *part)
{
    return memmem(text.ptr, text.len, part, strlen(part)) != NULL;
}

TEST(shows_damage_and_goes_on)
{
    const char *topics[] = {"blocks", "index", "tenants", "sizes"};
    struct store_box box;
    fill(&box);
    /* in the index of acme, which begins with how many symbols it has */
    struct disk *disk = sim_disk_disk(box.sim);
    struct block *block;
    struct error err;
    expect_ok(block_open(disk, "shard-0000/blocks/0000000000.block", &block, &err));
    uint64_t offset = block_tenant_section(block, 0).index_offset;
    block_release(block);
    disk_close(disk);
    box.is_damaged = true;
    sim_disk_flip(box.sim, "shard-0000/blocks/0000000000.block", offset, 1);
    for (size_t i = 0; i < sizeof topics / sizeof *topics; i++) {
        uint64_t wrong;
        struct str text = print(&box, topics[i], "", &wrong);
        assert_int_equal(wrong, 1);
        assert_true(has(text, "damaged: "));
        assert_true(has(text, "beta"));
    }
    store_box_deinit(&box);
}

TEST(refuses_what_is_not_there)
{
    struct store_box box;
    struct error err;
    uint64_t wrong;
    fill(&box);
    struct disk *disk = sim_disk_disk(box.sim);
    struct inspection inspection = {.disk = disk, .has_shard = true, .shard = 1};
    expect_status(inspect_print(&inspection, STR("log"), &wrong, &err), STATUS_INVALID);
    inspection.has_shard = false;
    expect_status(inspect_print(&inspection, STR("logs"), &wrong, &err), STATUS_INVALID);
    disk_close(disk);
    store_box_deinit(&box);
}

TEST(has_nothing_to_show_where_there_is_no_data_directory)
{
    struct store_box box;
    struct error err;
    uint64_t wrong;
    store_box_init(&box, 1);
    struct disk *disk = sim_disk_disk(box.sim);
    const struct inspection inspection = {.disk = disk};
    expect_status(inspect_print(&inspection, STR(""), &wrong, &err), STATUS_NOT_FOUND);
    expect_status(inspect_verify(disk, stdout, &wrong, &err), STATUS_NOT_FOUND);
    disk_close(disk);
    store_box_deinit(&box);
}

static struct str prove(struct store_box *box, uint64_t *wrong)
{
    struct error err;
    struct capture capture;
    begin_capture(&capture);
    struct disk *disk = sim_disk_disk(box->sim);
    expect_ok(inspect_verify(disk, capture.out, wrong, &err));
    disk_close(disk);
    return end_capture(&capture, box);
}

TEST(proves_files_and_lists_what_is_wrong)
{
    struct store_box box;
    uint64_t wrong;
    fill(&box);
    expect_str(prove(&box, &wrong),
               "1 shards: 1 blocks with 3 series and 9 samples, 1 log segments with 3 samples\n"
               "all is well\n");
    assert_int_equal(wrong, 0);
    box.is_damaged = true;
    sim_disk_flip(box.sim, "shard-0000/blocks/0000000000.block", 40, 1);
    struct str text = prove(&box, &wrong);
    assert_int_equal(wrong, 1);
    assert_true(str_starts_with(text, STR("shard-0000/blocks/0000000000.block: ")));
    assert_true(str_ends_with(text, STR("\n1 wrong\n")));
    store_box_deinit(&box);
}

TEST(proves_the_files_of_a_running_store)
{
    struct store_box box;
    struct error err;
    uint64_t wrong;
    fill(&box);
    expect_ok(store_box_open(&box, &err));
    for (int i = 0; i < 20; i++) {
        box_put(&box, "acme", "up job=a", BOX_START_MS + 100000 + i, i);
        if (i % 5 == 4)
            expect_ok(box_flush(&box, &err));
        prove(&box, &wrong);
        assert_int_equal(wrong, 0);
    }
    store_box_deinit(&box);
}

TEST_MAIN(RUN(shows_an_overview), RUN(shows_the_log), RUN(shows_the_blocks), RUN(shows_the_index),
          RUN(shows_the_tenants), RUN(shows_the_sizes), RUN(shows_damage_and_goes_on),
          RUN(refuses_what_is_not_there), RUN(has_nothing_to_show_where_there_is_no_data_directory),
          RUN(proves_files_and_lists_what_is_wrong), RUN(proves_the_files_of_a_running_store))
