#include "base/arena.h"
#include "base/buffer.h"
#include "base/budget.h"
#include "base/mem.h"
#include "base/thread.h"
#include "tests/support/test.h"

static struct budget *open_budget(size_t max_bytes)
{
    return budget_new("query-memory", max_bytes);
}

/* As much as `charge` gets when it asks byte by byte. */
static size_t take_all(struct charge *charge)
{
    while (charge_take(charge, 1, NULL) == STATUS_OK)
        continue;
    return charge->held_bytes;
}

TEST(one_payer_gets_half_and_not_a_byte_more)
{
    struct error err;
    struct budget *budget = open_budget(1000);
    struct charge charge;
    charge_init(&charge, budget, STR("a"));
    expect_ok(charge_take(&charge, 499, &err));
    expect_ok(charge_take(&charge, 1, &err));
    expect_status(charge_take(&charge, 1, &err), STATUS_UNAVAILABLE);
    assert_int_equal(budget_held_bytes(budget), 500);
    assert_int_equal(budget_refused(budget), 1);
    charge_give(&charge, 1);
    expect_ok(charge_take(&charge, 1, &err));
    charge_deinit(&charge);
    charge_deinit(&charge);
    assert_int_equal(budget_held_bytes(budget), 0);
    budget_free(budget);
}

TEST(the_largest_is_refused_first)
{
    struct error err;
    struct budget *budget = open_budget(900);
    struct charge large, small;
    charge_init(&large, budget, STR("large"));
    charge_init(&small, budget, STR("small"));
    assert_int_equal(take_all(&large), 450);
    expect_status(charge_take(&large, 1, &err), STATUS_UNAVAILABLE);
    assert_int_equal(take_all(&small), 225);
    charge_give(&large, 200);
    /* 475 are held, so each may have 425 less what it takes now */
    expect_ok(charge_take(&small, 75, &err));
    expect_status(charge_take(&large, 101, &err), STATUS_UNAVAILABLE);
    charge_deinit(&large);
    charge_deinit(&small);
    budget_free(budget);
}

TEST(another_maximum_holds_from_then_on)
{
    struct error err;
    struct budget *budget = open_budget(1000);
    struct charge charge;
    charge_init(&charge, budget, STR("a"));
    assert_int_equal(take_all(&charge), 500);
    budget_set_max(budget, 100);
    expect_status(charge_take(&charge, 0, &err), STATUS_UNAVAILABLE);
    charge_give(&charge, 450);
    expect_ok(charge_take(&charge, 0, &err));
    budget_set_max(budget, 2000);
    assert_int_equal(take_all(&charge), 1000);
    charge_deinit(&charge);
    budget_free(budget);
}

TEST(all_charges_of_a_payer_count_together)
{
    struct error err;
    struct budget *budget = open_budget(1000);
    struct charge first, second, other;
    charge_init(&first, budget, STR("a"));
    charge_init(&second, budget, STR("a"));
    charge_init(&other, budget, STR("b"));
    expect_ok(charge_take(&first, 400, &err));
    expect_status(charge_take(&second, 101, &err), STATUS_UNAVAILABLE);
    expect_ok(charge_take(&other, 200, &err));
    expect_ok(charge_take(&second, 0, &err));
    charge_deinit(&first);
    expect_ok(charge_take(&second, 101, &err));
    charge_deinit(&second);
    charge_deinit(&other);
    budget_free(budget);
}

TEST(a_refusal_names_the_limit_and_no_other_payer)
{
    struct error err;
    struct budget *budget = open_budget(1000);
    struct charge charge;
    charge_init(&charge, budget, STR("a"));
    expect_status(charge_take(&charge, SIZE_MAX, &err), STATUS_UNAVAILABLE);
    expect_str(
        str_from(err.text),
        "memory: your share of the 1000 bytes that all may hold together (limit query-memory) "
        "is used up: try again later, ask for less at once, or have --query-memory raised "
        "(err-croft-query-memory)");
    charge_deinit(&charge);
    budget_free(budget);
}

TEST(what_is_forced_shows_in_the_next_check)
{
    struct error err;
    struct budget *budget = open_budget(1000);
    struct charge charge;
    charge_init(&charge, budget, STR("a"));
    charge_force(&charge, 500);
    expect_ok(charge_check(&charge, &err));
    charge_force(&charge, 1);
    expect_status(charge_check(&charge, &err), STATUS_UNAVAILABLE);
    charge_force(&charge, 5000);
    expect_status(charge_take(&charge, 0, &err), STATUS_UNAVAILABLE);
    charge_deinit(&charge);
    budget_free(budget);
}

TEST(without_a_budget_nothing_is_refused)
{
    struct error err;
    struct charge charge;
    charge_init(&charge, NULL, STR("a"));
    expect_ok(charge_take(&charge, SIZE_MAX, &err));
    expect_ok(charge_take(NULL, SIZE_MAX, &err));
    charge_force(&charge, 1);
    charge_give(&charge, 1);
    expect_ok(charge_check(&charge, &err));
    charge_deinit(&charge);
}

