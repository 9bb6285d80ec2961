#include "ingest/refusal_pace.h"

#include "base/check.h"

#define RECOUNT_NS UINT64_C(100000000)

void refusal_pace_init(struct refusal_pace *pace, unsigned processor_count)
{
    *pace = (struct refusal_pace){
        .price = 1 / (processor_count * REFUSAL_PACE_SHARE),
        .debts = {.burst_ns = REFUSAL_PACE_BURST_NS, .debt_max_ns = REFUSAL_PACE_WAIT_MAX_NS},
        .debtor_count = 1};
    mutex_init(&pace->lock);
}

void refusal_pace_deinit(struct refusal_pace *pace)
{
    mutex_deinit(&pace->lock);
}

static void recount_locked(struct refusal_pace *pace, uint64_t now_ns) REQUIRES(pace->lock)
{
    if (now_ns - pace->counted_ns < RECOUNT_NS)
        return;
    size_t count = payer_debts_count(&pace->debts, now_ns);
    pace->debtor_count = count > 0 ? count : 1;
    pace->counted_ns = now_ns;
}

uint64_t refusal_pace_begin(struct refusal_pace *pace, uint32_t slot, uint64_t cpu_ns,
                            uint64_t now_ns)
{
    mutex_lock(&pace->lock);
    recount_locked(pace, now_ns);
    double price = pace->price * (double)pace->debtor_count;
    uint64_t wait_ns = payer_debts_charge(&pace->debts, slot, cpu_ns, price, now_ns);
    double own_ns = price * (double)cpu_ns * (pace->held_count[slot] + 1);
    if (own_ns < (double)wait_ns)
        wait_ns = (uint64_t)own_ns;
    pace->held_count[slot] += wait_ns > 0;
    mutex_unlock(&pace->lock);
    return wait_ns;
}

void refusal_pace_end(struct refusal_pace *pace, uint32_t slot)
{
    mutex_lock(&pace->lock);
    CHECK(pace->held_count[slot] > 0);
    pace->held_count[slot]--;
    mutex_unlock(&pace->lock);
}
