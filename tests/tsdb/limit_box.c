#include "tests/tsdb/limit_box.h"

enum { BOX_SEED = 5 };

struct tenant *limit_box_open(struct store_box *box, enum tenant_limit limit, uint64_t max,
                              bool is_manual)
{
    struct error err = {0};
    struct tenant *tenant;
    store_box_init(box, BOX_SEED);
    box->options.is_manual = is_manual;
    expect_ok(store_box_open(box, &err));
    expect_ok(tenant_table_get(store_tenants(box->store), STR("a"), &tenant, &err));
    counter_set(&tenant->limit_max[LIMIT_HARD][limit], max);
    return tenant;
}

struct write_result limit_box_put(struct store_box *box, const char *series, int64_t ts_ms)
{
    const struct box_sample sample = {"a", series, ts_ms, 1};
    return expect_write(box, &sample, 1);
}

void expect_taken(struct store_box *box, const char *series, int64_t ts_ms)
{
    struct write_result result = limit_box_put(box, series, ts_ms);
    if (result.samples_written != 1)
        fail_msg("%s at %lld: refused", series, (long long)ts_ms);
}
