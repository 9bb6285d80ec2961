#include "http/params.h"

#include <stdio.h>

#include "base/buffer.h"
#include "base/mem.h"
#include "tests/support/test.h"

/* Parses `form` and prints the result as "name=value|name=value|". */
static void expect_form(struct str form, const char *want)
{
    struct error err;
    struct arena arena;
    struct params params = {0};
    struct buffer text;
    arena_init(&arena, SIZE_MAX);
    buffer_init(&text, 1 << 16);
    char *copy = mem_alloc(form.len + 1);
    memcpy(copy, form.ptr, form.len);
    expect_ok(params_add_form(&params, &arena, copy, form.len, &err));
    for (size_t index = 0; index < params.count; index++) {
        buffer_append_str(&text, params.items[index].name);
        buffer_append_byte(&text, '=');
        buffer_append_str(&text, params.items[index].value);
        buffer_append_byte(&text, '|');
    }
    expect_str(buffer_str(&text), want);
    mem_free(copy);
    buffer_deinit(&text);
    arena_deinit(&arena);
}

static void expect_refused(const char *form)
{
    struct error err;
    struct arena arena;
    struct params params = {0};
    char copy[64];
    arena_init(&arena, SIZE_MAX);
    snprintf(copy, sizeof copy, "%s", form);
    expect_status(params_add_form(&params, &arena, copy, strlen(copy), &err), STATUS_INVALID);
    arena_deinit(&arena);
}

TEST(a_form_is_split_before_it_is_decoded)
{
    expect_form(STR(""), "");
    expect_form(STR("query=1%2B1&time=4"), "query=1+1|time=4|");
    expect_form(STR("a=x+y"), "a=x y|");
    expect_form(STR("a%3Db=c%26d"), "a=b=c&d|");
    expect_form(STR("match%5B%5D=%7B__name__%3D~%22a%7Cb%22%7D"), "match[]={__name__=~\"a|b\"}|");
    expect_form(STR("a=b=c"), "a=b=c|");
    expect_form(STR("a=1;b=2"), "a=1;b=2|");
    expect_form(STR("%C3%a4=%e2%82%AC"), "\xc3\xa4=\xe2\x82\xac|");
}

TEST(empty_pairs_names_and_values_are_harmless)
{
    expect_form(STR("&&a=1&&"), "a=1|");
    expect_form(STR("a"), "a=|");
    expect_form(STR("a="), "a=|");
    expect_form(STR("=b"), "=b|");
    expect_form(STR("="), "=|");
    expect_form(STR("a=1&a=2&a="), "a=1|a=2|a=|");
}

TEST(a_bad_escape_is_refused)
{
    expect_refused("a=%");
    expect_refused("a=%4");
    expect_refused("a=%zz");
    expect_refused("a=%4&b=1");
    expect_refused("a%=1");
    expect_refused("a=1&%G0=1");
    expect_refused("a=% 1");
}

TEST(a_decoded_nul_is_a_byte_like_any_other)
{
    struct error err;
    struct arena arena;
    struct params params = {0};
    char form[] = "a=x%00y";
    arena_init(&arena, SIZE_MAX);
    expect_ok(params_add_form(&params, &arena, form, strlen(form), &err));
    assert_int_equal(params.items[0].value.len, 3);
    assert_memory_equal(params.items[0].value.ptr, "x\0y", 3);
    arena_deinit(&arena);
}

TEST(the_form_comes_before_the_url)
{
    struct error err;
    struct arena arena;
    struct params params = {0};
    struct str *values;
    char form[] = "m=form1&m=form2&only=f", query[] = "m=url%31&u";
    arena_init(&arena, SIZE_MAX);
    expect_ok(params_add_form(&params, &arena, form, strlen(form), &err));
    expect_ok(params_add_form(&params, &arena, query, strlen(query), &err));
    expect_str(params_find(&params, STR("m"))->value, "form1");
    expect_str(params_find(&params, STR("u"))->value, "");
    assert_null(params_find(&params, STR("M")));
    assert_int_equal(params_values(&params, STR("m"), &arena, &values), 3);
    expect_str(values[0], "form1");
    expect_str(values[1], "form2");
    expect_str(values[2], "url1");
    assert_int_equal(params_values(&params, STR("absent"), &arena, &values), 0);
    arena_deinit(&arena);
}

TEST(more_than_the_maximum_is_refused_and_the_maximum_is_not)
{
    struct error err;
    struct arena arena;
    struct params params = {0};
    struct buffer form;
    arena_init(&arena, SIZE_MAX);
    buffer_init(&form, 1 << 20);
    for (size_t count = 0; count < PARAMS_MAX; count++)
        buffer_append_str(&form, count == 0 ? STR("a") : STR("&a"));
    expect_ok(params_add_form(&params, &arena, (char *)form.ptr, form.len, &err));
    assert_int_equal(params.count, PARAMS_MAX);
    char one_more[] = "a";
    expect_status(params_add_form(&params, &arena, one_more, 1, &err), STATUS_INVALID);
    buffer_append_str(&form, STR("&a"));
    params = (struct params){0};
    expect_status(params_add_form(&params, &arena, (char *)form.ptr, form.len, &err),
                  STATUS_INVALID);
    buffer_deinit(&form);
    arena_deinit(&arena);
}

TEST(only_the_form_content_type_is_a_form)
{
    assert_true(params_is_form(STR("application/x-www-form-urlencoded")));
    assert_true(params_is_form(STR("Application/X-WWW-Form-Urlencoded; charset=UTF-8")));
    assert_true(params_is_form(STR("application/x-www-form-urlencoded ;charset=utf-8")));
    assert_false(params_is_form(STR("application/x-www-form-urlencodedx")));
    assert_false(params_is_form(STR("application/x-protobuf")));
    assert_false(params_is_form(STR("text/plain; application/x-www-form-urlencoded")));
    assert_false(params_is_form(STR("")));
}

TEST_MAIN(RUN(a_form_is_split_before_it_is_decoded), RUN(empty_pairs_names_and_values_are_harmless),
          RUN(a_bad_escape_is_refused), RUN(a_decoded_nul_is_a_byte_like_any_other),
          RUN(the_form_comes_before_the_url),
          RUN(more_than_the_maximum_is_refused_and_the_maximum_is_not),
          RUN(only_the_form_content_type_is_a_form))
