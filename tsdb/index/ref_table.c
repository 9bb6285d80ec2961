#include "tsdb/index/ref_table.h"

#include "base/check.h"
#include "base/mem.h"

enum { SLOT_BITS_FIRST = 4, TAG_BITS = 32 };

static void make_slots(struct ref_table *table, uint32_t bits)
{
    CHECK(bits < TAG_BITS);
    size_t slot_count = (size_t)1 << bits;
    table->slots = mem_alloc(slot_count * sizeof *table->slots);
    for (size_t i = 0; i < slot_count; i++)
        table->slots[i].ref = REF_TABLE_NONE;
    table->mask = (uint32_t)slot_count - 1;
    table->shift = TAG_BITS - bits;
}

void ref_table_init(struct ref_table *table)
{
    table->count = 0;
    make_slots(table, SLOT_BITS_FIRST);
}

void ref_table_deinit(struct ref_table *table)
{
    mem_free(table->slots);
    *table = (struct ref_table){0};
}

static void put(struct ref_table *table, struct ref_slot slot)
{
    uint32_t at = slot.tag >> table->shift;
    while (table->slots[at].ref != REF_TABLE_NONE)
        at = (at + 1) & table->mask;
    table->slots[at] = slot;
}

/* At most two thirds are used, so that a look-up of what is not there ends soon. */
static void grow(struct ref_table *table)
{
    size_t slot_count = (size_t)table->mask + 1;
    if ((table->count + 1) * 3 <= slot_count * 2)
        return;
    struct ref_slot *old = table->slots;
    make_slots(table, TAG_BITS - table->shift + 1);
    for (size_t i = 0; i < slot_count; i++) {
        if (old[i].ref != REF_TABLE_NONE)
            put(table, old[i]);
    }
    mem_free(old);
}

void ref_table_add(struct ref_table *table, uint64_t hash, uint32_t ref)
{
    CHECK(ref != REF_TABLE_NONE);
    grow(table);
    put(table, (struct ref_slot){.tag = ref_table_tag(hash), .ref = ref});
    table->count++;
}

/* Moves later slots of the cluster into the gap where that brings them nearer to their place. */
static void close_gap(struct ref_table *table, uint32_t gap)
{
    uint32_t mask = table->mask;
    for (uint32_t at = (gap + 1) & mask; table->slots[at].ref != REF_TABLE_NONE;
         at = (at + 1) & mask) {
        uint32_t home = table->slots[at].tag >> table->shift;
        if (((at - home) & mask) < ((at - gap) & mask))
            continue;
        table->slots[gap] = table->slots[at];
        gap = at;
    }
    table->slots[gap].ref = REF_TABLE_NONE;
}

void ref_table_remove(struct ref_table *table, uint64_t hash, uint32_t ref)
{
    uint32_t at = ref_table_tag(hash) >> table->shift;
    while (table->slots[at].ref != ref) {
        CHECK(table->slots[at].ref != REF_TABLE_NONE);
        at = (at + 1) & table->mask;
    }
    close_gap(table, at);
    table->count--;
}

size_t ref_table_memory_bytes(const struct ref_table *table)
{
    return ((size_t)table->mask + 1) * sizeof *table->slots;
}
