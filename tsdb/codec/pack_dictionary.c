/*
 * Integers of few values: the values once, and for each integer the number of its own.
 *
 * Steps of a gauge that goes up and down by the same few amounts, or of a counter whose target does
 * the same work each time, are wide and yet few.
 */
#include "tsdb/codec/pack_impl.h"

enum {
    SLOTS = 256,
    PROBES = 32,
    PROBES_VALUES_MAX = 24,
};

_Static_assert((int)DICTIONARY_MAX < (int)SLOTS, "a probe ends at a free slot");

struct dictionary {
    size_t count;
    uint64_t values[DICTIONARY_MAX]; /* as they were found */
    uint8_t order[DICTIONARY_MAX];   /* their indexes, by value */
    uint8_t slots[SLOTS];            /* 1 + index in values, by hash; 0 is free */
};

/* The slot that `value` has, or the free one where it belongs. */
static uint8_t *slot_of(struct dictionary *dictionary, uint64_t value)
{
    const uint64_t multiplier = UINT64_C(0x9e3779b97f4a7c15); /* 2^64 by the golden ratio */
    size_t slot = (value * multiplier) >> 56;
    while (dictionary->slots[slot] != 0 && dictionary->values[dictionary->slots[slot] - 1] != value)
        slot = (slot + 1) % SLOTS;
    return &dictionary->slots[slot];
}

static void sort(struct dictionary *dictionary)
{
    for (size_t i = 0; i < dictionary->count; i++) {
        size_t at = i;
        for (; at > 0 && dictionary->values[dictionary->order[at - 1]] > dictionary->values[i];
             at--)
            dictionary->order[at] = dictionary->order[at - 1];
        dictionary->order[at] = (uint8_t)i;
    }
}

/* False when there are too many values. */
static bool add_values(struct dictionary *dictionary, const uint64_t *values, size_t count,
                       unsigned shift)
{
    for (size_t i = 0; i < count; i++) {
        uint8_t *slot = slot_of(dictionary, values[i] >> shift);
        if (*slot != 0)
            continue;
        if (dictionary->count == DICTIONARY_MAX)
            return false;
        dictionary->values[dictionary->count++] = values[i] >> shift;
        *slot = (uint8_t)dictionary->count;
    }
    return true;
}

static void init(struct dictionary *dictionary)
{
    dictionary->count = 0;
    memset(dictionary->slots, 0, sizeof dictionary->slots);
}

/* Entry i is what value i is above the one before. */
static uint64_t entry_at(const struct dictionary *dictionary, size_t i)
{
    uint64_t value = dictionary->values[dictionary->order[i]];
    return i == 0 ? value : value - dictionary->values[dictionary->order[i - 1]];
}

static unsigned width_of(size_t value_count)
{
    return bit_length(value_count - 1);
}

bool dictionary_plan(struct pack_values *found, const uint64_t *values, size_t count,
                     unsigned shift)
{
    struct dictionary dictionary;
    size_t probes = count < PROBES ? count : PROBES;
    init(&dictionary);
    /* most columns are noise, and their first integers say so */
    if (!add_values(&dictionary, values, probes, shift) || dictionary.count > PROBES_VALUES_MAX ||
        !add_values(&dictionary, values + probes, count - probes, shift))
        return false;
    sort(&dictionary);
    *found = (struct pack_values){.count = dictionary.count};
    for (size_t i = 0; i < dictionary.count; i++)
        found->bytes += 1 + (bit_length(entry_at(&dictionary, i) | 1) - 1) / 7;
    return true;
}

size_t dictionary_bytes(const struct pack_values *found, size_t count)
{
    return 1 + found->bytes + bytes_of_bits(count * width_of(found->count));
}

uint8_t *dictionary_write(uint8_t *to, const uint64_t *values, size_t count, unsigned shift)
{
    struct dictionary dictionary;
    uint64_t ranks[DICTIONARY_MAX], numbers[PACK_COUNT_MAX];
    init(&dictionary);
    add_values(&dictionary, values, count, shift);
    sort(&dictionary);
    *to++ = (uint8_t)dictionary.count;
    for (size_t i = 0; i < dictionary.count; i++) {
        to = store_varint(to, entry_at(&dictionary, i));
        ranks[dictionary.order[i]] = i;
    }
    for (size_t i = 0; i < count; i++)
        numbers[i] = ranks[*slot_of(&dictionary, values[i] >> shift) - 1];
    return bits_write(to, width_of(dictionary.count), numbers, count, 0);
}

/* False when there is no such number. */
static bool look_up(const uint64_t *entries, size_t entry_count, uint64_t *values, size_t count)
{
    bool is_beyond = false;
    for (size_t i = 0; i < count; i++)
        is_beyond |= values[i] >= entry_count;
    for (size_t i = 0; i < count && !is_beyond; i++)
        values[i] = entries[values[i]];
    return !is_beyond;
}

bool dictionary_read(struct reader *r, uint64_t *values, size_t count)
{
    uint64_t entries[DICTIONARY_MAX], total = 0;
    size_t entry_count = reader_u8(r);
    if (entry_count == 0 || entry_count > DICTIONARY_MAX)
        return false;
    for (size_t i = 0; i < entry_count; i++)
        entries[i] = total += reader_varint(r);
    return bits_read(r, width_of(entry_count), values, count) &&
           look_up(entries, entry_count, values, count);
}
