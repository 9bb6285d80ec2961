#include "base/disk_real_impl.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "base/mem.h"

enum { FILE_MODE = 0600, DIR_MODE = 0700 };

struct real_disk {
    struct disk base;
    int root_fd; /* also holds the lock of the root */
};

static enum status status_of_errno(int error)
{
    switch (error) {
    case ENOENT:
        return STATUS_NOT_FOUND;
    case ENOSPC:
    case EDQUOT:
    case EROFS:
        return STATUS_UNAVAILABLE;
    default:
        return STATUS_IO;
    }
}

enum status real_failed(const char *path, const char *call, struct error *err)
{
    int error = errno;
    return error_set(err, status_of_errno(error), "disk: %s: %s: %s (errno %d)",
                     path[0] == '\0' ? "." : path, call, strerrordesc_np(error), error);
}

static struct real_disk *real_of(struct disk *disk)
{
    return (struct real_disk *)disk;
}

/* An EINTR comes only from slow file systems (FUSE, NFS); asking again is right there. */
static int open_below(int dir_fd, const char *path, int flags)
{
    int fd;
    do {
        fd = openat(dir_fd, path, flags | O_CLOEXEC, FILE_MODE);
    } while (fd < 0 && errno == EINTR);
    return fd;
}

/* Takes `fd` on success. */
static enum status use_file(int fd, const char *path, int flags, struct file **out,
                            struct error *err)
{
    struct stat about;
    if (fstat(fd, &about) != 0)
        return real_failed(path, "stat", err);
    if (!S_ISREG(about.st_mode))
        return error_set(err, STATUS_IO, "disk: %s: open: got what is no file", path);
    *out = real_file_new(fd, path, (flags & O_CREAT) != 0);
    return STATUS_OK;
}

static enum status open_file(struct disk *disk, const char *path, int flags, struct file **out,
                             struct error *err)
{
    /* or a pipe of that name would be waited for, until somebody writes to it */
    int fd = open_below(real_of(disk)->root_fd, path, flags | O_NONBLOCK);
    if (fd < 0)
        return real_failed(path, "open", err);
    enum status status = use_file(fd, path, flags, out, err);
    if (status != STATUS_OK)
        close(fd);
    return status;
}

static enum status real_create(struct disk *disk, const char *path, struct file **out,
                               struct error *err)
{
    return open_file(disk, path, O_RDWR | O_CREAT | O_EXCL, out, err);
}

static enum status real_open(struct disk *disk, const char *path, struct file **out,
                             struct error *err)
{
    return open_file(disk, path, O_RDONLY, out, err);
}

static enum status real_rename(struct disk *disk, const char *from, const char *to,
                               struct error *err)
{
    int root_fd = real_of(disk)->root_fd;
    if (renameat(root_fd, from, root_fd, to) != 0)
        return real_failed(from, "rename", err);
    return STATUS_OK;
}

static enum status real_unlink(struct disk *disk, const char *path, struct error *err)
{
    int root_fd = real_of(disk)->root_fd;
    if (unlinkat(root_fd, path, 0) == 0)
        return STATUS_OK;
    if (errno == EISDIR && unlinkat(root_fd, path, AT_REMOVEDIR) == 0)
        return STATUS_OK;
    return real_failed(path, "unlink", err);
}

/* On a full disk as well: nothing is made to find out. */
static enum status check_dir_writable(int dir_fd, const char *name, const char *path,
                                      struct error *err)
{
    if (faccessat(dir_fd, name, W_OK | X_OK, AT_EACCESS) == 0)
        return STATUS_OK;
    int error = errno;
    return error_set(err, status_of_errno(error),
                     "disk: %s: got %s (errno %d), want a folder that can be written to", path,
                     strerrordesc_np(error), error);
}

static enum status real_make_dir(struct disk *disk, const char *path, struct error *err)
{
    if (mkdirat(real_of(disk)->root_fd, path, DIR_MODE) == 0)
        return STATUS_OK;
    struct stat about;
    if (errno != EEXIST || fstatat(real_of(disk)->root_fd, path, &about, 0) != 0)
        return real_failed(path, "mkdir", err);
    if (!S_ISDIR(about.st_mode))
        return error_set(err, STATUS_IO, "disk: %s: mkdir: is a file", path);
    return check_dir_writable(real_of(disk)->root_fd, path, path, err);
}

static enum status open_dir(int root_fd, const char *path, int *out, struct error *err)
{
    *out = open_below(root_fd, path[0] == '\0' ? "." : path, O_RDONLY | O_DIRECTORY);
    return *out < 0 ? real_failed(path, "open", err) : STATUS_OK;
}

