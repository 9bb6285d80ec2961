#include "ingest/ha_tracker.h"

#include <stdio.h>

#include "base/check.h"
#include "base/thread.h"
#include "tests/support/test.h"

struct rig {
    struct sim_clock clock;
    struct tenant_table *tenants;
    struct tenant *a, *b;
    struct ha_tracker *tracker;
};

static void rig_init(struct rig *rig)
{
    struct error err;
    struct tenant_table_options options = {
        .shard_count = 1, .tenants_max = 10, .default_tenant = STR("anonymous")};
    sim_clock_init(&rig->clock, INT64_C(1700000000000));
    expect_ok(tenant_table_open(&options, &rig->tenants, &err));
    expect_ok(tenant_table_get(rig->tenants, STR("a"), &rig->a, &err));
    expect_ok(tenant_table_get(rig->tenants, STR("b"), &rig->b, &err));
    rig->tracker = ha_tracker_new(&rig->clock.base);
}

static void rig_deinit(struct rig *rig)
{
    ha_tracker_free(rig->tracker);
    tenant_table_close(rig->tenants);
}

static bool is_kept(struct rig *rig, const struct tenant *tenant, const char *cluster,
                    const char *replica)
{
    struct error err;
    struct ha_verdict verdict;
    const struct ha_replica sender = {str_from(cluster), str_from(replica)};
    expect_ok(ha_tracker_check(rig->tracker, tenant, sender, &verdict, &err));
    assert_int_equal(verdict.is_kept, strcmp(verdict.elected, replica) == 0);
    return verdict.is_kept;
}

static struct error expect_refused(struct rig *rig, struct str cluster, struct str replica,
                                   enum status status)
{
    struct error err;
    struct ha_verdict verdict;
    const struct ha_replica sender = {cluster, replica};
    expect_status(ha_tracker_check(rig->tracker, rig->a, sender, &verdict, &err), status);
    return err;
}

TEST(the_first_replica_of_a_cluster_is_elected)
{
    struct rig rig;
    rig_init(&rig);
    assert_true(is_kept(&rig, rig.a, "c1", "r1"));
    assert_false(is_kept(&rig, rig.a, "c1", "r2"));
    assert_true(is_kept(&rig, rig.a, "c1", "r1"));
    /* each cluster of each tenant by itself */
    assert_true(is_kept(&rig, rig.a, "c2", "r2"));
    assert_true(is_kept(&rig, rig.b, "c1", "r2"));
    rig_deinit(&rig);
}

TEST(another_one_takes_over_when_nothing_came_for_half_a_minute)
{
    struct rig rig;
    rig_init(&rig);
    assert_true(is_kept(&rig, rig.a, "c", "r1"));
    sim_clock_advance(&rig.clock, HA_FAILOVER_MS - 1);
    assert_false(is_kept(&rig, rig.a, "c", "r2"));
    sim_clock_advance(&rig.clock, 1);
    assert_true(is_kept(&rig, rig.a, "c", "r2"));
    assert_int_equal(ha_tracker_failovers(rig.tracker), 1);
    /* the first one is back and waits for its turn */
    assert_false(is_kept(&rig, rig.a, "c", "r1"));
    sim_clock_advance(&rig.clock, HA_FAILOVER_MS - 1);
    assert_true(is_kept(&rig, rig.a, "c", "r2"));
    sim_clock_advance(&rig.clock, HA_FAILOVER_MS - 1);
    assert_false(is_kept(&rig, rig.a, "c", "r1"));
    rig_deinit(&rig);
}

TEST(the_clock_of_the_wall_does_not_matter)
{
    struct rig rig;
    rig_init(&rig);
    assert_true(is_kept(&rig, rig.a, "c", "r1"));
    sim_clock_jump(&rig.clock, INT64_C(1800000000000));
    assert_false(is_kept(&rig, rig.a, "c", "r2"));
    rig_deinit(&rig);
}

