#include "base/random.h"
#include "tests/compaction/compactor_rig.h"
#include "tsdb/model/tenant.h"

#define HOUR_MS INT64_C(3600000)

/* ---- words of this file ---- */

static void open_rig(struct rig *rig)
{
    rig_init(rig, 7);
    rig->rules = rig_rules_of_four();
    rig_open(rig);
}

static void put(struct rig *rig, const char *tenant, int64_t ts_ms, double value)
{
    box_put(&rig->box, tenant, "up", ts_ms, value);
}

static void settle(struct rig *rig)
{
    struct error err = {0};
    expect_ok(compactor_settle(rig->compactor, SETTLE_COMPACT, &err));
}

/* The levels of the blocks of the tenant's shard, lowest rank first; each is proved. */
static void expect_levels(struct rig *rig, const char *tenant, const char *want)
{
    struct error err = {0};
    struct block **blocks;
    size_t count;
    char got[64] = "";
    store_blocks(rig->box.store, box_shard_of(&rig->box, tenant), &rig->box.arena, &blocks, &count);
    assert_true(count < sizeof got);
    for (size_t i = 0; i < count; i++) {
        got[i] = (char)('0' + block_meta(blocks[i])->level);
        expect_ok(block_verify(blocks[i], &err));
        block_release(blocks[i]);
    }
    assert_string_equal(got, want);
}

/* Up to which epoch of the log the blocks of the tenant's shard say that they hold everything. */
static uint32_t covered_epoch(struct rig *rig, const char *tenant)
{
    struct block **blocks;
    size_t count;
    uint32_t covered = 0;
    store_blocks(rig->box.store, box_shard_of(&rig->box, tenant), &rig->box.arena, &blocks, &count);
    for (size_t i = 0; i < count; i++) {
        if (block_meta(blocks[i])->covered_epoch > covered)
            covered = block_meta(blocks[i])->covered_epoch;
        block_release(blocks[i]);
    }
    return covered;
}

static uint64_t count_of(struct rig *rig, size_t offset)
{
    const char *counters = (const char *)compactor_counters(rig->compactor);
    return counter_get((const struct counter *)(const void *)(counters + offset));
}
#define COUNT(rig, field) count_of(rig, offsetof(struct compactor_counters, field))

/* ---- merging ---- */

TEST(flushes_of_a_day_become_one_block_step_by_step)
{
    struct rig rig;
    open_rig(&rig);
    for (int i = 0; i < 4; i++) {
        compactor_step(rig.compactor); /* too few yet */
        put(&rig, "a", BOX_START_MS + i, i);
        expect_flush(&rig.box);
        expect_levels(&rig, "a", &"0000"[3 - i]);
    }
    uint32_t covered = covered_epoch(&rig, "a");
    compactor_step(rig.compactor);
    expect_levels(&rig, "a", "1");
    assert_int_equal(covered_epoch(&rig, "a"), covered);
    expect_series(&rig.box, "a",
                  "up 1700000000000:0 1700000000001:1 1700000000002:2 1700000000003:3\n");
    assert_int_equal(COUNT(&rig, merges), 1);
    assert_int_equal(COUNT(&rig, blocks_read), 4);
    assert_int_equal(COUNT(&rig, samples), 4);
    assert_true(COUNT(&rig, written_bytes) > 0);
    assert_int_equal(box_file_count(&rig.box, ".block"), 1);
    put(&rig, "a", BOX_START_MS + 4, 4);
    expect_flush(&rig.box);
    sim_clock_advance(&rig.box.clock, 4 * HOUR_MS); /* past midnight */
    compactor_step(rig.compactor);
    expect_levels(&rig, "a", "10"); /* somebody may be filling it */
    put(&rig, "a", BOX_START_MS + BOX_DAY_MS / 8, 5);
    expect_flush(&rig.box);
    compactor_step(rig.compactor);
    expect_levels(&rig, "a", "20");
    rig_reopen(&rig);
    expect_levels(&rig, "a", "20");
    expect_series(&rig.box, "a",
                  "up 1700000000000:0 1700000000001:1 1700000000002:2 1700000000003:3 "
                  "1700000000004:4 1700010800000:5\n");
    rig_close(&rig);
}

TEST(settling_flushes_and_leaves_one_block_a_day)
{
    struct rig rig;
    open_rig(&rig);
    for (int i = 0; i < 3; i++) {
        put(&rig, "a", BOX_START_MS - i * BOX_DAY_MS, i);
        put(&rig, "d", BOX_START_MS + i, i);
        expect_flush(&rig.box);
        put(&rig, "a", BOX_START_MS - i * BOX_DAY_MS + 1, i);
    }
    settle(&rig);
    assert_int_equal(box_file_count(&rig.box, ".block"), 3 + 1);
    assert_int_equal(box_file_count(&rig.box, ".tmp"), 0);
    expect_series(&rig.box, "a",
                  "up 1699827200000:2 1699827200001:2 1699913600000:1 1699913600001:1 "
                  "1700000000000:0 1700000000001:0\n");
    expect_series(&rig.box, "d", "up 1700000000000:0 1700000000001:1 1700000000002:2\n");
    uint64_t merges = COUNT(&rig, merges), flushes = COUNT(&rig, flushes);
    settle(&rig); /* at rest already */
    assert_int_equal(COUNT(&rig, flushes), flushes);
    assert_int_equal(COUNT(&rig, merges), merges);
    rig_close(&rig);
}

