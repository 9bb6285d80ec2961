/*
 * Reading bits of one width: eight integers of `width` bits are `width` bytes, so eight at a time
 * have their places known when the program is compiled, one function for each width.
 */
#include "tsdb/codec/pack_impl.h"

typedef void unpack_function(const uint8_t *from, uint64_t *values, size_t groups);

/* Integer i of a group of eight. */
#define VALUE_OF(width, i)                                                                         \
    values[i] = load_u64(from + (i) * (width) / 8) >> (i) * (width) % 8 & mask

#define DEFINE_UNPACK(width)                                                                       \
    static void unpack_##width(const uint8_t *from, uint64_t *values, size_t groups)               \
    {                                                                                              \
        const uint64_t mask = (UINT64_C(1) << width) - 1;                                          \
        for (; groups > 0; groups--, from += width, values += 8) {                                 \
            VALUE_OF(width, 0);                                                                    \
            VALUE_OF(width, 1);                                                                    \
            VALUE_OF(width, 2);                                                                    \
            VALUE_OF(width, 3);                                                                    \
            VALUE_OF(width, 4);                                                                    \
            VALUE_OF(width, 5);                                                                    \
            VALUE_OF(width, 6);                                                                    \
            VALUE_OF(width, 7);                                                                    \
        }                                                                                          \
    }

#define FOR_EIGHT(action, tens0, tens1, tens2, tens3, tens4, tens5, tens6, tens7)                  \
    action(tens0) action(tens1) action(tens2) action(tens3) action(tens4) action(tens5)            \
        action(tens6) action(tens7)

#define FOR_EVERY_WIDTH(action)                                                                    \
    FOR_EIGHT(action, 1, 2, 3, 4, 5, 6, 7, 8)                                                      \
    FOR_EIGHT(action, 9, 10, 11, 12, 13, 14, 15, 16)                                               \
    FOR_EIGHT(action, 17, 18, 19, 20, 21, 22, 23, 24)                                              \
    FOR_EIGHT(action, 25, 26, 27, 28, 29, 30, 31, 32)                                              \
    FOR_EIGHT(action, 33, 34, 35, 36, 37, 38, 39, 40)                                              \
    FOR_EIGHT(action, 41, 42, 43, 44, 45, 46, 47, 48)                                              \
    FOR_EIGHT(action, 49, 50, 51, 52, 53, 54, 55, 56)

FOR_EVERY_WIDTH(DEFINE_UNPACK)

#define ENTRY_OF(width) [width] = unpack_##width,
static unpack_function *const unpack_functions[] = {FOR_EVERY_WIDTH(ENTRY_OF)};

enum { WIDTH_WITH_FUNCTION_MAX = sizeof unpack_functions / sizeof *unpack_functions - 1 };
_Static_assert((int)WIDTH_WITH_FUNCTION_MAX <= (int)WIDTH_ONE_LOAD_MAX, "one load holds each");

/* Any width: two loads where one does not hold it. */
static void unpack_any(const uint8_t *from, unsigned width, uint64_t *values, size_t count)
{
    uint64_t mask = mask_of(width);
    size_t bit = 0;
    for (size_t i = 0; i < count; i++, bit += width) {
        uint64_t value = load_u64(from + bit / 8) >> bit % 8;
        if (bit % 8 != 0)
            value |= (uint64_t)from[bit / 8 + 8] << (64 - bit % 8);
        values[i] = value & mask;
    }
}

void unpack_bits(const uint8_t *from, unsigned width, uint64_t *values, size_t count)
{
    if (width == 0) {
        memset(values, 0, count * sizeof *values);
        return;
    }
    size_t done = 0;
    if (width <= WIDTH_WITH_FUNCTION_MAX) {
        done = count / 8 * 8;
        unpack_functions[width](from, values, count / 8);
    }
    unpack_any(from + done / 8 * width, width, values + done, count - done);
}
