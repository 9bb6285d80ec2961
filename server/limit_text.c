#include "server/limit_text.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/crc32c.h"
#include "base/duration_text.h"
#include "base/mem.h"
#include "http/json.h"
#include "server/config_yaml.h"
#include "tsdb/files/filenames.h"
#include "tsdb/model/label.h"

/* The first line says what follows and proves it. */
#define FIRST_LINE_FORMAT "# croft limits, version 1, crc32c %08x\n"
enum { FIRST_LINE_LEN = sizeof "# croft limits, version 1, crc32c 00000000\n" - 1 };

/* ---- sets ---- */

static int compare_sets(const void *left, const void *right)
{
    const struct limit_set *a = left, *b = right;
    return str_compare(tenant_id_str(&a->id), tenant_id_str(&b->id));
}

void limit_sets_deinit(struct limit_sets *sets)
{
    mem_free(sets->ptr);
    *sets = (struct limit_sets){0};
}

void limit_sets_sort(struct limit_sets *sets)
{
    if (sets->count > 1)
        qsort(sets->ptr, sets->count, sizeof *sets->ptr, compare_sets);
}

const struct limit_set *limit_sets_find(const struct limit_sets *sets, const struct tenant_id *id)
{
    struct limit_set key = {.id = *id};
    return sets->count == 0 ? NULL
                            : bsearch(&key, sets->ptr, sets->count, sizeof key, compare_sets);
}

/* ---- one set ---- */

static void append_value(struct buffer *out, enum tenant_limit limit, uint64_t value)
{
    if (tenant_limit_row(limit)->unit == TENANT_LIMIT_DURATION)
        append_duration_ms(out, (int64_t)value);
    else
        buffer_append_format(out, "%llu", (unsigned long long)value);
}

enum status limit_check_texts(const struct tenant_limits *limits, struct error *err)
{
    const char *cluster = limits->texts.of[TENANT_TEXT_HA_CLUSTER_LABEL];
    const char *replica = limits->texts.of[TENANT_TEXT_HA_REPLICA_LABEL];
    for (enum tenant_text i = 0; i < TENANT_TEXT_COUNT; i++) {
        if (str_eq(str_from(limits->texts.of[i]), LABEL_METRIC_NAME))
            return error_set(err, STATUS_INVALID,
                             "%s: got \"__name__\", want a label that does not name the metric",
                             tenant_text_name(i));
    }
    if (cluster[0] == '\0' || strcmp(cluster, replica) != 0)
        return STATUS_OK;
    return error_set(err, STATUS_INVALID,
                     "ha_cluster_label and ha_replica_label: got \"%s\" for both, want two labels",
                     cluster);
}

enum status limit_check_soft(const struct tenant_limits *limits, enum tenant_limit limit,
                             struct error *err)
{
    uint64_t hard = limits->max[LIMIT_HARD][limit], soft = limits->max[LIMIT_SOFT][limit];
    if (soft >= TENANT_LIMIT_KEPT || hard >= TENANT_LIMIT_KEPT || soft <= hard)
        return STATUS_OK;
    struct buffer text;
    buffer_init(&text, SIZE_MAX);
    append_value(&text, limit, soft);
    buffer_append_str(&text, STR(", want at most the hard limit, which is "));
    append_value(&text, limit, hard);
    enum status status = error_set(err, STATUS_INVALID, "%s: soft: got %.*s",
                                   tenant_limit_name(limit), STR_ARG(buffer_str(&text)));
    buffer_deinit(&text);
    return status;
}

enum status limit_text_read(struct str text, const char *name, struct tenant_limits *out,
                            struct error *err)
{
    struct config_yaml r = {.name = name, .err = err};
    *out = tenant_limits_kept();
    TRY(config_load(&r, text));
    const yaml_node_t *root = yaml_document_get_root_node(&r.document);
    enum status status = root == NULL
                             ? error_set(err, STATUS_INVALID, "%s: empty, want a mapping", name)
                             : config_read_limits(&r, root, name, out);
    if (status == STATUS_OK)
        status = config_check_limits(&r, root, name, out);
    yaml_document_delete(&r.document);
    return status;
}

static void write_value(struct json *json, enum tenant_limit limit, uint64_t value)
{
    struct buffer text;
    if (tenant_limit_row(limit)->unit == TENANT_LIMIT_SWITCH) {
        json_bool(json, value == 1);
        return;
    }
    if (tenant_limit_row(limit)->unit == TENANT_LIMIT_NUMBER) {
        json_u64(json, value == TENANT_LIMIT_NONE ? 0 : value);
        return;
    }
    buffer_init(&text, SIZE_MAX);
    append_duration_ms(&text, (int64_t)value);
    json_string(json, buffer_str(&text));
    buffer_deinit(&text);
}

