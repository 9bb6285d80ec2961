#include "tsdb/block/block_index_writer.h"

#include <stdlib.h>

#include "base/check.h"
#include "base/hash.h"
#include "base/mem.h"
#include "tsdb/index/ref_table.h"
#include "tsdb/index/symbols.h"

/* A label pair, by the numbers its texts got when they were first seen. */
struct seen_pair {
    uint32_t name;
    uint32_t value;
    uint32_t series_count;
};

struct seen_series {
    size_t label_offset; /* of its pairs in `labels` */
    size_t label_count;
    struct block_place place;
};

struct index_writer {
    struct symbols *symbols;
    struct ref_table table; /* of pairs */
    struct seen_pair *pairs;
    size_t pair_count;
    size_t pair_capacity;
    uint32_t *labels; /* numbers of pairs, series after series */
    size_t label_count;
    size_t label_capacity;
    struct seen_series *series;
    size_t series_count;
    size_t series_capacity;
    struct block_timeline *timelines;
    size_t timeline_count;
    size_t timeline_capacity;
};

struct index_writer *index_writer_new(void)
{
    struct index_writer *writer = mem_alloc_zeroed(1, sizeof *writer);
    writer->symbols = symbols_new();
    ref_table_init(&writer->table);
    return writer;
}

size_t index_writer_memory_bytes(const struct index_writer *writer)
{
    return sizeof *writer + symbols_memory_bytes(writer->symbols) +
           ref_table_memory_bytes(&writer->table) + writer->pair_capacity * sizeof *writer->pairs +
           writer->label_capacity * sizeof *writer->labels +
           writer->series_capacity * sizeof *writer->series +
           writer->timeline_capacity * sizeof *writer->timelines;
}

void index_writer_free(struct index_writer *writer)
{
    if (writer == NULL)
        return;
    symbols_free(writer->symbols);
    ref_table_deinit(&writer->table);
    mem_free(writer->pairs);
    mem_free(writer->labels);
    mem_free(writer->series);
    mem_free(writer->timelines);
    mem_free(writer);
}

/* ---- gathering ---- */

static uint32_t add_pair(struct index_writer *writer, struct label label)
{
    uint32_t key[2] = {symbols_add(writer->symbols, label.name).value,
                       symbols_add(writer->symbols, label.value).value};
    uint64_t hash = hash_bytes((struct bytes){(const uint8_t *)key, sizeof key});
    struct ref_probe probe = ref_table_probe(&writer->table, hash);
    uint32_t ref;
    while ((ref = ref_table_next(&writer->table, &probe)) != REF_TABLE_NONE) {
        if (writer->pairs[ref].name == key[0] && writer->pairs[ref].value == key[1])
            return ref;
    }
    CHECK(writer->pair_count < REF_TABLE_NONE);
    ref = (uint32_t)writer->pair_count++;
    writer->pairs =
        mem_grow(writer->pairs, &writer->pair_capacity, writer->pair_count, sizeof *writer->pairs);
    writer->pairs[ref] = (struct seen_pair){key[0], key[1], 0};
    ref_table_add(&writer->table, hash, ref);
    return ref;
}

uint32_t index_writer_add_timeline(struct index_writer *writer,
                                   const struct block_timeline *timeline)
{
    CHECK(writer->timeline_count < UINT32_MAX - 1);
    size_t number = writer->timeline_count++;
    writer->timelines = mem_grow(writer->timelines, &writer->timeline_capacity,
                                 writer->timeline_count, sizeof *writer->timelines);
    writer->timelines[number] = *timeline;
    return (uint32_t)number;
}

void index_writer_add(struct index_writer *writer, struct labels labels,
                      const struct block_place *place)
{
    CHECK(writer->series_count < UINT32_MAX - 1);
    size_t number = writer->series_count++;
    writer->series = mem_grow(writer->series, &writer->series_capacity, writer->series_count,
                              sizeof *writer->series);
    writer->series[number] = (struct seen_series){writer->label_count, labels.count, *place};
    writer->labels = mem_grow(writer->labels, &writer->label_capacity,
                              writer->label_count + labels.count, sizeof *writer->labels);
    for (size_t i = 0; i < labels.count; i++) {
        uint32_t pair = add_pair(writer, labels.ptr[i]);
        writer->pairs[pair].series_count++;
        writer->labels[writer->label_count++] = pair;
    }
}

/* ---- ordering ---- */

/* From the numbers in order of appearance to those in order of text. */
struct ranks {
    uint32_t *symbols; /* by number: the rank of its text */
    uint32_t *sorted_symbols;
    uint32_t *pairs; /* by number: the rank of the pair */
    uint32_t *sorted_pairs;
    uint32_t *names;       /* by rank of a pair: the number of its name */
    uint32_t *first_pairs; /* by number of a name, and one more */
    size_t name_count;
};

static int compare_symbols(const void *a, const void *b, void *context)
{
    const struct str *texts = context;
    return str_compare(texts[*(const uint32_t *)a], texts[*(const uint32_t *)b]);
}

