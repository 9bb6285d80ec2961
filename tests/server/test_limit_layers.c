/* Whose limits hold, and that what was set at run time is there again after whatever happens. */
#include "server/limit_layers.h"

#include "base/check.h"
#include "base/sim_disk.h"
#include "base/thread.h"
#include "tests/support/test.h"

struct rig {
    struct sim_disk *sim;
    struct disk *disk;
    struct tenant_table *tenants;
    struct limit_layers *layers;
    struct config config;
};

static enum status try_open(struct rig *rig, struct error *err)
{
    struct tenant_table_options options = {
        .shard_count = 1, .tenants_max = 10, .default_tenant = STR("anonymous")};
    rig->disk = sim_disk_disk(rig->sim);
    rig->layers = NULL;
    TRY(tenant_table_open(&options, &rig->tenants, err));
    TRY(limit_layers_open(rig->disk, rig->tenants, &rig->layers, err));
    limit_layers_configure(rig->layers, &rig->config);
    return STATUS_OK;
}

static void close_layers(struct rig *rig)
{
    limit_layers_close(rig->layers);
    tenant_table_close(rig->tenants);
    disk_close(rig->disk);
}

static void rig_init(struct rig *rig, const char *config, uint64_t seed)
{
    struct error err = {0};
    rig->sim = sim_disk_new(seed);
    config_init(&rig->config);
    expect_ok(config_read(&rig->config, str_from(config), "croft.yml", &err));
    expect_ok(try_open(rig, &err));
}

static void rig_deinit(struct rig *rig)
{
    close_layers(rig);
    config_deinit(&rig->config);
    sim_disk_free(rig->sim);
}

static struct tenant_id id_of(const char *text)
{
    struct tenant_id id;
    struct error err;
    expect_ok(tenant_id_parse(str_from(text), &id, &err));
    return id;
}

/* NULL: takes back what is set. */
static enum status set(struct rig *rig, const char *tenant, const char *text, struct error *err)
{
    struct tenant_id id = id_of(tenant);
    struct tenant_limits limits;
    if (text == NULL)
        return limit_layers_set(rig->layers, &id, NULL, err);
    TRY(limit_text_read(str_from(text), "limits", &limits, err));
    return limit_layers_set(rig->layers, &id, &limits, err);
}

static uint64_t max_of(struct rig *rig, const char *tenant, enum tenant_limit_mode mode)
{
    struct tenant *found;
    struct error err;
    expect_ok(tenant_table_get(rig->tenants, str_from(tenant), &found, &err));
    return tenant_limit_in(found, mode, TENANT_LIMIT_MAX_SERIES);
}

TEST(a_limit_says_where_it_comes_from)
{
    struct rig rig;
    struct error err;
    struct tenant_limits limits = tenant_limits_kept();
    struct tenant_id a = id_of("a"), b = id_of("b"), c = id_of("c");
    rig_init(&rig,
             "limits: {max_series: 5, max_label_names_per_series: 64}\n"
             "tenants: {a: {limits: {ingestion_rate: 7}}}\n",
             1);
    limits.max[LIMIT_SOFT][TENANT_LIMIT_MAX_SERIES] = 3;
    expect_ok(limit_layers_set(rig.layers, &c, &limits, &err));
    const struct {
        const struct tenant_id *id;
        enum tenant_limit limit;
        const char *source;
    } rows[] = {
        {&a, TENANT_LIMIT_MAX_SERIES, "config"},       {&a, TENANT_LIMIT_INGESTION_RATE, "config"},
        {&b, TENANT_LIMIT_MAX_SERIES, "config"},       {&b, TENANT_LIMIT_INGESTION_RATE, "default"},
        {&b, TENANT_LIMIT_MAX_LABEL_NAMES, "default"}, {&c, TENANT_LIMIT_MAX_SERIES, "runtime"},
        {&c, TENANT_LIMIT_INGESTION_RATE, "default"}};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        assert_string_equal(limit_layers_source(rig.layers, rows[i].id, rows[i].limit),
                            rows[i].source);
    rig_deinit(&rig);
}

static void expect_replica_label(struct rig *rig, const char *tenant, const char *want,
                                 const char *source)
{
    struct tenant_id id = id_of(tenant);
    struct tenant_texts texts;
    tenant_table_texts(rig->tenants, &id, &texts);
    assert_string_equal(texts.of[TENANT_TEXT_HA_REPLICA_LABEL], want);
    assert_string_equal(limit_layers_text_source(rig->layers, &id, TENANT_TEXT_HA_REPLICA_LABEL),
                        source);
}

