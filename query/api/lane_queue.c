#include "query/api/lane_queue.h"

#include <string.h>

#include "base/check.h"
#include "base/mem.h"

void lane_queue_init(struct lane_queue *queue, const struct lane_rules *rules)
{
    CHECK(rules->lane_running_max > 0);
    CHECK(rules->running_max > 0);
    CHECK(rules->crowd_max >= rules->running_max);
    *queue = (struct lane_queue){.rules = *rules};
}

void lane_queue_deinit(struct lane_queue *queue)
{
    CHECK(queue->lanes == NULL);
    *queue = (struct lane_queue){0};
}

/* ---- lanes ---- */

static struct lane *find_or_add(struct lane_queue *queue, struct str id)
{
    for (struct lane *lane = queue->lanes; lane != NULL; lane = lane->next) {
        if (str_eq(lane->id, id))
            return lane;
    }
    struct lane *lane = mem_alloc_zeroed(1, sizeof *lane + id.len);
    char *text = (char *)(lane + 1);
    if (id.len > 0)
        memcpy(text, id.ptr, id.len);
    lane->id = (struct str){text, id.len};
    lane->last = &lane->first;
    lane->next = queue->lanes;
    queue->lanes = lane;
    return lane;
}

static void free_if_empty(struct lane_queue *queue, struct lane *lane)
{
    if (lane->waiting_count > 0 || lane->running_count > 0)
        return;
    struct lane **link = &queue->lanes;
    while (*link != lane)
        link = &(*link)->next;
    *link = lane->next;
    mem_free(lane);
}

/* ---- jobs ---- */

bool lane_queue_try_add(struct lane_queue *queue, struct lane_job *job, struct str id,
                        uint64_t now_ns)
{
    struct lane *lane = find_or_add(queue, id);
    if (lane->waiting_count >= queue->rules.lane_waiting_max) {
        free_if_empty(queue, lane);
        return false;
    }
    job->next = NULL;
    job->lane = lane;
    job->since_ns = now_ns;
    *lane->last = job;
    lane->last = &job->next;
    lane->waiting_count++;
    queue->waiting_count++;
    return true;
}

static struct lane_job *take(struct lane_queue *queue, struct lane *lane, struct lane_job **link)
{
    struct lane_job *job = *link;
    *link = job->next;
    if (job->next == NULL)
        lane->last = link;
    lane->waiting_count--;
    queue->waiting_count--;
    return job;
}

static size_t lane_running_max(const struct lane_queue *queue, const struct lane_job *next)
{
    size_t own = next->lane_running_max, most = queue->rules.lane_running_max;
    return own > 0 && own < most ? own : most;
}

/* The numbers are those of the rules. */
static bool may_run_one_more(const struct lane_queue *queue, const struct lane *lane)
{
    if (lane->first == NULL || lane->running_count >= lane_running_max(queue, lane->first)) /* 1 */
        return false;
    if (queue->running_count < queue->rules.running_max) /* 2 */
        return true;
    return lane->running_count == 0 && queue->running_count < queue->rules.crowd_max; /* 3 */
}

static bool goes_before(const struct lane *a, const struct lane *b)
{
    if (a->running_count != b->running_count)
        return a->running_count < b->running_count;
    return a->first->since_ns < b->first->since_ns;
}

static struct lane *find_next(const struct lane_queue *queue)
{
    struct lane *best = NULL;
    for (struct lane *lane = queue->lanes; lane != NULL; lane = lane->next) {
        if (may_run_one_more(queue, lane) && (best == NULL || goes_before(lane, best)))
            best = lane;
    }
    return best;
}

bool lane_queue_has_next(const struct lane_queue *queue)
{
    return find_next(queue) != NULL;
}

struct lane_job *lane_queue_next(struct lane_queue *queue)
{
    struct lane *best = find_next(queue);
    if (best == NULL)
        return NULL;
    best->running_count++;
    queue->running_count++;
    return take(queue, best, &best->first);
}

void lane_queue_done(struct lane_queue *queue, struct lane *lane)
{
    CHECK(lane->running_count > 0);
    lane->running_count--;
    queue->running_count--;
    free_if_empty(queue, lane);
}

static struct lane_job **find_in(struct lane *lane,
                                 bool (*is_over)(const struct lane_job *job, void *context),
                                 void *context)
{
    struct lane_job **link = &lane->first;
    while (*link != NULL && !is_over(*link, context))
        link = &(*link)->next;
    return *link == NULL ? NULL : link;
}

struct lane_job *lane_queue_take_if(struct lane_queue *queue,
                                    bool (*is_over)(const struct lane_job *job, void *context),
                                    void *context)
{
    for (struct lane *lane = queue->lanes; lane != NULL; lane = lane->next) {
        struct lane_job **link = find_in(lane, is_over, context);
        if (link == NULL)
            continue;
        struct lane_job *job = take(queue, lane, link);
        free_if_empty(queue, lane);
        return job;
    }
    return NULL;
}
