#include "base/mem.h"
#include "tests/support/test.h"

TEST(a_size_of_zero_is_no_failure)
{
    void *ptr = mem_alloc(0);
    assert_non_null(ptr);
    ptr = mem_realloc(ptr, 0);
    assert_non_null(ptr);
    mem_free(ptr);
    ptr = mem_alloc_zeroed(0, 8);
    assert_non_null(ptr);
    mem_free(ptr);
    mem_free(NULL);
}

TEST(zeroed_memory_is_zero)
{
    const uint8_t *bytes = mem_alloc_zeroed(10, 10);
    for (size_t i = 0; i < 100; i++)
        assert_int_equal(bytes[i], 0);
    mem_free((void *)(uintptr_t)bytes);
}

TEST(aligned_memory_is_aligned)
{
    for (size_t alignment = 16; alignment <= 4096; alignment *= 2) {
        void *ptr = mem_alloc_aligned(alignment, 33);
        assert_int_equal((uintptr_t)ptr % alignment, 0);
        mem_free(ptr);
    }
}

TEST(discarding_spares_what_stands_on_the_pages_at_both_ends)
{
    enum { SIZE = 8 << 20, BEGIN = 5000, COUNT = 1 << 20, PAGE_MAX = 64 << 10 };
    uint8_t *piece = mem_alloc(SIZE);
    memset(piece, 'x', SIZE);
    mem_discard(piece + BEGIN, 0);
    mem_discard(piece + BEGIN, 10);
    mem_discard(piece + BEGIN, COUNT);
    for (size_t i = 0; i < SIZE; i++) {
        if (i < BEGIN || i >= BEGIN + COUNT)
            assert_int_equal(piece[i], 'x');
    }
    assert_int_equal(piece[BEGIN + PAGE_MAX], 0); /* it has gone to the system */
    mem_free(piece);
}

TEST(an_array_doubles_and_keeps_its_elements)
{
    size_t capacity = 0;
    uint32_t *array = NULL;
    for (uint32_t i = 0; i < 1000; i++) {
        array = mem_grow(array, &capacity, i + 1, sizeof *array);
        array[i] = i;
    }
    assert_int_equal(capacity, 1024);
    for (uint32_t i = 0; i < 1000; i++)
        assert_int_equal(array[i], i);
    assert_ptr_equal(mem_grow(array, &capacity, 5, sizeof *array), array);
    array = mem_grow(array, &capacity, 5000, sizeof *array);
    assert_int_equal(capacity, 5000);
    mem_free(array);
}

TEST_MAIN(RUN(a_size_of_zero_is_no_failure), RUN(zeroed_memory_is_zero),
          RUN(aligned_memory_is_aligned),
          RUN(discarding_spares_what_stands_on_the_pages_at_both_ends),
          RUN(an_array_doubles_and_keeps_its_elements))
