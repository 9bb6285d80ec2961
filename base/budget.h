/*
 * budget: memory that many share, so that whoever holds most of it is refused first.
 *
 * What is held is charged to a payer. A payer gets more as long as it then holds no more than is
 * left over for all:
 *
 *     held by the payer <= max - held by all of them
 *
 * So one payer alone gets a half, two that want all they can get a third each, and however many
 * those are, as much as one of them has is left for whoever comes next and wants little. (Dynamic
 * thresholds, by which switches share their buffers: Choudhury and Hahne, 1998.)
 *
 * Units:   bytes.
 * Threads: all functions from any thread; init and deinit of a charge while nobody else uses it.
 */
#ifndef CROFT_BASE_BUDGET_H
#define CROFT_BASE_BUDGET_H

#include "base/bytes.h"
#include "base/status.h"

struct budget;
struct budget_payer;

/* What one piece of work holds. A zeroed charge belongs to no budget: nothing is refused. Where a
   charge may be NULL that is the same. */
struct charge {
    struct budget *budget;
    struct budget_payer *payer;
    size_t held_bytes; /* guarded by the budget's lock */
};

/* `name` is that of the flag that says how much, in refusals: "query-memory"; kept. */
struct budget *budget_new(const char *name, size_t max_bytes);
/* Nothing may be held any more. NULL is fine. */
void budget_free(struct budget *budget);
size_t budget_max_bytes(struct budget *budget);
/* What is held beyond it stays until it is given back. */
void budget_set_max(struct budget *budget, size_t max_bytes);
size_t budget_held_bytes(struct budget *budget);
/* How often charge_take was refused. */
uint64_t budget_refused(struct budget *budget);

/* `budget`, kept, may be NULL. `payer` is copied. */
void charge_init(struct charge *charge, struct budget *budget, struct str payer);
/* The same budget and payer as `other`, which may be NULL. */
void charge_init_like(struct charge *charge, const struct charge *other);
/* Gives back what is held. Twice is fine. */
void charge_deinit(struct charge *charge);
/* STATUS_UNAVAILABLE, and nothing is taken, when the payer's share is used up;
   `err` may be NULL. */
MUST_USE enum status charge_take(struct charge *charge, size_t bytes, struct error *err);
/* Takes what is in memory already, beyond the share if need be. */
void charge_force(struct charge *charge, size_t bytes);
void charge_give(struct charge *charge, size_t bytes);
/* As mem_grow, for `want` > 0, when the charge takes what is more; else NULL, and the array is as
   it was. */
MUST_USE void *charge_grow(struct charge *charge, void *ptr, size_t *capacity, size_t want,
                           size_t element_bytes);
/* STATUS_UNAVAILABLE when the payer holds more than its share, which it forced. */
MUST_USE enum status charge_check(struct charge *charge, struct error *err);
/* Writes why charge_take was refused, for callers that had no `err`; returns STATUS_UNAVAILABLE. */
enum status charge_refusal(struct charge *charge, struct error *err);

#endif
