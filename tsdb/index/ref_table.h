/*
 * ref_table: finds 32-bit refs by hash: open addressing, 8 bytes a slot.
 *
 * A slot holds a ref and 32 bits of its hash, the tag. The upper bits of the tag are the place
 * where the slot would like to be, so the table grows and closes gaps without looking at the keys.
 * Different keys may have one tag: the caller compares every ref that a probe gives.
 *
 * Invariant:  between a slot and the place it would like to be no slot is free.
 * Ownership:  the caller owns the struct; the table owns the slots.
 * Threads:    not synchronised.
 */
#ifndef CROFT_TSDB_REF_TABLE_H
#define CROFT_TSDB_REF_TABLE_H

#include <stddef.h>
#include <stdint.h>

#define REF_TABLE_NONE UINT32_MAX

struct ref_slot {
    uint32_t tag;
    uint32_t ref; /* REF_TABLE_NONE when the slot is free */
};

struct ref_table {
    struct ref_slot *slots;
    size_t count;
    uint32_t mask;  /* number of slots - 1 */
    uint32_t shift; /* tag >> shift is a slot */
};

void ref_table_init(struct ref_table *table);
void ref_table_deinit(struct ref_table *table);
/* `ref` is not REF_TABLE_NONE and not in the table. */
void ref_table_add(struct ref_table *table, uint64_t hash, uint32_t ref);
/* `ref` was added with this hash. */
void ref_table_remove(struct ref_table *table, uint64_t hash, uint32_t ref);
size_t ref_table_memory_bytes(const struct ref_table *table);

/* A look-up under way. */
struct ref_probe {
    uint32_t tag;
    uint32_t at;
};

static inline uint32_t ref_table_tag(uint64_t hash)
{
    /* 2^64 / golden ratio: spreads hashes that differ in few bits over the upper half */
    return (uint32_t)((hash * UINT64_C(0x9e3779b97f4a7c15)) >> 32);
}

static inline struct ref_probe ref_table_probe(const struct ref_table *table, uint64_t hash)
{
    uint32_t tag = ref_table_tag(hash);
    return (struct ref_probe){.tag = tag, .at = tag >> table->shift};
}

/* The next ref whose tag is that of the probe; after REF_TABLE_NONE the probe is over. */
static inline uint32_t ref_table_next(const struct ref_table *table, struct ref_probe *probe)
{
    for (;;) {
        struct ref_slot slot = table->slots[probe->at];
        probe->at = (probe->at + 1) & table->mask;
        if (slot.ref == REF_TABLE_NONE || slot.tag == probe->tag)
            return slot.ref;
    }
}

static inline void ref_table_prefetch(const struct ref_table *table, const struct ref_probe *probe)
{
    __builtin_prefetch(&table->slots[probe->at]);
}

#endif