TEST(a_text_says_where_it_comes_from_and_survives_a_restart)
{
    struct rig rig;
    struct error err = {0};
    rig_init(&rig, "tenants: {a: {limits: {ha_replica_label: x}}, c: {limits: {}}}", 1);
    expect_ok(set(&rig, "b", "{ha_replica_label: y}", &err));
    expect_ok(set(&rig, "c", "{ha_cluster_label: z}", &err));
    close_layers(&rig);
    expect_ok(try_open(&rig, &err));
    expect_replica_label(&rig, "a", "x", "config");
    expect_replica_label(&rig, "b", "y", "runtime");
    expect_replica_label(&rig, "c", "__replica__", "default");
    expect_status(set(&rig, "a", "{ha_cluster_label: x}", &err), STATUS_INVALID);
    rig_deinit(&rig);
}

TEST(each_layer_lies_over_the_one_before)
{
    struct rig rig;
    struct error err = {0};
    rig_init(&rig, "limits: {max_series: 10}\ntenants: {b: {limits: {max_series: 20}}}", 1);
    expect_ok(set(&rig, "b", "{max_series: 30}", &err));
    expect_ok(set(&rig, "c", "{max_series: {soft: 4}}", &err));
    assert_int_equal(max_of(&rig, "a", LIMIT_HARD), 10);
    assert_int_equal(max_of(&rig, "b", LIMIT_HARD), 30);
    assert_int_equal(max_of(&rig, "c", LIMIT_HARD), 10);
    assert_int_equal(max_of(&rig, "c", LIMIT_SOFT), 4);
    expect_ok(set(&rig, "b", "{max_label_values: 5}", &err)); /* replaces all that was set */
    assert_int_equal(max_of(&rig, "b", LIMIT_HARD), 20);
    expect_ok(set(&rig, "c", NULL, &err));
    assert_int_equal(max_of(&rig, "c", LIMIT_SOFT), 7);
    expect_status(set(&rig, "c", NULL, &err), STATUS_NOT_FOUND);
    expect_str(str_from(err.text), "nothing is set for tenant \"c\"");
    rig_deinit(&rig);
}

TEST(a_soft_limit_set_beyond_the_hard_one_that_holds_is_refused)
{
    struct rig rig;
    struct error err = {0};
    rig_init(&rig,
             "limits: {max_series: {hard: 10, soft: 9}}\ntenants: {b: {limits: {max_series: 20}}}",
             1);
    expect_status(set(&rig, "a", "{max_series: {soft: 11}}", &err), STATUS_INVALID);
    expect_str(str_from(err.text),
               "max_series: soft: got 11, want at most the hard limit, which is 10");
    expect_ok(set(&rig, "a", "{max_series: {soft: 10}}", &err));
    expect_ok(set(&rig, "a", "{max_series: {soft: 11, hard: 11}}", &err));
    expect_ok(set(&rig, "b", "{max_series: {soft: 20}}", &err));
    expect_status(set(&rig, "b", "{max_series: {soft: 21}}", &err), STATUS_INVALID);
    assert_int_equal(max_of(&rig, "b", LIMIT_SOFT), 20);
    rig_deinit(&rig);
}

TEST(a_soft_limit_that_a_layer_above_has_put_beyond_the_hard_one_says_nothing)
{
    struct rig rig;
    struct error err = {0};
    rig_init(&rig, "limits: {max_series: {hard: 100, soft: 90}}", 1);
    expect_ok(set(&rig, "a", "{max_series: 50}", &err));
    assert_int_equal(max_of(&rig, "a", LIMIT_SOFT), 39);
    expect_ok(set(&rig, "b", "{max_series: {soft: 95}}", &err));
    config_deinit(&rig.config);
    config_init(&rig.config);
    expect_ok(config_read(&rig.config, STR("limits: {max_series: 20}"), "croft.yml", &err));
    limit_layers_configure(rig.layers, &rig.config);
    assert_int_equal(max_of(&rig, "b", LIMIT_HARD), 20);
    assert_int_equal(max_of(&rig, "b", LIMIT_SOFT), 15);
    close_layers(&rig);
    expect_ok(try_open(&rig, &err)); /* nor does it stop the start */
    assert_int_equal(max_of(&rig, "b", LIMIT_SOFT), 15);
    rig_deinit(&rig);
}

TEST(a_reload_leaves_what_was_set)
{
    struct rig rig;
    struct error err = {0};
    rig_init(&rig, "", 1);
    expect_ok(set(&rig, "a", "{max_series: 30}", &err));
    config_deinit(&rig.config);
    config_init(&rig.config);
    expect_ok(
        config_read(&rig.config,
                    STR("limits: {max_series: {soft: 2}}\ntenants: {a: {limits: {max_series: 5}}}"),
                    "croft.yml", &err));
    limit_layers_configure(rig.layers, &rig.config);
    assert_int_equal(max_of(&rig, "a", LIMIT_HARD), 30);
    assert_int_equal(max_of(&rig, "a", LIMIT_SOFT), 2);
    assert_int_equal(max_of(&rig, "b", LIMIT_HARD), 1000000);
    rig_deinit(&rig);
}

