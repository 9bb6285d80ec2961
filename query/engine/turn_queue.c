#include "query/engine/turn_queue.h"

#include <string.h>

#include "base/check.h"
#include "base/mem.h"
#include "base/thread.h"

void turn_queue_init(struct turn_queue *queue, size_t processor_count)
{
    CHECK(processor_count > 0);
    *queue =
        (struct turn_queue){.processor_count = processor_count,
                            .debtor_turns_max = thread_busy_cpu_count((unsigned)processor_count)};
    queue->last = &queue->first;
}

void turn_queue_deinit(struct turn_queue *queue)
{
    CHECK(!turn_queue_has_waiters(queue));
    while (queue->payers != NULL) {
        struct turn_payer *payer = queue->payers;
        CHECK(payer->member_count == 0);
        queue->payers = payer->next;
        mem_free(payer);
    }
    *queue = (struct turn_queue){0};
}

/* ---- payers ---- */

static bool is_forgotten(const struct turn_queue *queue, const struct turn_payer *payer,
                         uint64_t now_ns)
{
    return payer->member_count == 0 && (now_ns - payer->idle_since_ns >= TURN_FORGET_NS ||
                                        queue->payer_count > TURN_PAYERS_KEPT_MAX);
}

static void forget_idle(struct turn_queue *queue, uint64_t now_ns)
{
    struct turn_payer **link = &queue->payers;
    while (*link != NULL) {
        struct turn_payer *payer = *link;
        if (is_forgotten(queue, payer, now_ns)) {
            *link = payer->next;
            queue->payer_count--;
            mem_free(payer);
        } else {
            link = &payer->next;
        }
    }
}

static struct turn_payer *add_payer(struct turn_queue *queue, struct str id)
{
    struct turn_payer *payer = mem_alloc_zeroed(1, sizeof *payer + id.len);
    char *text = (char *)(payer + 1);
    if (id.len > 0)
        memcpy(text, id.ptr, id.len);
    payer->id = (struct str){text, id.len};
    payer->balance_ns = TURN_CREDIT_MAX_NS;
    payer->next = queue->payers;
    queue->payers = payer;
    queue->payer_count++;
    return payer;
}

struct turn_payer *turn_queue_join(struct turn_queue *queue, struct str id, uint64_t now_ns)
{
    forget_idle(queue, now_ns);
    struct turn_payer *payer = queue->payers;
    while (payer != NULL && !str_eq(payer->id, id))
        payer = payer->next;
    if (payer == NULL)
        payer = add_payer(queue, id);
    payer->member_count++;
    return payer;
}

void turn_queue_leave(struct turn_queue *queue, struct turn_payer *payer, uint64_t now_ns)
{
    CHECK(payer->member_count > payer->active_count);
    payer->member_count--;
    payer->idle_since_ns = now_ns;
    forget_idle(queue, now_ns);
}

/* ---- waiting ---- */

void turn_queue_wait(struct turn_queue *queue, struct turn_waiter *waiter)
{
    waiter->next = NULL;
    *queue->last = waiter;
    queue->last = &waiter->next;
    waiter->payer->active_count++;
}

static void unlink_waiter(struct turn_queue *queue, struct turn_waiter **link)
{
    struct turn_waiter *waiter = *link;
    *link = waiter->next;
    if (waiter->next == NULL)
        queue->last = link;
    waiter->next = NULL;
}

void turn_queue_withdraw(struct turn_queue *queue, struct turn_waiter *waiter)
{
    struct turn_waiter **link = &queue->first;
    while (*link != NULL && *link != waiter)
        link = &(*link)->next;
    CHECK(*link == waiter);
    unlink_waiter(queue, link);
    waiter->payer->active_count--;
}

/* Of payers in debt; 0 when nobody has credit. */
static size_t debtors_held_count(const struct turn_queue *queue)
{
    size_t count = 0;
    bool has_creditor = false;
    for (const struct turn_payer *payer = queue->payers; payer != NULL; payer = payer->next) {
        count += payer->balance_ns < 0 ? payer->held_count : 0;
        has_creditor |= payer->balance_ns > 0;
    }
    return has_creditor ? count : 0;
}

bool turn_queue_is_pressed(const struct turn_queue *queue)
{
    return turn_queue_has_waiters(queue) || queue->held_count > queue->processor_count ||
           debtors_held_count(queue) > queue->debtor_turns_max;
}

/* `debtors_held` is debtors_held_count. */
static bool may_take(const struct turn_queue *queue, const struct turn_payer *payer,
                     size_t debtors_held)
{
    if (payer->balance_ns < 0 && debtors_held >= queue->debtor_turns_max)
        return false;
    if (queue->held_count < queue->processor_count)
        return true;
    return queue->held_count < 2 * queue->processor_count && payer->held_count == 0 &&
           payer->balance_ns > 0;
}

static void give(struct turn_queue *queue, struct turn_payer *payer)
{
    payer->held_count++;
    queue->held_count++;
}

struct turn_waiter *turn_queue_next(struct turn_queue *queue)
{
    struct turn_waiter **best = NULL;
    size_t debtors_held = debtors_held_count(queue);
    for (struct turn_waiter **link = &queue->first; *link != NULL; link = &(*link)->next) {
        const struct turn_payer *payer = (*link)->payer;
        if (may_take(queue, payer, debtors_held) &&
            (best == NULL || payer->balance_ns > (*best)->payer->balance_ns))
            best = link;
    }
    if (best == NULL)
        return NULL;
    struct turn_waiter *waiter = *best;
    unlink_waiter(queue, best);
    give(queue, waiter->payer);
    return waiter;
}

bool turn_queue_try_take(struct turn_queue *queue, struct turn_payer *payer)
{
    if (queue->held_count >= queue->processor_count || turn_queue_has_waiters(queue) ||
        !may_take(queue, payer, debtors_held_count(queue)))
        return false;
    payer->active_count++;
    give(queue, payer);
    return true;
}

void turn_queue_give_back(struct turn_queue *queue, struct turn_payer *payer)
{
    CHECK(payer->held_count > 0);
    payer->held_count--;
    payer->active_count--;
    queue->held_count--;
}

/* ---- paying ---- */

static void add_to_balance(struct turn_payer *payer, int64_t by_ns)
{
    int64_t balance_ns = payer->balance_ns + by_ns;
    if (balance_ns > TURN_CREDIT_MAX_NS)
        balance_ns = TURN_CREDIT_MAX_NS;
    if (balance_ns < -TURN_DEBT_MAX_NS)
        balance_ns = -TURN_DEBT_MAX_NS;
    payer->balance_ns = balance_ns;
}

void turn_queue_charge(struct turn_queue *queue, struct turn_payer *payer, uint64_t cpu_ns,
                       uint64_t now_ns)
{
    forget_idle(queue, now_ns);
    int64_t most_ns = TURN_CREDIT_MAX_NS + TURN_DEBT_MAX_NS; /* more changes no balance */
    int64_t cost_ns = cpu_ns < (uint64_t)most_ns ? (int64_t)cpu_ns : most_ns;
    int64_t other_count = (int64_t)queue->payer_count - 1;
    add_to_balance(payer, -cost_ns);
    for (struct turn_payer *other = queue->payers; other != NULL; other = other->next) {
        if (other != payer)
            add_to_balance(other, cost_ns / other_count);
    }
}

bool turn_queue_is_indebted(const struct turn_queue *queue, const struct turn_payer *payer)
{
    const struct turn_payer *other = queue->payers;
    while (other != NULL && other->balance_ns <= 0)
        other = other->next;
    return payer->balance_ns < 0 && other != NULL;
}
