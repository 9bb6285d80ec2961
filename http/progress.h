/*
 * progress: whether the bytes that somebody waits for come or go fast enough.
 *
 * Counted anew in each window, so that who was quick at first saves up nothing for a halt.
 *
 * Threads: not synchronised.
 */
#ifndef CROFT_HTTP_PROGRESS_H
#define CROFT_HTTP_PROGRESS_H

#include <stdbool.h>
#include <stdint.h>

/* As long as senders of remote write wait for an answer. */
#define PROGRESS_WINDOW_NS UINT64_C(30000000000)
enum { PROGRESS_BYTES_MIN = 30 << 10 }; /* of each window */

struct progress {
    uint64_t since_ns; /* the window's begin */
    uint64_t bytes;    /* moved before it */
};

void progress_begin(struct progress *progress, uint64_t bytes, uint64_t now_ns);
/* `bytes` have moved by now. True when a window has passed, and too few of them did in it. */
bool progress_is_slow(struct progress *progress, uint64_t bytes, uint64_t now_ns);

#endif
