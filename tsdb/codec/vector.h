/*
 * vector: loops over columns that are compiled for several instruction sets; the one that the
 * machine has is chosen when the program starts.
 *
 * Only where it is measured to pay: the compiler vectorises all loops for what every machine has.
 */
#ifndef CROFT_TSDB_VECTOR_H
#define CROFT_TSDB_VECTOR_H

/* Sanitizers are not ready when the choice is made; clang 14 does not know the names. */
#if defined(__x86_64__) && defined(__GNUC__) && !defined(__clang__) &&                             \
    !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
#define VECTOR_CLONES __attribute__((target_clones("arch=x86-64-v4", "arch=x86-64-v3", "default")))
#else
#define VECTOR_CLONES
#endif

#endif
