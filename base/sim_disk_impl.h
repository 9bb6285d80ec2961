/*
 * sim_disk_impl: what the simulated disk and its files share.
 */
#ifndef CROFT_BASE_SIM_DISK_IMPL_H
#define CROFT_BASE_SIM_DISK_IMPL_H

#include "base/disk_impl.h"
#include "base/sim_tree.h"
#include "base/thread.h"

struct sim_disk {
    struct mutex lock; /* guards everything below */
    struct sim_tree tree;
    struct random random;
    struct sim_file *files; /* open handles */
    uint64_t life;          /* counts power cuts; handles of an earlier life are dead */
    uint64_t operation_count;
    uint64_t cut_operation; /* UINT64_MAX for never */
    bool is_cut;
    uint64_t failing_operation; /* UINT64_MAX for none */
    enum status failing_status;
    uint64_t read_count;
    uint64_t failing_read;             /* UINT64_MAX for none */
    char broken_prefix[DISK_PATH_MAX]; /* of paths; empty for none */
    uint64_t capacity_bytes;
    uint64_t look_count;              /* of file_fault_count */
    const struct sim_node *loss_node; /* NULL when nothing is to be lost */
    struct sim_loss loss;
};

/* Ends a call that holds the lock: the value of `status` goes on. */
enum status sim_unlock_with(struct sim_disk *sim, enum status status) RELEASES(sim->lock);
/* Every change of state passes here first. */
MUST_USE enum status sim_begin_operation_locked(struct sim_disk *sim, uint64_t life,
                                                const char *path, struct error *err)
    REQUIRES(sim->lock);
/* Every other call on the disk or a file but file_fault_count and the closing ones does so here. */
MUST_USE enum status sim_begin_read_locked(struct sim_disk *sim, uint64_t life, const char *path,
                                           struct error *err) REQUIRES(sim->lock);
/* Every look at the faults of a mapping ends here. */
void sim_end_look_locked(struct sim_disk *sim) REQUIRES(sim->lock);
enum status sim_disk_full(const char *path, struct error *err);
uint64_t sim_free_bytes_locked(const struct sim_disk *sim) REQUIRES(sim->lock);

/* An open file; it ends with file_close. */
struct sim_file {
    struct file base;
    struct sim_file *next;
    struct sim_disk *sim;
    struct sim_node *node;
    uint64_t life;
    uint8_t *mapping; /* a copy, so that a reader that leaves it is caught; NULL until file_map */
    size_t mapping_len;
    uint64_t fault_count; /* of the mapping; guarded by the disk's lock */
    char path[DISK_PATH_MAX];
};

struct file *sim_file_open_locked(struct sim_disk *sim, struct sim_node *node, const char *path,
                                  bool is_appendable) REQUIRES(sim->lock);

#endif
