#include "tsdb/block/block_run.h"

#include "base/check.h"

bool run_encode(struct buffer *out, struct buffer *chunks, const struct columns *samples)
{
    CHECK(samples->count > 0);
    buffer_reset(out);
    buffer_reset(chunks);
    size_t chunk_count = (samples->count + CHUNK_SAMPLES_MAX - 1) / CHUNK_SAMPLES_MAX;
    size_t per_chunk = (samples->count + chunk_count - 1) / chunk_count;
    chunk_count = (samples->count + per_chunk - 1) / per_chunk;
    write_varint(out, chunk_count);
    uint64_t last = 0;
    for (size_t begin = 0; begin < samples->count; begin += per_chunk) {
        size_t left = samples->count - begin, count = left < per_chunk ? left : per_chunk;
        const int64_t *ts_ms = samples->ts_ms + begin;
        size_t len = chunks->len;
        chunk_encode(chunks, ts_ms, samples->values + begin, count);
        write_varint(out, chunks->len - len);
        write_svarint(out, (int64_t)((uint64_t)ts_ms[0] - last));
        write_varint(out, (uint64_t)ts_ms[count - 1] - (uint64_t)ts_ms[0]);
        last = (uint64_t)ts_ms[count - 1];
    }
    buffer_append(out, chunks->ptr, chunks->len);
    return !out->is_overflown && !chunks->is_overflown;
}

static enum status broken(struct error *err)
{
    return error_set(err, STATUS_CORRUPT, "block: run of chunks: broken head");
}

struct run_head {
    struct reader entries; /* of the chunks */
    uint64_t chunk_count;
    struct reader chunks;
};

/* Finds where the chunks begin. */
static enum status read_head(struct bytes run, struct run_head *head, struct error *err)
{
    struct reader r = reader_of(run);
    head->chunk_count = reader_varint(&r);
    /* an entry takes three bytes at least */
    if (r.is_broken || head->chunk_count == 0 || head->chunk_count > reader_left(&r) / 3)
        return broken(err);
    head->entries = r;
    for (uint64_t i = 0; i < head->chunk_count; i++) {
        reader_varint(&r);
        reader_svarint(&r);
        reader_varint(&r);
    }
    head->chunks = r;
    return r.is_broken ? broken(err) : STATUS_OK;
}

static enum status decode_chunks(struct run_head *head, int64_t min_ts_ms, int64_t max_ts_ms,
                                 struct columns *out, struct error *err)
{
    uint64_t last = 0;
    for (uint64_t i = 0; i < head->chunk_count; i++) {
        struct bytes chunk = reader_bytes(&head->chunks, reader_varint(&head->entries));
        uint64_t first = last + (uint64_t)reader_svarint(&head->entries);
        last = first + reader_varint(&head->entries);
        if (head->chunks.is_broken)
            return broken(err);
        if ((int64_t)last < min_ts_ms || (int64_t)first > max_ts_ms)
            continue;
        size_t count = out->count;
        TRY(chunk_decode(chunk, out, err));
        if (out->ts_ms[count] != (int64_t)first || out->ts_ms[out->count - 1] != (int64_t)last)
            return error_set(err, STATUS_CORRUPT,
                             "block: run of chunks: a chunk has other times than its entry");
    }
    return reader_left(&head->chunks) == 0 ? STATUS_OK : broken(err);
}

enum status run_decode(struct bytes run, int64_t min_ts_ms, int64_t max_ts_ms, struct columns *out,
                       struct error *err)
{
    struct run_head head;
    size_t count = out->count;
    TRY(read_head(run, &head, err));
    enum status status = decode_chunks(&head, min_ts_ms, max_ts_ms, out, err);
    if (status != STATUS_OK)
        out->count = count;
    return status;
}

static void add_chunk(struct run_sizes *sizes, const struct chunk_parts *parts)
{
    sizes->chunks++;
    sizes->samples += parts->sample_count;
    sizes->ts_bytes += parts->ts_bytes;
    sizes->value_bytes += parts->value_bytes;
    sizes->ts_encodings[parts->ts_encoding].samples += parts->sample_count;
    sizes->ts_encodings[parts->ts_encoding].bytes += parts->ts_bytes;
    sizes->value_encodings[parts->value_encoding].samples += parts->sample_count;
    sizes->value_encodings[parts->value_encoding].bytes += parts->value_bytes;
}

enum status run_measure(struct bytes run, struct run_sizes *sizes, struct error *err)
{
    struct run_head head;
    TRY(read_head(run, &head, err));
    uint64_t column_bytes = sizes->ts_bytes + sizes->value_bytes;
    for (uint64_t i = 0; i < head.chunk_count; i++) {
        struct chunk_parts parts;
        struct bytes chunk = reader_bytes(&head.chunks, reader_varint(&head.entries));
        reader_svarint(&head.entries);
        reader_varint(&head.entries);
        TRY(chunk_measure(chunk, &parts, err));
        add_chunk(sizes, &parts);
    }
    column_bytes = sizes->ts_bytes + sizes->value_bytes - column_bytes;
    sizes->head_bytes += run.len - column_bytes;
    return STATUS_OK;
}
