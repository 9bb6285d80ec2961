#include "tests/support/test.h"

#include "base/random.h"
#include "tsdb/head/pair_pool.h"
#include "tsdb/index/slab.h"

TEST(elements_do_not_move_or_overlap)
{
    struct slab slab;
    uint8_t *elements[100];
    slab_init(&slab, 12, 3);
    for (uint32_t i = 0; i < 100; i++) {
        assert_int_equal(slab_take(&slab), i);
        elements[i] = slab_at(&slab, i);
        assert_int_equal(elements[i][11], 0);
        memset(elements[i], (int)i, 12);
    }
    for (uint32_t i = 0; i < 100; i++) {
        assert_ptr_equal(slab_at(&slab, i), elements[i]);
        assert_int_equal(elements[i][0], i);
        assert_int_equal(elements[i][11], i);
    }
    assert_true(slab_memory_bytes(&slab) >= 100 * 12);
    slab_deinit(&slab);
}

TEST(rows_of_neighbours_stand_side_by_side)
{
    enum { ROWS = 5, ELEMENTS = 20 };
    struct slab slab;
    slab_init_rows(&slab, 12, ROWS, 3);
    for (uint32_t i = 0; i < ELEMENTS; i++) {
        slab_take(&slab);
        assert_ptr_equal(slab_row_at(&slab, i, 0), slab_at(&slab, i));
        for (uint32_t row = 0; row < ROWS; row++)
            memset(slab_row_at(&slab, i, row), (int)(i * ROWS + row), 12);
    }
    slab_give(&slab, 9);
    for (uint32_t i = 0; i < ELEMENTS; i++) {
        for (uint32_t row = i == 9 ? 1 : 0; row < ROWS; row++) {
            const uint8_t *bytes = slab_row_at(&slab, i, row);
            assert_int_equal(bytes[0], i * ROWS + row);
            assert_int_equal(bytes[11], i * ROWS + row);
        }
    }
    uint8_t *first = slab_row_at(&slab, 0, 3);
    assert_ptr_equal(slab_row_at(&slab, 1, 3), first + 12);
    slab_deinit(&slab);
}

TEST(what_was_given_back_is_taken_first)
{
    struct slab slab;
    slab_init(&slab, 4, 1);
    for (uint32_t i = 0; i < 5; i++)
        slab_take(&slab);
    size_t bytes = slab_memory_bytes(&slab);
    slab_give(&slab, 1);
    slab_give(&slab, 3);
    assert_int_equal(slab_take(&slab), 3);
    assert_int_equal(slab_take(&slab), 1);
    assert_int_equal(slab_take(&slab), 5);
    assert_int_equal(slab.slot_count, 6);
    assert_int_equal(slab_memory_bytes(&slab), bytes);
    slab_deinit(&slab);
}

TEST(pages_of_which_nothing_is_in_use_go)
{
    struct slab slab;
    slab_init(&slab, 8, 2);
    for (uint32_t i = 0; i < 14; i++)
        assert_int_equal(slab_take(&slab), i);
    size_t full = slab_memory_bytes(&slab);
    for (uint32_t i = 0; i < 14; i++) {
        if (i != 5)
            slab_give(&slab, i);
    }
    slab_shrink(&slab);
    /* the page of 5 stays, and the newest, which is not full */
    assert_int_equal(slab_memory_bytes(&slab), full - 2 * 4 * 8);
    slab_shrink(&slab);
    assert_int_equal(slab_memory_bytes(&slab), full - 2 * 4 * 8);
    slab_deinit(&slab);
}

/* Random takes, gives and shrinks: no element is given out twice, none in use changes. */
TEST(a_shrunk_slab_gives_every_element_once)
{
    enum { REFS = 300 };
    struct slab slab;
    struct random random;
    bool is_taken[REFS] = {false};
    uint32_t count = 0;
    slab_init(&slab, 8, 3);
    random_init_seeded(&random, 11);
    for (int i = 0; i < 20000; i++) {
        uint32_t ref = (uint32_t)random_below(&random, REFS);
        bool grows = i / 1000 % 2 == 0; /* full and empty in turn */
        if (is_taken[ref] && (!grows || i % 3 == 0)) {
            assert_int_equal(((uint32_t *)slab_at(&slab, ref))[1], ref);
            slab_give(&slab, ref);
            is_taken[ref] = false;
            count--;
        } else if (grows && count < REFS) {
            ref = slab_take(&slab);
            assert_true(ref < REFS); /* what went comes back first */
            assert_false(is_taken[ref]);
            ((uint32_t *)slab_at(&slab, ref))[1] = ref;
            is_taken[ref] = true;
            count++;
        }
        if (i % 97 == 0)
            slab_shrink(&slab);
    }
    slab_deinit(&slab);
}

