#include "tsdb/index/postings.h"

#include <roaring/roaring.h>

#include "base/check.h"
#include "base/mem.h"

/* Beyond this a bitmap is smaller and faster: an array of 64 is 256 bytes, an empty bitmap about
   120. A bitmap that shrinks to half of it becomes an array again; in between, both forms stay. */
enum { SMALL_COUNT_MAX = 64 };

/* Counting the bytes of a bitmap costs as much as adding to it: so it is done at one position in
   64, which are spread so that the positions of no label avoid all of them. */
static bool is_counted_at(uint32_t position)
{
    return position * UINT32_C(0x9e3779b1) >> 26 == 0;
}

static bool is_bitmap(const struct postings *p)
{
    return p->count == POSTINGS_IS_BITMAP;
}

/* The positions of the two small forms. */
static const uint32_t *small_positions(const struct postings *p)
{
    return p->capacity == 0 ? &p->one : p->small;
}

void postings_init(struct postings *p)
{
    *p = (struct postings){0};
}

void postings_deinit(struct postings *p)
{
    if (is_bitmap(p))
        roaring_bitmap_free(p->bitmap);
    else if (p->capacity > 0)
        mem_free(p->small);
    postings_init(p);
}

/* `to` takes what `from` owns. */
static void replace(struct postings *to, struct postings from)
{
    postings_deinit(to);
    *to = from;
}

static void count_bitmap_bytes(struct postings *p)
{
    p->bitmap_bytes =
        (uint32_t)(sizeof(roaring_bitmap_t) + roaring_bitmap_portable_size_in_bytes(p->bitmap));
}

static struct postings bitmap_of(const struct postings *p)
{
    roaring_bitmap_t *bitmap = roaring_bitmap_of_ptr(p->count, small_positions(p));
    CHECK(bitmap != NULL);
    struct postings made = {.count = POSTINGS_IS_BITMAP, .bitmap = bitmap};
    count_bitmap_bytes(&made);
    return made;
}

static struct postings small_with_capacity(size_t capacity)
{
    uint32_t *small = mem_alloc(capacity * sizeof *small);
    return (struct postings){.count = 0, .capacity = (uint32_t)capacity, .small = small};
}

/* Bitmaps that have become small turn into arrays. */
static void settle(struct postings *p)
{
    if (!is_bitmap(p))
        return;
    size_t count = (size_t)roaring_bitmap_get_cardinality(p->bitmap);
    if (count > SMALL_COUNT_MAX / 2)
        return;
    struct postings small = {0};
    if (count > 1)
        small = small_with_capacity(count);
    roaring_bitmap_to_uint32_array(p->bitmap, count > 1 ? small.small : &small.one);
    small.count = (uint32_t)count;
    replace(p, small);
}

/* The place of the first position that is not less. */
static uint32_t small_find(const struct postings *p, uint32_t position)
{
    const uint32_t *positions = small_positions(p);
    uint32_t start = 0;
    uint32_t end = p->count;
    if (end > 0 && positions[end - 1] < position)
        return end; /* new series have the greatest refs */
    while (start < end) {
        uint32_t middle = start + (end - start) / 2;
        if (positions[middle] < position)
            start = middle + 1;
        else
            end = middle;
    }
    return start;
}

static void small_reserve_one(struct postings *p)
{
    if (p->count < p->capacity)
        return;
    size_t capacity = p->capacity == 0 ? 4 : (size_t)p->capacity * 2;
    struct postings larger = small_with_capacity(capacity);
    memcpy(larger.small, small_positions(p), p->count * sizeof *p->small);
    larger.count = p->count;
    replace(p, larger);
}

static void small_insert(struct postings *p, uint32_t at, uint32_t position)
{
    small_reserve_one(p);
    memmove(p->small + at + 1, p->small + at, (p->count - at) * sizeof *p->small);
    p->small[at] = position;
    p->count++;
}

void postings_add(struct postings *p, uint32_t position)
{
    if (is_bitmap(p)) {
        roaring_bitmap_add(p->bitmap, position);
        if (is_counted_at(position))
            count_bitmap_bytes(p);
        return;
    }
    uint32_t at = small_find(p, position);
    if (at < p->count && small_positions(p)[at] == position)
        return;
    if (p->count == 0 && p->capacity == 0) {
        p->one = position;
        p->count = 1;
    } else if (p->count < SMALL_COUNT_MAX) {
        small_insert(p, at, position);
    } else {
        replace(p, bitmap_of(p));
        roaring_bitmap_add(p->bitmap, position);
    }
}

void postings_remove(struct postings *p, uint32_t position)
{
    if (is_bitmap(p)) {
        roaring_bitmap_remove(p->bitmap, position);
        if (is_counted_at(position))
            count_bitmap_bytes(p);
        settle(p);
        return;
    }
    uint32_t at = small_find(p, position);
    if (at == p->count || small_positions(p)[at] != position)
        return;
    p->count--;
    if (p->count == 0)
        postings_deinit(p);
    else
        memmove(p->small + at, p->small + at + 1, (p->count - at) * sizeof *p->small);
}

bool postings_contains(const struct postings *p, uint32_t position)
{
    if (is_bitmap(p))
        return roaring_bitmap_contains(p->bitmap, position);
    uint32_t at = small_find(p, position);
    return at < p->count && small_positions(p)[at] == position;
}

bool postings_is_empty(const struct postings *p)
{
    return p->count == 0; /* settle leaves no empty bitmap behind */
}

