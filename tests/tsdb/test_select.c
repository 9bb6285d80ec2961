#include "tests/support/store_box.h"

enum { BOX_SEED = 5 };

#define T0 BOX_START_MS

/* Some tenants; afterwards half of what is there is in blocks. */
static void fill(struct store_box *box)
{
    struct error err = {0};
    box_put(box, "a", "up job=x", T0, 1);
    box_put(box, "b", "up job=x", T0, 2);
    box_put(box, "anonymous", "up job=x", T0, 3);
    box_put(box, "d", "up job=y tenant_id=a", T0, 4);
    expect_ok(box_flush(box, &err));
    box_put(box, "a", "up job=x", T0 + 1, 11);
    box_put(box, "b", "down job=z", T0, 5);
    box_put(box, "anonymous", "up job=x tenant_id=other", T0, 6);
    box_put(box, "d", "up job=y tenant_id=d", T0, 7);
}

/* All time, unless it is a range. */
#define expect_query(box, tenants, matchers, want) expect_range(box, tenants, matchers, 0, 0, want)
#define expect_range(box, tenants, matchers, min_ts_ms, max_ts_ms, want)                           \
    expect_query_(box, &(struct box_query){tenants, matchers, min_ts_ms, max_ts_ms}, want, __LINE__)

static void expect_query_(struct store_box *box, const struct box_query *query, const char *want,
                          int line)
{
    struct error err = {0};
    struct str got;
    expect_status_(box_select(box, query, &got, &err), STATUS_OK, &err, "select", __FILE__, line);
    expect_str_(got, want, "select", __FILE__, line);
}

#define expect_names(box, tenants, matchers, want)                                                 \
    expect_list_(box, &(struct box_query){tenants, matchers, 0, 0}, NULL, want, __LINE__)
#define expect_values(box, tenants, matchers, name, want)                                          \
    expect_list_(box, &(struct box_query){tenants, matchers, 0, 0}, name, want, __LINE__)

static void expect_list_(struct store_box *box, const struct box_query *query, const char *name,
                         const char *want, int line)
{
    struct error err = {0};
    struct str got;
    expect_status_(box_label_list(box, query, name, &got, &err), STATUS_OK, &err, "labels",
                   __FILE__, line);
    expect_str_(got, want, name == NULL ? "names" : name, __FILE__, line);
}

/* ---- scopes ---- */

TEST(one_tenant_is_shown_as_it_was_written)
{
    struct store_box box;
    store_box_start(&box, BOX_SEED);
    fill(&box);
    expect_series(&box, "a", "up{job=\"x\"} 1700000000000:1 1700000000001:11\n");
    expect_series(&box, "anonymous",
                  "up{job=\"x\"} 1700000000000:3\n"
                  "up{job=\"x\", tenant_id=\"other\"} 1700000000000:6\n");
    expect_series(&box, "d",
                  "up{job=\"y\", tenant_id=\"a\"} 1700000000000:4\n"
                  "up{job=\"y\", tenant_id=\"d\"} 1700000000000:7\n");
    expect_series(&box, "nobody", "");
    store_box_deinit(&box);
}

TEST(several_tenants_show_which_is_which)
{
    struct store_box box;
    store_box_start(&box, BOX_SEED);
    fill(&box);
    expect_series(&box, "a|b",
                  "down{job=\"z\", tenant_id=\"b\"} 1700000000000:5\n"
                  "up{job=\"x\", tenant_id=\"a\"} 1700000000000:1 1700000000001:11\n"
                  "up{job=\"x\", tenant_id=\"b\"} 1700000000000:2\n");
    expect_series(&box, "a|nobody",
                  "up{job=\"x\", tenant_id=\"a\"} 1700000000000:1 1700000000001:11\n");
    store_box_deinit(&box);
}

