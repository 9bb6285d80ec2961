#include "tests/support/test.h"

#include "tsdb/codec/chunk.h"
#include "tsdb/head/chunk_pool.h"

/* A chunk of `len` bytes that says its number. */
static void add(struct chunk_pool *pool, uint32_t *ring, int64_t number, size_t len)
{
    uint8_t bytes[CHUNK_BYTES_MAX];
    memset(bytes, (int)number, len);
    chunk_pool_add(pool, ring, (struct bytes){bytes, len});
}

/* The ring holds the chunks first, first + 1, ..., last. */
static void expect_ring(const struct chunk_pool *pool, uint32_t newest, int64_t first, int64_t last)
{
    uint32_t ref = newest;
    for (int64_t number = first; number <= last; number++) {
        ref = chunk_pool_at(pool, ref)->next;
        const struct sealed_chunk *chunk = chunk_pool_at(pool, ref);
        assert_int_equal(chunk->bytes[0], (uint8_t)number);
        assert_int_equal(chunk->bytes[chunk->len - 1], (uint8_t)number);
    }
    assert_int_equal(ref, newest);
}

TEST(a_ring_is_walked_from_its_oldest_chunk)
{
    struct chunk_pool pool;
    uint32_t a = CHUNK_REF_NONE;
    uint32_t b = CHUNK_REF_NONE;
    chunk_pool_init(&pool);
    for (int64_t number = 0; number < 200; number++) {
        add(&pool, &a, number, 1 + (size_t)number * 20);
        add(&pool, &b, number + 1000, CHUNK_BYTES_MAX);
    }
    expect_ring(&pool, a, 0, 199);
    expect_ring(&pool, b, 1000, 1199);
    chunk_pool_deinit(&pool);
}

TEST(joined_rings_are_one)
{
    struct chunk_pool pool;
    uint32_t older = CHUNK_REF_NONE;
    uint32_t newer = CHUNK_REF_NONE;
    chunk_pool_init(&pool);
    chunk_pool_join(&pool, &older, &newer);
    assert_int_equal(older, CHUNK_REF_NONE);
    add(&pool, &newer, 1, 10);
    chunk_pool_join(&pool, &older, &newer);
    expect_ring(&pool, older, 1, 1);
    assert_int_equal(newer, CHUNK_REF_NONE);
    chunk_pool_join(&pool, &older, &newer);
    expect_ring(&pool, older, 1, 1);
    add(&pool, &older, 2, 10);
    add(&pool, &newer, 3, 10);
    add(&pool, &newer, 4, 10);
    chunk_pool_join(&pool, &older, &newer);
    expect_ring(&pool, older, 1, 4);
    chunk_pool_deinit(&pool);
}

TEST(dropping_frees_what_was_set_aside_and_nothing_else)
{
    struct chunk_pool pool;
    uint32_t old = CHUNK_REF_NONE;
    uint32_t new = CHUNK_REF_NONE;
    chunk_pool_init(&pool);
    for (int64_t number = 0; number < 100; number++)
        add(&pool, &old, number, 3000);
    size_t bytes = chunk_pool_memory_bytes(&pool);
    assert_true(bytes > 100 * 3000);
    chunk_pool_set_aside(&pool);
    add(&pool, &new, 1, 100);
    expect_ring(&pool, old, 0, 99);
    chunk_pool_drop_aside(&pool);
    expect_ring(&pool, new, 1, 1);
    assert_true(chunk_pool_memory_bytes(&pool) < 100000);
    for (int64_t number = 2; number < 100; number++)
        add(&pool, &new, number, 3000);
    expect_ring(&pool, new, 1, 99);
    assert_true(chunk_pool_memory_bytes(&pool) <= bytes + 100000);
    chunk_pool_deinit(&pool);
}

TEST_MAIN(RUN(a_ring_is_walked_from_its_oldest_chunk), RUN(joined_rings_are_one),
          RUN(dropping_frees_what_was_set_aside_and_nothing_else))
