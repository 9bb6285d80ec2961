/*
 * head_follow: series that come in the order in which they came the last time.
 */
#include "tests/support/test.h"

#include "tsdb/head/head.h"

enum { SERIES = 100 }; /* more than are looked at together */

struct fixture {
    struct head *head;
    struct tenant_table *tenants;
    struct tenant *tenant;
    struct tenant *other;
    struct arena arena;
    struct head_key keys[SERIES];
    struct series_ref refs[SERIES];
};

static struct labels labels_of(struct fixture *f, size_t number)
{
    struct label *labels = arena_alloc(&f->arena, 2 * sizeof *labels);
    labels[0] = (struct label){LABEL_METRIC_NAME, STR("up")};
    labels[1] = (struct label){STR("id"), arena_format(&f->arena, "%zu", number)};
    return (struct labels){labels, 2};
}

/* As a request carries it. */
static struct head_key key_of(struct fixture *f, struct tenant *tenant, size_t number)
{
    struct buffer identity;
    buffer_init(&identity, SIZE_MAX);
    labels_identity_encode(&identity, labels_of(f, number));
    struct str copy = arena_copy(&f->arena, buffer_str(&identity));
    buffer_deinit(&identity);
    return (struct head_key){.tenant = tenant, .identity = bytes_of_str(copy)};
}

/* Series that came once, one behind the other. */
static void open_fixture(struct fixture *f)
{
    struct error err;
    struct tenant_table_options options = {
        .shard_count = 1, .tenants_max = 10, .default_tenant = STR("a")};
    *f = (struct fixture){.head = head_new()};
    expect_ok(tenant_table_open(&options, &f->tenants, &err));
    f->tenant = tenant_table_default(f->tenants);
    expect_ok(tenant_table_get(f->tenants, STR("b"), &f->other, &err));
    arena_init(&f->arena, SIZE_MAX);
    for (size_t i = 0; i < SERIES; i++) {
        f->keys[i] = key_of(f, f->tenant, i);
        f->refs[i] = head_add(f->head, f->tenant, labels_of(f, i), 0);
        if (i > 0)
            head_note_order(f->head, f->refs[i - 1], f->refs[i]);
    }
}

static void close_fixture(struct fixture *f)
{
    head_free(f->head);
    tenant_table_close(f->tenants);
    arena_deinit(&f->arena);
}

/* So many of the keys behind the first one are found, and they are the right ones. */
static void expect_followed(struct fixture *f, size_t want)
{
    struct series_ref refs[SERIES];
    assert_int_equal(head_follow(f->head, f->refs[0], f->keys + 1, SERIES - 1, refs), want);
    for (size_t i = 0; i < want; i++)
        assert_int_equal(refs[i].value, f->refs[i + 1].value);
}

static void flush(struct fixture *f)
{
    head_flush_begin(f->head);
    head_flush_end(f->head);
}

TEST(who_comes_in_the_order_of_the_last_time_is_found)
{
    struct fixture f;
    open_fixture(&f);
    expect_followed(&f, SERIES - 1);
    struct series_ref ref;
    assert_int_equal(head_follow(f.head, SERIES_REF_NONE, f.keys, 1, &ref), 0);
    assert_int_equal(head_follow(f.head, f.refs[SERIES - 1], f.keys, 1, &ref), 0);
    head_note_order(f.head, f.refs[SERIES - 1], f.refs[0]);
    assert_int_equal(head_follow(f.head, f.refs[SERIES - 1], f.keys, 1, &ref), 1);
    assert_int_equal(ref.value, f.refs[0].value);
    close_fixture(&f);
}

TEST(a_series_is_compared_in_full)
{
    for (size_t odd = 1; odd < SERIES; odd += 7) {
        struct fixture f;
        open_fixture(&f);
        f.keys[odd] = key_of(&f, f.tenant, SERIES);
        expect_followed(&f, odd - 1);
        f.keys[odd] = key_of(&f, f.other, odd);
        expect_followed(&f, odd - 1);
        f.keys[odd] = key_of(&f, f.tenant, odd);
        f.keys[odd].identity.len--;
        expect_followed(&f, odd - 1);
        close_fixture(&f);
    }
}

TEST(who_has_gone_is_not_found_nor_is_who_has_its_slot)
{
    struct fixture f;
    open_fixture(&f);
    head_forget(f.head, f.refs[40]);
    expect_followed(&f, 39);
    flush(&f);
    flush(&f);
    struct series_ref stranger = head_add(f.head, f.other, labels_of(&f, 40), 0);
    assert_int_equal(stranger.value, f.refs[40].value);
    expect_followed(&f, 39);
    f.keys[40] = key_of(&f, f.other, 40);
    expect_followed(&f, SERIES - 1); /* the order is still that */
    close_fixture(&f);
}

TEST_MAIN(RUN(who_comes_in_the_order_of_the_last_time_is_found), RUN(a_series_is_compared_in_full),
          RUN(who_has_gone_is_not_found_nor_is_who_has_its_slot))
