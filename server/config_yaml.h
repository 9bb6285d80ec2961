/*
 * config_yaml: reads YAML whose keys are all known; private to config*.c.
 *
 * Every failure is STATUS_INVALID and names file and line.
 */
#ifndef CROFT_SERVER_CONFIG_YAML_H
#define CROFT_SERVER_CONFIG_YAML_H

#include <yaml.h>

#include "server/config.h"

/* A text on its way into a config, or into limits alone. */
struct config_yaml {
    struct config *config; /* NULL: limits alone */
    const char *name;
    yaml_document_t document;
    struct error *err;
    unsigned merge_depth;
};

typedef enum status (*config_read_key)(struct config_yaml *r, const yaml_node_t *value,
                                       const char *key, void *target);

struct config_key {
    const char *name;
    config_read_key read;
};

struct config_keys {
    const struct config_key *ptr;
    size_t count;
};
/* Those of an array. */
#define CONFIG_KEYS(array) ((struct config_keys){(array), sizeof(array) / sizeof *(array)})

/* Makes the document of a text; the caller then calls yaml_document_delete. */
MUST_USE enum status config_load(struct config_yaml *r, struct str text);

enum status config_fail(struct config_yaml *r, const yaml_node_t *node, const char *format, ...)
    PRINTF_LIKE(3, 4);

/* A key without a value, or with null. */
bool config_is_nothing(const yaml_node_t *node);
/* Points into the document. */
struct str config_scalar_text(const yaml_node_t *node);
MUST_USE enum status config_scalar(struct config_yaml *r, const yaml_node_t *node, const char *key,
                                   struct str *out);
MUST_USE enum status config_bool(struct config_yaml *r, const yaml_node_t *value, const char *key,
                                 bool *out);
enum { CONFIG_KEYS_MAX = 64 };
/* Reads a mapping whose keys are all among `keys`, at most CONFIG_KEYS_MAX; each at most once. A
   key without a value, below which everything is commented out, is an empty one; "<<" merges
   another one (the merge key of YAML 1.1). */
MUST_USE enum status config_mapping(struct config_yaml *r, const yaml_node_t *node,
                                    const char *what, struct config_keys keys, void *target);
/* Checks that `node` is a list of at most `count_max` entries. */
MUST_USE enum status config_sequence(struct config_yaml *r, const yaml_node_t *node,
                                     const char *what, size_t count_max, size_t *count);
const yaml_node_t *config_item(struct config_yaml *r, const yaml_node_t *node, size_t index);

/* A mapping of limits, laid over what `limits` has: a number or a duration is the hard limit, a
   mapping gives each of {hard: , soft: , dry_run: } by itself. */
MUST_USE enum status config_read_limits(struct config_yaml *r, const yaml_node_t *value,
                                        const char *key, struct tenant_limits *limits);

/* Refuses what a person cannot have meant, in a mapping that was read into `limits`: a limit set by
   both of its names, a soft limit beyond the hard one that holds. */
MUST_USE enum status config_check_limits(struct config_yaml *r, const yaml_node_t *value,
                                         const char *key, const struct tenant_limits *limits);

/* The list `credentials:`, into config->credentials. */
MUST_USE enum status config_read_credentials(struct config_yaml *r, const yaml_node_t *value,
                                             const char *key, void *target);

#endif
