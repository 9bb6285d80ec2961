#include "base/sim_disk.h"

#include <stdio.h>

#include "base/check.h"
#include "base/mem.h"
#include "base/sim_disk_impl.h"

static const uint64_t CAPACITY_BYTES_DEFAULT = (uint64_t)1 << 40;

struct sim_handle {
    struct disk base;
    struct sim_disk *sim;
    uint64_t life;
};

static struct sim_handle *handle_of(struct disk *disk)
{
    return (struct sim_handle *)disk;
}

enum status sim_unlock_with(struct sim_disk *sim, enum status status) RELEASES(sim->lock)
{
    mutex_unlock(&sim->lock);
    return status;
}

/* STATUS_IO once the power has been cut in this life. */
static enum status check_power_locked(const struct sim_disk *sim, uint64_t life, const char *path,
                                      struct error *err) REQUIRES(sim->lock)
{
    if (sim->is_cut || life != sim->life)
        return error_set(err, STATUS_IO, "disk: %s: the power is cut", path);
    return STATUS_OK;
}

enum status sim_begin_operation_locked(struct sim_disk *sim, uint64_t life, const char *path,
                                       struct error *err) REQUIRES(sim->lock)
{
    CHECK(mutex_is_held(&sim->lock));
    if (life != sim->life)
        return check_power_locked(sim, life, path, err);
    uint64_t operation = sim->operation_count++;
    if (operation >= sim->cut_operation)
        sim->is_cut = true;
    TRY(check_power_locked(sim, life, path, err));
    if (operation == sim->failing_operation)
        return error_set(err, sim->failing_status, "disk: %s: operation %llu was made to fail",
                         path, (unsigned long long)operation);
    if (sim->broken_prefix[0] != '\0' &&
        str_starts_with(str_from(path), str_from(sim->broken_prefix)))
        return error_set(err, STATUS_IO, "disk: %s: its part of the disk is broken", path);
    return STATUS_OK;
}

enum status sim_begin_read_locked(struct sim_disk *sim, uint64_t life, const char *path,
                                  struct error *err) REQUIRES(sim->lock)
{
    TRY(check_power_locked(sim, life, path, err));
    uint64_t read = sim->read_count++;
    if (read == sim->failing_read)
        return error_set(err, STATUS_IO, "disk: %s: read %llu was made to fail", path,
                         (unsigned long long)read);
    return STATUS_OK;
}

enum status sim_disk_full(const char *path, struct error *err)
{
    return error_set(err, STATUS_UNAVAILABLE, "disk: %s: no space left", path);
}

uint64_t sim_free_bytes_locked(const struct sim_disk *sim) REQUIRES(sim->lock)
{
    uint64_t held = sim_tree_held_bytes(&sim->tree);
    return held < sim->capacity_bytes ? sim->capacity_bytes - held : 0;
}

static enum status not_found(const char *path, struct error *err)
{
    return error_set(err, STATUS_NOT_FOUND, "disk: %s: no such file or folder", path);
}

static enum status do_create_locked(struct sim_handle *handle, const char *path, struct file **out,
                                    struct error *err) REQUIRES(handle->sim->lock)
{
    struct sim_place at;
    TRY(sim_begin_operation_locked(handle->sim, handle->life, path, err));
    if (!sim_tree_place(&handle->sim->tree, path, &at))
        return not_found(path, err);
    if (sim_tree_at(&at) != NULL)
        return error_set(err, STATUS_IO, "disk: %s: create: exists already", path);
    if (sim_free_bytes_locked(handle->sim) == 0)
        return sim_disk_full(path, err);
    struct sim_node *node = sim_tree_create(&handle->sim->tree, &at, false);
    *out = sim_file_open_locked(handle->sim, node, path, true);
    return STATUS_OK;
}

static enum status sim_create(struct disk *disk, const char *path, struct file **out,
                              struct error *err)
{
    struct sim_handle *handle = handle_of(disk);
    mutex_lock(&handle->sim->lock);
    return sim_unlock_with(handle->sim, do_create_locked(handle, path, out, err));
}

static enum status do_open_locked(struct sim_handle *handle, const char *path, struct file **out,
                                  struct error *err) REQUIRES(handle->sim->lock)
{
    TRY(sim_begin_read_locked(handle->sim, handle->life, path, err));
    struct sim_node *node = sim_tree_find(&handle->sim->tree, path);
    if (node == NULL)
        return not_found(path, err);
    if (node->is_dir)
        return error_set(err, STATUS_IO, "disk: %s: open: is a folder", path);
    *out = sim_file_open_locked(handle->sim, node, path, false);
    return STATUS_OK;
}

