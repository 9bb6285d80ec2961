/*
 * file_stamp: tells that a file which other programs write has changed, without reading it.
 */
#ifndef CROFT_BASE_FILE_STAMP_H
#define CROFT_BASE_FILE_STAMP_H

#include <stdbool.h>
#include <stdint.h>

/* Of the regular file that `path` leads to: another one when it was written, replaced, or is
   another file now; 0 when there is none. */
uint64_t file_stamp(const char *path);
/* There is something, but no regular file: to open a pipe may take until somebody writes to it. */
bool file_is_special(const char *path);

#endif
