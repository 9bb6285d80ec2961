/*
 * gzip: compression of replies.
 */
#ifndef CROFT_HTTP_GZIP_H
#define CROFT_HTTP_GZIP_H

#include "base/buffer.h"

/* A smaller body costs more time to compress than its bytes cost on the way. */
enum { GZIP_MIN_BYTES = 1024 };

/* Whether a request with this Accept-Encoding header takes gzip: it is named (or "*" is) and its
   weight is not zero. Other encodings never matter: Croft has only this one. */
bool gzip_is_accepted(struct str accept_encoding);

/* Appends `in` as one gzip member, at the fastest level. */
void gzip_compress(struct bytes in, struct buffer *out);

/* The same in pieces: any number of appends, then one finish. */
struct gzip;
struct gzip *gzip_new(void);
void gzip_free(struct gzip *gzip);
void gzip_append(struct gzip *gzip, struct bytes in, struct buffer *out);
void gzip_finish(struct gzip *gzip, struct buffer *out);

#endif