TEST(a_tenant_label_that_says_something_else_is_kept_under_another_name)
{
    struct store_box box;
    store_box_start(&box, BOX_SEED);
    fill(&box);
    expect_series(&box, "d|nobody",
                  "up{job=\"y\", original_tenant_id=\"a\", tenant_id=\"d\"} 1700000000000:4\n"
                  "up{job=\"y\", tenant_id=\"d\"} 1700000000000:7\n");
    store_box_deinit(&box);
}

TEST(the_default_tenant_shows_no_label)
{
    struct store_box box;
    store_box_start(&box, BOX_SEED);
    fill(&box);
    expect_series(&box, "*",
                  "down{job=\"z\", tenant_id=\"b\"} 1700000000000:5\n"
                  "up{job=\"x\"} 1700000000000:3\n"
                  "up{job=\"x\", original_tenant_id=\"other\"} 1700000000000:6\n"
                  "up{job=\"x\", tenant_id=\"a\"} 1700000000000:1 1700000000001:11\n"
                  "up{job=\"x\", tenant_id=\"b\"} 1700000000000:2\n"
                  "up{job=\"y\", original_tenant_id=\"a\", tenant_id=\"d\"} 1700000000000:4\n"
                  "up{job=\"y\", tenant_id=\"d\"} 1700000000000:7\n");
    store_box_deinit(&box);
}

/* In blocks and in memory: the written label is the tenant already, or hides another. */
TEST(series_that_would_be_shown_alike_are_one)
{
    const char *const alike[] = {"m", "m tenant_id=a", "n tenant_id=b",
                                 "n tenant_id=b original_tenant_id=z"};
    struct store_box box;
    struct error err = {0};
    store_box_start(&box, BOX_SEED);
    for (int i = 0; i < 4; i++)
        box_put(&box, "a", alike[i], T0 + i, i);
    expect_ok(box_flush(&box, &err));
    expect_series(&box, "a|nobody",
                  "m{tenant_id=\"a\"} 1700000000000:0 1700000000001:1\n"
                  "n{original_tenant_id=\"b\", tenant_id=\"a\"} 1700000000002:2 "
                  "1700000000003:3\n");
    for (int i = 0; i < 4; i++)
        box_put(&box, "a", alike[i], T0 + 5, 5);
    expect_series(&box, "a|nobody",
                  "m{tenant_id=\"a\"} 1700000000000:0 1700000000001:1 1700000000005:5\n"
                  "n{original_tenant_id=\"b\", tenant_id=\"a\"} 1700000000002:2 "
                  "1700000000003:3 1700000000005:5\n");
    store_box_deinit(&box);
}

/* ---- matchers ---- */

TEST(matchers_choose_series_in_head_and_blocks)
{
    struct store_box box;
    store_box_start(&box, BOX_SEED);
    box_put(&box, "a", "up job=x zone=1", T0, 1);
    box_put(&box, "a", "up job=y", T0, 2);
    struct error err = {0};
    expect_ok(box_flush(&box, &err));
    box_put(&box, "a", "up job=z zone=2", T0, 3);
    box_put(&box, "a", "down job=x", T0, 4);
    const char *x1 = "up{job=\"x\", zone=\"1\"} 1700000000000:1\n";
    expect_query(&box, "a", "job=x zone=1", x1);
    expect_query(&box, "a", "job=x zone!=", x1);
    expect_query(&box, "a", "job=x|y zone=", "");
    expect_query(&box, "a", "job=~x|y zone=",
                 "down{job=\"x\"} 1700000000000:4\nup{job=\"y\"} 1700000000000:2\n");
    expect_query(&box, "a", "job!~x|y", "up{job=\"z\", zone=\"2\"} 1700000000000:3\n");
    expect_query(&box, "a", "__name__=~u.+ zone!~[13]",
                 "up{job=\"y\"} 1700000000000:2\nup{job=\"z\", zone=\"2\"} 1700000000000:3\n");
    expect_query(&box, "a", "nosuch!=x __name__=down", "down{job=\"x\"} 1700000000000:4\n");
    expect_query(&box, "a", "nosuch=x", "");
    store_box_deinit(&box);
}

