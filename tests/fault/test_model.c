/*
 * Random lives of a store against the journal: requests, repetitions and contradictions, days
 * filled afterwards, flushes, merges, deletions of series and of tenants, idle series, restarts and
 * crashes, a clock that moves by seconds or weeks, retention of the store, which changes from start
 * to start, and of a tenant, which changes meanwhile. Checked from time to time: all samples,
 * selections with matchers and ranges, label values, and that all files are without fault.
 *
 * CROFT_FAULT_FULL=1 lives longer; CROFT_TEST_SEED repeats one life.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/hash.h"
#include "base/number.h"
#include "base/codec.h"
#include "compaction/compactor.h"
#include "compaction/maintenance.h"
#include "tests/fault/workload.h"

#define HOUR_MS INT64_C(3600000)

enum { LIVES = 60, LIVES_FULL = 3000, STEPS = 160, BRIEF_TENANT = 2 };

struct life {
    struct store_box box;
    struct journal *journal;
    struct workload work;
    struct maintenance *maintenance;
    struct compactor *compactor;
    struct random random;
    int64_t latest_ms;          /* that the clock ever showed */
    int64_t brief_retention_ms; /* of BRIEF_TENANT */
    /* What was older than the retention at any time may be gone, whatever the clock and the
       retention have become since. */
    int64_t kept_from_ms[JOURNAL_TENANTS];
    uint64_t seed;
};

static uint64_t below(struct life *life, uint64_t bound)
{
    return random_below(&life->random, bound);
}

/* As a change of the configuration does. */
static void set_retention(struct life *life)
{
    struct error err = {0};
    struct tenant_id brief;
    const struct tenant_limits defaults = tenant_limits_default();
    struct tenant_limits own = defaults;
    own.max[LIMIT_HARD][TENANT_LIMIT_RETENTION] = (uint64_t)life->brief_retention_ms;
    expect_ok(tenant_id_parse(str_from(journal_tenant(BRIEF_TENANT)), &brief, &err));
    tenant_table_set_limits(store_tenants(life->box.store), &defaults, &brief, &own, 1);
}

static int64_t retention_of(const struct life *life, uint32_t tenant)
{
    return tenant == BRIEF_TENANT ? life->brief_retention_ms : life->box.options.retention_ms;
}

static void note_time(struct life *life)
{
    int64_t now_ms = clock_now_ms(&life->box.clock.base);
    if (now_ms > life->latest_ms)
        life->latest_ms = now_ms;
    for (uint32_t t = 0; t < JOURNAL_TENANTS; t++) {
        int64_t from_ms = life->latest_ms - retention_of(life, t);
        if (from_ms > life->kept_from_ms[t])
            life->kept_from_ms[t] = from_ms;
    }
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
    const struct compactor_options options = {
        .store = life->box.store,
        .rules = {.fan_in = 3, .finish_after_ms = HOUR_MS, .stagger_ms = HOUR_MS},
        .cpu_share_percent = 100};
    life->compactor = compactor_new(&options);
    set_retention(life);
    note_time(life);
}

static void stop(struct life *life)
{
    compactor_close(life->compactor);
    maintenance_close(life->maintenance);
}

/* Of the store: from the next start on. */
static void choose_retention(struct life *life)
{
    life->box.options.retention_ms = BOX_DAY_MS * (1 + (int64_t)below(life, 10));
}

static void begin_life(struct life *life, uint64_t seed)
{
    *life = (struct life){.seed = seed, .latest_ms = BOX_START_MS};
    random_init_seeded(&life->random, seed);
    store_box_init(&life->box, seed);
    life->box.options.wal_segment_bytes = 1 + below(life, 5000);
    life->box.options.shard_count = 1 + (uint32_t)below(life, 3);
    choose_retention(life);
    life->brief_retention_ms = life->box.options.retention_ms / 2;
    life->journal = journal_new();
    workload_init(&life->work, &life->box, life->journal, seed);
    life->work.late_max_ms = life->box.options.retention_ms;
    start(life);
}

static void end_life(struct life *life)
{
    stop(life);
    store_box_deinit(&life->box);
    journal_free(life->journal);
}

/* ---- what happens ---- */

static void restart(struct life *life)
{
    workload_settle(&life->work);
    stop(life);
    store_box_close(&life->box);
    if (below(life, 3) == 0)
        choose_retention(life);
    start(life);
}

