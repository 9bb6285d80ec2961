#include "tsdb/codec/encoding.h"

#include "base/check.h"

/* A column below this is not worth another try: no other row comes close. */
enum { DENSE_BYTES_PER_WORD = 4 };

const struct encoding_table ts_encodings = {
    "timestamps",
    {&encoding_ts_regular, &encoding_ts_packed},
    {0, 1},
};
const struct encoding_table value_encodings = {
    "values",
    {&encoding_value_constant, &encoding_value_decimal, &encoding_value_xor,
     &encoding_value_rounded},
    {0, 1, 3, 2},
};

size_t column_encode(const struct encoding_table *table, const uint64_t *words, size_t count,
                     uint8_t *to, unsigned *number)
{
    CHECK(count > 0);
    CHECK(count <= COLUMN_WORDS_MAX);
    size_t best_len = SIZE_MAX;
    for (unsigned i = 0; i < ENCODINGS_MAX && table->rows[i] != NULL; i++) {
        uint8_t column[COLUMN_BYTES_MAX];
        unsigned row = table->tries[i];
        const uint8_t *end = table->rows[row]->encode(column, words, count);
        if (end == NULL || (size_t)(end - column) >= best_len)
            continue;
        best_len = (size_t)(end - column);
        memcpy(to, column, best_len);
        *number = row;
        if (best_len <= count * DENSE_BYTES_PER_WORD)
            break;
    }
    return best_len;
}

enum status column_decode(const struct encoding_table *table, unsigned number, struct reader *r,
                          uint64_t *words, size_t count, struct error *err)
{
    CHECK(count > 0);
    CHECK(count <= COLUMN_WORDS_MAX);
    if (number >= ENCODINGS_MAX || table->rows[number] == NULL)
        return error_set(err, STATUS_CORRUPT, "chunk: %s: unknown encoding %u", table->column,
                         number);
    if (!table->rows[number]->decode(r, words, count))
        return error_set(err, STATUS_CORRUPT, "chunk: %s: broken %s column", table->column,
                         table->rows[number]->name);
    return STATUS_OK;
}

const char *encoding_name(const struct encoding_table *table, unsigned number)
{
    bool is_known = number < ENCODINGS_MAX && table->rows[number] != NULL;
    return is_known ? table->rows[number]->name : NULL;
}
