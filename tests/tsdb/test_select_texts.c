/*
 * Label names and values with matchers: those of the series that match and have samples in the
 * range, be they in the head or in blocks.
 */
#include "tests/support/store_box.h"

#define T0 BOX_START_MS

#define expect_texts(box, matchers, from, to, name, want)                                          \
    expect_texts_(box, &(struct box_query){"a", matchers, from, to}, name, want, __LINE__)

static void expect_texts_(struct store_box *box, const struct box_query *query, const char *name,
                          const char *want, int line)
{
    struct error err = {0};
    struct str got;
    expect_status_(box_label_list(box, query, name, &got, &err), STATUS_OK, &err, "labels",
                   __FILE__, line);
    expect_str_(got, want, name == NULL ? "names" : name, __FILE__, line);
}

static void fill(struct store_box *box)
{
    box_put(box, "a", "up host=early job=x", T0, 1);
    box_put(box, "a", "up job=y zone=1", T0 + 10, 1);
    box_put(box, "a", "up job=x other=late", T0 + 20, 1);
    box_put(box, "a", "up host=third job=x", T0 + 20, 1);
    box_put(box, "a", "down job=w", T0 + 10, 1);
}

static void expect_filled(struct store_box *box)
{
    expect_texts(box, "__name__=up", T0, T0 + 20, "job", "x y");
    expect_texts(box, "__name__=up", T0, T0 + 9, "job", "x");
    expect_texts(box, "__name__=up", T0 + 1, T0 + 19, "job", "y");
    expect_texts(box, "__name__=up", T0 + 1, T0 + 9, "job", "");
    expect_texts(box, "job=x", T0, T0 + 20, "host", "early third");
    expect_texts(box, "job=x", T0 + 1, T0 + 20, "host", "third");
    expect_texts(box, "job=x", T0, T0 + 20, "zone", "");
    expect_texts(box, "job=x", T0, T0 + 20, "nosuch", "");
    expect_texts(box, "job=x", T0, T0 + 20, NULL, "__name__ host job other");
    expect_texts(box, "job=x", T0, T0 + 19, NULL, "__name__ host job");
    expect_texts(box, "job=~w|y", T0, T0 + 20, NULL, "__name__ job zone");
    expect_texts(box, "job=~w|y", T0 + 11, T0 + 20, NULL, "");
    expect_texts(box, "nosuch=x", T0, T0 + 20, "job", "");
}

TEST(texts_of_the_head_are_those_of_series_that_match_and_have_samples_in_the_range)
{
    struct store_box box;
    store_box_start(&box, 1);
    fill(&box);
    expect_filled(&box);
    store_box_deinit(&box);
}

TEST(texts_of_a_block_are_those_of_series_that_match_and_have_samples_in_the_range)
{
    struct store_box box;
    store_box_start(&box, 1);
    fill(&box);
    expect_flush(&box);
    store_box_restart(&box);
    expect_filled(&box);
    store_box_deinit(&box);
}

TEST(texts_of_head_and_blocks_are_one_list_each_once)
{
    struct store_box box;
    store_box_start(&box, 1);
    fill(&box);
    expect_flush(&box);
    store_box_restart(&box);
    fill(&box);
    box_put(&box, "a", "up host=new job=x", T0 + 20, 1);
    expect_flush(&box);
    box_put(&box, "a", "up host=newest job=x", T0 + 20, 1);
    expect_texts(&box, "job=x", T0, T0 + 20, "host", "early new newest third");
    expect_texts(&box, "job=x", T0, T0 + 20, NULL, "__name__ host job other");
    store_box_deinit(&box);
}

TEST(texts_that_only_deleted_series_had_are_gone)
{
    struct store_box box;
    struct error err = {0};
    store_box_start(&box, 1);
    fill(&box);
    expect_ok(
        box_delete(&box, &(struct box_query){.tenants = "a", .matchers = "host=early"}, &err));
    expect_texts(&box, "job=x", T0, T0 + 20, "host", "third");
    store_box_deinit(&box);
}

TEST_MAIN(RUN(texts_of_the_head_are_those_of_series_that_match_and_have_samples_in_the_range),
          RUN(texts_of_a_block_are_those_of_series_that_match_and_have_samples_in_the_range),
          RUN(texts_of_head_and_blocks_are_one_list_each_once),
          RUN(texts_that_only_deleted_series_had_are_gone))
