#include "tests/tsdb/block_scene.h"

#include <stdio.h>

#include "tests/support/test.h"

static void start(struct block_scene *scene)
{
    *scene = (struct block_scene){.sim = model_disk(1)};
    scene->disk = sim_disk_disk(scene->sim);
}

void block_scene_open(struct block_scene *scene, struct random *random, struct model_size size)
{
    struct error err;
    start(scene);
    block_model_init(&scene->model, random, size);
    expect_ok(block_model_write(&scene->model, scene->disk, &err));
    scene->block = open_model_block(scene->disk);
}

struct block_writer *block_scene_begin(struct block_scene *scene)
{
    struct error err;
    struct block_writer *writer;
    const struct block_meta meta = {.shard = 3, .sequence = 12};
    start(scene);
    expect_ok(block_writer_open(scene->disk, MODEL_FOLDER, &meta, &writer, &err));
    return writer;
}

struct block *block_scene_finish(struct block_scene *scene, struct block_writer *writer)
{
    struct error err;
    char path[DISK_PATH_MAX];
    expect_ok(block_writer_finish(writer, path, &err));
    scene->block = open_model_block(scene->disk);
    return scene->block;
}

void block_scene_close(struct block_scene *scene)
{
    block_release(scene->block);
    block_model_deinit(&scene->model);
    disk_close(scene->disk);
    sim_disk_free(scene->sim);
}

struct block *open_model_block(struct disk *disk)
{
    struct error err;
    struct block *block;
    expect_ok(block_open(disk, MODEL_PATH, &block, &err));
    return block;
}

void write_scrape(struct block_writer *writer, int name, struct columns *samples)
{
    struct error err;
    char text[8];
    snprintf(text, sizeof text, "m%04d", name);
    struct label label = {LABEL_METRIC_NAME, str_from(text)};
    samples->values[0] = name;
    expect_ok(block_writer_series(writer, (struct labels){&label, 1}, samples, &err));
}
