#include "tests/support/test.h"

#include "base/mem.h"
#include "base/random.h"
#include "tsdb/index/postings.h"

/* Positions below this are drawn, so that sets overlap; those from FAR on lie in other
   containers. */
enum { NEAR = 512, FAR = 70000, SLOTS = NEAR * 2 };

/* The naive set: one bool per position. */
struct naive {
    bool holds[SLOTS];
};

static uint32_t position_of(size_t slot)
{
    return (uint32_t)(slot < NEAR ? slot : slot - NEAR + FAR);
}

static void expect_equal(const struct postings *p, const struct naive *want)
{
    size_t count = postings_count(p);
    uint32_t *positions = mem_alloc(count * sizeof *positions);
    postings_to_array(p, positions);
    size_t at = 0;
    for (size_t slot = 0; slot < SLOTS; slot++) {
        assert_int_equal(postings_contains(p, position_of(slot)), want->holds[slot]);
        if (want->holds[slot]) {
            assert_true(at < count);
            assert_int_equal(positions[at++], position_of(slot));
        }
    }
    assert_int_equal(at, count);
    assert_int_equal(postings_is_empty(p), count == 0);
    mem_free(positions);
}

/* About `count` positions, single or in runs. */
static void fill(struct random *random, struct postings *p, struct naive *naive, size_t count)
{
    postings_init(p);
    *naive = (struct naive){0};
    while (count > 0) {
        size_t slot = random_below(random, SLOTS);
        size_t run = random_below(random, 3) == 0 ? 1 + random_below(random, 100) : 1;
        for (; run > 0 && slot < SLOTS && count > 0; run--, slot++, count--) {
            naive->holds[slot] = true;
            postings_add(p, position_of(slot));
        }
    }
}

/* From empty to several hundred: each of the three forms, and the borders between them. */
static size_t random_count(struct random *random)
{
    static const size_t sizes[] = {1, 2, 6, 40, 70, 130, 600};
    return random_below(random, sizes[random_below(random, 7)]);
}

static void check_operation(struct random *random, int operation)
{
    struct postings a, b;
    struct naive naive_a, naive_b;
    fill(random, &a, &naive_a, random_count(random));
    fill(random, &b, &naive_b, random_count(random));
    for (size_t slot = 0; slot < SLOTS; slot++) {
        bool in_a = naive_a.holds[slot];
        bool in_b = naive_b.holds[slot];
        naive_a.holds[slot] = operation == 0   ? in_a && in_b
                              : operation == 1 ? in_a || in_b
                                               : in_a && !in_b;
    }
    if (operation == 0)
        postings_intersect(&a, &b);
    else if (operation == 1)
        postings_unite(&a, &b);
    else
        postings_subtract(&a, &b);
    expect_equal(&a, &naive_a);
    expect_equal(&b, &naive_b);
    postings_deinit(&a);
    postings_deinit(&b);
}

TEST(set_operations_equal_those_of_a_naive_set)
{
    struct random random;
    random_init_seeded(&random, test_seed(21));
    for (int round = 0; round < 1500; round++)
        check_operation(&random, round % 3);
}

TEST(adding_and_removing_goes_through_every_form_and_back)
{
    struct random random;
    random_init_seeded(&random, test_seed(22));
    struct postings p;
    struct naive naive = {0};
    postings_init(&p);
    for (int round = 0; round < 6; round++) {
        for (int i = 0; i < 400; i++) {
            size_t slot = random_below(&random, SLOTS);
            bool adds = random_below(&random, 4) < (round % 2 == 0 ? 3u : 0u);
            naive.holds[slot] = adds;
            if (adds)
                postings_add(&p, position_of(slot));
            else
                postings_remove(&p, position_of(slot));
        }
        expect_equal(&p, &naive);
        for (size_t slot = 0; round % 2 == 1 && slot < SLOTS; slot++) {
            naive.holds[slot] = false;
            postings_remove(&p, position_of(slot));
            if (slot % 97 == 0)
                expect_equal(&p, &naive);
        }
    }
    assert_true(postings_is_empty(&p));
    assert_int_equal(postings_memory_bytes(&p), 0);
    postings_deinit(&p);
}

