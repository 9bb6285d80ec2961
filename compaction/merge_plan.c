#include "compaction/merge_plan.h"

#include "base/check.h"
#include "compaction/plan.h"

#define DAY_MS  INT64_C(86400000)
#define HOUR_MS INT64_C(3600000)

/* Several times what a flush makes that has something of each day of a month; as many as two or
   three days make when nobody fills the past. */
enum { QUIET_BLOCKS = 128 };

/* Half of what one of the 48 flushes of a day brings it. */
enum { FILLING_SHARE = 96 };

struct merge_rules merge_rules_default(void)
{
    /* 48 flushes a day become 6 blocks, and then one: each sample is written again twice, which
       leaves one time for what comes late */
    return (struct merge_rules){.fan_in = 8, .finish_after_ms = HOUR_MS, .stagger_ms = HOUR_MS};
}

int64_t merge_day_of(int64_t ts_ms)
{
    return ts_ms / DAY_MS - (ts_ms % DAY_MS < 0);
}

bool merge_day_of_block(const struct block_meta *meta, int64_t *day)
{
    *day = merge_day_of(meta->min_ts_ms);
    return merge_day_of(meta->max_ts_ms) == *day;
}

/* ---- runs of neighbours ---- */

/* Blocks of one day with no other between them that overlaps the day. */
struct run {
    const struct merge_view *view;
    int64_t day;
    uint64_t day_bytes; /* of all blocks of the day */
    size_t positions[BLOCK_REPLACED_MAX];
    size_t count;
};

static bool is_in_day(const struct merge_view *view, size_t at, int64_t day)
{
    int64_t block_day;
    return merge_day_of_block(&view->blocks[at].meta, &block_day) && block_day == day;
}

static bool is_expired(const struct merge_view *view, size_t at)
{
    return plan_is_expired(&view->blocks[at].meta, view->retention_ms, view->now_ms);
}

static bool overlaps_day(const struct merge_view *view, size_t at, int64_t day)
{
    const struct block_meta *meta = &view->blocks[at].meta;
    return merge_day_of(meta->min_ts_ms) <= day && day <= merge_day_of(meta->max_ts_ms);
}

static const struct merge_candidate *candidate(const struct run *run, size_t index)
{
    return &run->view->blocks[run->positions[index]];
}

/* Makes the run that begins at `from` or later; false when there is none. `*next` is where the one
   after it may begin. */
static bool next_run(struct run *run, size_t from, uint32_t level_max, size_t *next)
{
    size_t at = from;
    run->count = 0;
    for (; at < run->view->count && run->count < BLOCK_REPLACED_MAX; at++) {
        bool fits = is_in_day(run->view, at, run->day) && !is_expired(run->view, at) &&
                    run->view->blocks[at].meta.level <= level_max;
        if (fits)
            run->positions[run->count++] = at;
        else if (run->count > 0 && overlaps_day(run->view, at, run->day))
            break;
    }
    *next = at;
    return run->count > 0;
}

static size_t take(const struct run *run, size_t from, size_t count, size_t *out)
{
    for (size_t i = 0; i < count; i++)
        out[i] = run->positions[from + i];
    return count;
}

static int64_t span_of(const struct block_meta *meta)
{
    return meta->max_ts_ms - meta->min_ts_ms;
}

/* The end of those that may become one block with the one at `from`. A block of late samples that
   spans more by itself may take in what lies within. */
static size_t end_of_span(const struct run *run, size_t from)
{
    int64_t span_max_ms = run->view->retention_ms / MERGE_SPAN_SHARE;
    struct block_meta whole = candidate(run, from)->meta;
    size_t to = from;
    for (; to < run->count; to++) {
        const struct block_meta *next = &candidate(run, to)->meta;
        whole.min_ts_ms = next->min_ts_ms < whole.min_ts_ms ? next->min_ts_ms : whole.min_ts_ms;
        whole.max_ts_ms = next->max_ts_ms > whole.max_ts_ms ? next->max_ts_ms : whole.max_ts_ms;
        span_max_ms = span_of(next) > span_max_ms ? span_of(next) : span_max_ms;
        if (span_of(&whole) > span_max_ms)
            break;
    }
    return to;
}

/* ---- the reasons to merge ---- */

/* Somebody waits for the store to come to rest. */
static size_t take_all(const struct run *run, size_t *out)
{
    for (size_t from = 0, to; from < run->count; from = to) {
        to = end_of_span(run, from);
        if (to - from > 1)
            return take(run, from, to - from, out);
    }
    return 0;
}

