#include "server/config_yaml.h"

#include <stdio.h>
#include <string.h>

#include "base/check.h"
#include "base/number.h"

/* One limit of a mapping. */
struct limit_target {
    struct tenant_limits *limits;
    enum tenant_limit limit;
};

static enum status read_duration(struct config_yaml *r, const yaml_node_t *value, const char *key,
                                 enum tenant_limit limit, uint64_t *out)
{
    struct str text;
    struct error why;
    int64_t duration_ms;
    TRY(config_scalar(r, value, key, &text));
    if (limit == TENANT_LIMIT_RETENTION) {
        if (config_parse_retention(text, &duration_ms, &why) != STATUS_OK)
            return config_fail(r, value, "%s", why.text);
    } else if (parse_duration_ms(text, &duration_ms, &why) != STATUS_OK) {
        return config_fail(r, value, "%s: got \"%.*s\", want a duration such as 2h", key,
                           STR_ARG(str_slice(text, 0, 100)));
    }
    *out = (uint64_t)duration_ms;
    return STATUS_OK;
}

/* A whole number; 0 stands for no limit. */
static enum status read_number(struct config_yaml *r, const yaml_node_t *value, const char *key,
                               enum tenant_limit limit, uint64_t *out)
{
    struct str text;
    uint64_t most = tenant_limit_row(limit)->most;
    TRY(config_scalar(r, value, key, &text));
    if (!parse_u64(text, out))
        return config_fail(r, value, "%s: got \"%.*s\", want a whole number", key,
                           STR_ARG(str_slice(text, 0, 100)));
    if (*out == 0)
        *out = TENANT_LIMIT_NONE;
    if (*out > most)
        return config_fail(r, value, "%s: got %.*s, want 1 to %llu", key, STR_ARG(text),
                           (unsigned long long)most);
    return STATUS_OK;
}

static enum status read_switch(struct config_yaml *r, const yaml_node_t *value, const char *key,
                               uint64_t *out)
{
    bool is_on;
    TRY(config_bool(r, value, key, &is_on));
    *out = is_on;
    return STATUS_OK;
}

static enum status read_value(struct config_yaml *r, const yaml_node_t *value, const char *key,
                              const struct limit_target *target, enum tenant_limit_mode mode)
{
    uint64_t *max = &target->limits->max[mode][target->limit];
    switch (tenant_limit_row(target->limit)->unit) {
    case TENANT_LIMIT_DURATION:
        return read_duration(r, value, key, target->limit, max);
    case TENANT_LIMIT_SWITCH:
        return read_switch(r, value, key, max);
    case TENANT_LIMIT_NUMBER:
        break;
    }
    return read_number(r, value, key, target->limit, max);
}

static enum status read_mode(struct config_yaml *r, const yaml_node_t *value, const char *key,
                             void *target)
{
    const struct limit_target *limit = target;
    enum tenant_limit_mode mode = 0;
    char path[100];
    while (strcmp(tenant_limit_mode_name(mode), key) != 0)
        mode++;
    snprintf(path, sizeof path, "%s: %s", tenant_limit_name(limit->limit), key);
    return read_value(r, value, path, limit, mode);
}

static enum status read_limit(struct config_yaml *r, const yaml_node_t *value, const char *key,
                              void *limits)
{
    static const struct config_key modes[] = {
        {"hard", read_mode}, {"soft", read_mode}, {"dry_run", read_mode}};
    struct limit_target target = {.limits = limits};
    bool is_known = tenant_limit_find(str_from(key), &target.limit);
    CHECK(is_known);
    if (value->type == YAML_MAPPING_NODE &&
        value->data.mapping.pairs.start == value->data.mapping.pairs.top)
        return config_fail(r, value, "%s: got an empty mapping, want hard, soft or dry_run", key);
    if (value->type == YAML_MAPPING_NODE)
        return config_mapping(r, value, key, modes, sizeof modes / sizeof *modes, &target);
    return read_value(r, value, key, &target, LIMIT_HARD);
}

static const struct config_key limit_keys[] = {
#define LIMIT_KEY(name, text, other, unit, nature, hard, soft, most, what) {text, read_limit},
    TENANT_LIMIT_LIST(LIMIT_KEY)
#undef LIMIT_KEY
#define LIMIT_KEY(name, text, other, unit, nature, hard, soft, most, what) {other, read_limit},
        TENANT_LIMIT_LIST(LIMIT_KEY)
#undef LIMIT_KEY
};

_Static_assert(sizeof limit_keys / sizeof *limit_keys <= CONFIG_KEYS_MAX, "config_mapping");

enum status config_read_limits(struct config_yaml *r, const yaml_node_t *value, const char *key,
                               struct tenant_limits *limits)
{
    return config_mapping(r, value, key, limit_keys, sizeof limit_keys / sizeof *limit_keys,
                          limits);
}
