#include "ingest/write_tenant.h"

#include <stdio.h>

#include "tests/support/test.h"

static struct tenant_table *open_table(uint32_t tenants_max)
{
    struct error err;
    struct tenant_table *table = NULL;
    struct tenant_table_options options = {
        .shard_count = 4, .tenants_max = tenants_max, .default_tenant = STR("anonymous")};
    expect_ok(tenant_table_open(&options, &table, &err));
    return table;
}

static void begin(struct write_tenant *resolver, const struct grant *grant, const char *header)
{
    static struct tenant_id id;
    struct error err;
    if (header != NULL)
        expect_ok(tenant_id_parse(str_from(header), &id, &err));
    expect_ok(write_tenant_begin(resolver, grant, header == NULL ? NULL : &id, &err));
}

static void expect_denied_request(struct write_tenant *resolver, const struct grant *grant,
                                  const char *header, const char *want)
{
    struct error err;
    struct tenant_id id;
    if (header != NULL)
        expect_ok(tenant_id_parse(str_from(header), &id, &err));
    expect_status(write_tenant_begin(resolver, grant, header == NULL ? NULL : &id, &err),
                  STATUS_DENIED);
    expect_str(str_from(err.text), want);
}

static void expect_refused(struct write_tenant *resolver, const char *label, enum status status,
                           const char *want)
{
    struct error err;
    struct tenant *tenant;
    expect_status(write_tenant_find(resolver, str_from(label), &tenant, &err), status);
    expect_str(str_from(err.text), want);
}

static void expect_tenant(struct write_tenant *resolver, const char *label, const char *want)
{
    struct error err;
    struct tenant *tenant = NULL;
    enum status status = write_tenant_find(resolver, str_from(label), &tenant, &err);
    if (status == STATUS_NOT_FOUND) { /* as the store does */
        expect_str(tenant_id_str(&resolver->unknown), want);
        expect_ok(tenant_table_get(resolver->table, str_from(want), &tenant, &err));
        status = write_tenant_find(resolver, str_from(label), &tenant, &err);
    }
    expect_status(status, STATUS_OK);
    expect_str(tenant_id_str(&tenant->id), want);
    assert_ptr_equal(tenant, tenant_table_find(resolver->table, str_from(want)));
}

static void expect_header_error(const char *value, size_t times_sent, const char *want)
{
    struct error err;
    struct tenant_id id;
    expect_status(write_tenant_parse_header(str_from(value), times_sent, &id, &err),
                  STATUS_INVALID);
    expect_str(str_from(err.text), want);
}

TEST(the_header_names_exactly_one_tenant)
{
    struct error err;
    struct tenant_id id;
    expect_ok(write_tenant_parse_header(STR("finance-team"), 1, &id, &err));
    expect_str(tenant_id_str(&id), "finance-team");
    expect_header_error("a", 2, "X-Scope-OrgID: sent 2 times, want at most once");
    expect_header_error("a|b", 1, "X-Scope-OrgID: a write goes to one tenant, got a list of them");
    expect_header_error("a,b", 1, "X-Scope-OrgID: a write goes to one tenant, got a list of them");
    expect_header_error("", 1, "X-Scope-OrgID: tenant id: empty, want 1 to 150 bytes");
    expect_header_error("a b", 1,
                        "X-Scope-OrgID: tenant id: want only 0-9 A-Z a-z ! - _ . * ' ( ), "
                        "got \"a b\"");
    expect_header_error("..", 1, "X-Scope-OrgID: tenant id: a reserved name, got \"..\"");
}

TEST(the_label_decides_where_no_header_is_and_the_default_where_no_label_is)
{
    struct write_tenant resolver;
    struct tenant_table *table = open_table(10);
    write_tenant_init(&resolver, table);
    begin(&resolver, NULL, NULL);
    expect_tenant(&resolver, "a", "a");
    expect_tenant(&resolver, "a", "a");
    expect_tenant(&resolver, "", "anonymous");
    expect_tenant(&resolver, "b", "b");
    expect_tenant(&resolver, "a", "a");
    tenant_table_close(table);
}

TEST(the_header_goes_before_the_label)
{
    struct write_tenant resolver;
    struct tenant_table *table = open_table(10);
    write_tenant_init(&resolver, table);
    begin(&resolver, NULL, NULL);
    expect_tenant(&resolver, "a", "a");
    begin(&resolver, NULL, "h");
    expect_tenant(&resolver, "a", "h");
    expect_tenant(&resolver, "..", "h");
    expect_tenant(&resolver, "", "h");
    begin(&resolver, NULL, NULL);
    expect_tenant(&resolver, "", "anonymous");
    tenant_table_close(table);
}

TEST(a_label_that_is_no_tenant_id_is_refused_and_makes_no_tenant)
{
    struct error err;
    struct write_tenant resolver;
    struct tenant *tenant;
    struct tenant_table *table = open_table(2);
    write_tenant_init(&resolver, table);
    begin(&resolver, NULL, NULL);
    expect_tenant(&resolver, "a", "a");
    expect_status(write_tenant_find(&resolver, STR("../a"), &tenant, &err), STATUS_INVALID);
    expect_status(write_tenant_find(&resolver, STR("c"), &tenant, &err), STATUS_NOT_FOUND);
    assert_int_equal(tenant_table_count(table), 2);
    expect_tenant(&resolver, "a", "a");
    tenant_table_close(table);
}

