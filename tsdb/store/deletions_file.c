#include "tsdb/store/deletions_file.h"

#include "base/codec.h"
#include "base/crc32c.h"
#include "base/whole_file.h"
#include "tsdb/files/filenames.h"
#include "tsdb/files/shard_files.h"

static const char magic[8] = {'C', 'R', 'O', 'F', 'T', 'D', 'E', 'L'};
enum { VERSION = 1, HEADER_BYTES = 32 };

static void encode_body(struct buffer *out, const struct deletions *list)
{
    for (size_t i = 0; i < list->count; i++) {
        const struct deletion *d = &list->ptr[i];
        write_sized(out, bytes_of_str(tenant_id_str(&d->tenant)));
        write_varint(out, d->last_sequence);
        write_svarint(out, d->min_ts_ms);
        write_svarint(out, d->max_ts_ms);
        write_varint(out, d->matcher_count);
        for (size_t k = 0; k < d->matcher_count; k++) {
            write_u8(out, (uint8_t)d->matchers[k].op);
            write_sized(out, bytes_of_str(d->matchers[k].name));
            write_sized(out, bytes_of_str(d->matchers[k].value));
        }
    }
}

static void encode_copy(struct buffer *out, const struct deletions *list, uint32_t shard,
                        struct bytes body)
{
    size_t start = out->len;
    buffer_append(out, magic, sizeof magic);
    write_u32(out, VERSION);
    write_u32(out, shard);
    write_u32(out, (uint32_t)list->count);
    write_u32(out, (uint32_t)body.len);
    write_u32(out, crc32c(body));
    write_u32(out, crc32c((struct bytes){out->ptr + start, out->len - start}));
    buffer_append(out, body.ptr, body.len);
}

void deletions_encode(struct buffer *out, const struct deletions *list, uint32_t shard)
{
    struct buffer body;
    buffer_init(&body, DELETIONS_FILE_BYTES_MAX);
    encode_body(&body, list);
    for (int copy = 0; copy < 2; copy++)
        encode_copy(out, list, shard, buffer_bytes(&body));
    out->is_overflown = out->is_overflown || body.is_overflown;
    buffer_deinit(&body);
}

static enum status broken(struct error *err)
{
    return error_set(err, STATUS_CORRUPT, "deletions: not the bytes of a deletion");
}

static enum status decode_deletion(struct reader *r, struct deletions *list, struct error *err)
{
    struct matcher matchers[DELETION_MATCHERS_MAX];
    struct deletion d = {.matchers = matchers};
    struct str tenant = str_of_bytes(reader_sized(r));
    d.last_sequence = reader_varint(r);
    d.min_ts_ms = reader_svarint(r);
    d.max_ts_ms = reader_svarint(r);
    uint64_t count = reader_varint(r);
    if (r->is_broken || count > DELETION_MATCHERS_MAX)
        return broken(err);
    for (; d.matcher_count < count; d.matcher_count++) {
        uint8_t op = reader_u8(r);
        if (op > MATCHER_NRE)
            return broken(err);
        struct matcher *m = &matchers[d.matcher_count];
        *m = (struct matcher){.op = op};
        m->name = str_of_bytes(reader_sized(r));
        m->value = str_of_bytes(reader_sized(r));
    }
    if (r->is_broken || tenant_id_parse(tenant, &d.tenant, err) != STATUS_OK)
        return broken(err);
    return deletions_add(list, &d, err);
}

static enum status decode_body(struct bytes body, uint32_t count, struct deletions *list,
                               struct error *err)
{
    struct reader r = reader_of(body);
    for (uint32_t i = 0; i < count; i++) {
        if (decode_deletion(&r, list, err) != STATUS_OK)
            return STATUS_CORRUPT;
    }
    return reader_left(&r) == 0 ? STATUS_OK : broken(err);
}

/* The copy at the beginning of `data`. */
static enum status decode_copy(struct bytes data, uint32_t shard, struct deletions *list,
                               struct error *err)
{
    struct reader r = reader_of(data);
    struct bytes got_magic = reader_bytes(&r, sizeof magic);
    uint32_t version = reader_u32(&r), got_shard = reader_u32(&r), count = reader_u32(&r);
    uint32_t len = reader_u32(&r), body_sum = reader_u32(&r), sum = reader_u32(&r);
    if (r.is_broken || memcmp(got_magic.ptr, magic, sizeof magic) != 0 ||
        crc32c((struct bytes){data.ptr, HEADER_BYTES - sizeof sum}) != sum)
        return error_set(err, STATUS_CORRUPT, "deletions: damaged header");
    if (version != VERSION || got_shard != shard)
        return error_set(err, STATUS_CORRUPT,
                         "deletions: got version %u of shard %u, want %d of %u", version, got_shard,
                         VERSION, shard);
    struct bytes body = reader_bytes(&r, len);
    if (r.is_broken || crc32c(body) != body_sum)
        return error_set(err, STATUS_CORRUPT, "deletions: damaged");
    return decode_body(body, count, list, err);
}

/* Where the next copy begins behind `from`; the end when there is none. What is damaged, cut or
   longer than it was does not move the other copy, so it is looked for and not computed. */
static size_t find_copy(struct bytes data, size_t from)
{
    while (data.len - from >= sizeof magic && memcmp(data.ptr + from, magic, sizeof magic) != 0)
        from++;
    return data.len - from >= sizeof magic ? from : data.len;
}

enum status deletions_decode(struct bytes data, uint32_t shard, struct deletions **out,
                             struct error *err)
{
    enum status status =
        error_set(err, STATUS_CORRUPT, "deletions: no copy in %zu bytes", data.len);
    for (size_t at = find_copy(data, 0); at < data.len; at = find_copy(data, at + 1)) {
        struct deletions *list = deletions_new();
        struct bytes copy = {data.ptr + at, data.len - at};
        status = decode_copy(copy, shard, list, err);
        if (status == STATUS_OK) {
            *out = list;
            return status;
        }
        deletions_release(list);
    }
    return status;
}

static bool is_encoding_of(struct bytes data, const struct deletions *list, uint32_t shard)
{
    struct buffer want;
    buffer_init(&want, DELETIONS_FILE_BYTES_MAX);
    deletions_encode(&want, list, shard);
    bool is = want.len == data.len && memcmp(want.ptr, data.ptr, data.len) == 0;
    buffer_deinit(&want);
    return is;
}

enum status deletions_load(struct disk *disk, uint32_t shard, struct deletions **out,
                           bool *is_whole, struct error *err)
{
    char path[DISK_PATH_MAX];
    struct buffer bytes;
    shard_file_path(path, shard, DELETIONS_FILE, "");
    buffer_init(&bytes, DELETIONS_FILE_BYTES_MAX);
    enum status status = whole_file_read(disk, path, &bytes, err);
    if (status == STATUS_OK)
        status = deletions_decode(buffer_bytes(&bytes), shard, out, err);
    *is_whole = status == STATUS_OK && is_encoding_of(buffer_bytes(&bytes), *out, shard);
    buffer_deinit(&bytes);
    return status;
}
