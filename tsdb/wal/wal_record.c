#include "tsdb/wal/wal_record.h"

#include "base/check.h"

enum record_type {
    RECORD_SERIES = 1,
    RECORD_SAMPLES = 2,
    RECORD_MAY_BE_SKIPPED = 0x80, /* a flag */
};

enum {
    RECORD_HEADER_BYTES = 5,
    LEN_OFFSET = 1,
    /* control, ref, timestamp; the value is stored as 8 bytes whatever its length */
    SAMPLE_BYTES_MAX = 1 + VARINT_BYTES_MAX + VARINT_BYTES_MAX + 8,
};

enum control {
    CONTROL_VALUE_LEN = 0x0f,
    CONTROL_SAME_REF = 0x10,
    CONTROL_REF_FOLLOWS = 0x20,
    CONTROL_REF = 0x30,
    CONTROL_TS_FOLLOWS = 0x40,
    CONTROL_UNUSED = 0x80,
};

/* Labels that one declaration may have: more than WAL_SERIES_BYTES_MAX of text can name. */
enum { LABELS_MAX = WAL_SERIES_BYTES_MAX / 2 };

/* ---- writing ---- */

void record_writer_init(struct record_writer *writer, size_t max_bytes)
{
    buffer_init(&writer->raw, max_bytes);
    record_writer_begin_frame(writer);
}

void record_writer_deinit(struct record_writer *writer)
{
    buffer_deinit(&writer->raw);
}

void record_writer_begin_frame(struct record_writer *writer)
{
    writer->run_offset = SIZE_MAX;
    writer->ref = UINT32_MAX;
    writer->ts_ms = 0;
}

static size_t begin_record(struct buffer *raw, enum record_type type)
{
    size_t offset = raw->len;
    write_u8(raw, (uint8_t)type);
    write_u32(raw, 0);
    return offset;
}

static void end_record(struct buffer *raw, size_t offset)
{
    uint32_t len = (uint32_t)(raw->len - offset - RECORD_HEADER_BYTES);
    memcpy(raw->ptr + offset + LEN_OFFSET, &len, sizeof len);
}

void record_writer_end_run(struct record_writer *writer)
{
    if (writer->run_offset != SIZE_MAX)
        end_record(&writer->raw, writer->run_offset);
    writer->run_offset = SIZE_MAX;
}

void record_write_series(struct record_writer *writer, struct series_ref ref,
                         const struct tenant_id *tenant, struct labels labels)
{
    record_writer_end_run(writer);
    struct buffer *raw = &writer->raw;
    size_t offset = begin_record(raw, RECORD_SERIES);
    write_varint(raw, ref.value);
    write_sized(raw, bytes_of_str(tenant_id_str(tenant)));
    write_varint(raw, labels.count);
    for (size_t i = 0; i < labels.count; i++) {
        write_sized(raw, bytes_of_str(labels.ptr[i].name));
        write_sized(raw, bytes_of_str(labels.ptr[i].value));
    }
    CHECK(!raw->is_overflown);
    CHECK(raw->len - offset <= WAL_SERIES_BYTES_MAX);
    end_record(raw, offset);
}

/* Writes the control byte's parts that differ from the sample before. */
static uint8_t *put_place(uint8_t *to, uint8_t *control, const struct record_writer *writer,
                          uint32_t ref, int64_t ts_ms)
{
    uint32_t step = ref - writer->ref;
    if (step == 0)
        *control |= CONTROL_SAME_REF;
    else if (step != 1) {
        *control |= CONTROL_REF_FOLLOWS;
        to = store_varint(to, zigzag_encode((int32_t)step));
    }
    if (ts_ms != writer->ts_ms) {
        *control |= CONTROL_TS_FOLLOWS;
        to = store_varint(to, zigzag_encode((int64_t)((uint64_t)ts_ms - (uint64_t)writer->ts_ms)));
    }
    return to;
}

static uint8_t *put_value(uint8_t *to, uint8_t *control, double value)
{
    uint64_t bits = f64_bits(value);
    unsigned len = bits == 0 ? 0 : 8 - (unsigned)__builtin_ctzll(bits) / 8;
    *control |= (uint8_t)len;
    /* with len 0 the shift is 0 and so are the bits */
    store_u64(to, bits >> ((64 - 8 * len) & 63));
    return to + len;
}

void record_write_sample(struct record_writer *writer, struct series_ref ref, struct sample sample)
{
    if (writer->run_offset == SIZE_MAX)
        writer->run_offset = begin_record(&writer->raw, RECORD_SAMPLES);
    uint8_t *control = buffer_reserve(&writer->raw, SAMPLE_BYTES_MAX);
    CHECK(control != NULL);
    *control = 0;
    uint8_t *end = put_place(control + 1, control, writer, ref.value, sample.ts_ms);
    end = put_value(end, control, sample.value);
    writer->raw.len += (size_t)(end - control);
    writer->ref = ref.value;
    writer->ts_ms = sample.ts_ms;
}

