#include "tests/support/test.h"

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

TEST_MAIN(RUN(elements_do_not_move_or_overlap), RUN(what_was_given_back_is_taken_first),
          RUN(runs_of_every_length_keep_their_numbers))
