#include "bench/fleet_value.h"

#include <math.h>

#include "base/hash.h"

/* ---- a machine ---- */

enum {
    PLACES_MS = 14000,   /* of the instances in an interval of 15 s */
    SLOT_MS = 5 * 60000, /* a machine is busy or not for so long */
    LATE_ONE_IN = 40,    /* scrapes that Prometheus does not align: more than 2 ms off */
    LATE_MAX_MS = 40,
    RESTART_ONE_IN = 5760, /* scrapes: once a day at 15 s */
    RUSH_MAX = 7,
};

static uint64_t hash_of(uint64_t a, uint64_t b, uint64_t purpose)
{
    uint64_t parts[] = {a, b, purpose};
    return hash_stable((struct bytes){(const uint8_t *)parts, sizeof parts});
}

struct fleet_moment fleet_moment_of(size_t instance, int64_t due_ms)
{
    uint64_t due = (uint64_t)due_ms;
    uint64_t place = hash_of(instance, 0, 1);
    uint64_t scrape = hash_of(instance, due, 2);
    uint64_t slot = hash_of(instance, due / SLOT_MS, 3);
    /* in a second's middle: never on the edge of a window that queries ask for */
    int64_t ts_ms = due_ms - due_ms % 1000 + (int64_t)(place % PLACES_MS / 1000 * 1000 + 200) +
                    (int64_t)(place >> 32) % 500;
    if (scrape % LATE_ONE_IN == 0)
        ts_ms += 3 + (int64_t)(scrape >> 32) % (LATE_MAX_MS - 3);
    return (struct fleet_moment){.ts_ms = ts_ms,
                                 .rush = slot % 4 == 0 ? (unsigned)(slot >> 32) % RUSH_MAX + 1 : 0,
                                 .is_restart = (scrape >> 16) % RESTART_ONE_IN == 0};
}

/* ---- kinds ---- */

enum motion { STILL, COUNTS, WANDERS, MEASURED };

/* Which of the series of a kind move at all, and how far, in powers of two of the unit. The shares
   are those of the recording, spread over what a fleet has more of. */
static const struct law {
    enum motion motion;
    unsigned moving_percent;
    unsigned step_bits_min, step_bits_max;
    int64_t step_max; /* 0: any */
} laws[] = {
    [FLEET_CONSTANT] = {STILL, 0, 0, 0, 0},
    [FLEET_INFO] = {STILL, 0, 0, 0, 0},
    [FLEET_STATE] = {STILL, 0, 0, 0, 0},
    [FLEET_COUNTER] = {COUNTS, 40, 2, 20, 0},
    [FLEET_SLOW_COUNTER] = {COUNTS, 20, 0, 3, 0},
    [FLEET_BYTES] = {WANDERS, 70, 0, 12, 0},
    [FLEET_SECONDS] = {COUNTS, 45, 0, 9, 1500},       /* at most the ticks of 15 s */
    [FLEET_MILLISECONDS] = {COUNTS, 50, 0, 9, 15000}, /* the same */
    [FLEET_NANOSECONDS] = {COUNTS, 40, 20, 30, 0},
    [FLEET_LOAD] = {WANDERS, 100, 1, 5, 0},
    [FLEET_DURATION] = {MEASURED, 100, 10, 18, 0},
    [FLEET_BUCKET] = {COUNTS, 40, 0, 8, 0},
    [FLEET_HISTOGRAM_COUNT] = {COUNTS, 40, 0, 8, 0},
    [FLEET_HISTOGRAM_SUM] = {COUNTS, 40, 0, 8, 0},
};

/* Half of what moves does so at every scrape. */
static uint32_t draw_chance(struct random *random)
{
    uint64_t share = random_below(random, 100);
    if (share < 50)
        return 65536;
    if (share < 85)
        return 26000 + (uint32_t)random_below(random, 36000);
    if (share < 97)
        return 3200 + (uint32_t)random_below(random, 16000);
    return 300 + (uint32_t)random_below(random, 3000);
}

