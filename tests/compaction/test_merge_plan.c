#include "tests/support/test.h"

#include <stdio.h>

#include "base/random.h"
#include "compaction/merge_plan.h"

#define MINUTE_MS INT64_C(60000)
#define HOUR_MS   (60 * MINUTE_MS)
#define DAY_MS    (24 * HOUR_MS)
#define TODAY     INT64_C(19700)

enum { LIST_MAX = 512 };

/* ---- made-up lists ---- */

struct list {
    struct merge_candidate blocks[LIST_MAX];
    struct merge_view view;
    struct merge_rules rules;
};

static void list_init(struct list *list)
{
    *list = (struct list){.rules = {.fan_in = 4, .finish_after_ms = HOUR_MS, .stagger_ms = 0}};
    list->view = (struct merge_view){.blocks = list->blocks,
                                     .shard_count = 1,
                                     .now_ms = TODAY * DAY_MS + 12 * HOUR_MS,
                                     .retention_ms = 30 * DAY_MS};
}

static struct merge_candidate *add(struct list *list, int64_t day, uint32_t level,
                                   uint64_t size_bytes)
{
    assert_true(list->view.count < LIST_MAX);
    struct merge_candidate *block = &list->blocks[list->view.count++];
    *block = (struct merge_candidate){.meta = {.rank = list->view.count,
                                               .sequence = list->view.count,
                                               .level = level,
                                               .min_ts_ms = day * DAY_MS,
                                               .max_ts_ms = day * DAY_MS + DAY_MS - 1},
                                      .size_bytes = size_bytes};
    return block;
}

/* One block for each digit: its level. */
static void add_levels(struct list *list, int64_t day, const char *levels)
{
    for (; *levels != '\0'; levels++)
        add(list, day, (uint32_t)(*levels - '0'), 100);
}

/* The shard's newest block is one of today, so that nobody seems to fill another day. */
static void go_on(struct list *list)
{
    add(list, TODAY, 0, 100)->meta.sequence = LIST_MAX + 1;
}

/* `want`: the positions, as text. */
static void expect_plan(const struct list *list, const char *want)
{
    size_t positions[BLOCK_REPLACED_MAX];
    char got[512] = "";
    size_t len = 0;
    size_t count = merge_plan(&list->rules, &list->view, positions);
    for (size_t i = 0; i < count; i++)
        len += (size_t)snprintf(got + len, sizeof got - len, i == 0 ? "%zu" : " %zu", positions[i]);
    assert_string_equal(got, want);
}

static void expect_levels(int64_t day, const char *levels, const char *want)
{
    struct list list;
    list_init(&list);
    add_levels(&list, day, levels);
    if (day != TODAY)
        go_on(&list);
    expect_plan(&list, want);
}

TEST(during_the_day_neighbours_of_one_level_are_merged)
{
    expect_levels(TODAY, "", "");
    expect_levels(TODAY, "000", "");
    expect_levels(TODAY, "0000", "0 1 2 3");
    expect_levels(TODAY, "00000", "0 1 2 3 4");
    expect_levels(TODAY, "1110", "");
    expect_levels(TODAY, "11110000", "0 1 2 3");
    expect_levels(TODAY, "1110000", "3 4 5 6");
    expect_levels(TODAY, "2222", "");  /* the last level is for the end of the day */
    expect_levels(TODAY, "00100", ""); /* not neighbours */
}

TEST(a_day_that_is_over_becomes_one_block)
{
    expect_levels(TODAY - 1, "2110", "0 1 2 3");
    expect_levels(TODAY - 1, "00", "0 1");
    expect_levels(TODAY - 1, "0", "");
    expect_levels(TODAY - 1, "3", "");
    expect_levels(TODAY - 1, "2222", "0 1 2 3");
    expect_levels(TODAY - 1, "33", "");
}

TEST(a_day_is_finished_some_time_after_midnight_shard_by_shard)
{
    struct list list;
    list_init(&list);
    add_levels(&list, TODAY - 1, "10");
    go_on(&list);
    list.rules.stagger_ms = HOUR_MS;
    list.view.shard = 1;
    list.view.shard_count = 2;
    list.view.now_ms = TODAY * DAY_MS + 90 * MINUTE_MS - 1;
    expect_plan(&list, "");
    list.view.now_ms += 1;
    expect_plan(&list, "0 1");
    list.view.shard = 0;
    list.view.now_ms = TODAY * DAY_MS + 60 * MINUTE_MS - 1;
    expect_plan(&list, "");
    list.view.now_ms += 1;
    expect_plan(&list, "0 1");
}

