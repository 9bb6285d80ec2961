/*
 * refusal_pace: how long the answer to a refused write waits, so that refusing takes a share of the
 *               processors and no more.
 *
 * A refusal costs less than a sample that is taken, but somebody who sends nothing else, as fast as
 * he is answered, keeps the processors busy with it, and who writes beside him waits. So the time
 * that refusals took is charged to a payer. Once he has used up what he may at once
 * (REFUSAL_PACE_BURST_NS), each of his answers waits for as long as it takes his share to pay for
 * what was refused in that write, and as many times as long as answers of his wait. Payers in debt
 * share REFUSAL_PACE_SHARE equally. What is taken costs nothing: samples that come with refused
 * ones are held up by what those cost, whatever else of the same payer is refused meanwhile.
 *
 * Units:   processor time and monotonic time in nanoseconds.
 * Threads: any.
 */
#ifndef CROFT_INGEST_REFUSAL_PACE_H
#define CROFT_INGEST_REFUSAL_PACE_H

#include "base/thread.h"
#include "ingest/payer_debts.h"

#define REFUSAL_PACE_SHARE       (1.0 / 32) /* of all processors */
#define REFUSAL_PACE_BURST_NS    UINT64_C(50000000)
#define REFUSAL_PACE_WAIT_MAX_NS UINT64_C(10000000000) /* senders wait for 30 s */

struct refusal_pace {
    double price; /* of the whole share: payer_debts_charge */
    struct mutex lock;
    struct payer_debts debts;         /* guarded by lock */
    size_t debtor_count;              /* guarded by lock; at least 1 */
    uint64_t counted_ns;              /* guarded by lock; when it was right */
    uint32_t held_count[PAYER_SLOTS]; /* guarded by lock; answers that wait */
};

void refusal_pace_init(struct refusal_pace *pace, unsigned processor_count);
void refusal_pace_deinit(struct refusal_pace *pace);
/* Refusals took `cpu_ns` of a write; returns how long its answer waits, at most
   REFUSAL_PACE_WAIT_MAX_NS. If that is not 0, refusal_pace_end follows. `slot`: the payer's. */
uint64_t refusal_pace_begin(struct refusal_pace *pace, uint32_t slot, uint64_t cpu_ns,
                            uint64_t now_ns);
/* An answer of the payer's waits no more. */
void refusal_pace_end(struct refusal_pace *pace, uint32_t slot);

#endif
