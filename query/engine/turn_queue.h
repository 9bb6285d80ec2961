/*
 * turn_queue: which tenant's query gets the next processor; the rules alone, without threads.
 *
 * A payer is whoever a query's processor time is charged to: a tenant, or several read together.
 * Every payer has a balance. What it uses is taken from its own and given, in equal parts, to the
 * others that hold or want a processor, or did a moment ago. Whoever has the highest balance is
 * next; of one payer's, and of equal payers', the one who has waited longest. So payers that want
 * all they can get get the same, one that wants less gets what it wants, and nobody starves: who
 * waits is paid.
 *
 * There are as many turns as processors. Only a payer that has none and whose balance is above zero
 * takes one more at once: whoever holds one may be in the middle of something long, or be kept off
 * its processor by other programs. The next that looks up gives its turn back in return.
 *
 * Payers in debt leave processors to spare: while another has credit, they hold all of the turns
 * but an eighth (at least one, and never the last), so that a light query, and whatever serves
 * connections and writes, finds a processor at once: docs/decisions/0009-a-processor-to-spare.md.
 *
 * This is deficit round robin with the rounds left out: a round makes a newcomer wait for everybody
 * else's quantum, while here one that was idle is next.
 *
 * Invariant:  TURN_DEBT_MAX_NS >= -balance, balance <= TURN_CREDIT_MAX_NS. A payer that runs alone
 *             sinks to the debt, so one that comes back after a rest goes first for as long as the
 *             two sums together, and not longer.
 * Ownership:  payers belong to the queue; waiters to the caller, kept while they wait.
 * Units:      processor time and `now_ns` in nanoseconds; `now_ns` never goes back.
 * Threads:    not synchronised; turns guards it with its lock.
 */
#ifndef CROFT_QUERY_TURN_QUEUE_H
#define CROFT_QUERY_TURN_QUEUE_H

#include "base/bytes.h"
#include "base/status.h"

#define TURN_CREDIT_MAX_NS INT64_C(100000000)   /* about one dashboard's worth */
#define TURN_DEBT_MAX_NS   INT64_C(400000000)   /* beyond it a long unbroken stretch is forgiven */
#define TURN_FORGET_NS     UINT64_C(1000000000) /* an idle payer's balance is kept for so long, */
enum { TURN_PAYERS_KEPT_MAX = 256 };            /* and not while there are more payers than that */

struct turn_payer {
    struct turn_payer *next; /* of the queue's list; newest first */
    int64_t balance_ns;
    size_t member_count; /* joined and not left; while it is 0 the payer is idle */
    size_t active_count; /* of the members, those that hold or want a turn */
    size_t held_count;   /* of the active, those that hold one */
    uint64_t idle_since_ns;
    struct str id; /* the bytes follow the struct */
};

struct turn_waiter {
    struct turn_waiter *next; /* of the queue's list */
    struct turn_payer *payer;
};

struct turn_queue {
    struct turn_payer *payers;
    size_t payer_count;
    struct turn_waiter *first; /* has waited longest */
    struct turn_waiter **last; /* where the next one is hung on */
    size_t processor_count;
    size_t debtor_turns_max; /* turns for payers in debt while another has credit */
    size_t held_count;       /* turns that are held, at most twice processor_count */
};

void turn_queue_init(struct turn_queue *queue, size_t processor_count);
/* Nobody may be a member any more. */
void turn_queue_deinit(struct turn_queue *queue);

/* The payer of that id, with the balance it left with if that was a moment ago. Lives until every
   member has left. */
struct turn_payer *turn_queue_join(struct turn_queue *queue, struct str id, uint64_t now_ns);
void turn_queue_leave(struct turn_queue *queue, struct turn_payer *payer, uint64_t now_ns);

static inline bool turn_queue_has_waiters(const struct turn_queue *queue)
{
    return queue->first != NULL;
}

/* Whoever has had a turn for a quantum must give it back, because somebody waits or too many are
   held; it may get it again. */
bool turn_queue_is_pressed(const struct turn_queue *queue);

/* `waiter->payer` wants a turn. */
void turn_queue_wait(struct turn_queue *queue, struct turn_waiter *waiter);
/* It wants it no longer; it must be waiting. */
void turn_queue_withdraw(struct turn_queue *queue, struct turn_waiter *waiter);
/* Gives a turn to whoever is next and returns it, no longer waiting; NULL when there is none to
   give, or nobody waits. */
struct turn_waiter *turn_queue_next(struct turn_queue *queue);
/* Takes a turn when there is one for `payer` and nobody waits. */
MUST_USE bool turn_queue_try_take(struct turn_queue *queue, struct turn_payer *payer);
void turn_queue_give_back(struct turn_queue *queue, struct turn_payer *payer);

/* `payer` has used that much; the others are paid. */
void turn_queue_charge(struct turn_queue *queue, struct turn_payer *payer, uint64_t cpu_ns,
                       uint64_t now_ns);
/* It is, and another has credit. */
bool turn_queue_is_indebted(const struct turn_queue *queue, const struct turn_payer *payer);

#endif
