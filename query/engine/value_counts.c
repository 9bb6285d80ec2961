#include "query/engine/value_counts.h"

#include "base/hash.h"
#include "base/mem.h"
#include "query/engine/operator.h"

enum { SLOT_COUNT_FIRST = 64, PAGE_STEPS = 16 };

struct count_page {
    struct count_page *next;
    uint32_t first_step; /* a multiple of PAGE_STEPS */
    uint32_t counts[PAGE_STEPS];
};

void value_counts_init(struct value_counts *counts, struct eval *eval)
{
    *counts = (struct value_counts){.eval = eval};
    counts->end = &counts->first;
}

void value_counts_deinit(struct value_counts *counts)
{
    eval_release_array(counts->eval, counts->slot_count, sizeof *counts->slots);
    mem_free(counts->slots);
}

/* ---- values ---- */

/* Where the value is, or would be. */
static struct counted_value **find_slot(const struct value_counts *counts, uint32_t group,
                                        uint64_t bits)
{
    uint64_t key[2] = {group, bits};
    size_t mask = counts->slot_count - 1;
    size_t at = hash_bytes((struct bytes){(const uint8_t *)key, sizeof key}) & mask;
    while (counts->slots[at] != NULL &&
           (counts->slots[at]->group != group || counts->slots[at]->bits != bits))
        at = (at + 1) & mask;
    return &counts->slots[at];
}

static enum status grow_slots(struct value_counts *counts, struct error *err)
{
    size_t old_count = counts->slot_count;
    if (2 * (counts->count + 1) <= old_count)
        return STATUS_OK;
    size_t slot_count = old_count == 0 ? SLOT_COUNT_FIRST : 2 * old_count;
    TRY(eval_charge_array(counts->eval, slot_count, sizeof *counts->slots, err));
    eval_release_array(counts->eval, old_count, sizeof *counts->slots);
    mem_free(counts->slots);
    counts->slots = mem_alloc_zeroed(slot_count, sizeof *counts->slots);
    counts->slot_count = slot_count;
    for (struct counted_value *value = counts->first; value != NULL; value = value->next)
        *find_slot(counts, value->group, value->bits) = value;
    return STATUS_OK;
}

enum status value_counts_find(struct value_counts *counts, uint32_t group, uint64_t bits,
                              struct counted_value **out, struct error *err)
{
    TRY(grow_slots(counts, err));
    struct counted_value **slot = find_slot(counts, group, bits);
    if (*slot == NULL) {
        void *memory;
        TRY(eval_alloc(counts->eval, sizeof **slot, &memory, err));
        *slot = memory;
        **slot = (struct counted_value){.group = group, .bits = bits};
        *counts->end = *slot;
        counts->end = &(*slot)->next;
        counts->count++;
    }
    *out = *slot;
    return STATUS_OK;
}

/* ---- counts ---- */

/* Where the page that begins at `first_step` is linked, or would be. */
static struct count_page **find_page(struct counted_value *value, uint32_t first_step)
{
    bool is_behind = value->last != NULL && value->last->first_step < first_step;
    struct count_page **link = is_behind ? &value->last->next : &value->pages;
    while (*link != NULL && (*link)->first_step < first_step)
        link = &(*link)->next;
    return link;
}

static enum status turn_to_page(struct value_counts *counts, struct counted_value *value,
                                uint32_t first_step, struct error *err)
{
    struct count_page **link = find_page(value, first_step);
    if (*link == NULL || (*link)->first_step != first_step) {
        void *memory;
        TRY(eval_alloc(counts->eval, sizeof **link, &memory, err));
        struct count_page *page = memory;
        *page = (struct count_page){.next = *link, .first_step = first_step};
        *link = page;
    }
    value->last = *link;
    return STATUS_OK;
}

enum status counted_value_add(struct value_counts *counts, struct counted_value *value, size_t step,
                              struct error *err)
{
    uint32_t first_step = (uint32_t)(step - step % PAGE_STEPS);
    if (value->last == NULL || value->last->first_step != first_step)
        TRY(turn_to_page(counts, value, first_step, err));
    value->last->counts[step % PAGE_STEPS]++;
    return STATUS_OK;
}

void counted_value_column(const struct counted_value *value, double *column, size_t count)
{
    for (size_t step = 0; step < count; step++)
        column[step] = value_absent();
    for (const struct count_page *page = value->pages; page != NULL; page = page->next)
        for (size_t i = 0; i < PAGE_STEPS; i++)
            if (page->counts[i] > 0)
                column[page->first_step + i] = page->counts[i];
}
