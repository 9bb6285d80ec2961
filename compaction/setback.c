#include "compaction/setback.h"

#include "base/mem.h"

enum { DOUBLINGS_MAX = 6, WAIT_MAX_MS = 60 * 60 * 1000, WAIT_MIN_MS = 60 * 1000 };

_Static_assert(WAIT_MIN_MS << DOUBLINGS_MAX >= WAIT_MAX_MS, "the longest wait is reached");

void setback_table_init(struct setback_table *table)
{
    *table = (struct setback_table){0};
}

void setback_table_deinit(struct setback_table *table)
{
    mem_free(table->entries);
    *table = (struct setback_table){0};
}

static struct setback *find(const struct setback_table *table, uint32_t shard, int64_t day)
{
    for (size_t i = 0; i < table->count; i++) {
        struct setback *entry = &table->entries[i];
        if (entry->shard == shard && entry->day == day)
            return entry;
    }
    return NULL;
}

bool setback_is_held(const struct setback_table *table, uint32_t shard, int64_t day,
                     int64_t monotonic_ms)
{
    const struct setback *entry = find(table, shard, day);
    return entry != NULL && monotonic_ms < entry->retry_at_ms;
}

static struct setback *add(struct setback_table *table, uint32_t shard, int64_t day)
{
    table->entries =
        mem_grow(table->entries, &table->capacity, table->count + 1, sizeof *table->entries);
    struct setback *entry = &table->entries[table->count++];
    *entry = (struct setback){.shard = shard, .day = day};
    return entry;
}

void setback_note_failure(struct setback_table *table, uint32_t shard, int64_t day,
                          int64_t monotonic_ms)
{
    struct setback *entry = find(table, shard, day);
    if (entry == NULL)
        entry = add(table, shard, day);
    uint32_t doublings = entry->failures < DOUBLINGS_MAX ? entry->failures : DOUBLINGS_MAX;
    int64_t wait_ms = (int64_t)WAIT_MIN_MS << doublings;
    entry->retry_at_ms = monotonic_ms + (wait_ms < WAIT_MAX_MS ? wait_ms : WAIT_MAX_MS);
    entry->failures++;
}

void setback_end_waits(struct setback_table *table)
{
    for (size_t i = 0; i < table->count; i++)
        table->entries[i].retry_at_ms = INT64_MIN;
}

void setback_forget(struct setback_table *table, uint32_t shard, int64_t day)
{
    struct setback *entry = find(table, shard, day);
    if (entry != NULL)
        *entry = table->entries[--table->count];
}