void fleet_value_init(struct fleet_value *value, enum fleet_kind kind, uint64_t seed)
{
    const struct law *law = &laws[kind];
    *value = (struct fleet_value){.kind = kind};
    struct random *random = &value->random;
    random_init_seeded(random, seed);
    unsigned spread = law->step_bits_max - law->step_bits_min + 1;
    value->step = INT64_C(1) << (law->step_bits_min + random_below(random, spread));
    value->step += (int64_t)random_below(random, (uint64_t)value->step);
    value->is_even = random_below(random, 4) == 0;
    bool moves = random_below(random, 100) < law->moving_percent;
    uint32_t chance = draw_chance(random);
    value->chance = moves ? chance : 0;
    value->level = value->step * (int64_t)(10 + random_below(random, 1000));
    /* what never counted stands at nought more often than not */
    value->units = moves || random_below(random, 2) == 0 ? value->level : 0;
}

/* ---- moving ---- */

static int64_t next_step(struct fleet_value *value, unsigned rush)
{
    int64_t step = value->step << rush;
    if (!value->is_even || random_below(&value->random, 16) == 0)
        step = step / 2 + 1 + (int64_t)random_below(&value->random, (uint64_t)step);
    int64_t max = laws[value->kind].step_max;
    return max > 0 && step > max ? max : step;
}

static void count_on(struct fleet_value *value, const struct fleet_moment *moment)
{
    if (moment->is_restart) {
        value->units = 0;
        value->sum = 0;
    }
    if (random_below(&value->random, 65536) >= value->chance)
        return;
    int64_t step = next_step(value, moment->rush);
    value->units += step;
    value->sum += (double)step * (0.05 + 0.05 * random_unit(&value->random));
}

/* Up or down, and rather back than away. */
static void wander(struct fleet_value *value, const struct fleet_moment *moment)
{
    if (random_below(&value->random, 65536) >= value->chance)
        return;
    int64_t step = next_step(value, moment->rush);
    bool goes_back = random_below(&value->random, 8) < 5;
    bool goes_up = (value->units < value->level) == goes_back;
    value->units += goes_up || value->units < step ? step : -step;
}

/* Nanoseconds: around its level, and sometimes much longer. */
static void measure(struct fleet_value *value)
{
    uint64_t bits = random_u64(&value->random);
    uint64_t step = (uint64_t)value->step;
    uint64_t ns =
        4 * step + (bits & 0xffff) * step / 0x10000 + (bits >> 16 & 0xffff) * step / 0x8000;
    if (bits >> 58 == 0)
        ns += ns * (bits >> 32 & 0xff) / 8;
    value->units = (int64_t)ns;
}

static void move(struct fleet_value *value, const struct fleet_moment *moment)
{
    switch (laws[value->kind].motion) {
    case STILL:
        break;
    case COUNTS:
        count_on(value, moment);
        break;
    case WANDERS:
        wander(value, moment);
        break;
    case MEASURED:
        measure(value);
        break;
    }
}

double fleet_value_next(struct fleet_value *value, const struct fleet_moment *moment, double share)
{
    move(value, moment);
    double units = (double)value->units;
    switch (value->kind) {
    case FLEET_CONSTANT:
    case FLEET_INFO:
    case FLEET_STATE:
    case FLEET_COUNTER:
    case FLEET_SLOW_COUNTER:
    case FLEET_HISTOGRAM_COUNT:
        break;
    case FLEET_BYTES:
        return units * 4096;
    case FLEET_SECONDS:
    case FLEET_LOAD:
        return units / 100;
    case FLEET_MILLISECONDS:
        /* the exporter does not divide: its product has a 16th and a 17th digit at times */
        return units * 0.001;
    case FLEET_NANOSECONDS:
    case FLEET_DURATION:
        return units / 1e9;
    case FLEET_BUCKET:
        return floor(units * share);
    case FLEET_HISTOGRAM_SUM:
        return value->sum;
    }
    return units;
}
