#include "base/file_stamp.h"

#include <sys/stat.h>

#include "base/hash.h"

uint64_t file_stamp(const char *path)
{
    struct stat about;
    if (stat(path, &about) != 0 || !S_ISREG(about.st_mode))
        return 0;
    const uint64_t parts[] = {(uint64_t)about.st_dev,          (uint64_t)about.st_ino,
                              (uint64_t)about.st_size,         (uint64_t)about.st_mtim.tv_sec,
                              (uint64_t)about.st_mtim.tv_nsec, (uint64_t)about.st_ctim.tv_sec,
                              (uint64_t)about.st_ctim.tv_nsec};
    return hash_bytes((struct bytes){(const uint8_t *)parts, sizeof parts});
}

bool file_is_special(const char *path)
{
    struct stat about;
    return stat(path, &about) == 0 && !S_ISREG(about.st_mode);
}