TEST(a_few_late_samples_do_not_make_a_day_be_written_again)
{
    struct list list;
    list_init(&list);
    add(&list, TODAY, 0, 100)->meta.sequence = 1000;
    add(&list, TODAY - 3, 2, 10000);
    for (int i = 0; i < 3; i++)
        add(&list, TODAY - 3, 0, 100);
    expect_plan(&list, "");
    add(&list, TODAY - 3, 0, 100); /* now they are many files */
    expect_plan(&list, "1 2 3 4 5");
    list.view.count = 3;
    list.blocks[2].size_bytes = 2500; /* or weigh something */
    expect_plan(&list, "1 2");
    list.blocks[1].meta.level = 3; /* but not a fourth time */
    expect_plan(&list, "");
}

TEST(a_past_day_that_somebody_fills_is_not_finished_before_it_is_quiet)
{
    struct list list;
    list_init(&list);
    add_levels(&list, TODAY - 5, "100");
    struct merge_candidate *newest = add(&list, TODAY, 0, 100);
    newest->meta.sequence = 3 + 127;
    expect_plan(&list, "");
    newest->meta.sequence = 3 + 128;
    expect_plan(&list, "0 1 2");
    newest->meta.sequence = 4;
    list.view.now_ms -= 4 * DAY_MS; /* yesterday is not waited for */
    expect_plan(&list, "0 1 2");
}

TEST(late_samples_of_a_day_written_three_times_are_merged_with_each_other)
{
    struct list list;
    list_init(&list);
    add(&list, TODAY - 3, 3, 10000);
    for (int i = 0; i < 3; i++)
        add(&list, TODAY - 3, 0, 100);
    expect_plan(&list, "");
    add(&list, TODAY - 3, 0, 100);
    expect_plan(&list, "1 2 3 4");
}

TEST(yesterday_is_not_finished_while_the_newest_block_fills_it)
{
    struct list list;
    list_init(&list);
    add_levels(&list, TODAY, "0");
    add(&list, TODAY - 1, 2, 9500);
    add(&list, TODAY - 1, 1, 9500);
    struct merge_candidate *newest = add(&list, TODAY - 1, 0, 200);
    expect_plan(&list, "");
    newest->size_bytes = 190; /* a few late samples are no reason to wait */
    expect_plan(&list, "1 2 3");
    newest->size_bytes = 200;
    newest->meta.level = 1; /* nor is what was merged */
    expect_plan(&list, "1 2 3");
    newest->meta.level = 0;
    go_on(&list);
    expect_plan(&list, "1 2 3");
}

TEST(days_are_not_mixed)
{
    struct list list;
    list_init(&list);
    for (int64_t day = TODAY; day > TODAY - 3; day--)
        add(&list, day, 0, 100);
    expect_plan(&list, "");
    add(&list, TODAY - 1, 0, 100);
    go_on(&list);
    expect_plan(&list, "1 3");
    list_init(&list);
    for (int i = 0; i < 4; i++) { /* other days in between do not matter */
        add(&list, TODAY, 0, 100);
        add(&list, TODAY - i - 1, 0, 100);
    }
    expect_plan(&list, "0 2 4 6");
}

TEST(a_block_of_several_days_is_left_alone_and_parts_its_neighbours)
{
    struct list list;
    list_init(&list);
    add_levels(&list, TODAY, "00");
    add(&list, TODAY, 0, 100)->meta.min_ts_ms -= 5 * DAY_MS;
    add_levels(&list, TODAY, "000");
    expect_plan(&list, "");
    add_levels(&list, TODAY, "0");
    expect_plan(&list, "3 4 5 6");
}

TEST(expired_blocks_are_not_merged)
{
    struct list list;
    list_init(&list);
    add_levels(&list, TODAY - 31, "0000");
    expect_plan(&list, "");
    list.view.retention_ms = 32 * DAY_MS;
    expect_plan(&list, "0 1 2 3");
}

