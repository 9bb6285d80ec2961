/*
 * config: what the server runs with: built-in defaults, then the YAML file, then the flags.
 *
 *     listen: 127.0.0.1:9009
 *     data_dir: ./data
 *     retention: 30d
 *     query_memory: 40%
 *     request_memory: 10%
 *     head_memory: 15%
 *     tenant_label: tenant_id
 *     enable_feature: promql-experimental-functions
 *     tls: {cert_file: croft.crt, key_file: croft.key, client_ca_file: agents.crt}
 *     limits: {max_series: 1000000}
 *     tenants:
 *       finance-team: {limits: {max_series: 150000}}
 *     credentials:
 *       - {name: finance, token_sha256: <hex>, read: [finance-team], write: [finance-team]}
 *
 * An unknown key is an error that names file, line and the nearest known key.
 * Ownership: text lives in the config's arena until config_deinit.
 */
#ifndef CROFT_SERVER_CONFIG_H
#define CROFT_SERVER_CONFIG_H

#include "base/arena.h"
#include "base/status.h"
#include "http/tls.h"
#include "server/credential.h"
#include "tsdb/model/tenant.h"

enum {
    CONFIG_FILE_MAX_BYTES = 16 << 20,
    CONFIG_READINGS_MAX = 50,
    CONFIG_TENANTS_MAX = 100000,
    CONFIG_CREDENTIALS_MAX = 1000, /* each request is compared with all of them */
};

struct config {
    struct arena arena;
    bool is_empty; /* no file was read, or one that says nothing */
    struct str listen;
    struct str data_dir;
    struct str tenant_label;
    struct str query_memory;   /* server/memory_share.h */
    struct str request_memory; /* the same */
    struct str head_memory;    /* the same */
    struct str enable_feature; /* names with commas between: server/feature.h */
    int64_t retention_ms;
    struct tenant_limits limits; /* of every tenant */
    struct tenant_id *tenants;   /* those with limits of their own */
    struct tenant_limits *tenant_limits;
    size_t tenant_count;
    bool has_tls;
    struct tls_files tls;
    bool has_credentials; /* also when the list is empty */
    struct credential *credentials;
    size_t credential_count;
};

/* The defaults. */
void config_init(struct config *config);
void config_deinit(struct config *config);
/* Lays the file over what `config` has. STATUS_INVALID: "croft.yml:3: ...". */
MUST_USE enum status config_read_file(struct config *config, const char *path, struct error *err);
/* The same of a file that somebody may be writing at this moment: a part of it, cut where a line
   ends, would be a configuration too. Reads until two readings with a `wait` between them are the
   same. STATUS_UNAVAILABLE: CONFIG_READINGS_MAX were not. STATUS_INVALID: also what is no regular
   file, and could not be read twice. */
MUST_USE enum status config_reread_file(struct config *config, const char *path,
                                        void (*wait)(void *context), void *context,
                                        struct error *err);
/* The same from memory; `name` stands for the file in errors. */
MUST_USE enum status config_read(struct config *config, struct str text, const char *name,
                                 struct error *err);
/* A retention such as 30d: at least one hour. */
MUST_USE enum status config_parse_retention(struct str text, int64_t *out, struct error *err);

#endif
