/*
 * tenant_id: the name of a tenant, in Mimir's alphabet.
 *
 * 1 to 150 bytes of 0-9 A-Z a-z ! - _ . * ' ( ); not ".", ".." or "__mimir_cluster". A value of
 * this type can only hold a valid id.
 */
#ifndef CROFT_TSDB_TENANT_ID_H
#define CROFT_TSDB_TENANT_ID_H

#include "base/bytes.h"
#include "base/status.h"

enum { TENANT_ID_LEN_MAX = 150 };

struct tenant_id {
    uint8_t len;
    char text[TENANT_ID_LEN_MAX + 1]; /* NUL-terminated */
};

MUST_USE enum status tenant_id_parse(struct str text, struct tenant_id *out, struct error *err);

/* The shard, of `shard_count`, that holds the tenant's series: docs/format/layout.md. */
uint32_t tenant_id_shard(const struct tenant_id *id, uint32_t shard_count);

static inline struct str tenant_id_str(const struct tenant_id *id)
{
    return (struct str){id->text, id->len};
}

#endif
