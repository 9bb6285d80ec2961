#include "tsdb/model/quota.h"

#define HOUR_MS INT64_C(3600000)

uint64_t quota_taken(const struct quota *quota, int64_t now_ms)
{
    return now_ms - quota->begin_ms < HOUR_MS ? quota->taken : 0;
}

void quota_take(struct quota *quota, int64_t now_ms)
{
    uint64_t taken = quota_taken(quota, now_ms);
    if (taken == 0)
        quota->begin_ms = now_ms;
    quota->taken = taken + 1;
}
