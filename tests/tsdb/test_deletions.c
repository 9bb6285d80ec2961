#include "tsdb/store/deletions_file.h"

#include <stdio.h>
#include <string.h>

#include "tests/support/test.h"

/* The example of docs/format/deletions.md, one copy. */
static const uint8_t example[] = {
    0x43, 0x52, 0x4f, 0x46, 0x54, 0x44, 0x45, 0x4c, 0x01, 0x00, 0x00, 0x00, 0x03, 0x00, 0x00,
    0x00, 0x01, 0x00, 0x00, 0x00, 0x29, 0x00, 0x00, 0x00, 0x99, 0x71, 0x7f, 0xf5, 0x16, 0x6f,
    0xee, 0x06, 0x04, 0x61, 0x63, 0x6d, 0x65, 0x0c, 0x80, 0xa0, 0xab, 0xfe, 0xf9, 0x62, 0xb0,
    0x8a, 0xad, 0xfe, 0xf9, 0x62, 0x02, 0x00, 0x08, 0x5f, 0x5f, 0x6e, 0x61, 0x6d, 0x65, 0x5f,
    0x5f, 0x02, 0x75, 0x70, 0x02, 0x03, 0x6a, 0x6f, 0x62, 0x03, 0x61, 0x7c, 0x62};

static void add(struct deletions *list, const char *tenant, struct span span,
                uint64_t last_sequence, const struct matcher *matchers, size_t count)
{
    struct error err;
    struct deletion d = {.last_sequence = last_sequence,
                         .min_ts_ms = span.min_ts_ms,
                         .max_ts_ms = span.max_ts_ms,
                         .matchers = matchers,
                         .matcher_count = count};
    expect_ok(tenant_id_parse(str_from(tenant), &d.tenant, &err));
    expect_ok(deletions_add(list, &d, &err));
}

static const struct matcher example_matchers[] = {
    {.op = MATCHER_EQ, .name = {"__name__", 8}, .value = {"up", 2}},
    {.op = MATCHER_RE, .name = {"job", 3}, .value = {"a|b", 3}}};

static struct deletions *make_example(void)
{
    struct deletions *list = deletions_new();
    add(list, "acme", (struct span){1700000000000, 1700000015000}, 12, example_matchers, 2);
    return list;
}

static void expect_example(struct bytes data)
{
    struct error err;
    struct deletions *list;
    expect_ok(deletions_decode(data, 3, &list, &err));
    assert_int_equal(list->count, 1);
    const struct deletion *d = &list->ptr[0];
    expect_str(tenant_id_str(&d->tenant), "acme");
    assert_int_equal(d->last_sequence, 12);
    assert_int_equal(d->min_ts_ms, 1700000000000);
    assert_int_equal(d->max_ts_ms, 1700000015000);
    assert_int_equal(d->matcher_count, 2);
    assert_int_equal(d->matchers[1].op, MATCHER_RE);
    expect_str(d->matchers[1].value, "a|b");
    assert_true(matcher_matches(&d->matchers[1], STR("b")));
    deletions_release(list);
}

static void encode_example(struct buffer *out)
{
    struct deletions *list = make_example();
    buffer_init(out, 4096);
    deletions_encode(out, list, 3);
    deletions_release(list);
}

TEST(the_example_of_the_format_page_encodes_and_decodes)
{
    struct buffer out;
    encode_example(&out);
    assert_int_equal(out.len, 2 * sizeof example);
    assert_memory_equal(out.ptr, example, sizeof example);
    assert_memory_equal(out.ptr + sizeof example, example, sizeof example);
    expect_example(buffer_bytes(&out));
    buffer_deinit(&out);
}

/* And never another answer. */
TEST(damage_to_one_copy_costs_nothing)
{
    struct buffer out;
    encode_example(&out);
    for (size_t i = 0; i < out.len; i++) {
        out.ptr[i] ^= (uint8_t)(1 << i % 8);
        expect_example(buffer_bytes(&out));
        out.ptr[i] ^= (uint8_t)(1 << i % 8);
    }
    buffer_deinit(&out);
}