TEST(an_arena_is_charged_by_the_page)
{
    struct budget *budget = open_budget(100000);
    struct charge charge;
    struct arena arena;
    charge_init(&charge, budget, STR("a"));
    arena_init(&arena, SIZE_MAX);
    arena.charge = &charge;
    assert_non_null(arena_try_alloc(&arena, 10));
    size_t first_page_bytes = charge.held_bytes;
    assert_true(first_page_bytes >= 4096);
    assert_non_null(arena_try_alloc(&arena, 10));
    assert_int_equal(charge.held_bytes, first_page_bytes);
    assert_null(arena_try_alloc(&arena, 50000));
    assert_non_null(arena_alloc(&arena, 50000));
    size_t held_bytes = charge.held_bytes;
    assert_true(held_bytes >= first_page_bytes + 50000);
    arena_reset(&arena); /* keeps the last page */
    assert_int_equal(charge.held_bytes, held_bytes - first_page_bytes);
    arena_deinit(&arena);
    assert_int_equal(charge.held_bytes, 0);
    charge_deinit(&charge);
    budget_free(budget);
}

TEST(an_array_grows_when_its_payer_may_hold_that_much)
{
    enum { BYTES = 10 };
    struct budget *budget = open_budget(2 * 16 * BYTES);
    struct charge other, charge;
    size_t capacity = 0;
    charge_init(&other, budget, STR("a"));
    charge_init_like(&charge, &other);
    uint8_t *array = charge_grow(&charge, NULL, &capacity, 1, BYTES);
    assert_non_null(array);
    assert_int_equal(budget_held_bytes(budget), capacity * BYTES);
    assert_ptr_equal(charge_grow(&charge, array, &capacity, capacity, BYTES), array);
    array = charge_grow(&charge, array, &capacity, 9, BYTES);
    assert_int_equal(capacity, 16);
    assert_null(charge_grow(&charge, array, &capacity, 17, BYTES));
    assert_int_equal(capacity, 16);
    assert_int_equal(budget_held_bytes(budget), 16 * BYTES);
    charge_deinit(&charge);
    charge_init_like(&charge, NULL);
    array = charge_grow(&charge, array, &capacity, 100, BYTES);
    assert_int_equal(capacity, 100);
    assert_int_equal(budget_held_bytes(budget), 0);
    mem_free(array);
    charge_deinit(&other);
    budget_free(budget);
}

TEST(a_buffer_is_charged_as_it_grows)
{
    struct budget *budget = open_budget(400);
    struct charge charge;
    struct buffer buffer;
    charge_init(&charge, budget, STR("a"));
    buffer_init(&buffer, SIZE_MAX);
    buffer.charge = &charge;
    for (size_t i = 0; i < 128; i++)
        buffer_append_byte(&buffer, 'x');
    assert_false(buffer.is_overflown);
    assert_int_equal(charge.held_bytes, 128);
    buffer_append_byte(&buffer, 'x');
    assert_true(buffer.is_overflown && buffer.is_refused);
    assert_int_equal(buffer.len, 128);
    budget_set_max(budget, 4000);
    buffer_append_byte(&buffer, 'x');
    assert_true(buffer.is_overflown && buffer.is_refused);
    assert_int_equal(buffer.len, 128);
    assert_int_equal(budget_refused(budget), 1);
    buffer_reset(&buffer);
    for (size_t i = 0; i < 129; i++)
        buffer_append_byte(&buffer, 'x');
    assert_false(buffer.is_overflown);
    buffer_deinit(&buffer);
    assert_int_equal(charge.held_bytes, 0);
    charge_deinit(&charge);
    budget_free(budget);
}

/* ---- many at once ---- */

enum { THREADS = 8, ROUNDS = 500, SHARED_MAX = 9000 };

struct taker {
    struct thread thread;
    struct budget *budget;
    char id[2];
    size_t held_max;
};

static void take_and_give(void *context)
{
    struct taker *taker = context;
    struct charge charge;
    for (size_t i = 0; i < ROUNDS; i++) {
        charge_init(&charge, taker->budget, str_from(taker->id));
        while (charge_take(&charge, 100 + i % 7 * 100, NULL) == STATUS_OK)
            continue;
        if (charge.held_bytes > taker->held_max)
            taker->held_max = charge.held_bytes;
        assert_true(budget_held_bytes(taker->budget) <= SHARED_MAX);
        charge_deinit(&charge);
    }
}

TEST(eight_threads_never_hold_more_than_there_is)
{
    struct taker takers[THREADS];
    struct budget *budget = open_budget(SHARED_MAX);
    for (size_t i = 0; i < THREADS; i++) {
        takers[i] = (struct taker){.budget = budget, .id = {(char)('a' + i / 2)}};
        thread_start(&takers[i].thread, "taker", take_and_give, &takers[i]);
    }
    for (size_t i = 0; i < THREADS; i++)
        thread_join(&takers[i].thread);
    for (size_t i = 0; i < THREADS; i++)
        assert_true(takers[i].held_max <= SHARED_MAX / 2);
    /* of the two that share a payer one may hold all of it while the other asks */
    for (size_t i = 0; i < THREADS; i += 2)
        assert_true(takers[i].held_max + takers[i + 1].held_max > 0);
    assert_int_equal(budget_held_bytes(budget), 0);
    budget_free(budget);
}

TEST_MAIN(RUN(one_payer_gets_half_and_not_a_byte_more), RUN(the_largest_is_refused_first),
          RUN(another_maximum_holds_from_then_on), RUN(all_charges_of_a_payer_count_together),
          RUN(a_refusal_names_the_limit_and_no_other_payer),
          RUN(what_is_forced_shows_in_the_next_check), RUN(without_a_budget_nothing_is_refused),
          RUN(an_arena_is_charged_by_the_page),
          RUN(an_array_grows_when_its_payer_may_hold_that_much),
          RUN(a_buffer_is_charged_as_it_grows), RUN(eight_threads_never_hold_more_than_there_is))
