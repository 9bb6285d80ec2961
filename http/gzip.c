#include "http/gzip.h"

#include <zlib.h>

#include "base/check.h"
#include "base/mem.h"
#include "base/words.h"

enum {
    LEVEL_FASTEST = 1,
    WINDOW_BITS = 15 + 16, /* the largest window; 16 asks for the gzip format */
    MEMORY_LEVEL = 8,
    STEP_BYTES_MIN = 4096,
    INPUT_STEP_MAX = 1 << 30, /* zlib counts in unsigned int */
};

/* Cuts the part up to `separator` off `rest` and returns it trimmed. */
static struct str take_part(struct str *rest, char separator)
{
    size_t end = str_find(*rest, separator, 0);
    struct str part = str_slice(*rest, 0, end);
    *rest = str_slice(*rest, end + 1, SIZE_MAX);
    return str_trim(part);
}

/* "0", "0.", "0.000": a weight that forbids. */
static bool is_zero_weight(struct str weight)
{
    if (weight.len == 0 || weight.ptr[0] != '0')
        return false;
    for (size_t at = 1; at < weight.len; at++) {
        if (weight.ptr[at] != '0' && weight.ptr[at] != '.')
            return false;
    }
    return true;
}

/* Looks for "q=0" among the parameters of one coding. */
static bool is_forbidden(struct str parameters)
{
    while (parameters.len > 0) {
        struct str value = take_part(&parameters, ';');
        struct str name = take_part(&value, '=');
        if (str_eq_caseless(name, STR("q")) && is_zero_weight(str_trim(value)))
            return true;
    }
    return false;
}

bool gzip_is_accepted(struct str accept_encoding)
{
    bool is_any_accepted = false;
    while (accept_encoding.len > 0) {
        struct str parameters = take_part(&accept_encoding, ',');
        struct str coding = take_part(&parameters, ';');
        bool is_accepted = !is_forbidden(parameters);
        if (str_eq_caseless(coding, STR("gzip")) || str_eq_caseless(coding, STR("x-gzip")))
            return is_accepted;
        if (str_eq_caseless(coding, STR("*")))
            is_any_accepted = is_accepted;
    }
    return is_any_accepted;
}

/* Compresses what the stream has as input until zlib wants more of it or, with Z_FINISH, is
   done. */
static void deflate_step(z_stream *stream, int flush, struct buffer *out)
{
    bool has_more = true;
    while (has_more) {
        size_t room = stream->avail_in / 8 + STEP_BYTES_MIN;
        uint8_t *to = buffer_reserve(out, room);
        if (to == NULL)
            return;
        stream->next_out = to;
        stream->avail_out = (uInt)room;
        int result = deflate(stream, flush);
        CHECK(result == Z_OK || result == Z_STREAM_END || result == Z_BUF_ERROR);
        out->len += room - stream->avail_out;
        has_more = stream->avail_out == 0 && result != Z_STREAM_END;
    }
}

static void start(z_stream *stream)
{
    int result = deflateInit2(stream, LEVEL_FASTEST, Z_DEFLATED, WINDOW_BITS, MEMORY_LEVEL,
                              Z_DEFAULT_STRATEGY);
    CHECK(result == Z_OK);
}

static void deflate_all(z_stream *stream, struct bytes in, struct buffer *out)
{
    for (size_t done = 0; done < in.len;) {
        size_t step = in.len - done < INPUT_STEP_MAX ? in.len - done : INPUT_STEP_MAX;
        stream->next_in = (z_const Bytef *)(in.ptr + done);
        stream->avail_in = (uInt)step;
        done += step;
        deflate_step(stream, Z_NO_FLUSH, out);
    }
}

void gzip_compress(struct bytes in, struct buffer *out)
{
    z_stream stream = {0};
    start(&stream);
    deflate_all(&stream, in, out);
    deflate_step(&stream, Z_FINISH, out);
    deflateEnd(&stream);
}

struct gzip {
    z_stream stream;
};

struct gzip *gzip_new(void)
{
    struct gzip *gzip = mem_alloc_zeroed(1, sizeof *gzip);
    start(&gzip->stream);
    return gzip;
}

void gzip_free(struct gzip *gzip)
{
    if (gzip == NULL)
        return;
    deflateEnd(&gzip->stream);
    mem_free(gzip);
}

void gzip_append(struct gzip *gzip, struct bytes in, struct buffer *out)
{
    deflate_all(&gzip->stream, in, out);
}

void gzip_finish(struct gzip *gzip, struct buffer *out)
{
    deflate_step(&gzip->stream, Z_FINISH, out);
}
