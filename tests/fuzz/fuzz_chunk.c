/*
 * fuzz_chunk: any bytes decode to increasing samples or are refused, and any samples come back
 * bit by bit.
 *
 * Input: as a chunk; and, 16 bytes each, as differences of timestamps and bit patterns of values.
 */
#include "base/check.h"
#include "tsdb/codec/chunk.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void expect_same(const struct columns *got, const int64_t *ts_ms, const double *values,
                        size_t count)
{
    CHECK(got->count == count);
    CHECK(memcmp(got->ts_ms, ts_ms, count * sizeof *ts_ms) == 0);
    CHECK(memcmp(got->values, values, count * sizeof *values) == 0);
}

static void expect_round_trip(const int64_t *ts_ms, const double *values, size_t count)
{
    struct buffer chunk;
    struct columns columns;
    struct chunk_times times = {.count = 0};
    struct error err;
    buffer_init(&chunk, CHUNK_BYTES_MAX);
    columns_init(&columns);
    chunk_encode(&chunk, &times, ts_ms, values, count);
    CHECK(!chunk.is_overflown);
    CHECK(chunk_decode(buffer_bytes(&chunk), &columns, &err) == STATUS_OK);
    expect_same(&columns, ts_ms, values, count);
    columns_deinit(&columns);
    buffer_deinit(&chunk);
}

static void try_decode(struct bytes bytes)
{
    struct columns columns;
    struct error err;
    columns_init(&columns);
    if (chunk_decode(bytes, &columns, &err) == STATUS_OK) {
        for (size_t i = 1; i < columns.count; i++)
            CHECK(columns.ts_ms[i - 1] < columns.ts_ms[i]);
        expect_round_trip(columns.ts_ms, columns.values, columns.count);
    }
    columns_deinit(&columns);
}

static void try_encode(struct reader r)
{
    int64_t ts_ms[CHUNK_SAMPLES_MAX];
    double values[CHUNK_SAMPLES_MAX];
    size_t count = 0;
    while (reader_left(&r) >= 16 && count < CHUNK_SAMPLES_MAX) {
        uint64_t step = reader_u64(&r);
        ts_ms[count] = (int64_t)(count == 0 ? step : (uint64_t)ts_ms[count - 1] + step);
        if (count > 0 && ts_ms[count] <= ts_ms[count - 1])
            break;
        values[count++] = f64_from_bits(reader_u64(&r));
    }
    if (count > 0)
        expect_round_trip(ts_ms, values, count);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct bytes bytes = {data, size};
    try_decode(bytes);
    try_encode(reader_of(bytes));
    return 0;
}