void limit_text_write(struct json *json, const struct tenant_limits *limits)
{
    json_begin_object(json);
    for (enum tenant_limit limit = 0; limit < TENANT_LIMIT_COUNT; limit++) {
        if (!tenant_limits_has(limits, limit))
            continue;
        json_key(json, str_from(tenant_limit_name(limit)));
        json_begin_object(json);
        for (enum tenant_limit_mode mode = 0; mode < LIMIT_MODE_COUNT; mode++) {
            if (limits->max[mode][limit] == TENANT_LIMIT_KEPT)
                continue;
            json_key(json, str_from(tenant_limit_mode_name(mode)));
            write_value(json, limit, limits->max[mode][limit]);
        }
        json_end_object(json);
    }
    for (enum tenant_text i = 0; i < TENANT_TEXT_COUNT; i++) {
        if (limits->texts.of[i][0] == '\0')
            continue;
        json_key(json, str_from(tenant_text_name(i)));
        json_string(json, str_from(limits->texts.of[i]));
    }
    json_end_object(json);
}

/* ---- the file ---- */

void limit_file_encode(struct buffer *out, const struct limit_sets *sets)
{
    struct buffer body;
    struct json json;
    buffer_init(&body, out->max_bytes);
    json_init(&json, &body);
    json_begin_object(&json);
    for (size_t i = 0; i < sets->count; i++) {
        json_key(&json, tenant_id_str(&sets->ptr[i].id));
        limit_text_write(&json, &sets->ptr[i].limits);
    }
    json_end_object(&json);
    buffer_append_byte(&body, '\n');
    buffer_append_format(out, FIRST_LINE_FORMAT, (unsigned)crc32c(buffer_bytes(&body)));
    buffer_append_str(out, buffer_str(&body));
    buffer_deinit(&body);
}

static enum status read_sets(struct config_yaml *r, const yaml_node_t *root, struct limit_sets *out)
{
    if (root == NULL || root->type != YAML_MAPPING_NODE)
        return error_set(r->err, STATUS_CORRUPT, LIMITS_FILE ": want a mapping of tenant ids");
    const yaml_node_pair_t *pairs = root->data.mapping.pairs.start;
    size_t count = (size_t)(root->data.mapping.pairs.top - pairs);
    if (count > LIMIT_SETS_MAX)
        return error_set(r->err, STATUS_CORRUPT, LIMITS_FILE ": got %zu tenants, want at most %d",
                         count, LIMIT_SETS_MAX);
    out->ptr = mem_alloc(count * sizeof *out->ptr);
    for (; out->count < count; out->count++) {
        struct limit_set *set = &out->ptr[out->count];
        const yaml_node_t *id = yaml_document_get_node(&r->document, pairs[out->count].key);
        const yaml_node_t *limits = yaml_document_get_node(&r->document, pairs[out->count].value);
        struct str text;
        TRY(config_scalar(r, id, "tenant", &text));
        TRY(tenant_id_parse(text, &set->id, r->err));
        set->limits = tenant_limits_kept();
        TRY(config_read_limits(r, limits, set->id.text, &set->limits));
    }
    limit_sets_sort(out);
    return STATUS_OK;
}

static enum status check_first_line(struct str text, struct error *err)
{
    char want[FIRST_LINE_LEN + 1];
    struct str body = str_slice(text, FIRST_LINE_LEN, SIZE_MAX);
    snprintf(want, sizeof want, FIRST_LINE_FORMAT, (unsigned)crc32c(bytes_of_str(body)));
    if (!str_starts_with(text, str_from(want)))
        return error_set(err, STATUS_CORRUPT,
                         LIMITS_FILE ": damaged, or changed by hand: its first line does not "
                                     "match the rest; mend it, or move it away to begin without");
    return STATUS_OK;
}

enum status limit_file_decode(struct str text, struct limit_sets *out, struct error *err)
{
    struct config_yaml r = {.name = LIMITS_FILE, .err = err};
    *out = (struct limit_sets){0};
    TRY(check_first_line(text, err));
    TRY(config_load(&r, text));
    enum status status = read_sets(&r, yaml_document_get_root_node(&r.document), out);
    yaml_document_delete(&r.document);
    if (status != STATUS_OK)
        limit_sets_deinit(out);
    return status == STATUS_INVALID ? STATUS_CORRUPT : status;
}
