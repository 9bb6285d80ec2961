/*
 * flags: the command line of `croft serve`, laid over the configuration.
 *
 * --name value and --name=value are both understood; a value that begins with "--" needs the second
 * form, so that a forgotten value does not swallow the next flag. Of a repeated flag the last
 * counts.
 */
#ifndef CROFT_SERVER_FLAGS_H
#define CROFT_SERVER_FLAGS_H

#include "base/bytes.h"
#include "base/status.h"

/* Values as they were given; an empty view where a flag is missing. */
struct flags {
    struct str listen;
    struct str data_dir;
    struct str retention;
    struct str config;
    struct str query_memory;
    struct str request_memory;
    struct str head_memory;
    struct str tenant_label;
    struct str enable_feature;
    bool is_insecure;
    bool wants_help;
};

/* `args` are those behind "croft serve". STATUS_INVALID names the flag. */
MUST_USE enum status flags_parse(struct flags *flags, int count, char *const *args,
                                 struct error *err);
/* The help text, one flag per line. */
const char *flags_usage(void);

#endif
