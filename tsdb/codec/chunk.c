#include "tsdb/codec/chunk.h"

#include <inttypes.h>

#include "base/check.h"

_Static_assert((int)CHUNK_SAMPLES_MAX == (int)COLUMN_WORDS_MAX, "a column holds a chunk");

enum { HEADER_BYTES = 2 };

static void encode_times(struct chunk_times *times, const int64_t *ts_ms, size_t count)
{
    if (times->count == count && memcmp(times->ts_ms, ts_ms, count * sizeof *ts_ms) == 0)
        return;
    memcpy(times->ts_ms, ts_ms, count * sizeof *ts_ms);
    times->count = count;
    times->len = column_encode(&ts_encodings, (const uint64_t *)times->ts_ms, count, times->column,
                               &times->number);
}

void chunk_encode(struct buffer *out, struct chunk_times *latest, const int64_t *ts_ms,
                  const double *values, size_t count)
{
    CHECK(count > 0);
    CHECK(count <= CHUNK_SAMPLES_MAX);
    uint64_t words[CHUNK_SAMPLES_MAX];
    uint8_t chunk[HEADER_BYTES + 2 * COLUMN_BYTES_MAX];
    unsigned value_number = 0;
    encode_times(latest, ts_ms, count);
    memcpy(chunk + HEADER_BYTES, latest->column, latest->len);
    size_t len = HEADER_BYTES + latest->len;
    memcpy(words, values, count * sizeof *values);
    len += column_encode(&value_encodings, words, count, chunk + len, &value_number);
    chunk[0] = (uint8_t)count;
    chunk[1] = (uint8_t)(latest->number | value_number << 4);
    CHECK(len <= CHUNK_BYTES_MAX);
    buffer_append(out, chunk, len);
}

/* Of the `count` timestamps behind out->count. */
static enum status check_order(const struct columns *out, size_t count, struct error *err)
{
    const int64_t *ts_ms = out->ts_ms + out->count;
    unsigned falls = 0;
    for (size_t i = 1; i < count; i++)
        falls |= ts_ms[i] <= ts_ms[i - 1];
    if (falls != 0)
        return error_set(err, STATUS_CORRUPT, "chunk: timestamps do not increase");
    if (out->count > 0 && ts_ms[0] <= out->ts_ms[out->count - 1])
        return error_set(err, STATUS_CORRUPT,
                         "chunk: timestamps: got %" PRId64 " ms after %" PRId64 " ms", ts_ms[0],
                         out->ts_ms[out->count - 1]);
    return STATUS_OK;
}

enum status chunk_decode(struct bytes chunk, struct columns *out, struct error *err)
{
    struct reader r = reader_of(chunk);
    size_t count = reader_u8(&r);
    unsigned numbers = reader_u8(&r);
    if (r.is_broken || count == 0 || count > CHUNK_SAMPLES_MAX)
        return error_set(err, STATUS_CORRUPT, "chunk: got %zu samples, want 1 to %d", count,
                         CHUNK_SAMPLES_MAX);
    columns_reserve(out, count);
    uint64_t words[CHUNK_SAMPLES_MAX];
    TRY(column_decode(&ts_encodings, numbers & 0xf, &r, (uint64_t *)(out->ts_ms + out->count),
                      count, err));
    TRY(column_decode(&value_encodings, numbers >> 4, &r, words, count, err));
    if (reader_left(&r) > 0)
        return error_set(err, STATUS_CORRUPT, "chunk: %zu bytes behind the end", reader_left(&r));
    TRY(check_order(out, count, err));
    memcpy(out->values + out->count, words, count * sizeof *words);
    out->count += count;
    return STATUS_OK;
}

int64_t chunk_min_ts_ms(struct bytes chunk)
{
    struct reader r = reader_of(chunk);
    reader_bytes(&r, HEADER_BYTES);
    int64_t min_ts_ms = reader_svarint(&r);
    CHECK(!r.is_broken);
    return min_ts_ms;
}
