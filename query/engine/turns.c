#include "query/engine/turns.h"

#include "base/check.h"
#include "base/mem.h"

enum { CHECK_INTERVAL_MS = 100 }; /* those that wait may be many */

struct turns {
    struct mutex lock;
    struct turn_queue queue; /* guarded by lock, but for what its init has set */
    size_t waiting_count;    /* guarded by lock */
    struct counter cpu_ns;
    const struct clock *clock;
};

struct turns *turns_new(const struct clock *clock, unsigned processor_count)
{
    struct turns *turns = mem_alloc_zeroed(1, sizeof *turns);
    mutex_init(&turns->lock);
    turn_queue_init(&turns->queue, processor_count);
    turns->clock = clock;
    return turns;
}

void turns_free(struct turns *turns)
{
    if (turns == NULL)
        return;
    turn_queue_deinit(&turns->queue);
    mutex_deinit(&turns->lock);
    mem_free(turns);
}

size_t turns_waiting_count(struct turns *turns)
{
    mutex_lock(&turns->lock);
    size_t count = turns->waiting_count;
    mutex_unlock(&turns->lock);
    return count;
}

const struct counter *turns_cpu_ns(const struct turns *turns)
{
    return &turns->cpu_ns;
}

/* Keeps the thread of a payer in debt off the processors that are to spare. */
static void place(struct turn *turn)
{
    if (turn->is_confined == turn->is_indebted)
        return;
    turn->is_confined = turn->is_indebted;
    thread_use_processors(turn->is_confined ? turn->turns->queue.debtor_turns_max : SIZE_MAX);
}

void turn_init(struct turn *turn, struct turns *turns, const struct turn_options *options)
{
    *turn = (struct turn){.turns = turns,
                          .check = options->check,
                          .context = options->context,
                          .cpu_counter = options->cpu_ns};
    cond_init(&turn->is_called_news);
    uint64_t now_ns = clock_monotonic_ns(turns->clock);
    mutex_lock(&turns->lock);
    turn->waiter.payer = turn_queue_join(&turns->queue, options->payer, now_ns);
    mutex_unlock(&turns->lock);
}

void turn_init_helper(struct turn *turn, const struct turn *first)
{
    struct turn_options options = {.payer = first->waiter.payer->id, .cpu_ns = first->cpu_counter};
    turn_init(turn, first->turns, &options);
}

void turn_deinit(struct turn *turn)
{
    if (turn->turns == NULL)
        return;
    turn_release(turn);
    turn->is_indebted = false;
    place(turn);
    uint64_t now_ns = clock_monotonic_ns(turn->turns->clock);
    mutex_lock(&turn->turns->lock);
    turn_queue_leave(&turn->turns->queue, turn->waiter.payer, now_ns);
    mutex_unlock(&turn->turns->lock);
    cond_deinit(&turn->is_called_news);
    *turn = (struct turn){0};
}

/* ---- waiting ---- */

static void call_next_locked(struct turns *turns) REQUIRES(turns->lock)
{
    CHECK(mutex_is_held(&turns->lock));
    struct turn_waiter *waiter;
    while ((waiter = turn_queue_next(&turns->queue)) != NULL) {
        struct turn *turn = (struct turn *)waiter;
        turn->is_called = true;
        turns->waiting_count--;
        cond_signal(&turn->is_called_news);
    }
}

static void begin(struct turn *turn)
{
    turn->is_held = true;
    turn->since_ns = clock_monotonic_ns(turn->turns->clock);
    turn->since_cpu_ns = clock_thread_cpu_ns();
}

/* Without the lock, because it may look at other things that have one. */
static enum status check_waiting_locked(struct turns *turns, const struct turn *turn,
                                        struct error *err) REQUIRES(turns->lock)
{
    if (turn->check == NULL)
        return STATUS_OK;
    mutex_unlock(&turns->lock);
    enum status status = turn->check(turn->context, err);
    mutex_lock(&turns->lock);
    return status;
}

static enum status wait_locked(struct turns *turns, struct turn *turn, struct error *err)
    REQUIRES(turns->lock)
{
    turn->is_called = false;
    turn_queue_wait(&turns->queue, &turn->waiter);
    turns->waiting_count++;
    call_next_locked(turns);
    enum status status = STATUS_OK;
    while (!turn->is_called && status == STATUS_OK) {
        if (!cond_wait_for(&turn->is_called_news, &turns->lock, CHECK_INTERVAL_MS))
            status = check_waiting_locked(turns, turn, err);
    }
    turn->is_indebted = turn_queue_is_indebted(&turns->queue, turn->waiter.payer);
    if (status == STATUS_OK)
        return STATUS_OK;
    if (turn->is_called) { /* called while it was being checked */
        turn_queue_give_back(&turns->queue, turn->waiter.payer);
        call_next_locked(turns);
    } else {
        turn_queue_withdraw(&turns->queue, &turn->waiter);
        turns->waiting_count--;
    }
    return status;
}

