/*
 * turns: the processors, shared by the queries of all tenants.
 *
 * There are about as many turns as processors and more query threads than that: a thread evaluates
 * only while it holds a turn. It looks up often (turn_yield) and, when it has had one for
 * TURN_QUANTUM_NS and the rules of turn_queue put somebody else first, hands it over and waits for
 * the next. What others do between two turns (HTTP, writes, what the system does for their clients)
 * no turn can hold back: so the threads of payers in debt keep off the processors that are to
 * spare.
 *
 *     struct turn turn;
 *     turn_init(&turn, turns, &(struct turn_options){.payer = id, .check = ..., .context = ...});
 *     status = turn_take(&turn, err);                   waits
 *     while (...) status = turn_yield(&turn, now_ns, err);
 *     turn_deinit(&turn);                               gives the turn back, if it has one
 *
 * A query that wants more than one thread opens a turn for each further one (turn_init_helper):
 * turn_try_take succeeds only when a processor is idle that the payer may use, and turn_is_due
 * tells when that is so no more.
 *
 * Units:      processor time and monotonic time in nanoseconds.
 * Threads:    `struct turns` is synchronised. A turn belongs to the thread that calls it, whose
 *             processor time is what it counts.
 */
#ifndef CROFT_QUERY_TURNS_H
#define CROFT_QUERY_TURNS_H

#include "base/clock.h"
#include "base/counter.h"
#include "base/thread.h"
#include "query/engine/turn_queue.h"

#define TURN_QUANTUM_NS UINT64_C(5000000) /* a change of threads costs some 10 us */

struct turns;

/* `clock` is kept. */
struct turns *turns_new(const struct clock *clock, unsigned processor_count);
/* Every turn has been deinitialised. */
void turns_free(struct turns *turns);
/* How many wait now. */
size_t turns_waiting_count(struct turns *turns);
/* What all turns have cost so far. */
const struct counter *turns_cpu_ns(const struct turns *turns);

struct turn_options {
    struct str payer;       /* borrowed for the call: a tenant's id, or what stands for several */
    struct counter *cpu_ns; /* kept; grows by what the turn costs, now and then; may be NULL */
    /* Asked now and then while the turn waits: anything but STATUS_OK ends the wait, and is
       what take or yield return. The same function may be called between two turns, so it must not
       itself take one. May be NULL. */
    enum status (*check)(void *context, struct error *err);
    void *context;
};

struct turn {
    struct turn_waiter waiter; /* comes first; guarded by the lock of `turns` */
    struct turns *turns;
    enum status (*check)(void *context, struct error *err);
    void *context;
    struct cond is_called_news;
    bool is_called; /* guarded by the lock of `turns`: it has been given a processor */
    bool is_held;
    bool is_indebted;      /* its payer, when it was taken or looked at last */
    bool is_confined;      /* its thread, to the processors of payers in debt */
    uint64_t since_ns;     /* monotonic: when it was last taken, or looked at */
    uint64_t since_cpu_ns; /* the thread's processor time then */
    uint64_t cpu_ns;       /* charged so far */
    struct counter *cpu_counter;
};

void turn_init(struct turn *turn, struct turns *turns, const struct turn_options *options);
/* For a further thread of the query that `first` belongs to; calls no check. */
void turn_init_helper(struct turn *turn, const struct turn *first);
void turn_deinit(struct turn *turn);

/* Waits for a turn. On failure it has none. */
MUST_USE enum status turn_take(struct turn *turn, struct error *err);
/* Takes a turn if a processor is idle and nobody waits for it; never waits. */
MUST_USE bool turn_try_take(struct turn *turn);
/* Lets others go first when it is their turn, and waits for its own again; on failure it has none.
   `now_ns` is the monotonic time; nearly free until the quantum is used up. */
MUST_USE enum status turn_yield(struct turn *turn, uint64_t now_ns, struct error *err);
/* True when the quantum is used up and others go first: whoever need not hold one releases it. */
MUST_USE bool turn_is_due(struct turn *turn, uint64_t now_ns);
/* Gives the turn back; fine when it has none. */
void turn_release(struct turn *turn);

#endif
