/*
 * lane_queue: which request to the read API runs next; the rules alone, without threads.
 *
 * The requests of one payer (as in turn_queue) wait in one lane, and only for each other:
 *   1. a lane runs at most `lane_running_max` at a time, and keeps `lane_waiting_max` waiting;
 *   2. all lanes together run `running_max`, of lanes that run as few as possible;
 *   3. beyond that only lanes run one that run none, up to `crowd_max` lanes: however much others
 *      have under way, nobody waits for them. Whoever runs shares the processors (turns);
 *   4. whoever still waits at its deadline is refused.
 *
 * Ownership:  lanes belong to the queue; jobs to the caller, kept while they wait.
 * Threads:    not synchronised; lanes guards it with its lock.
 */
#ifndef CROFT_QUERY_LANE_QUEUE_H
#define CROFT_QUERY_LANE_QUEUE_H

#include "base/bytes.h"
#include "base/status.h"

struct lane_rules {
    size_t lane_running_max;
    size_t lane_waiting_max;
    size_t running_max;
    size_t crowd_max; /* >= running_max: also how many threads there may be */
};

struct lane_job {
    struct lane_job *next; /* of its lane, while it waits */
    struct lane *lane;
    uint64_t since_ns;
    uint64_t deadline_ns; /* the caller's */
    /* The caller's: when this job is the next of its lane, it runs only beside fewer than so many
       of it; 0 for what the rules say, which is never exceeded. */
    size_t lane_running_max;
};

struct lane {
    struct lane *next; /* of the queue's list */
    struct lane_job *first;
    struct lane_job **last; /* where the next one is hung on */
    size_t waiting_count;
    size_t running_count;
    struct str id; /* the bytes follow the struct */
};

struct lane_queue {
    struct lane_rules rules;
    struct lane *lanes; /* those in which something waits or runs */
    size_t waiting_count;
    size_t running_count;
};

void lane_queue_init(struct lane_queue *queue, const struct lane_rules *rules);
/* Nothing may wait or run any more. */
void lane_queue_deinit(struct lane_queue *queue);

/* The last of the lane `id`; false when the lane is full. */
MUST_USE bool lane_queue_try_add(struct lane_queue *queue, struct lane_job *job, struct str id,
                                 uint64_t now_ns);
/* Something may run now. */
bool lane_queue_has_next(const struct lane_queue *queue);
/* Takes the job that is to run now; NULL when none may. Its lane stays until lane_queue_done. */
struct lane_job *lane_queue_next(struct lane_queue *queue);
/* A job of `lane` has run. */
void lane_queue_done(struct lane_queue *queue, struct lane *lane);
/* Takes out one that `is_over`; NULL when there is none. */
struct lane_job *lane_queue_take_if(struct lane_queue *queue,
                                    bool (*is_over)(const struct lane_job *job, void *context),
                                    void *context);
static inline bool lane_job_is_overdue(const struct lane_job *job, uint64_t now_ns)
{
    return now_ns >= job->deadline_ns;
}

#endif
