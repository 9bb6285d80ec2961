#include "http/web_origin.h"
#include "tests/support/test.h"

static bool is_foreign(const char *fetch_site, const char *origin, const char *host)
{
    return web_origin_is_foreign(&(struct web_origin){
        .fetch_site = str_from(fetch_site), .origin = str_from(origin), .host = str_from(host)});
}

TEST(programs_that_are_no_browsers_are_not_foreign)
{
    assert_false(is_foreign("", "", "croft:9009"));
    assert_false(is_foreign("", "", ""));
}

TEST(a_page_of_another_site_is_foreign)
{
    assert_true(is_foreign("cross-site", "", "croft:9009"));
    assert_true(is_foreign("same-site", "", "croft:9009"));
    assert_true(is_foreign("anything", "http://croft:9009", "croft:9009"));
    assert_false(is_foreign("same-origin", "https://proxy", "croft:9009"));
    assert_false(is_foreign("none", "", "croft:9009"));
}

TEST(without_fetch_metadata_the_origin_decides)
{
    assert_false(is_foreign("", "http://croft:9009", "croft:9009"));
    assert_false(is_foreign("", "https://Croft", "croft"));
    assert_true(is_foreign("", "http://croft", "croft:9009"));
    assert_true(is_foreign("", "http://evil", "croft"));
    assert_true(is_foreign("", "http://croft.evil", "croft"));
    assert_true(is_foreign("", "null", "croft"));
    assert_true(is_foreign("", "croft", "croft"));
    assert_true(is_foreign("", "http:", "croft"));
    assert_true(is_foreign("", "http://", "croft"));
}

TEST(only_addresses_in_digits_and_localhost_lead_nowhere_else)
{
    static const char *const fixed[] = {"127.0.0.1",  "127.0.0.1:9009", "10.1.2.3:1",    "[::1]",
                                        "[::1]:9009", "localhost",      "LocalHost:9009"};
    static const char *const others[] = {"",
                                         ":9009",
                                         "croft",
                                         "evil.example:9009",
                                         "127.0.0.1.evil",
                                         "localhost.evil",
                                         "[::1",
                                         "[evil]",
                                         "1.2.3",
                                         "0x7f.1",
                                         "127.0.0.1 ",
                                         "::1"};
    for (size_t i = 0; i < sizeof fixed / sizeof *fixed; i++)
        assert_true(web_origin_host_is_fixed(str_from(fixed[i])));
    for (size_t i = 0; i < sizeof others / sizeof *others; i++) {
        if (web_origin_host_is_fixed(str_from(others[i])))
            fail_msg("%s", others[i]);
    }
}

TEST_MAIN(RUN(programs_that_are_no_browsers_are_not_foreign),
          RUN(a_page_of_another_site_is_foreign), RUN(without_fetch_metadata_the_origin_decides),
          RUN(only_addresses_in_digits_and_localhost_lead_nowhere_else))
