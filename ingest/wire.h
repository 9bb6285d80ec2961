/*
 * wire: bounded reads of the protobuf wire format.
 *
 * A `struct wire` walks one message; the fields inside a length-delimited field are walked by a
 * second one over the field's content. Nothing is read past `end`. The first failure is kept in the
 * shared `struct wire_fault`, every later call may be skipped: the caller returns on the first
 * false.
 *
 * Rules, where decoders differ: a length and a tag are varints of at most 5 bytes; a value varint
 * has at most 10 bytes, of which bits beyond 64 are dropped; field numbers are 1 to 2^29 - 1;
 * groups are refused.
 */
#ifndef CROFT_INGEST_WIRE_H
#define CROFT_INGEST_WIRE_H

#include "base/bytes.h"
#include "base/codec.h"
#include "base/status.h"

enum wire_type {
    WIRE_VARINT = 0,
    WIRE_FIXED64 = 1,
    WIRE_BYTES = 2,
    WIRE_GROUP_START = 3,
    WIRE_GROUP_END = 4,
    WIRE_FIXED32 = 5,
};

enum wire_fault_kind {
    WIRE_FAULT_NONE = 0,
    WIRE_FAULT_VARINT_CUT,   /* the message ends inside a varint */
    WIRE_FAULT_VARINT_LONG,  /* more bytes than its kind may have */
    WIRE_FAULT_FIXED_CUT,    /* got bytes left, want 4 or 8 */
    WIRE_FAULT_LENGTH,       /* got a length, want at most what is left */
    WIRE_FAULT_FIELD_NUMBER, /* got a field number out of range */
    WIRE_FAULT_WIRE_TYPE,    /* got a wire type that this field cannot have */
    WIRE_FAULT_GROUP,        /* got a wire type that is a group or unknown */
};

struct wire_fault {
    enum wire_fault_kind kind;
    const char *field; /* what was read: "label name" */
    const uint8_t *at; /* first byte of what is wrong */
    uint64_t got;
    uint64_t want;
};

struct wire {
    const uint8_t *at;
    const uint8_t *end;
    struct wire_fault *fault; /* kept */
};

struct wire_tag {
    uint32_t field_number;
    enum wire_type type;
};

static inline bool wire_has_more(const struct wire *wire)
{
    return wire->at < wire->end;
}

static inline size_t wire_left(const struct wire *wire)
{
    return (size_t)(wire->end - wire->at);
}

/* "label name: length runs past the end at byte 17, got 300, want at most 12"; `body` is what
   offsets count from. Returns STATUS_INVALID. */
enum status wire_fault_error(const struct wire_fault *fault, const uint8_t *body,
                             struct error *err);

bool wire_read_tag(struct wire *wire, struct wire_tag *tag);
bool wire_read_varint(struct wire *wire, const char *field, uint64_t *value);
bool wire_read_fixed64(struct wire *wire, const char *field, uint64_t *value);
/* A length and that many bytes. */
bool wire_read_bytes(struct wire *wire, const char *field, struct bytes *value);
/* The content of a field whose tag has just been read. */
bool wire_skip(struct wire *wire, struct wire_tag tag);
/* Fails unless the tag that ends at `wire->at` has this type. */
bool wire_expect_type(struct wire *wire, const char *field, struct wire_tag tag,
                      enum wire_type want);

#endif
