#include "ingest/write_crew.h"

#include "base/mem.h"
#include "base/thread.h"

/* Who has sent much is done with soon after his last write. */
static const uint64_t DEBT_MAX_NS = 1000000000;

struct write_crew {
    const struct clock *clock;
    double price; /* payer_debts_charge */
    struct mutex lock;
    struct cond has_news;         /* a write waits, or the crew is closing */
    struct payer_debts debts;     /* guarded by lock */
    struct crew_write *first;     /* guarded by lock; has waited longest */
    bool is_closing;              /* guarded by lock */
    uint64_t had_ns[PAYER_SLOTS]; /* guarded by lock; processor time that a payer has had, counted
                                     as if he had always been there */
    uint64_t least_had_ns;        /* guarded by lock; of whoever was next the last time */
    size_t thread_count;
    struct thread threads[];
};

/* ---- who is next ---- */

/* Start-time fair queueing (Goyal, Vin and Cheng, 1996): whoever comes back after a rest stands
   where those stand who never left, so that nobody saves up time and nobody starves. */
static void join_locked(struct write_crew *crew, uint32_t slot) REQUIRES(crew->lock)
{
    if (crew->had_ns[slot] < crew->least_had_ns)
        crew->had_ns[slot] = crew->least_had_ns;
}

/* NULL when nobody waits. */
static struct crew_write *take_next_locked(struct write_crew *crew) REQUIRES(crew->lock)
{
    struct crew_write **best = &crew->first;
    if (*best == NULL)
        return NULL;
    for (struct crew_write **link = best; *link != NULL; link = &(*link)->next) {
        if (crew->had_ns[(*link)->slot] < crew->had_ns[(*best)->slot])
            best = link;
    }
    struct crew_write *write = *best;
    *best = write->next;
    crew->least_had_ns = crew->had_ns[write->slot];
    return write;
}

/* ---- the threads ---- */

static void run(void *context)
{
    struct write_crew *crew = context;
    thread_use_processors(crew->thread_count);
    mutex_lock(&crew->lock);
    for (;;) {
        struct crew_write *write = take_next_locked(crew);
        if (write != NULL) {
            mutex_unlock(&crew->lock);
            write->run(write);
            mutex_lock(&crew->lock);
        } else if (crew->is_closing) {
            break;
        } else {
            cond_wait(&crew->has_news, &crew->lock);
        }
    }
    mutex_unlock(&crew->lock);
}

struct write_crew *write_crew_open(const struct clock *clock, unsigned processor_count)
{
    unsigned thread_count = thread_busy_cpu_count(processor_count);
    struct write_crew *crew =
        mem_alloc_zeroed(1, sizeof *crew + thread_count * sizeof *crew->threads);
    crew->clock = clock;
    crew->price = 1 / (processor_count * WRITE_CREW_SHARE);
    crew->debts.burst_ns = WRITE_CREW_BURST_NS;
    crew->debts.debt_max_ns = DEBT_MAX_NS;
    crew->thread_count = thread_count;
    mutex_init(&crew->lock);
    cond_init(&crew->has_news);
    for (unsigned i = 0; i < thread_count; i++)
        thread_start_numbered(&crew->threads[i], "writes", i, run, crew);
    return crew;
}

void write_crew_close(struct write_crew *crew)
{
    if (crew == NULL)
        return;
    mutex_lock(&crew->lock);
    crew->is_closing = true;
    cond_broadcast(&crew->has_news);
    mutex_unlock(&crew->lock);
    for (size_t i = 0; i < crew->thread_count; i++)
        thread_join(&crew->threads[i]);
    cond_deinit(&crew->has_news);
    mutex_deinit(&crew->lock);
    mem_free(crew);
}

/* ---- writes ---- */

static void add_locked(struct write_crew *crew, struct crew_write *write) REQUIRES(crew->lock)
{
    struct crew_write **end = &crew->first;
    while (*end != NULL)
        end = &(*end)->next;
    write->next = NULL;
    *end = write;
    join_locked(crew, write->slot);
    cond_signal(&crew->has_news);
}

bool write_crew_try_take(struct write_crew *crew, struct crew_write *write, size_t body_bytes)
{
    uint64_t now_ns = clock_monotonic_ns(crew->clock);
    mutex_lock(&crew->lock);
    bool is_taken = body_bytes >= WRITE_CREW_BODY_BYTES ||
                    payer_debts_owed(&crew->debts, write->slot, now_ns) > 0;
    if (is_taken)
        add_locked(crew, write);
    mutex_unlock(&crew->lock);
    return is_taken;
}

void write_crew_charge(struct write_crew *crew, uint32_t slot, uint64_t cpu_ns)
{
    uint64_t now_ns = clock_monotonic_ns(crew->clock);
    mutex_lock(&crew->lock);
    payer_debts_charge(&crew->debts, slot, cpu_ns, crew->price, now_ns);
    crew->had_ns[slot] += cpu_ns;
    mutex_unlock(&crew->lock);
}
