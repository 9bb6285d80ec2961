#include "tsdb/store/deletions.h"

#include "base/crc32c.h"
#include "base/mem.h"
#include "base/whole_file.h"
#include "tsdb/files/filenames.h"
#include "tsdb/files/shard_files.h"

static const char magic[8] = {'C', 'R', 'O', 'F', 'T', 'D', 'E', 'L'};
enum { VERSION = 1, HEADER_BYTES = 32 };

/* ---- lists ---- */

struct deletions *deletions_new(void)
{
    struct deletions *list = mem_alloc_zeroed(1, sizeof *list);
    refcount_init(&list->references);
    arena_init(&list->arena, SIZE_MAX);
    return list;
}

void deletions_acquire(struct deletions *list)
{
    refcount_acquire(&list->references);
}

static void deinit_matchers(const struct deletion *deletion)
{
    for (size_t i = 0; i < deletion->matcher_count; i++)
        matcher_deinit((struct matcher *)&deletion->matchers[i]);
}

void deletions_release(struct deletions *list)
{
    if (list == NULL || !refcount_release(&list->references))
        return;
    for (size_t i = 0; i < list->count; i++)
        deinit_matchers(&list->ptr[i]);
    mem_free(list->ptr);
    arena_deinit(&list->arena);
    mem_free(list);
}

static enum status copy_matchers(struct deletions *list, const struct deletion *from,
                                 struct deletion *to, struct error *err)
{
    struct matcher *matchers = arena_alloc(&list->arena, from->matcher_count * sizeof *matchers);
    to->matchers = matchers;
    to->matcher_count = 0;
    for (size_t i = 0; i < from->matcher_count; i++) {
        const struct matcher *m = &from->matchers[i];
        TRY(matcher_init(&matchers[i], m->op, arena_copy(&list->arena, m->name),
                         arena_copy(&list->arena, m->value), &list->arena, err));
        to->matcher_count++;
    }
    return STATUS_OK;
}

static int compare_tenants(const struct deletion *a, const struct deletion *b)
{
    return str_compare(tenant_id_str(&a->tenant), tenant_id_str(&b->tenant));
}

enum status deletions_add(struct deletions *list, const struct deletion *deletion,
                          struct error *err)
{
    if (list->count >= DELETIONS_MAX)
        return error_set(
            err, STATUS_LIMIT,
            "deletions: %zu wait for their blocks to be written anew, want at most %d; "
            "clean_tombstones does that at once",
            list->count, DELETIONS_MAX);
    if (deletion->matcher_count > DELETION_MATCHERS_MAX)
        return error_set(err, STATUS_INVALID, "deletion: got %zu matchers, want at most %d",
                         deletion->matcher_count, DELETION_MATCHERS_MAX);
    struct deletion copy = *deletion;
    enum status status = copy_matchers(list, deletion, &copy, err);
    if (status != STATUS_OK) {
        deinit_matchers(&copy);
        return status;
    }
    list->ptr = mem_grow(list->ptr, &list->capacity, list->count + 1, sizeof *list->ptr);
    size_t at = list->count++;
    for (; at > 0 && compare_tenants(&list->ptr[at - 1], &copy) > 0; at--)
        list->ptr[at] = list->ptr[at - 1];
    list->ptr[at] = copy;
    return STATUS_OK;
}

/* ---- the file ---- */

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

static struct str text_of(struct bytes bytes)
{
    return (struct str){(const char *)bytes.ptr, bytes.len};
}

static enum status broken(struct error *err)
{
    return error_set(err, STATUS_CORRUPT, "deletions: not the bytes of a deletion");
}

