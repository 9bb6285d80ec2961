#include "tsdb/codec/integers.h"

#include "base/check.h"

enum {
    /* so few integers have no centre to speak of, and the head encodes few at a time */
    ZIGZAG_COUNT_MIN = 48,
    CENTRE_PROBES = 15,
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

/* The integers to pack, and the base that they are distances from. */
struct offsets {
    bool is_differences;
    int64_t base;
    size_t count;
    uint64_t values[PACK_COUNT_MAX];
};

static void fill_offsets(struct offsets *offsets, const int64_t *integers, size_t count)
{
    uint64_t base = (uint64_t)offsets->base;
    if (!offsets->is_differences) {
        offsets->count = count;
        for (size_t i = 0; i < count; i++)
            offsets->values[i] = (uint64_t)integers[i] - base;
        return;
    }
    offsets->count = count - 1;
    for (size_t i = 1; i < count; i++)
        offsets->values[i - 1] = (uint64_t)integers[i] - (uint64_t)integers[i - 1] - base;
}

/* A counter has no negative differences but for its resets, which become exceptions; for anything
   else the narrower of the two ranges decides. */
static void choose_offsets(struct offsets *offsets, const int64_t *integers, size_t count)
{
    struct ranges r = ranges_of(integers, count);
    bool is_counter = count > 1 && r.falls * 16 <= count;
    uint64_t range = (uint64_t)r.max - (uint64_t)r.min;
    uint64_t step_range = (uint64_t)r.step_max - (uint64_t)r.step_min;
    offsets->is_differences = is_counter || (count > 1 && step_range < range);
    offsets->base = is_counter ? r.rise_min : offsets->is_differences ? r.step_min : r.min;
    fill_offsets(offsets, integers, count);
}

/* About the median: of a few of them. */
static int64_t find_centre(const uint64_t *values, size_t count)
{
    int64_t sorted[CENTRE_PROBES];
    for (size_t i = 0; i < CENTRE_PROBES; i++) {
        int64_t value = (int64_t)values[i * (count - 1) / (CENTRE_PROBES - 1)];
        size_t at = i;
        for (; at > 0 && sorted[at - 1] > value; at--)
            sorted[at] = sorted[at - 1];
        sorted[at] = value;
    }
    return sorted[CENTRE_PROBES / 2];
}

/* The same integers as distances to both sides of their centre. */
static void centre_offsets(struct offsets *to, const struct offsets *from)
{
    uint64_t centre = (uint64_t)find_centre(from->values, from->count);
    to->is_differences = from->is_differences;
    to->base = (int64_t)((uint64_t)from->base + centre);
    to->count = from->count;
    for (size_t i = 0; i < from->count; i++)
        to->values[i] = zigzag_encode((int64_t)(from->values[i] - centre));
}

static uint8_t *write_offsets(uint8_t *to, const struct offsets *offsets, int64_t first,
                              const struct pack_plan *plan)
{
    if (offsets->is_differences)
        to = store_varint(to, zigzag_encode(first));
    to = store_varint(to, zigzag_encode(offsets->base));
    return pack_write(to, plan, offsets->values, offsets->count);
}

uint8_t *integers_encode(uint8_t *to, const int64_t *integers, size_t count, unsigned *layout)
{
    struct offsets above, around;
    CHECK(count > 0);
    CHECK(count <= PACK_COUNT_MAX);
    choose_offsets(&above, integers, count);
    *layout = above.is_differences ? INTEGERS_DIFFERENCES : 0;
    struct pack_plan plan = pack_plan(above.values, above.count);
    if (count < ZIGZAG_COUNT_MIN || plan.bytes <= count / 8)
        return write_offsets(to, &above, integers[0], &plan);
    centre_offsets(&around, &above);
    struct pack_plan plan_around = pack_plan(around.values, around.count);
    if (plan_around.bytes >= plan.bytes)
        return write_offsets(to, &above, integers[0], &plan);
    *layout |= INTEGERS_ZIGZAG;
    return write_offsets(to, &around, integers[0], &plan_around);
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
