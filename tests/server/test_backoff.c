#include "server/backoff.h"
#include "tests/support/test.h"

static const struct sha256 right = {{0x12, 0x34, 1}};
static const struct sha256 alike = {{0x12, 0x34, 2}}; /* begins as the right one */
static const struct sha256 wrong = {{0x99, 0x99, 3}};

struct fixture {
    struct sim_clock clock;
    struct backoff backoff;
};

static struct fixture *fixture_new(void)
{
    static struct fixture f;
    sim_clock_init(&f.clock, 0);
    backoff_init(&f.backoff, &f.clock.base);
    return &f;
}

static bool guess(struct fixture *f, const char *address, const struct sha256 *token)
{
    bool has_known_prefix = backoff_prefix(token) == backoff_prefix(&right);
    return backoff_note_wrong(&f->backoff, str_from(address), token, has_known_prefix);
}

static bool may_pass(struct fixture *f, const char *address)
{
    return backoff_may_pass(&f->backoff, str_from(address), &right);
}

static void use_up(struct fixture *f, const char *address)
{
    for (int i = 0; i < BACKOFF_BURST; i++)
        assert_true(guess(f, address, &wrong));
    assert_false(guess(f, address, &wrong));
}

TEST(an_address_has_its_burst_and_then_one_a_second)
{
    struct fixture *f = fixture_new();
    use_up(f, "1.1.1.1");
    assert_true(guess(f, "2.2.2.2", &wrong));
    sim_clock_advance(&f->clock, 1000);
    assert_true(guess(f, "1.1.1.1", &wrong));
    assert_false(guess(f, "1.1.1.1", &wrong));
    backoff_deinit(&f->backoff);
}

TEST(a_right_token_passes_whatever_others_at_the_address_guess)
{
    struct fixture *f = fixture_new();
    use_up(f, "1.1.1.1");
    for (int i = 0; i < 1000; i++)
        assert_false(guess(f, "1.1.1.1", &wrong));
    assert_true(may_pass(f, "1.1.1.1"));
    backoff_deinit(&f->backoff);
}

TEST(who_guesses_near_a_token_is_slowed_too_and_it_passes_again_in_time)
{
    struct fixture *f = fixture_new();
    use_up(f, "1.1.1.1");
    for (int i = 0; i < BACKOFF_BURST; i++) {
        assert_true(may_pass(f, "1.1.1.1"));
        assert_false(guess(f, "1.1.1.1", &alike));
    }
    assert_false(may_pass(f, "1.1.1.1"));
    assert_true(may_pass(f, "2.2.2.2"));
    sim_clock_advance(&f->clock, 1000);
    assert_true(may_pass(f, "1.1.1.1"));
    backoff_deinit(&f->backoff);
}

TEST_MAIN(RUN(an_address_has_its_burst_and_then_one_a_second),
          RUN(a_right_token_passes_whatever_others_at_the_address_guess),
          RUN(who_guesses_near_a_token_is_slowed_too_and_it_passes_again_in_time))
