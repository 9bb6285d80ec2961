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

struct sim_disk *write_model_block(const struct block_model *model)
{
    struct error err;
    struct sim_disk *sim = model_disk(1);
    struct disk *disk = sim_disk_disk(sim);
    expect_ok(block_model_write(model, disk, &err));
    disk_close(disk);
    return sim;
}

uint64_t model_block_len(const struct block_model *model)
{
    struct sim_disk *sim = write_model_block(model);
    struct disk *disk = sim_disk_disk(sim);
    struct block *block = open_model_block(disk);
    uint64_t len = block_size_bytes(block);
    block_release(block);
    disk_close(disk);
    sim_disk_free(sim);
    return len;
}

void expect_model_block(const struct block_model *model, struct sim_disk *sim)
{
    struct disk *disk = sim_disk_disk(sim);
    struct block *block = open_model_block(disk);
    block_model_expect(model, block);
    block_release(block);
    disk_close(disk);
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
