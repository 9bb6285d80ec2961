#include "tsdb/block/timeline_cache.h"

#include "base/check.h"
#include "base/hash.h"
#include "base/mem.h"

struct cached_timeline {
    struct timeline_key key;
    struct timeline *timeline;
};

void timeline_cache_init(struct timeline_cache *cache)
{
    *cache = (struct timeline_cache){0};
    mutex_init(&cache->lock);
    ref_table_init(&cache->table);
}

static void drop_all(struct timeline_cache *cache)
{
    for (size_t i = 0; i < cache->entry_count; i++)
        timeline_release(cache->entries[i].timeline);
    cache->entry_count = 0;
    cache->bytes = 0;
    ref_table_deinit(&cache->table);
}

void timeline_cache_deinit(struct timeline_cache *cache)
{
    drop_all(cache);
    mem_free(cache->entries);
    mutex_deinit(&cache->lock);
}

static uint64_t hash_key(const struct timeline_key *key)
{
    uint64_t words[2] = {(uintptr_t)key->block, (uint64_t)key->tenant << 32 | key->number};
    return hash_bytes((struct bytes){(const uint8_t *)words, sizeof words});
}

static struct cached_timeline *find_locked(const struct timeline_cache *cache,
                                           const struct timeline_key *key) REQUIRES(cache->lock)
{
    CHECK(mutex_is_held(&cache->lock));
    struct ref_probe probe = ref_table_probe(&cache->table, hash_key(key));
    uint32_t ref;
    while ((ref = ref_table_next(&cache->table, &probe)) != REF_TABLE_NONE) {
        struct cached_timeline *entry = &cache->entries[ref];
        if (entry->key.block == key->block && entry->key.tenant == key->tenant &&
            entry->key.number == key->number)
            return entry;
    }
    return NULL;
}

struct timeline *timeline_cache_get(struct timeline_cache *cache, const struct timeline_key *key)
{
    struct timeline *timeline = NULL;
    mutex_lock(&cache->lock);
    const struct cached_timeline *entry = find_locked(cache, key);
    if (entry != NULL) {
        timeline = entry->timeline;
        timeline_acquire(timeline);
    }
    mutex_unlock(&cache->lock);
    return timeline;
}

static void add_locked(struct timeline_cache *cache, const struct timeline_key *key,
                       struct timeline *timeline) REQUIRES(cache->lock)
{
    size_t ref = cache->entry_count++;
    cache->entries = mem_grow(cache->entries, &cache->entry_capacity, cache->entry_count,
                              sizeof *cache->entries);
    cache->entries[ref] = (struct cached_timeline){*key, timeline};
    ref_table_add(&cache->table, hash_key(key), (uint32_t)ref);
}

static void put_locked(struct timeline_cache *cache, const struct timeline_key *key,
                       struct timeline *timeline) REQUIRES(cache->lock)
{
    size_t bytes = timeline_memory_bytes(timeline);
    if (bytes > TIMELINE_CACHE_BYTES_MAX)
        return;
    if (bytes > TIMELINE_CACHE_BYTES_MAX - cache->bytes) {
        drop_all(cache);
        ref_table_init(&cache->table);
    }
    timeline_acquire(timeline);
    cache->bytes += bytes;
    struct cached_timeline *entry = find_locked(cache, key);
    if (entry == NULL) {
        add_locked(cache, key, timeline);
        return;
    }
    cache->bytes -= timeline_memory_bytes(entry->timeline);
    timeline_release(entry->timeline);
    entry->timeline = timeline;
}

void timeline_cache_put(struct timeline_cache *cache, const struct timeline_key *key,
                        struct timeline *timeline)
{
    mutex_lock(&cache->lock);
    put_locked(cache, key, timeline);
    mutex_unlock(&cache->lock);
}
