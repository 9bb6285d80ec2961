/*
 * disk_impl: what a kind of disk supplies; only disk.c and the kinds include it.
 *
 * A kind embeds `struct disk` and `struct file` as the first member of its own structs. Its
 * functions may rely on what disk.c has checked: paths are well-formed, a disk that is read-only is
 * not changed, appends go to files that were created through this handle, and no call but close
 * follows a failed sync or a map.
 */
#ifndef CROFT_BASE_DISK_IMPL_H
#define CROFT_BASE_DISK_IMPL_H

#include "base/disk.h"

struct disk_kind {
    void (*close)(struct disk *disk);
    enum status (*create)(struct disk *disk, const char *path, struct file **out,
                          struct error *err);
    enum status (*open)(struct disk *disk, const char *path, struct file **out, struct error *err);
    enum status (*rename)(struct disk *disk, const char *from, const char *to, struct error *err);
    enum status (*unlink)(struct disk *disk, const char *path, struct error *err);
    enum status (*make_dir)(struct disk *disk, const char *path, struct error *err);
    enum status (*sync_dir)(struct disk *disk, const char *path, struct error *err);
    enum status (*list)(struct disk *disk, const char *path, struct name_list *out,
                        struct error *err);
    enum status (*capacity_bytes)(struct disk *disk, uint64_t *out, struct error *err);
    enum status (*free_bytes)(struct disk *disk, uint64_t *out, struct error *err);
};

struct file_kind {
    enum status (*append)(struct file *file, struct bytes data, struct error *err);
    enum status (*zero_ahead)(struct file *file, uint64_t size_bytes, struct error *err);
    enum status (*reserve)(struct file *file, uint64_t size_bytes, struct error *err);
    enum status (*sync)(struct file *file, struct error *err);
    enum status (*read)(struct file *file, uint64_t offset, void *ptr, size_t len, size_t *got,
                        struct error *err);
    enum status (*size)(struct file *file, uint64_t *out, struct error *err);
    enum status (*map)(struct file *file, struct bytes *out, struct error *err);
    uint64_t (*fault_count)(const struct file *file);
    void (*close)(struct file *file);
};

struct disk {
    const struct disk_kind *kind;
    bool is_read_only;
};

struct file {
    const struct file_kind *kind;
    bool is_appendable;
    bool is_sync_failed;
    bool is_mapped;
};

/* `name` is cut at DISK_NAME_MAX - 1 bytes. `capacity` belongs to the caller's loop, 0 at first. */
void name_list_append(struct name_list *list, size_t *capacity, const char *name);
void name_list_sort(struct name_list *list);

#endif
