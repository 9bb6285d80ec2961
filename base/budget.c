#include "base/budget.h"

#include <string.h>

#include "base/check.h"
#include "base/hash.h"
#include "base/mem.h"
#include "base/thread.h"

/* As many payers as hold something at a time are rarely more. */
enum { CHAIN_COUNT = 256 };

/* So that sums stay in range. */
#define MAX_BYTES_MAX (SIZE_MAX / 8)

struct budget_payer {
    struct budget_payer *next; /* of its chain */
    size_t charge_count;       /* charges that name it; it goes with the last */
    size_t held_bytes;
    struct str id; /* the bytes follow the struct */
};

struct budget {
    const char *name;
    struct mutex lock;
    size_t max_bytes;                         /* guarded by lock */
    size_t held_bytes;                        /* guarded by lock */
    uint64_t refused_count;                   /* guarded by lock */
    struct budget_payer *payers[CHAIN_COUNT]; /* guarded by lock */
};

struct budget *budget_new(const char *name, size_t max_bytes)
{
    struct budget *budget = mem_alloc_zeroed(1, sizeof *budget);
    budget->name = name;
    mutex_init(&budget->lock);
    budget_set_max(budget, max_bytes);
    return budget;
}

void budget_free(struct budget *budget)
{
    if (budget == NULL)
        return;
    CHECK(budget->held_bytes == 0);
    mutex_deinit(&budget->lock);
    mem_free(budget);
}

size_t budget_max_bytes(struct budget *budget)
{
    mutex_lock(&budget->lock);
    size_t max_bytes = budget->max_bytes;
    mutex_unlock(&budget->lock);
    return max_bytes;
}

void budget_set_max(struct budget *budget, size_t max_bytes)
{
    CHECK(max_bytes <= MAX_BYTES_MAX);
    mutex_lock(&budget->lock);
    budget->max_bytes = max_bytes;
    mutex_unlock(&budget->lock);
}

size_t budget_held_bytes(struct budget *budget)
{
    mutex_lock(&budget->lock);
    size_t held_bytes = budget->held_bytes;
    mutex_unlock(&budget->lock);
    return held_bytes;
}

uint64_t budget_refused(struct budget *budget)
{
    mutex_lock(&budget->lock);
    uint64_t count = budget->refused_count;
    mutex_unlock(&budget->lock);
    return count;
}

/* ---- payers ---- */

static struct budget_payer **chain_of(struct budget *budget, struct str id)
{
    return &budget->payers[hash_bytes(bytes_of_str(id)) % CHAIN_COUNT];
}

static struct budget_payer *new_payer(struct str id)
{
    struct budget_payer *payer = mem_alloc_zeroed(1, sizeof *payer + id.len);
    char *text = (char *)(payer + 1);
    if (id.len > 0)
        memcpy(text, id.ptr, id.len);
    payer->id = (struct str){text, id.len};
    return payer;
}

static struct budget_payer *join_locked(struct budget *budget, struct str id) REQUIRES(budget->lock)
{
    struct budget_payer **chain = chain_of(budget, id);
    struct budget_payer *payer = *chain;
    while (payer != NULL && !str_eq(payer->id, id))
        payer = payer->next;
    if (payer == NULL) {
        payer = new_payer(id);
        payer->next = *chain;
        *chain = payer;
    }
    payer->charge_count++;
    return payer;
}

static void leave_locked(struct budget *budget, struct budget_payer *payer) REQUIRES(budget->lock)
{
    if (--payer->charge_count > 0)
        return;
    CHECK(payer->held_bytes == 0);
    struct budget_payer **link = chain_of(budget, payer->id);
    while (*link != payer)
        link = &(*link)->next;
    *link = payer->next;
    mem_free(payer);
}

/* ---- charges ---- */

void charge_init(struct charge *charge, struct budget *budget, struct str payer)
{
    *charge = (struct charge){.budget = budget};
    if (budget == NULL)
        return;
    mutex_lock(&budget->lock);
    charge->payer = join_locked(budget, payer);
    mutex_unlock(&budget->lock);
}