/* As many neighbours of one level as are worth it. */
static size_t take_level(const struct run *run, size_t fan_in, size_t *out)
{
    for (size_t from = 0, to; from < run->count; from = to) {
        uint32_t level = candidate(run, from)->meta.level;
        size_t end = end_of_span(run, from);
        to = from + 1;
        while (to < end && candidate(run, to)->meta.level == level)
            to++;
        if (to - from >= fan_in)
            return take(run, from, to - from, out);
    }
    return 0;
}

/* Not for a few late samples beside a whole day: the day can be written again but once. */
static bool is_worth_finishing(const struct run *run, size_t fan_in)
{
    uint64_t sum_bytes = 0, largest_bytes = 0;
    for (size_t i = 0; i < run->count; i++) {
        uint64_t size_bytes = candidate(run, i)->size_bytes;
        sum_bytes += size_bytes;
        if (size_bytes > largest_bytes)
            largest_bytes = size_bytes;
    }
    if (run->count < 2 || sum_bytes < run->day_bytes / 2 || end_of_span(run, 0) < run->count)
        return false;
    return sum_bytes - largest_bytes >= largest_bytes / 4 || run->count > fan_in;
}

/* The day in which the shard still waits for samples: today, and some time after
   midnight yesterday. */
static int64_t present_day(const struct merge_rules *rules, const struct merge_view *view)
{
    int64_t turn_ms = rules->stagger_ms * (int64_t)view->shard / (int64_t)view->shard_count;
    return merge_day_of(view->now_ms - rules->finish_after_ms - turn_ms);
}

/* Whether the shard has made many blocks without one for the day. Else somebody may be filling it,
   and would have it written again with every few of them. */
static bool is_quiet(const struct run *run)
{
    uint64_t newest = 0, newest_of_day = 0;
    for (size_t i = 0; i < run->view->count; i++) {
        uint64_t sequence = run->view->blocks[i].meta.sequence;
        newest = sequence > newest ? sequence : newest;
        if (is_in_day(run->view, i, run->day) && sequence > newest_of_day)
            newest_of_day = sequence;
    }
    return newest - newest_of_day >= QUIET_BLOCKS;
}

/* Whether the shard's newest block brought the day more than a few late samples: when yesterday is
   filled at once, it is not finished with every few of them. */
static bool is_being_filled(const struct run *run)
{
    const struct merge_view *view = run->view;
    size_t newest = 0;
    for (size_t i = 1; i < view->count; i++) {
        if (view->blocks[i].meta.sequence > view->blocks[newest].meta.sequence)
            newest = i;
    }
    return is_in_day(view, newest, run->day) && view->blocks[newest].meta.level == 0 &&
           view->blocks[newest].size_bytes >= run->day_bytes / FILLING_SHARE;
}

/* ---- a day ---- */

/* Also false when a merge of the day has failed lately. */
static bool sum_day(struct run *run)
{
    run->day_bytes = 0;
    for (size_t i = 0; i < run->view->count; i++) {
        if (!is_in_day(run->view, i, run->day))
            continue;
        if (run->view->blocks[i].is_held)
            return false;
        run->day_bytes += run->view->blocks[i].size_bytes;
    }
    return true;
}

static size_t plan_run(const struct merge_rules *rules, const struct run *run, bool finishes,
                       size_t *out)
{
    if (run->view->is_settling)
        return take_all(run, out);
    if (finishes && is_worth_finishing(run, rules->fan_in))
        return take(run, 0, run->count, out);
    return take_level(run, rules->fan_in, out);
}

static size_t plan_day(const struct merge_rules *rules, struct run *run, size_t *out)
{
    if (!sum_day(run))
        return 0;
    int64_t age_days = present_day(rules, run->view) - run->day;
    bool finishes = (age_days == 1 && !is_being_filled(run)) || (age_days > 1 && is_quiet(run));
    /* one level stays free during the day, so that it can still be finished */
    uint32_t level_max = run->view->is_settling ? UINT32_MAX
                         : age_days > 0         ? MERGE_LEVEL_MAX - 1
                                                : MERGE_LEVEL_MAX - 2;
    for (size_t from = 0; next_run(run, from, level_max, &from);) {
        size_t count = plan_run(rules, run, finishes, out);
        if (count > 0)
            return count;
    }
    return 0;
}

static bool is_first_of_day(const struct merge_view *view, size_t at, int64_t day)
{
    for (size_t i = 0; i < at; i++) {
        if (is_in_day(view, i, day))
            return false;
    }
    return true;
}

size_t merge_plan(const struct merge_rules *rules, const struct merge_view *view, size_t *out)
{
    CHECK(rules->fan_in >= 2);
    for (size_t i = 0; i < view->count; i++) {
        struct run run = {.view = view};
        if (!merge_day_of_block(&view->blocks[i].meta, &run.day) ||
            !is_first_of_day(view, i, run.day))
            continue;
        size_t count = plan_day(rules, &run, out);
        if (count > 0)
            return count;
    }
    return 0;
}
