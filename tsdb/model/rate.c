#include "tsdb/model/rate.h"

/* A client that waits longer than this had better ask in between. */
static const double WAIT_MS_MAX = 60 * 1000;

static void fill(struct rate *rate, const struct rate_limit *limit, uint64_t now_ns)
{
    double burst = (double)limit->burst;
    if (!rate->is_begun)
        rate->available = burst;
    else if (now_ns > rate->last_ns)
        rate->available += (double)(now_ns - rate->last_ns) * (double)limit->per_second / 1e9;
    if (rate->available > burst)
        rate->available = burst;
    rate->is_begun = true;
    rate->last_ns = now_ns;
}

bool rate_take(struct rate *rate, const struct rate_limit *limit, uint64_t now_ns, uint64_t count,
               int64_t *wait_ms)
{
    fill(rate, limit, now_ns);
    if ((double)count <= rate->available) {
        rate->available -= (double)count;
        return true;
    }
    double missing = (double)(count < limit->burst ? count : limit->burst) - rate->available;
    double wait = limit->per_second == 0 ? WAIT_MS_MAX : missing * 1000 / (double)limit->per_second;
    *wait_ms = (int64_t)(wait < WAIT_MS_MAX ? wait : WAIT_MS_MAX) + 1;
    return false;
}
