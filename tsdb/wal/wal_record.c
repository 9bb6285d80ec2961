#include "tsdb/wal/wal_record.h"

#include "base/check.h"

enum record_type {
    RECORD_SERIES = 1,
    RECORD_SAMPLES = 2,
    RECORD_MAY_BE_SKIPPED = 0x80, /* a flag */
};

enum { RECORD_HEADER_BYTES = 5, LEN_OFFSET = 1 };

/* Labels that one declaration may have: more than WAL_SERIES_BYTES_MAX of text can name. */
enum { LABELS_MAX = WAL_SERIES_BYTES_MAX / 2 };

/* ---- writing ---- */

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

void record_write_series(struct buffer *out, struct series_ref ref, const struct tenant_id *tenant,
                         struct labels labels)
{
    size_t offset = begin_record(out, RECORD_SERIES);
    write_varint(out, ref.value);
    write_sized(out, bytes_of_str(tenant_id_str(tenant)));
    write_varint(out, labels.count);
    for (size_t i = 0; i < labels.count; i++) {
        write_sized(out, bytes_of_str(labels.ptr[i].name));
        write_sized(out, bytes_of_str(labels.ptr[i].value));
    }
    CHECK(!out->is_overflown);
    CHECK(out->len - offset <= WAL_SERIES_BYTES_MAX);
    end_record(out, offset);
}

void record_write_samples(struct buffer *out, struct last_values *last,
                          const struct logged_sample *samples, size_t count)
{
    size_t offset = begin_record(out, RECORD_SAMPLES);
    sample_record_encode(out, last, samples, count);
    CHECK(!out->is_overflown);
    end_record(out, offset);
}

/* ---- reading ---- */

/* Leaves out what no declaration of the epoch speaks of. */
static void keep_declared(const struct record_sink *sink, struct sample_list *list)
{
    size_t kept = 0;
    while (kept < list->count && ref_set_has(sink->declared, list->samples[kept].ref.value))
        kept++;
    for (size_t i = kept; i < list->count; i++) {
        list->samples[kept] = list->samples[i];
        kept += ref_set_has(sink->declared, list->samples[i].ref.value);
    }
    sink->report->unknown_series += list->count - kept;
    list->count = kept;
}

/* `*is_whole` turns false when the body does not decode. */
static enum status decode_samples(const struct record_sink *sink, struct bytes body, bool *is_whole,
                                  struct error *err)
{
    struct sample_list *list = sink->samples;
    *is_whole = sample_record_decode(list, sink->last, body);
    sink->report->lost_samples += list->lost_count;
    keep_declared(sink, list);
    sink->report->samples += list->count;
    if (sink->handler->samples == NULL || list->count == 0)
        return STATUS_OK;
    return sink->handler->samples(sink->handler->context, list->samples, list->count, err);
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

static enum status decode_record(const struct record_sink *sink, unsigned type, struct bytes body,
                                 bool *is_whole, struct error *err)
{
    if (type == RECORD_SAMPLES)
        return decode_samples(sink, body, is_whole, err);
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
    bool is_whole = true;
    while (is_whole && reader_left(&in) > 0) {
        unsigned type = reader_u8(&in);
        struct bytes body = reader_bytes(&in, reader_u32(&in));
        is_whole = !in.is_broken;
        if (is_whole)
            TRY(decode_record(sink, type, body, &is_whole, err));
    }
    if (!is_whole) {
        sink->report->damaged_frames++;
        last_values_reset(sink->last);
    }
    return STATUS_OK;
}
