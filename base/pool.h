/*
 * pool: a fixed number of threads and a bounded queue of jobs.
 *
 * Ownership:  a job is the caller's memory and is kept until its `run` is called.
 * Threads:    pool_try_submit may be called from any thread.
 */
#ifndef CROFT_BASE_POOL_H
#define CROFT_BASE_POOL_H

#include <stdbool.h>
#include <stddef.h>

#include "base/status.h"

struct pool;

struct pool_job {
    struct pool_job *next;          /* of the queue, while it is kept */
    void (*run)(struct pool_job *); /* may free the job */
};

struct pool_options {
    const char *name;
    unsigned thread_count;
    size_t queue_max; /* jobs that wait; one more is refused */
};

struct pool *pool_open(const struct pool_options *options);
/* Runs what is queued, then joins the threads. NULL is fine. */
void pool_close(struct pool *pool);
/* False when the queue is full or the pool is closing: the job was not taken. */
MUST_USE bool pool_try_submit(struct pool *pool, struct pool_job *job);

#endif
