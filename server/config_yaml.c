#include "server/config_yaml.h"

#include <stdio.h>

#include "server/yaml_bounds.h"

enum status config_load(struct config_yaml *r, struct str text)
{
    yaml_parser_t parser;
    TRY(yaml_bounds_check(text, r->name, r->err));
    TRY(yaml_open(&parser, text, r->name, r->err));
    enum status status = STATUS_OK;
    if (!yaml_parser_load(&parser, &r->document))
        status = error_set(r->err, STATUS_INVALID, "%s:%zu: not valid YAML: %s", r->name,
                           parser.problem_mark.line + 1,
                           parser.problem == NULL ? "unknown" : parser.problem);
    yaml_parser_delete(&parser);
    return status;
}

enum status config_fail(struct config_yaml *r, const yaml_node_t *node, const char *format, ...)
{
    char text[ERROR_TEXT_MAX];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    return error_set(r->err, STATUS_INVALID, "%s:%zu: %s", r->name, node->start_mark.line + 1,
                     text);
}

struct str config_scalar_text(const yaml_node_t *node)
{
    return (struct str){(const char *)node->data.scalar.value, node->data.scalar.length};
}

enum status config_scalar(struct config_yaml *r, const yaml_node_t *node, const char *key,
                          struct str *out)
{
    if (node->type != YAML_SCALAR_NODE)
        return config_fail(r, node, "%s: got a list or mapping, want a single value", key);
    *out = config_scalar_text(node);
    if (memchr(out->ptr, '\0', out->len) != NULL)
        return config_fail(r, node, "%s: contains a NUL character", key);
    return STATUS_OK;
}

/* ---- keys ---- */

/* Number of edits between two short words, for "did you mean". */
static size_t edit_distance(struct str a, struct str b)
{
    enum { WORD_MAX = 64 };
    size_t row[WORD_MAX + 1];
    if (a.len > WORD_MAX || b.len > WORD_MAX)
        return SIZE_MAX;
    for (size_t k = 0; k <= b.len; k++)
        row[k] = k;
    for (size_t i = 1; i <= a.len; i++) {
        size_t diagonal = row[0];
        row[0] = i;
        for (size_t k = 1; k <= b.len; k++) {
            size_t replace = diagonal + (a.ptr[i - 1] != b.ptr[k - 1]);
            size_t insert = (row[k] < row[k - 1] ? row[k] : row[k - 1]) + 1;
            diagonal = row[k];
            row[k] = replace < insert ? replace : insert;
        }
    }
    return row[b.len];
}

static const char *nearest_key(struct str name, struct config_keys keys)
{
    const char *nearest = keys.ptr[0].name;
    size_t best = SIZE_MAX;
    for (size_t i = 0; i < keys.count; i++) {
        struct str known = str_from(keys.ptr[i].name);
        bool is_begun = name.len > 0 && str_starts_with(known, name); /* token: token_sha256 */
        size_t distance = is_begun ? 0 : edit_distance(name, known);
        if (distance < best) {
            best = distance;
            nearest = keys.ptr[i].name;
        }
    }
    return nearest;
}

static const struct config_key *find_key(struct str name, struct config_keys keys)
{
    for (size_t i = 0; i < keys.count; i++) {
        if (str_eq(name, str_from(keys.ptr[i].name)))
            return &keys.ptr[i];
    }
    return NULL;
}

bool config_is_nothing(const yaml_node_t *node)
{
    if (node->type != YAML_SCALAR_NODE || node->data.scalar.style != YAML_PLAIN_SCALAR_STYLE)
        return false;
    struct str text = config_scalar_text(node);
    return text.len == 0 || str_eq(text, STR("~")) || str_eq(text, STR("null"));
}

/* The key that lays a mapping under the one it stands in. */
static bool is_merge(const yaml_node_t *key)
{
    return key->type == YAML_SCALAR_NODE && str_eq(config_scalar_text(key), STR("<<"));
}

