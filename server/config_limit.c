#include "server/config_yaml.h"

#include <stdio.h>
#include <string.h>

#include "base/check.h"
#include "base/duration_text.h"
#include "base/number.h"
#include "server/limit_text.h"

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
    if (most > INT64_MAX)
        most = INT64_MAX;
    bool is_none = *out == 0 && tenant_limit_row(limit)->most == TENANT_LIMIT_NONE;
    if (!is_none && (*out == 0 || *out > most))
        return config_fail(r, value, "%s: got %.*s, want 1 to %llu", key, STR_ARG(text),
                           (unsigned long long)most);
    if (is_none)
        *out = TENANT_LIMIT_NONE;
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
        return config_mapping(r, value, key, CONFIG_KEYS(modes), &target);
    return read_value(r, value, key, &target, LIMIT_HARD);
}

static enum status read_limit_text(struct config_yaml *r, const yaml_node_t *value, const char *key,
                                   void *limits)
{
    enum tenant_text which = 0;
    struct str text;
    TRY(config_scalar(r, value, key, &text));
    if (text.len == 0 || text.len > TENANT_TEXT_LEN_MAX)
        return config_fail(r, value, "%s: got %zu bytes, want 1 to %d", key, text.len,
                           TENANT_TEXT_LEN_MAX);
    while (strcmp(tenant_text_name(which), key) != 0)
        which++;
    char *to = ((struct tenant_limits *)limits)->texts.of[which];
    memcpy(to, text.ptr, text.len);
    to[text.len] = '\0';
    return STATUS_OK;
}

static const struct config_key limit_keys[] = {{"ha_cluster_label", read_limit_text},
                                               {"ha_replica_label", read_limit_text},

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
    return config_mapping(r, value, key, CONFIG_KEYS(limit_keys), limits);
}

/* ---- what cannot be meant ---- */

/* NULL: the mapping has no such key, or it is no mapping. */
static const yaml_node_t *find_value(struct config_yaml *r, const yaml_node_t *mapping,
                                     struct str key)
{
    if (mapping->type != YAML_MAPPING_NODE)
        return NULL;
    for (yaml_node_pair_t *pair = mapping->data.mapping.pairs.start;
         pair < mapping->data.mapping.pairs.top; pair++) {
        if (str_eq(config_scalar_text(yaml_document_get_node(&r->document, pair->key)), key))
            return yaml_document_get_node(&r->document, pair->value);
    }
    return NULL;
}

static enum status check_soft(struct config_yaml *r, const yaml_node_t *value,
                              enum tenant_limit limit, const struct tenant_limits *limits)
{
    const yaml_node_t *node = find_value(r, value, STR("soft"));
    struct error why;
    if (node == NULL || limit_check_soft(limits, limit, &why) == STATUS_OK)
        return STATUS_OK;
    return config_fail(r, node, "%s", why.text);
}

enum status config_check_limits(struct config_yaml *r, const yaml_node_t *value, const char *key,
                                const struct tenant_limits *limits)
{
    bool is_seen[TENANT_LIMIT_COUNT] = {false};
    if (config_is_nothing(value))
        return STATUS_OK;
    for (yaml_node_pair_t *pair = value->data.mapping.pairs.start;
         pair < value->data.mapping.pairs.top; pair++) {
        const yaml_node_t *name = yaml_document_get_node(&r->document, pair->key);
        enum tenant_limit limit;
        if (!tenant_limit_find(config_scalar_text(name), &limit))
            continue; /* a text */
        if (is_seen[limit])
            return config_fail(r, name, "%s: \"%s\" and \"%s\" are one limit, which is set twice",
                               key, tenant_limit_row(limit)->name,
                               tenant_limit_row(limit)->other_name);
        is_seen[limit] = true;
        TRY(check_soft(r, yaml_document_get_node(&r->document, pair->value), limit, limits));
    }
    struct error why;
    if (limit_check_texts(limits, &why) != STATUS_OK)
        return config_fail(r, value, "%s: %s", key, why.text);
    return STATUS_OK;
}
