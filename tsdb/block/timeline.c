#include "tsdb/block/timeline.h"

#include "base/check.h"
#include "base/mem.h"

/* ---- encoding ---- */

size_t timeline_per_chunk(size_t count)
{
    CHECK(count > 0);
    size_t chunk_count = (count + TIMELINE_CHUNK_MAX - 1) / TIMELINE_CHUNK_MAX;
    return (count + chunk_count - 1) / chunk_count;
}

static void encode_chunk(struct buffer *chunks, const int64_t *ts_ms, size_t count)
{
    uint8_t chunk[1 + COLUMN_BYTES_MAX];
    unsigned number = 0;
    size_t len = column_encode(&ts_encodings, (const uint64_t *)ts_ms, count, chunk + 1, &number);
    chunk[0] = (uint8_t)number;
    buffer_append(chunks, chunk, 1 + len);
}

bool timeline_encode(struct buffer *out, struct buffer *chunks, const int64_t *ts_ms, size_t count)
{
    size_t per_chunk = timeline_per_chunk(count);
    buffer_reset(out);
    buffer_reset(chunks);
    write_varint(out, count);
    write_varint(out, per_chunk);
    uint64_t last = 0;
    for (size_t begin = 0; begin < count; begin += per_chunk) {
        size_t len = chunks->len, left = count - begin;
        size_t end = begin + (left < per_chunk ? left : per_chunk);
        encode_chunk(chunks, ts_ms + begin, end - begin);
        write_varint(out, chunks->len - len);
        write_svarint(out, (int64_t)((uint64_t)ts_ms[begin] - last));
        write_varint(out, (uint64_t)ts_ms[end - 1] - (uint64_t)ts_ms[begin]);
        last = (uint64_t)ts_ms[end - 1];
    }
    buffer_append(out, chunks->ptr, chunks->len);
    return !out->is_overflown && !chunks->is_overflown;
}

/* ---- the head ---- */

static enum status broken(struct error *err, const char *what)
{
    return error_set(err, STATUS_CORRUPT, "block: timeline: %s", what);
}

struct timeline_head {
    uint64_t count;
    uint64_t per_chunk;
    uint64_t chunk_count;
    struct reader entries; /* of the chunks */
    struct reader chunks;
};

static enum status read_head(struct bytes bytes, struct timeline_head *head, struct error *err)
{
    struct reader r = reader_of(bytes);
    head->count = reader_varint(&r);
    head->per_chunk = reader_varint(&r);
    if (r.is_broken || head->count == 0 || head->per_chunk == 0 ||
        head->per_chunk > TIMELINE_CHUNK_MAX)
        return broken(err, "broken head");
    head->chunk_count = (head->count - 1) / head->per_chunk + 1;
    /* an entry takes three bytes at least */
    if (head->chunk_count > reader_left(&r) / 3)
        return broken(err, "more chunks than bytes");
    head->entries = r;
    for (uint64_t i = 0; i < head->chunk_count; i++) {
        reader_varint(&r);
        reader_svarint(&r);
        reader_varint(&r);
    }
    head->chunks = r;
    return r.is_broken ? broken(err, "broken entries of chunks") : STATUS_OK;
}

static size_t chunk_len(uint64_t count, uint64_t per_chunk, uint64_t chunk)
{
    uint64_t left = count - chunk * per_chunk;
    return (size_t)(left < per_chunk ? left : per_chunk);
}

/* ---- opening ---- */

static struct timeline *timeline_new(const struct timeline_head *head)
{
    struct timeline *timeline = mem_alloc_zeroed(1, sizeof *timeline);
    refcount_init(&timeline->references);
    timeline->count = (size_t)head->count;
    timeline->per_chunk = (size_t)head->per_chunk;
    timeline->chunk_count = (size_t)head->chunk_count;
    timeline->spans = mem_alloc(timeline->chunk_count * sizeof *timeline->spans);
    return timeline;
}

static enum status read_spans(struct timeline *timeline, struct reader entries, struct error *err)
{
    uint64_t last = 0;
    for (size_t i = 0; i < timeline->chunk_count; i++) {
        struct timeline_span *span = &timeline->spans[i];
        reader_varint(&entries);
        span->min_ts_ms = (int64_t)(last + (uint64_t)reader_svarint(&entries));
        last = (uint64_t)span->min_ts_ms + reader_varint(&entries);
        span->max_ts_ms = (int64_t)last;
        if (span->max_ts_ms < span->min_ts_ms ||
            (i > 0 && span->min_ts_ms <= timeline->spans[i - 1].max_ts_ms))
            return broken(err, "chunks are out of order");
    }
    return STATUS_OK;
}

