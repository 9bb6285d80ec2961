/*
 * The credentials of the configuration:
 *
 *     credentials:
 *       - {name: agent,   token_sha256: <hex>, write: ["*"], tenant_from: label}
 *       - {name: finance, token_sha256: <hex>, read: [finance-team], write: [finance-team]}
 *       - {name: grafana, basic_user: grafana, token_sha256: <hex>, read: ["*"]}
 *       - {name: ops,     token_sha256: <hex>, read: ["*"], write: ["*"], admin: true}
 */
#include <stdlib.h>

#include "server/config_yaml.h"

/* One entry while it is read. */
struct entry {
    struct credential *credential;
    bool has_token;
};

static enum status read_word(struct config_yaml *r, const yaml_node_t *value, const char *key,
                             struct str *out)
{
    struct str text;
    TRY(config_scalar(r, value, key, &text));
    if (text.len == 0)
        return config_fail(r, value, "%s: must not be empty", key);
    *out = arena_copy(&r->config->arena, text);
    return STATUS_OK;
}

static enum status read_name(struct config_yaml *r, const yaml_node_t *value, const char *key,
                             void *target)
{
    return read_word(r, value, key, &((struct entry *)target)->credential->name);
}

static enum status read_basic_user(struct config_yaml *r, const yaml_node_t *value, const char *key,
                                   void *target)
{
    struct str *user = &((struct entry *)target)->credential->user;
    TRY(read_word(r, value, key, user));
    if (str_find(*user, ':', 0) < user->len)
        return config_fail(r, value, "%s: must not contain a colon", key);
    return STATUS_OK;
}

/* What is wrong is not shown: somebody may have put the token itself there. */
static enum status read_token(struct config_yaml *r, const yaml_node_t *value, const char *key,
                              void *target)
{
    struct entry *entry = target;
    struct str text;
    TRY(config_scalar(r, value, key, &text));
    if (!sha256_parse(text, &entry->credential->token))
        return config_fail(r, value,
                           "%s: want the %d hexadecimal digits that croft token new prints", key,
                           SHA256_HEX_LEN);
    entry->has_token = true;
    return STATUS_OK;
}

/* ---- tenants ---- */

static int compare_tenants(const void *left, const void *right)
{
    return str_compare(tenant_id_str(left), tenant_id_str(right));
}

static size_t sort_unique(struct tenant_id *ids, size_t count)
{
    size_t kept = 0;
    if (count > 0)
        qsort(ids, count, sizeof *ids, compare_tenants);
    for (size_t i = 0; i < count; i++) {
        if (kept == 0 || compare_tenants(&ids[kept - 1], &ids[i]) != 0)
            ids[kept++] = ids[i];
    }
    return kept;
}

/* A list of tenant ids, or of "*" alone. */
static enum status read_scope(struct config_yaml *r, const yaml_node_t *value, const char *key,
                              struct scope *out)
{
    size_t count;
    TRY(config_sequence(r, value, key, CONFIG_TENANTS_MAX, &count));
    struct tenant_id *ids = arena_alloc(&r->config->arena, count * sizeof *ids);
    for (size_t i = 0; i < count; i++) {
        const yaml_node_t *item = config_item(r, value, i);
        struct str text;
        struct error why;
        TRY(config_scalar(r, item, key, &text));
        if (count == 1 && str_eq(text, STR("*"))) {
            *out = (struct scope){.is_all = true};
            return STATUS_OK;
        }
        if (str_eq(text, STR("*")))
            return config_fail(r, item, "%s: want \"*\" alone or tenant ids", key);
        /* an id may have one in it, but who writes it here means a pattern */
        if (str_find(text, '*', 0) < text.len)
            return config_fail(
                r, item, "%s: got \"%.*s\", want \"*\" alone or tenant ids; there are no patterns",
                key, STR_ARG(str_slice(text, 0, 150)));
        if (tenant_id_parse(text, &ids[i], &why) != STATUS_OK)
            return config_fail(r, item, "%s: %s", key, why.text);
    }
    *out = (struct scope){.tenants = ids, .tenant_count = sort_unique(ids, count)};
    return STATUS_OK;
}

static enum status read_read(struct config_yaml *r, const yaml_node_t *value, const char *key,
                             void *target)
{
    return read_scope(r, value, key, &((struct entry *)target)->credential->grant.read);
}

static enum status read_write(struct config_yaml *r, const yaml_node_t *value, const char *key,
                              void *target)
{
    return read_scope(r, value, key, &((struct entry *)target)->credential->grant.write);
}

static enum status read_tenant_from(struct config_yaml *r, const yaml_node_t *value,
                                    const char *key, void *target)
{
    struct str text;
    TRY(config_scalar(r, value, key, &text));
    if (!str_eq(text, STR("label")))
        return config_fail(r, value, "%s: got \"%.*s\", want label", key,
                           STR_ARG(str_slice(text, 0, 100)));
    ((struct entry *)target)->credential->grant.is_tenant_from_label = true;
    return STATUS_OK;
}

static enum status read_admin(struct config_yaml *r, const yaml_node_t *value, const char *key,
                              void *target)
{
    return config_bool(r, value, key, &((struct entry *)target)->credential->grant.is_admin);
}

/* ---- entries ---- */

static enum status read_entry(struct config_yaml *r, const yaml_node_t *value, const char *key,
                              struct credential *out)
{
    static const struct config_key keys[] = {
        {"name", read_name},   {"token_sha256", read_token}, {"basic_user", read_basic_user},
        {"read", read_read},   {"write", read_write},        {"tenant_from", read_tenant_from},
        {"admin", read_admin},
    };
    struct entry entry = {.credential = out};
    *out = (struct credential){0};
    TRY(config_mapping(r, value, key, CONFIG_KEYS(keys), &entry));
    if (out->name.len == 0)
        return config_fail(r, value, "%s: an entry without a name", key);
    if (!entry.has_token)
        return config_fail(r, value, "%s: \"%.*s\" has no token_sha256", key,
                           STR_ARG(str_slice(out->name, 0, 100)));
    if (out->user.len == 0)
        out->user = out->name;
    return STATUS_OK;
}

/* Two entries for one token would leave open which of them holds. */
static enum status check_unlike_before(struct config_yaml *r, const yaml_node_t *node, size_t index)
{
    const struct credential *list = r->config->credentials, *own = &list[index];
    for (size_t i = 0; i < index; i++) {
        bool is_same_name = str_eq(list[i].name, own->name);
        if (is_same_name || sha256_eq(&list[i].token, &own->token))
            return config_fail(r, node, "credentials: \"%.*s\" has the %s of an earlier entry",
                               STR_ARG(str_slice(own->name, 0, 100)),
                               is_same_name ? "name" : "token");
    }
    return STATUS_OK;
}

enum status config_read_credentials(struct config_yaml *r, const yaml_node_t *value,
                                    const char *key, void *target)
{
    struct config *config = target;
    size_t count;
    TRY(config_sequence(r, value, key, CONFIG_CREDENTIALS_MAX, &count));
    config->credentials = arena_alloc(&config->arena, count * sizeof *config->credentials);
    config->has_credentials = true;
    config->credential_count = count;
    for (size_t i = 0; i < count; i++) {
        const yaml_node_t *item = config_item(r, value, i);
        TRY(read_entry(r, item, key, &config->credentials[i]));
        TRY(check_unlike_before(r, item, i));
    }
    return STATUS_OK;
}