static void crash(struct life *life)
{
    stop(life);
    workload_crash(&life->work, (enum power_cut)below(life, POWER_CUT_PROCESS_ONLY + 1));
    if (below(life, 3) == 0)
        choose_retention(life);
    start(life);
}

static void move_clock(struct life *life)
{
    switch (below(life, 5)) {
    case 0:
        sim_clock_advance(&life->box.clock, (int64_t)below(life, BOX_DAY_MS));
        break;
    case 2: /* 40 days in a long life */
        sim_clock_advance(&life->box.clock, (int64_t)below(life, 8 * BOX_DAY_MS));
        break;
    case 1: /* set back or forth by hand */
        sim_clock_jump(&life->box.clock, clock_now_ms(&life->box.clock.base) -
                                             (int64_t)below(life, 2 * 3600 * 1000) + 3600 * 1000);
        break;
    default:
        sim_clock_advance(&life->box.clock, (int64_t)below(life, 3600 * 1000));
    }
}

/* Shorter or longer than the store's. */
static void change_retention(struct life *life)
{
    life->brief_retention_ms =
        HOUR_MS + (int64_t)below(life, 2 * (uint64_t)life->box.options.retention_ms);
    set_retention(life);
}

/* From then on samples come in the order of time, faster than time goes, until
   they have caught up. */
static void begin_filling(struct life *life)
{
    life->work.behind_ms = (int64_t)below(life, (uint64_t)life->box.options.retention_ms);
}

static void fill(struct life *life)
{
    int64_t step_ms = (int64_t)below(life, 12 * (uint64_t)HOUR_MS);
    life->work.behind_ms = life->work.behind_ms > step_ms ? life->work.behind_ms - step_ms : 0;
    workload_step(&life->work);
}

/* The first call that fails, if any, fails once, or for good with a crash behind it. */
static void plan_trouble(struct life *life, bool *crashes)
{
    uint64_t at = sim_disk_operation_count(life->box.sim) + below(life, 40);
    *crashes = false;
    switch (below(life, 6)) {
    case 0:
        sim_disk_fail_at(life->box.sim, at, below(life, 2) == 0 ? STATUS_IO : STATUS_UNAVAILABLE);
        break;
    case 1:
        sim_disk_cut_power_at(life->box.sim, at);
        *crashes = true;
    }
}

static void end_trouble(struct life *life, bool crashes)
{
    sim_disk_fail_at(life->box.sim, UINT64_MAX, STATUS_IO);
    if (crashes)
        crash(life);
}

static void delete_some(struct life *life)
{
    static const char *const matchers[] = {"kind=k0", "kind=~k1", "__name__=m kind=k2 n!=", NULL};
    struct error err = {0};
    bool crashes;
    int64_t now_ms = clock_now_ms(&life->box.clock.base);
    struct journal_deletion deletion = {.tenant = (uint32_t)below(life, JOURNAL_TENANTS),
                                        .kind = (uint32_t)below(life, JOURNAL_ALL_KINDS + 1),
                                        .min_ms = INT64_MIN,
                                        .max_ms = INT64_MAX};
    if (below(life, 2) == 0) {
        deletion.min_ms = now_ms - (int64_t)below(life, (uint64_t)life->box.options.retention_ms);
        deletion.max_ms = deletion.min_ms + (int64_t)below(life, BOX_DAY_MS);
    }
    workload_settle(&life->work);
    plan_trouble(life, &crashes);
    const struct box_query query = {journal_tenant(deletion.tenant), matchers[deletion.kind],
                                    deletion.min_ms, deletion.max_ms};
    deletion.is_certain = box_delete(&life->box, &query, &err) == STATUS_OK;
    journal_note_deleted(life->journal, &deletion);
    end_trouble(life, crashes);
}

static void compact_some(struct life *life)
{
    struct error err;
    bool crashes;
    plan_trouble(life, &crashes);
    if (below(life, 4) > 0) {
        compactor_step(life->compactor);
    } else {
        enum status status = compactor_settle(
            life->compactor, below(life, 2) == 0 ? SETTLE_CLEAN : SETTLE_COMPACT, &err);
        (void)status; /* whatever became of it, answers stay */
    }
    end_trouble(life, crashes);
}