TEST(a_file_that_was_cut_or_grew_keeps_the_copy_that_is_whole)
{
    struct buffer out;
    encode_example(&out);
    for (size_t len = sizeof example; len < out.len; len++)
        expect_example((struct bytes){out.ptr, len});
    for (size_t lost = 1; lost <= sizeof example; lost++)
        expect_example((struct bytes){out.ptr + lost, out.len - lost});
    uint8_t *more = buffer_reserve(&out, 50);
    memset(more, 0xff, 50);
    expect_example((struct bytes){out.ptr, out.len + 50});
    out.ptr[40] ^= 1;
    expect_example((struct bytes){out.ptr, out.len + 50});
    buffer_deinit(&out);
}

TEST(damage_to_both_copies_is_refused)
{
    struct error err;
    struct deletions *list;
    struct buffer out;
    encode_example(&out);
    for (size_t i = 0; i < out.len / 2; i++) {
        out.ptr[i] ^= 0x10;
        out.ptr[i + out.len / 2] ^= 0x10;
        expect_status(deletions_decode(buffer_bytes(&out), 3, &list, &err), STATUS_CORRUPT);
        out.ptr[i] ^= 0x10;
        out.ptr[i + out.len / 2] ^= 0x10;
    }
    for (size_t len = 0; len < sizeof example; len++)
        expect_status(deletions_decode((struct bytes){out.ptr, len}, 3, &list, &err),
                      STATUS_CORRUPT);
    expect_status(deletions_decode(buffer_bytes(&out), 4, &list, &err), STATUS_CORRUPT);
    buffer_deinit(&out);
}

static void expect_spans(const struct deletions *list, uint64_t sequence, const char *tenant,
                         const char *job, const char *want)
{
    struct arena arena;
    char text[200] = "";
    arena_init(&arena, SIZE_MAX);
    const struct label labels[] = {{STR("__name__"), STR("up")}, {STR("job"), str_from(job)}};
    struct span_list spans =
        deletions_of_series(list, sequence, str_from(tenant), (struct labels){labels, 2}, &arena);
    for (size_t i = 0; i < spans.count; i++)
        snprintf(text + strlen(text), sizeof text - strlen(text), "%lld-%lld ",
                 (long long)spans.ptr[i].min_ts_ms, (long long)spans.ptr[i].max_ts_ms);
    assert_string_equal(text, want);
    arena_deinit(&arena);
}

TEST(spans_are_of_the_tenant_the_block_and_the_series_and_unite)
{
    struct deletions *list = deletions_new();
    add(list, "b", (struct span){20, 29}, 5, example_matchers, 2);
    add(list, "b", (struct span){40, 50}, 5, example_matchers, 1);
    add(list, "b", (struct span){10, 19}, 9, NULL, 0);
    add(list, "a", (struct span){INT64_MIN, INT64_MAX}, 3, NULL, 0);
    add(list, "b", (struct span){45, INT64_MAX}, 2, NULL, 0);
    add(list, "b", (struct span){INT64_MIN, 0}, 2, NULL, 0);
    expect_spans(list, 5, "b", "a", "10-29 40-50 ");
    expect_spans(list, 5, "b", "c", "10-19 40-50 ");
    expect_spans(list, 6, "b", "a", "10-19 ");
    expect_spans(list, 10, "b", "a", "");
    expect_spans(list, 1, "b", "b", "-9223372036854775808-0 10-29 40-9223372036854775807 ");
    expect_spans(list, 3, "a", "z", "-9223372036854775808-9223372036854775807 ");
    expect_spans(list, 3, "c", "a", "");
    assert_true(deletions_concern(list, 9, STR("b")));
    assert_false(deletions_concern(list, 10, STR("b")));
    assert_false(deletions_concern(list, 0, STR("c")));
    deletions_release(list);
}

TEST(too_many_are_refused)
{
    struct error err;
    struct deletions *list = deletions_new();
    for (int i = 0; i < DELETIONS_MAX; i++)
        add(list, "a", (struct span){i, i}, 1, NULL, 0);
    expect_status(deletions_add(list, &list->ptr[0], &err), STATUS_LIMIT);
    deletions_release(list);
}

TEST_MAIN(RUN(the_example_of_the_format_page_encodes_and_decodes),
          RUN(damage_to_one_copy_costs_nothing),
          RUN(a_file_that_was_cut_or_grew_keeps_the_copy_that_is_whole),
          RUN(damage_to_both_copies_is_refused),
          RUN(spans_are_of_the_tenant_the_block_and_the_series_and_unite),
          RUN(too_many_are_refused))
