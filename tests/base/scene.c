#include "tests/base/scene.h"

#include <stdio.h>

static struct error err;

struct scene scene_open(uint64_t seed)
{
    struct sim_disk *sim = sim_disk_new(seed);
    return (struct scene){sim, sim_disk_disk(sim)};
}

struct scene scene_open_two_folders(uint64_t seed)
{
    struct scene scene = scene_open(seed);
    expect_ok(disk_make_dir(scene.disk, "a", &err));
    expect_ok(disk_make_dir(scene.disk, "b", &err));
    expect_ok(disk_sync_dir(scene.disk, "", &err));
    return scene;
}

void scene_close(struct scene *scene)
{
    disk_close(scene->disk);
    sim_disk_free(scene->sim);
}

void scene_restart(struct scene *scene, enum power_cut cut)
{
    disk_close(scene->disk);
    sim_disk_restore_power(scene->sim, cut);
    scene->disk = sim_disk_disk(scene->sim);
}

void write_file(struct disk *disk, const char *path, const char *synced, const char *unsynced)
{
    struct file *file;
    expect_ok(disk_create(disk, path, &file, &err));
    expect_ok(file_append(file, bytes_of_str(str_from(synced)), &err));
    if (synced[0] != '\0')
        expect_ok(file_sync(file, &err));
    expect_ok(file_append(file, bytes_of_str(str_from(unsynced)), &err));
    file_close(file);
}

void write_durable(struct disk *disk, const char *dir, const char *path, const char *content)
{
    write_file(disk, path, content, "");
    expect_ok(disk_sync_dir(disk, dir, &err));
}

void read_content(struct disk *disk, const char *path, char out[256])
{
    struct file *file;
    size_t len;
    expect_ok(disk_open(disk, path, &file, &err));
    expect_ok(file_read(file, 0, out, 255, &len, &err));
    out[len] = '\0';
    file_close(file);
}

void expect_content(struct disk *disk, const char *path, const char *want)
{
    char got[256];
    read_content(disk, path, got);
    assert_string_equal(got, want);
}

struct str list_files(struct sim_disk *sim, char *text, size_t capacity)
{
    struct name_list names;
    size_t len = 0;
    sim_disk_files(sim, &names);
    for (size_t i = 0; i < names.count; i++)
        len += (size_t)snprintf(text + len, capacity - len, "%s ", names.names[i]);
    name_list_deinit(&names);
    return (struct str){text, len};
}

void expect_files(struct sim_disk *sim, const char *want)
{
    char text[512];
    expect_str(list_files(sim, text, sizeof text), want);
}
