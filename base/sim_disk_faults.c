/*
 * What tests do to a simulated disk, and what they ask it.
 */
#include "base/sim_disk.h"

#include <stdio.h>

#include "base/check.h"
#include "base/mem.h"
#include "base/sim_disk_impl.h"

/* ---- calls that fail ---- */

uint64_t sim_disk_operation_count(struct sim_disk *sim)
{
    mutex_lock(&sim->lock);
    uint64_t count = sim->operation_count;
    mutex_unlock(&sim->lock);
    return count;
}

void sim_disk_cut_power_at(struct sim_disk *sim, uint64_t operation)
{
    mutex_lock(&sim->lock);
    sim->cut_operation = operation;
    mutex_unlock(&sim->lock);
}

bool sim_disk_is_cut(struct sim_disk *sim)
{
    mutex_lock(&sim->lock);
    bool is_cut = sim->is_cut;
    mutex_unlock(&sim->lock);
    return is_cut;
}

void sim_disk_restore_power(struct sim_disk *sim, enum power_cut cut)
{
    mutex_lock(&sim->lock);
    if (cut != POWER_CUT_PROCESS_ONLY)
        sim_tree_cut_power(&sim->tree, cut, &sim->random);
    sim->life++;
    sim->is_cut = false;
    sim->cut_operation = UINT64_MAX;
    mutex_unlock(&sim->lock);
}

void sim_disk_fail_at(struct sim_disk *sim, uint64_t operation, enum status status)
{
    CHECK(status != STATUS_OK);
    mutex_lock(&sim->lock);
    sim->failing_operation = operation;
    sim->failing_status = status;
    mutex_unlock(&sim->lock);
}

uint64_t sim_disk_read_count(struct sim_disk *sim)
{
    mutex_lock(&sim->lock);
    uint64_t count = sim->read_count;
    mutex_unlock(&sim->lock);
    return count;
}

void sim_disk_fail_read_at(struct sim_disk *sim, uint64_t read)
{
    mutex_lock(&sim->lock);
    sim->failing_read = read;
    mutex_unlock(&sim->lock);
}

void sim_disk_break_paths(struct sim_disk *sim, const char *prefix)
{
    mutex_lock(&sim->lock);
    snprintf(sim->broken_prefix, sizeof sim->broken_prefix, "%s", prefix);
    mutex_unlock(&sim->lock);
}

void sim_disk_set_capacity(struct sim_disk *sim, uint64_t capacity_bytes)
{
    mutex_lock(&sim->lock);
    sim->capacity_bytes = capacity_bytes;
    mutex_unlock(&sim->lock);
}

/* ---- bytes that change or go ---- */

void sim_disk_flip(struct sim_disk *sim, const char *path, uint64_t offset, uint8_t xor_mask)
{
    mutex_lock(&sim->lock);
    struct sim_node *node = sim_tree_find(&sim->tree, path);
    CHECK(node != NULL);
    CHECK(offset < node->len);
    node->bytes[offset] ^= xor_mask;
    for (struct sim_file *file = sim->files; file != NULL; file = file->next) {
        if (file->node == node && offset < file->mapping_len)
            file->mapping[offset] ^= xor_mask;
    }
    mutex_unlock(&sim->lock);
}

/* In all mappings of a file. */
static void lose_bytes_locked(struct sim_disk *sim, const struct sim_node *node, size_t offset,
                              size_t len) REQUIRES(sim->lock)
{
    for (struct sim_file *file = sim->files; file != NULL; file = file->next) {
        if (file->node != node || offset >= file->mapping_len)
            continue;
        size_t left = file->mapping_len - offset;
        memset(file->mapping + offset, 0, len < left ? len : left);
        file->fault_count++;
    }
}

void sim_disk_truncate(struct sim_disk *sim, const char *path, uint64_t size_bytes)
{
    mutex_lock(&sim->lock);
    struct sim_node *node = sim_tree_find(&sim->tree, path);
    CHECK(node != NULL);
    CHECK(!node->is_dir);
    sim_node_resize(node, (size_t)size_bytes);
    sim_node_settle(node);
    lose_bytes_locked(sim, node, (size_t)size_bytes, SIZE_MAX);
    mutex_unlock(&sim->lock);
}

uint64_t sim_disk_look_count(struct sim_disk *sim)
{
    mutex_lock(&sim->lock);
    uint64_t count = sim->look_count;
    mutex_unlock(&sim->lock);
    return count;
}

void sim_disk_lose_at(struct sim_disk *sim, const char *path, const struct sim_loss *loss)
{
    mutex_lock(&sim->lock);
    sim->loss_node = sim_tree_find(&sim->tree, path);
    sim->loss = *loss;
    CHECK(sim->loss_node != NULL);
    mutex_unlock(&sim->lock);
}

void sim_end_look_locked(struct sim_disk *sim)
{
    if (sim->look_count++ != sim->loss.look || sim->loss_node == NULL)
        return;
    lose_bytes_locked(sim, sim->loss_node, sim->loss.offset, sim->loss.len);
    sim->loss_node = NULL;
}

/* ---- what is on it ---- */

/* A folder still to be listed. */
struct visit {
    char path[DISK_PATH_MAX];
    const struct sim_node *dir;
};

struct visit_list {
    struct visit *visits;
    size_t count;
    size_t capacity;
};

static void visit_list_append(struct visit_list *list, const char *path, const struct sim_node *dir)
{
    list->visits = mem_grow(list->visits, &list->capacity, list->count + 1, sizeof *list->visits);
    struct visit *visit = &list->visits[list->count++];
    visit->dir = dir;
    snprintf(visit->path, sizeof visit->path, "%s", path);
}

void sim_disk_files(struct sim_disk *sim, struct name_list *out)
{
    struct visit_list list = {0};
    size_t capacity = 0;
    *out = (struct name_list){0};
    mutex_lock(&sim->lock);
    visit_list_append(&list, "", sim->tree.root);
    for (size_t i = 0; i < list.count; i++) {
        struct visit visit = list.visits[i]; /* a copy: the list grows below */
        for (size_t k = 0; k < visit.dir->current.count; k++) {
            const struct sim_entry *entry = &visit.dir->current.entries[k];
            char path[DISK_PATH_MAX + DISK_NAME_MAX + 1];
            snprintf(path, sizeof path, "%s%s%s", visit.path, i == 0 ? "" : "/", entry->name);
            if (entry->node->is_dir)
                visit_list_append(&list, path, entry->node);
            else
                name_list_append(out, &capacity, path);
        }
    }
    mutex_unlock(&sim->lock);
    mem_free(list.visits);
    name_list_sort(out);
}