/* ---- which sample wins ---- */

/* The first run of a block begins behind its header. */
enum { FIRST_RUN_AT = 32 };

static void flip_runs(struct rig *rig)
{
    struct name_list files;
    sim_disk_files(rig->box.sim, &files);
    for (size_t i = 0; i < files.count; i++) {
        if (str_ends_with(str_from(files.names[i]), STR(".block")))
            sim_disk_flip(rig->box.sim, files.names[i], FIRST_RUN_AT, 0x80);
    }
    name_list_deinit(&files);
}

/* A write that contradicts a block is refused, unless that block cannot be read at the moment. */
static void put_contradiction(struct rig *rig, const char *tenant, int64_t ts_ms, double value)
{
    flip_runs(rig);
    put(rig, tenant, ts_ms, value);
    flip_runs(rig);
}

TEST(the_first_written_sample_wins_in_whatever_order_blocks_are_merged)
{
    struct rig rig;
    open_rig(&rig);
    for (int i = 0; i < 4; i++) { /* the second to the fifth flush repeat the time of the first */
        put_contradiction(&rig, "a", BOX_START_MS, i);
        put(&rig, "a", BOX_START_MS + 1 + i, i);
        expect_flush(&rig.box);
    }
    const char *want = "up 1700000000000:0 1700000000001:0 1700000000002:1 1700000000003:2 "
                       "1700000000004:3\n";
    expect_series(&rig.box, "a", want);
    rig_reopen(&rig);              /* which forgets that blocks could not be read */
    compactor_step(rig.compactor); /* the merged block is newer than none of its inputs */
    expect_levels(&rig, "a", "1");
    expect_series(&rig.box, "a", want);
    put_contradiction(&rig, "a", BOX_START_MS, 9);
    expect_flush(&rig.box);
    expect_series(&rig.box, "a", want);
    settle(&rig); /* the block that could not be read for a moment loses nothing */
    expect_series(&rig.box, "a", want);
    rig_close(&rig);
}

/* Writes, as a merge of everything in the shard would; replaces when told to. */
static struct block_writer *begin_copy(struct rig *rig, struct block *block)
{
    struct error err = {0};
    struct block_writer *writer;
    struct block_meta meta = *block_meta(block);
    meta.level++;
    expect_ok(store_new_block(rig->box.store, &meta, 1, &writer, &err));
    struct tenant_id id;
    struct labels labels;
    struct columns columns;
    expect_ok(tenant_id_parse(block_tenant(block, 0), &id, &err));
    expect_ok(block_writer_tenant(writer, &id, &err));
    expect_ok(block_labels(block, 0, 0, &rig->box.arena, &labels, &err));
    columns_init(&columns);
    expect_ok(block_read(block, 0, 0, &block_all_time, &columns, &err));
    expect_ok(block_writer_series(writer, labels, &columns, &err));
    columns_deinit(&columns);
    return writer;
}

TEST(blocks_flushed_before_and_during_a_merge_of_older_ones_stay_behind_it)
{
    struct rig rig;
    struct error err = {0};
    struct block **blocks;
    size_t count;
    uint64_t size_bytes;
    open_rig(&rig);
    for (int i = 1; i <= 2; i++) {
        put_contradiction(&rig, "a", BOX_START_MS, i);
        expect_flush(&rig.box);
    }
    store_blocks(rig.box.store, box_shard_of(&rig.box, "a"), &rig.box.arena, &blocks, &count);
    assert_int_equal(count, 2);
    struct block_writer *writer = begin_copy(&rig, blocks[0]); /* takes the next sequence */
    put_contradiction(&rig, "a", BOX_START_MS, 3);
    expect_flush(&rig.box);
    struct block_replacement replacement = {
        .blocks = blocks, .is_damaged = (bool[]){false}, .count = 1, .writer = writer};
    expect_ok(store_replace_blocks(rig.box.store, box_shard_of(&rig.box, "a"), &replacement,
                                   &size_bytes, &err));
    block_release(blocks[0]);
    block_release(blocks[1]);
    expect_levels(&rig, "a", "100");
    expect_series(&rig.box, "a", "up 1700000000000:1\n");
    rig_reopen(&rig);
    expect_series(&rig.box, "a", "up 1700000000000:1\n");
    rig_close(&rig);
}

