#include "server/feature.h"

#include "base/log.h"

enum { NAME_SHOWN_MAX = 100 };

/* In Prometheus they were behind the flag once. */
static bool is_always_on(struct str name)
{
    static const char *const names[] = {"promql-at-modifier", "promql-duration-expr",
                                        "promql-negative-offset"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        if (str_eq(name, str_from(names[i])))
            return true;
    }
    return false;
}

static void enable(struct features *features, struct str name)
{
    struct str shown = str_slice(name, 0, NAME_SHOWN_MAX);
    if (str_eq(name, STR("promql-experimental-functions"))) {
        features->has_experimental_functions = true;
        log_info("experimental PromQL functions enabled");
    } else if (is_always_on(name)) {
        log_warn("feature %.*s is always on", STR_ARG(shown));
    } else {
        log_warn("feature %.*s is not known", STR_ARG(shown));
    }
}

void features_enable(struct features *features, struct str list)
{
    while (list.len > 0) {
        size_t end = str_find(list, ',', 0);
        if (end > 0)
            enable(features, str_slice(list, 0, end));
        list = str_slice(list, end + 1, SIZE_MAX);
    }
}
