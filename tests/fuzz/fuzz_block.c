/*
 * fuzz_block: any bytes as a block give answers or errors, never anything worse, also when their
 * checksums are right.
 *
 * Input: a file. It is tried as it is, then with the checksums of footer, directory and indexes put
 * right; and as a timeline with the run of a series behind it.
 */
#include "base/check.h"
#include "base/crc32c.h"
#include "base/mem.h"
#include "base/sim_disk.h"
#include "tsdb/block/block_frame.h"
#include "tsdb/block/block_run.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { SIZE_MAX_BYTES = 1 << 16, SERIES_MAX = 64, TIMELINE_LEN_MAX = 1024 };

/* ---- asking everything ---- */

static void ask_series(struct block *block, size_t tenant, uint32_t series, struct arena *arena)
{
    struct error err;
    struct labels labels;
    struct columns samples;
    columns_init(&samples);
    if (block_labels(block, tenant, series, arena, &labels, &err) == STATUS_OK)
        CHECK(labels_compare(labels, labels) == 0); /* reads every text */
    if (block_read(block, tenant, series, &block_all_time, &samples, &err) == STATUS_OK) {
        for (size_t i = 1; i < samples.count; i++)
            CHECK(samples.ts_ms[i - 1] < samples.ts_ms[i]);
    }
    columns_deinit(&samples);
}

static void ask_selection(struct block *block, size_t tenant, struct matchers matchers,
                          struct arena *arena)
{
    struct error err;
    struct series_list found;
    if (block_select(block, tenant, matchers, arena, &found, &err) != STATUS_OK)
        return;
    CHECK(found.count <= block_series_count(block, tenant));
    for (size_t i = 0; i < found.count && i < SERIES_MAX; i++) {
        CHECK(found.ptr[i] < block_series_count(block, tenant));
        ask_series(block, tenant, found.ptr[i], arena);
    }
}

static void ask_selections(struct block *block, size_t tenant, struct arena *arena)
{
    static const struct {
        enum matcher_op op;
        const char *value;
    } asked[] = {
        {MATCHER_EQ, "up"}, {MATCHER_NE, "up"}, {MATCHER_RE, "u.*"}, {MATCHER_NRE, "[a-u]+"}};
    ask_selection(block, tenant, (struct matchers){0}, arena);
    for (size_t i = 0; i < sizeof asked / sizeof *asked; i++) {
        struct matcher matcher;
        struct error err;
        enum status status = matcher_init(&matcher, asked[i].op, LABEL_METRIC_NAME,
                                          str_from(asked[i].value), arena, &err);
        CHECK(status == STATUS_OK);
        ask_selection(block, tenant, (struct matchers){&matcher, 1}, arena);
        matcher_deinit(&matcher);
    }
}

static void ask_values(struct block *block, size_t tenant, struct str name, struct arena *arena)
{
    struct error err;
    struct str_list values;
    if (block_label_values(block, tenant, name, arena, &values, &err) == STATUS_OK &&
        values.count > 0)
        CHECK(values.ptr[0].len <= block_size_bytes(block));
}

static void ask_tenant(struct block *block, size_t tenant)
{
    struct error err;
    struct arena arena;
    struct str_list names = {0};
    arena_init(&arena, 1 << 24);
    if (block_label_names(block, tenant, &arena, &names, &err) != STATUS_OK)
        names.count = 0;
    for (size_t i = 0; i < names.count && i < SERIES_MAX; i++)
        ask_values(block, tenant, names.ptr[i], &arena);
    ask_selections(block, tenant, &arena);
    arena_deinit(&arena);
}

static void ask(struct disk *disk, const char *path)
{
    struct error err;
    struct block *block;
    size_t tenant;
    if (block_open(disk, path, &block, &err) != STATUS_OK)
        return;
    (void)!block_find_tenant(block, STR("acme"), &tenant, &err);
    for (size_t i = 0; i < block_tenant_count(block) && i < 8; i++)
        ask_tenant(block, i);
    enum status status = block_verify(block, &err);
    CHECK(status == STATUS_OK || status == STATUS_CORRUPT);
    block_release(block);
}