void charge_init_like(struct charge *charge, const struct charge *other)
{
    bool is_charged = other != NULL && other->budget != NULL;
    charge_init(charge, is_charged ? other->budget : NULL, is_charged ? other->payer->id : STR(""));
}

static void hold_locked(struct charge *charge, size_t bytes) REQUIRES(charge->budget->lock)
{
    charge->held_bytes += bytes;
    charge->payer->held_bytes += bytes;
    charge->budget->held_bytes += bytes;
}

static void give_locked(struct charge *charge, size_t bytes) REQUIRES(charge->budget->lock)
{
    CHECK(bytes <= charge->held_bytes);
    charge->held_bytes -= bytes;
    charge->payer->held_bytes -= bytes;
    charge->budget->held_bytes -= bytes;
}

void charge_deinit(struct charge *charge)
{
    struct budget *budget = charge->budget;
    if (budget != NULL) {
        charge_give(charge, charge->held_bytes);
        mutex_lock(&budget->lock);
        leave_locked(budget, charge->payer);
        mutex_unlock(&budget->lock);
    }
    *charge = (struct charge){0};
}

static bool has_room_locked(const struct charge *charge, size_t bytes)
    REQUIRES(charge->budget->lock)
{
    const struct budget *budget = charge->budget;
    return bytes <= budget->max_bytes &&
           charge->payer->held_bytes + bytes + budget->held_bytes + bytes <= budget->max_bytes;
}

static bool try_take(struct charge *charge, size_t bytes)
{
    mutex_lock(&charge->budget->lock);
    bool has_room = has_room_locked(charge, bytes);
    if (has_room)
        hold_locked(charge, bytes);
    else
        charge->budget->refused_count++;
    mutex_unlock(&charge->budget->lock);
    return has_room;
}

enum status charge_take(struct charge *charge, size_t bytes, struct error *err)
{
    if (charge == NULL || charge->budget == NULL || try_take(charge, bytes))
        return STATUS_OK;
    return err == NULL ? STATUS_UNAVAILABLE : charge_refusal(charge, err);
}

void charge_force(struct charge *charge, size_t bytes)
{
    if (charge == NULL || charge->budget == NULL)
        return;
    mutex_lock(&charge->budget->lock);
    hold_locked(charge, bytes);
    mutex_unlock(&charge->budget->lock);
}

void charge_give(struct charge *charge, size_t bytes)
{
    if (charge == NULL || charge->budget == NULL)
        return;
    mutex_lock(&charge->budget->lock);
    give_locked(charge, bytes);
    mutex_unlock(&charge->budget->lock);
}

void *charge_grow(struct charge *charge, void *ptr, size_t *capacity, size_t want,
                  size_t element_bytes)
{
    size_t more = mem_grown_capacity(*capacity, want) - *capacity;
    CHECK(want > 0);
    if (more > 0 && charge_take(charge, more * element_bytes, NULL) != STATUS_OK)
        return NULL;
    return mem_grow(ptr, capacity, want, element_bytes);
}

enum status charge_check(struct charge *charge, struct error *err)
{
    if (charge == NULL || charge->budget == NULL)
        return STATUS_OK;
    mutex_lock(&charge->budget->lock);
    bool has_room = has_room_locked(charge, 0);
    charge->budget->refused_count += !has_room;
    mutex_unlock(&charge->budget->lock);
    return has_room ? STATUS_OK : charge_refusal(charge, err);
}

/* Nothing in it tells what other payers hold. */
enum status charge_refusal(struct charge *charge, struct error *err)
{
    return error_set(err, STATUS_UNAVAILABLE,
                     "memory: your share of the %zu bytes that all may hold together (limit %s) is "
                     "used up: try again later, ask for less at once, or have --%s raised "
                     "(err-croft-%s)",
                     budget_max_bytes(charge->budget), charge->budget->name, charge->budget->name,
                     charge->budget->name);
}
