#include "tsdb/block/timeline_set.h"

#include "base/check.h"
#include "base/hash.h"
#include "base/mem.h"
#include "tsdb/block/timeline.h"

struct kept_timeline {
    size_t offset; /* in `bytes` */
    size_t len;
    uint32_t number;
};

void timeline_set_init(struct timeline_set *set)
{
    *set = (struct timeline_set){0};
    ref_table_init(&set->table);
    buffer_init(&set->bytes, TIMELINE_SET_BYTES_MAX);
}

void timeline_set_deinit(struct timeline_set *set)
{
    ref_table_deinit(&set->table);
    mem_free(set->kept);
    buffer_deinit(&set->bytes);
    *set = (struct timeline_set){0};
}

void timeline_set_reset(struct timeline_set *set)
{
    ref_table_deinit(&set->table);
    ref_table_init(&set->table);
    set->kept_count = 0;
    buffer_reset(&set->bytes);
}

static uint64_t hash_timestamps(const int64_t *ts_ms, size_t count)
{
    return hash_bytes((struct bytes){(const uint8_t *)ts_ms, count * sizeof *ts_ms});
}

/* Its bytes are our own, so they decode. */
static bool is_same(struct bytes encoded, const int64_t *ts_ms, size_t count)
{
    struct timeline *timeline;
    struct error err;
    enum status status = timeline_open(encoded, INT64_MIN, INT64_MAX, &timeline, &err);
    CHECK(status == STATUS_OK);
    bool same =
        timeline->count == count && memcmp(timeline->ts_ms, ts_ms, count * sizeof *ts_ms) == 0;
    timeline_release(timeline);
    return same;
}

bool timeline_set_find(const struct timeline_set *set, const int64_t *ts_ms, size_t count,
                       uint32_t *number)
{
    struct ref_probe probe = ref_table_probe(&set->table, hash_timestamps(ts_ms, count));
    uint32_t ref;
    while ((ref = ref_table_next(&set->table, &probe)) != REF_TABLE_NONE) {
        const struct kept_timeline *kept = &set->kept[ref];
        if (is_same((struct bytes){set->bytes.ptr + kept->offset, kept->len}, ts_ms, count)) {
            *number = kept->number;
            return true;
        }
    }
    return false;
}

void timeline_set_add(struct timeline_set *set, const int64_t *ts_ms, size_t count,
                      struct bytes encoded, uint32_t number)
{
    if (encoded.len > TIMELINE_SET_BYTES_MAX)
        return;
    if (encoded.len > TIMELINE_SET_BYTES_MAX - set->bytes.len)
        timeline_set_reset(set);
    size_t ref = set->kept_count++;
    set->kept = mem_grow(set->kept, &set->kept_capacity, set->kept_count, sizeof *set->kept);
    set->kept[ref] = (struct kept_timeline){set->bytes.len, encoded.len, number};
    buffer_append(&set->bytes, encoded.ptr, encoded.len);
    ref_table_add(&set->table, hash_timestamps(ts_ms, count), (uint32_t)ref);
}