static enum status decode_deletion(struct reader *r, struct deletions *list, struct error *err)
{
    struct matcher matchers[DELETION_MATCHERS_MAX];
    struct deletion d = {.matchers = matchers};
    struct str tenant = text_of(reader_sized(r));
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
        m->name = text_of(reader_sized(r));
        m->value = text_of(reader_sized(r));
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

/* ---- what they say ---- */

/* The position of the first one of the tenant, or of where it would be. */
static size_t first_of(const struct deletions *list, struct str tenant)
{
    size_t begin = 0, end = list->count;
    while (begin < end) {
        size_t middle = begin + (end - begin) / 2;
        if (str_compare(tenant_id_str(&list->ptr[middle].tenant), tenant) < 0)
            begin = middle + 1;
        else
            end = middle;
    }
    return begin;
}

static bool is_of(const struct deletions *list, size_t at, struct str tenant)
{
    return at < list->count && str_eq(tenant_id_str(&list->ptr[at].tenant), tenant);
}

bool deletions_concern(const struct deletions *list, uint64_t sequence, struct str tenant)
{
    for (size_t i = first_of(list, tenant); is_of(list, i, tenant); i++) {
        if (sequence <= list->ptr[i].last_sequence)
            return true;
    }
    return false;
}

static bool matches(const struct deletion *d, struct labels labels)
{
    for (size_t i = 0; i < d->matcher_count; i++) {
        if (!matcher_matches(&d->matchers[i], labels_get(labels, d->matchers[i].name)))
            return false;
    }
    return true;
}

static bool touch_each_other(const struct span *a, const struct span *b)
{
    return a->max_ts_ms == INT64_MAX || b->min_ts_ms <= a->max_ts_ms + 1;
}

/* Puts the span in its place and unites it with those that it touches. */
static size_t add_span(struct span *spans, size_t count, struct span span)
{
    size_t at = count, kept = 0;
    for (; at > 0 && spans[at - 1].min_ts_ms > span.min_ts_ms; at--)
        spans[at] = spans[at - 1];
    spans[at] = span;
    for (size_t i = 1; i <= count; i++) {
        if (!touch_each_other(&spans[kept], &spans[i]))
            spans[++kept] = spans[i];
        else if (spans[i].max_ts_ms > spans[kept].max_ts_ms)
            spans[kept].max_ts_ms = spans[i].max_ts_ms;
    }
    return kept + 1;
}

struct span_list deletions_of_series(const struct deletions *list, uint64_t sequence,
                                     struct str tenant, struct labels labels, struct arena *arena)
{
    struct span *spans = NULL;
    size_t count = 0;
    for (size_t i = first_of(list, tenant); is_of(list, i, tenant); i++) {
        const struct deletion *d = &list->ptr[i];
        if (sequence > d->last_sequence || !matches(d, labels))
            continue;
        if (spans == NULL)
            spans = arena_alloc(arena, (list->count - i) * sizeof *spans);
        count = add_span(spans, count, (struct span){d->min_ts_ms, d->max_ts_ms});
    }
    return (struct span_list){spans, count};
}

bool spans_cover(struct span_list spans, int64_t min_ts_ms, int64_t max_ts_ms)
{
    for (size_t i = 0; i < spans.count; i++) {
        if (spans.ptr[i].min_ts_ms <= min_ts_ms && max_ts_ms <= spans.ptr[i].max_ts_ms)
            return true;
    }
    return false;
}

static void cut_spans(struct columns *columns, struct span_list spans)
{
    size_t kept = 0, span = 0;
    for (size_t i = 0; i < columns->count; i++) {
        int64_t ts_ms = columns->ts_ms[i];
        while (span < spans.count && spans.ptr[span].max_ts_ms < ts_ms)
            span++;
        if (span < spans.count && spans.ptr[span].min_ts_ms <= ts_ms)
            continue;
        columns->ts_ms[kept] = ts_ms;
        columns->values[kept++] = columns->values[i];
    }
    columns->count = kept;
}

enum status deletions_read(struct span_list deleted, struct block *block, size_t tenant,
                           uint32_t series, const struct block_range *range, struct columns *out,
                           struct error *err)
{
    if (deleted.count == 0)
        return block_read(block, tenant, series, range, out, err);
    struct columns kept;
    columns_init(&kept);
    enum status status = block_read(block, tenant, series, range, &kept, err);
    if (status == STATUS_OK) {
        cut_spans(&kept, deleted);
        columns_merge(out, &kept);
    }
    columns_deinit(&kept);
    return status;
}

static bool reads_nothing(struct span_list deleted, struct block *block, size_t tenant,
                          uint32_t series, const struct block_range *range)
{
    struct columns left;
    struct error err;
    columns_init(&left);
    enum status status = deletions_read(deleted, block, tenant, series, range, &left, &err);
    bool is_empty = status == STATUS_OK && left.count == 0;
    columns_deinit(&left);
    return is_empty;
}

bool deletions_empty(struct span_list deleted, struct block *block, size_t tenant, uint32_t series,
                     const struct block_range *range)
{
    int64_t min_ts_ms, max_ts_ms;
    struct error err;
    if (deleted.count == 0 ||
        block_time_range(block, tenant, series, &min_ts_ms, &max_ts_ms, &err) != STATUS_OK)
        return false;
    bool begins_before = min_ts_ms < range->min_ts_ms;
    if (begins_before)
        min_ts_ms = range->min_ts_ms;
    if (max_ts_ms > range->max_ts_ms)
        max_ts_ms = range->max_ts_ms;
    if (spans_cover(deleted, min_ts_ms, max_ts_ms))
        return true;
    bool may_be_empty = spans_cover(deleted, max_ts_ms, max_ts_ms) &&
                        (begins_before || spans_cover(deleted, min_ts_ms, min_ts_ms));
    return may_be_empty && reads_nothing(deleted, block, tenant, series, range);
}

static enum status find_touched(const struct deletion *d, struct block *block, size_t tenant,
                                struct arena *scratch, bool *touches, struct error *err)
{
    struct matchers matchers = {d->matchers, d->matcher_count};
    struct series_list series;
    *touches = false;
    TRY(block_select(block, tenant, matchers, scratch, &series, err));
    for (size_t i = 0; i < series.count && !*touches; i++) {
        int64_t min_ts_ms, max_ts_ms;
        TRY(block_time_range(block, tenant, series.ptr[i], &min_ts_ms, &max_ts_ms, err));
        *touches = min_ts_ms <= d->max_ts_ms && d->min_ts_ms <= max_ts_ms;
    }
    return STATUS_OK;
}

bool deletion_touches(const struct deletion *d, struct block *block, struct arena *scratch)
{
    const struct block_meta *meta = block_meta(block);
    size_t tenant;
    bool touches;
    struct error err;
    arena_reset(scratch);
    if (meta->sequence > d->last_sequence || meta->max_ts_ms < d->min_ts_ms ||
        d->max_ts_ms < meta->min_ts_ms)
        return false;
    enum status status = block_find_tenant(block, tenant_id_str(&d->tenant), &tenant, &err);
    if (status == STATUS_NOT_FOUND)
        return false;
    if (status == STATUS_OK)
        status = find_touched(d, block, tenant, scratch, &touches, &err);
    return status != STATUS_OK || touches;
}
