/*
 * croft: the program. Each subcommand is one row.
 */
#include <stdio.h>
#include <string.h>

#include "inspect/dump.h"
#include "inspect/import.h"
#include "inspect/inspect.h"
#include "inspect/script/script_command.h"
#include "server/serve.h"
#include "server/token_command.h"
#include "server/version.h"

static int print_version(int count, char *const *args)
{
    (void)count, (void)args;
    printf("croft %s\n", CROFT_VERSION);
    return 0;
}

static const struct {
    const char *name;
    int (*run)(int count, char *const *args);
    const char *help;
} commands[] = {
    {"serve", serve_main, "run the server; croft serve --help lists the flags"},
    {"token", token_main, "croft token new: make a token for the configuration's credentials"},
    {"inspect", inspect_main, "show or prove what the files of a data directory hold"},
    {"dump", dump_main, "print the samples of a data directory as OpenMetrics"},
    {"import", import_main, "send OpenMetrics text to a server as remote write"},
    {"test", script_command_main, "run PromQL scripts: croft test promql FILE..."},
    {"version", print_version, "print the version"},
};

static int print_usage(FILE *to, int exit_code)
{
    fprintf(to, "usage: croft COMMAND [arguments]\n\n");
    for (size_t i = 0; i < sizeof commands / sizeof *commands; i++)
        fprintf(to, "  %-10s %s\n", commands[i].name, commands[i].help);
    return exit_code;
}

int main(int argc, char **argv)
{
    if (argc < 2)
        return print_usage(stderr, 2);
    if (strcmp(argv[1], "--version") == 0)
        return print_version(0, NULL);
    if (strcmp(argv[1], "--help") == 0)
        return print_usage(stdout, 0);
    for (size_t i = 0; i < sizeof commands / sizeof *commands; i++) {
        if (strcmp(argv[1], commands[i].name) == 0)
            return commands[i].run(argc - 2, argv + 2);
    }
    fprintf(stderr, "croft: unknown command \"%s\"\n", argv[1]);
    return print_usage(stderr, 2);
}
