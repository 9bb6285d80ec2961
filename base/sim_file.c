#include "base/sim_disk_impl.h"

#include <stdio.h>

#include "base/mem.h"

static struct sim_file *sim_file_of(struct file *file)
{
    return (struct sim_file *)file;
}

/* How much of `len` bytes from `offset` on fits on the disk; reserved space is the file's already.
 */
static size_t fitting_len_locked(const struct sim_disk *sim, const struct sim_node *node,
                                 size_t offset, size_t len) REQUIRES(sim->lock)
{
    uint64_t room = sim_node_held_bytes(node) - offset + sim_free_bytes_locked(sim);
    return len < room ? len : (size_t)room;
}

static void lengthen_locked(struct sim_file *file, size_t len) REQUIRES(file->sim->lock)
{
    if (file->node->len < len)
        sim_node_resize(file->node, len);
}

static void append_locked(struct sim_file *file, const uint8_t *ptr, size_t len)
    REQUIRES(file->sim->lock)
{
    size_t at = file->node->end;
    lengthen_locked(file, at + len);
    if (len > 0)
        memcpy(file->node->bytes + at, ptr, len);
    file->node->end = at + len;
}

static enum status do_append_locked(struct sim_file *file, struct bytes data, struct error *err)
    REQUIRES(file->sim->lock)
{
    enum status status = sim_begin_operation_locked(file->sim, file->life, file->path, err);
    if (status != STATUS_OK) {
        /* without power nothing moves; a mere failure may come in the middle of the write */
        if (file->life == file->sim->life && !file->sim->is_cut)
            append_locked(file, data.ptr, random_below(&file->sim->random, data.len + 1));
        return status;
    }
    size_t len = fitting_len_locked(file->sim, file->node, file->node->end, data.len);
    append_locked(file, data.ptr, len);
    return len < data.len ? sim_disk_full(file->path, err) : STATUS_OK;
}

static enum status sim_append(struct file *base, struct bytes data, struct error *err)
{
    struct sim_file *file = sim_file_of(base);
    mutex_lock(&file->sim->lock);
    return sim_unlock_with(file->sim, do_append_locked(file, data, err));
}

static enum status do_zero_ahead_locked(struct sim_file *file, uint64_t size_bytes,
                                        struct error *err) REQUIRES(file->sim->lock)
{
    size_t from = file->node->len;
    size_t more = size_bytes < from ? 0 : (size_t)size_bytes - from;
    enum status status = sim_begin_operation_locked(file->sim, file->life, file->path, err);
    if (status != STATUS_OK) {
        if (file->life == file->sim->life && !file->sim->is_cut)
            lengthen_locked(file, from + random_below(&file->sim->random, more + 1));
        return status;
    }
    size_t len = fitting_len_locked(file->sim, file->node, from, more);
    lengthen_locked(file, from + len);
    return len < more ? sim_disk_full(file->path, err) : STATUS_OK;
}

static enum status sim_zero_ahead(struct file *base, uint64_t size_bytes, struct error *err)
{
    struct sim_file *file = sim_file_of(base);
    mutex_lock(&file->sim->lock);
    return sim_unlock_with(file->sim, do_zero_ahead_locked(file, size_bytes, err));
}

static enum status do_reserve_locked(struct sim_file *file, uint64_t size_bytes, struct error *err)
    REQUIRES(file->sim->lock)
{
    TRY(sim_begin_operation_locked(file->sim, file->life, file->path, err));
    uint64_t held = sim_node_held_bytes(file->node);
    if (size_bytes <= held)
        return STATUS_OK;
    if (size_bytes - held > sim_free_bytes_locked(file->sim))
        return sim_disk_full(file->path, err);
    file->node->reserved_bytes = (size_t)size_bytes;
    return STATUS_OK;
}

static enum status sim_reserve(struct file *base, uint64_t size_bytes, struct error *err)
{
    struct sim_file *file = sim_file_of(base);
    mutex_lock(&file->sim->lock);
    return sim_unlock_with(file->sim, do_reserve_locked(file, size_bytes, err));
}

static enum status do_sync_locked(struct sim_file *file, struct error *err)
    REQUIRES(file->sim->lock)
{
    enum status status = sim_begin_operation_locked(file->sim, file->life, file->path, err);
    if (status != STATUS_OK) {
        /* as Linux: the next sync finds clean pages and succeeds, whoever calls it */
        if (file->life == file->sim->life && !file->sim->is_cut)
            file->node->is_sync_broken = true;
        return status;
    }
    if (!file->node->is_sync_broken) {
        file->node->synced_len = file->node->len;
        file->node->synced_end = file->node->end;
    }
    return STATUS_OK;
}