static enum status sync_dir_below(int root_fd, const char *path, struct error *err)
{
    int fd;
    TRY(open_dir(root_fd, path, &fd, err));
    enum status status = fsync(fd) == 0 ? STATUS_OK : real_failed(path, "fsync", err);
    close(fd);
    return status;
}

static enum status real_sync_dir(struct disk *disk, const char *path, struct error *err)
{
    return sync_dir_below(real_of(disk)->root_fd, path, err);
}

static enum status read_names(DIR *dir, const char *path, struct name_list *out, struct error *err)
{
    size_t capacity = 0;
    for (;;) {
        errno = 0;
        const struct dirent *entry = readdir(dir);
        if (entry == NULL && errno != 0)
            return real_failed(path, "readdir", err);
        if (entry == NULL)
            return STATUS_OK;
        bool is_self = strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0;
        /* a longer name is not one of ours, and cut it would name another file */
        if (!is_self && strlen(entry->d_name) < DISK_NAME_MAX)
            name_list_append(out, &capacity, entry->d_name);
    }
}

static enum status real_list(struct disk *disk, const char *path, struct name_list *out,
                             struct error *err)
{
    int fd;
    TRY(open_dir(real_of(disk)->root_fd, path, &fd, err));
    DIR *dir = fdopendir(fd);
    if (dir == NULL) {
        enum status status = real_failed(path, "fdopendir", err);
        close(fd);
        return status;
    }
    enum status status = read_names(dir, path, out, err);
    closedir(dir);
    if (status != STATUS_OK)
        name_list_deinit(out);
    name_list_sort(out);
    return status;
}

static enum status real_capacity_bytes(struct disk *disk, uint64_t *out, struct error *err)
{
    struct statvfs about;
    if (fstatvfs(real_of(disk)->root_fd, &about) != 0)
        return real_failed("", "statvfs", err);
    *out = (uint64_t)about.f_blocks * about.f_frsize;
    return STATUS_OK;
}

static enum status real_free_bytes(struct disk *disk, uint64_t *out, struct error *err)
{
    struct statvfs about;
    if (fstatvfs(real_of(disk)->root_fd, &about) != 0)
        return real_failed("", "statvfs", err);
    *out = (uint64_t)about.f_bavail * about.f_frsize;
    return STATUS_OK;
}

static void real_close(struct disk *disk)
{
    close(real_of(disk)->root_fd);
    mem_free(disk);
}

static const struct disk_kind real_disk_kind = {
    .close = real_close,
    .create = real_create,
    .open = real_open,
    .rename = real_rename,
    .unlink = real_unlink,
    .make_dir = real_make_dir,
    .sync_dir = real_sync_dir,
    .list = real_list,
    .capacity_bytes = real_capacity_bytes,
    .free_bytes = real_free_bytes,
};

/* flock goes with the open folder, so a killed process leaves no lock behind. */
static enum status lock_root(int root_fd, const char *root, struct error *err)
{
    if (flock(root_fd, LOCK_EX | LOCK_NB) == 0)
        return STATUS_OK;
    if (errno == EWOULDBLOCK)
        return error_set(err, STATUS_UNAVAILABLE, "disk: %s: in use by another process", root);
    return real_failed(root, "flock", err);
}

/* The root must not vanish at a power cut with all that is synced below it; whoever made it may
   have died before this. Above a root that was here before there may be a folder we cannot read. */
static enum status secure_root(int root_fd, const char *root, bool is_new, struct error *err)
{
    TRY(lock_root(root_fd, root, err));
    TRY(check_dir_writable(root_fd, ".", root, err));
    enum status status = sync_dir_below(root_fd, "..", err);
    return is_new ? status : STATUS_OK;
}

static void make_disk(int root_fd, bool is_read_only, struct disk **out)
{
    struct real_disk *real = mem_alloc(sizeof *real);
    *real = (struct real_disk){.base = {.kind = &real_disk_kind, .is_read_only = is_read_only},
                               .root_fd = root_fd};
    *out = &real->base;
}

enum status disk_open_real(const char *root, struct disk **out, struct error *err)
{
    bool is_new = mkdir(root, DIR_MODE) == 0;
    if (!is_new && errno != EEXIST)
        return real_failed(root, "mkdir", err);
    int root_fd;
    TRY(open_dir(AT_FDCWD, root, &root_fd, err));
    enum status status = secure_root(root_fd, root, is_new, err);
    if (status != STATUS_OK) {
        close(root_fd);
        return status;
    }
    make_disk(root_fd, false, out);
    return STATUS_OK;
}

enum status disk_open_read_only(const char *root, struct disk **out, struct error *err)
{
    int root_fd;
    TRY(open_dir(AT_FDCWD, root, &root_fd, err));
    make_disk(root_fd, true, out);
    return STATUS_OK;
}
