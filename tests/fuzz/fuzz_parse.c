/*
 * fuzz_parse: any text is parsed or refused with a position, and what parses prints, on one line or
 * over several, to a text that parses to the same. Its computed durations have values or none.
 */
#include <stdint.h>

#include "base/check.h"
#include "query/syntax/duration.h"
#include "query/syntax/parse.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const struct parse_options options = {.text_max = 1 << 20, .allows_experimental = true};

static void resolve(struct expr *expr)
{
    static const struct duration_scope scopes[] = {{0, 0}, {1, 1}, {15000, 3600000}};
    struct error err;
    for (size_t i = 0; i < sizeof scopes / sizeof *scopes; i++) {
        if (durations_resolve(expr, &scopes[i], &err) != STATUS_OK)
            CHECK(strchr(err.text, ':') != NULL);
    }
}

static bool print_parsed(struct str text, struct buffer *out, struct buffer *pretty,
                         struct error *err)
{
    struct arena arena;
    struct expr *expr;
    arena_init(&arena, SIZE_MAX);
    bool is_valid = parse_expr(text, &options, &arena, &expr, err) == STATUS_OK;
    if (is_valid) {
        CHECK(expr->position.end <= text.len);
        CHECK(expr->height <= PARSE_HEIGHT_MAX);
        ast_print(out, expr);
        ast_print_pretty(pretty, expr);
        resolve(expr);
        ast_deinit(expr);
    }
    arena_deinit(&arena);
    return is_valid;
}

/* Prometheus prints "+Inf", which reads back as a sign before a number. */
static bool has_infinity(struct str text)
{
    return memmem(text.ptr, text.len, "+Inf", 4) != NULL;
}

static void check_expression(struct str text)
{
    struct buffer first, second, pretty, again;
    struct error err;
    buffer_init(&first, 1 << 20);
    buffer_init(&second, 1 << 20);
    buffer_init(&pretty, 1 << 20);
    buffer_init(&again, 1 << 20);
    if (!print_parsed(text, &first, &pretty, &err)) {
        CHECK(str_is_utf8(str_from(err.text)));
        CHECK(strstr(err.text, ": parse error: ") != NULL || strstr(err.text, "too long") != NULL);
    } else if (!first.is_overflown && !pretty.is_overflown) {
        CHECK(print_parsed(buffer_str(&first), &second, &again, &err));
        CHECK(has_infinity(buffer_str(&first)) || str_eq(buffer_str(&first), buffer_str(&second)));
        CHECK(has_infinity(buffer_str(&first)) || str_eq(buffer_str(&pretty), buffer_str(&again)));
        buffer_reset(&second);
        CHECK(print_parsed(buffer_str(&pretty), &second, &again, &err));
        CHECK(has_infinity(buffer_str(&first)) || str_eq(buffer_str(&first), buffer_str(&second)));
    }
    buffer_deinit(&again);
    buffer_deinit(&pretty);
    buffer_deinit(&first);
    buffer_deinit(&second);
}

static void check_selector(struct str text)
{
    struct arena arena;
    struct matcher *matchers;
    struct error err;
    size_t count;
    arena_init(&arena, SIZE_MAX);
    if (parse_selector(text, &arena, &matchers, &count, &err) == STATUS_OK) {
        CHECK(count > 0);
        for (size_t i = 0; i < count; i++)
            matcher_deinit(&matchers[i]);
    }
    arena_deinit(&arena);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct str text = {(const char *)data, size};
    check_expression(text);
    check_selector(text);
    return 0;
}
