#include "tsdb/block/block_index.h"

#include "base/check.h"

enum { WORD = 4, ROW = 8, HEAD_BYTES = 32 };

/* ---- opening ---- */

static enum status broken(struct error *err, const char *what)
{
    return error_set(err, STATUS_CORRUPT, "block: index: %s", what);
}

static uint32_t word_at(const uint8_t *table, size_t index)
{
    return load_u32(table + index * WORD);
}

static uint32_t row_first(const uint8_t *table, size_t index)
{
    return load_u32(table + index * ROW);
}

static uint32_t row_second(const uint8_t *table, size_t index)
{
    return load_u32(table + index * ROW + WORD);
}

static const uint8_t *take_table(struct reader *r, uint32_t count, size_t element_bytes)
{
    return reader_bytes(r, ((uint64_t)count + 1) * element_bytes).ptr;
}

static bool read_parts(struct block_index *index, struct reader *r)
{
    index->symbol_count = reader_u32(r);
    index->name_count = reader_u32(r);
    index->pair_count = reader_u32(r);
    index->series_count = reader_u32(r);
    uint32_t text_len = reader_u32(r), series_len = reader_u32(r), postings_len = reader_u32(r);
    index->timeline_count = reader_u32(r);
    index->symbol_offsets = take_table(r, index->symbol_count, WORD);
    index->names = take_table(r, index->name_count, ROW);
    index->pairs = take_table(r, index->pair_count, ROW);
    index->series_offsets = take_table(r, index->series_count, WORD);
    index->timelines = reader_bytes(r, (uint64_t)index->timeline_count * INDEX_TIMELINE_BYTES).ptr;
    index->text = reader_bytes(r, text_len);
    index->series = reader_bytes(r, series_len);
    index->postings = reader_bytes(r, postings_len);
    return !r->is_broken && reader_left(r) == 0;
}

/* Offsets go up and end with the end of what they lead into. */
static bool words_rise(const uint8_t *table, uint32_t count, size_t end)
{
    uint32_t last = 0;
    for (size_t i = 0; i <= count; i++) {
        uint32_t word = word_at(table, i);
        if (word < last)
            return false;
        last = word;
    }
    return last == end;
}

/* The same for the second word of rows; the first one is a symbol. */
static bool rows_rise(const uint8_t *table, uint32_t count, size_t end, uint32_t symbol_count)
{
    uint32_t last = 0;
    for (size_t i = 0; i <= count; i++) {
        uint32_t second = row_second(table, i);
        if (second < last || (i < count && row_first(table, i) >= symbol_count))
            return false;
        last = second;
    }
    return last == end && row_first(table, count) == 0;
}

enum status block_index_open(struct block_index *index, struct bytes section, struct error *err)
{
    struct reader r = reader_of(section);
    if (!read_parts(index, &r))
        return broken(err, "its parts do not add up");
    if (!words_rise(index->symbol_offsets, index->symbol_count, index->text.len))
        return broken(err, "broken symbols");
    if (!rows_rise(index->names, index->name_count, index->pair_count, index->symbol_count))
        return broken(err, "broken names");
    if (!rows_rise(index->pairs, index->pair_count, index->postings.len, index->symbol_count))
        return broken(err, "broken values");
    if (!words_rise(index->series_offsets, index->series_count, index->series.len))
        return broken(err, "broken series");
    return STATUS_OK;
}

/* ---- text ---- */

/* From begin to end, which were proved to rise within `whole` when the index was opened, unless
   they are gone since. */
static struct bytes part_of(struct bytes whole, uint32_t begin, uint32_t end)
{
    if (begin > end || end > whole.len)
        return (struct bytes){0};
    return (struct bytes){whole.ptr + begin, end - begin};
}

struct str block_index_symbol(const struct block_index *index, uint32_t symbol)
{
    CHECK(symbol < index->symbol_count);
    return str_of_bytes(part_of(index->text, word_at(index->symbol_offsets, symbol),
                                word_at(index->symbol_offsets, (size_t)symbol + 1)));
}

/* The symbol of a row of names or pairs. */
static struct str row_text(const struct block_index *index, const uint8_t *table, size_t row)
{
    uint32_t symbol = row_first(table, row);
    return symbol < index->symbol_count ? block_index_symbol(index, symbol) : (struct str){0};
}

