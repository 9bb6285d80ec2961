#include "server/config_yaml.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/buffer.h"
#include "base/duration_text.h"
#include "base/file_stamp.h"
#include "server/memory_share.h"

#define HOUR_MS INT64_C(3600000)
#define DAY_MS  (24 * HOUR_MS)

/* ---- values ---- */

static enum status read_text(struct config_yaml *r, const yaml_node_t *value, const char *key,
                             void *target)
{
    struct str text;
    TRY(config_scalar(r, value, key, &text));
    if (text.len == 0)
        return config_fail(r, value, "%s: must not be empty", key);
    *(struct str *)target = arena_copy(&r->config->arena, text);
    return STATUS_OK;
}

static enum status read_listen(struct config_yaml *r, const yaml_node_t *value, const char *key,
                               void *target)
{
    return read_text(r, value, key, &((struct config *)target)->listen);
}

static enum status read_data_dir(struct config_yaml *r, const yaml_node_t *value, const char *key,
                                 void *target)
{
    return read_text(r, value, key, &((struct config *)target)->data_dir);
}

/* Checked here, where there is a line to name; what it comes to is worked out at the start. */
static enum status read_memory(struct config_yaml *r, const yaml_node_t *value, const char *key,
                               struct str *out)
{
    struct error why;
    size_t bytes;
    TRY(read_text(r, value, key, out));
    if (memory_share_parse(*out, key, UINT64_MAX, &bytes, &why) != STATUS_OK)
        return config_fail(r, value, "%s", why.text);
    return STATUS_OK;
}

static enum status read_query_memory(struct config_yaml *r, const yaml_node_t *value,
                                     const char *key, void *target)
{
    return read_memory(r, value, key, &((struct config *)target)->query_memory);
}

static enum status read_request_memory(struct config_yaml *r, const yaml_node_t *value,
                                       const char *key, void *target)
{
    return read_memory(r, value, key, &((struct config *)target)->request_memory);
}

static enum status read_head_memory(struct config_yaml *r, const yaml_node_t *value,
                                    const char *key, void *target)
{
    return read_memory(r, value, key, &((struct config *)target)->head_memory);
}

static enum status read_tenant_label(struct config_yaml *r, const yaml_node_t *value,
                                     const char *key, void *target)
{
    return read_text(r, value, key, &((struct config *)target)->tenant_label);
}

static enum status read_enable_feature(struct config_yaml *r, const yaml_node_t *value,
                                       const char *key, void *target)
{
    return read_text(r, value, key, &((struct config *)target)->enable_feature);
}

/* A path, which is kept with a NUL at its end. */
static enum status read_path(struct config_yaml *r, const yaml_node_t *value, const char *key,
                             const char **out)
{
    struct str text;
    TRY(config_scalar(r, value, key, &text));
    if (text.len == 0)
        return config_fail(r, value, "%s: must not be empty", key);
    *out = arena_format(&r->config->arena, "%.*s", STR_ARG(text)).ptr;
    return STATUS_OK;
}

static enum status read_cert_file(struct config_yaml *r, const yaml_node_t *value, const char *key,
                                  void *target)
{
    return read_path(r, value, key, &((struct tls_files *)target)->certificate);
}

static enum status read_key_file(struct config_yaml *r, const yaml_node_t *value, const char *key,
                                 void *target)
{
    return read_path(r, value, key, &((struct tls_files *)target)->key);
}

static enum status read_client_ca_file(struct config_yaml *r, const yaml_node_t *value,
                                       const char *key, void *target)
{
    return read_path(r, value, key, &((struct tls_files *)target)->client_ca);
}

static enum status read_tls(struct config_yaml *r, const yaml_node_t *value, const char *key,
                            void *target)
{
    static const struct config_key keys[] = {
        {"cert_file", read_cert_file},
        {"key_file", read_key_file},
        {"client_ca_file", read_client_ca_file},
    };
    struct config *config = target;
    TRY(config_mapping(r, value, key, CONFIG_KEYS(keys), &config->tls));
    if (config->tls.certificate == NULL || config->tls.key == NULL)
        return config_fail(r, value, "%s: want both cert_file and key_file", key);
    config->has_tls = true;
    return STATUS_OK;
}

static enum status read_retention(struct config_yaml *r, const yaml_node_t *value, const char *key,
                                  void *target)
{
    struct config *config = target;
    struct str text;
    struct error why;
    TRY(config_scalar(r, value, key, &text));
    if (config_parse_retention(text, &config->retention_ms, &why) != STATUS_OK)
        return config_fail(r, value, "%s", why.text);
    return STATUS_OK;
}

static enum status read_tenant_limits(struct config_yaml *r, const yaml_node_t *value,
                                      const char *key, void *target)
{
    TRY(config_read_limits(r, value, key, target));
    return config_check_limits(r, value, key, target);
}

