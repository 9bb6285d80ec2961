/*
 * write_hold: keeps what is done until it is due, and lets go of it then, a millisecond late at
 *             most.
 *
 * Ownership: what is held is the caller's memory, kept until `release` is called, which may free
 *            it.
 * Threads:   any.
 */
#ifndef CROFT_INGEST_WRITE_HOLD_H
#define CROFT_INGEST_WRITE_HOLD_H

#include "base/clock.h"

struct write_hold;

struct held_write {
    void (*release)(struct held_write *held);
    struct held_write *next; /* of those that are due */
    uint64_t due_ns;         /* monotonic */
};

/* `clock` is kept. */
struct write_hold *write_hold_open(const struct clock *clock);
/* Releases `held`, whose `release` is set, in `wait_ns`, from a thread of its own; when it has
   stopped, at once and before this returns. */
void write_hold_add(struct write_hold *hold, struct held_write *held, uint64_t wait_ns);
/* From now on nothing is held any more: neither what was nor what comes. */
void write_hold_stop(struct write_hold *hold);
/* Stops. NULL is fine. */
void write_hold_close(struct write_hold *hold);

#endif