TEST(a_day_that_is_held_waits_and_the_others_go_on)
{
    struct list list;
    list_init(&list);
    add_levels(&list, TODAY - 2, "000");
    add_levels(&list, TODAY - 1, "000");
    list.blocks[1].is_held = true;
    go_on(&list);
    expect_plan(&list, "3 4 5");
}

TEST(settling_makes_one_block_of_every_day_however_often_it_was_written)
{
    struct list list;
    list_init(&list);
    list.view.is_settling = true;
    add_levels(&list, TODAY, "70");
    expect_plan(&list, "0 1");
    list_init(&list);
    list.view.is_settling = true;
    add_levels(&list, TODAY, "0");
    add_levels(&list, TODAY - 9, "3");
    expect_plan(&list, "");
    for (int i = 0; i < 100; i++)
        add_levels(&list, TODAY, "0");
    size_t positions[BLOCK_REPLACED_MAX];
    assert_int_equal(merge_plan(&list.rules, &list.view, positions), BLOCK_REPLACED_MAX);
}

/* Eight blocks of two hours each. */
static void add_hours(struct list *list, int64_t day)
{
    for (int i = 0; i < 8; i++) {
        struct block_meta *meta = &add(list, day, 0, 100)->meta;
        meta->min_ts_ms = day * DAY_MS + i * 2 * HOUR_MS;
        meta->max_ts_ms = meta->min_ts_ms + 2 * HOUR_MS - 1;
    }
}

TEST(a_merged_block_spans_an_eighth_of_the_retention_at_most)
{
    for (int64_t day = TODAY - 1; day <= TODAY; day++) {
        struct list list;
        list_init(&list);
        add_hours(&list, day);
        list.view.retention_ms = 4 * DAY_MS;
        expect_plan(&list, "0 1 2 3 4 5");
        list.view.retention_ms = 3 * DAY_MS;
        expect_plan(&list, "0 1 2 3");
        list.view.retention_ms = 2 * DAY_MS; /* not four of them */
        expect_plan(&list, "");
        list.blocks[1].meta.level = 1;
        list.view.is_settling = true;
        expect_plan(&list, "0 1 2");
        list.view.retention_ms = 2 * DAY_MS - 8 * HOUR_MS;
        expect_plan(&list, "0 1");
        list.blocks[4].meta.min_ts_ms = list.blocks[0].meta.min_ts_ms; /* late samples */
        expect_plan(&list, "0 1");
        list.blocks[1].meta.max_ts_ms = list.blocks[4].meta.max_ts_ms;
        expect_plan(&list, "1 2 3 4"); /* within what one of them spans already */
    }
}

TEST(days_before_1970_are_days_too)
{
    assert_int_equal(merge_day_of(0), 0);
    assert_int_equal(merge_day_of(-1), -1);
    assert_int_equal(merge_day_of(-DAY_MS), -1);
    assert_int_equal(merge_day_of(-DAY_MS - 1), -2);
    assert_int_equal(merge_day_of(INT64_MAX), INT64_MAX / DAY_MS);
    assert_int_equal(merge_day_of(INT64_MIN), INT64_MIN / DAY_MS - 1);
}

/* ---- a simulated month ---- */

struct month {
    struct list list;
    uint64_t sequence; /* the last that was given out */
    uint64_t flushed_bytes;
    uint64_t written_bytes; /* by merges */
    size_t block_count_max;
    uint64_t bytes_left; /* expired ones taken off */
};

/* As the runner would: the inputs go, the result takes the place of the first. */
static void merge(struct month *month, const size_t *positions, size_t count)
{
    struct list *list = &month->list;
    struct merge_candidate merged = list->blocks[positions[0]];
    merged.size_bytes = 0;
    int64_t span_max_ms = list->view.retention_ms / MERGE_SPAN_SHARE;
    for (size_t i = 0; i < count; i++) {
        const struct merge_candidate *input = &list->blocks[positions[i]];
        assert_true(i == 0 || input->meta.rank > list->blocks[positions[i - 1]].meta.rank);
        merged.size_bytes += input->size_bytes;
        if (input->meta.level >= merged.meta.level)
            merged.meta.level = input->meta.level;
        if (input->meta.min_ts_ms < merged.meta.min_ts_ms)
            merged.meta.min_ts_ms = input->meta.min_ts_ms;
        if (input->meta.max_ts_ms > merged.meta.max_ts_ms)
            merged.meta.max_ts_ms = input->meta.max_ts_ms;
    }
    assert_true(merged.meta.max_ts_ms - merged.meta.min_ts_ms <= span_max_ms);
    merged.meta.level++;
    merged.meta.sequence = ++month->sequence;
    assert_true(merged.meta.level <= MERGE_LEVEL_MAX);
    month->written_bytes += merged.size_bytes;
    list->blocks[positions[0]] = merged;
    size_t kept = 0;
    for (size_t at = 0, next = 1; at < list->view.count; at++) {
        if (next < count && at == positions[next])
            next++;
        else
            list->blocks[kept++] = list->blocks[at];
    }
    list->view.count = kept;
}

