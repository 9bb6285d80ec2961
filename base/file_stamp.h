/*
 * file_stamp: tells that a file which other programs write has changed, without reading it.
 */
#ifndef CROFT_BASE_FILE_STAMP_H
#define CROFT_BASE_FILE_STAMP_H

#include <stdint.h>

/* Of the file that `path` leads to: another one when it was written, replaced, or is another file
   now; 0 when there is none. */
uint64_t file_stamp(const char *path);

#endif