size_t postings_count(const struct postings *p)
{
    return is_bitmap(p) ? (size_t)roaring_bitmap_get_cardinality(p->bitmap) : p->count;
}

void postings_clone(struct postings *to, const struct postings *from)
{
    *to = *from;
    if (is_bitmap(from)) {
        to->bitmap = roaring_bitmap_copy(from->bitmap);
        CHECK(to->bitmap != NULL);
    } else if (from->capacity > 0) {
        *to = small_with_capacity(from->capacity);
        memcpy(to->small, from->small, from->count * sizeof *to->small);
        to->count = from->count;
    }
}

/* Keeps the positions of a small set that `other` contains, or those that it does not. */
static void small_filter(struct postings *p, const struct postings *other, bool keeps_contained)
{
    uint32_t *positions = p->capacity == 0 ? &p->one : p->small;
    uint32_t kept = 0;
    for (uint32_t i = 0; i < p->count; i++) {
        if (postings_contains(other, positions[i]) == keeps_contained)
            positions[kept++] = positions[i];
    }
    p->count = kept;
    if (kept == 0)
        postings_deinit(p);
}

void postings_intersect(struct postings *to, const struct postings *other)
{
    CHECK(to != other);
    if (!is_bitmap(to)) {
        small_filter(to, other, true);
    } else if (!is_bitmap(other)) {
        struct postings kept;
        postings_clone(&kept, other);
        small_filter(&kept, to, true);
        replace(to, kept);
    } else {
        roaring_bitmap_and_inplace(to->bitmap, other->bitmap);
        settle(to);
    }
}

void postings_unite(struct postings *to, const struct postings *other)
{
    CHECK(to != other);
    if (is_bitmap(to) && is_bitmap(other)) {
        roaring_bitmap_or_inplace(to->bitmap, other->bitmap);
        return;
    }
    if (is_bitmap(other)) {
        struct postings all;
        postings_clone(&all, other);
        postings_unite(&all, to);
        replace(to, all);
        return;
    }
    for (uint32_t i = 0; i < other->count; i++)
        postings_add(to, small_positions(other)[i]);
}

void postings_subtract(struct postings *to, const struct postings *other)
{
    CHECK(to != other);
    if (!is_bitmap(to)) {
        small_filter(to, other, false);
        return;
    }
    if (is_bitmap(other))
        roaring_bitmap_andnot_inplace(to->bitmap, other->bitmap);
    else
        roaring_bitmap_remove_many(to->bitmap, other->count, small_positions(other));
    settle(to);
}

void postings_to_array(const struct postings *p, uint32_t *out)
{
    if (is_bitmap(p))
        roaring_bitmap_to_uint32_array(p->bitmap, out);
    else if (p->count > 0)
        memcpy(out, small_positions(p), p->count * sizeof *out);
}

size_t postings_memory_bytes(const struct postings *p)
{
    return is_bitmap(p) ? p->bitmap_bytes : p->capacity * sizeof *p->small;
}

/* A run of neighbouring positions; `next` is the least position that may start another. */
struct run {
    uint64_t next;
    uint64_t count; /* 0 before the first run; all 2^32 positions may be one run */
    uint32_t first;
};

static void write_run(struct buffer *out, struct run *run)
{
    if (run->count == 0)
        return;
    uint64_t gap = run->first - run->next;
    write_varint(out, gap << 1 | (run->count > 1));
    if (run->count > 1)
        write_varint(out, run->count - 2);
    run->next = run->first + run->count + 1;
}

void postings_encode(struct buffer *out, const uint32_t *positions, size_t count)
{
    struct run run = {0};
    for (size_t i = 0; i < count; i++) {
        if (run.count > 0 && positions[i] == run.first + run.count) {
            run.count++;
            continue;
        }
        write_run(out, &run);
        run.first = positions[i];
        run.count = 1;
    }
    write_run(out, &run);
}

void postings_add_range(struct postings *p, uint32_t first, uint32_t last)
{
    if (!is_bitmap(p) && last - first < SMALL_COUNT_MAX - p->count) {
        for (uint32_t i = 0; i <= last - first; i++)
            postings_add(p, first + i);
        return;
    }
    if (!is_bitmap(p))
        replace(p, bitmap_of(p));
    roaring_bitmap_add_range_closed(p->bitmap, first, last);
}

static enum status decode_runs(struct postings *p, struct reader *r, uint32_t position_max,
                               struct error *err)
{
    uint64_t next = 0;
    while (reader_left(r) > 0) {
        uint64_t head = reader_varint(r);
        uint64_t more = head & 1 ? reader_varint(r) : 0;
        if (r->is_broken)
            return error_set(err, STATUS_CORRUPT, "postings: cut in the middle of a run");
        /* each is checked alone first, so that no sum can overflow */
        uint64_t first = next + (head >> 1);
        uint64_t count = head & 1 ? more + 2 : 1;
        if (head >> 1 > position_max || first > position_max || more > position_max ||
            count - 1 > position_max - first)
            return error_set(err, STATUS_CORRUPT,
                             "postings: position out of range, want at most %u", position_max);
        postings_add_range(p, (uint32_t)first, (uint32_t)(first + count - 1));
        next = first + count + 1;
    }
    return STATUS_OK;
}

enum status postings_decode(struct postings *p, struct bytes data, uint32_t position_max,
                            struct error *err)
{
    postings_deinit(p);
    struct reader r = reader_of(data);
    enum status status = decode_runs(p, &r, position_max, err);
    if (status != STATUS_OK)
        postings_deinit(p);
    return status;
}