struct ranked_pair {
    uint64_t key; /* rank of the name, rank of the value */
    uint32_t pair;
};

static int compare_pairs(const void *a, const void *b)
{
    uint64_t left = ((const struct ranked_pair *)a)->key;
    uint64_t right = ((const struct ranked_pair *)b)->key;
    return (left > right) - (left < right);
}

static uint32_t *new_numbers(size_t count)
{
    return mem_alloc((count + 1) * sizeof(uint32_t));
}

static void rank_symbols(const struct index_writer *writer, struct ranks *ranks)
{
    size_t count = symbols_count(writer->symbols);
    ranks->symbols = new_numbers(count);
    ranks->sorted_symbols = new_numbers(count);
    for (uint32_t i = 0; i < count; i++)
        ranks->sorted_symbols[i] = i;
    qsort_r(ranks->sorted_symbols, count, sizeof *ranks->sorted_symbols, compare_symbols,
            (void *)symbols_texts(writer->symbols));
    for (uint32_t i = 0; i < count; i++)
        ranks->symbols[ranks->sorted_symbols[i]] = i;
}

static void rank_pairs(const struct index_writer *writer, struct ranks *ranks)
{
    size_t count = writer->pair_count;
    struct ranked_pair *sorted = mem_alloc((count + 1) * sizeof *sorted);
    for (uint32_t i = 0; i < count; i++) {
        uint64_t name = ranks->symbols[writer->pairs[i].name];
        sorted[i] = (struct ranked_pair){name << 32 | ranks->symbols[writer->pairs[i].value], i};
    }
    qsort(sorted, count, sizeof *sorted, compare_pairs);
    ranks->pairs = new_numbers(count);
    ranks->sorted_pairs = new_numbers(count);
    for (uint32_t i = 0; i < count; i++) {
        ranks->sorted_pairs[i] = sorted[i].pair;
        ranks->pairs[sorted[i].pair] = i;
    }
    mem_free(sorted);
}

static void number_names(const struct index_writer *writer, struct ranks *ranks)
{
    size_t count = writer->pair_count;
    ranks->names = new_numbers(count);
    ranks->first_pairs = new_numbers(count);
    for (uint32_t i = 0; i < count; i++) {
        const struct seen_pair *pair = &writer->pairs[ranks->sorted_pairs[i]];
        if (i == 0 || pair->name != writer->pairs[ranks->sorted_pairs[i - 1]].name)
            ranks->first_pairs[ranks->name_count++] = i;
        ranks->names[i] = (uint32_t)ranks->name_count - 1;
    }
    ranks->first_pairs[ranks->name_count] = (uint32_t)count;
}

static void ranks_deinit(struct ranks *ranks)
{
    mem_free(ranks->symbols);
    mem_free(ranks->sorted_symbols);
    mem_free(ranks->pairs);
    mem_free(ranks->sorted_pairs);
    mem_free(ranks->names);
    mem_free(ranks->first_pairs);
}

/* ---- writing ---- */

/* A part of the index, with the offsets that lead into it. */
struct part {
    struct buffer bytes;
    uint32_t *offsets;
};

static void part_init(struct part *part, size_t count)
{
    buffer_init(&part->bytes, UINT32_MAX);
    part->offsets = new_numbers(count);
}

static void part_deinit(struct part *part)
{
    buffer_deinit(&part->bytes);
    mem_free(part->offsets);
}

static void write_text(const struct index_writer *writer, const struct ranks *ranks,
                       struct part *part)
{
    size_t count = symbols_count(writer->symbols);
    const struct str *texts = symbols_texts(writer->symbols);
    for (size_t i = 0; i < count; i++) {
        part->offsets[i] = (uint32_t)part->bytes.len;
        buffer_append_str(&part->bytes, texts[ranks->sorted_symbols[i]]);
    }
    part->offsets[count] = (uint32_t)part->bytes.len;
}

static void write_place(struct buffer *out, const struct block_place *place)
{
    write_varint(out, place->timeline);
    write_varint(out, place->run_offset);
    write_varint(out, place->run_len);
    write_u32(out, place->run_sum);
}

static void write_series(const struct index_writer *writer, const struct ranks *ranks,
                         struct part *part)
{
    struct buffer *out = &part->bytes;
    for (size_t i = 0; i < writer->series_count; i++) {
        const struct seen_series *series = &writer->series[i];
        part->offsets[i] = (uint32_t)out->len;
        write_varint(out, series->label_count);
        for (size_t l = 0; l < series->label_count; l++) {
            uint32_t pair = ranks->pairs[writer->labels[series->label_offset + l]];
            uint32_t name = ranks->names[pair];
            write_varint(out, name);
            write_varint(out, pair - ranks->first_pairs[name]);
        }
        write_place(out, &series->place);
    }
    part->offsets[writer->series_count] = (uint32_t)out->len;
}

/* The series of all pairs, those of one pair beside each other and in order: a counting sort.
   `ends` becomes where each pair's end, by rank. */