struct str block_index_name(const struct block_index *index, uint32_t name)
{
    return row_text(index, index->names, name);
}

struct str block_index_value(const struct block_index *index, uint32_t pair)
{
    return row_text(index, index->pairs, pair);
}

uint32_t block_index_first_pair(const struct block_index *index, uint32_t name)
{
    uint32_t pair = row_second(index->names, name);
    return pair <= index->pair_count ? pair : index->pair_count;
}

bool block_index_find_name(const struct block_index *index, struct str text, uint32_t *name)
{
    uint32_t begin = 0, end = index->name_count;
    while (begin < end) {
        uint32_t middle = begin + (end - begin) / 2;
        if (str_compare(block_index_name(index, middle), text) < 0)
            begin = middle + 1;
        else
            end = middle;
    }
    *name = begin;
    return begin < index->name_count && str_eq(block_index_name(index, begin), text);
}

uint32_t block_index_lower_value(const struct block_index *index, uint32_t name, struct str text)
{
    uint32_t begin = block_index_first_pair(index, name);
    uint32_t end = block_index_first_pair(index, name + 1);
    while (begin < end) {
        uint32_t middle = begin + (end - begin) / 2;
        if (str_compare(block_index_value(index, middle), text) < 0)
            begin = middle + 1;
        else
            end = middle;
    }
    return begin;
}

bool block_index_find_value(const struct block_index *index, uint32_t name, struct str text,
                            uint32_t *pair)
{
    *pair = block_index_lower_value(index, name, text);
    return *pair < block_index_first_pair(index, name + 1) &&
           str_eq(block_index_value(index, *pair), text);
}

/* ---- postings ---- */

size_t block_index_postings_len(const struct block_index *index, uint32_t first, uint32_t end)
{
    return row_second(index->pairs, end) - row_second(index->pairs, first);
}

enum status block_index_postings(const struct block_index *index, uint32_t pair,
                                 struct postings *out, struct error *err)
{
    struct bytes bytes = part_of(index->postings, row_second(index->pairs, pair),
                                 row_second(index->pairs, (size_t)pair + 1));
    if (bytes.len == 0 || index->series_count == 0)
        return broken(err, "a value without series");
    return postings_decode(out, bytes, index->series_count - 1, err);
}

/* ---- series ---- */

static struct reader series_reader(const struct block_index *index, uint32_t series)
{
    CHECK(series < index->series_count);
    return reader_of(part_of(index->series, word_at(index->series_offsets, series),
                             word_at(index->series_offsets, (size_t)series + 1)));
}

struct numbered_label {
    uint32_t name;
    uint32_t pair;
};

/* Breaks the reader for numbers out of range. */
static struct numbered_label read_label(const struct block_index *index, struct reader *r)
{
    uint64_t name = reader_varint(r), value = reader_varint(r);
    if (r->is_broken || name >= index->name_count) {
        r->is_broken = true;
        return (struct numbered_label){0};
    }
    uint32_t first = block_index_first_pair(index, (uint32_t)name);
    uint32_t end = block_index_first_pair(index, (uint32_t)name + 1);
    r->is_broken = first > end || value >= end - first;
    return (struct numbered_label){(uint32_t)name, r->is_broken ? 0 : first + (uint32_t)value};
}

/* Bounded by what is left: a label takes two bytes. */
static size_t read_label_count(struct reader *r)
{
    uint64_t count = reader_varint(r);
    if (count > reader_left(r) / 2)
        r->is_broken = true;
    return r->is_broken ? 0 : (size_t)count;
}

static enum status read_labels(const struct block_index *index, uint32_t series,
                               struct arena *arena, struct label **out, size_t *count,
                               struct error *err)
{
    struct reader r = series_reader(index, series);
    *count = read_label_count(&r);
    *out = arena_try_alloc(arena, *count * sizeof **out);
    if (*out == NULL)
        return arena_refusal(arena, err);
    for (size_t i = 0; i < *count && !r.is_broken; i++) {
        struct numbered_label label = read_label(index, &r);
        if (!r.is_broken)
            (*out)[i] = (struct label){block_index_name(index, label.name),
                                       block_index_value(index, label.pair)};
    }
    return r.is_broken ? broken(err, "broken labels of a series") : STATUS_OK;
}