TEST(a_clone_is_independent)
{
    static const size_t counts[] = {0, 1, 10, 300};
    struct random random;
    random_init_seeded(&random, test_seed(23));
    for (size_t i = 0; i < 4; i++) {
        struct postings p, clone;
        struct naive naive;
        fill(&random, &p, &naive, counts[i]);
        postings_clone(&clone, &p);
        postings_add(&p, FAR + NEAR);
        expect_equal(&clone, &naive);
        postings_deinit(&p);
        postings_deinit(&clone);
    }
}

/* Two bytes a position, and what each run of 65536 costs. */
TEST(the_bytes_of_a_bitmap_are_about_right_however_far_its_positions_are_apart)
{
    enum { COUNT = 20000, LEFT = 2000 };
    static const uint32_t steps[] = {16, 50, 64, 128, 1000, 4096};
    for (size_t i = 0; i < sizeof steps / sizeof *steps; i++) {
        struct postings p;
        postings_init(&p);
        for (uint32_t k = 0; k < COUNT; k++)
            postings_add(&p, k * steps[i] + 5);
        assert_in_range(postings_memory_bytes(&p), 2 * COUNT * 9 / 10, 4 * COUNT);
        for (uint32_t k = LEFT; k < COUNT; k++)
            postings_remove(&p, k * steps[i] + 5);
        assert_in_range(postings_memory_bytes(&p), 2 * LEFT * 9 / 10, 4 * LEFT);
        postings_deinit(&p);
    }
}

TEST(a_set_that_loses_all_is_empty_and_holds_no_memory)
{
    static const size_t counts[] = {1, 10, 300};
    struct random random;
    random_init_seeded(&random, test_seed(26));
    for (size_t i = 0; i < 3; i++) {
        struct postings p, other, none;
        struct naive naive;
        fill(&random, &p, &naive, counts[i]);
        postings_clone(&other, &p);
        postings_init(&none);
        postings_subtract(&p, &other);
        assert_true(postings_is_empty(&p));
        assert_int_equal(postings_memory_bytes(&p), 0);
        postings_intersect(&other, &none);
        assert_true(postings_is_empty(&other));
        assert_int_equal(postings_memory_bytes(&other), 0);
        postings_deinit(&p);
        postings_deinit(&other);
    }
}

static void encode(struct buffer *out, const struct postings *p)
{
    size_t count = postings_count(p);
    uint32_t *positions = mem_alloc(count * sizeof *positions);
    postings_to_array(p, positions);
    postings_encode(out, positions, count);
    mem_free(positions);
}

TEST(what_was_encoded_is_decoded)
{
    struct random random;
    random_init_seeded(&random, test_seed(24));
    struct buffer out;
    buffer_init(&out, SIZE_MAX);
    for (int round = 0; round < 500; round++) {
        struct error err;
        struct postings p, decoded;
        struct naive naive;
        fill(&random, &p, &naive, random_count(&random));
        buffer_reset(&out);
        encode(&out, &p);
        postings_init(&decoded);
        expect_ok(postings_decode(&decoded, buffer_bytes(&out), FAR + NEAR, &err));
        expect_equal(&decoded, &naive);
        postings_deinit(&p);
        postings_deinit(&decoded);
    }
    buffer_deinit(&out);
}

TEST(the_example_of_the_format_page_holds)
{
    struct error err;
    const uint8_t want[] = {0x06, 0x0b, 0x01, 0x00};
    struct postings p;
    postings_init(&p);
    struct buffer out;
    buffer_init(&out, 100);
    postings_encode(&out, (const uint32_t[]){3, 10, 11, 12, 14}, 5);
    assert_int_equal(out.len, sizeof want);
    assert_memory_equal(out.ptr, want, sizeof want);
    expect_ok(postings_decode(&p, (struct bytes){want, sizeof want}, 14, &err));
    assert_int_equal(postings_count(&p), 5);
    buffer_deinit(&out);
    postings_deinit(&p);
}

