/*
 * disk_real_impl: what the real disk and its files share.
 */
#ifndef CROFT_BASE_DISK_REAL_IMPL_H
#define CROFT_BASE_DISK_REAL_IMPL_H

#include "base/disk_impl.h"

/* To be called at once after `call` failed, while errno is still its. */
enum status real_failed(const char *path, const char *call, struct error *err);

/* `fd` is taken; `path` is for error texts. */
struct file *real_file_new(int fd, const char *path, bool is_appendable);

#endif