TEST(clusters_are_bounded_and_those_long_gone_make_room)
{
    struct rig rig;
    rig_init(&rig);
    counter_set(&rig.a->limit_max[LIMIT_HARD][TENANT_LIMIT_HA_MAX_CLUSTERS], 2);
    assert_true(is_kept(&rig, rig.a, "c1", "r"));
    sim_clock_advance(&rig.clock, 1);
    assert_true(is_kept(&rig, rig.a, "c2", "r"));
    struct error err = expect_refused(&rig, STR("c3"), STR("r"), STATUS_LIMIT);
    expect_str(
        str_from(err.text),
        "tenant \"a\" has 2 HA clusters, limit ha_max_clusters is 2: refused cluster \"c3\"; to "
        "raise it: tenants: {a: {limits: {ha_max_clusters: ...}}}");
    sim_clock_advance(&rig.clock, HA_FORGET_MS - 1);
    assert_true(is_kept(&rig, rig.a, "c3", "r")); /* in the place of c1 */
    assert_true(is_kept(&rig, rig.a, "c2", "r"));
    expect_refused(&rig, STR("c1"), STR("r"), STATUS_LIMIT);
    rig_deinit(&rig);
}

TEST(names_are_bounded)
{
    struct rig rig;
    struct error err;
    struct ha_verdict verdict;
    char name[HA_TEXT_LEN_MAX + 1];
    struct str longest = {name, HA_TEXT_LEN_MAX}, too_long = {name, HA_TEXT_LEN_MAX + 1};
    memset(name, 'x', sizeof name);
    rig_init(&rig);
    const struct ha_replica sender = {longest, longest};
    expect_ok(ha_tracker_check(rig.tracker, rig.a, sender, &verdict, &err));
    assert_true(verdict.is_kept);
    assert_int_equal(strlen(verdict.elected), HA_TEXT_LEN_MAX);
    expect_refused(&rig, too_long, STR("r"), STATUS_INVALID);
    expect_refused(&rig, STR("c"), too_long, STATUS_INVALID);
    expect_refused(&rig, (struct str){"a\0b", 3}, STR("r"), STATUS_INVALID);
    rig_deinit(&rig);
}

/* ---- at once ---- */

struct sender {
    struct rig *rig;
    struct thread thread;
    char replica[16];
    int kept;
};

static void send_often(void *context)
{
    struct sender *sender = context;
    for (int i = 0; i < 1000; i++) {
        struct error err;
        struct ha_verdict verdict;
        char cluster[16];
        snprintf(cluster, sizeof cluster, "c%d", i);
        const struct ha_replica replica = {str_from(cluster), str_from(sender->replica)};
        CHECK(ha_tracker_check(sender->rig->tracker, sender->rig->a, replica, &verdict, &err) ==
              STATUS_OK);
        sender->kept += verdict.is_kept;
    }
}

TEST(of_replicas_that_come_at_once_one_is_elected)
{
    enum { SENDERS = 8 };
    struct rig rig;
    struct sender senders[SENDERS];
    int kept = 0;
    rig_init(&rig);
    counter_set(&rig.a->limit_max[LIMIT_HARD][TENANT_LIMIT_HA_MAX_CLUSTERS], 1000);
    for (int i = 0; i < SENDERS; i++) {
        senders[i] = (struct sender){.rig = &rig};
        snprintf(senders[i].replica, sizeof senders[i].replica, "r%d", i);
        thread_start(&senders[i].thread, "sender", send_often, &senders[i]);
    }
    for (int i = 0; i < SENDERS; i++) {
        thread_join(&senders[i].thread);
        kept += senders[i].kept;
    }
    assert_int_equal(kept, 1000);
    rig_deinit(&rig);
}

TEST_MAIN(RUN(the_first_replica_of_a_cluster_is_elected),
          RUN(another_one_takes_over_when_nothing_came_for_half_a_minute),
          RUN(the_clock_of_the_wall_does_not_matter),
          RUN(clusters_are_bounded_and_those_long_gone_make_room), RUN(names_are_bounded),
          RUN(of_replicas_that_come_at_once_one_is_elected))
