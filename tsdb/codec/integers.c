#include "tsdb/codec/integers.h"

#include "base/check.h"

enum {
    /* so few integers have no centre to speak of, and the head encodes few at a time */
    ZIGZAG_COUNT_MIN = 48,
    CENTRE_PROBES = 15,
    LAYOUTS_MAX = 4,
    /* what an estimate may be above the least, as a part of it, for the plan to be made */
    ESTIMATE_PART = 8,
};

/* What the integers of a column, or the differences between them, range over. */
struct ranges {
    int64_t min, max;
    int64_t step_min, step_max;
    int64_t rise_min; /* of the differences that are not negative */
    size_t falls;
};

static struct ranges ranges_of(const int64_t *integers, size_t count)
{
    struct ranges r = {integers[0], integers[0], INT64_MAX, INT64_MIN, INT64_MAX, 0};
    for (size_t i = 1; i < count; i++) {
        int64_t integer = integers[i];
        int64_t step = (int64_t)((uint64_t)integer - (uint64_t)integers[i - 1]);
        r.min = integer < r.min ? integer : r.min;
        r.max = integer > r.max ? integer : r.max;
        r.step_min = step < r.step_min ? step : r.step_min;
        r.step_max = step > r.step_max ? step : r.step_max;
        r.falls += step < 0;
        int64_t rise = step >= 0 ? step : INT64_MAX;
        r.rise_min = rise < r.rise_min ? rise : r.rise_min;
    }
    return r;
}

/* One way to pack a column. */
struct layout {
    bool is_differences;
    bool is_zigzag;
    int64_t base;
};

static size_t distance_count(const struct layout *layout, size_t count)
{
    return count - layout->is_differences;
}

static void fill_distances(uint64_t *distances, const struct layout *layout,
                           const int64_t *integers, size_t count)
{
    uint64_t base = (uint64_t)layout->base;
    for (size_t i = 0; i < count && !layout->is_differences; i++)
        distances[i] = (uint64_t)integers[i] - base;
    for (size_t i = 1; i < count && layout->is_differences; i++)
        distances[i - 1] = (uint64_t)integers[i] - (uint64_t)integers[i - 1] - base;
    for (size_t i = 0; i < distance_count(layout, count) && layout->is_zigzag; i++)
        distances[i] = zigzag_encode((int64_t)distances[i]);
}

/* A counter has no negative differences but for its resets, which become exceptions. */
static struct layout layout_above(const struct ranges *r, size_t count, bool is_differences)
{
    bool is_counter = r->falls * 16 <= count;
    int64_t step_base = is_counter ? r->rise_min : r->step_min;
    return (struct layout){.is_differences = is_differences,
                           .base = is_differences ? step_base : r->min};
}

/* About the median of the distances: of a few of them. */
static int64_t find_centre(const uint64_t *distances, size_t count)
{
    int64_t sorted[CENTRE_PROBES];
    for (size_t i = 0; i < CENTRE_PROBES; i++) {
        int64_t distance = (int64_t)distances[i * (count - 1) / (CENTRE_PROBES - 1)];
        size_t at = i;
        for (; at > 0 && sorted[at - 1] > distance; at--)
            sorted[at] = sorted[at - 1];
        sorted[at] = distance;
    }
    return sorted[CENTRE_PROBES / 2];
}

static size_t svarint_len(int64_t value)
{
    uint8_t bytes[VARINT_BYTES_MAX];
    return (size_t)(store_varint(bytes, zigzag_encode(value)) - bytes);
}

/* The ways there are to pack a column, and about what they take. */
struct candidates {
    size_t count;
    struct {
        struct layout layout;
        size_t bits;
    } of[LAYOUTS_MAX];
    size_t bits_min;
};

/* `distances` are those of the layout. */
static void add_candidate(struct candidates *candidates, const struct layout *layout,
                          const uint64_t *distances, size_t count)
{
    size_t bits = pack_estimate(distances, distance_count(layout, count));
    candidates->of[candidates->count].layout = *layout;
    candidates->of[candidates->count++].bits = bits;
    if (bits < candidates->bits_min)
        candidates->bits_min = bits;
}

/* Distances above a base, then those to both sides of their centre. */
static void add_both(struct candidates *candidates, struct layout layout, const int64_t *integers,
                     size_t count)
{
    uint64_t distances[PACK_COUNT_MAX];
    fill_distances(distances, &layout, integers, count);
    add_candidate(candidates, &layout, distances, count);
    if (count < ZIGZAG_COUNT_MIN || candidates->bits_min <= count)
        return;
    uint64_t centre = (uint64_t)find_centre(distances, distance_count(&layout, count));
    layout.is_zigzag = true;
    layout.base = (int64_t)((uint64_t)layout.base + centre);
    fill_distances(distances, &layout, integers, count);
    add_candidate(candidates, &layout, distances, count);
}

