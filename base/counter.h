/*
 * counter: numbers that many threads change and /metrics shows; the only atomics outside locks.
 *
 * Relaxed order everywhere: a counter never publishes other memory.
 */
#ifndef CROFT_BASE_COUNTER_H
#define CROFT_BASE_COUNTER_H

#include <stdatomic.h>
#include <stdint.h>

struct counter {
    _Atomic uint64_t value;
};

static inline void counter_add(struct counter *counter, uint64_t by)
{
    atomic_fetch_add_explicit(&counter->value, by, memory_order_relaxed);
}

static inline void counter_sub(struct counter *counter, uint64_t by)
{
    atomic_fetch_sub_explicit(&counter->value, by, memory_order_relaxed);
}

static inline void counter_set(struct counter *counter, uint64_t value)
{
    atomic_store_explicit(&counter->value, value, memory_order_relaxed);
}

static inline uint64_t counter_get(const struct counter *counter)
{
    return atomic_load_explicit(&counter->value, memory_order_relaxed);
}

/* A number of owners; the one who releases the last must free. */
struct refcount {
    _Atomic uint32_t owners;
};

static inline void refcount_init(struct refcount *ref)
{
    atomic_store_explicit(&ref->owners, 1, memory_order_relaxed);
}

static inline void refcount_acquire(struct refcount *ref)
{
    /* relaxed: the caller already owns a reference, nothing new becomes visible */
    atomic_fetch_add_explicit(&ref->owners, 1, memory_order_relaxed);
}

/* True for exactly one caller: the last. */
static inline int refcount_release(struct refcount *ref)
{
    /* acq_rel: everything other owners did happens before the last one frees */
    return atomic_fetch_sub_explicit(&ref->owners, 1, memory_order_acq_rel) == 1;
}

/* True when the caller is the only owner left. */
static inline int refcount_is_sole(const struct refcount *ref)
{
    /* acquire: everything the other owners did happened before */
    return atomic_load_explicit(&ref->owners, memory_order_acquire) == 1;
}

/* A flag that one thread raises and others look at: cancellation, shutdown. */
struct flag {
    _Atomic int is_set;
};

static inline void flag_set(struct flag *flag)
{
    /* release: what was written before raising it is seen by who sees it raised */
    atomic_store_explicit(&flag->is_set, 1, memory_order_release);
}

/* True for exactly one caller: the first to raise it. */
static inline int flag_raise(struct flag *flag)
{
    return atomic_exchange_explicit(&flag->is_set, 1, memory_order_acq_rel) == 0;
}

static inline int flag_is_set(const struct flag *flag)
{
    return atomic_load_explicit(&flag->is_set, memory_order_acquire);
}

#endif
