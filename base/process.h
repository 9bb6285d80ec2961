/*
 * process: what the kernel says about this process.
 */
#ifndef CROFT_BASE_PROCESS_H
#define CROFT_BASE_PROCESS_H

#include <stdint.h>

struct process_status {
    uint64_t resident_bytes;
    uint64_t virtual_bytes;
    uint64_t open_files;
    uint64_t open_files_max;
};

/* Fields that cannot be read are 0. */
void process_status(struct process_status *out);

/* The memory that this process may use: the machine's, or less where one of its
   control groups says so. */
uint64_t process_memory_max_bytes(void);

/* Takes as many descriptors as the process is allowed to have, and returns how many those are. */
uint64_t process_raise_open_files(void);

/* Blocks SIGTERM, SIGINT and SIGHUP in the calling thread and all it starts later; ignores SIGPIPE.
   Called once, before any thread is started. */
void process_block_signals(void);
/* Waits for one of them and returns its number; 0 when none came in time. */
int process_wait_signal(int64_t timeout_ms);

#endif
