/*
 * fault_scene: a store with small segments, the workload that writes to it, and the
 * journal of both.
 */
#ifndef CROFT_TESTS_FAULT_FAULT_SCENE_H
#define CROFT_TESTS_FAULT_FAULT_SCENE_H

#include "tests/fault/workload.h"

struct scene {
    struct store_box box;
    struct journal *journal;
    struct workload work;
};

/* `work_seed` is moved by fault_seed. */
void scene_open(struct scene *s, uint64_t disk_seed, uint64_t work_seed);
void scene_close(struct scene *s);

#endif
