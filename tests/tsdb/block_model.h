/*
 * block_model: what a test put into a block, kept the naive way, to compare answers with.
 */
#ifndef CROFT_TESTS_TSDB_BLOCK_MODEL_H
#define CROFT_TESTS_TSDB_BLOCK_MODEL_H

#include "base/random.h"
#include "base/sim_disk.h"
#include "tsdb/block/block.h"

struct model_series {
    struct labels labels;
    struct columns samples;
};

struct model_tenant {
    struct tenant_id id;
    struct model_series *series; /* sorted by labels */
    size_t count;
};

struct block_model {
    struct model_tenant *tenants; /* sorted by id */
    size_t count;
    struct arena arena;
};

struct model_size {
    size_t tenants;
    size_t series_max;  /* of a tenant; at least one */
    size_t samples_max; /* of a series; at least one */
};

/* A random model: labels "__name__", "a", "b", "c" with few values each, some missing; samples
   about 15 s apart. Half of the series of a tenant have the timestamps of one scrape, or all but
   some of them; the others have their own. */
void block_model_init(struct block_model *model, struct random *random, struct model_size size);
void block_model_init_seeded(struct block_model *model, uint64_t seed, struct model_size size);
void block_model_deinit(struct block_model *model);

#define MODEL_FOLDER "blocks"
#define MODEL_PATH   "blocks/0000000012.block"

/* A disk with the empty folder, durable. */
struct sim_disk *model_disk(uint64_t seed);

/* Writes the model as block 12 of shard 3; ends with finish or abort. */
enum status block_model_write(const struct block_model *model, struct disk *disk,
                              struct error *err);

/* Compares everything in a tenant: labels of each series, samples, names, values, a selection.
   Differences fail the test; an error is returned. */
enum status block_model_check_tenant(const struct block_model *model, struct block *block,
                                     size_t tenant, struct error *err);
/* The whole block is right: meta, every tenant, and block_verify. */
void block_model_expect(const struct block_model *model, struct block *block);

bool model_matches(struct labels labels, const struct matcher *matchers, size_t count);

#endif