enum status block_index_labels(const struct block_index *index, uint32_t series,
                               struct arena *arena, struct labels *out, struct error *err)
{
    struct label *labels;
    size_t count;
    TRY(read_labels(index, series, arena, &labels, &count, err));
    *out = (struct labels){labels, count};
    return STATUS_OK;
}

enum status block_index_copy_labels(const struct block_index *index, uint32_t series,
                                    struct arena *arena, struct labels *out, struct error *err)
{
    struct label *labels;
    size_t count, text_len = 0;
    TRY(read_labels(index, series, arena, &labels, &count, err));
    for (size_t i = 0; i < count; i++)
        text_len += labels[i].name.len + labels[i].value.len;
    char *to = arena_try_alloc(arena, text_len);
    if (to == NULL)
        return arena_refusal(arena, err);
    for (size_t i = 0; i < count; i++)
        to = str_move(&labels[i].value, str_move(&labels[i].name, to));
    *out = (struct labels){labels, count};
    return STATUS_OK;
}

enum status block_index_place(const struct block_index *index, uint32_t series,
                              struct block_place *out, struct error *err)
{
    struct reader r = series_reader(index, series);
    for (size_t left = read_label_count(&r); left > 0; left--) {
        reader_varint(&r);
        reader_varint(&r);
    }
    uint64_t timeline = reader_varint(&r);
    out->run_offset = reader_varint(&r);
    out->run_len = reader_varint(&r);
    out->run_sum = reader_u32(&r);
    if (r.is_broken || reader_left(&r) > 0 || timeline >= index->timeline_count)
        return broken(err, "broken place of a series");
    out->timeline = (uint32_t)timeline;
    return STATUS_OK;
}

struct block_timeline block_index_timeline(const struct block_index *index, uint32_t number)
{
    CHECK(number < index->timeline_count);
    const uint8_t *entry = index->timelines + (size_t)number * INDEX_TIMELINE_BYTES;
    return (struct block_timeline){.offset = load_u64(entry),
                                   .len = load_u32(entry + 8),
                                   .sum = load_u32(entry + 12),
                                   .min_ts_ms = (int64_t)load_u64(entry + 16),
                                   .max_ts_ms = (int64_t)load_u64(entry + 24)};
}

enum status block_index_pair_of(const struct block_index *index, uint32_t series, uint32_t name,
                                bool *has_pair, uint32_t *pair, struct error *err)
{
    struct reader r = series_reader(index, series);
    *has_pair = false;
    for (size_t left = read_label_count(&r); left > 0 && !*has_pair; left--) {
        struct numbered_label label = read_label(index, &r);
        *has_pair = !r.is_broken && label.name == name;
        *pair = label.pair;
    }
    return r.is_broken ? broken(err, "broken labels of a series") : STATUS_OK;
}

enum status block_index_mark_names(const struct block_index *index, uint32_t series, bool *has_name,
                                   struct error *err)
{
    struct reader r = series_reader(index, series);
    for (size_t left = read_label_count(&r); left > 0; left--) {
        struct numbered_label label = read_label(index, &r);
        if (!r.is_broken)
            has_name[label.name] = true;
    }
    return r.is_broken ? broken(err, "broken labels of a series") : STATUS_OK;
}

/* ---- sizes ---- */

void block_index_measure(const struct block_index *index, struct index_sizes *sizes)
{
    sizes->symbol_bytes += ((size_t)index->symbol_count + 1) * WORD + index->text.len;
    sizes->table_bytes += HEAD_BYTES + ((size_t)index->name_count + 1) * ROW +
                          ((size_t)index->pair_count + 1) * ROW + WORD +
                          (size_t)index->timeline_count * INDEX_TIMELINE_BYTES;
    sizes->series_bytes += (size_t)index->series_count * WORD + index->series.len;
    sizes->postings_bytes += index->postings.len;
}

size_t block_index_series_len(const struct block_index *index, uint32_t series)
{
    CHECK(series < index->series_count);
    return WORD + word_at(index->series_offsets, (size_t)series + 1) -
           word_at(index->series_offsets, series);
}
