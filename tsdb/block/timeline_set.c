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

static void forget_recent(struct timeline_set *set)
{
    for (size_t i = 0; i < TIMELINE_SET_RECENT; i++) {
        timeline_release(set->recent[i]);
        set->recent[i] = NULL;
    }
}

void timeline_set_deinit(struct timeline_set *set)
{
    forget_recent(set);
    ref_table_deinit(&set->table);
    mem_free(set->kept);
    buffer_deinit(&set->bytes);
    *set = (struct timeline_set){0};
}

void timeline_set_reset(struct timeline_set *set)
{
    ref_table_deinit(&set->table);
    ref_table_init(&set->table);
    forget_recent(set);
    set->kept_count = 0;
    buffer_reset(&set->bytes);
}

static uint64_t hash_timestamps(const int64_t *ts_ms, size_t count)
{
    return hash_bytes((struct bytes){(const uint8_t *)ts_ms, count * sizeof *ts_ms});
}

/* Its bytes are our own, so they decode. With a reference. */
static struct timeline *decode(const struct timeline_set *set, size_t ref)
{
    const struct kept_timeline *kept = &set->kept[ref];
    struct timeline *timeline;
    struct error err;
    enum status status = timeline_open((struct bytes){set->bytes.ptr + kept->offset, kept->len},
                                       INT64_MIN, INT64_MAX, &timeline, &err);
    CHECK(status == STATUS_OK);
    return timeline;
}

/* With a reference. */
static struct timeline *get_decoded(struct timeline_set *set, size_t ref)
{
    struct timeline **recent = &set->recent[ref % TIMELINE_SET_RECENT];
    if (*recent == NULL || set->recent_refs[ref % TIMELINE_SET_RECENT] != ref) {
        struct timeline *timeline = decode(set, ref);
        if (timeline->count > TIMELINE_SET_RECENT_COUNT)
            return timeline;
        timeline_release(*recent);
        *recent = timeline;
        set->recent_refs[ref % TIMELINE_SET_RECENT] = ref;
    }
    timeline_acquire(*recent);
    return *recent;
}

static bool is_same(struct timeline_set *set, size_t ref, const int64_t *ts_ms, size_t count)
{
    struct timeline *timeline = get_decoded(set, ref);
    bool same =
        timeline->count == count && memcmp(timeline->ts_ms, ts_ms, count * sizeof *ts_ms) == 0;
    timeline_release(timeline);
    return same;
}

bool timeline_set_find(struct timeline_set *set, const int64_t *ts_ms, size_t count,
                       uint32_t *number)
{
    struct ref_probe probe = ref_table_probe(&set->table, hash_timestamps(ts_ms, count));
    uint32_t ref;
    while ((ref = ref_table_next(&set->table, &probe)) != REF_TABLE_NONE) {
        if (is_same(set, ref, ts_ms, count)) {
            *number = set->kept[ref].number;
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
