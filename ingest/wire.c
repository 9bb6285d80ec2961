#include "ingest/wire.h"

#include <inttypes.h>

enum {
    TAG_BYTES_MAX = 5,    /* 32 bits */
    LENGTH_BYTES_MAX = 5, /* 32 bits */
    VALUE_BYTES_MAX = 10, /* 64 bits */
};
#define FIELD_NUMBER_MAX UINT64_C(0x1fffffff)

/* Records the fault when it is the first; returns false. */
static bool fail(struct wire *wire, struct wire_fault fault)
{
    if (wire->fault->kind == WIRE_FAULT_NONE)
        *wire->fault = fault;
    return false;
}

static const char *type_name(uint64_t type)
{
    static const char *const names[] = {"varint",    "fixed64", "length-delimited", "group start",
                                        "group end", "fixed32", "unknown (6)",      "unknown (7)"};
    return names[type & 7];
}

enum status wire_fault_error(const struct wire_fault *fault, const uint8_t *body, struct error *err)
{
    size_t offset = (size_t)(fault->at - body);
    switch (fault->kind) {
    case WIRE_FAULT_VARINT_CUT:
        return error_set(err, STATUS_INVALID, "%s: the message ends inside a varint at byte %zu",
                         fault->field, offset);
    case WIRE_FAULT_VARINT_LONG:
        return error_set(err, STATUS_INVALID,
                         "%s: varint too long at byte %zu, want at most %" PRIu64 " bytes",
                         fault->field, offset, fault->want);
    case WIRE_FAULT_FIXED_CUT:
        return error_set(err, STATUS_INVALID,
                         "%s: the message ends inside a number at byte %zu, got %" PRIu64
                         " bytes, want %" PRIu64,
                         fault->field, offset, fault->got, fault->want);
    case WIRE_FAULT_LENGTH:
        return error_set(err, STATUS_INVALID,
                         "%s: length runs past the end at byte %zu, got %" PRIu64
                         ", want at most %" PRIu64,
                         fault->field, offset, fault->got, fault->want);
    case WIRE_FAULT_FIELD_NUMBER:
        return error_set(err, STATUS_INVALID,
                         "tag: field number out of range at byte %zu, got %" PRIu64
                         ", want 1 to %" PRIu64,
                         offset, fault->got, fault->want);
    case WIRE_FAULT_WIRE_TYPE:
        return error_set(err, STATUS_INVALID,
                         "%s: wrong wire type before byte %zu, got %s, want %s", fault->field,
                         offset, type_name(fault->got), type_name(fault->want));
    case WIRE_FAULT_GROUP:
        return error_set(err, STATUS_INVALID,
                         "field %" PRIu64 ": wire type not supported before byte %zu, got %s",
                         fault->want, offset, type_name(fault->got));
    case WIRE_FAULT_NONE:
        break;
    }
    return error_set(err, STATUS_INVALID, "message: malformed");
}

/* The first byte with a clear high bit ends the varint; at most `bytes_max` bytes. */
static bool read_varint(struct wire *wire, const char *field, unsigned bytes_max, uint64_t *value)
{
    uint64_t result = 0;
    const uint8_t *at = wire->at;
    for (unsigned count = 0; count < bytes_max; count++) {
        if (at == wire->end)
            return fail(wire, (struct wire_fault){WIRE_FAULT_VARINT_CUT, field, wire->at, 0, 0});
        uint8_t byte = *at++;
        result |= (uint64_t)(byte & 0x7f) << (7 * count);
        if (byte < 0x80) {
            *value = result;
            wire->at = at;
            return true;
        }
    }
    return fail(wire, (struct wire_fault){WIRE_FAULT_VARINT_LONG, field, wire->at, 0, bytes_max});
}

bool wire_read_varint(struct wire *wire, const char *field, uint64_t *value)
{
    return read_varint(wire, field, VALUE_BYTES_MAX, value);
}

bool wire_read_tag(struct wire *wire, struct wire_tag *tag)
{
    const uint8_t *at = wire->at;
    uint64_t value;
    if (!read_varint(wire, "tag", TAG_BYTES_MAX, &value))
        return false;
    uint64_t number = value >> 3;
    if (number == 0 || number > FIELD_NUMBER_MAX)
        return fail(wire, (struct wire_fault){WIRE_FAULT_FIELD_NUMBER, "tag", at, number,
                                              FIELD_NUMBER_MAX});
    *tag = (struct wire_tag){(uint32_t)number, (enum wire_type)(value & 7)};
    return true;
}

bool wire_read_fixed64(struct wire *wire, const char *field, uint64_t *value)
{
    if (wire_left(wire) < sizeof *value)
        return fail(wire, (struct wire_fault){WIRE_FAULT_FIXED_CUT, field, wire->at,
                                              wire_left(wire), sizeof *value});
    *value = load_u64(wire->at);
    wire->at += sizeof *value;
    return true;
}

static bool skip_fixed32(struct wire *wire)
{
    if (wire_left(wire) < sizeof(uint32_t))
        return fail(wire, (struct wire_fault){WIRE_FAULT_FIXED_CUT, "unknown field", wire->at,
                                              wire_left(wire), sizeof(uint32_t)});
    wire->at += sizeof(uint32_t);
    return true;
}

bool wire_read_bytes(struct wire *wire, const char *field, struct bytes *value)
{
    const uint8_t *at = wire->at;
    uint64_t len;
    if (!read_varint(wire, field, LENGTH_BYTES_MAX, &len))
        return false;
    size_t left = wire_left(wire);
    if (len > left)
        return fail(wire, (struct wire_fault){WIRE_FAULT_LENGTH, field, at, len, left});
    *value = (struct bytes){wire->at, (size_t)len};
    wire->at += len;
    return true;
}

bool wire_skip(struct wire *wire, struct wire_tag tag)
{
    uint64_t number;
    struct bytes content;
    switch (tag.type) {
    case WIRE_VARINT:
        return wire_read_varint(wire, "unknown field", &number);
    case WIRE_FIXED64:
        return wire_read_fixed64(wire, "unknown field", &number);
    case WIRE_BYTES:
        return wire_read_bytes(wire, "unknown field", &content);
    case WIRE_FIXED32:
        return skip_fixed32(wire);
    case WIRE_GROUP_START:
    case WIRE_GROUP_END:
        break;
    }
    return fail(wire, (struct wire_fault){WIRE_FAULT_GROUP, "unknown field", wire->at, tag.type,
                                          tag.field_number});
}

bool wire_expect_type(struct wire *wire, const char *field, struct wire_tag tag,
                      enum wire_type want)
{
    if (tag.type == want)
        return true;
    return fail(wire, (struct wire_fault){WIRE_FAULT_WIRE_TYPE, field, wire->at, tag.type, want});
}