/* One chunk to `to`; its times are those of its entry. */
static enum status decode_chunk(struct bytes chunk, const struct timeline_span *span, int64_t *to,
                                size_t count, struct error *err)
{
    struct reader r = reader_of(chunk);
    unsigned number = reader_u8(&r);
    TRY(column_decode(&ts_encodings, number, &r, (uint64_t *)to, count, err));
    if (r.is_broken || reader_left(&r) > 0)
        return broken(err, "a chunk is not as long as its entry says");
    unsigned falls = 0;
    for (size_t i = 1; i < count; i++)
        falls |= to[i] <= to[i - 1];
    if (falls != 0)
        return broken(err, "timestamps do not increase");
    if (to[0] != span->min_ts_ms || to[count - 1] != span->max_ts_ms)
        return broken(err, "a chunk has other times than its entry");
    return STATUS_OK;
}

static enum status decode_chunks(struct timeline *timeline, struct timeline_head head,
                                 struct error *err)
{
    int64_t *to = timeline->ts_ms;
    for (size_t i = 0; i < timeline->chunk_count; i++) {
        struct bytes chunk = reader_bytes(&head.chunks, reader_varint(&head.entries));
        reader_svarint(&head.entries);
        reader_varint(&head.entries);
        if (head.chunks.is_broken)
            return broken(err, "chunks end early");
        if (i < timeline->first_chunk || i >= timeline->end_chunk)
            continue;
        size_t count = timeline_chunk_len(timeline, i);
        TRY(decode_chunk(chunk, &timeline->spans[i], to, count, err));
        to += count;
    }
    return reader_left(&head.chunks) == 0 ? STATUS_OK : broken(err, "bytes behind the chunks");
}

static enum status fill(struct timeline *timeline, const struct timeline_head *head,
                        int64_t min_ts_ms, int64_t max_ts_ms, struct error *err)
{
    TRY(read_spans(timeline, head->entries, err));
    timeline_find(timeline, min_ts_ms, max_ts_ms, &timeline->first_chunk, &timeline->end_chunk);
    size_t count = (timeline->end_chunk - timeline->first_chunk) * timeline->per_chunk;
    timeline->ts_ms = mem_alloc((count + 1) * sizeof *timeline->ts_ms);
    return decode_chunks(timeline, *head, err);
}

enum status timeline_open(struct bytes bytes, int64_t min_ts_ms, int64_t max_ts_ms,
                          struct timeline **out, struct error *err)
{
    struct timeline_head head;
    TRY(read_head(bytes, &head, err));
    struct timeline *timeline = timeline_new(&head);
    enum status status = fill(timeline, &head, min_ts_ms, max_ts_ms, err);
    if (status != STATUS_OK) {
        timeline_release(timeline);
        return status;
    }
    *out = timeline;
    return STATUS_OK;
}

void timeline_acquire(struct timeline *timeline)
{
    refcount_acquire(&timeline->references);
}

void timeline_release(struct timeline *timeline)
{
    if (timeline == NULL || !refcount_release(&timeline->references))
        return;
    mem_free(timeline->spans);
    mem_free(timeline->ts_ms);
    mem_free(timeline);
}

size_t timeline_memory_bytes(const struct timeline *timeline)
{
    size_t decoded = (timeline->end_chunk - timeline->first_chunk) * timeline->per_chunk;
    return sizeof *timeline + timeline->chunk_count * sizeof *timeline->spans +
           decoded * sizeof *timeline->ts_ms;
}

/* ---- looking at one ---- */

void timeline_find(const struct timeline *timeline, int64_t min_ts_ms, int64_t max_ts_ms,
                   size_t *first, size_t *end)
{
    *first = 0;
    while (*first < timeline->chunk_count && timeline->spans[*first].max_ts_ms < min_ts_ms)
        ++*first;
    *end = *first;
    while (*end < timeline->chunk_count && timeline->spans[*end].min_ts_ms <= max_ts_ms)
        ++*end;
}

size_t timeline_chunk_len(const struct timeline *timeline, size_t chunk)
{
    CHECK(chunk < timeline->chunk_count);
    return chunk_len(timeline->count, timeline->per_chunk, chunk);
}

const int64_t *timeline_chunk_ts_ms(const struct timeline *timeline, size_t chunk)
{
    CHECK(chunk >= timeline->first_chunk);
    CHECK(chunk < timeline->end_chunk);
    return timeline->ts_ms + (chunk - timeline->first_chunk) * timeline->per_chunk;
}

/* ---- sizes ---- */

enum status timeline_measure(struct bytes bytes, struct timeline_sizes *sizes, struct error *err)
{
    struct timeline_head head;
    TRY(read_head(bytes, &head, err));
    size_t left = reader_left(&head.chunks);
    sizes->timelines++;
    sizes->head_bytes += bytes.len - left;
    sizes->chunk_bytes += left;
    for (uint64_t i = 0; i < head.chunk_count; i++) {
        struct bytes chunk = reader_bytes(&head.chunks, reader_varint(&head.entries));
        reader_svarint(&head.entries);
        reader_varint(&head.entries);
        if (chunk.len == 0 || encoding_name(&ts_encodings, chunk.ptr[0]) == NULL)
            return broken(err, "broken chunk");
        sizes->encodings[chunk.ptr[0]].timestamps += chunk_len(head.count, head.per_chunk, i);
        sizes->encodings[chunk.ptr[0]].bytes += chunk.len;
    }
    return STATUS_OK;
}