TEST(a_merge_whose_input_was_dropped_meanwhile_changes_nothing)
{
    struct rig rig;
    struct error err = {0};
    struct block **blocks;
    size_t count;
    uint64_t size_bytes;
    open_rig(&rig);
    put(&rig, "a", BOX_START_MS, 1);
    expect_flush(&rig.box);
    uint32_t shard = box_shard_of(&rig.box, "a");
    store_blocks(rig.box.store, shard, &rig.box.arena, &blocks, &count);
    struct block_writer *writer = begin_copy(&rig, blocks[0]);
    expect_ok(store_drop_block(rig.box.store, shard, blocks[0], &err));
    expect_status(store_drop_block(rig.box.store, shard, blocks[0], &err), STATUS_NOT_FOUND);
    struct block_replacement replacement = {
        .blocks = blocks, .is_damaged = (bool[]){false}, .count = 1, .writer = writer};
    expect_status(store_replace_blocks(rig.box.store, shard, &replacement, &size_bytes, &err),
                  STATUS_NOT_FOUND);
    block_release(blocks[0]);
    expect_series(&rig.box, "a", "");
    assert_int_equal(box_file_count(&rig.box, ".block"), 0);
    rig_close(&rig);
}

/* ---- retention ---- */

TEST(expired_samples_leave_with_a_merge)
{
    struct rig rig;
    open_rig(&rig);
    for (int i = 0; i < 4; i++) {
        put(&rig, "a", BOX_START_MS - HOUR_MS + i, i);
        put(&rig, "a", BOX_START_MS + i, i);
        expect_flush(&rig.box);
    }
    /* an hour later the first of each have expired, the others not */
    sim_clock_advance(&rig.box.clock, BOX_RETENTION_MS - HOUR_MS / 2);
    settle(&rig);
    expect_levels(&rig, "a", "1");
    assert_int_equal(COUNT(&rig, samples), 4);
    rig_close(&rig);
}

/* ---- whatever is merged, answers stay ---- */

static void write_random(struct rig *rig, struct random *random)
{
    static const char *const tenants[] = {"a", "b", "d"};
    static const char *const names[] = {"cpu mode=idle", "cpu mode=user", "mem", "up job=x"};
    int64_t now_ms = clock_now_ms(&rig->box.clock.base);
    for (int i = 0; i < 20; i++) {
        struct error err = {0};
        struct write_result result;
        const struct box_sample sample = {.tenant = tenants[random_below(random, 3)],
                                          .series = names[random_below(random, 4)],
                                          .ts_ms = now_ms -
                                                   (int64_t)random_below(random, 3) * BOX_DAY_MS -
                                                   (int64_t)random_below(random, 500) * 1000,
                                          .value = (double)random_below(random, 1000)};
        expect_ok(box_write(&rig->box, &sample, 1, &result, &err));
    }
}

static struct str answers(struct rig *rig)
{
    struct error err = {0};
    struct str got;
    const struct box_query query = {.tenants = "*", .matchers = ""};
    expect_ok(box_select(&rig->box, &query, &got, &err));
    return got;
}

static void expect_same_answers(struct rig *rig, struct str want)
{
    struct str got = answers(rig);
    assert_true(str_eq(got, want));
}

static void run_random(uint64_t seed)
{
    enum { ROUNDS = 40 };
    struct rig rig;
    struct random random;
    random_init_seeded(&random, seed);
    open_rig(&rig);
    for (int round = 0; round < ROUNDS; round++) {
        write_random(&rig, &random);
        struct str want = answers(&rig);
        if (random_below(&random, 4) > 0)
            expect_flush(&rig.box);
        compactor_step(rig.compactor);
        expect_same_answers(&rig, want);
        if (random_below(&random, 10) == 0)
            rig_reopen(&rig);
        if (random_below(&random, 10) == 0)
            settle(&rig);
        expect_same_answers(&rig, want);
        sim_clock_advance(&rig.box.clock, (int64_t)random_below(&random, 3) * HOUR_MS);
    }
    assert_true(COUNT(&rig, failures) == 0);
    rig_close(&rig);
}

TEST(merging_never_changes_an_answer)
{
    enum { SEEDS = 10 };
    uint64_t seed = test_seed(1);
    for (uint64_t i = 0; i < SEEDS; i++)
        run_random(seed + i);
}

/* ---- requests ---- */

struct wish {
    struct settle_request base;
    int answers;
    enum status status;
};

static void note_answer(struct settle_request *request, enum status status, const struct error *err)
{
    struct wish *wish = (struct wish *)request;
    (void)err;
    wish->answers++;
    wish->status = status;
}

TEST(a_stopped_compactor_answers_at_once)
{
    struct rig rig;
    open_rig(&rig);
    compactor_stop(rig.compactor);
    struct wish wish = {.base = {.kind = SETTLE_FLUSH, .done = note_answer}};
    compactor_request(rig.compactor, &wish.base);
    assert_int_equal(wish.answers, 1);
    assert_int_equal(wish.status, STATUS_CANCELLED);
    rig_close(&rig);
}

TEST_MAIN(RUN(flushes_of_a_day_become_one_block_step_by_step),
          RUN(settling_flushes_and_leaves_one_block_a_day),
          RUN(the_first_written_sample_wins_in_whatever_order_blocks_are_merged),
          RUN(blocks_flushed_before_and_during_a_merge_of_older_ones_stay_behind_it),
          RUN(a_merge_whose_input_was_dropped_meanwhile_changes_nothing),
          RUN(expired_samples_leave_with_a_merge), RUN(merging_never_changes_an_answer),
          RUN(a_stopped_compactor_answers_at_once))