static enum status read_limits(struct config_yaml *r, const yaml_node_t *value, const char *key,
                               void *target)
{
    return read_tenant_limits(r, value, key, &((struct config *)target)->limits);
}

/* Equal ids in the order of the file. */
static int compare_places(const void *left, const void *right)
{
    const struct tenant_id *a = *(const struct tenant_id *const *)left;
    const struct tenant_id *b = *(const struct tenant_id *const *)right;
    int order = str_compare(tenant_id_str(a), tenant_id_str(b));
    return order != 0 ? order : (a > b) - (a < b);
}

/* `pairs` are those that config->tenants was read from. */
static enum status check_tenants_differ(struct config_yaml *r, const yaml_node_pair_t *pairs,
                                        const char *key)
{
    const struct config *config = r->config;
    const struct tenant_id **places =
        arena_alloc(&r->config->arena, config->tenant_count * sizeof *places);
    for (size_t i = 0; i < config->tenant_count; i++)
        places[i] = &config->tenants[i];
    qsort(places, config->tenant_count, sizeof *places, compare_places);
    for (size_t i = 1; i < config->tenant_count; i++) {
        if (!str_eq(tenant_id_str(places[i - 1]), tenant_id_str(places[i])))
            continue;
        const yaml_node_pair_t *pair = &pairs[places[i] - config->tenants];
        return config_fail(r, yaml_document_get_node(&r->document, pair->key),
                           "%s: \"%s\" is listed twice", key, places[i]->text);
    }
    return STATUS_OK;
}

/* The keys of this mapping are tenant ids. A tenant starts from the limits of every tenant, which
   therefore are read first. */
static enum status read_tenants(struct config_yaml *r, const yaml_node_t *value, const char *key,
                                void *target)
{
    static const struct config_key tenant_keys[] = {{"limits", read_tenant_limits}};
    struct config *config = target;
    if (config_is_nothing(value))
        return STATUS_OK;
    if (value->type != YAML_MAPPING_NODE)
        return config_fail(r, value, "%s: got a value or list, want a mapping of tenant ids", key);
    const yaml_node_pair_t *start = value->data.mapping.pairs.start;
    size_t count = (size_t)(value->data.mapping.pairs.top - start);
    if (count > CONFIG_TENANTS_MAX)
        return config_fail(r, value, "%s: got %zu tenants, want at most %d", key, count,
                           CONFIG_TENANTS_MAX);
    config->tenants = arena_alloc(&config->arena, count * sizeof *config->tenants);
    config->tenant_limits = arena_alloc(&config->arena, count * sizeof *config->tenant_limits);
    config->tenant_count = count;
    for (size_t i = 0; i < count; i++) {
        const yaml_node_t *id = yaml_document_get_node(&r->document, start[i].key);
        struct str text;
        struct error why;
        TRY(config_scalar(r, id, key, &text));
        if (tenant_id_parse(text, &config->tenants[i], &why) != STATUS_OK)
            return config_fail(r, id, "%s: %s", key, why.text);
        if (str_eq(text, STR("*")))
            return config_fail(r, id,
                               "%s: \"*\" is no pattern; what holds for every tenant stands in "
                               "\"limits\" beside it",
                               key);
        config->tenant_limits[i] = config->limits;
        TRY(config_mapping(r, yaml_document_get_node(&r->document, start[i].value),
                           config->tenants[i].text, CONFIG_KEYS(tenant_keys),
                           &config->tenant_limits[i]));
    }
    return check_tenants_differ(r, start, key);
}

/* In a second pass: see read_root. */
static enum status read_tenants_later(struct config_yaml *r, const yaml_node_t *value,
                                      const char *key, void *target)
{
    (void)r, (void)value, (void)key, (void)target;
    return STATUS_OK;
}

/* ---- the file ---- */

static enum status read_root(struct config_yaml *r, const yaml_node_t *root)
{
    static const struct config_key keys[] = {
        {"listen", read_listen},
        {"data_dir", read_data_dir},
        {"retention", read_retention},
        {"query_memory", read_query_memory},
        {"request_memory", read_request_memory},
        {"head_memory", read_head_memory},
        {"tenant_label", read_tenant_label},
        {"enable_feature", read_enable_feature},
        {"tls", read_tls},
        {"limits", read_limits},
        {"tenants", read_tenants_later},
        {"credentials", config_read_credentials},
    };
    TRY(config_mapping(r, root, "configuration", CONFIG_KEYS(keys), r->config));
    for (yaml_node_pair_t *pair = root->data.mapping.pairs.start;
         pair < root->data.mapping.pairs.top; pair++) {
        const yaml_node_t *key = yaml_document_get_node(&r->document, pair->key);
        if (str_eq(config_scalar_text(key), STR("tenants")))
            return read_tenants(r, yaml_document_get_node(&r->document, pair->value), "tenants",
                                r->config);
    }
    return STATUS_OK;
}

