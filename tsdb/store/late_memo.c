#include "tsdb/store/late_memo.h"

#include "base/check.h"
#include "base/mem.h"

/* All that the series has from min_ts_ms to max_ts_ms, at least one sample; zeroed
   when it is of none. */
struct late_entry {
    struct late_key key;
    int64_t min_ts_ms; /* inclusive */
    int64_t max_ts_ms; /* inclusive */
    uint32_t count;
    uint32_t next; /* behind the one that was found last: the guess that keeps the others out of the
                      processor's caches */
    struct sample samples[LATE_MEMO_SAMPLES];
};

#define TABLE_BYTES (sizeof(struct late_entry) << LATE_MEMO_BITS)

_Static_assert(TABLE_BYTES < 20000000, "as the header says");

/* No tenant has that id. */
#define PAYER STR("/late")

void late_memo_init(struct late_memo *memo, struct budget *budget)
{
    *memo = (struct late_memo){0};
    mutex_init(&memo->lock);
    charge_init(&memo->charge, budget, PAYER);
}

void late_memo_deinit(struct late_memo *memo)
{
    mem_free(memo->entries);
    charge_deinit(&memo->charge);
    mutex_deinit(&memo->lock);
}

/* Neighbours of a block are no rivals. */
static struct late_entry *entry_of_locked(const struct late_memo *memo, const struct late_key *key)
    REQUIRES(memo->lock)
{
    CHECK(mutex_is_held(&memo->lock));
    /* 2^64 / golden ratio: sequences and tenants are small numbers */
    uint64_t mixed = (key->sequence << 32 ^ key->tenant) * UINT64_C(0x9e3779b97f4a7c15);
    uint32_t at = (uint32_t)(mixed >> (64 - LATE_MEMO_BITS)) + key->series;
    return &memo->entries[at & ((1U << LATE_MEMO_BITS) - 1)];
}

static bool is_of(const struct late_entry *entry, const struct late_key *key)
{
    return entry->key.sequence == key->sequence && entry->key.tenant == key->tenant &&
           entry->key.series == key->series;
}

/* The position of the sample; `count` when there is none. */
static uint32_t find_sample(const struct late_entry *entry, int64_t ts_ms)
{
    uint32_t at = entry->next;
    if (at < entry->count && entry->samples[at].ts_ms == ts_ms)
        return at;
    for (at = 0; at < entry->count && entry->samples[at].ts_ms != ts_ms;)
        at++;
    return at;
}

static bool find_locked(struct late_memo *memo, const struct late_key *key, struct sample sample,
                        enum append_result *result) REQUIRES(memo->lock)
{
    if (memo->entries == NULL)
        return false;
    struct late_entry *entry = entry_of_locked(memo, key);
    if (entry->count == 0 || !is_of(entry, key) || sample.ts_ms < entry->min_ts_ms ||
        sample.ts_ms > entry->max_ts_ms)
        return false;
    uint32_t at = find_sample(entry, sample.ts_ms);
    *result = APPEND_OK;
    if (at < entry->count) {
        bool is_same = f64_bits(entry->samples[at].value) == f64_bits(sample.value);
        *result = is_same ? APPEND_DUPLICATE : APPEND_CONFLICT;
        entry->next = at + 1;
    }
    return true;
}

bool late_memo_find(struct late_memo *memo, const struct late_key *key, struct sample sample,
                    enum append_result *result)
{
    mutex_lock(&memo->lock);
    bool is_known = find_locked(memo, key, sample, result);
    memo->is_used = true;
    mutex_unlock(&memo->lock);
    return is_known;
}

static void fill(struct late_entry *entry, const struct late_key *key, int64_t min_ts_ms,
                 int64_t max_ts_ms, const struct columns *samples)
{
    bool is_cut = samples->count > LATE_MEMO_SAMPLES;
    entry->key = *key;
    entry->count = is_cut ? LATE_MEMO_SAMPLES : (uint32_t)samples->count;
    entry->next = 0;
    for (uint32_t i = 0; i < entry->count; i++)
        entry->samples[i] = (struct sample){samples->ts_ms[i], samples->values[i]};
    entry->min_ts_ms = min_ts_ms;
    entry->max_ts_ms = is_cut ? entry->samples[LATE_MEMO_SAMPLES - 1].ts_ms : max_ts_ms;
}

static bool has_table_locked(struct late_memo *memo) REQUIRES(memo->lock)
{
    if (memo->entries != NULL || memo->is_refused)
        return memo->entries != NULL;
    memo->is_refused = charge_take(&memo->charge, TABLE_BYTES, NULL) != STATUS_OK;
    if (!memo->is_refused)
        memo->entries = mem_alloc_zeroed(1, TABLE_BYTES);
    return !memo->is_refused;
}

void late_memo_keep(struct late_memo *memo, const struct late_key *key, int64_t min_ts_ms,
                    int64_t max_ts_ms, const struct columns *samples)
{
    if (samples->count == 0)
        return;
    mutex_lock(&memo->lock);
    if (has_table_locked(memo))
        fill(entry_of_locked(memo, key), key, min_ts_ms, max_ts_ms, samples);
    mutex_unlock(&memo->lock);
}

void late_memo_rest(struct late_memo *memo)
{
    mutex_lock(&memo->lock);
    if (!memo->is_used) {
        mem_free(memo->entries);
        memo->entries = NULL;
        charge_give(&memo->charge, memo->charge.held_bytes);
    }
    memo->is_used = memo->is_refused = false;
    mutex_unlock(&memo->lock);
}

size_t late_memo_bytes(struct late_memo *memo)
{
    mutex_lock(&memo->lock);
    size_t bytes = memo->entries == NULL ? 0 : TABLE_BYTES;
    mutex_unlock(&memo->lock);
    return bytes;
}