static enum status sim_open(struct disk *disk, const char *path, struct file **out,
                            struct error *err)
{
    struct sim_handle *handle = handle_of(disk);
    mutex_lock(&handle->sim->lock);
    return sim_unlock_with(handle->sim, do_open_locked(handle, path, out, err));
}

static bool is_empty_dir(const struct sim_node *node)
{
    return node->is_dir && node->current.count == 0;
}

/* As rename(2): a file over a file, a folder over an empty folder. */
static enum status check_replaceable(const struct sim_node *node, const struct sim_node *replaced,
                                     const char *path, struct error *err)
{
    if (replaced == NULL || replaced == node)
        return STATUS_OK;
    if (node->is_dir ? is_empty_dir(replaced) : !replaced->is_dir)
        return STATUS_OK;
    return error_set(err, STATUS_IO, "disk: %s: rename: would replace a folder", path);
}

static enum status do_rename_locked(struct sim_handle *handle, const char *from, const char *to,
                                    struct error *err) REQUIRES(handle->sim->lock)
{
    struct sim_tree *tree = &handle->sim->tree;
    struct sim_place from_place, to_place;
    TRY(sim_begin_operation_locked(handle->sim, handle->life, from, err));
    if (!sim_tree_place(tree, from, &from_place) || sim_tree_at(&from_place) == NULL)
        return not_found(from, err);
    if (!sim_tree_place(tree, to, &to_place))
        return not_found(to, err);
    TRY(check_replaceable(sim_tree_at(&from_place), sim_tree_at(&to_place), to, err));
    sim_tree_rename(tree, &from_place, &to_place);
    return STATUS_OK;
}

static enum status sim_rename(struct disk *disk, const char *from, const char *to,
                              struct error *err)
{
    struct sim_handle *handle = handle_of(disk);
    mutex_lock(&handle->sim->lock);
    return sim_unlock_with(handle->sim, do_rename_locked(handle, from, to, err));
}

static enum status do_unlink_locked(struct sim_handle *handle, const char *path, struct error *err)
    REQUIRES(handle->sim->lock)
{
    struct sim_place at;
    TRY(sim_begin_operation_locked(handle->sim, handle->life, path, err));
    if (!sim_tree_place(&handle->sim->tree, path, &at) || sim_tree_at(&at) == NULL)
        return not_found(path, err);
    if (sim_tree_at(&at)->is_dir && !is_empty_dir(sim_tree_at(&at)))
        return error_set(err, STATUS_IO, "disk: %s: unlink: folder is not empty", path);
    sim_tree_unlink(&handle->sim->tree, &at);
    return STATUS_OK;
}

static enum status sim_unlink(struct disk *disk, const char *path, struct error *err)
{
    struct sim_handle *handle = handle_of(disk);
    mutex_lock(&handle->sim->lock);
    return sim_unlock_with(handle->sim, do_unlink_locked(handle, path, err));
}

static enum status do_make_dir_locked(struct sim_handle *handle, const char *path,
                                      struct error *err) REQUIRES(handle->sim->lock)
{
    struct sim_place at;
    TRY(sim_begin_operation_locked(handle->sim, handle->life, path, err));
    if (!sim_tree_place(&handle->sim->tree, path, &at))
        return not_found(path, err);
    const struct sim_node *node = sim_tree_at(&at);
    if (node != NULL && !node->is_dir)
        return error_set(err, STATUS_IO, "disk: %s: mkdir: is a file", path);
    if (node == NULL)
        sim_tree_create(&handle->sim->tree, &at, true);
    return STATUS_OK;
}

static enum status sim_make_dir(struct disk *disk, const char *path, struct error *err)
{
    struct sim_handle *handle = handle_of(disk);
    mutex_lock(&handle->sim->lock);
    return sim_unlock_with(handle->sim, do_make_dir_locked(handle, path, err));
}

static enum status find_dir_locked(struct sim_disk *sim, const char *path, struct sim_node **out,
                                   struct error *err) REQUIRES(sim->lock)
{
    *out = sim_tree_find(&sim->tree, path);
    if (*out == NULL)
        return not_found(path, err);
    if (!(*out)->is_dir)
        return error_set(err, STATUS_IO, "disk: %s: is not a folder", path);
    return STATUS_OK;
}