TEST(matchers_on_the_tenant_choose_tenants)
{
    struct store_box box;
    store_box_start(&box, BOX_SEED);
    fill(&box);
    const char *a = "up{job=\"x\", tenant_id=\"a\"} 1700000000000:1 1700000000001:11\n";
    expect_query(&box, "a|b|d", "tenant_id=a", a);
    expect_query(&box, "a|b|d", "tenant_id=~a|x job=x", a);
    expect_query(&box, "a|b|d", "tenant_id!~b|d", a);
    expect_query(&box, "*", "__tenant_id__=a", a);
    expect_query(&box, "a|b|d", "tenant_id=nobody", "");
    /* what a series says about itself does not count, the default tenant's neither */
    expect_query(&box, "*", "tenant_id=~a|other", a);
    const char *nameless = "up{job=\"x\"} 1700000000000:3\n"
                           "up{job=\"x\", original_tenant_id=\"other\"} 1700000000000:6\n";
    expect_query(&box, "*", "tenant_id=", nameless);
    expect_query(&box, "*", "__tenant_id__=anonymous", nameless);
    store_box_deinit(&box);
}

TEST(matchers_on_the_rewritten_label_see_what_is_shown)
{
    struct store_box box;
    store_box_start(&box, BOX_SEED);
    fill(&box);
    expect_query(&box, "*", "original_tenant_id=a",
                 "up{job=\"y\", original_tenant_id=\"a\", tenant_id=\"d\"} 1700000000000:4\n");
    expect_query(&box, "a|d", "original_tenant_id=",
                 "up{job=\"x\", tenant_id=\"a\"} 1700000000000:1 1700000000001:11\n"
                 "up{job=\"y\", tenant_id=\"d\"} 1700000000000:7\n");
    expect_query(&box, "d", "tenant_id=a", "up{job=\"y\", tenant_id=\"a\"} 1700000000000:4\n");
    expect_query(&box, "d", "original_tenant_id=a", "");
    box_put(&box, "b", "down original_tenant_id=z", T0, 8);
    expect_query(&box, "*", "original_tenant_id=z",
                 "down{original_tenant_id=\"z\", tenant_id=\"b\"} 1700000000000:8\n");
    store_box_deinit(&box);
}

/* ---- time ---- */

TEST(only_the_range_of_time_is_read_and_series_outside_are_left_out)
{
    struct store_box box;
    struct error err = {0};
    store_box_start(&box, BOX_SEED);
    for (int i = 0; i < 5; i++)
        box_put(&box, "a", "up", T0 + i * 10, i);
    expect_ok(box_flush(&box, &err));
    box_put(&box, "a", "old", T0 - 1000, 1);
    expect_ok(box_flush(&box, &err));
    for (int i = 5; i < 8; i++)
        box_put(&box, "a", "up", T0 + i * 10, i);
    expect_range(&box, "a", NULL, T0 + 40, T0 + 50, "up 1700000000040:4 1700000000050:5\n");
    expect_range(&box, "a", NULL, T0 + 41, T0 + 49, "");
    expect_range(&box, "a", NULL, T0 - 1000, T0 - 1000, "old 1699999999000:1\n");
    expect_range(&box, "a", NULL, T0 + 71, T0 + 1000, "");
    store_box_deinit(&box);
}

TEST(series_of_a_block_that_have_nothing_in_the_range_are_left_out)
{
    struct store_box box;
    struct error err = {0};
    store_box_start(&box, BOX_SEED);
    box_put(&box, "a", "early", T0, 1);
    box_put(&box, "a", "long", T0, 1);
    box_put(&box, "a", "long", T0 + 100, 2);
    box_put(&box, "a", "late", T0 + 100, 1);
    expect_ok(box_flush(&box, &err));
    static const struct {
        int64_t min_ts_ms;
        int64_t max_ts_ms;
        const char *want;
    } cases[] = {{T0, T0 + 99, "early long"},
                 {T0 + 1, T0 + 99, "long"},
                 {T0 + 1, T0 + 100, "late long"},
                 {T0, T0 + 100, "early late long"}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct box_query query = {"a", "__name__!=", cases[i].min_ts_ms, cases[i].max_ts_ms};
        expect_list_(&box, &query, "__name__", cases[i].want, __LINE__);
    }
    store_box_deinit(&box);
}

