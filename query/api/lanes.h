/*
 * lanes: the threads that requests to the read API run on, and those that wait for one.
 *
 * Who runs next is decided by lane_queue. A thread is started when a job may run and no thread is
 * idle, so there are as many as were ever busy at once. One more thread watches those that wait: a
 * job that still waits at its deadline, or whose client has gone, is refused.
 *
 * Ownership:  a job is the caller's memory and is kept until `run` or `refuse` is called, once,
 *             which may free it.
 * Threads:    any.
 */
#ifndef CROFT_QUERY_LANES_H
#define CROFT_QUERY_LANES_H

#include "base/clock.h"
#include "query/api/lane_queue.h"

struct lanes;

struct lanes_job {
    struct lane_job base; /* comes first */
    void (*run)(struct lanes_job *job);
    /* Instead of `run`: the job waited until base.deadline_ns. */
    void (*refuse)(struct lanes_job *job);
    /* Nobody waits for it any more; `run` may then be called out of turn. */
    bool (*is_abandoned)(struct lanes_job *job);
};

struct lanes_options {
    const char *name;
    const struct clock *clock; /* kept */
    struct lane_rules rules;
};

struct lanes *lanes_open(const struct lanes_options *options);
/* Runs what waits, then joins the threads. NULL is fine. */
void lanes_close(struct lanes *lanes);
/* False when the lane `id` is full or the lanes are closing: the job was not taken. */
MUST_USE bool lanes_try_submit(struct lanes *lanes, struct lanes_job *job, struct str id);
size_t lanes_waiting_count(struct lanes *lanes);
size_t lanes_running_count(struct lanes *lanes);

#endif
