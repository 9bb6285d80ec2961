#include "ingest/write_hold.h"

#include "base/mem.h"
#include "base/thread.h"

struct write_hold {
    struct mutex lock;
    struct cond has_news; /* another is the first that is due, or it is stopping */
    const struct clock *clock;
    /* guarded by lock; a binary heap: nobody is due before the one at (his index - 1) / 2 */
    struct held_write **heap;
    size_t count;     /* guarded by lock */
    size_t capacity;  /* guarded by lock */
    bool is_stopping; /* guarded by lock */
    struct thread thread;
};

/* ---- the heap ---- */

static bool is_due_before(const struct held_write *a, const struct held_write *b)
{
    return a->due_ns < b->due_ns;
}

/* True when it is the first now. */
static bool push_locked(struct write_hold *hold, struct held_write *held) REQUIRES(hold->lock)
{
    hold->heap = mem_grow(hold->heap, &hold->capacity, hold->count + 1, sizeof(void *));
    size_t at = hold->count++;
    for (; at > 0 && is_due_before(held, hold->heap[(at - 1) / 2]); at = (at - 1) / 2)
        hold->heap[at] = hold->heap[(at - 1) / 2];
    hold->heap[at] = held;
    return at == 0;
}

static struct held_write *pop_locked(struct write_hold *hold) REQUIRES(hold->lock)
{
    struct held_write *first = hold->heap[0], *last = hold->heap[--hold->count];
    size_t at = 0;
    for (size_t child = 1; child < hold->count; child = 2 * at + 1) {
        if (child + 1 < hold->count && is_due_before(hold->heap[child + 1], hold->heap[child]))
            child++;
        if (!is_due_before(hold->heap[child], last))
            break;
        hold->heap[at] = hold->heap[child];
        at = child;
    }
    hold->heap[at] = last;
    return first;
}

/* ---- the thread ---- */

/* Those that are due, in their order. */
static struct held_write *take_due_locked(struct write_hold *hold) REQUIRES(hold->lock)
{
    uint64_t now_ns = clock_monotonic_ns(hold->clock);
    struct held_write *first = NULL, **end = &first;
    while (hold->count > 0 && (hold->is_stopping || hold->heap[0]->due_ns <= now_ns)) {
        *end = pop_locked(hold);
        end = &(*end)->next;
    }
    *end = NULL;
    return first;
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
    if (hold->count == 0) {
        cond_wait(&hold->has_news, &hold->lock);
        return;
    }
    uint64_t now_ns = clock_monotonic_ns(hold->clock), due_ns = hold->heap[0]->due_ns;
    if (due_ns > now_ns)
        (void)cond_wait_for(&hold->has_news, &hold->lock,
                            (int64_t)((due_ns - now_ns) / 1000000 + 1));
}

static void run(void *context)
{
    struct write_hold *hold = context;
    mutex_lock(&hold->lock);
    while (!hold->is_stopping || hold->count > 0) {
        if (!hold->is_stopping)
            wait_locked(hold);
        struct held_write *due = take_due_locked(hold);
        mutex_unlock(&hold->lock);
        release_all(due);
        mutex_lock(&hold->lock);
    }
    mutex_unlock(&hold->lock);
}

/* ---- the door ---- */

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
    if (is_held && push_locked(hold, held))
        cond_signal(&hold->has_news);
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
    mem_free(hold->heap);
    mem_free(hold);
}
