#include "tests/support/test.h"

#include "base/random.h"
#include "tsdb/index/ref_table.h"

enum { REFS = 3000 };

/* Whether a probe with `hash` gives `ref`. */
static bool has(const struct ref_table *table, uint64_t hash, uint32_t ref)
{
    struct ref_probe probe = ref_table_probe(table, hash);
    uint32_t found;
    while ((found = ref_table_next(table, &probe)) != REF_TABLE_NONE) {
        if (found == ref)
            return true;
    }
    return false;
}

/* Adds and removes at random; `hash_bound` says how many different hashes there are. */
static void check_random(uint64_t seed, uint64_t hash_bound, int steps)
{
    static uint64_t hashes[REFS];
    static bool is_there[REFS];
    struct random random;
    random_init_seeded(&random, seed);
    memset(is_there, 0, sizeof is_there);
    struct ref_table table;
    ref_table_init(&table);
    size_t count = 0;
    for (int i = 0; i < steps; i++) {
        uint32_t ref = (uint32_t)random_below(&random, REFS);
        if (is_there[ref]) {
            ref_table_remove(&table, hashes[ref], ref);
            count--;
        } else {
            hashes[ref] = random_below(&random, hash_bound);
            ref_table_add(&table, hashes[ref], ref);
            count++;
        }
        is_there[ref] = !is_there[ref];
        assert_int_equal(table.count, count);
        uint32_t other = (uint32_t)random_below(&random, REFS);
        assert_int_equal(has(&table, hashes[other], other), is_there[other]);
    }
    for (uint32_t ref = 0; ref < REFS; ref++)
        assert_int_equal(has(&table, hashes[ref], ref), is_there[ref]);
    ref_table_deinit(&table);
}

TEST(refs_are_found_as_long_as_they_are_there)
{
    uint64_t seed = test_seed(31);
    check_random(seed, UINT64_MAX, 20000);
    check_random(seed + 1, 1000, 20000);
}

TEST(refs_with_few_different_hashes_are_found_too)
{
    check_random(test_seed(32), 16, 4000);
    check_random(test_seed(33), 1, 2000);
}

TEST(an_empty_table_finds_nothing)
{
    struct ref_table table;
    ref_table_init(&table);
    assert_false(has(&table, 0, 0));
    assert_false(has(&table, UINT64_MAX, 1));
    assert_true(ref_table_memory_bytes(&table) <= 256);
    ref_table_deinit(&table);
}

TEST_MAIN(RUN(refs_are_found_as_long_as_they_are_there),
          RUN(refs_with_few_different_hashes_are_found_too), RUN(an_empty_table_finds_nothing))