/* An acknowledged entry that is in everybody's window of time; false when luck finds none. */
static bool pick_entry(struct life *life, struct mark *mark)
{
    mark->tenant = (uint32_t)below(life, JOURNAL_TENANTS);
    mark->series = (uint32_t)below(life, life->work.series_min + 8);
    const struct journal_series *series = &life->journal->series[mark->tenant][mark->series];
    if (series->count == 0)
        return false;
    const struct journal_entry *entry = &series->entries[below(life, series->count)];
    int64_t now_ms = clock_now_ms(&life->box.clock.base);
    mark->ts_ms = entry->ts_ms;
    mark->generation = entry->generation;
    return entry->is_acknowledged && entry->ts_ms <= now_ms &&
           entry->ts_ms >= life->kept_from_ms[mark->tenant];
}

/* Another value for a time that has one is refused wherever the sample is. */
static void contradict(struct life *life)
{
    struct mark mark;
    struct error err = {0};
    struct write_result result = {0};
    workload_settle(&life->work); /* a log whose last commit failed takes no writes before that */
    if (!pick_entry(life, &mark))
        return;
    struct box_sample sample = journal_sample(mark, &life->box.arena);
    sample.value = f64_from_bits(f64_bits(sample.value) ^ 1);
    expect_ok(box_write(&life->box, &sample, 1, &result, &err));
    if (result.samples_written != 0 || result.samples_refused[REFUSAL_DUPLICATE_TIMESTAMP] != 1)
        fail_msg("seed %" PRIu64 ": a contradiction was not refused: tenant %s, series %u, "
                 "timestamp %" PRId64,
                 life->seed, journal_tenant(mark.tenant), mark.series, mark.ts_ms);
}

static void live(struct life *life)
{
    switch (below(life, 40)) {
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
    case 5:
    case 6:
        delete_some(life);
        break;
    case 7:
    case 8:
    case 9:
        compact_some(life);
        break;
    case 10:
    case 11:
    case 12:
    case 13:
        contradict(life);
        break;
    case 14:
        change_retention(life);
        break;
    case 15:
        begin_filling(life);
        break;
    default:
        fill(life);
    }
    note_time(life);
}

/* ---- what must be equal ---- */

static struct journal_question question_now(const struct life *life)
{
    int64_t now_ms = clock_now_ms(&life->box.clock.base);
    struct journal_question question;
    for (uint32_t t = 0; t < JOURNAL_TENANTS; t++) {
        question.visible_from_ms[t] = now_ms - retention_of(life, t);
        question.required_from_ms[t] = life->kept_from_ms[t];
    }
    return question;
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
        size_t shown = 0;
        for (size_t i = labels.len; i < line.len; i++)
            shown += line.ptr[i] == ':';
        if (matchers == NULL && shown == 0)
            fail_msg("seed %" PRIu64 ": a series without samples: %.*s", life->seed, STR_ARG(line));
        samples += is_of_kind ? shown : 0;
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

/* Label values: none of a series of which the journal knows nothing, because it was deleted. */
static void check_values(struct life *life)
{
    struct error err = {0};
    struct str got;
    uint32_t tenant = (uint32_t)below(life, JOURNAL_TENANTS);
    const struct box_query query = {journal_tenant(tenant), NULL, 0, 0};
    expect_ok(box_label_list(&life->box, &query, "n", &got, &err));
    for (size_t at = 0, end; at < got.len; at = end + 1) {
        uint64_t number;
        end = str_find(got, ' ', at);
        assert_true(parse_u64(str_slice(got, at, end - at), &number));
        if (life->journal->series[tenant][number].count == 0)
            fail_msg("seed %" PRIu64 ": label value of a deleted series: tenant %s, series %u",
                     life->seed, journal_tenant(tenant), (unsigned)number);
    }
    arena_reset(&life->box.arena);
}

static void check(struct life *life, int step)
{
    const struct journal_question question = question_now(life);
    struct verdict verdict = journal_check(life->journal, &life->box, &question);
    if (verdict.missing + verdict.invented + verdict.unsorted + verdict.errors > 0)
        printf("seed %" PRIu64 "\n", life->seed);
    expect_faultless(&verdict, "step", (uint64_t)step);
    check_parts(life);
    check_values(life);
    expect_verified(&life->box, "seed", life->seed);
}

static void run_life(uint64_t seed)
{
    struct life life;
    hash_set_seed(seed); /* of a process it is random, and has a say in the order of series */
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
