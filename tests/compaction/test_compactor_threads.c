#include "tests/support/store_box.h"

#include <stdio.h>

#include "compaction/compactor.h"

#define HOUR_MS INT64_C(3600000)

enum { ROUNDS = 60, READERS = 2 };

/* A store that is written, flushed and merged while others read it. */
struct fray {
    struct store_box box;
    struct compactor *compactor;
    struct counter acknowledged; /* samples 0 to this, one a second */
    struct flag is_over;
};

/* ---- readers ---- */

static void expect_all(struct fray *fray)
{
    struct error err = {0};
    struct arena arena;
    struct selection *selection;
    struct columns got;
    uint64_t want = counter_get(&fray->acknowledged);
    arena_init(&arena, SIZE_MAX);
    columns_init(&got);
    struct scope scope = box_scope(&arena, "a");
    const struct select_options options = {
        .scope = &scope, .min_ts_ms = INT64_MIN, .max_ts_ms = INT64_MAX};
    expect_ok(select_open(fray->box.store, &options, &selection, &err));
    if (select_count(selection) > 0)
        expect_ok(select_read(selection, 0, INT64_MIN, INT64_MAX, &got, &err));
    assert_true(got.count >= want);
    for (size_t i = 0; i < got.count; i++) {
        assert_true(got.ts_ms[i] == BOX_START_MS + (int64_t)i * 1000);
        assert_true(got.values[i] == (double)i);
    }
    select_close(selection);
    columns_deinit(&got);
    arena_deinit(&arena);
}

static void run_reader(void *context)
{
    struct fray *fray = context;
    while (!flag_is_set(&fray->is_over))
        expect_all(fray);
}

/* ---- the one who waits for rest ---- */

struct wish {
    struct settle_request base;
    struct mutex lock;
    struct cond is_answered;
    bool is_done; /* guarded by lock */
    enum status status;
};

static void note_answer(struct settle_request *request, enum status status, const struct error *err)
{
    struct wish *wish = (struct wish *)request;
    (void)err;
    mutex_lock(&wish->lock);
    wish->is_done = true;
    wish->status = status;
    cond_signal(&wish->is_answered);
    mutex_unlock(&wish->lock);
}

static enum status ask(struct fray *fray, enum settle_kind kind)
{
    struct wish wish = {.base = {.kind = kind, .done = note_answer}};
    mutex_init(&wish.lock);
    cond_init(&wish.is_answered);
    compactor_request(fray->compactor, &wish.base);
    mutex_lock(&wish.lock);
    while (!wish.is_done)
        cond_wait(&wish.is_answered, &wish.lock);
    mutex_unlock(&wish.lock);
    cond_deinit(&wish.is_answered);
    mutex_deinit(&wish.lock);
    return wish.status;
}

/* ---- the fray ---- */

static void write_round(struct fray *fray, uint64_t number)
{
    box_put(&fray->box, "a", "up", BOX_START_MS + (int64_t)number * 1000, (double)number);
    counter_set(&fray->acknowledged, number + 1);
}

TEST(readers_always_see_every_sample_once_while_blocks_are_merged)
{
    struct fray fray = {0};
    struct error err = {0};
    struct thread readers[READERS] = {0};
    store_box_init(&fray.box, 7);
    expect_ok(store_box_open(&fray.box, &err));
    struct compactor_options options = {.store = fray.box.store,
                                        .rules = {.fan_in = 4, .finish_after_ms = HOUR_MS},
                                        .cpu_share_percent = 20};
    fray.compactor = compactor_open(&options);
    for (size_t i = 0; i < READERS; i++)
        thread_start(&readers[i], "reader", run_reader, &fray);
    for (uint64_t round = 0; round < ROUNDS; round++) {
        write_round(&fray, round);
        assert_int_equal(ask(&fray, round % 4 == 3 ? SETTLE_COMPACT : SETTLE_FLUSH), STATUS_OK);
    }
    flag_set(&fray.is_over);
    for (size_t i = 0; i < READERS; i++)
        thread_join(&readers[i]);
    assert_int_equal(ask(&fray, SETTLE_COMPACT), STATUS_OK);
    expect_all(&fray);
    struct shard_status status;
    uint64_t block_count = 0;
    for (uint32_t shard = 0; shard < store_shard_count(fray.box.store); shard++) {
        store_shard_status(fray.box.store, shard, &status);
        block_count += status.block_count;
    }
    assert_int_equal(block_count, 1);
    compactor_close(fray.compactor);
    store_box_deinit(&fray.box);
}

/* Twenty series, as many samples each. */
static void flush_much(struct store_box *box, int64_t begin_ms)
{
    enum { SERIES = 20, SAMPLES = 4000 };
    static struct box_sample samples[SAMPLES];
    struct error err = {0};
    for (int n = 0; n < SERIES; n++) {
        struct write_result result = {0};
        char series[32];
        snprintf(series, sizeof series, "up n=%d", n);
        for (int i = 0; i < SAMPLES; i++)
            samples[i] = (struct box_sample){"a", series, begin_ms + i, i / 7.0 * n};
        expect_ok(box_write(box, samples, SAMPLES, &result, &err));
        assert_int_equal(result.samples_written, SAMPLES);
    }
    expect_ok(box_flush(box, &err));
}

/* But for the first slice, and the end of a merge, after which nobody rests: half of
   the rest will do. */
TEST(merging_takes_its_share_of_a_processor_and_no_more)
{
    enum { SHARE_PERCENT = 5, SLICES_MS = 2 * 10 };
    struct store_box box;
    struct error err = {0};
    store_box_init(&box, 7);
    expect_ok(store_box_open(&box, &err));
    for (int i = 0; i < 4; i++)
        flush_much(&box, BOX_START_MS + i * 4000);
    const struct compactor_options options = {.store = box.store,
                                              .rules = {.fan_in = 4, .finish_after_ms = HOUR_MS},
                                              .cpu_share_percent = SHARE_PERCENT};
    struct compactor *compactor = compactor_new(&options);
    int64_t begin_ms = clock_monotonic_ms(clock_real());
    compactor_step(compactor);
    int64_t took_ms = clock_monotonic_ms(clock_real()) - begin_ms;
    const struct compactor_counters *counters = compactor_counters(compactor);
    int64_t worked_ms = (int64_t)(counter_get(&counters->cpu_ns) / 1000000);
    assert_int_equal(counter_get(&counters->merges), 1);
    assert_true(took_ms >= (worked_ms - SLICES_MS) * 100 / SHARE_PERCENT / 2);
    compactor_close(compactor);
    store_box_deinit(&box);
}

TEST(stopping_answers_everybody_who_waits)
{
    struct fray fray = {0};
    struct error err = {0};
    store_box_init(&fray.box, 7);
    expect_ok(store_box_open(&fray.box, &err));
    struct compactor_options options = {
        .store = fray.box.store, .rules = merge_rules_default(), .cpu_share_percent = 20};
    fray.compactor = compactor_open(&options);
    compactor_stop(fray.compactor);
    enum status status = ask(&fray, SETTLE_COMPACT);
    assert_true(status == STATUS_OK || status == STATUS_CANCELLED);
    compactor_close(fray.compactor);
    store_box_deinit(&fray.box);
}

TEST_MAIN(RUN(readers_always_see_every_sample_once_while_blocks_are_merged),
          RUN(merging_takes_its_share_of_a_processor_and_no_more),
          RUN(stopping_answers_everybody_who_waits))
