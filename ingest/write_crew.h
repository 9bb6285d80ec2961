/*
 * write_crew: the threads that do the writes of those who write much.
 *
 * A write is done by the thread of its connection, which serves many others; while somebody sends
 * as fast as he is answered, or a million samples at once, they would wait. So what he sends is
 * handed to a crew, which has all processors but those to spare (thread_busy_cpu_count) and leaves
 * them alone: docs/decisions/0011-heavy-writers.md. Of several payers that one is next who has had
 * the least processor time.
 *
 * Ownership: a write is the caller's memory, kept until `run` is called, once, which may free it.
 * Units:     nanoseconds; processor time and monotonic time.
 * Threads:   any.
 */
#ifndef CROFT_INGEST_WRITE_CREW_H
#define CROFT_INGEST_WRITE_CREW_H

#include "base/clock.h"
#include "base/status.h"
#include "ingest/payer_debts.h"

/* Who uses more than that for longer than a moment writes much. */
#define WRITE_CREW_SHARE    (1.0 / 16) /* of all processors */
#define WRITE_CREW_BURST_NS UINT64_C(20000000)
/* One body of that size is much, whoever sends it. */
enum { WRITE_CREW_BODY_BYTES = 128 << 10 };

struct write_crew;

struct crew_write {
    void (*run)(struct crew_write *write);
    uint32_t slot;           /* of the payer: payer_slot */
    struct crew_write *next; /* of those that wait */
};

/* `clock` is kept. */
struct write_crew *write_crew_open(const struct clock *clock, unsigned processor_count);
/* Runs what waits first. NULL is fine. */
void write_crew_close(struct write_crew *crew);
/* Takes the write if its payer writes much, or its body is large; else false, and the caller does
   it himself. */
MUST_USE bool write_crew_try_take(struct write_crew *crew, struct crew_write *write,
                                  size_t body_bytes);
/* What a write has used, whoever did it. */
void write_crew_charge(struct write_crew *crew, uint32_t slot, uint64_t cpu_ns);

#endif
