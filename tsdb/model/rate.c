#include "tsdb/model/rate.h"

/* A client that waits longer than this had better ask in between. */
static const double WAIT_MS_MAX = 60 * 1000;

static double available_at(const struct rate *rate, const struct rate_limit *limit, uint64_t now_ns)
{
    double burst = (double)limit->burst, available = rate->available;
    if (!rate->is_begun)
        available = burst;
    else if (now_ns > rate->last_ns)
        available += (double)(now_ns - rate->last_ns) * (double)limit->per_second / 1e9;
    return available < burst ? available : burst;
}

bool rate_allows(const struct rate *rate, const struct rate_limit *limit, uint64_t now_ns,
                 uint64_t count, int64_t *wait_ms)
{
    double available = available_at(rate, limit, now_ns);
    double missing = (double)(count < limit->burst ? count : limit->burst) - available;
    if (missing <= 0)
        return true;
    double wait = limit->per_second == 0 ? WAIT_MS_MAX : missing * 1000 / (double)limit->per_second;
    *wait_ms = (int64_t)(wait < WAIT_MS_MAX ? wait : WAIT_MS_MAX) + 1;
    return false;
}

bool rate_take(struct rate *rate, const struct rate_limit *limit, uint64_t now_ns, uint64_t count,
               int64_t *wait_ms)
{
    bool is_allowed = rate_allows(rate, limit, now_ns, count, wait_ms);
    rate->available = available_at(rate, limit, now_ns) - (is_allowed ? (double)count : 0);
    if (!rate->is_begun || now_ns > rate->last_ns) /* callers may come a little out of order */
        rate->last_ns = now_ns;
    rate->is_begun = true;
    return is_allowed;
}
