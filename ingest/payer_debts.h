/*
 * payer_debts: who has used more processor time than his share pays for, and until when he owes it.
 *
 * The generic cell rate algorithm (ITU-T I.371): what is used is paid off at a steady rate, and so
 * much may be used at once before it counts.
 *
 * Bounded: a table of fixed size; payers whose hashes meet in a slot owe together.
 * Units:   processor time, and monotonic time for `now_ns` and what is owed, in nanoseconds.
 * Threads: not synchronised.
 */
#ifndef CROFT_INGEST_PAYER_DEBTS_H
#define CROFT_INGEST_PAYER_DEBTS_H

#include "base/bytes.h"

enum { PAYER_SLOTS = 1024 };

struct payer_debts {
    uint64_t burst_ns;    /* processor time that is free at once */
    uint64_t debt_max_ns; /* what is owed beyond it is forgiven */
    uint64_t paid_until_ns[PAYER_SLOTS];
};

uint32_t payer_slot(struct str payer);
/* `price`: how long a nanosecond of processor time is paid off; 8 where the share is an eighth of a
   processor. Returns what is owed then. */
uint64_t payer_debts_charge(struct payer_debts *debts, uint32_t slot, uint64_t cpu_ns, double price,
                            uint64_t now_ns);
uint64_t payer_debts_owed(const struct payer_debts *debts, uint32_t slot, uint64_t now_ns);
/* How many owe something. */
size_t payer_debts_count(const struct payer_debts *debts, uint64_t now_ns);

#endif
