/*
 * trusted_clock: wall time for deciding what to delete, which cannot be undone.
 *
 * A wall clock that leaps ahead of the monotonic one (a wrong date, a bad time server) would make
 * fresh data look expired. Such a leap is believed only when the clock has kept to it for a day
 * after it was seen; until then time goes on from before the leap. A clock that is set back is
 * believed at once: it deletes less. A machine that boots with a wrong date is a leap as well: what
 * the clock was before the process started the store remembers, for what was sent meanwhile proves
 * nothing.
 *
 * Threads: not synchronised; each thread that deletes has one of its own. They may believe a leap
 *          at different times, but none sooner than a day after it, however seldom it looks (a
 *          merge may take hours), so what the first of them deletes has expired.
 */
#ifndef CROFT_COMPACTION_TRUSTED_CLOCK_H
#define CROFT_COMPACTION_TRUSTED_CLOCK_H

#include <stdbool.h>

#include "base/clock.h"

struct trusted_clock {
    const struct clock *clock;
    int64_t wall_ms;      /* when both clocks last agreed */
    int64_t monotonic_ms; /* the same moment */
    int64_t leap_seen_ms; /* monotonic; INT64_MAX while they agree */
};

/* `clock` is kept. `last_ms` is how late it was before the start (store_last_time_ms), INT64_MIN
   when nobody knows: a wall clock that is more than a day ahead of it may have leapt. */
void trusted_clock_init(struct trusted_clock *trusted, const struct clock *clock, int64_t last_ms);
int64_t trusted_clock_now_ms(struct trusted_clock *trusted);

#endif
