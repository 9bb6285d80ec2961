/*
 * A part of the disk that belongs to one shard takes no change for forty days: its tenants are read
 * and their writes refused, while the other shards take writes, flush, merge and expire as ever.
 * When the part is well again, so is the shard, without a restart.
 */
#include <stdio.h>

#include "compaction/compactor.h"
#include "compaction/maintenance.h"
#include "tests/support/store_box.h"

#define HOUR_MS INT64_C(3600000)

enum {
    BEFORE_DAYS = 2,
    OUTAGE_DAYS = 40,
    RETENTION_DAYS = 30,
    SERIES = 3,
    WRITE_EVERY = 12, /* half hours */
    DAY_SAMPLES = 48 / WRITE_EVERY * SERIES,
};

static const struct plan_limits limits = {.flush_after_ms = HOUR_MS,
                                          .flush_memory_bytes = UINT64_MAX,
                                          .flush_samples = UINT64_MAX,
                                          .flush_wal_bytes = UINT64_MAX};

struct scene {
    struct store_box box;
    struct maintenance *maintenance;
    struct compactor *compactor;
    uint64_t taken[2];   /* samples of the tenants "a" and "d" that were acknowledged */
    uint64_t refused[2]; /* requests */
};

static const char *const tenants[] = {"a", "d"};

static void begin(struct scene *s)
{
    struct error err = {0};
    *s = (struct scene){0};
    store_box_init(&s->box, 19);
    expect_ok(store_box_open(&s->box, &err));
    s->maintenance = maintenance_new(s->box.store, &limits);
    const struct compactor_options options = {
        .store = s->box.store, .rules = merge_rules_default(), .cpu_share_percent = 100};
    s->compactor = compactor_new(&options);
}

static void write_some(struct scene *s, int64_t now_ms)
{
    static const char *const names[SERIES] = {"cpu", "mem", "up"};
    for (size_t tenant = 0; tenant < 2; tenant++) {
        struct box_sample samples[SERIES];
        struct write_result result;
        struct error err;
        for (size_t i = 0; i < SERIES; i++)
            samples[i] = (struct box_sample){tenants[tenant], names[i], now_ms, (double)i};
        bool is_taken = box_write(&s->box, samples, SERIES, &result, &err) == STATUS_OK;
        s->taken[tenant] += is_taken ? SERIES : 0;
        s->refused[tenant] += !is_taken;
    }
}

static void live(struct scene *s, int days)
{
    for (int64_t half_hour = 0; half_hour < days * (BOX_DAY_MS / (HOUR_MS / 2)); half_hour++) {
        sim_clock_advance(&s->box.clock, HOUR_MS / 2);
        if (half_hour % WRITE_EVERY == 0)
            write_some(s, clock_now_ms(&s->box.clock.base));
        maintenance_step(s->maintenance);
        compactor_step(s->compactor);
    }
}

static void end(struct scene *s)
{
    compactor_close(s->compactor);
    maintenance_close(s->maintenance);
    store_box_deinit(&s->box);
}

static size_t count_shown(struct scene *s, const char *tenant)
{
    struct error err = {0};
    struct str text;
    const struct box_query all = {.tenants = tenant};
    size_t count = 0;
    expect_ok(box_select(&s->box, &all, &text, &err));
    for (size_t i = 0; i < text.len; i++)
        count += text.ptr[i] == ':';
    return count;
}

static struct shard_status status_of(struct scene *s, const char *tenant)
{
    struct shard_status status;
    store_shard_status(s->box.store, box_shard_of(&s->box, tenant), &status);
    return status;
}

static void break_shard_of(struct scene *s, const char *tenant)
{
    char folder[DISK_NAME_MAX];
    snprintf(folder, sizeof folder, "shard-%04u/", box_shard_of(&s->box, tenant));
    sim_disk_break_paths(s->box.sim, folder);
}

/* As a shard looks that is kept in shape. */
static void expect_in_shape(struct scene *s, const char *tenant)
{
    struct shard_status status = status_of(s, tenant);
    assert_true(status.is_writable);
    assert_true(status.head_samples <= SERIES);
    assert_in_range(status.block_count, 1, RETENTION_DAYS + 8);
    assert_in_range(count_shown(s, tenant), RETENTION_DAYS * DAY_SAMPLES - DAY_SAMPLES,
                    RETENTION_DAYS * DAY_SAMPLES + DAY_SAMPLES);
}

TEST(a_shard_whose_files_cannot_be_changed_stops_no_other_and_comes_back_by_itself)
{
    struct scene s;
    begin(&s);
    live(&s, BEFORE_DAYS);
    assert_int_not_equal(box_shard_of(&s.box, "a"), box_shard_of(&s.box, "d"));
    assert_int_equal(s.refused[0] + s.refused[1], 0);
    break_shard_of(&s, "a");
    live(&s, OUTAGE_DAYS / 2);
    /* the first that was refused had been applied before its commit failed */
    assert_in_range(count_shown(&s, "a"), BEFORE_DAYS * DAY_SAMPLES,
                    BEFORE_DAYS * DAY_SAMPLES + SERIES);
    assert_int_equal(s.taken[0], BEFORE_DAYS * DAY_SAMPLES);
    assert_int_equal(s.refused[0], OUTAGE_DAYS / 2 * DAY_SAMPLES / SERIES);
    live(&s, OUTAGE_DAYS / 2);
    assert_int_equal(s.refused[1], 0);
    expect_in_shape(&s, "d");
    assert_int_equal(count_shown(&s, "a"), 0); /* has expired */
    sim_disk_break_paths(s.box.sim, "");
    live(&s, RETENTION_DAYS);
    assert_int_equal(s.refused[1], 0);
    expect_in_shape(&s, "a");
    expect_in_shape(&s, "d");
    end(&s);
}

TEST_MAIN(RUN(a_shard_whose_files_cannot_be_changed_stops_no_other_and_comes_back_by_itself))
