/*
 * Samples that come when a flush has moved those of their time to a block: a repetition is fine and
 * stores nothing, another value is refused, what is new is taken.
 */
#include "tests/support/store_box.h"

#include <stdio.h>

#include "base/check.h"

enum { BOX_SEED = 12, STEP_MS = 15000, RUN_SAMPLES = 600 };

/* Idle series without samples leave the head when the next flush ends, which has
   something to do. */
static void forget_series(struct store_box *box)
{
    box_make_idle(box);
    box_put(box, "a", "other", clock_now_ms(&box->clock.base), 0);
    expect_flush(box);
    box_make_idle(box);
}

static uint64_t head_samples(struct store_box *box)
{
    uint64_t count = 0;
    for (uint32_t i = 0; i < store_shard_count(box->store); i++) {
        struct shard_status status;
        store_shard_status(box->store, i, &status);
        count += status.head_samples;
    }
    return count;
}

static void expect_taken(struct store_box *box, int64_t ts_ms, double value)
{
    uint64_t before = head_samples(box);
    const struct box_sample sample = {"a", "up job=x", ts_ms, value};
    struct write_result result = expect_write(box, &sample, 1);
    assert_int_equal(result.samples_written, 1);
    assert_int_equal(head_samples(box), before + 1);
}

/* Written already, so nothing is stored for it; and with another value it is refused. */
static void expect_known(struct store_box *box, int64_t ts_ms, double value)
{
    uint64_t before = head_samples(box);
    struct box_sample sample = {"a", "up job=x", ts_ms, value};
    struct write_result result = expect_write(box, &sample, 1);
    assert_int_equal(result.samples_written, 1);
    sample.value = value + 1;
    result = expect_write(box, &sample, 1);
    assert_int_equal(result.samples_written, 0);
    assert_int_equal(result.samples_refused[REFUSAL_DUPLICATE_TIMESTAMP], 1);
    assert_true(str_starts_with(str_from(result.first[REFUSAL_DUPLICATE_TIMESTAMP].text),
                                STR("duplicate sample for timestamp with another value: got "
                                    "timestamp ")));
    assert_int_equal(head_samples(box), before);
}

TEST(what_a_block_holds_is_known_in_every_state_of_the_head)
{
    struct store_box box;
    store_box_start(&box, BOX_SEED);
    box_put(&box, "a", "up job=x", BOX_START_MS, 1);
    expect_flush(&box);
    expect_known(&box, BOX_START_MS, 1); /* the series is in the head, without samples */
    forget_series(&box);
    expect_known(&box, BOX_START_MS, 1); /* it is not */
    struct tenant *tenant = tenant_table_find(store_tenants(box.store), STR("a"));
    assert_int_equal(counter_get(&tenant->active_series), 0); /* nothing was made for it */
    store_box_restart(&box);
    expect_known(&box, BOX_START_MS, 1);
    expect_taken(&box, BOX_START_MS + 1, 2);
    expect_known(&box, BOX_START_MS, 1);
    expect_taken(&box, BOX_START_MS - 1, 3);
    expect_known(&box, BOX_START_MS - 1, 3);
    expect_flush(&box);
    expect_known(&box, BOX_START_MS - 1, 3);
    expect_series(&box, "a",
                  "other 1700001800000:0\n"
                  "up{job=\"x\"} 1699999999999:3 1700000000000:1 1700000000001:2\n");
    store_box_deinit(&box);
}

/* After a start the head's newest sample may be older than one in a block. */
TEST(a_replayed_late_sample_does_not_hide_what_blocks_hold)
{
    struct store_box box;
    store_box_start(&box, BOX_SEED);
    box_put(&box, "a", "up job=x", BOX_START_MS + 100, 1);
    box_put(&box, "a", "up job=x", BOX_START_MS + 200, 2);
    expect_flush(&box);
    expect_taken(&box, BOX_START_MS + 50, 3);
    store_box_restart(&box);
    expect_known(&box, BOX_START_MS + 100, 1);
    expect_taken(&box, BOX_START_MS + 150, 4);
    expect_known(&box, BOX_START_MS + 200, 2);
    expect_taken(&box, BOX_START_MS + 300, 5);
    expect_known(&box, BOX_START_MS + 200, 2);
    store_box_deinit(&box);
}