static void ask_file(struct bytes bytes)
{
    struct error err;
    struct file *file;
    struct sim_disk *sim = sim_disk_new(1);
    struct disk *disk = sim_disk_disk(sim);
    CHECK(disk_create(disk, "block", &file, &err) == STATUS_OK);
    CHECK(file_append(file, bytes, &err) == STATUS_OK);
    file_close(file);
    ask(disk, "block");
    disk_close(disk);
    sim_disk_free(sim);
}

/* ---- putting checksums right ---- */

static void store_u32(uint8_t *to, uint32_t value)
{
    memcpy(to, &value, sizeof value);
}

static void seal_index(uint8_t *file, size_t size, const struct block_meta *meta,
                       uint8_t *entry_ptr)
{
    struct block_entry entry = block_entry_decode(entry_ptr);
    if (entry.index_offset > size || entry.index_len > size - entry.index_offset)
        return;
    struct bytes section = {file + entry.index_offset, (size_t)entry.index_len};
    store_u32(entry_ptr + 32, block_sum(meta, entry.index_offset, section));
}

static void seal(uint8_t *file, size_t size)
{
    uint8_t *footer = file + size - BLOCK_FOOTER_BYTES;
    struct block_meta meta = {.shard = load_u32(footer + 24), .sequence = load_u64(footer + 32)};
    uint64_t offset = load_u64(footer), end = size - BLOCK_FOOTER_BYTES;
    struct buffer header;
    buffer_init(&header, BLOCK_HEADER_BYTES);
    block_header_encode(&header, &meta);
    memcpy(file, header.ptr, BLOCK_HEADER_BYTES);
    buffer_deinit(&header);
    if (offset < BLOCK_HEADER_BYTES || offset > end)
        return;
    for (uint32_t i = 0; i < load_u32(footer + 20) && i < (end - offset) / BLOCK_ENTRY_BYTES; i++)
        seal_index(file, size, &meta, file + offset + (size_t)i * BLOCK_ENTRY_BYTES);
    struct bytes directory = {file + offset, (size_t)(end - offset)};
    store_u64(footer + 8, directory.len);
    store_u32(footer + 16, block_sum(&meta, offset, directory));
    store_u64(footer + 80, size);
    enum { SUMMED_BYTES = BLOCK_FOOTER_BYTES - 4 };
    store_u32(footer + SUMMED_BYTES, crc32c((struct bytes){footer, SUMMED_BYTES}));
}

static void ask_run(struct bytes bytes, const struct timeline *timeline)
{
    struct error err;
    struct columns samples;
    columns_init(&samples);
    if (run_decode(bytes, timeline, INT64_MIN, INT64_MAX, &samples, &err) == STATUS_OK)
        CHECK(samples.count == timeline->count);
    columns_deinit(&samples);
}

/* A timeline, and behind it the run of a series. */
static void ask_timeline(struct bytes bytes)
{
    struct error err;
    struct timeline *timeline;
    for (size_t len = 1; len <= bytes.len && len < TIMELINE_LEN_MAX; len++) {
        if (timeline_open((struct bytes){bytes.ptr, len}, INT64_MIN, INT64_MAX, &timeline, &err) !=
            STATUS_OK)
            continue;
        for (size_t i = 1; i < timeline->count; i++)
            CHECK(timeline->ts_ms[i - 1] < timeline->ts_ms[i]);
        ask_run((struct bytes){bytes.ptr + len, bytes.len - len}, timeline);
        timeline_release(timeline);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size > SIZE_MAX_BYTES)
        return 0;
    ask_timeline((struct bytes){data, size});
    ask_file((struct bytes){data, size});
    if (size < BLOCK_HEADER_BYTES + BLOCK_FOOTER_BYTES)
        return 0;
    uint8_t *file = mem_alloc(size);
    memcpy(file, data, size);
    seal(file, size);
    ask_file((struct bytes){file, size});
    mem_free(file);
    return 0;
}
