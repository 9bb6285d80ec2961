#include "tsdb/block/block_run.h"

/* ---- encoding ---- */

static void encode_chunk(struct buffer *chunks, const double *values, size_t count)
{
    uint64_t words[COLUMN_WORDS_MAX];
    uint8_t chunk[1 + COLUMN_BYTES_MAX];
    unsigned number = 0;
    memcpy(words, values, count * sizeof *values);
    size_t len = column_encode(&value_encodings, words, count, chunk + 1, &number);
    chunk[0] = (uint8_t)number;
    buffer_append(chunks, chunk, 1 + len);
}

/* Whether the chunk at `begin` says the same as the one before it, which is as long as it. */
static bool repeats(const struct buffer *chunks, size_t before, size_t begin)
{
    size_t len = chunks->len - begin;
    return begin - before == len && len > 0 &&
           memcmp(chunks->ptr + before, chunks->ptr + begin, len) == 0;
}

/* The lengths of the chunks as they come: what repeats is counted. */
struct run_lens {
    struct buffer *out;
    uint64_t repeats;
};

static void end_repeats(struct run_lens *lens)
{
    if (lens->repeats == 0)
        return;
    write_varint(lens->out, 0);
    write_varint(lens->out, lens->repeats);
    lens->repeats = 0;
}

bool run_encode(struct buffer *out, struct buffer *chunks, const double *values, size_t count)
{
    size_t per_chunk = timeline_per_chunk(count), before = 0;
    struct run_lens lens = {out, 0};
    buffer_reset(out);
    buffer_reset(chunks);
    for (size_t done = 0; done < count; done += per_chunk) {
        size_t left = count - done, begin = chunks->len;
        encode_chunk(chunks, values + done, left < per_chunk ? left : per_chunk);
        if (repeats(chunks, before, begin)) {
            chunks->len = begin;
            lens.repeats++;
            continue;
        }
        end_repeats(&lens);
        write_varint(out, chunks->len - begin);
        before = begin;
    }
    end_repeats(&lens);
    buffer_append(out, chunks->ptr, chunks->len);
    return !out->is_overflown && !chunks->is_overflown;
}

/* ---- walking over the chunks ---- */

struct run_walk {
    struct reader lens;
    struct reader chunks;
    struct bytes chunk;
    uint64_t repeats; /* of the chunk, still to come */
};

static enum status broken(struct error *err, const char *what)
{
    return error_set(err, STATUS_CORRUPT, "block: run: %s", what);
}

/* How many chunks an entry of the lengths stands for; a length of 0 for repeats
   of the one before. */
static uint64_t read_len(struct reader *lens, uint64_t *len)
{
    *len = reader_varint(lens);
    return *len > 0 ? 1 : reader_varint(lens);
}

static enum status walk_begin(struct run_walk *walk, struct bytes run, size_t chunk_count,
                              struct error *err)
{
    struct reader r = reader_of(run);
    *walk = (struct run_walk){.lens = r};
    for (size_t done = 0; done < chunk_count;) {
        uint64_t len, count = read_len(&r, &len);
        if (r.is_broken || count == 0 || count > chunk_count - done || (len == 0 && done == 0))
            return broken(err, "broken lengths of chunks");
        done += count;
    }
    walk->chunks = r;
    return STATUS_OK;
}

/* To the next chunk. */
static enum status walk_next(struct run_walk *walk, struct error *err)
{
    if (walk->repeats > 0) {
        walk->repeats--;
        return STATUS_OK;
    }
    uint64_t len, count = read_len(&walk->lens, &len);
    walk->repeats = count - 1;
    if (len > 0)
        walk->chunk = reader_bytes(&walk->chunks, len);
    return walk->chunk.len > 0 ? STATUS_OK : broken(err, "chunks end early");
}

static enum status walk_end(const struct run_walk *walk, struct error *err)
{
    return reader_left(&walk->chunks) == 0 ? STATUS_OK : broken(err, "bytes behind the chunks");
}

/* ---- decoding ---- */

static enum status decode_chunk(struct bytes chunk, double *to, size_t count, struct error *err)
{
    uint64_t words[COLUMN_WORDS_MAX];
    struct reader r = reader_of(chunk);
    unsigned number = reader_u8(&r);
    TRY(column_decode(&value_encodings, number, &r, words, count, err));
    if (reader_left(&r) > 0)
        return broken(err, "a chunk is not as long as its entry says");
    memcpy(to, words, count * sizeof *to);
    return STATUS_OK;
}

static enum status decode_range(struct bytes run, const struct timeline *timeline, size_t first,
                                size_t end, struct columns *out, struct error *err)
{
    struct run_walk walk;
    const uint8_t *decoded = NULL;
    TRY(walk_begin(&walk, run, timeline->chunk_count, err));
    for (size_t i = 0; i < timeline->chunk_count; i++) {
        TRY(walk_next(&walk, err));
        if (i < first || i >= end)
            continue;
        size_t count = timeline_chunk_len(timeline, i);
        double *to = out->values + out->count;
        if (walk.chunk.ptr == decoded && count == timeline->per_chunk)
            memcpy(to, to - count, count * sizeof *to);
        else
            TRY(decode_chunk(walk.chunk, to, count, err));
        decoded = walk.chunk.ptr;
        memcpy(out->ts_ms + out->count, timeline_chunk_ts_ms(timeline, i),
               count * sizeof *out->ts_ms);
        out->count += count;
    }
    return walk_end(&walk, err);
}

enum status run_decode(struct bytes run, const struct timeline *timeline, int64_t min_ts_ms,
                       int64_t max_ts_ms, struct columns *out, struct error *err)
{
    size_t first, end, count = out->count;
    timeline_find(timeline, min_ts_ms, max_ts_ms, &first, &end);
    columns_reserve(out, (end - first) * timeline->per_chunk);
    enum status status = decode_range(run, timeline, first, end, out, err);
    if (status != STATUS_OK)
        out->count = count;
    return status;
}

/* ---- sizes ---- */

static enum status measure_chunk(struct bytes chunk, size_t stored_bytes, size_t samples,
                                 struct run_sizes *sizes, struct error *err)
{
    unsigned number = chunk.ptr[0];
    if (encoding_name(&value_encodings, number) == NULL)
        return broken(err, "a chunk of unknown encoding");
    sizes->chunks++;
    sizes->samples += samples;
    sizes->value_bytes += stored_bytes;
    sizes->encodings[number].samples += samples;
    sizes->encodings[number].bytes += stored_bytes;
    return STATUS_OK;
}

enum status run_measure(struct bytes run, const struct timeline *timeline, struct run_sizes *sizes,
                        struct error *err)
{
    struct run_walk walk;
    TRY(walk_begin(&walk, run, timeline->chunk_count, err));
    sizes->head_bytes += run.len - reader_left(&walk.chunks);
    for (size_t i = 0; i < timeline->chunk_count; i++) {
        size_t left = reader_left(&walk.chunks);
        TRY(walk_next(&walk, err));
        TRY(measure_chunk(walk.chunk, left - reader_left(&walk.chunks),
                          timeline_chunk_len(timeline, i), sizes, err));
    }
    return walk_end(&walk, err);
}