/* As many values as there are timestamps, over chunks and days, in any order and with gaps. */
TEST(a_request_of_many_late_samples_is_sorted_out_one_by_one)
{
    struct store_box box;
    struct error err = {0};
    struct write_result result;
    struct box_sample samples[RUN_SAMPLES];
    store_box_start(&box, BOX_SEED);
    for (int i = 0; i < RUN_SAMPLES; i++)
        samples[i] = (struct box_sample){
            "a", "up job=x", BOX_START_MS - (int64_t)(RUN_SAMPLES - i) * 40 * STEP_MS, i};
    expect_ok(box_write(&box, samples, RUN_SAMPLES, &result, &err));
    expect_flush(&box);
    forget_series(&box);
    uint64_t new_count = 0, conflicts = 0;
    for (int i = 0; i < RUN_SAMPLES; i++) {
        int k = (i * 7) % RUN_SAMPLES; /* 7 does not divide it: each once */
        samples[i] = (struct box_sample){
            "a", "up job=x", BOX_START_MS - (int64_t)(RUN_SAMPLES - k) * 40 * STEP_MS, k};
        if (k % 3 == 1)
            samples[i].value = -1;
        if (k % 3 == 2)
            samples[i].ts_ms++;
        conflicts += k % 3 == 1;
        new_count += k % 3 == 2;
    }
    expect_ok(box_write(&box, samples, RUN_SAMPLES, &result, &err));
    assert_int_equal(result.samples_refused[REFUSAL_DUPLICATE_TIMESTAMP], conflicts);
    assert_int_equal(result.samples_written, RUN_SAMPLES - conflicts);
    assert_int_equal(head_samples(&box), new_count);
    store_box_deinit(&box);
}

/* As a sender does that starts again: one sample of the series with each request. */
static void expect_past_is_known(bool is_in_head)
{
    enum { SAMPLES = 100, NEW_EVERY = 10 };
    struct store_box box;
    store_box_start(&box, BOX_SEED);
    for (int i = 0; i < SAMPLES; i++)
        box_put(&box, "a", "up job=x", BOX_START_MS - (int64_t)(SAMPLES - i) * STEP_MS, i * 0.1);
    expect_flush(&box);
    for (int round = 0; round < 2; round++) {
        if (!is_in_head)
            forget_series(&box);
        for (int i = 0; i < SAMPLES; i++) {
            int64_t ts_ms = BOX_START_MS - (int64_t)(SAMPLES - i) * STEP_MS;
            expect_known(&box, ts_ms, i * 0.1);
            if (i % NEW_EVERY == 0 && round == 0)
                expect_taken(&box, ts_ms + 1, -i);
            if (i % NEW_EVERY == 0)
                expect_known(&box, ts_ms + 1, -i);
        }
        expect_flush(&box);
    }
    store_box_deinit(&box);
}

TEST(a_past_that_is_sent_again_in_order_is_known_to_the_bit)
{
    expect_past_is_known(false);
    expect_past_is_known(true);
}

/* What was read ahead of blocks counts no longer than they do. */
static void put_and_read_ahead(struct store_box *box)
{
    store_box_start(box, BOX_SEED);
    for (int i = 0; i < 10; i++)
        box_put(box, "a", "up job=x", BOX_START_MS + i, i);
    box_put(box, "a", "up job=x", BOX_START_MS + STEP_MS, 10);
    expect_flush(box);
    expect_known(box, BOX_START_MS + 1, 1);
    expect_known(box, BOX_START_MS + 2, 2);
}

TEST(what_a_flush_has_added_is_known)
{
    struct store_box box;
    put_and_read_ahead(&box);
    expect_taken(&box, BOX_START_MS + 20, 20);
    expect_flush(&box);
    expect_known(&box, BOX_START_MS + 20, 20);
    store_box_deinit(&box);
}

