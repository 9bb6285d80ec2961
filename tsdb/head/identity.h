/*
 * identity: the bytes by which a label set is found: its labels as a remote-write message carries
 * them.
 *
 *     for each label, in order:
 *     +------+------------+------+------------+------+------+------------+-------+
 *     | 0x0a | len varint | 0x0a | len varint | name | 0x12 | len varint | value |
 *     +------+------------+------+------------+------+------+------------+-------+
 *            of all that follows  of the name                of the value
 *
 * A sender that sorts its labels has written the identity of its series already.
 */
#ifndef CROFT_TSDB_IDENTITY_H
#define CROFT_TSDB_IDENTITY_H

#include "base/buffer.h"
#include "tsdb/model/label.h"

/* No label is shorter: six bytes around a name and a value of one byte each. */
enum { LABEL_IDENTITY_LEN_MIN = 8 };

/* Appends the encoding of one label. */
void label_identity_encode(struct buffer *out, struct label label);
/* How many bytes that appends. */
size_t label_identity_len(struct label label);
/* The label that label_identity_encode has written; points into `encoding`. */
struct label label_identity_decode(struct str encoding);

/* Appends the identity encoding of labels in this order. */
void labels_identity_encode(struct buffer *out, struct labels labels);
/* The other way: `identity` is of `count` labels, which go to `out` and point into it. */
void labels_identity_decode(struct bytes identity, struct label *out, size_t count);
/* Takes the first label, whose encoding it returns, off the front of `identity`. */
struct str label_identity_take(struct bytes *identity);
/* hash_bytes over the identity encoding. */
uint64_t labels_identity_hash(struct labels labels);

#endif
