#include "tests/fault/workload.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

enum { SERIES_ALIVE = 8, STEP_MS = 15 * 1000, LATE_MS = 10 * 60 * 1000 };

bool fault_is_full(void)
{
    return getenv("CROFT_FAULT_FULL") != NULL;
}

uint64_t fault_seed(uint64_t usual)
{
    const char *round = getenv("CROFT_FAULT_ROUND");
    uint64_t seed = usual + (round == NULL ? 0 : strtoull(round, NULL, 10) * 1000003);
    static uint64_t printed;
    if (seed != printed)
        printf("seed %" PRIu64 "\n", seed);
    printed = seed;
    return seed;
}

void workload_init(struct workload *w, struct store_box *box, struct journal *journal,
                   uint64_t seed)
{
    *w = (struct workload){.box = box, .journal = journal, .late_max_ms = 2 * BOX_DAY_MS};
    random_init_seeded(&w->random, seed);
}

static uint64_t below(struct workload *w, uint64_t bound)
{
    return random_below(&w->random, bound);
}

/* ---- requests ---- */

static struct mark repeated_mark(struct workload *w, struct mark mark)
{
    const struct journal_series *series = &w->journal->series[mark.tenant][mark.series];
    uint64_t which = below(w, 1 << 20);
    if (series->count > 0)
        mark.ts_ms = series->entries[which % series->count].ts_ms;
    return mark;
}

static struct mark random_mark(struct workload *w)
{
    struct mark mark = {.tenant = (uint32_t)below(w, JOURNAL_TENANTS),
                        .series = w->series_min + (uint32_t)below(w, SERIES_ALIVE),
                        .ts_ms = clock_now_ms(&w->box->clock.base) - w->behind_ms -
                                 (int64_t)below(w, STEP_MS)};
    switch (below(w, 10)) {
    case 0:
        mark.ts_ms -= (int64_t)below(w, (uint64_t)w->late_max_ms);
        return mark;
    case 1:
        mark.ts_ms -= (int64_t)below(w, LATE_MS);
        return mark;
    case 2:
        return repeated_mark(w, mark);
    default:
        return mark;
    }
}

static void send_request(struct workload *w)
{
    struct pending *p = &w->pending[w->pending_count];
    struct box_sample samples[WORKLOAD_SAMPLES_MAX];
    struct arena arena;
    struct error err;
    arena_init(&arena, SIZE_MAX);
    p->count = 1 + below(w, WORKLOAD_SAMPLES_MAX);
    for (size_t i = 0; i < p->count; i++) {
        p->marks[i] = random_mark(w);
        journal_note_sent(w->journal, &p->marks[i]);
        samples[i] = journal_sample(p->marks[i], &arena);
    }
    if (box_write_begin(w->box, &p->write, samples, p->count, &err) == STATUS_OK)
        w->pending_count++;
    else
        w->refused++;
    arena_deinit(&arena);
}

/* ---- answers ---- */

static bool has_refusal(const struct write_result *result)
{
    for (int reason = 0; reason < REFUSAL_COUNT; reason++) {
        if (result->samples_refused[reason] > 0)
            return true;
    }
    return false;
}

static void take_answers(struct workload *w)
{
    for (size_t i = 0; i < w->pending_count; i++) {
        struct pending *p = &w->pending[i];
        /* a sample too old to be kept is refused; which one it was does not matter here */
        bool is_whole = !has_refusal(&p->write.result);
        bool is_acknowledged = box_write_end(&p->write) == STATUS_OK;
        for (size_t k = 0; k < p->count && is_acknowledged && is_whole; k++)
            journal_note_acknowledged(w->journal, p->marks[k]);
        w->acknowledged += is_acknowledged;
        w->refused += !is_acknowledged;
    }
    w->pending_count = 0;
}

void workload_settle(struct workload *w)
{
    struct error err;
    enum status status = box_commit(w->box, &err);
    (void)status; /* every waiter is told */
    take_answers(w);
}

void workload_crash(struct workload *w, enum power_cut cut)
{
    store_box_crash(w->box, cut);
    take_answers(w);
}

/* ---- steps ---- */

/* When it fails the journal holds the store to its promise all the same. */
static void flush_one(struct workload *w)
{
    struct error err;
    enum status status = store_flush_shard(
        w->box->store, (uint32_t)below(w, store_shard_count(w->box->store)), &err);
    (void)status;
}

void workload_step(struct workload *w)
{
    send_request(w);
    if (w->pending_count == WORKLOAD_PENDING_MAX || below(w, 2) == 0)
        workload_settle(w);
    sim_clock_advance(&w->box->clock, (int64_t)below(w, STEP_MS));
    if (below(w, 12) == 0)
        flush_one(w);
    if (below(w, 8) == 0 && w->series_min + 2 * SERIES_ALIVE < JOURNAL_SERIES_MAX)
        w->series_min++;
    if (below(w, 40) == 0) {
        sim_clock_advance(&w->box->clock, w->box->options.idle_ms);
        for (uint32_t i = 0; i < store_shard_count(w->box->store); i++)
            store_sweep_idle(w->box->store, i);
    }
}
