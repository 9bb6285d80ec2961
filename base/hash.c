#include "base/hash.h"

/* The hash itself in this file, and the calls that take a secret made beforehand. */
#define XXH_INLINE_ALL
#include <xxhash.h>

#include "base/check.h"
#include "base/random.h"

/* Written before any table exists, read by every thread afterwards. */
static uint64_t process_seed;
static uint8_t process_secret[XXH3_SECRET_DEFAULT_SIZE]; /* of process_seed */
static uint64_t result_mask = UINT64_MAX;

/* Before main, so that no caller can forget it and no sender can know the seed. */
__attribute__((constructor)) static void choose_seed(void)
{
    struct random random;
    random_init_system(&random);
    hash_set_seed(random_u64(&random));
}

/* The same as with the seed alone, which would make the secret anew for every input over 240
   bytes. */
uint64_t hash_bytes(struct bytes data)
{
    return XXH3_64bits_withSecretandSeed(data.ptr, data.len, process_secret, sizeof process_secret,
                                         process_seed) &
           result_mask;
}

uint64_t hash_stable(struct bytes data)
{
    return XXH3_64bits(data.ptr, data.len);
}

void hash_set_seed(uint64_t seed)
{
    process_seed = seed;
    XXH3_generateSecret_fromSeed(process_secret, seed);
}

void hash_set_bits(unsigned bits)
{
    CHECK(bits <= 64);
    result_mask = bits == 64 ? UINT64_MAX : ((uint64_t)1 << bits) - 1;
}
