#include "tests/fault/fault_scene.h"

void scene_open(struct scene *s, uint64_t disk_seed, uint64_t work_seed)
{
    struct error err = {0};
    store_box_init(&s->box, disk_seed);
    s->box.options.wal_segment_bytes = 2000; /* so that segments end as well */
    s->journal = journal_new();
    workload_init(&s->work, &s->box, s->journal, fault_seed(work_seed));
    expect_ok(store_box_open(&s->box, &err));
}

void scene_close(struct scene *s)
{
    store_box_deinit(&s->box);
    journal_free(s->journal);
}
