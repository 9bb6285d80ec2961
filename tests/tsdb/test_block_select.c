/* Series of a block, by matchers and by labels. */
#include "tests/support/test.h"
#include "tests/tsdb/block_scene.h"

static const char *const patterns[] = {"",          ".*",           ".+",
                                       "x1",        "x1|2|x3",      "x.*",
                                       "x.+",       "[x24]+",       "2|",
                                       "metric_.*", "metric_[1-3]", "nope",
                                       "4.*",       "(x1|x3)?",     "metric_2|metric_4|nope"};

static void init_random_matcher(struct matcher *matcher, struct random *random, struct arena *arena)
{
    static const char *const names[] = {"__name__", "a", "b", "c", "d"};
    struct error err;
    struct str name = str_from(names[random_below(random, 5)]);
    struct str value = str_from(patterns[random_below(random, sizeof patterns / sizeof *patterns)]);
    expect_ok(
        matcher_init(matcher, (enum matcher_op)random_below(random, 4), name, value, arena, &err));
}

static void expect_selected(const struct model_tenant *want, struct block *block,
                            const struct matcher *matchers, size_t matcher_count,
                            struct arena *arena)
{
    struct error err;
    struct series_list found;
    size_t expected = 0;
    expect_ok(
        block_select(block, 0, (struct matchers){matchers, matcher_count}, arena, &found, &err));
    for (uint32_t i = 0; i < want->count; i++) {
        if (!model_matches(want->series[i].labels, matchers, matcher_count))
            continue;
        assert_true(expected < found.count);
        assert_int_equal(found.ptr[expected++], i);
    }
    assert_int_equal(found.count, expected);
}

TEST(any_matchers_select_what_a_scan_selects)
{
    struct random random;
    struct block_scene scene;
    struct arena arena;
    random_init_seeded(&random, test_seed(23));
    block_scene_open(&scene, &random, (struct model_size){1, 1500, 1});
    struct block *block = scene.block;
    arena_init(&arena, SIZE_MAX);
    for (size_t round = 0; round < 3000; round++) {
        struct matcher matchers[4];
        size_t count = random_below(&random, 5);
        arena_reset(&arena);
        for (size_t i = 0; i < count; i++)
            init_random_matcher(&matchers[i], &random, &arena);
        expect_selected(&scene.model.tenants[0], block, matchers, count, &arena);
        for (size_t i = 0; i < count; i++)
            matcher_deinit(&matchers[i]);
    }
    arena_deinit(&arena);
    block_scene_close(&scene);
}

static void expect_found(struct block *block, uint32_t series, uint32_t begin)
{
    struct error err = {0};
    struct arena arena, scratch;
    struct labels labels;
    uint32_t found = begin;
    arena_init(&arena, SIZE_MAX);
    arena_init(&scratch, SIZE_MAX);
    expect_ok(block_labels(block, 0, series, &arena, &labels, &err));
    expect_ok(block_find_series(block, 0, labels, &scratch, &found, &err));
    assert_int_equal(found, series);
    found = begin;
    labels.count--; /* nobody has these */
    expect_status(block_find_series(block, 0, labels, &scratch, &found, &err), STATUS_NOT_FOUND);
    arena_deinit(&scratch);
    arena_deinit(&arena);
}

TEST(a_series_is_found_wherever_its_search_begins)
{
    enum { SERIES = 20 };
    struct error err;
    struct block_scene scene;
    struct tenant_id id = {.len = 1, .text = "a"};
    struct columns samples;
    columns_init(&samples);
    columns_append(&samples, 1700000000000, 0);
    struct block_writer *writer = block_scene_begin(&scene);
    expect_ok(block_writer_tenant(writer, &id, &err));
    for (int i = 0; i < SERIES; i++)
        write_scrape(writer, i, &samples);
    struct block *block = block_scene_finish(&scene, writer);
    for (uint32_t series = 0; series < SERIES; series++) {
        for (uint32_t begin = 0; begin <= SERIES; begin++)
            expect_found(block, series, begin);
        expect_found(block, series, UINT32_MAX);
    }
    columns_deinit(&samples);
    block_scene_close(&scene);
}

TEST(a_selection_that_does_not_fit_its_arena_is_refused)
{
    struct error err;
    struct random random;
    struct block_scene scene;
    struct arena arena;
    random_init_seeded(&random, 1);
    block_scene_open(&scene, &random, (struct model_size){1, 1500, 1});
    struct block *block = scene.block;
    struct series_list found;
    struct str_list texts;
    struct labels labels;
    arena_init(&arena, 8);
    expect_status(block_select(block, 0, (struct matchers){0}, &arena, &found, &err), STATUS_LIMIT);
    expect_status(block_label_names(block, 0, &arena, &texts, &err), STATUS_LIMIT);
    expect_status(block_label_values(block, 0, STR("a"), &arena, &texts, &err), STATUS_LIMIT);
    found = (struct series_list){.ptr = &(uint32_t){0}, .count = 1};
    expect_status(block_label_names_of(block, 0, found, &arena, &texts, &err), STATUS_LIMIT);
    expect_status(block_label_values_of(block, 0, found, STR("a"), &arena, &texts, &err),
                  STATUS_LIMIT);
    expect_status(block_labels(block, 0, 0, &arena, &labels, &err), STATUS_LIMIT);
    arena_deinit(&arena);
    block_scene_close(&scene);
}

TEST_MAIN(RUN(any_matchers_select_what_a_scan_selects),
          RUN(a_series_is_found_wherever_its_search_begins),
          RUN(a_selection_that_does_not_fit_its_arena_is_refused))