static uint32_t *gather_series(const struct index_writer *writer, const struct ranks *ranks,
                               size_t *ends)
{
    uint32_t *gathered = new_numbers(writer->label_count);
    size_t offset = 0;
    for (size_t i = 0; i < writer->pair_count; i++) {
        ends[i] = offset;
        offset += writer->pairs[ranks->sorted_pairs[i]].series_count;
    }
    for (uint32_t i = 0; i < writer->series_count; i++) {
        const struct seen_series *series = &writer->series[i];
        for (size_t l = 0; l < series->label_count; l++)
            gathered[ends[ranks->pairs[writer->labels[series->label_offset + l]]]++] = i;
    }
    return gathered;
}

static void write_postings(const struct index_writer *writer, const struct ranks *ranks,
                           struct part *part)
{
    size_t *ends = mem_alloc((writer->pair_count + 1) * sizeof *ends);
    uint32_t *gathered = gather_series(writer, ranks, ends);
    size_t begin = 0;
    for (size_t i = 0; i < writer->pair_count; i++) {
        part->offsets[i] = (uint32_t)part->bytes.len;
        postings_encode(&part->bytes, gathered + begin, ends[i] - begin);
        begin = ends[i];
    }
    part->offsets[writer->pair_count] = (uint32_t)part->bytes.len;
    mem_free(gathered);
    mem_free(ends);
}

static void write_words(struct buffer *out, const uint32_t *words, size_t count)
{
    for (size_t i = 0; i <= count; i++)
        write_u32(out, words[i]);
}

static void write_rows(const struct index_writer *writer, const struct ranks *ranks,
                       const struct part *postings, struct buffer *out)
{
    for (size_t i = 0; i < ranks->name_count; i++) {
        uint32_t first = ranks->first_pairs[i];
        write_u32(out, ranks->symbols[writer->pairs[ranks->sorted_pairs[first]].name]);
        write_u32(out, first);
    }
    write_u32(out, 0);
    write_u32(out, (uint32_t)writer->pair_count);
    for (size_t i = 0; i < writer->pair_count; i++) {
        write_u32(out, ranks->symbols[writer->pairs[ranks->sorted_pairs[i]].value]);
        write_u32(out, postings->offsets[i]);
    }
    write_u32(out, 0);
    write_u32(out, postings->offsets[writer->pair_count]);
}

static void write_timelines(const struct index_writer *writer, struct buffer *out)
{
    for (size_t i = 0; i < writer->timeline_count; i++) {
        const struct block_timeline *timeline = &writer->timelines[i];
        size_t begin = out->len;
        write_u64(out, timeline->offset);
        write_u32(out, timeline->len);
        write_u32(out, timeline->sum);
        write_u64(out, (uint64_t)timeline->min_ts_ms);
        write_u64(out, (uint64_t)timeline->max_ts_ms);
        CHECK(out->is_overflown || out->len - begin == INDEX_TIMELINE_BYTES);
    }
}

static void write_index(const struct index_writer *writer, const struct ranks *ranks,
                        const struct part *text, const struct part *series,
                        const struct part *postings, struct buffer *out)
{
    size_t symbol_count = symbols_count(writer->symbols);
    write_u32(out, (uint32_t)symbol_count);
    write_u32(out, (uint32_t)ranks->name_count);
    write_u32(out, (uint32_t)writer->pair_count);
    write_u32(out, (uint32_t)writer->series_count);
    write_u32(out, (uint32_t)text->bytes.len);
    write_u32(out, (uint32_t)series->bytes.len);
    write_u32(out, (uint32_t)postings->bytes.len);
    write_u32(out, (uint32_t)writer->timeline_count);
    write_words(out, text->offsets, symbol_count);
    write_rows(writer, ranks, postings, out);
    write_words(out, series->offsets, writer->series_count);
    write_timelines(writer, out);
    buffer_append(out, text->bytes.ptr, text->bytes.len);
    buffer_append(out, series->bytes.ptr, series->bytes.len);
    buffer_append(out, postings->bytes.ptr, postings->bytes.len);
}

enum status index_writer_encode(const struct index_writer *writer, struct buffer *out,
                                struct error *err)
{
    struct ranks ranks = {0};
    rank_symbols(writer, &ranks);
    rank_pairs(writer, &ranks);
    number_names(writer, &ranks);
    struct part text, series, postings;
    part_init(&text, symbols_count(writer->symbols));
    part_init(&series, writer->series_count);
    part_init(&postings, writer->pair_count);
    write_text(writer, &ranks, &text);
    write_series(writer, &ranks, &series);
    write_postings(writer, &ranks, &postings);
    write_index(writer, &ranks, &text, &series, &postings, out);
    bool fits = !text.bytes.is_overflown && !series.bytes.is_overflown &&
                !postings.bytes.is_overflown && !out->is_overflown;
    part_deinit(&text);
    part_deinit(&series);
    part_deinit(&postings);
    ranks_deinit(&ranks);
    return fits ? STATUS_OK
                : error_set(err, STATUS_LIMIT, "block: the index of a tenant is too large");
}