enum status config_read(struct config *config, struct str text, const char *name, struct error *err)
{
    struct config_yaml r = {.config = config, .name = name, .err = err};
    TRY(config_load(&r, text));
    const yaml_node_t *root = yaml_document_get_root_node(&r.document);
    /* an empty file sets nothing */
    config->is_empty = root == NULL || config_is_nothing(root);
    enum status status = config->is_empty ? STATUS_OK : read_root(&r, root);
    yaml_document_delete(&r.document);
    return status;
}

static enum status read_open(FILE *file, const char *path, struct buffer *out, struct error *err)
{
    buffer_reset(out);
    /* one more byte tells a file that is too large */
    uint8_t *to = buffer_reserve(out, CONFIG_FILE_MAX_BYTES + 1);
    out->len = fread(to, 1, CONFIG_FILE_MAX_BYTES + 1, file);
    if (ferror(file))
        return error_set(err, STATUS_IO, "%s: cannot be read", path);
    if (out->len > CONFIG_FILE_MAX_BYTES)
        return error_set(err, STATUS_INVALID, "%s: larger than %d bytes", path,
                         CONFIG_FILE_MAX_BYTES);
    return STATUS_OK;
}

static enum status read_whole(const char *path, struct buffer *out, struct error *err)
{
    FILE *file = fopen(path, "re");
    if (file == NULL)
        return error_set(err, STATUS_INVALID, "config file %s: cannot be opened: %s", path,
                         strerror(errno));
    enum status status = read_open(file, path, out, err);
    fclose(file);
    return status;
}

enum status config_read_file(struct config *config, const char *path, struct error *err)
{
    struct buffer text;
    buffer_init(&text, CONFIG_FILE_MAX_BYTES + 1);
    enum status status = read_whole(path, &text, err);
    if (status == STATUS_OK)
        status = config_read(config, buffer_str(&text), path, err);
    buffer_deinit(&text);
    return status;
}

/* The server runs meanwhile, so nothing is opened that another program can keep it waiting for. */
static enum status reread_whole(const char *path, struct buffer *out, struct error *err)
{
    if (file_is_special(path))
        return error_set(err, STATUS_INVALID, "config file %s: not a regular file", path);
    return read_whole(path, out, err);
}

static enum status read_steady(const char *path, void (*wait)(void *context), void *context,
                               struct buffer *out, struct error *err)
{
    struct buffer before;
    enum status status = reread_whole(path, out, err);
    bool is_steady = false;
    buffer_init(&before, CONFIG_FILE_MAX_BYTES + 1);
    for (int count = 1; status == STATUS_OK && !is_steady && count < CONFIG_READINGS_MAX; count++) {
        struct buffer last = before;
        before = *out;
        *out = last;
        wait(context);
        status = reread_whole(path, out, err);
        is_steady = str_eq(buffer_str(&before), buffer_str(out));
    }
    buffer_deinit(&before);
    if (status == STATUS_OK && !is_steady)
        return error_set(err, STATUS_UNAVAILABLE, "%s: does not stop changing", path);
    return status;
}

enum status config_reread_file(struct config *config, const char *path, void (*wait)(void *context),
                               void *context, struct error *err)
{
    struct buffer text;
    buffer_init(&text, CONFIG_FILE_MAX_BYTES + 1);
    enum status status = read_steady(path, wait, context, &text, err);
    if (status == STATUS_OK)
        status = config_read(config, buffer_str(&text), path, err);
    buffer_deinit(&text);
    return status;
}

enum status config_parse_retention(struct str text, int64_t *out, struct error *err)
{
    struct error why;
    int64_t retention_ms;
    if (parse_duration_ms(text, &retention_ms, &why) != STATUS_OK)
        return error_set(err, STATUS_INVALID,
                         "retention: got \"%.*s\", want a duration such as 30d",
                         STR_ARG(str_slice(text, 0, 100)));
    /* what is kept in memory before it is flushed must not be expired already */
    if (retention_ms < HOUR_MS)
        return error_set(err, STATUS_INVALID, "retention: got \"%.*s\", want at least 1h",
                         STR_ARG(str_slice(text, 0, 100)));
    *out = retention_ms;
    return STATUS_OK;
}

void config_init(struct config *config)
{
    *config = (struct config){.is_empty = true,
                              .listen = STR("127.0.0.1:9009"),
                              .data_dir = STR("./data"),
                              .tenant_label = STR("tenant_id"),
                              .retention_ms = 30 * DAY_MS,
                              .query_memory = STR("40%"),
                              .request_memory = STR("10%"),
                              .head_memory = STR("15%"),
                              .limits = tenant_limits_default()};
    arena_init(&config->arena, SIZE_MAX);
}

void config_deinit(struct config *config)
{
    arena_deinit(&config->arena);
    *config = (struct config){0};
}
