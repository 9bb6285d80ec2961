/*
 * block_scene: a block on a simulated disk, of a random model or of what the test writes.
 */
#ifndef CROFT_TESTS_TSDB_BLOCK_SCENE_H
#define CROFT_TESTS_TSDB_BLOCK_SCENE_H

#include "tests/tsdb/block_model.h"

struct block_scene {
    struct sim_disk *sim;
    struct disk *disk;
    struct block_model model; /* empty for a block of what the test writes */
    struct block *block;      /* block_scene_close releases it */
};

void block_scene_open(struct block_scene *scene, struct random *random, struct model_size size);
/* The other way: the test writes between the two, then the block is open. */
struct block_writer *block_scene_begin(struct block_scene *scene);
struct block *block_scene_finish(struct block_scene *scene, struct block_writer *writer);
void block_scene_close(struct block_scene *scene);

/* A disk that has the model's block. */
struct sim_disk *write_model_block(const struct block_model *model);
uint64_t model_block_len(const struct block_model *model);
/* The block at MODEL_PATH, which must open. */
struct block *open_model_block(struct disk *disk);
/* It is there, and all of it is as in the model. */
void expect_model_block(const struct block_model *model, struct sim_disk *sim);
/* A series of the metric "m" and `name` in four digits; its first value is `name`. */
void write_scrape(struct block_writer *writer, int name, struct columns *samples);

#endif
