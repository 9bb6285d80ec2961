/*
 * A block that is damaged while the store is up, or was when it started: what can be read is
 * answered, what cannot is told to who listens, and an error to who does not.
 */
#include "tests/support/store_box.h"

#include "tsdb/block/block_index.h"
#include "tsdb/model/tenant.h"

/* ---- words of this file ---- */

/* Who listens, and keeps the last text. */
struct listener {
    size_t count;
    char text[512];
};

static void listen(void *context, struct str text)
{
    struct listener *listener = context;
    listener->count++;
    assert_true(text.len < sizeof listener->text);
    memcpy(listener->text, text.ptr, text.len);
    listener->text[text.len] = '\0';
}

/* One block with two series, of two scrapes each; one sample more in the head. */
static void fill(struct store_box *box)
{
    struct error err = {0};
    store_box_start(box, 5);
    box->is_damaged = true; /* it will be */
    for (int i = 0; i < 2; i++) {
        box_put(box, "a", "cpu", BOX_START_MS + i, i);
        box_put(box, "a", "up zone=1", BOX_START_MS + 10 * i, i);
    }
    expect_ok(box_flush(box, &err));
    box_put(box, "a", "cpu", BOX_START_MS + 2, 2);
}

static struct block *only_block(struct store_box *box)
{
    struct block **blocks;
    size_t count;
    uint32_t shard = tenant_table_find(store_tenants(box->store), STR("a"))->shard;
    store_blocks(box->store, shard, &box->arena, &blocks, &count);
    assert_int_equal(count, 1);
    block_release(blocks[0]); /* the store's keeps it */
    return blocks[0];
}

static void flip_first_run(struct store_box *box)
{
    struct error err = {0};
    struct block *block = only_block(box);
    const struct block_index *index;
    struct block_place place;
    expect_ok(block_tenant_index(block, 0, &index, &err));
    expect_ok(block_index_place(index, 0, &place, &err));
    uint64_t runs_offset = block_tenant_section(block, 0).runs_offset;
    sim_disk_flip(box->sim, block_path(block), runs_offset + place.run_offset, 1);
}

/* A tenant's index is proved when it is first used. */
static void flip_index(struct store_box *box)
{
    struct block *block = only_block(box);
    sim_disk_flip(box->sim, block_path(block), block_tenant_section(block, 0).index_offset, 1);
    store_box_restart(box);
}

static const struct scope tenant_a = {.tenants = &(struct tenant_id){.len = 1, .text = "a"},
                                      .tenant_count = 1};

static struct select_options options_of(struct listener *listener)
{
    struct select_options options = {
        .scope = &tenant_a, .min_ts_ms = INT64_MIN, .max_ts_ms = INT64_MAX};
    if (listener != NULL)
        options.damage = (struct damage_listener){listen, listener};
    return options;
}

/* Reads all series: how many samples each has. */
static void expect_counts(struct store_box *box, struct listener *listener, const char *want)
{
    struct error err = {0};
    struct selection *selection;
    struct columns samples;
    struct select_options options = options_of(listener);
    char got[64] = "";
    columns_init(&samples);
    expect_ok(select_open(box->store, &options, &selection, &err));
    for (size_t i = 0; i < select_count(selection); i++) {
        expect_ok(select_read(selection, i, INT64_MIN, INT64_MAX, &samples, &err));
        got[i] = (char)('0' + samples.count);
    }
    select_close(selection);
    columns_deinit(&samples);
    assert_string_equal(got, want);
}

/* ---- cases ---- */

TEST(damaged_values_cost_one_series_what_the_block_has_of_it)
{
    struct store_box box;
    struct listener listener = {0};
    fill(&box);
    expect_counts(&box, &listener, "32");
    flip_first_run(&box);
    expect_counts(&box, &listener, "12");
    assert_int_equal(listener.count, 1);
    assert_string_equal(listener.text,
                        "Block shard-0001/blocks/0000000000.block is damaged: some samples from "
                        "2023-11-14T22:13:20.000Z to 2023-11-14T22:13:20.010Z are missing");
    store_box_deinit(&box);
}

TEST(a_damaged_index_costs_the_tenant_what_the_block_has_of_it)
{
    struct store_box box;
    struct listener listener = {0};
    fill(&box);
    flip_index(&box);
    expect_counts(&box, &listener, "1");
    assert_int_equal(listener.count, 1);
    store_box_deinit(&box);
}

TEST(names_and_values_are_those_that_can_be_read)
{
    struct store_box box;
    struct error err = {0};
    struct listener listener = {0};
    struct select_options options = options_of(&listener);
    struct str_list list;
    fill(&box);
    flip_index(&box);
    expect_ok(select_label_names(box.store, &options, &box.arena, &list, &err));
    assert_int_equal(list.count, 1);
    expect_ok(select_label_values(box.store, &options, STR("__name__"), &box.arena, &list, &err));
    assert_int_equal(list.count, 1);
    expect_str(list.ptr[0], "cpu");
    assert_int_equal(listener.count, 2);
    store_box_deinit(&box);
}

TEST(who_does_not_listen_gets_an_error)
{
    struct store_box box;
    struct error err = {0};
    struct select_options options = options_of(NULL);
    struct str_list list;
    struct str text;
    fill(&box);
    flip_first_run(&box);
    expect_status(box_select(&box, &(struct box_query){.tenants = "a"}, &text, &err),
                  STATUS_CORRUPT);
    flip_index(&box);
    expect_status(box_select(&box, &(struct box_query){.tenants = "a"}, &text, &err),
                  STATUS_CORRUPT);
    expect_status(select_label_names(box.store, &options, &box.arena, &list, &err), STATUS_CORRUPT);
    store_box_deinit(&box);
}

TEST(a_damaged_block_is_counted_once_whoever_meets_it)
{
    struct store_box box;
    struct listener listener = {0};
    fill(&box);
    flip_first_run(&box);
    assert_int_equal(store_damaged_block_count(box.store), 0);
    box_put(&box, "a", "cpu", BOX_START_MS, 7); /* late: the block is asked, and cannot say */
    assert_true(block_is_damaged(only_block(&box)));
    expect_counts(&box, &listener, "22");
    expect_counts(&box, &listener, "22");
    assert_int_equal(store_damaged_block_count(box.store), 1);
    store_box_deinit(&box);
}

TEST_MAIN(RUN(damaged_values_cost_one_series_what_the_block_has_of_it),
          RUN(a_damaged_index_costs_the_tenant_what_the_block_has_of_it),
          RUN(names_and_values_are_those_that_can_be_read), RUN(who_does_not_listen_gets_an_error),
          RUN(a_damaged_block_is_counted_once_whoever_meets_it))
