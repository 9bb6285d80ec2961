/*
 * setback: which days of which shards could not be merged lately, and when to try again.
 *
 * Each failure in a row doubles the wait, from a minute to an hour.
 *
 * Ownership: the table owns its entries.
 * Threads:   not synchronised.
 */
#ifndef CROFT_COMPACTION_SETBACK_H
#define CROFT_COMPACTION_SETBACK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct setback {
    uint32_t shard;
    int64_t day;
    uint32_t failures;   /* in a row */
    int64_t retry_at_ms; /* monotonic */
};

struct setback_table {
    struct setback *entries;
    size_t count;
    size_t capacity;
};

void setback_table_init(struct setback_table *table);
void setback_table_deinit(struct setback_table *table);

bool setback_is_held(const struct setback_table *table, uint32_t shard, int64_t day,
                     int64_t monotonic_ms);
void setback_note_failure(struct setback_table *table, uint32_t shard, int64_t day,
                          int64_t monotonic_ms);
/* Lets all days be tried again now; how often they failed is kept. */
void setback_end_waits(struct setback_table *table);
void setback_forget(struct setback_table *table, uint32_t shard, int64_t day);

#endif
