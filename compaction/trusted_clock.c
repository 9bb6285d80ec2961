#include "compaction/trusted_clock.h"

/* More than any correction of a clock that runs, and than the change to summer time on a machine
   whose clock is set wrongly to local time. */
#define LEAP_MIN_MS INT64_C(5400000)
#define DOUBT_MS    INT64_C(86400000)

void trusted_clock_init(struct trusted_clock *trusted, const struct clock *clock, int64_t last_ms)
{
    int64_t now_ms = clock_now_ms(clock);
    bool may_have_leapt = last_ms != INT64_MIN && last_ms < now_ms - DOUBT_MS;
    *trusted = (struct trusted_clock){.clock = clock,
                                      .wall_ms = may_have_leapt ? last_ms : now_ms,
                                      .monotonic_ms = clock_monotonic_ms(clock),
                                      .leap_seen_ms = INT64_MAX};
}

int64_t trusted_clock_now_ms(struct trusted_clock *trusted)
{
    int64_t wall_ms = clock_now_ms(trusted->clock);
    int64_t monotonic_ms = clock_monotonic_ms(trusted->clock);
    int64_t expected_ms = trusted->wall_ms + (monotonic_ms - trusted->monotonic_ms);
    bool has_leapt = wall_ms - expected_ms > LEAP_MIN_MS;
    if (has_leapt && trusted->leap_seen_ms > monotonic_ms)
        trusted->leap_seen_ms = monotonic_ms;
    if (has_leapt && monotonic_ms - trusted->leap_seen_ms < DOUBT_MS)
        return expected_ms;
    trusted->wall_ms = wall_ms;
    trusted->monotonic_ms = monotonic_ms;
    trusted->leap_seen_ms = INT64_MAX;
    return wall_ms;
}
