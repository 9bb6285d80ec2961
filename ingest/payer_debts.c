#include "ingest/payer_debts.h"

#include "base/hash.h"

uint32_t payer_slot(struct str payer)
{
    return (uint32_t)(hash_bytes(bytes_of_str(payer)) % PAYER_SLOTS);
}

uint64_t payer_debts_charge(struct payer_debts *debts, uint32_t slot, uint64_t cpu_ns, double price,
                            uint64_t now_ns)
{
    uint64_t *paid_until_ns = &debts->paid_until_ns[slot];
    uint64_t free_ns = (uint64_t)(price * (double)debts->burst_ns);
    uint64_t least_ns = now_ns > free_ns ? now_ns - free_ns : 0;
    uint64_t most_ns = now_ns + debts->debt_max_ns;
    uint64_t until_ns = *paid_until_ns > least_ns ? *paid_until_ns : least_ns;
    until_ns += (uint64_t)(price * (double)cpu_ns);
    *paid_until_ns = until_ns < most_ns ? until_ns : most_ns;
    return payer_debts_owed(debts, slot, now_ns);
}

uint64_t payer_debts_owed(const struct payer_debts *debts, uint32_t slot, uint64_t now_ns)
{
    uint64_t until_ns = debts->paid_until_ns[slot];
    return until_ns > now_ns ? until_ns - now_ns : 0;
}

size_t payer_debts_count(const struct payer_debts *debts, uint64_t now_ns)
{
    size_t count = 0;
    for (uint32_t slot = 0; slot < PAYER_SLOTS; slot++)
        count += payer_debts_owed(debts, slot, now_ns) > 0;
    return count;
}
