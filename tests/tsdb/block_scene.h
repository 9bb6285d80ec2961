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

/* The block at MODEL_PATH, which must be whole. */
struct block *open_model_block(struct disk *disk);
/* A series of the metric "m" and `name` in four digits; its first value is `name`. */
void write_scrape(struct block_writer *writer, int name, struct columns *samples);

#endif
