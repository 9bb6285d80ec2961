/* Blocks whose checksums are right and whose parts do not fit together: block_verify
   finds what is wrong. */
#include "tests/support/test.h"

#include "base/crc32c.h"
#include "base/mem.h"
#include "base/sim_disk.h"
#include "tsdb/block/block_frame.h"

enum { SERIES_LEN_AT = 20, POSTINGS_LEN_AT = 24, INDEX_SUM_AT = 32, DIRECTORY_SUM_AT = 16 };

/* A whole block, to be changed. */
struct forgery {
    struct sim_disk *sim;
    struct disk *disk;
    uint8_t *bytes;
    size_t len;
    struct block_meta meta;
    struct block_section section; /* of the only tenant */
};

/* ---- words of this file ---- */

/* Series a, at 1 and 2, and b, at 3 and 4: each has a timeline of its own. */
static void write_block(struct disk *disk, char *path)
{
    struct error err;
    struct block_writer *writer;
    struct tenant_id id = {.len = 1, .text = "t"};
    struct block_meta meta = {.shard = 3, .sequence = 12};
    expect_ok(disk_make_dir(disk, "blocks", &err));
    expect_ok(block_writer_open(disk, "blocks", &meta, &writer, &err));
    expect_ok(block_writer_tenant(writer, &id, &err));
    for (int64_t i = 0; i < 2; i++) {
        struct label label = {LABEL_METRIC_NAME, i == 0 ? STR("a") : STR("b")};
        struct columns samples;
        columns_init(&samples);
        columns_append(&samples, 1 + 2 * i, 7);
        columns_append(&samples, 2 + 2 * i, 7);
        expect_ok(block_writer_series(writer, (struct labels){&label, 1}, &samples, &err));
        columns_deinit(&samples);
    }
    expect_ok(block_writer_finish(writer, path, &err));
}

static void begin(struct forgery *f)
{
    struct error err;
    struct block *block;
    struct file *file;
    struct bytes whole;
    char path[DISK_PATH_MAX];
    f->sim = sim_disk_new(1);
    f->disk = sim_disk_disk(f->sim);
    write_block(f->disk, path);
    expect_ok(block_open(f->disk, path, &block, &err));
    expect_ok(block_verify(block, &err));
    f->meta = *block_meta(block);
    f->section = block_tenant_section(block, 0);
    block_release(block);
    expect_ok(disk_open(f->disk, path, &file, &err));
    expect_ok(file_map(file, &whole, &err));
    f->len = whole.len;
    f->bytes = mem_alloc(f->len);
    memcpy(f->bytes, whole.ptr, f->len);
    file_close(file);
}

static void end(struct forgery *f)
{
    mem_free(f->bytes);
    disk_close(f->disk);
    sim_disk_free(f->sim);
}

static void put_u32(uint8_t *to, uint32_t value)
{
    memcpy(to, &value, sizeof value);
}

static void put_sums(struct forgery *f)
{
    uint8_t *footer = f->bytes + f->len - BLOCK_FOOTER_BYTES;
    uint8_t *directory = f->bytes + load_u64(footer);
    struct bytes index = {f->bytes + f->section.index_offset, (size_t)f->section.index_len};
    put_u32(directory + INDEX_SUM_AT, block_sum(&f->meta, f->section.index_offset, index));
    struct bytes whole = {directory, (size_t)(footer - directory)};
    put_u32(footer + DIRECTORY_SUM_AT, block_sum(&f->meta, load_u64(footer), whole));
    size_t summed = BLOCK_FOOTER_BYTES - 4;
    put_u32(footer + summed, crc32c((struct bytes){footer, summed}));
}

static void expect_wrong(struct forgery *f, const char *want)
{
    struct error err;
    struct file *file;
    struct block *block;
    put_sums(f);
    expect_ok(disk_create(f->disk, "forged", &file, &err));
    expect_ok(file_append(file, (struct bytes){f->bytes, f->len}, &err));
    file_close(file);
    expect_ok(block_open(f->disk, "forged", &block, &err));
    expect_status(block_verify(block, &err), STATUS_CORRUPT);
    if (strstr(err.text, want) == NULL)
        fail_msg("got \"%s\", want \"%s\"", err.text, want);
    block_release(block);
}

/* The number of the timeline of a series: behind a label of one byte each for name and value. */
static uint8_t *timeline_of(struct forgery *f, size_t series)
{
    enum { NUMBER_AT = 3 };
    uint8_t *index = f->bytes + f->section.index_offset;
    uint32_t series_len = load_u32(index + SERIES_LEN_AT);
    uint8_t *all = index + f->section.index_len - load_u32(index + POSTINGS_LEN_AT) - series_len;
    return all + series * (series_len / 2) + NUMBER_AT;
}

/* ---- cases ---- */

TEST(a_timeline_that_comes_before_its_turn_is_found)
{
    struct forgery f;
    begin(&f);
    assert_int_equal(*timeline_of(&f, 0), 0);
    *timeline_of(&f, 0) = 1;
    expect_wrong(&f, "out of its order: timeline 1");
    end(&f);
}

/* Its bytes lie between the runs then, and nobody leads there. */
TEST(a_timeline_that_no_series_has_is_found)
{
    struct forgery f;
    begin(&f);
    assert_int_equal(*timeline_of(&f, 1), 1);
    *timeline_of(&f, 1) = 0;
    expect_wrong(&f, "a gap before the run");
    end(&f);
}

TEST_MAIN(RUN(a_timeline_that_comes_before_its_turn_is_found),
          RUN(a_timeline_that_no_series_has_is_found))
