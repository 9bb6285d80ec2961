#include "inspect/script/script_command.h"

#include "base/command_line.h"
#include "base/log.h"
#include "inspect/script/script.h"

enum { FILES_MAX = 1024 };

/* That of Prometheus' own tests. */
static const double TOLERANCE = 1e-6;

static const char usage[] =
    "usage: croft test promql FILE...\n"
    "\n"
    "Runs PromQL scripts in the language of Prometheus' own query tests: load, eval instant, eval\n"
    "range, expect, clear. Prints what is not as expected; the exit status is 0 when all is, 1 "
    "when\n"
    "something is not, 2 when a file cannot be read. docs/promql.md describes the language.\n"
    "\n"
    "  --help   this text\n";

static int bad_usage(const char *text)
{
    fprintf(stderr, "croft: %s\n%s", text, usage);
    return 2;
}

static int run_files(const struct str *files, size_t count)
{
    const struct script_options options = {.out = stdout, .tolerance = TOLERANCE};
    struct script_result result = {0};
    struct error err;
    bool has_read_all = true;
    log_set_level(LOG_NOTHING);
    for (size_t i = 0; i < count; i++) {
        /* an argument is NUL-terminated to its end */
        if (script_run(files[i].ptr, &options, &result, &err) == STATUS_OK)
            continue;
        fprintf(stderr, "croft: %s\n", err.text);
        has_read_all = false;
    }
    fflush(stdout);
    fprintf(stderr, "croft: %zu queries in %zu files, %zu failures\n", result.query_count, count,
            result.failure_count);
    return !has_read_all ? 2 : result.failure_count > 0;
}

int script_command_main(int count, char *const *args)
{
    struct error err;
    struct str plain[FILES_MAX + 1];
    bool wants_help = false;
    const struct flag_row flags[] = {{.name = "help", .is_on = &wants_help}};
    struct command_line line = {
        .flags = flags, .flag_count = 1, .plain = plain, .plain_max = FILES_MAX + 1};
    if (command_line_parse(&line, count, args, &err) != STATUS_OK)
        return bad_usage(err.text);
    if (wants_help) {
        fputs(usage, stdout);
        return 0;
    }
    if (line.plain_count < 2 || !str_eq(plain[0], STR("promql")))
        return bad_usage("want promql and a file");
    return run_files(plain + 1, line.plain_count - 1);
}