/* Takes `count` elements and marks them from `mark` on. */
static void take_marked(struct slab *slab, uint32_t count, uint32_t mark, uint32_t *refs)
{
    for (uint32_t i = 0; i < count; i++) {
        refs[i] = slab_take(slab);
        ((uint32_t *)slab_at(slab, refs[i]))[1] = mark + i;
    }
}

static void expect_marked(const struct slab *slab, uint32_t count, uint32_t mark,
                          const uint32_t *refs)
{
    for (uint32_t i = 0; i < count; i++)
        assert_int_equal(((uint32_t *)slab_at(slab, refs[i]))[1], mark + i);
}

TEST(what_is_set_aside_stays_and_goes_at_once)
{
    struct slab slab;
    uint32_t old[21], fresh[21];
    slab_init(&slab, 8, 2);
    for (uint32_t round = 0; round < 5; round++) {
        take_marked(&slab, 21, 100, old);
        slab_give(&slab, old[20]);
        slab_set_aside(&slab);
        take_marked(&slab, 9 + round, 200, fresh);
        expect_marked(&slab, 20, 100, old);
        expect_marked(&slab, 9 + round, 200, fresh);
        slab_drop_aside(&slab);
        expect_marked(&slab, 9 + round, 200, fresh);
        size_t pages = (9 + round + 3) / 4;
        assert_int_equal(slab_memory_bytes(&slab) - slab.page_capacity * sizeof(uint8_t *),
                         pages * 4 * 8);
        for (uint32_t i = 0; i < 9 + round; i++)
            slab_give(&slab, fresh[i]);
        slab_shrink(&slab);
    }
    assert_true(slab.slot_count < 60); /* what went comes back first */
    slab_deinit(&slab);
}

TEST(what_is_taken_back_is_given_out_once_more)
{
    struct slab slab;
    uint32_t old[6], fresh[40];
    slab_init(&slab, 8, 2);
    take_marked(&slab, 6, 100, old);
    slab_give(&slab, old[1]);
    slab_set_aside(&slab);
    take_marked(&slab, 3, 200, fresh);
    slab_take_back(&slab);
    slab_give(&slab, old[0]);
    take_marked(&slab, 5, 300, fresh + 3);
    assert_int_equal(slab.slot_count, 12); /* 3 pages: nothing is lost */
    expect_marked(&slab, 4, 102, old + 2);
    expect_marked(&slab, 3, 200, fresh);
    expect_marked(&slab, 5, 300, fresh + 3);
    slab_deinit(&slab);
}

TEST(runs_of_every_length_keep_their_numbers)
{
    struct pair_pool pool;
    uint32_t refs[40];
    pair_pool_init(&pool);
    for (uint32_t count = 39; count > 0; count--) {
        refs[count] = pair_pool_take(&pool, count);
        for (uint32_t i = 0; i < count; i++)
            pair_pool_at(&pool, refs[count], count)[i] = count * 100 + i;
    }
    for (uint32_t count = 1; count < 40; count++) {
        for (uint32_t i = 0; i < count; i++)
            assert_int_equal(pair_pool_at(&pool, refs[count], count)[i], count * 100 + i);
    }
    pair_pool_give(&pool, refs[7], 7);
    assert_int_equal(pair_pool_take(&pool, 5), refs[7]); /* both are of the class 5..8 */
    assert_true(pair_pool_memory_bytes(&pool) > 0);
    pair_pool_deinit(&pool);
}

TEST_MAIN(RUN(elements_do_not_move_or_overlap), RUN(rows_of_neighbours_stand_side_by_side),
          RUN(what_was_given_back_is_taken_first), RUN(pages_of_which_nothing_is_in_use_go),
          RUN(a_shrunk_slab_gives_every_element_once),
          RUN(what_is_set_aside_stays_and_goes_at_once),
          RUN(what_is_taken_back_is_given_out_once_more),
          RUN(runs_of_every_length_keep_their_numbers))
