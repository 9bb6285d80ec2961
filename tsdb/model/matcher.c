#include "tsdb/model/matcher.h"

#include "base/check.h"
#include "tsdb/model/literals.h"
#include "tsdb/model/quote.h"

/* Bytes that mean something in a regex; anything else stands for itself. */
static bool is_regex_meta(char c)
{
    return strchr("\\.+*?()|[]{}^$", c) != NULL;
}

static bool is_all_literal(struct str text)
{
    for (size_t i = 0; i < text.len; i++)
        if (is_regex_meta(text.ptr[i]))
            return false;
    return true;
}

/* "api.*" and "api.+", ".*" and ".+" with an empty prefix: what dashboards send most. */
static bool init_prefix(struct matcher *matcher)
{
    struct str pattern = matcher->value;
    bool is_star = str_ends_with(pattern, STR(".*"));
    if (!is_star && !str_ends_with(pattern, STR(".+")))
        return false;
    struct str prefix = {pattern.ptr, pattern.len - 2};
    if (!is_all_literal(prefix))
        return false;
    matcher->test = is_star ? MATCHER_TEST_PREFIX : MATCHER_TEST_LONGER_THAN_PREFIX;
    matcher->prefix = prefix;
    return true;
}

static enum status init_pattern(struct matcher *matcher, struct arena *arena, struct error *err)
{
    if (init_prefix(matcher))
        return STATUS_OK;
    matcher->test = MATCHER_TEST_LITERALS;
    if (literals_of_pattern(matcher->value, arena, &matcher->literals, &matcher->literal_count))
        return STATUS_OK;
    if (matcher->value.len > MATCHER_REGEX_LEN_SMALL_MAX)
        return error_set(err, STATUS_INVALID,
                         "regular expression: too long, got %zu bytes, want at most %d",
                         matcher->value.len, MATCHER_REGEX_LEN_SMALL_MAX);
    matcher->test = MATCHER_TEST_REGEX;
    return regex_new(matcher->value, &matcher->regex, err);
}

enum status matcher_init(struct matcher *matcher, enum matcher_op op, struct str name,
                         struct str value, struct arena *arena, struct error *err)
{
    *matcher = (struct matcher){.op = op, .name = name, .value = value};
    if (op == MATCHER_RE || op == MATCHER_NRE)
        TRY(init_pattern(matcher, arena, err));
    matcher->matches_empty = matcher_matches(matcher, STR(""));
    return STATUS_OK;
}

void matcher_deinit(struct matcher *matcher)
{
    regex_free(matcher->regex);
    *matcher = (struct matcher){0};
}

/* Whether the text of the matcher describes `value`, before any negation. */
static bool describes(const struct matcher *matcher, struct str value)
{
    switch (matcher->test) {
    case MATCHER_TEST_EQUAL:
        return str_eq(matcher->value, value);
    case MATCHER_TEST_LITERALS:
        return literals_hold(matcher->literals, matcher->literal_count, value);
    case MATCHER_TEST_PREFIX:
        return str_starts_with(value, matcher->prefix);
    case MATCHER_TEST_LONGER_THAN_PREFIX:
        return value.len > matcher->prefix.len && str_starts_with(value, matcher->prefix);
    case MATCHER_TEST_REGEX:
        return regex_matches(matcher->regex, value);
    }
    CHECK(false);
}

bool matcher_matches(const struct matcher *matcher, struct str value)
{
    return describes(matcher, value) != matcher_is_negative(matcher);
}

void matcher_print(struct buffer *out, const struct matcher *matcher)
{
    if (label_name_is_plain(matcher->name))
        buffer_append_str(out, matcher->name);
    else
        append_quoted(out, matcher->name);
    buffer_append_str(out, str_from(matcher_op_text(matcher->op)));
    append_quoted(out, matcher->value);
}

const char *matcher_op_text(enum matcher_op op)
{
    switch (op) {
    case MATCHER_EQ:
        return "=";
    case MATCHER_NE:
        return "!=";
    case MATCHER_RE:
        return "=~";
    case MATCHER_NRE:
        return "!~";
    }
    CHECK(false);
}