static unsigned bits_of_range(int64_t min, int64_t max)
{
    uint64_t range = (uint64_t)max - (uint64_t)min;
    return range == 0 ? 0 : 64 - (unsigned)__builtin_clzll(range);
}

/* Integers or differences, whichever range over fewer bits; both, when it is nearly the same, or
   when a few resets may be all that widens the differences. */
static void find_candidates(struct candidates *candidates, const int64_t *integers, size_t count)
{
    struct ranges r = ranges_of(integers, count);
    unsigned bits = bits_of_range(r.min, r.max);
    unsigned step_bits = count > 1 ? bits_of_range(r.step_min, r.step_max) : 64;
    *candidates = (struct candidates){.bits_min = SIZE_MAX};
    if (count == 1 || bits <= step_bits + 1)
        add_both(candidates, layout_above(&r, count, false), integers, count);
    if (count > 1 && (step_bits <= bits + 1 || r.falls * 16 <= count))
        add_both(candidates, layout_above(&r, count, true), integers, count);
}

/* The smallest way so far. */
struct best {
    struct layout layout;
    struct pack_plan plan;
    size_t bytes;
};

static void try_layout(struct best *best, const struct layout *layout, const int64_t *integers,
                       size_t count)
{
    uint64_t distances[PACK_COUNT_MAX];
    fill_distances(distances, layout, integers, count);
    struct pack_plan plan = pack_plan(distances, distance_count(layout, count));
    size_t bytes = plan.bytes + svarint_len(layout->base) +
                   (layout->is_differences ? svarint_len(integers[0]) : 0);
    if (bytes < best->bytes)
        *best = (struct best){*layout, plan, bytes};
}

/* Plans take long: only those of candidates that may turn out to be the smallest are made. */
static struct best choose_layout(const int64_t *integers, size_t count)
{
    struct candidates candidates;
    struct best best = {.bytes = SIZE_MAX};
    find_candidates(&candidates, integers, count);
    for (size_t i = 0; i < candidates.count; i++) {
        if (candidates.of[i].bits * ESTIMATE_PART <= candidates.bits_min * (ESTIMATE_PART + 1))
            try_layout(&best, &candidates.of[i].layout, integers, count);
    }
    return best;
}

uint8_t *integers_encode(uint8_t *to, const int64_t *integers, size_t count, unsigned *layout)
{
    uint64_t distances[PACK_COUNT_MAX];
    CHECK(count > 0);
    CHECK(count <= PACK_COUNT_MAX);
    struct best best = choose_layout(integers, count);
    *layout = (best.layout.is_differences ? INTEGERS_DIFFERENCES : 0) |
              (best.layout.is_zigzag ? INTEGERS_ZIGZAG : 0);
    if (best.layout.is_differences)
        to = store_varint(to, zigzag_encode(integers[0]));
    to = store_varint(to, zigzag_encode(best.layout.base));
    fill_distances(distances, &best.layout, integers, count);
    return pack_write(to, &best.plan, distances, distance_count(&best.layout, count));
}

static void undo_zigzag(uint64_t *values, size_t count)
{
    for (size_t i = 0; i < count; i++)
        values[i] = values[i] >> 1 ^ (0 - (values[i] & 1));
}

static void add_base(uint64_t *values, size_t count, uint64_t base)
{
    for (size_t i = 0; i < count; i++)
        values[i] += base;
}

/* Eight at a time: one addition in eight waits for the eight before, the others run beside them. */
void integers_add_up(uint64_t *values, size_t count, uint64_t first, uint64_t base)
{
    uint64_t total = first;
    for (; count >= 8; count -= 8, values += 8) {
        uint64_t part = 0;
        for (size_t i = 0; i < 8; i++) {
            part += values[i] + base;
            values[i] = total + part;
        }
        total += part;
    }
    for (size_t i = 0; i < count; i++)
        values[i] = total += values[i] + base;
}

bool integers_decode(struct reader *r, unsigned layout, uint64_t *integers, size_t count)
{
    bool is_differences = (layout & INTEGERS_DIFFERENCES) != 0;
    uint64_t first = is_differences ? (uint64_t)reader_svarint(r) : 0;
    uint64_t base = (uint64_t)reader_svarint(r);
    integers[0] = first;
    integers += is_differences;
    count -= is_differences;
    if (!pack_decode(r, integers, count))
        return false;
    if ((layout & INTEGERS_ZIGZAG) != 0)
        undo_zigzag(integers, count);
    if (is_differences)
        integers_add_up(integers, count, first, base);
    else
        add_base(integers, count, base);
    return true;
}
