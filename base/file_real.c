#include "base/disk_real_impl.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/map.h"
#include "base/mem.h"

enum { ZERO_BYTES = 16 << 10 };

static const uint8_t zeros[ZERO_BYTES];

struct real_file {
    struct file base;
    int fd;         /* -1 after file_map */
    uint64_t end;   /* of what was appended */
    uint64_t len;   /* of the file: zeros from `end` on */
    struct map map; /* zeroed until file_map */
    char path[];    /* for error texts */
};

static struct real_file *real_file_of(struct file *file)
{
    return (struct real_file *)file;
}

/* Writes `data` at `*offset`, which ends behind what was written. */
static enum status write_at(struct real_file *real, uint64_t *offset, struct bytes data,
                            struct error *err)
{
    while (data.len > 0) {
        ssize_t written = pwrite(real->fd, data.ptr, data.len, (off_t)*offset);
        if (written < 0 && errno == EINTR)
            continue;
        if (written < 0)
            return real_failed(real->path, "pwrite", err);
        data.ptr += written;
        data.len -= (size_t)written;
        *offset += (uint64_t)written;
    }
    return STATUS_OK;
}

static enum status real_append(struct file *file, struct bytes data, struct error *err)
{
    struct real_file *real = real_file_of(file);
    enum status status = write_at(real, &real->end, data, err);
    if (real->len < real->end)
        real->len = real->end;
    return status;
}

static enum status real_zero_ahead(struct file *file, uint64_t size_bytes, struct error *err)
{
    struct real_file *real = real_file_of(file);
    while (real->len < size_bytes) {
        uint64_t left = size_bytes - real->len;
        size_t len = left < ZERO_BYTES ? (size_t)left : ZERO_BYTES;
        TRY(write_at(real, &real->len, (struct bytes){zeros, len}, err));
    }
    return STATUS_OK;
}

static enum status real_reserve(struct file *file, uint64_t size_bytes, struct error *err)
{
    struct real_file *real = real_file_of(file);
    if (size_bytes == 0)
        return STATUS_OK;
    if (size_bytes > INT64_MAX)
        return error_set(err, STATUS_IO, "disk: %s: reserve: size out of range", real->path);
    int result;
    do {
        result = fallocate(real->fd, FALLOC_FL_KEEP_SIZE, 0, (off_t)size_bytes);
    } while (result != 0 && errno == EINTR);
    /* a file system that cannot reserve reports a full disk at the append instead */
    if (result != 0 && errno != EOPNOTSUPP)
        return real_failed(real->path, "fallocate", err);
    return STATUS_OK;
}

/* Never repeated, not even after EINTR: a second fsync may succeed over pages that were lost. */
static enum status real_sync(struct file *file, struct error *err)
{
    struct real_file *real = real_file_of(file);
    if (fdatasync(real->fd) != 0)
        return real_failed(real->path, "fdatasync", err);
    return STATUS_OK;
}

static enum status real_read(struct file *file, uint64_t offset, void *ptr, size_t len, size_t *got,
                             struct error *err)
{
    struct real_file *real = real_file_of(file);
    if (offset > INT64_MAX - len)
        return error_set(err, STATUS_IO, "disk: %s: read: offset out of range", real->path);
    while (*got < len) {
        ssize_t part = pread(real->fd, (uint8_t *)ptr + *got, len - *got, (off_t)(offset + *got));
        if (part < 0 && errno == EINTR)
            continue;
        if (part < 0)
            return real_failed(real->path, "pread", err);
        if (part == 0)
            break;
        *got += (size_t)part;
    }
    return STATUS_OK;
}

static enum status real_size(struct file *file, uint64_t *out, struct error *err)
{
    struct real_file *real = real_file_of(file);
    struct stat about;
    if (fstat(real->fd, &about) != 0)
        return real_failed(real->path, "fstat", err);
    *out = (uint64_t)about.st_size;
    return STATUS_OK;
}

static enum status do_map(struct real_file *real, struct error *err)
{
    uint64_t size_bytes;
    TRY(real_size(&real->base, &size_bytes, err));
    if (size_bytes == 0)
        return STATUS_OK;
    return map_open(&real->map, real->fd, size_bytes) ? STATUS_OK
                                                      : real_failed(real->path, "mmap", err);
}

/* The mapping keeps the file, and a store has more blocks than a process may have descriptors. */
static enum status real_map(struct file *file, struct bytes *out, struct error *err)
{
    struct real_file *real = real_file_of(file);
    TRY(do_map(real, err));
    close(real->fd);
    real->fd = -1;
    *out = real->map.bytes;
    return STATUS_OK;
}

static uint64_t real_fault_count(const struct file *file)
{
    return map_fault_count(&((const struct real_file *)file)->map);
}

static void real_file_close(struct file *file)
{
    struct real_file *real = real_file_of(file);
    map_close(&real->map);
    /* What mattered was synced, and Linux closes the descriptor even when it reports an error. */
    if (real->fd >= 0)
        close(real->fd);
    mem_free(real);
}

static const struct file_kind real_file_kind = {
    .append = real_append,
    .zero_ahead = real_zero_ahead,
    .reserve = real_reserve,
    .sync = real_sync,
    .read = real_read,
    .size = real_size,
    .map = real_map,
    .fault_count = real_fault_count,
    .close = real_file_close,
};

struct file *real_file_new(int fd, const char *path, bool is_appendable)
{
    size_t path_bytes = strlen(path) + 1;
    struct real_file *real = mem_alloc(sizeof *real + path_bytes);
    *real = (struct real_file){
        .base = {.kind = &real_file_kind, .is_appendable = is_appendable},
        .fd = fd,
    };
    memcpy(real->path, path, path_bytes);
    return &real->base;
}
