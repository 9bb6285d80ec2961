#include "http/authorization.h"

#include "tests/support/test.h"

/* `user` NULL: a bearer token. */
static void expect_read(const char *value, const char *user, const char *secret)
{
    struct error err;
    struct arena arena;
    struct authorization got;
    arena_init(&arena, SIZE_MAX);
    expect_ok(authorization_parse(str_from(value), &arena, &got, &err));
    assert_int_equal(got.has_user, user != NULL);
    if (user != NULL)
        expect_str(got.user, user);
    expect_str(got.secret, secret);
    arena_deinit(&arena);
}

static void expect_refused(struct str value, const char *want)
{
    struct error err;
    struct arena arena;
    struct authorization got;
    arena_init(&arena, SIZE_MAX);
    expect_status(authorization_parse(value, &arena, &got, &err), STATUS_INVALID);
    expect_str(str_from(err.text), want);
    arena_deinit(&arena);
}

TEST(a_bearer_token_is_what_follows_the_scheme)
{
    expect_read("Bearer abc", NULL, "abc");
    expect_read("bearer   abc", NULL, "abc");
    expect_read("BEARER a b", NULL, "a b");
}

TEST(basic_carries_a_user_and_a_secret)
{
    expect_read("Basic Z3JhZmFuYTpzZWNyZXQ=", "grafana", "secret");
    expect_read("basic OnNlY3JldA==", "", "secret");
    expect_read("Basic YTpiOmM=", "a", "b:c");
}

TEST(everything_else_is_refused_without_being_shown)
{
    static const char scheme[] = "Authorization: want \"Bearer\" or \"Basic\"";
    static const char pair[] = "Authorization: want base64 of \"user:token\"";
    expect_refused(STR(""), scheme);
    expect_refused(STR("Bearer"), scheme);
    expect_refused(STR("Bearerabc"), scheme);
    expect_refused(STR("abc"), scheme);
    expect_refused(STR("Digest abc"), scheme);
    expect_refused(STR("Basic !!!"), pair);
    expect_refused(STR("Basic c2VjcmV0"), pair); /* no colon */
    expect_refused(STR("Basic YTo="), pair);     /* no secret */
    static const char bytes[AUTHORIZATION_LEN_MAX + 1] = "Bearer x";
    expect_refused((struct str){bytes, sizeof bytes},
                   "Authorization: got 4097 bytes, want at most 4096");
}

TEST_MAIN(RUN(a_bearer_token_is_what_follows_the_scheme), RUN(basic_carries_a_user_and_a_secret),
          RUN(everything_else_is_refused_without_being_shown))