TEST(a_part_of_the_range_can_be_read)
{
    struct store_box box;
    struct error err = {0};
    store_box_start(&box, BOX_SEED);
    for (int i = 0; i < 100; i++)
        box_put(&box, "a", "up", T0 + i, i);
    struct scope scope = box_scope(&box.arena, "a");
    const struct select_options options = {
        .scope = &scope, .min_ts_ms = T0, .max_ts_ms = T0 + 1000};
    struct selection *selection;
    struct columns got;
    columns_init(&got);
    expect_ok(select_open(box.store, &options, &selection, &err));
    expect_ok(select_read(selection, 0, T0 + 40, T0 + 59, &got, &err));
    assert_int_equal(got.count, 20);
    assert_int_equal(got.ts_ms[0], T0 + 40);
    expect_ok(select_read(selection, 0, T0 + 7, T0 + 7, &got, &err)); /* replaces */
    assert_int_equal(got.count, 1);
    expect_ok(select_read(selection, 0, T0 + 8, T0 + 7, &got, &err));
    assert_int_equal(got.count, 0);
    select_close(selection);
    columns_deinit(&got);
    store_box_deinit(&box);
}

TEST(samples_older_than_the_retention_vanish_at_once)
{
    struct store_box box;
    struct error err = {0};
    store_box_start(&box, BOX_SEED);
    box_put(&box, "a", "old kind=block", T0, 1);
    box_put(&box, "a", "up kind=both", T0, 2);
    expect_ok(box_flush(&box, &err));
    box_put(&box, "a", "late kind=head", T0 + 1, 3);
    sim_clock_advance(&box.clock, BOX_RETENTION_MS);
    box_put(&box, "a", "up kind=both", T0 + BOX_RETENTION_MS, 4);
    expect_series(&box, "a",
                  "late{kind=\"head\"} 1700000000001:3\nold{kind=\"block\"} 1700000000000:1\n"
                  "up{kind=\"both\"} 1700000000000:2 1702592000000:4\n");
    sim_clock_advance(&box.clock, 2);
    expect_series(&box, "a", "up{kind=\"both\"} 1702592000000:4\n");
    expect_range(&box, "a", NULL, T0, T0 + 1, "");
    expect_values(&box, "a", "kind!=", "kind", "both");
    expect_ok(box_flush(&box, &err));
    expect_series(&box, "a", "up{kind=\"both\"} 1702592000000:4\n");
    store_box_deinit(&box);
}

TEST(labels_of_blocks_that_the_retention_hides_are_not_listed)
{
    struct store_box box;
    struct error err = {0};
    store_box_start(&box, BOX_SEED);
    box_put(&box, "a", "old kind=block", T0, 1);
    sim_clock_advance(&box.clock, box.options.idle_ms);
    for (uint32_t i = 0; i < 2; i++)
        store_sweep_idle(box.store, i);
    expect_ok(box_flush(&box, &err));
    expect_values(&box, "a", NULL, "kind", "block");
    sim_clock_advance(&box.clock, BOX_RETENTION_MS + 1);
    expect_values(&box, "a", NULL, "kind", "");
    expect_names(&box, "a", NULL, "");
    expect_values(&box, "*", NULL, "tenant_id", "");
    store_box_deinit(&box);
}

/* ---- label names and values ---- */

