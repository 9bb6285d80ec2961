#include "ingest/write_hold.h"

#include "base/mem.h"
#include "base/thread.h"

struct write_hold {
    struct mutex lock;
    struct cond has_news; /* the first is held, or it is stopping */
    const struct clock *clock;
    struct held_write *first; /* guarded by lock; newest first */
    bool is_stopping;         /* guarded by lock */
    struct thread thread;
};

/* Out of the list of those that are held. */
static struct held_write *take_due_locked(struct write_hold *hold) REQUIRES(hold->lock)
{
    uint64_t now_ns = clock_monotonic_ns(hold->clock);
    struct held_write *due = NULL;
    for (struct held_write **link = &hold->first; *link != NULL;) {
        struct held_write *held = *link;
        if (!hold->is_stopping && held->due_ns > now_ns) {
            link = &held->next;
            continue;
        }
        *link = held->next;
        held->next = due;
        due = held;
    }
    return due;
}

static void release_all(struct held_write *first)
{
    while (first != NULL) {
        struct held_write *next = first->next;
        first->release(first);
        first = next;
    }
}

/* Until something happens or the first of them is due. */
static void wait_locked(struct write_hold *hold) REQUIRES(hold->lock)
{
    uint64_t now_ns = clock_monotonic_ns(hold->clock), due_ns = UINT64_MAX;
    for (const struct held_write *held = hold->first; held != NULL; held = held->next)
        due_ns = held->due_ns < due_ns ? held->due_ns : due_ns;
    if (hold->first == NULL)
        cond_wait(&hold->has_news, &hold->lock);
    else if (due_ns > now_ns)
        (void)cond_wait_for(&hold->has_news, &hold->lock,
                            (int64_t)((due_ns - now_ns) / 1000000 + 1));
}

static void run(void *context)
{
    struct write_hold *hold = context;
    mutex_lock(&hold->lock);
    while (!hold->is_stopping || hold->first != NULL) {
        if (!hold->is_stopping)
            wait_locked(hold);
        struct held_write *due = take_due_locked(hold);
        mutex_unlock(&hold->lock);
        release_all(due);
        mutex_lock(&hold->lock);
    }
    mutex_unlock(&hold->lock);
}

struct write_hold *write_hold_open(const struct clock *clock)
{
    struct write_hold *hold = mem_alloc_zeroed(1, sizeof *hold);
    mutex_init(&hold->lock);
    cond_init(&hold->has_news);
    hold->clock = clock;
    thread_start(&hold->thread, "write-hold", run, hold);
    return hold;
}

void write_hold_add(struct write_hold *hold, struct held_write *held, uint64_t wait_ns)
{
    held->due_ns = clock_monotonic_ns(hold->clock) + wait_ns;
    mutex_lock(&hold->lock);
    bool is_held = !hold->is_stopping;
    if (is_held) {
        held->next = hold->first;
        hold->first = held;
        cond_signal(&hold->has_news);
    }
    mutex_unlock(&hold->lock);
    if (!is_held)
        held->release(held);
}

void write_hold_stop(struct write_hold *hold)
{
    mutex_lock(&hold->lock);
    hold->is_stopping = true;
    cond_signal(&hold->has_news);
    mutex_unlock(&hold->lock);
}

void write_hold_close(struct write_hold *hold)
{
    if (hold == NULL)
        return;
    write_hold_stop(hold);
    thread_join(&hold->thread);
    cond_deinit(&hold->has_news);
    mutex_deinit(&hold->lock);
    mem_free(hold);
}