static enum status do_sync_dir_locked(struct sim_handle *handle, const char *path,
                                      struct error *err) REQUIRES(handle->sim->lock)
{
    struct sim_node *dir;
    TRY(sim_begin_operation_locked(handle->sim, handle->life, path, err));
    TRY(find_dir_locked(handle->sim, path, &dir, err));
    sim_tree_sync_dir(&handle->sim->tree, dir);
    sim_tree_collect(&handle->sim->tree);
    return STATUS_OK;
}

static enum status sim_sync_dir(struct disk *disk, const char *path, struct error *err)
{
    struct sim_handle *handle = handle_of(disk);
    mutex_lock(&handle->sim->lock);
    return sim_unlock_with(handle->sim, do_sync_dir_locked(handle, path, err));
}

static enum status do_list_locked(struct sim_handle *handle, const char *path,
                                  struct name_list *out, struct error *err)
    REQUIRES(handle->sim->lock)
{
    struct sim_node *dir;
    size_t capacity = 0;
    TRY(sim_begin_read_locked(handle->sim, handle->life, path, err));
    TRY(find_dir_locked(handle->sim, path, &dir, err));
    for (size_t i = 0; i < dir->current.count; i++)
        name_list_append(out, &capacity, dir->current.entries[i].name);
    name_list_sort(out);
    return STATUS_OK;
}

static enum status sim_list(struct disk *disk, const char *path, struct name_list *out,
                            struct error *err)
{
    struct sim_handle *handle = handle_of(disk);
    mutex_lock(&handle->sim->lock);
    return sim_unlock_with(handle->sim, do_list_locked(handle, path, out, err));
}

static enum status do_capacity_bytes_locked(struct sim_handle *handle, uint64_t *out,
                                            struct error *err) REQUIRES(handle->sim->lock)
{
    TRY(sim_begin_read_locked(handle->sim, handle->life, ".", err));
    *out = handle->sim->capacity_bytes;
    return STATUS_OK;
}

static enum status sim_capacity_bytes(struct disk *disk, uint64_t *out, struct error *err)
{
    struct sim_handle *handle = handle_of(disk);
    mutex_lock(&handle->sim->lock);
    return sim_unlock_with(handle->sim, do_capacity_bytes_locked(handle, out, err));
}

static enum status do_free_bytes_locked(struct sim_handle *handle, uint64_t *out, struct error *err)
    REQUIRES(handle->sim->lock)
{
    TRY(sim_begin_read_locked(handle->sim, handle->life, ".", err));
    *out = sim_free_bytes_locked(handle->sim);
    return STATUS_OK;
}

static enum status sim_free_bytes(struct disk *disk, uint64_t *out, struct error *err)
{
    struct sim_handle *handle = handle_of(disk);
    mutex_lock(&handle->sim->lock);
    return sim_unlock_with(handle->sim, do_free_bytes_locked(handle, out, err));
}

static void sim_close(struct disk *disk)
{
    mem_free(disk);
}

static const struct disk_kind sim_disk_kind = {
    .close = sim_close,
    .create = sim_create,
    .open = sim_open,
    .rename = sim_rename,
    .unlink = sim_unlink,
    .make_dir = sim_make_dir,
    .sync_dir = sim_sync_dir,
    .list = sim_list,
    .capacity_bytes = sim_capacity_bytes,
    .free_bytes = sim_free_bytes,
};

/* What tests do to the disk. */

struct sim_disk *sim_disk_new(uint64_t seed)
{
    struct sim_disk *sim = mem_alloc_zeroed(1, sizeof *sim);
    mutex_init(&sim->lock);
    sim_tree_init(&sim->tree);
    random_init_seeded(&sim->random, seed);
    sim->cut_operation = UINT64_MAX;
    sim->failing_operation = UINT64_MAX;
    sim->failing_read = UINT64_MAX;
    sim->capacity_bytes = CAPACITY_BYTES_DEFAULT;
    return sim;
}

void sim_disk_free(struct sim_disk *sim)
{
    if (sim == NULL)
        return;
    CHECK(sim->files == NULL);
    sim_tree_deinit(&sim->tree);
    mutex_deinit(&sim->lock);
    mem_free(sim);
}

struct disk *sim_disk_disk(struct sim_disk *sim)
{
    struct sim_handle *handle = mem_alloc(sizeof *handle);
    mutex_lock(&sim->lock);
    *handle = (struct sim_handle){.base = {.kind = &sim_disk_kind}, .sim = sim, .life = sim->life};
    mutex_unlock(&sim->lock);
    return &handle->base;
}

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