static enum status sim_sync(struct file *base, struct error *err)
{
    struct sim_file *file = sim_file_of(base);
    mutex_lock(&file->sim->lock);
    return sim_unlock_with(file->sim, do_sync_locked(file, err));
}

static enum status do_read_locked(struct sim_file *file, uint64_t offset, struct bytes *out,
                                  size_t len, struct error *err) REQUIRES(file->sim->lock)
{
    TRY(sim_begin_read_locked(file->sim, file->life, file->path, err));
    const struct sim_node *node = file->node;
    if (offset >= node->len)
        return STATUS_OK;
    size_t left = node->len - (size_t)offset;
    *out = (struct bytes){node->bytes + offset, len < left ? len : left};
    return STATUS_OK;
}

static enum status sim_read(struct file *base, uint64_t offset, void *ptr, size_t len, size_t *got,
                            struct error *err)
{
    struct sim_file *file = sim_file_of(base);
    struct bytes found = {0};
    mutex_lock(&file->sim->lock);
    enum status status = do_read_locked(file, offset, &found, len, err);
    if (found.len > 0)
        memcpy(ptr, found.ptr, found.len);
    *got = found.len;
    return sim_unlock_with(file->sim, status);
}

static enum status do_size_locked(struct sim_file *file, uint64_t *out, struct error *err)
    REQUIRES(file->sim->lock)
{
    TRY(sim_begin_read_locked(file->sim, file->life, file->path, err));
    *out = file->node->len;
    return STATUS_OK;
}

static enum status sim_size(struct file *base, uint64_t *out, struct error *err)
{
    struct sim_file *file = sim_file_of(base);
    mutex_lock(&file->sim->lock);
    return sim_unlock_with(file->sim, do_size_locked(file, out, err));
}

static enum status do_map_locked(struct sim_file *file, struct bytes *out, struct error *err)
    REQUIRES(file->sim->lock)
{
    TRY(sim_begin_read_locked(file->sim, file->life, file->path, err));
    if (file->node->len == 0)
        return STATUS_OK;
    file->mapping_len = file->node->len;
    file->mapping = mem_alloc(file->mapping_len);
    memcpy(file->mapping, file->node->bytes, file->mapping_len);
    *out = (struct bytes){file->mapping, file->mapping_len};
    return STATUS_OK;
}

static enum status sim_map(struct file *base, struct bytes *out, struct error *err)
{
    struct sim_file *file = sim_file_of(base);
    mutex_lock(&file->sim->lock);
    return sim_unlock_with(file->sim, do_map_locked(file, out, err));
}

static uint64_t sim_fault_count(const struct file *base)
{
    const struct sim_file *file = (const struct sim_file *)base;
    mutex_lock(&file->sim->lock);
    uint64_t count = file->fault_count;
    sim_end_look_locked(file->sim);
    mutex_unlock(&file->sim->lock);
    return count;
}

static void sim_file_close(struct file *base)
{
    struct sim_file *file = sim_file_of(base);
    struct sim_disk *sim = file->sim;
    mutex_lock(&sim->lock);
    struct sim_file **link = &sim->files;
    while (*link != file)
        link = &(*link)->next;
    *link = file->next;
    file->node->open_count--;
    if (!file->node->is_linked)
        sim_tree_collect(&sim->tree);
    mutex_unlock(&sim->lock);
    mem_free(file->mapping);
    mem_free(file);
}

static const struct file_kind sim_file_kind = {
    .append = sim_append,
    .zero_ahead = sim_zero_ahead,
    .reserve = sim_reserve,
    .sync = sim_sync,
    .read = sim_read,
    .size = sim_size,
    .map = sim_map,
    .fault_count = sim_fault_count,
    .close = sim_file_close,
};

struct file *sim_file_open_locked(struct sim_disk *sim, struct sim_node *node, const char *path,
                                  bool is_appendable) REQUIRES(sim->lock)
{
    struct sim_file *file = mem_alloc_zeroed(1, sizeof *file);
    file->base = (struct file){.kind = &sim_file_kind, .is_appendable = is_appendable};
    file->sim = sim;
    file->node = node;
    file->life = sim->life;
    snprintf(file->path, sizeof file->path, "%s", path);
    file->next = sim->files;
    sim->files = file;
    node->open_count++;
    return &file->base;
}