static void expire(struct month *month)
{
    struct list *list = &month->list;
    size_t kept = 0;
    for (size_t i = 0; i < list->view.count; i++) {
        if (list->blocks[i].meta.max_ts_ms >= list->view.now_ms - list->view.retention_ms)
            list->blocks[kept++] = list->blocks[i];
        else
            month->bytes_left -= list->blocks[i].size_bytes;
    }
    list->view.count = kept;
}

static void flush(struct month *month, int64_t ts_ms, uint64_t size_bytes)
{
    struct merge_candidate *block = add(&month->list, merge_day_of(ts_ms), 0, size_bytes);
    block->meta.rank = block->meta.sequence = ++month->sequence;
    block->meta.max_ts_ms = ts_ms;
    if (ts_ms - block->meta.min_ts_ms > 30 * MINUTE_MS)
        block->meta.min_ts_ms = ts_ms - 30 * MINUTE_MS;
    month->flushed_bytes += size_bytes;
    month->bytes_left += size_bytes;
}

/* Merges as long as the plan says so. */
static void settle(struct month *month)
{
    size_t positions[BLOCK_REPLACED_MAX];
    size_t count;
    uint64_t sum_bytes = 0;
    while ((count = merge_plan(&month->list.rules, &month->list.view, positions)) > 0)
        merge(month, positions, count);
    for (size_t i = 0; i < month->list.view.count; i++)
        sum_bytes += month->list.blocks[i].size_bytes;
    assert_int_equal(sum_bytes, month->bytes_left);
    if (month->list.view.count > month->block_count_max)
        month->block_count_max = month->list.view.count;
}

static void begin_month(struct month *month)
{
    *month = (struct month){0};
    list_init(&month->list);
    month->list.rules = merge_rules_default();
}

/* Flushes every `every_ms`, `late_percent` of the time something for one of the last days as
   well. */
static void run_month(struct month *month, int64_t retention_ms, int64_t every_ms,
                      uint64_t late_percent)
{
    struct random random;
    begin_month(month);
    month->list.view.retention_ms = retention_ms;
    random_init_seeded(&random, 7);
    int64_t begin_ms = month->list.view.now_ms;
    for (int64_t now_ms = begin_ms; now_ms < begin_ms + 40 * DAY_MS; now_ms += every_ms) {
        month->list.view.now_ms = now_ms;
        flush(month, now_ms, 1000 + random_below(&random, 500));
        if (random_below(&random, 100) < late_percent)
            flush(month, now_ms - (int64_t)random_below(&random, 20) * DAY_MS,
                  1 + random_below(&random, 200));
        expire(month);
        settle(month);
    }
}

TEST(a_month_of_flushes_is_written_again_twice_and_leaves_one_block_a_day)
{
    struct month month;
    run_month(&month, 30 * DAY_MS, 30 * MINUTE_MS, 0);
    assert_in_range(month.written_bytes, month.flushed_bytes, month.flushed_bytes * 2);
    assert_in_range(month.block_count_max, 30, 30 + 2 * 13 + 1);
}

TEST(a_month_with_late_samples_is_written_again_three_times_at_most)
{
    struct month month;
    run_month(&month, 30 * DAY_MS, 30 * MINUTE_MS, 100);
    assert_true(month.written_bytes <= month.flushed_bytes * 3);
    assert_true(month.block_count_max < 30 * 12);
}

TEST(a_month_of_flushes_every_ten_minutes_stays_in_bounds)
{
    struct month month;
    run_month(&month, 30 * DAY_MS, 10 * MINUTE_MS, 10);
    assert_true(month.written_bytes <= month.flushed_bytes * 3);
    assert_true(month.block_count_max < 30 * 12);
}

