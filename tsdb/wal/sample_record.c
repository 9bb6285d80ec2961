#include "tsdb/wal/sample_record.h"

#include "base/check.h"
#include "tsdb/wal/value_change.h"

/* ---- writing ---- */

static void put_ref_runs(struct buffer *out, const struct logged_sample *samples, size_t count)
{
    uint32_t before = UINT32_MAX;
    for (size_t i = 0, end; i < count; i = end) {
        uint32_t first = samples[i].ref.value;
        uint32_t step = i + 1 < count && samples[i + 1].ref.value == first ? 0 : 1;
        for (end = i + 1; end < count; end++) {
            if (samples[end].ref.value != samples[end - 1].ref.value + step)
                break;
        }
        write_varint(out, zigzag_encode((int32_t)(first - before - 1)));
        write_varint(out, (end - i - 1) << 1 | step);
        before = samples[end - 1].ref.value;
    }
}

static void put_ts_runs(struct buffer *out, const struct logged_sample *samples, size_t count)
{
    uint64_t before = 0;
    for (size_t i = 0, end; i < count; i = end) {
        int64_t ts_ms = samples[i].sample.ts_ms;
        for (end = i + 1; end < count && samples[end].sample.ts_ms == ts_ms; end++)
            continue;
        write_svarint(out, (int64_t)((uint64_t)ts_ms - before));
        write_varint(out, end - i - 1);
        before = (uint64_t)ts_ms;
    }
}

static size_t bytes_for_bits(size_t count)
{
    return (count + 7) / 8;
}

static size_t bytes_for_codes(size_t count)
{
    return (count + 1) / 2;
}

/*
 *     a bit for each sample │ a code for each that has changed │ the bytes of their values
 *
 * How many have changed is known at the end: until then the bytes stand behind room for all codes.
 */
static void put_values(struct buffer *out, struct last_values *last,
                       const struct logged_sample *samples, size_t count)
{
    size_t head_max_bytes = bytes_for_bits(count) + bytes_for_codes(count);
    uint8_t *bits = buffer_reserve(out, head_max_bytes + (count + 1) * VALUE_BYTES_MAX);
    CHECK(bits != NULL);
    memset(bits, 0, head_max_bytes);
    uint8_t *codes = bits + bytes_for_bits(count), *values = bits + head_max_bytes, *end = values;
    size_t changed_count = 0;
    for (size_t i = 0; i < count; i++) {
        struct last_value before = last_values_at(last, samples[i].ref.value);
        struct value_change change = value_change_to(before, f64_bits(samples[i].sample.value));
        if (change.code == VALUE_SAME)
            continue;
        bits[i / 8] |= (uint8_t)(1U << i % 8);
        codes[changed_count / 2] |= (uint8_t)(change.code << changed_count % 2 * 4);
        changed_count++;
        store_u64(end, change.bytes);
        end += change.len;
    }
    uint8_t *codes_end = codes + bytes_for_codes(changed_count);
    memmove(codes_end, values, (size_t)(end - values));
    out->len += (size_t)(codes_end - bits) + (size_t)(end - values);
}

void sample_record_encode(struct buffer *out, struct last_values *last,
                          const struct logged_sample *samples, size_t count)
{
    CHECK(count > 0);
    CHECK(count <= SAMPLE_RECORD_COUNT_MAX);
    write_varint(out, count);
    put_ref_runs(out, samples, count);
    put_ts_runs(out, samples, count);
    put_values(out, last, samples, count);
}

/* ---- reading ---- */

/* The length of a run that begins at `from`, when it fits into `count`. */
static bool read_run_len(uint64_t more, size_t from, size_t count, size_t *end)
{
    *end = from + (size_t)more + 1;
    return more < count - from;
}