static void expect_corrupt(struct bytes data, uint32_t position_max)
{
    struct error err;
    struct postings p;
    postings_init(&p);
    postings_add(&p, 1);
    expect_status(postings_decode(&p, data, position_max, &err), STATUS_CORRUPT);
    assert_true(postings_is_empty(&p));
    postings_deinit(&p);
}

#define BYTES(...)                                                                                 \
    ((struct bytes){(const uint8_t[]){__VA_ARGS__}, sizeof((const uint8_t[]){__VA_ARGS__})})

TEST(every_broken_list_is_refused)
{
    expect_corrupt(BYTES(0x80), 100);             /* cut in a gap */
    expect_corrupt(BYTES(0x07), 100);             /* cut before the length */
    expect_corrupt(BYTES(0x06, 0x0b, 0x81), 100); /* cut in the length */
    expect_corrupt(BYTES(0x08), 3);               /* beyond the maximum */
    expect_corrupt(BYTES(0x07, 0x00), 3);         /* a run that ends beyond it */
    expect_corrupt(BYTES(0x06, 0x00), 4);         /* the second position beyond it */
    expect_corrupt(BYTES(0xfe, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01), UINT32_MAX);
    expect_corrupt(BYTES(0x01, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01),
                   UINT32_MAX);
    expect_corrupt(BYTES(0x01, 0xff, 0xff, 0xff, 0xff, 0x0f), UINT32_MAX); /* one too long */
}

TEST(the_greatest_position_and_a_long_run_are_fine)
{
    struct error err;
    struct postings p;
    postings_init(&p);
    expect_ok(postings_decode(&p, BYTES(0xfe, 0xff, 0xff, 0xff, 0x1f), UINT32_MAX, &err));
    assert_true(postings_contains(&p, UINT32_MAX));
    assert_int_equal(postings_count(&p), 1);
    expect_ok(postings_decode(&p, BYTES(0x01, 0xfe, 0xff, 0xff, 0xff, 0x0f), UINT32_MAX, &err));
    assert_true(postings_count(&p) == UINT64_C(1) << 32);
    postings_deinit(&p);
}

TEST(random_bytes_decode_to_positions_in_range_or_not_at_all)
{
    struct random random;
    random_init_seeded(&random, test_seed(25));
    struct postings p;
    postings_init(&p);
    for (int round = 0; round < 20000; round++) {
        struct error err;
        uint8_t data[24];
        size_t len = random_below(&random, sizeof data);
        random_fill(&random, data, len);
        for (size_t i = 0; i < len; i++)
            data[i] &= random_below(&random, 4) == 0 ? 0xff : 0x3f;
        if (postings_decode(&p, (struct bytes){data, len}, 1000, &err) != STATUS_OK)
            continue;
        size_t count = postings_count(&p);
        assert_true(count <= 1001);
        uint32_t positions[1001];
        postings_to_array(&p, positions);
        for (size_t i = 1; i < count; i++)
            assert_true(positions[i - 1] < positions[i]);
        assert_true(count == 0 || positions[count - 1] <= 1000);
    }
    postings_deinit(&p);
}

TEST_MAIN(RUN(set_operations_equal_those_of_a_naive_set),
          RUN(adding_and_removing_goes_through_every_form_and_back), RUN(a_clone_is_independent),
          RUN(the_bytes_of_a_bitmap_are_about_right_however_far_its_positions_are_apart),
          RUN(a_set_that_loses_all_is_empty_and_holds_no_memory), RUN(what_was_encoded_is_decoded),
          RUN(the_example_of_the_format_page_holds), RUN(every_broken_list_is_refused),
          RUN(the_greatest_position_and_a_long_run_are_fine),
          RUN(random_bytes_decode_to_positions_in_range_or_not_at_all))