TEST(label_names_and_values_come_from_head_and_blocks)
{
    struct store_box box;
    struct error err = {0};
    store_box_start(&box, BOX_SEED);
    box_put(&box, "a", "up job=x zone=1", T0, 1);
    expect_ok(box_flush(&box, &err));
    store_box_close(&box); /* the head is empty now */
    expect_ok(store_box_open(&box, &err));
    box_put(&box, "a", "up job=y host=h", T0, 1);
    box_put(&box, "b", "other only=b", T0, 1);
    expect_names(&box, "a", NULL, "__name__ host job zone");
    expect_values(&box, "a", NULL, "job", "x y");
    expect_values(&box, "a", NULL, "zone", "1");
    expect_values(&box, "a", NULL, "nosuch", "");
    expect_names(&box, "a", "host=h", "__name__ host job");
    expect_values(&box, "a", "host=h", "job", "y");
    expect_values(&box, "a", "host=h", "zone", "");
    expect_list_(&box, &(struct box_query){"a", "job!=", T0 + 1, T0 + 2}, NULL, "", __LINE__);
    store_box_deinit(&box);
}

static void expect_job_in_range(struct store_box *box, int64_t min_ts_ms, int64_t max_ts_ms,
                                const char *want)
{
    const struct box_query query = {"a", NULL, min_ts_ms, max_ts_ms};
    expect_list_(box, &query, NULL, want[0] == '\0' ? "" : "__name__ job", __LINE__);
    expect_list_(box, &query, "job", want, __LINE__);
}

TEST(without_matchers_head_and_blocks_count_as_a_whole_when_the_range_touches_them)
{
    struct store_box box;
    struct error err = {0};
    store_box_start(&box, BOX_SEED);
    box_put(&box, "a", "up job=x", T0, 1);
    expect_ok(box_flush(&box, &err));
    store_box_close(&box);
    expect_ok(store_box_open(&box, &err));
    box_put(&box, "b", "up job=other", T0 + 5, 1);
    box_put(&box, "a", "up job=y", T0 + 10, 1);
    box_put(&box, "a", "up job=z", T0 + 20, 1);
    expect_job_in_range(&box, 1, T0 - 1, "");
    expect_job_in_range(&box, T0, T0 + 9, "x");
    expect_job_in_range(&box, T0 + 1, T0 + 9, "");
    expect_job_in_range(&box, T0 + 1, T0 + 10, "y z");
    expect_job_in_range(&box, T0, T0 + 20, "x y z");
    expect_job_in_range(&box, T0 + 21, T0 + 30, "");
    store_box_deinit(&box);
}

TEST(label_lists_of_several_tenants_show_the_tenant)
{
    struct store_box box;
    store_box_start(&box, BOX_SEED);
    fill(&box);
    expect_names(&box, "a|b", NULL, "__name__ job tenant_id");
    expect_values(&box, "a|b", NULL, "tenant_id", "a b");
    expect_values(&box, "a|b", NULL, "job", "x z");
    expect_values(&box, "a|b", "tenant_id=b", "job", "x z");
    expect_values(&box, "a|b", "tenant_id=b job=z", "__name__", "down");
    expect_values(&box, "*", NULL, "tenant_id", "a b d");
    expect_names(&box, "anonymous|nobody", NULL, "__name__ job original_tenant_id");
    expect_values(&box, "anonymous|nobody", NULL, "tenant_id", "");
    expect_values(&box, "*", NULL, "__tenant_id__", "a anonymous b d");
    expect_values(&box, "*", "job=x tenant_id!=b", "__tenant_id__", "a anonymous");
    expect_values(&box, "*", "job=~x|y original_tenant_id!=a", "__tenant_id__", "a anonymous b d");
    expect_values(&box, "a", NULL, "__tenant_id__", "");
    expect_values(&box, "*", "job=y", "tenant_id", "d");
    expect_values(&box, "anonymous", NULL, "tenant_id", "other");
    expect_values(&box, "d", NULL, "tenant_id", "a d");
    store_box_deinit(&box);
}

