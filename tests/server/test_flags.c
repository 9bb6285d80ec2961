/* The command line of `croft serve`. */
#include "tests/support/test.h"

#include "server/flags.h"

enum { ARGS_MAX = 20 };

/* The arguments, separated by blanks; "_" stands for an empty one. */
static enum status parse(const char *line, struct flags *flags, struct error *err)
{
    static char text[500];
    char *args[ARGS_MAX];
    int count = 0;
    size_t len = strlen(line);
    assert_true(len < sizeof text);
    memcpy(text, line, len + 1);
    for (size_t at = 0; at < len;) {
        size_t end = str_find((struct str){text, len}, ' ', at);
        text[end] = '\0';
        assert_true(count < ARGS_MAX);
        args[count++] = strcmp(text + at, "_") == 0 ? text + end : text + at;
        at = end + 1;
    }
    return flags_parse(flags, count, args, err);
}

static void expect_refused(const char *line, const char *want)
{
    struct flags flags;
    struct error err;
    expect_status(parse(line, &flags, &err), STATUS_INVALID);
    assert_string_equal(err.text, want);
}

TEST(no_flags_leave_everything_empty)
{
    struct flags flags;
    struct error err;
    expect_ok(parse("", &flags, &err));
    expect_str(flags.listen, "");
    expect_str(flags.data_dir, "");
    expect_str(flags.retention, "");
    expect_str(flags.config, "");
    expect_str(flags.tenant_label, "");
    assert_false(flags.is_insecure);
    assert_false(flags.wants_help);
}

TEST(every_flag_goes_to_its_place_in_both_forms)
{
    static const char *const lines[] = {
        "--listen :1 --data-dir d --retention 1d --config c --tenant-label t --enable-feature f "
        "--query-memory 1GiB --request-memory 5% --head-memory 9% --insecure --help",
        "--help --insecure --head-memory=9% --request-memory=5% --query-memory=1GiB "
        "--enable-feature=f "
        "--tenant-label=t --config=c --retention=1d "
        "--data-dir=d --listen=:1",
    };
    for (size_t i = 0; i < 2; i++) {
        struct flags flags;
        struct error err;
        expect_ok(parse(lines[i], &flags, &err));
        expect_str(flags.listen, ":1");
        expect_str(flags.data_dir, "d");
        expect_str(flags.retention, "1d");
        expect_str(flags.config, "c");
        expect_str(flags.tenant_label, "t");
        expect_str(flags.enable_feature, "f");
        expect_str(flags.query_memory, "1GiB");
        expect_str(flags.request_memory, "5%");
        expect_str(flags.head_memory, "9%");
        assert_true(flags.is_insecure);
        assert_true(flags.wants_help);
    }
}

TEST(a_value_may_hold_anything_behind_the_first_equals_sign)
{
    struct flags flags;
    struct error err;
    expect_ok(parse("--data-dir=a=b --config=--c --listen -1", &flags, &err));
    expect_str(flags.data_dir, "a=b");
    expect_str(flags.config, "--c");
    expect_str(flags.listen, "-1");
    /* serve_main opens it by this pointer */
    assert_int_equal(flags.config.ptr[flags.config.len], '\0');
}

TEST(of_a_repeated_flag_the_last_counts)
{
    struct flags flags;
    struct error err;
    expect_ok(parse("--listen a --listen=b --insecure --insecure", &flags, &err));
    expect_str(flags.listen, "b");
}

TEST(a_missing_value_does_not_swallow_the_next_flag)
{
    expect_refused("--listen", "flag \"--listen\" needs a value");
    expect_refused("--insecure --config", "flag \"--config\" needs a value");
    expect_refused("--data-dir --insecure", "flag \"--data-dir\" needs a value");
    expect_refused("--listen --data-dir d", "flag \"--listen\" needs a value");
}

TEST(an_empty_value_is_refused)
{
    expect_refused("--listen=", "flag \"--listen\" must not be empty");
    expect_refused("--tenant-label _", "flag \"--tenant-label\" must not be empty");
}

TEST(anything_else_is_refused_by_name)
{
    expect_refused("--nope", "unknown flag \"--nope\"");
    expect_refused("--nope=1", "unknown flag \"--nope=1\"");
    expect_refused("--Listen a", "unknown flag \"--Listen\"");
    expect_refused("--", "unknown flag \"--\"");
    expect_refused("--=a", "unknown flag \"--=a\"");
    expect_refused("--insecure=true", "unknown flag \"--insecure=true\"");
    expect_refused("-h", "unexpected argument \"-h\"");
    expect_refused("serve", "unexpected argument \"serve\"");
    expect_refused("--insecure true", "unexpected argument \"true\"");
    expect_refused("_", "unexpected argument \"\"");
}

TEST(the_usage_names_every_flag)
{
    static const char *const names[] = {
        "  --listen ",       "  --data-dir ", "  --retention ",      "  --config ",
        "  --tenant-label ", "  --insecure ", "  --enable-feature ", "  --help "};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        assert_non_null(strstr(flags_usage(), names[i]));
}

TEST_MAIN(RUN(no_flags_leave_everything_empty), RUN(every_flag_goes_to_its_place_in_both_forms),
          RUN(a_value_may_hold_anything_behind_the_first_equals_sign),
          RUN(of_a_repeated_flag_the_last_counts),
          RUN(a_missing_value_does_not_swallow_the_next_flag), RUN(an_empty_value_is_refused),
          RUN(anything_else_is_refused_by_name), RUN(the_usage_names_every_flag))