TEST(what_a_dropped_block_held_is_not_known_any_more)
{
    struct store_box box;
    struct error err;
    put_and_read_ahead(&box);
    box_put(&box, "a", "other", BOX_START_MS, 0);
    box_put(&box, "a", "other", BOX_START_MS + STEP_MS, 0);
    expect_flush(&box);
    expect_known(&box, BOX_START_MS + 1, 1);
    struct arena arena;
    struct block **blocks;
    size_t count;
    struct tenant *tenant = tenant_table_find(store_tenants(box.store), STR("a"));
    arena_init(&arena, SIZE_MAX);
    store_blocks(box.store, tenant->shard, &arena, &blocks, &count);
    assert_int_equal(count, 2);
    expect_ok(store_drop_block(box.store, tenant->shard, blocks[0], &err));
    for (size_t i = 0; i < count; i++)
        block_release(blocks[i]);
    arena_deinit(&arena);
    expect_taken(&box, BOX_START_MS + 3, 33);
    store_box_deinit(&box);
}

TEST(what_was_deleted_is_not_known_any_more)
{
    struct store_box box;
    struct error err = {0};
    store_box_start(&box, BOX_SEED);
    for (int i = 0; i < 10; i++)
        box_put(&box, "a", "up job=x", BOX_START_MS + i, i);
    expect_flush(&box);
    expect_known(&box, BOX_START_MS + 1, 1);
    const struct box_query some = {"a", "__name__=up", BOX_START_MS + 3, BOX_START_MS + 5};
    expect_ok(box_delete(&box, &some, &err));
    expect_known(&box, BOX_START_MS + 2, 2);
    expect_taken(&box, BOX_START_MS + 4, 44);
    expect_known(&box, BOX_START_MS + 4, 44);
    expect_known(&box, BOX_START_MS + 6, 6);
    store_box_deinit(&box);
}

TEST(of_two_values_in_one_late_request_the_first_stays)
{
    struct store_box box;
    store_box_start(&box, BOX_SEED);
    box_put(&box, "a", "up job=x", BOX_START_MS - 1, 1);
    box_put(&box, "a", "up job=x", BOX_START_MS + 1, 1);
    expect_flush(&box);
    const struct box_sample samples[] = {{"a", "up job=x", BOX_START_MS, 2},
                                         {"a", "up job=x", BOX_START_MS + 9, 3},
                                         {"a", "down job=x", BOX_START_MS, 4},
                                         {"a", "up job=x", BOX_START_MS, 5}};
    struct write_result result = expect_write(&box, samples, 4);
    assert_int_equal(result.samples_written, 3);
    assert_int_equal(result.samples_refused[REFUSAL_DUPLICATE_TIMESTAMP], 1);
    expect_series(&box, "a",
                  "down{job=\"x\"} 1700000000000:4\nup{job=\"x\"} 1699999999999:1 1700000000000:2 "
                  "1700000000001:1 1700000000009:3\n");
    store_box_deinit(&box);
}

TEST(a_repetition_is_not_too_late)
{
    struct store_box box;
    store_box_start(&box, BOX_SEED);
    box_put(&box, "a", "up job=x", BOX_START_MS, 1);
    box_put(&box, "a", "up job=x", BOX_START_MS + 100, 1);
    expect_flush(&box);
    struct tenant *tenant = tenant_table_find(store_tenants(box.store), STR("a"));
    counter_set(&tenant->limit_max[LIMIT_HARD][TENANT_LIMIT_OUT_OF_ORDER_WINDOW], 10);
    expect_known(&box, BOX_START_MS, 1);
    const struct box_sample late = {"a", "up job=x", BOX_START_MS + 1, 1};
    struct write_result result = expect_write(&box, &late, 1);
    assert_int_equal(result.samples_refused[REFUSAL_OUT_OF_ORDER], 1);
    store_box_deinit(&box);
}

/* ---- several writers of one series, while flushes run ---- */

enum { WRITERS = 4, TIMES = 300 };