/* ---- reading ---- */

struct sample_reader {
    struct reader in;
    uint32_t ref;
    int64_t ts_ms;
};

/* False at a byte that begins no sample. */
static bool read_sample(struct sample_reader *reader, struct sample *sample)
{
    unsigned control = reader_u8(&reader->in);
    unsigned value_len = control & CONTROL_VALUE_LEN, ref_mode = control & CONTROL_REF;
    if (value_len > 8 || ref_mode == CONTROL_REF || (control & CONTROL_UNUSED) != 0)
        return false;
    if (ref_mode == CONTROL_REF_FOLLOWS)
        reader->ref += (uint32_t)reader_svarint(&reader->in);
    else if (ref_mode == 0)
        reader->ref++;
    if ((control & CONTROL_TS_FOLLOWS) != 0)
        reader->ts_ms = (int64_t)((uint64_t)reader->ts_ms + (uint64_t)reader_svarint(&reader->in));
    uint64_t bits = 0;
    struct bytes value = reader_bytes(&reader->in, value_len);
    for (size_t i = 0; i < value.len; i++)
        bits |= (uint64_t)value.ptr[i] << (64 - 8 * (value.len - i));
    *sample = (struct sample){reader->ts_ms, f64_from_bits(bits)};
    return !reader->in.is_broken;
}

/* `*is_whole` turns false where the body does not decode. */
static enum status decode_samples(const struct record_sink *sink, struct sample_reader *reader,
                                  struct bytes body, bool *is_whole, struct error *err)
{
    reader->in = reader_of(body);
    while (reader_left(&reader->in) > 0) {
        struct sample sample;
        if (!read_sample(reader, &sample)) {
            *is_whole = false;
            return STATUS_OK;
        }
        if (!ref_set_has(sink->declared, reader->ref)) {
            sink->report->unknown_series++;
            continue;
        }
        sink->report->samples++;
        if (sink->handler->sample != NULL)
            TRY(sink->handler->sample(sink->handler->context, (struct series_ref){reader->ref},
                                      sample, err));
    }
    return STATUS_OK;
}

static bool read_labels(struct reader *in, struct arena *arena, struct labels *out)
{
    uint64_t count = reader_varint(in);
    /* each takes at least two bytes: refuse a count that cannot be before making room for it */
    if (in->is_broken || count > LABELS_MAX || count * 2 > reader_left(in))
        return false;
    struct label *labels = arena_alloc(arena, (size_t)count * sizeof *labels);
    for (size_t i = 0; i < count; i++) {
        labels[i].name = str_of_bytes(reader_sized(in));
        labels[i].value = str_of_bytes(reader_sized(in));
    }
    *out = (struct labels){labels, (size_t)count};
    return !in->is_broken && reader_left(in) == 0;
}

static enum status decode_series(const struct record_sink *sink, struct bytes body, bool *is_whole,
                                 struct error *err)
{
    struct reader in = reader_of(body);
    struct labels labels;
    uint64_t ref = reader_varint(&in);
    struct str tenant = str_of_bytes(reader_sized(&in));
    arena_reset(sink->arena);
    *is_whole = read_labels(&in, sink->arena, &labels) && ref < UINT32_MAX;
    if (!*is_whole)
        return STATUS_OK;
    ref_set_add(sink->declared, (uint32_t)ref);
    if (sink->handler->series == NULL)
        return STATUS_OK;
    return sink->handler->series(sink->handler->context, (struct series_ref){(uint32_t)ref}, tenant,
                                 labels, err);
}

static enum status decode_record(const struct record_sink *sink, struct sample_reader *reader,
                                 unsigned type, struct bytes body, bool *is_whole,
                                 struct error *err)
{
    if (type == RECORD_SAMPLES)
        return decode_samples(sink, reader, body, is_whole, err);
    if (type == RECORD_SERIES)
        return decode_series(sink, body, is_whole, err);
    if ((type & RECORD_MAY_BE_SKIPPED) == 0)
        return error_set(err, STATUS_CORRUPT,
                         "log: unknown record type %u: written by a newer version?", type);
    sink->report->skipped_records++;
    return STATUS_OK;
}

enum status records_decode(const struct record_sink *sink, struct bytes raw, struct error *err)
{
    struct reader in = reader_of(raw);
    struct sample_reader reader = {.ref = UINT32_MAX};
    bool is_whole = true;
    while (is_whole && reader_left(&in) > 0) {
        unsigned type = reader_u8(&in);
        struct bytes body = reader_bytes(&in, reader_u32(&in));
        is_whole = !in.is_broken;
        if (is_whole)
            TRY(decode_record(sink, &reader, type, body, &is_whole, err));
    }
    if (!is_whole)
        sink->report->damaged_frames++;
    return STATUS_OK;
}