TEST(the_rewritten_label_is_listed)
{
    struct store_box box;
    store_box_start(&box, BOX_SEED);
    fill(&box);
    for (int round = 0; round < 2; round++) { /* from head and blocks, then from blocks */
        expect_names(&box, "a|d", NULL, "__name__ job original_tenant_id tenant_id");
        expect_values(&box, "a|d", NULL, "original_tenant_id", "a");
        expect_values(&box, "a|d", NULL, "tenant_id", "a d");
        expect_names(&box, "a|d", "job=y", "__name__ job original_tenant_id tenant_id");
        expect_values(&box, "a|d", "job=y", "original_tenant_id", "a");
        expect_values(&box, "*", NULL, "original_tenant_id", "a other");
        expect_query(&box, "*", "original_tenant_id=other",
                     "up{job=\"x\", original_tenant_id=\"other\"} 1700000000000:6\n");
        expect_query(&box, "anonymous|nobody",
                     "original_tenant_id=", "up{job=\"x\"} 1700000000000:3\n");
        struct error err = {0};
        expect_ok(box_flush(&box, &err));
    }
    store_box_deinit(&box);
}

TEST(a_tenant_whose_writes_were_all_refused_is_not_listed)
{
    struct store_box box;
    struct error err = {0};
    struct write_result result;
    store_box_start(&box, BOX_SEED);
    box_put(&box, "a", "up", T0, 1);
    const struct box_sample refused = {"ghost", "up", 0, 1};
    expect_ok(box_write(&box, &refused, 1, &result, &err));
    expect_values(&box, "*", NULL, "tenant_id", "a");
    store_box_deinit(&box);
}

/* ---- limits ---- */

TEST(more_series_than_asked_for_are_refused)
{
    struct store_box box;
    struct error err = {0};
    store_box_start(&box, BOX_SEED);
    fill(&box);
    struct scope scope = box_scope(&box.arena, "*");
    struct select_options options = {
        .scope = &scope, .min_ts_ms = INT64_MIN, .max_ts_ms = INT64_MAX, .series_max = 6};
    struct selection *selection;
    expect_status(select_open(box.store, &options, &selection, &err), STATUS_LIMIT);
    expect_str(str_from(err.text), "select: got more than 6 series, want at most that");
    options.series_max = 0;
    options.memory_max_bytes = 500;
    expect_status(select_open(box.store, &options, &selection, &err), STATUS_LIMIT);
    assert_true(str_starts_with(
        str_from(err.text), STR("select: the labels of the series take more than the 500 bytes")));
    options.memory_max_bytes = 1 << 20;
    expect_ok(select_open(box.store, &options, &selection, &err));
    assert_true(select_memory_bytes(selection) > 500);
    select_close(selection);
    options.series_max = 7; /* one of them is both in a block and in the head */
    expect_ok(select_open(box.store, &options, &selection, &err));
    assert_int_equal(select_count(selection), 7);
    select_close(selection);
    store_box_deinit(&box);
}

static enum status refuse(void *context, struct error *err)
{
    (*(int *)context)++;
    return error_set(err, STATUS_CANCELLED, "no longer wanted");
}

TEST(a_cancelled_selection_ends)
{
    struct store_box box;
    struct error err = {0};
    int checks = 0;
    store_box_start(&box, BOX_SEED);
    fill(&box);
    struct scope scope = box_scope(&box.arena, "*");
    const struct select_options options = {.scope = &scope,
                                           .min_ts_ms = INT64_MIN,
                                           .max_ts_ms = INT64_MAX,
                                           .check = refuse,
                                           .check_context = &checks};
    struct selection *selection;
    expect_status(select_open(box.store, &options, &selection, &err), STATUS_CANCELLED);
    expect_str(str_from(err.text), "no longer wanted");
    assert_int_equal(checks, 1);
    store_box_deinit(&box);
}

