/* The list `credentials:` of the configuration. */
#include "tests/server/config_fixture.h"
#include "tests/support/test.h"

/* Digests of nothing in particular. */
#define A64 "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
#define B64 "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb"

static void expect_scope(const struct scope *scope, const char *want)
{
    struct buffer text;
    buffer_init(&text, SIZE_MAX);
    if (scope->is_all)
        buffer_append_byte(&text, '*');
    for (size_t i = 0; i < scope->tenant_count; i++)
        buffer_append_format(&text, "%s%s", i > 0 ? " " : "", scope->tenants[i].text);
    expect_str(buffer_str(&text), want);
    buffer_deinit(&text);
}

TEST(every_key_is_read)
{
    struct config_fixture fixture;
    expect_read(&fixture,
                "credentials:\n"
                "  - {name: agent, token_sha256: " A64 ", write: ['*'], tenant_from: label}\n"
                "  - {name: ops, token_sha256: " B64 ", read: [b, a, b], write: [], "
                "admin: true, basic_user: root}\n");
    assert_true(fixture.config.has_credentials);
    assert_int_equal(fixture.config.credential_count, 2);
    const struct credential *agent = &fixture.config.credentials[0], *ops = agent + 1;
    expect_str(agent->name, "agent");
    expect_str(agent->user, "agent");
    assert_int_equal(agent->token.bytes[0], 0xaa);
    expect_scope(&agent->grant.read, "");
    expect_scope(&agent->grant.write, "*");
    assert_true(agent->grant.is_tenant_from_label);
    assert_false(agent->grant.is_admin);
    expect_str(ops->name, "ops");
    expect_str(ops->user, "root");
    expect_scope(&ops->grant.read, "a b");
    expect_scope(&ops->grant.write, "");
    assert_false(ops->grant.is_tenant_from_label);
    assert_true(ops->grant.is_admin);
    config_deinit(&fixture.config);
}

TEST(an_empty_list_is_not_the_same_as_none)
{
    struct config_fixture fixture;
    expect_read(&fixture, "listen: a:1\n");
    assert_false(fixture.config.has_credentials);
    config_deinit(&fixture.config);
    expect_read(&fixture, "credentials: []\n");
    assert_true(fixture.config.has_credentials);
    assert_int_equal(fixture.config.credential_count, 0);
    config_deinit(&fixture.config);
}

TEST(what_is_wrong_is_named_with_its_line)
{
    static const struct {
        const char *text, *want;
    } rows[] = {
        {"credentials: 1\n", "1: credentials: got a value or mapping, want a list"},
        {"credentials:\n  - a\n", "2: credentials: got a value or list, want a mapping"},
        {"credentials:\n  - {}\n", "2: credentials: an entry without a name"},
        {"credentials:\n  - {name: a}\n", "2: credentials: \"a\" has no token_sha256"},
        {"credentials:\n  - {name: ''}\n", "2: name: must not be empty"},
        {"credentials:\n  - {name: a, token: b}\n",
         "2: credentials: unknown key \"token\", the nearest known key is \"token_sha256\""},
        {"credentials:\n  - {name: a, token_sha256: secret}\n",
         "2: token_sha256: want the 64 hexadecimal digits that croft token new prints"},
        {"credentials:\n  - {name: a, basic_user: 'a:b'}\n",
         "2: basic_user: must not contain a colon"},
        {"credentials:\n  - {name: a, read: '*'}\n",
         "2: read: got a value or mapping, want a list"},
        {"credentials:\n  - {name: a, read: [a, '*']}\n",
         "2: read: want \"*\" alone or tenant ids"},
        {"credentials:\n  - {name: a, read: ['team-*']}\n",
         "2: read: got \"team-*\", want \"*\" alone or tenant ids; there are no patterns"},
        {"credentials:\n  - {name: a, write: ['a|b']}\n",
         "2: write: tenant id: want only 0-9 A-Z a-z ! - _ . * ' ( ), got \"a|b\""},
        {"credentials:\n  - {name: a, tenant_from: header}\n",
         "2: tenant_from: got \"header\", want label"},
        {"credentials:\n  - {name: a, admin: yes}\n", "2: admin: got \"yes\", want true or false"},
        {"credentials:\n  - {name: a, token_sha256: " A64 "}\n  - {name: a, token_sha256: " B64
         "}\n",
         "3: credentials: \"a\" has the name of an earlier entry"},
        {"credentials:\n  - {name: a, token_sha256: " A64 "}\n  - {name: b, token_sha256: " A64
         "}\n",
         "3: credentials: \"b\" has the token of an earlier entry"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        char want[ERROR_TEXT_MAX + 16] = "croft.yml:";
        memcpy(want + 10, rows[i].want, strlen(rows[i].want) + 1);
        expect_refused(rows[i].text, want);
    }
}

TEST(a_thousand_credentials_are_read_and_one_more_is_not)
{
    struct config_fixture fixture;
    struct buffer text;
    buffer_init(&text, SIZE_MAX);
    buffer_append_str(&text, STR("credentials:\n"));
    for (size_t i = 0; i < CONFIG_CREDENTIALS_MAX; i++)
        buffer_append_format(&text, "  - {name: n%zu, token_sha256: %064zx}\n", i, i);
    buffer_append_byte(&text, '\0');
    expect_read(&fixture, (const char *)text.ptr);
    assert_int_equal(fixture.config.credential_count, CONFIG_CREDENTIALS_MAX);
    config_deinit(&fixture.config);
    text.len--;
    buffer_append_str(&text, STR("  - {name: x}\n"));
    buffer_append_byte(&text, '\0');
    expect_refused((const char *)text.ptr,
                   "croft.yml:2: credentials: got 1001 entries, want at most 1000");
    buffer_deinit(&text);
}

TEST_MAIN(RUN(every_key_is_read), RUN(an_empty_list_is_not_the_same_as_none),
          RUN(what_is_wrong_is_named_with_its_line),
          RUN(a_thousand_credentials_are_read_and_one_more_is_not))
