#include "tests/support/test.h"

#include "tsdb/model/tenant_id.h"

static void expect_parsed(struct str text)
{
    struct error err;
    struct tenant_id id;
    expect_ok(tenant_id_parse(text, &id, &err));
    assert_true(str_eq(tenant_id_str(&id), text));
    assert_int_equal(strlen(id.text), text.len);
}

static void expect_refused(struct str text, const char *want)
{
    struct error err = {""};
    struct tenant_id id;
    expect_status(tenant_id_parse(text, &id, &err), STATUS_INVALID);
    expect_str(str_from(err.text), want);
}

static char long_text[TENANT_ID_LEN_MAX + 1];

TEST(ids_in_the_alphabet_are_parsed)
{
    expect_parsed(STR("finance-team"));
    expect_parsed(STR("AZaz09!-_.*'()"));
    expect_parsed(STR("..."));
    memset(long_text, 'x', sizeof long_text);
    expect_parsed((struct str){long_text, TENANT_ID_LEN_MAX});
}

TEST(everything_else_is_refused_with_its_reason)
{
    expect_refused(STR(""), "tenant id: empty, want 1 to 150 bytes");
    expect_refused(STR("a|b"), "tenant id: want only 0-9 A-Z a-z ! - _ . * ' ( ), got \"a|b\"");
    expect_refused(STR("a/b"), "tenant id: want only 0-9 A-Z a-z ! - _ . * ' ( ), got \"a/b\"");
    expect_refused(STR("a\0b"),
                   "tenant id: want only 0-9 A-Z a-z ! - _ . * ' ( ), got \"a\\x00b\"");
    expect_refused(STR("\xff"), "tenant id: want only 0-9 A-Z a-z ! - _ . * ' ( ), got \"\\xff\"");
    expect_refused(STR("."), "tenant id: a reserved name, got \".\"");
    expect_refused(STR(".."), "tenant id: a reserved name, got \"..\"");
    expect_refused(STR("__mimir_cluster"), "tenant id: a reserved name, got \"__mimir_cluster\"");
    memset(long_text, 'x', sizeof long_text);
    expect_refused((struct str){long_text, sizeof long_text},
                   "tenant id: too long, got 151 bytes, want at most 150");
}

TEST_MAIN(RUN(ids_in_the_alphabet_are_parsed), RUN(everything_else_is_refused_with_its_reason))