/* ---- what a turn has cost ---- */

/* `thread_cpu_ns` is read before the lock is taken: the system takes its time over it. */
static void charge_locked(struct turns *turns, struct turn *turn, uint64_t now_ns,
                          uint64_t thread_cpu_ns) REQUIRES(turns->lock)
{
    uint64_t used_ns = thread_cpu_ns - turn->since_cpu_ns;
    turn_queue_charge(&turns->queue, turn->waiter.payer, used_ns, now_ns);
    turn->is_indebted = turn_queue_is_indebted(&turns->queue, turn->waiter.payer);
    turn->cpu_ns += used_ns;
    counter_add(&turns->cpu_ns, used_ns);
    if (turn->cpu_counter != NULL)
        counter_add(turn->cpu_counter, used_ns);
    turn->since_cpu_ns = thread_cpu_ns;
    turn->since_ns = now_ns;
}

static bool has_quantum_left(const struct turn *turn, uint64_t now_ns)
{
    return now_ns - turn->since_ns < TURN_QUANTUM_NS;
}

enum status turn_take(struct turn *turn, struct error *err)
{
    struct turns *turns = turn->turns;
    CHECK(!turn->is_held);
    mutex_lock(&turns->lock);
    enum status status = wait_locked(turns, turn, err);
    mutex_unlock(&turns->lock);
    place(turn);
    if (status == STATUS_OK)
        begin(turn);
    return status;
}

bool turn_try_take(struct turn *turn)
{
    struct turns *turns = turn->turns;
    CHECK(!turn->is_held);
    mutex_lock(&turns->lock);
    bool is_taken = turn_queue_try_take(&turns->queue, turn->waiter.payer);
    turn->is_indebted = turn_queue_is_indebted(&turns->queue, turn->waiter.payer);
    mutex_unlock(&turns->lock);
    place(turn);
    if (is_taken)
        begin(turn);
    return is_taken;
}

static enum status yield_locked(struct turns *turns, struct turn *turn, struct error *err)
    REQUIRES(turns->lock)
{
    if (!turn_queue_is_pressed(&turns->queue))
        return STATUS_OK;
    turn_queue_give_back(&turns->queue, turn->waiter.payer);
    turn->is_held = false;
    return wait_locked(turns, turn, err); /* not at all, when the rules put nobody else first */
}

enum status turn_yield(struct turn *turn, uint64_t now_ns, struct error *err)
{
    struct turns *turns = turn->turns;
    CHECK(turn->is_held);
    if (has_quantum_left(turn, now_ns))
        return STATUS_OK;
    uint64_t thread_cpu_ns = clock_thread_cpu_ns();
    mutex_lock(&turns->lock);
    charge_locked(turns, turn, now_ns, thread_cpu_ns);
    enum status status = yield_locked(turns, turn, err);
    mutex_unlock(&turns->lock);
    place(turn);
    if (status == STATUS_OK && !turn->is_held)
        begin(turn);
    return status;
}

bool turn_is_due(struct turn *turn, uint64_t now_ns)
{
    struct turns *turns = turn->turns;
    CHECK(turn->is_held);
    if (has_quantum_left(turn, now_ns))
        return false;
    uint64_t thread_cpu_ns = clock_thread_cpu_ns();
    mutex_lock(&turns->lock);
    charge_locked(turns, turn, now_ns, thread_cpu_ns);
    bool is_due = turn_queue_is_pressed(&turns->queue);
    mutex_unlock(&turns->lock);
    place(turn);
    return is_due;
}

void turn_release(struct turn *turn)
{
    struct turns *turns = turn->turns;
    if (!turn->is_held)
        return;
    uint64_t now_ns = clock_monotonic_ns(turns->clock);
    uint64_t thread_cpu_ns = clock_thread_cpu_ns();
    mutex_lock(&turns->lock);
    charge_locked(turns, turn, now_ns, thread_cpu_ns);
    turn_queue_give_back(&turns->queue, turn->waiter.payer);
    turn->is_held = false;
    call_next_locked(turns);
    mutex_unlock(&turns->lock);
}