struct rival {
    struct store_box *box;
    struct thread thread;
    int number;
    struct counter *taken; /* by time: how many of the rivals' values */
    struct flag *is_over;
};

static void write_rival(void *context)
{
    struct rival *rival = context;
    for (int i = 0; i < TIMES; i++) {
        struct error err;
        struct write_result result;
        /* downwards, so that all are late */
        const struct box_sample sample = {"a", "up", BOX_START_MS - i, rival->number};
        CHECK(box_write(rival->box, &sample, 1, &result, &err) == STATUS_OK);
        counter_add(&rival->taken[i], result.samples_written);
    }
}

static void flush_all_the_time(void *context)
{
    struct rival *rival = context;
    while (!flag_is_set(rival->is_over)) {
        struct error err;
        CHECK(box_flush(rival->box, &err) == STATUS_OK);
    }
}

TEST(of_rivals_for_one_timestamp_exactly_one_wins_while_flushes_run)
{
    struct store_box box;
    struct error err = {0};
    struct rival rivals[WRITERS];
    struct counter taken[TIMES] = {0};
    struct flag is_over = {0};
    store_box_init(&box, BOX_SEED);
    box.options.is_manual = false;
    expect_ok(store_box_open(&box, &err));
    for (int i = 0; i < WRITERS; i++) {
        rivals[i] = (struct rival){.box = &box, .number = i, .taken = taken, .is_over = &is_over};
        thread_start(&rivals[i].thread, "rival", write_rival, &rivals[i]);
    }
    struct thread flusher = {0};
    thread_start(&flusher, "flusher", flush_all_the_time, &rivals[0]);
    for (int i = 0; i < WRITERS; i++)
        thread_join(&rivals[i].thread);
    flag_set(&is_over);
    thread_join(&flusher);
    for (int i = 0; i < TIMES; i++)
        assert_int_equal(counter_get(&taken[i]), 1);
    store_box_deinit(&box);
}

/* New series, then, when a flush has begun a new epoch of the log, late samples of series that the
   log does not know: store_box compares what each write takes with store_write_memory_max. */
TEST(a_write_takes_no_more_memory_than_was_said)
{
    enum { SERIES = 500, SAMPLES = 20 };
    static struct box_sample samples[SERIES * SAMPLES];
    static char names[SERIES][100];
    struct store_box box;
    struct error err;
    store_box_init(&box, BOX_SEED);
    expect_ok(store_box_open(&box, &err));
    for (int i = 0; i < SERIES * SAMPLES; i++) {
        char *name = names[i / SAMPLES];
        snprintf(name, sizeof names[0], "a n=%03d b=1 c=1 d=1 e=1 f=1 g=1", i / SAMPLES);
        samples[i] = (struct box_sample){
            "a", name, BOX_START_MS - (SAMPLES - i % SAMPLES) * (int64_t)STEP_MS, 1};
    }
    assert_int_equal(expect_write(&box, samples, SERIES * SAMPLES).samples_written,
                     SERIES * SAMPLES);
    expect_flush(&box);
    for (int i = 0; i < SERIES * SAMPLES; i++)
        samples[i].ts_ms += i % 2;
    assert_int_equal(expect_write(&box, samples, SERIES * SAMPLES).samples_written,
                     SERIES * SAMPLES);
    store_box_deinit(&box);
}

TEST_MAIN(RUN(a_write_takes_no_more_memory_than_was_said),
          RUN(what_a_block_holds_is_known_in_every_state_of_the_head),
          RUN(a_replayed_late_sample_does_not_hide_what_blocks_hold),
          RUN(a_request_of_many_late_samples_is_sorted_out_one_by_one),
          RUN(a_past_that_is_sent_again_in_order_is_known_to_the_bit),
          RUN(what_a_flush_has_added_is_known),
          RUN(what_a_dropped_block_held_is_not_known_any_more),
          RUN(what_was_deleted_is_not_known_any_more),
          RUN(of_two_values_in_one_late_request_the_first_stays), RUN(a_repetition_is_not_too_late),
          RUN(of_rivals_for_one_timestamp_exactly_one_wins_while_flushes_run))