/* Wherever "<<" stands, the other keys lie over it. An alias may name the mapping it stands in. */
static enum status read_merged(struct config_yaml *r, const yaml_node_t *merged, const char *what,
                               struct config_keys keys, void *target)
{
    enum { MERGES_MAX = 8 };
    if (r->merge_depth == MERGES_MAX)
        return config_fail(r, merged, "%s: more than %d merges within each other", what,
                           MERGES_MAX);
    r->merge_depth++;
    TRY(config_mapping(r, merged, what, keys, target));
    r->merge_depth--;
    return STATUS_OK;
}

static enum status read_all_merged(struct config_yaml *r, const yaml_node_t *node, const char *what,
                                   struct config_keys keys, void *target)
{
    bool has_one = false;
    for (yaml_node_pair_t *pair = node->data.mapping.pairs.start;
         pair < node->data.mapping.pairs.top; pair++) {
        const yaml_node_t *key = yaml_document_get_node(&r->document, pair->key);
        if (!is_merge(key))
            continue;
        if (has_one)
            return config_fail(r, key, "%s: key \"<<\" is set twice", what);
        has_one = true;
        TRY(read_merged(r, yaml_document_get_node(&r->document, pair->value), what, keys, target));
    }
    return STATUS_OK;
}

enum status config_mapping(struct config_yaml *r, const yaml_node_t *node, const char *what,
                           struct config_keys keys, void *target)
{
    if (config_is_nothing(node))
        return STATUS_OK;
    if (node->type != YAML_MAPPING_NODE)
        return config_fail(r, node, "%s: got a value or list, want a mapping", what);
    TRY(read_all_merged(r, node, what, keys, target));
    uint64_t seen = 0;
    for (yaml_node_pair_t *pair = node->data.mapping.pairs.start;
         pair < node->data.mapping.pairs.top; pair++) {
        const yaml_node_t *key = yaml_document_get_node(&r->document, pair->key);
        const yaml_node_t *value = yaml_document_get_node(&r->document, pair->value);
        struct str name;
        if (is_merge(key))
            continue;
        TRY(config_scalar(r, key, what, &name));
        const struct config_key *known = find_key(name, keys);
        if (known == NULL)
            return config_fail(r, key, "%s: unknown key \"%.*s\", the nearest known key is \"%s\"",
                               what, STR_ARG(str_slice(name, 0, 100)), nearest_key(name, keys));
        uint64_t bit = UINT64_C(1) << (known - keys.ptr);
        if (seen & bit)
            return config_fail(r, key, "%s: key \"%s\" is set twice", what, known->name);
        seen |= bit;
        TRY(known->read(r, value, known->name, target));
    }
    return STATUS_OK;
}

enum status config_sequence(struct config_yaml *r, const yaml_node_t *node, const char *what,
                            size_t count_max, size_t *count)
{
    if (node->type != YAML_SEQUENCE_NODE)
        return config_fail(r, node, "%s: got a value or mapping, want a list", what);
    *count = (size_t)(node->data.sequence.items.top - node->data.sequence.items.start);
    if (*count > count_max)
        return config_fail(r, node, "%s: got %zu entries, want at most %zu", what, *count,
                           count_max);
    return STATUS_OK;
}

const yaml_node_t *config_item(struct config_yaml *r, const yaml_node_t *node, size_t index)
{
    return yaml_document_get_node(&r->document, node->data.sequence.items.start[index]);
}

enum status config_bool(struct config_yaml *r, const yaml_node_t *value, const char *key, bool *out)
{
    struct str text;
    TRY(config_scalar(r, value, key, &text));
    *out = str_eq(text, STR("true"));
    if (*out || str_eq(text, STR("false")))
        return STATUS_OK;
    return config_fail(r, value, "%s: got \"%.*s\", want true or false", key,
                       STR_ARG(str_slice(text, 0, 100)));
}
