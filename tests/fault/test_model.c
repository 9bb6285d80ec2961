/*
 * Random lives of a store against the journal: requests, flushes, idle series, restarts and
 * crashes, a clock that moves, retention by maintenance. Checked from time to time: all of it, and
 * selections with matchers and ranges.
 *
 * CROFT_FAULT_FULL=1 lives longer; CROFT_TEST_SEED repeats one life.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/hash.h"
#include "compaction/maintenance.h"
#include "tests/fault/workload.h"

enum { LIVES = 200, LIVES_FULL = 5000, STEPS = 120 };

struct life {
    struct store_box box;
    struct journal *journal;
    struct workload work;
    struct maintenance *maintenance;
    struct random random;
    int64_t latest_ms; /* that the clock ever showed: what was too old then may be gone */
    uint64_t seed;
};

static uint64_t below(struct life *life, uint64_t bound)
{
    return random_below(&life->random, bound);
}

static void start(struct life *life)
{
    static const struct plan_limits limits = {.flush_after_ms = 60 * 60 * 1000,
                                              .flush_memory_bytes = UINT64_MAX,
                                              .flush_samples = UINT64_MAX,
                                              .flush_wal_bytes = 20000};
    struct error err = {0};
    expect_ok(store_box_open(&life->box, &err));
    life->maintenance = maintenance_new(life->box.store, &limits);
}

static void begin_life(struct life *life, uint64_t seed)
{
    *life = (struct life){.seed = seed, .latest_ms = BOX_START_MS};
    random_init_seeded(&life->random, seed);
    store_box_init(&life->box, seed);
    life->box.options.wal_segment_bytes = 1 + below(life, 5000);
    life->box.options.shard_count = 1 + (uint32_t)below(life, 3);
    life->box.options.retention_ms = BOX_DAY_MS * (1 + (int64_t)below(life, 5));
    life->journal = journal_new();
    workload_init(&life->work, &life->box, life->journal, seed);
    life->work.late_max_ms = life->box.options.retention_ms;
    start(life);
}

static void end_life(struct life *life)
{
    maintenance_close(life->maintenance);
    store_box_deinit(&life->box);
    journal_free(life->journal);
}

/* ---- what happens ---- */

static void restart(struct life *life)
{
    workload_settle(&life->work);
    maintenance_close(life->maintenance);
    store_box_close(&life->box);
    start(life);
}

static void crash(struct life *life)
{
    maintenance_close(life->maintenance);
    workload_crash(&life->work, (enum power_cut)below(life, POWER_CUT_PROCESS_ONLY + 1));
    start(life);
}

static void move_clock(struct life *life)
{
    switch (below(life, 4)) {
    case 0:
        sim_clock_advance(&life->box.clock, (int64_t)below(life, BOX_DAY_MS));
        break;
    case 1: /* set back or forth by hand */
        sim_clock_jump(&life->box.clock, clock_now_ms(&life->box.clock.base) -
                                             (int64_t)below(life, 2 * 3600 * 1000) + 3600 * 1000);
        break;
    default:
        sim_clock_advance(&life->box.clock, (int64_t)below(life, 3600 * 1000));
    }
}

static void live(struct life *life)
{
    switch (below(life, 25)) {
    case 0:
        restart(life);
        break;
    case 1:
        crash(life);
        break;
    case 2:
        move_clock(life);
        break;
    case 3:
    case 4:
        maintenance_step(life->maintenance);
        break;
    default:
        workload_step(&life->work);
    }
    if (clock_now_ms(&life->box.clock.base) > life->latest_ms)
        life->latest_ms = clock_now_ms(&life->box.clock.base);
}

/* ---- what must be equal ---- */

static struct journal_question question_now(const struct life *life)
{
    int64_t now_ms = clock_now_ms(&life->box.clock.base);
    return (struct journal_question){.visible_from_ms = now_ms - life->box.options.retention_ms,
                                     .required_from_ms =
                                         life->latest_ms - life->box.options.retention_ms};
}

/* A matcher and a range of time: the same series and samples as without, less what is outside. */
static size_t count_shown(struct life *life, const char *matchers, int64_t min_ts_ms,
                          int64_t max_ts_ms, uint32_t kind)
{
    struct error err = {0};
    struct str got;
    const struct box_query query = {"a", matchers, min_ts_ms, max_ts_ms};
    expect_ok(box_select(&life->box, &query, &got, &err));
    char wanted[32];
    snprintf(wanted, sizeof wanted, "kind=\"k%u\"", kind);
    size_t samples = 0;
    for (size_t at = 0; at < got.len;) {
        size_t end = str_find(got, '\n', at);
        struct str line = str_slice(got, at, end - at);
        struct str labels = str_slice(line, 0, str_find(line, '}', 0));
        bool is_of_kind = false;
        for (size_t i = 0; i + strlen(wanted) <= labels.len; i++)
            is_of_kind =
                is_of_kind || str_starts_with(str_slice(labels, i, SIZE_MAX), str_from(wanted));
        if (matchers != NULL)
            assert_true(is_of_kind);
        for (size_t i = labels.len; is_of_kind && i < line.len; i++)
            samples += line.ptr[i] == ':';
        at = end + 1;
    }
    arena_reset(&life->box.arena);
    return samples;
}

static void check_parts(struct life *life)
{
    static const char *const matchers[] = {"kind=k0", "kind=~k1|x n!=", "kind!~k0|k1 __name__=m"};
    uint32_t kind = (uint32_t)below(life, 3);
    int64_t from_ms = clock_now_ms(&life->box.clock.base) - life->box.options.retention_ms;
    int64_t to_ms = life->latest_ms + life->box.options.future_max_ms;
    int64_t cut_ms = from_ms + (int64_t)below(life, (uint64_t)(to_ms - from_ms));
    size_t all = count_shown(life, NULL, from_ms, to_ms, kind);
    assert_int_equal(count_shown(life, matchers[kind], from_ms, to_ms, kind), all);
    size_t before = count_shown(life, matchers[kind], from_ms, cut_ms, kind);
    size_t after = count_shown(life, matchers[kind], cut_ms + 1, to_ms, kind);
    assert_int_equal(before + after, all);
}

static void check(struct life *life, int step)
{
    const struct journal_question question = question_now(life);
    struct verdict verdict = journal_check(life->journal, &life->box, &question);
    if (verdict.missing + verdict.invented + verdict.unsorted + verdict.errors > 0)
        printf("seed %" PRIu64 "\n", life->seed);
    expect_faultless(&verdict, "step", (uint64_t)step);
    check_parts(life);
}

static void run_life(uint64_t seed)
{
    struct life life;
    begin_life(&life, seed);
    for (int step = 0; step < STEPS; step++) {
        live(&life);
        if (below(&life, 15) == 0)
            check(&life, step);
    }
    restart(&life);
    check(&life, STEPS);
    end_life(&life);
}

static void run_lives(uint64_t first_seed)
{
    bool is_one = getenv("CROFT_TEST_SEED") != NULL;
    uint64_t lives = is_one ? 1 : fault_is_full() ? LIVES_FULL : LIVES;
    uint64_t seed = is_one ? test_seed(first_seed) : fault_seed(first_seed);
    for (uint64_t i = 0; i < lives; i++)
        run_life(seed + i);
}

TEST(any_life_equals_the_journal)
{
    run_lives(1);
}

TEST(any_life_equals_the_journal_when_hashes_collide)
{
    hash_set_bits(4);
    run_lives(1000000);
    hash_set_bits(64);
}

TEST_MAIN(RUN(any_life_equals_the_journal), RUN(any_life_equals_the_journal_when_hashes_collide))
