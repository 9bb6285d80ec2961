/*
 * scene: a simulated disk and the process that uses it now, and words for both.
 *
 * Failures end the test.
 */
#ifndef CROFT_TESTS_BASE_SCENE_H
#define CROFT_TESTS_BASE_SCENE_H

#include "base/sim_disk.h"
#include "tests/support/test.h"

struct scene {
    struct sim_disk *sim;
    struct disk *disk; /* of the process */
};

struct scene scene_open(uint64_t seed);
/* The same with the durable folders a and b. */
struct scene scene_open_two_folders(uint64_t seed);
void scene_close(struct scene *scene);
/* The power goes and comes back; a new process starts. */
void scene_restart(struct scene *scene, enum power_cut cut);

/* Creates a file of two appends with a sync between them. */
void write_file(struct disk *disk, const char *path, const char *synced, const char *unsynced);
/* A file whose bytes and name are durable. */
void write_durable(struct disk *disk, const char *dir, const char *path, const char *content);
/* NUL-terminated; files here are shorter than 256 bytes. */
void read_content(struct disk *disk, const char *path, char out[256]);
void expect_content(struct disk *disk, const char *path, const char *want);

/* The paths of all files, each with a space behind it; the view is of `text`. */
struct str list_files(struct sim_disk *sim, char *text, size_t capacity);
void expect_files(struct sim_disk *sim, const char *want);

#endif
