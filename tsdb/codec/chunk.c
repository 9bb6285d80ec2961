#include "tsdb/codec/chunk.h"

#include <inttypes.h>

#include "base/check.h"
#include "tsdb/codec/encoding.h"

_Static_assert((int)CHUNK_SAMPLES_MAX == (int)COLUMN_WORDS_MAX, "a column holds a chunk");

enum {
    ENCODING_ROWS_MAX = CHUNK_ENCODINGS_MAX,
    HEADER_BYTES = 2,
    /* A column below this is not worth another try: no other row comes close. */
    DENSE_BYTES_PER_SAMPLE = 4,
};

struct encoding_table {
    const char *column;
    /* Densest first; the last one always applies. A row's number is stored: rows are only appended.
     */
    const struct encoding *rows[ENCODING_ROWS_MAX];
};

static const struct encoding_table ts_encodings = {
    "timestamps",
    {&encoding_ts_regular, &encoding_ts_packed},
};
static const struct encoding_table value_encodings = {
    "values",
    {&encoding_value_constant, &encoding_value_decimal, &encoding_value_xor},
};

/* Writes the smallest encoding to `to` and returns its length. */
static size_t encode_column(const struct encoding_table *table, const uint64_t *words, size_t count,
                            uint8_t *to, unsigned *row)
{
    size_t best_len = SIZE_MAX;
    for (unsigned i = 0; i < ENCODING_ROWS_MAX && table->rows[i] != NULL; i++) {
        uint8_t column[COLUMN_BYTES_MAX];
        const uint8_t *end = table->rows[i]->encode(column, words, count);
        if (end == NULL || (size_t)(end - column) >= best_len)
            continue;
        best_len = (size_t)(end - column);
        memcpy(to, column, best_len);
        *row = i;
        if (best_len <= count * DENSE_BYTES_PER_SAMPLE)
            break;
    }
    return best_len;
}

void chunk_encode(struct buffer *out, const int64_t *ts_ms, const double *values, size_t count)
{
    CHECK(count > 0);
    CHECK(count <= CHUNK_SAMPLES_MAX);
    uint64_t words[CHUNK_SAMPLES_MAX];
    uint8_t chunk[HEADER_BYTES + 2 * COLUMN_BYTES_MAX];
    unsigned ts_row = 0, value_row = 0;
    size_t len = HEADER_BYTES;
    len += encode_column(&ts_encodings, (const uint64_t *)ts_ms, count, chunk + len, &ts_row);
    memcpy(words, values, count * sizeof *values);
    len += encode_column(&value_encodings, words, count, chunk + len, &value_row);
    chunk[0] = (uint8_t)count;
    chunk[1] = (uint8_t)(ts_row | value_row << 4);
    CHECK(len <= CHUNK_BYTES_MAX);
    buffer_append(out, chunk, len);
}

static enum status decode_column(const struct encoding_table *table, unsigned row, struct reader *r,
                                 uint64_t *words, size_t count, struct error *err)
{
    if (table->rows[row] == NULL)
        return error_set(err, STATUS_CORRUPT, "chunk: %s: unknown encoding %u", table->column, row);
    if (!table->rows[row]->decode(r, words, count))
        return error_set(err, STATUS_CORRUPT, "chunk: %s: broken %s column", table->column,
                         table->rows[row]->name);
    return STATUS_OK;
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
    unsigned rows = reader_u8(&r);
    if (r.is_broken || count == 0 || count > CHUNK_SAMPLES_MAX)
        return error_set(err, STATUS_CORRUPT, "chunk: got %zu samples, want 1 to %d", count,
                         CHUNK_SAMPLES_MAX);
    columns_reserve(out, count);
    uint64_t words[CHUNK_SAMPLES_MAX];
    TRY(decode_column(&ts_encodings, rows & 0xf, &r, (uint64_t *)(out->ts_ms + out->count), count,
                      err));
    TRY(decode_column(&value_encodings, rows >> 4, &r, words, count, err));
    if (reader_left(&r) > 0)
        return error_set(err, STATUS_CORRUPT, "chunk: %zu bytes behind the end", reader_left(&r));
    TRY(check_order(out, count, err));
    memcpy(out->values + out->count, words, count * sizeof *words);
    out->count += count;
    return STATUS_OK;
}

enum status chunk_measure(struct bytes chunk, struct chunk_parts *out, struct error *err)
{
    struct reader r = reader_of(chunk);
    size_t count = reader_u8(&r);
    unsigned rows = reader_u8(&r);
    *out = (struct chunk_parts){
        .sample_count = count, .ts_encoding = rows & 0xf, .value_encoding = rows >> 4};
    if (r.is_broken || count == 0 || count > CHUNK_SAMPLES_MAX ||
        value_encodings.rows[out->value_encoding] == NULL)
        return error_set(err, STATUS_CORRUPT, "chunk: broken head");
    uint64_t words[CHUNK_SAMPLES_MAX];
    TRY(decode_column(&ts_encodings, out->ts_encoding, &r, words, count, err));
    out->value_bytes = reader_left(&r);
    out->ts_bytes = chunk.len - HEADER_BYTES - out->value_bytes;
    return STATUS_OK;
}

static const char *encoding_name(const struct encoding_table *table, unsigned number)
{
    bool is_known = number < ENCODING_ROWS_MAX && table->rows[number] != NULL;
    return is_known ? table->rows[number]->name : NULL;
}

const char *chunk_ts_encoding_name(unsigned number)
{
    return encoding_name(&ts_encodings, number);
}

const char *chunk_value_encoding_name(unsigned number)
{
    return encoding_name(&value_encodings, number);
}

int64_t chunk_min_ts_ms(struct bytes chunk)
{
    struct reader r = reader_of(chunk);
    reader_bytes(&r, HEADER_BYTES);
    int64_t min_ts_ms = reader_svarint(&r);
    CHECK(!r.is_broken);
    return min_ts_ms;
}