/* While a selection is open the shard goes on: it keeps its labels, and sees what comes. */
TEST(a_selection_goes_on_while_its_series_grow)
{
    struct store_box box;
    struct error err = {0};
    store_box_start(&box, BOX_SEED);
    box_put(&box, "a", "up", T0, 1);
    expect_ok(box_flush(&box, &err));
    box_put(&box, "a", "up", T0 + 1, 2);
    struct scope scope = box_scope(&box.arena, "a");
    const struct select_options options = {
        .scope = &scope, .min_ts_ms = INT64_MIN, .max_ts_ms = INT64_MAX};
    struct selection *selection;
    struct columns got;
    columns_init(&got);
    expect_ok(select_open(box.store, &options, &selection, &err));
    for (int i = 0; i < 500; i++)
        box_put(&box, "a", "up", T0 + 2 + i, i);
    expect_ok(select_read(selection, 0, INT64_MIN, INT64_MAX, &got, &err));
    assert_int_equal(got.count, 502);
    expect_str(select_labels(selection, 0).ptr[0].value, "up");
    select_close(selection);
    columns_deinit(&got);
    store_box_deinit(&box);
}

static size_t count_in(struct store_box *box, enum select_source source)
{
    struct error err = {0};
    struct selection *selection;
    struct scope scope = {.is_all = true};
    struct select_options options = {
        .scope = &scope, .source = source, .min_ts_ms = BOX_START_MS, .max_ts_ms = BOX_START_MS};
    expect_ok(select_open(box->store, &options, &selection, &err));
    size_t count = select_count(selection);
    select_close(selection);
    return count;
}

TEST(series_in_memory_and_active_ones_are_found_without_their_samples)
{
    struct store_box box;
    struct error err = {0};
    store_box_init(&box, 1);
    expect_ok(store_box_open(&box, &err));
    box_put(&box, "a", "m n=1", BOX_START_MS - 1, 1);
    box_put(&box, "a", "m n=2", BOX_START_MS, 1);
    expect_ok(box_flush(&box, &err));
    assert_int_equal(count_in(&box, SELECT_STORED), 1);
    assert_int_equal(count_in(&box, SELECT_ACTIVE), 2);
    sim_clock_advance(&box.clock, box.options.idle_ms);
    box_put(&box, "a", "m n=2", BOX_START_MS + 1, 1);
    for (uint32_t shard = 0; shard < store_shard_count(box.store); shard++)
        store_sweep_idle(box.store, shard);
    assert_int_equal(count_in(&box, SELECT_ACTIVE), 1);
    assert_int_equal(count_in(&box, SELECT_IN_MEMORY), 2);
    expect_ok(box_flush(&box, &err));
    assert_int_equal(count_in(&box, SELECT_IN_MEMORY), 1);
    store_box_deinit(&box);
}

TEST_MAIN(RUN(series_in_memory_and_active_ones_are_found_without_their_samples),
          RUN(one_tenant_is_shown_as_it_was_written), RUN(several_tenants_show_which_is_which),
          RUN(a_tenant_label_that_says_something_else_is_kept_under_another_name),
          RUN(the_default_tenant_shows_no_label), RUN(series_that_would_be_shown_alike_are_one),
          RUN(matchers_choose_series_in_head_and_blocks),
          RUN(matchers_on_the_tenant_choose_tenants),
          RUN(matchers_on_the_rewritten_label_see_what_is_shown),
          RUN(only_the_range_of_time_is_read_and_series_outside_are_left_out),
          RUN(series_of_a_block_that_have_nothing_in_the_range_are_left_out),
          RUN(a_part_of_the_range_can_be_read),
          RUN(samples_older_than_the_retention_vanish_at_once),
          RUN(labels_of_blocks_that_the_retention_hides_are_not_listed),
          RUN(label_names_and_values_come_from_head_and_blocks),
          RUN(without_matchers_head_and_blocks_count_as_a_whole_when_the_range_touches_them),
          RUN(label_lists_of_several_tenants_show_the_tenant), RUN(the_rewritten_label_is_listed),
          RUN(a_tenant_whose_writes_were_all_refused_is_not_listed),
          RUN(more_series_than_asked_for_are_refused), RUN(a_cancelled_selection_ends),
          RUN(a_selection_goes_on_while_its_series_grow))