static bool read_ref_runs(struct reader *in, struct logged_sample *samples, size_t count)
{
    uint32_t before = UINT32_MAX;
    for (size_t i = 0, end; i < count; i = end) {
        uint32_t ref = before + 1 + (uint32_t)reader_svarint(in);
        uint64_t len = reader_varint(in);
        uint32_t step = len & 1;
        if (in->is_broken || !read_run_len(len >> 1, i, count, &end))
            return false;
        for (size_t at = i; at < end; at++)
            samples[at].ref.value = ref + (uint32_t)(at - i) * step;
        before = samples[end - 1].ref.value;
    }
    return true;
}

static bool read_ts_runs(struct reader *in, struct logged_sample *samples, size_t count)
{
    uint64_t ts_ms = 0;
    for (size_t i = 0, end; i < count; i = end) {
        ts_ms += (uint64_t)reader_svarint(in);
        uint64_t more = reader_varint(in);
        if (in->is_broken || !read_run_len(more, i, count, &end))
            return false;
        for (size_t at = i; at < end; at++)
            samples[at].sample.ts_ms = (int64_t)ts_ms;
    }
    return true;
}

/* The part of a record that is being read. */
struct value_reader {
    const uint8_t *bits;
    const uint8_t *codes;
    struct reader bytes;
    size_t changed_count; /* so far */
};

/* The next value becomes the last one. */
static enum value_told read_value(struct value_reader *r, size_t index, struct last_value last)
{
    if ((r->bits[index / 8] >> index % 8 & 1) == 0)
        return value_change_apply(last, VALUE_SAME, 0);
    unsigned code = r->codes[r->changed_count / 2] >> r->changed_count % 2 * 4 & 0xf;
    r->changed_count++;
    struct bytes value = reader_bytes(&r->bytes, value_code_lens[code]);
    if (r->bytes.is_broken)
        return VALUE_WRONG;
    uint64_t bytes = 0;
    memcpy(&bytes, value.ptr, value.len);
    return value_change_apply(last, code, bytes);
}

static size_t count_changed(struct bytes bits)
{
    size_t changed_count = 0, at = 0;
    for (; at + sizeof(uint64_t) <= bits.len; at += sizeof(uint64_t))
        changed_count += (size_t)__builtin_popcountll(load_u64(bits.ptr + at));
    for (; at < bits.len; at++)
        changed_count += (size_t)__builtin_popcount(bits.ptr[at]);
    return changed_count;
}

/* The bits behind the last one are no sample's. */
static bool has_stray_bits(struct bytes bits, size_t count)
{
    return count % 8 != 0 && bits.ptr[bits.len - 1] >> count % 8 != 0;
}

/* Leaves out those that cannot be told. */
static bool read_values(struct sample_list *out, struct reader *in, struct last_values *last,
                        size_t count)
{
    struct bytes bits = reader_bytes(in, bytes_for_bits(count));
    if (in->is_broken || has_stray_bits(bits, count))
        return false;
    struct value_reader r = {.bits = bits.ptr};
    r.codes = reader_bytes(in, bytes_for_codes(count_changed(bits))).ptr;
    if (in->is_broken)
        return false;
    r.bytes = *in;
    for (size_t i = 0; i < count; i++) {
        struct logged_sample *sample = &out->samples[i];
        struct last_value value = last_values_at(last, sample->ref.value);
        enum value_told told = read_value(&r, i, value);
        if (told == VALUE_WRONG)
            return false;
        if (told == VALUE_UNKNOWN) {
            out->lost_count++;
            continue;
        }
        struct logged_sample *kept = &out->samples[out->count++];
        if (kept != sample)
            *kept = *sample;
        kept->sample.value = f64_from_bits(*value.bits);
    }
    return reader_left(&r.bytes) == 0;
}

bool sample_record_decode(struct sample_list *out, struct last_values *last, struct bytes body)
{
    struct reader in = reader_of(body);
    uint64_t count = reader_varint(&in);
    out->count = 0;
    out->lost_count = 0;
    return count > 0 && count <= SAMPLE_RECORD_COUNT_MAX &&
           read_ref_runs(&in, out->samples, (size_t)count) &&
           read_ts_runs(&in, out->samples, (size_t)count) &&
           read_values(out, &in, last, (size_t)count);
}
