#include "server/flags.h"

#include "base/command_line.h"

static const char usage[] =
    "usage: croft serve [flags]\n"
    "\n"
    "  --listen ADDRESS       where to listen, host:port (default 127.0.0.1:9009)\n"
    "  --data-dir FOLDER      where the data lives; made when it is missing (default ./data)\n"
    "  --retention DURATION   how long samples are kept (default 30d)\n"
    "  --config FILE          YAML configuration: limits, tenants, and all of the above\n"
    "  --query-memory SIZE    of all queries together: 4GiB, or a part of the memory (default "
    "40%)\n"
    "  --request-memory SIZE  of all connections and bodies together (default 10%)\n"
    "  --head-memory SIZE     of series in memory and their samples (default 15%)\n"
    "  --tenant-label NAME    label that names the tenant of a series (default tenant_id)\n"
    "  --enable-feature LIST  features with commas between: promql-experimental-functions\n"
    "  --insecure             allow to listen beyond loopback without credentials\n"
    "  --help                 this text\n";

const char *flags_usage(void)
{
    return usage;
}

enum status flags_parse(struct flags *flags, int count, char *const *args, struct error *err)
{
    *flags = (struct flags){0};
    const struct flag_row rows[] = {
        {.name = "listen", .value = &flags->listen},
        {.name = "data-dir", .value = &flags->data_dir},
        {.name = "retention", .value = &flags->retention},
        {.name = "config", .value = &flags->config},
        {.name = "query-memory", .value = &flags->query_memory},
        {.name = "request-memory", .value = &flags->request_memory},
        {.name = "head-memory", .value = &flags->head_memory},
        {.name = "tenant-label", .value = &flags->tenant_label},
        {.name = "enable-feature", .value = &flags->enable_feature},
        {.name = "insecure", .is_on = &flags->is_insecure},
        {.name = "help", .is_on = &flags->wants_help},
    };
    struct command_line line = {.flags = rows, .flag_count = sizeof rows / sizeof *rows};
    return command_line_parse(&line, count, args, err);
}