TEST(tenants_that_share_a_place_in_the_cache_are_told_apart)
{
    enum { TENANT_COUNT = 300 };
    struct write_tenant resolver;
    struct tenant_table *table = open_table(TENANT_COUNT + 1);
    write_tenant_init(&resolver, table);
    begin(&resolver, NULL, NULL);
    for (unsigned i = 0; i < 3 * TENANT_COUNT; i++) {
        char name[16];
        snprintf(name, sizeof name, "team-%u", i * 7 % TENANT_COUNT);
        expect_tenant(&resolver, name, name);
    }
    tenant_table_close(table);
}

/* "a" and "b" */
static struct scope two_tenants(void)
{
    static const struct tenant_id ids[] = {{.len = 1, .text = "a"}, {.len = 1, .text = "b"}};
    return (struct scope){.tenants = ids, .tenant_count = 2};
}

static struct scope one_tenant(void)
{
    return (struct scope){.tenants = two_tenants().tenants, .tenant_count = 1};
}

TEST(a_credential_of_one_tenant_writes_to_it_whatever_the_labels_say)
{
    struct write_tenant resolver;
    struct tenant_table *table = open_table(10);
    const struct grant grant = {.write = one_tenant()};
    write_tenant_init(&resolver, table);
    begin(&resolver, &grant, NULL);
    expect_tenant(&resolver, "", "a");
    expect_tenant(&resolver, "b", "a");
    expect_tenant(&resolver, "anonymous", "a");
    begin(&resolver, &grant, "a");
    expect_tenant(&resolver, "b", "a");
    expect_denied_request(&resolver, &grant, "b",
                          "X-Scope-OrgID: this credential may not write tenant \"b\"");
    expect_denied_request(&resolver, &grant, "A",
                          "X-Scope-OrgID: this credential may not write tenant \"A\"");
    assert_null(tenant_table_find(table, STR("b")));
    tenant_table_close(table);
}

TEST(a_credential_of_several_tenants_has_to_say_which)
{
    struct write_tenant resolver;
    struct tenant_table *table = open_table(10);
    const struct grant several = {.write = two_tenants()}, all = {.write = {.is_all = true}};
    write_tenant_init(&resolver, table);
    begin(&resolver, &several, "b");
    expect_tenant(&resolver, "a", "b");
    expect_denied_request(&resolver, &several, "anonymous",
                          "X-Scope-OrgID: this credential may not write tenant \"anonymous\"");
    expect_denied_request(&resolver, &several, NULL,
                          "X-Scope-OrgID: missing, and this credential may write several tenants");
    begin(&resolver, &all, NULL);
    expect_tenant(&resolver, "b", "anonymous");
    begin(&resolver, &all, "c");
    expect_tenant(&resolver, "b", "c");
    tenant_table_close(table);
}

TEST(labels_decide_among_the_granted_tenants_only)
{
    struct write_tenant resolver;
    struct tenant_table *table = open_table(10);
    const struct grant grant = {.write = two_tenants(), .is_tenant_from_label = true};
    write_tenant_init(&resolver, table);
    begin(&resolver, &grant, NULL);
    expect_tenant(&resolver, "a", "a");
    expect_refused(&resolver, "c", STATUS_DENIED, "tenant \"c\": this credential may not write it");
    expect_refused(&resolver, "", STATUS_DENIED,
                   "series without a tenant label: this credential may not write the default "
                   "tenant \"anonymous\"");
    expect_refused(&resolver, "..", STATUS_INVALID, "tenant id: a reserved name, got \"..\"");
    expect_tenant(&resolver, "b", "b");
    expect_tenant(&resolver, "a", "a");
    assert_null(tenant_table_find(table, STR("c")));
    begin(&resolver, &grant, "b");
    expect_tenant(&resolver, "a", "b");
    tenant_table_close(table);
}

TEST(a_credential_of_one_tenant_that_trusts_labels_keeps_what_has_none)
{
    struct write_tenant resolver;
    struct tenant_table *table = open_table(10);
    const struct grant grant = {.write = one_tenant(), .is_tenant_from_label = true};
    write_tenant_init(&resolver, table);
    begin(&resolver, &grant, NULL);
    expect_tenant(&resolver, "", "a");
    expect_tenant(&resolver, "a", "a");
    expect_refused(&resolver, "b", STATUS_DENIED, "tenant \"b\": this credential may not write it");
    tenant_table_close(table);
}

TEST(what_one_request_was_granted_says_nothing_about_the_next)
{
    struct write_tenant resolver;
    struct tenant_table *table = open_table(10);
    const struct grant narrow = {.write = two_tenants(), .is_tenant_from_label = true};
    write_tenant_init(&resolver, table);
    begin(&resolver, NULL, NULL);
    expect_tenant(&resolver, "c", "c");
    begin(&resolver, &narrow, NULL);
    expect_refused(&resolver, "c", STATUS_DENIED, "tenant \"c\": this credential may not write it");
    tenant_table_close(table);
}

TEST_MAIN(RUN(the_header_names_exactly_one_tenant),
          RUN(the_label_decides_where_no_header_is_and_the_default_where_no_label_is),
          RUN(the_header_goes_before_the_label),
          RUN(a_label_that_is_no_tenant_id_is_refused_and_makes_no_tenant),
          RUN(tenants_that_share_a_place_in_the_cache_are_told_apart),
          RUN(a_credential_of_one_tenant_writes_to_it_whatever_the_labels_say),
          RUN(a_credential_of_several_tenants_has_to_say_which),
          RUN(labels_decide_among_the_granted_tenants_only),
          RUN(a_credential_of_one_tenant_that_trusts_labels_keeps_what_has_none),
          RUN(what_one_request_was_granted_says_nothing_about_the_next))
