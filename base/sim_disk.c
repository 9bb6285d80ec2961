#include "base/sim_disk.h"

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

/* ---- what a kind of disk supplies ---- */

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

/* ---- open and close ---- */

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
