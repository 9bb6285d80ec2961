#include "tests/compaction/compactor_rig.h"

static struct compactor *make_compactor(const struct store_box *box,
                                        const struct merge_rules *rules)
{
    const struct compactor_options options = {
        .store = box->store, .rules = *rules, .cpu_share_percent = 100};
    return compactor_new(&options);
}

void rig_init(struct rig *rig, uint64_t seed)
{
    store_box_init(&rig->box, seed);
    rig->rules = merge_rules_default();
    rig->compactor = NULL;
}

void rig_open(struct rig *rig)
{
    struct error err = {0};
    expect_ok(store_box_open(&rig->box, &err));
    rig->compactor = make_compactor(&rig->box, &rig->rules);
}

void rig_start(struct rig *rig, uint64_t seed)
{
    rig_init(rig, seed);
    rig_open(rig);
}

void rig_start_single(struct rig *rig, uint64_t seed)
{
    rig_init(rig, seed);
    rig->box.options.shard_count = 1;
    rig_open(rig);
}

void rig_close(struct rig *rig)
{
    compactor_close(rig->compactor);
    store_box_deinit(&rig->box);
}

void rig_reopen(struct rig *rig)
{
    compactor_close(rig->compactor);
    store_box_close(&rig->box);
    rig_open(rig);
}

void rig_crash(struct rig *rig, enum power_cut cut)
{
    compactor_close(rig->compactor);
    store_box_crash(&rig->box, cut);
    rig_open(rig);
}

void rig_put(struct rig *rig, const char *series, int64_t ts_ms, double value)
{
    box_put(&rig->box, "a", series, ts_ms, value);
}

void rig_put_three(struct rig *rig)
{
    rig_put(rig, "up job=a", BOX_START_MS, 1);
    rig_put(rig, "up job=b", BOX_START_MS, 2);
    rig_put(rig, "cpu mode=x", BOX_START_MS, 3);
}

enum status rig_delete(struct rig *rig, const char *tenants, const char *matchers,
                       int64_t min_ts_ms, int64_t max_ts_ms, struct error *err)
{
    const struct box_query query = {tenants, matchers, min_ts_ms, max_ts_ms};
    return box_delete(&rig->box, &query, err);
}

void expect_deleted(struct rig *rig, const char *matchers, int64_t min_ts_ms, int64_t max_ts_ms)
{
    struct error err = {0};
    expect_ok(rig_delete(rig, "a", matchers, min_ts_ms, max_ts_ms, &err));
}

void rig_clean(struct rig *rig)
{
    struct error err = {0};
    expect_ok(compactor_settle(rig->compactor, SETTLE_CLEAN, &err));
}

struct merge_rules rig_rules_of_four(void)
{
    return (struct merge_rules){.fan_in = 4, .finish_after_ms = INT64_C(3600000)};
}

struct compactor *rig_compactor(struct store_box *box)
{
    struct merge_rules rules = rig_rules_of_four();
    return make_compactor(box, &rules);
}

void flush_times(struct store_box *box, const char *tenant, int times)
{
    for (int i = 0; i < times; i++) {
        box_put(box, tenant, "up", BOX_START_MS + i, i);
        box_put(box, tenant, "zone", BOX_START_MS + i, i);
        expect_flush(box);
    }
}

uint64_t shard_block_count(struct store_box *box, const char *tenant)
{
    struct shard_status status;
    store_shard_status(box->store, box_shard_of(box, tenant), &status);
    return status.block_count;
}