/* Blocks are many where a day would be much of the retention, but not more than of a month. */
TEST(a_month_with_a_short_retention_stays_in_bounds)
{
    static const int64_t days[] = {1, 2, 4, 7};
    for (size_t i = 0; i < sizeof days / sizeof *days; i++) {
        struct month month;
        run_month(&month, days[i] * DAY_MS, 30 * MINUTE_MS, 0);
        assert_true(month.written_bytes <= month.flushed_bytes * 2);
        assert_true(month.block_count_max < 100);
    }
}

/* ---- a month that is filled afterwards ---- */

enum fill_order {
    FILL_BY_TIME,   /* one day after the other */
    FILL_ANY_DAY,   /* each flush has something of one day */
    FILL_BY_SERIES, /* each flush has something of every day */
};

enum { FILLED_DAYS = 29, FILLS_OF_DAY = 48 };

/* Whether the fill has something of the day so many days back. */
static bool has_day(enum fill_order order, int fill, int64_t back, int64_t any_back)
{
    switch (order) {
    case FILL_BY_TIME:
        return back == FILLED_DAYS - fill / FILLS_OF_DAY;
    case FILL_ANY_DAY:
        return back == any_back;
    default:
        return fill < FILLS_OF_DAY;
    }
}

/* Within a day, in as many flushes of each day as a day has, while today's samples come as ever. */
static void fill_month(struct month *month, enum fill_order order)
{
    enum { FILLS = FILLED_DAYS * FILLS_OF_DAY };
    struct random random;
    begin_month(month);
    random_init_seeded(&random, 7);
    for (int fill = 0; fill < FILLS; fill++) {
        int64_t any_back = 1 + (int64_t)random_below(&random, FILLED_DAYS);
        for (int64_t back = FILLED_DAYS; back > 0; back--) {
            if (has_day(order, fill, back, any_back))
                flush(month, month->list.view.now_ms - back * DAY_MS,
                      1000 + random_below(&random, 500));
        }
        flush(month, month->list.view.now_ms, 30);
        month->list.view.now_ms += DAY_MS / 2 / FILLS;
        settle(month);
    }
    for (int i = 0; i < 200; i++) { /* four quiet days */
        flush(month, month->list.view.now_ms, 30);
        month->list.view.now_ms += 30 * MINUTE_MS;
        settle(month);
    }
}

TEST(a_month_filled_afterwards_in_any_order_is_written_again_about_twice)
{
    static const enum fill_order orders[] = {FILL_BY_TIME, FILL_ANY_DAY, FILL_BY_SERIES};
    for (size_t i = 0; i < sizeof orders / sizeof *orders; i++) {
        struct month month;
        fill_month(&month, orders[i]);
        assert_in_range(month.written_bytes, month.flushed_bytes, month.flushed_bytes * 21 / 10);
        assert_true(month.block_count_max < 400);
        assert_true(month.list.view.count < 150);
    }
}

TEST_MAIN(RUN(during_the_day_neighbours_of_one_level_are_merged),
          RUN(a_day_that_is_over_becomes_one_block),
          RUN(a_day_is_finished_some_time_after_midnight_shard_by_shard),
          RUN(a_few_late_samples_do_not_make_a_day_be_written_again),
          RUN(a_past_day_that_somebody_fills_is_not_finished_before_it_is_quiet),
          RUN(late_samples_of_a_day_written_three_times_are_merged_with_each_other),
          RUN(yesterday_is_not_finished_while_the_newest_block_fills_it), RUN(days_are_not_mixed),
          RUN(a_block_of_several_days_is_left_alone_and_parts_its_neighbours),
          RUN(expired_blocks_are_not_merged), RUN(a_day_that_is_held_waits_and_the_others_go_on),
          RUN(settling_makes_one_block_of_every_day_however_often_it_was_written),
          RUN(a_merged_block_spans_an_eighth_of_the_retention_at_most),
          RUN(days_before_1970_are_days_too),
          RUN(a_month_of_flushes_is_written_again_twice_and_leaves_one_block_a_day),
          RUN(a_month_with_late_samples_is_written_again_three_times_at_most),
          RUN(a_month_of_flushes_every_ten_minutes_stays_in_bounds),
          RUN(a_month_with_a_short_retention_stays_in_bounds),
          RUN(a_month_filled_afterwards_in_any_order_is_written_again_about_twice))
