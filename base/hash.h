/*
 * hash: XXH3 over bytes, keyed per process against hash flooding.
 *
 * A hash never decides alone: whoever looks up by hash compares the full key. hash_set_bits narrows
 * every result for tests, so that collisions happen all the time.
 */
#ifndef CROFT_BASE_HASH_H
#define CROFT_BASE_HASH_H

#include "base/bytes.h"

/* For tables in memory: seeded at start, different in every process unless tests fix the seed. */
uint64_t hash_bytes(struct bytes data);
/* For placement on disk: the same for ever (XXH3-64, seed 0), never narrowed. */
uint64_t hash_stable(struct bytes data);

/* Called once before any table exists. */
void hash_set_seed(uint64_t seed);
/* Tests only: keep the lowest `bits` bits of hash_bytes (64 = all). */
void hash_set_bits(unsigned bits);

#endif
