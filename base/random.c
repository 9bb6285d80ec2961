#include "base/random.h"

#include <errno.h>
#include <string.h>
#include <sys/random.h>

#include "base/check.h"

static uint64_t next_system(struct random *random)
{
    (void)random;
    uint64_t value;
    ssize_t got;
    /* Up to 256 bytes come whole or not at all; a signal may come while the kernel still
       gathers. */
    do {
        got = getrandom(&value, sizeof value, 0);
    } while (got < 0 && errno == EINTR);
    CHECK(got == sizeof value);
    return value;
}

static uint64_t rotate_left(uint64_t value, unsigned by)
{
    return (value << by) | (value >> (64 - by));
}

static uint64_t next_seeded(struct random *random)
{
    uint64_t *state = random->state;
    uint64_t result = rotate_left(state[1] * 5, 7) * 9;
    uint64_t shifted = state[1] << 17;
    state[2] ^= state[0];
    state[3] ^= state[1];
    state[1] ^= state[2];
    state[0] ^= state[3];
    state[2] ^= shifted;
    state[3] = rotate_left(state[3], 45);
    return result;
}

void random_init_system(struct random *random)
{
    *random = (struct random){.next = next_system};
}

static uint64_t splitmix(uint64_t *state)
{
    *state += 0x9e3779b97f4a7c15u;
    uint64_t mixed = *state;
    mixed = (mixed ^ (mixed >> 30)) * 0xbf58476d1ce4e5b9u;
    mixed = (mixed ^ (mixed >> 27)) * 0x94d049bb133111ebu;
    return mixed ^ (mixed >> 31);
}

void random_init_seeded(struct random *random, uint64_t seed)
{
    *random = (struct random){.next = next_seeded};
    for (size_t i = 0; i < 4; i++)
        random->state[i] = splitmix(&seed);
}

uint64_t random_below(struct random *random, uint64_t bound)
{
    CHECK(bound > 0);
    /* The lowest (2^64 mod bound) values would make small results a little more likely. */
    uint64_t uneven = (0 - bound) % bound;
    uint64_t value;
    do {
        value = random_u64(random);
    } while (value < uneven);
    return value % bound;
}

double random_unit(struct random *random)
{
    /* 53 bits: every value is exact, and 1.0 cannot be rounded to */
    return (double)(random_u64(random) >> 11) * 0x1p-53;
}

void random_fill(struct random *random, void *ptr, size_t len)
{
    uint8_t *to = ptr;
    while (len > 0) {
        uint64_t value = random_u64(random);
        size_t part = len < sizeof value ? len : sizeof value;
        memcpy(to, &value, part);
        to += part;
        len -= part;
    }
}