TEST(a_restart_reads_what_was_set)
{
    struct rig rig;
    struct error err = {0};
    rig_init(&rig, "limits: {max_series: 10}", 1);
    expect_ok(set(&rig, "b", "{max_series: 30}", &err));
    expect_ok(set(&rig, "a", "{max_series: {dry_run: 7}}", &err));
    close_layers(&rig);
    expect_ok(try_open(&rig, &err));
    assert_int_equal(max_of(&rig, "b", LIMIT_HARD), 30);
    assert_int_equal(max_of(&rig, "a", LIMIT_DRY_RUN), 7);
    struct tenant_id id = id_of("b");
    assert_int_equal(limit_layers_get(rig.layers, &id).max[LIMIT_HARD][TENANT_LIMIT_MAX_SERIES],
                     30);
    rig_deinit(&rig);
}

TEST(a_damaged_file_stops_the_start_and_stays)
{
    struct rig rig;
    struct error err = {0};
    rig_init(&rig, "", 1);
    expect_ok(set(&rig, "b", "{max_series: 30}", &err));
    close_layers(&rig);
    sim_disk_flip(rig.sim, "croft.limits", 50, 1);
    expect_status(try_open(&rig, &err), STATUS_CORRUPT);
    close_layers(&rig);
    sim_disk_flip(rig.sim, "croft.limits", 50, 1);
    expect_ok(try_open(&rig, &err));
    assert_int_equal(max_of(&rig, "b", LIMIT_HARD), 30);
    rig_deinit(&rig);
}

TEST(what_was_answered_survives_a_power_cut)
{
    enum status status = STATUS_IO;
    for (uint64_t at = 0; status != STATUS_OK; at++) {
        struct rig rig;
        struct error err = {0};
        rig_init(&rig, "limits: {max_series: 10}", at);
        expect_ok(set(&rig, "b", "{max_series: 30}", &err));
        sim_disk_cut_power_at(rig.sim, sim_disk_operation_count(rig.sim) + at);
        status = set(&rig, "b", "{max_series: 40}", &err);
        /* what is not durable does not hold */
        assert_int_equal(max_of(&rig, "b", LIMIT_HARD), status == STATUS_OK ? 40 : 30);
        close_layers(&rig);
        sim_disk_restore_power(rig.sim, POWER_CUT_KEEP_SOME);
        expect_ok(try_open(&rig, &err));
        uint64_t max = max_of(&rig, "b", LIMIT_HARD);
        assert_true(max == 40 || (max == 30 && status != STATUS_OK));
        rig_deinit(&rig);
    }
}

/* ---- at once ---- */

static void set_many(void *context)
{
    struct rig *rig = context;
    for (int i = 1; i <= 50; i++) {
        struct tenant_id id;
        struct tenant_limits limits = tenant_limits_kept();
        struct error err;
        CHECK(tenant_id_parse(STR("b"), &id, &err) == STATUS_OK);
        limits.max[LIMIT_HARD][TENANT_LIMIT_MAX_SERIES] = (uint64_t)i;
        CHECK(limit_layers_set(rig->layers, &id, &limits, &err) == STATUS_OK);
    }
}

TEST(changes_and_reloads_at_once_lose_neither)
{
    struct rig rig;
    struct thread setter;
    rig_init(&rig, "limits: {max_series: 100}\ntenants: {c: {limits: {max_series: 200}}}", 1);
    thread_start(&setter, "setter", set_many, &rig);
    for (int i = 0; i < 200; i++) {
        limit_layers_configure(rig.layers, &rig.config);
        assert_int_equal(max_of(&rig, "c", LIMIT_HARD), 200);
        assert_true(max_of(&rig, "b", LIMIT_HARD) <= 100);
    }
    thread_join(&setter);
    assert_int_equal(max_of(&rig, "b", LIMIT_HARD), 50);
    assert_int_equal(max_of(&rig, "a", LIMIT_HARD), 100);
    rig_deinit(&rig);
}

TEST_MAIN(RUN(a_limit_says_where_it_comes_from),
          RUN(a_text_says_where_it_comes_from_and_survives_a_restart),
          RUN(each_layer_lies_over_the_one_before),
          RUN(a_soft_limit_set_beyond_the_hard_one_that_holds_is_refused),
          RUN(a_soft_limit_that_a_layer_above_has_put_beyond_the_hard_one_says_nothing),
          RUN(a_reload_leaves_what_was_set), RUN(a_restart_reads_what_was_set),
          RUN(a_damaged_file_stops_the_start_and_stays),
          RUN(what_was_answered_survives_a_power_cut),
          RUN(changes_and_reloads_at_once_lose_neither))
