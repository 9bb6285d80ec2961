/*
 * An index whose bytes change after it was opened, as when its page is lost or somebody writes to
 * the file: whatever is asked stays within the section, which is a piece of memory of its own here.
 */
#include "tsdb/block/block_index.h"

#include "base/codec.h"
#include "base/crc32c.h"
#include "base/mem.h"
#include "tests/support/test.h"
#include "tests/tsdb/block_model.h"

/* All bytes of it. */
static void read_text(struct str text)
{
    (void)crc32c(bytes_of_str(text));
}

static void ask_series(const struct block_index *index, uint32_t series, struct arena *arena)
{
    struct error err;
    struct labels labels;
    struct block_place place;
    bool has_pair;
    uint32_t pair;
    arena_reset(arena);
    if (block_index_copy_labels(index, series, arena, &labels, &err) == STATUS_OK) {
        for (size_t i = 0; i < labels.count; i++)
            read_text(labels.ptr[i].value);
    }
    if (block_index_place(index, series, &place, &err) == STATUS_OK)
        (void)block_index_timeline(index, place.timeline);
    for (uint32_t name = 0; name < index->name_count; name++) {
        if (block_index_pair_of(index, series, name, &has_pair, &pair, &err) == STATUS_OK &&
            has_pair)
            read_text(block_index_value(index, pair));
    }
}

static void ask_name(const struct block_index *index, uint32_t name, struct postings *postings)
{
    struct error err;
    uint32_t found;
    read_text(block_index_name(index, name));
    (void)block_index_find_name(index, STR("a"), &found);
    uint32_t first = block_index_first_pair(index, name);
    uint32_t end = block_index_first_pair(index, name + 1);
    for (uint32_t pair = first; pair < end; pair++) {
        read_text(block_index_value(index, pair));
        enum status status = block_index_postings(index, pair, postings, &err);
        (void)status;
    }
    if (block_index_find_value(index, name, STR("1"), &found))
        read_text(block_index_value(index, found));
}

static void ask_all(const struct block_index *index, struct arena *arena)
{
    struct postings postings;
    postings_init(&postings);
    for (uint32_t name = 0; name < index->name_count; name++)
        ask_name(index, name, &postings);
    for (uint32_t series = 0; series < index->series_count; series++)
        ask_series(index, series, arena);
    postings_deinit(&postings);
}

/* That of the largest tenant of a small block; base/mem. */
static struct bytes index_section(void)
{
    struct random random;
    struct block_model model;
    struct block *block;
    struct error err = {0};
    random_init_seeded(&random, 41);
    block_model_init(&model, &random, (struct model_size){1, 6, 3});
    struct sim_disk *sim = model_disk(1);
    struct disk *disk = sim_disk_disk(sim);
    expect_ok(block_model_write(&model, disk, &err));
    expect_ok(block_open(disk, MODEL_PATH, &block, &err));
    struct block_section section = block_tenant_section(block, 0);
    uint8_t *copy = mem_alloc((size_t)section.index_len);
    struct file *file;
    size_t got;
    expect_ok(disk_open(disk, MODEL_PATH, &file, &err));
    expect_ok(file_read(file, section.index_offset, copy, (size_t)section.index_len, &got, &err));
    file_close(file);
    block_release(block);
    disk_close(disk);
    sim_disk_free(sim);
    block_model_deinit(&model);
    return (struct bytes){copy, got};
}

/* A run of bytes that are something else since the index was opened. */
struct change {
    size_t offset;
    size_t len;
    int byte;
};

static void change_and_ask(struct bytes whole, const struct change *changes, size_t count)
{
    struct error err = {0};
    struct arena arena;
    struct block_index index;
    uint8_t *bytes = mem_alloc(whole.len);
    memcpy(bytes, whole.ptr, whole.len);
    arena_init(&arena, SIZE_MAX);
    expect_ok(block_index_open(&index, (struct bytes){bytes, whole.len}, &err));
    for (size_t i = 0; i < count; i++)
        memset(bytes + changes[i].offset, changes[i].byte, changes[i].len);
    ask_all(&index, &arena);
    arena_deinit(&arena);
    mem_free(bytes);
}

TEST(an_index_that_is_gone_from_any_byte_on_leads_nobody_out_of_it)
{
    struct bytes section = index_section();
    assert_true(section.len > 100);
    for (size_t offset = 0; offset < section.len; offset++)
        change_and_ask(section, &(struct change){offset, section.len - offset, 0}, 1);
    mem_free((uint8_t *)section.ptr);
}

TEST(an_index_of_which_anything_changes_leads_nobody_out_of_it)
{
    enum { ROUNDS = 20000, CHANGES = 3, CHANGE_MAX_BYTES = 8 };
    static const int fills[] = {0, 0x11, 0x7f, 0xff};
    struct bytes section = index_section();
    struct random random;
    random_init_seeded(&random, test_seed(43));
    for (int round = 0; round < ROUNDS; round++) {
        struct change changes[CHANGES];
        for (size_t i = 0; i < CHANGES; i++) {
            size_t len = 1 + (size_t)random_below(&random, CHANGE_MAX_BYTES);
            changes[i] = (struct change){(size_t)random_below(&random, section.len - len), len,
                                         fills[random_below(&random, 4)]};
        }
        change_and_ask(section, changes, CHANGES);
    }
    mem_free((uint8_t *)section.ptr);
}

static void append_words(struct buffer *out, const uint32_t *words, size_t count)
{
    for (size_t i = 0; i < count; i++)
        write_u32(out, words[i]);
}

/* An index of the label a="a" and so many series, whose checksum may be right. */
static void expect_postings(uint32_t series_count, struct bytes postings, enum status want)
{
    struct error err = {0};
    struct buffer section;
    struct block_index index;
    struct postings got;
    const uint32_t head[] = {1, 1, 1, series_count, 1, 0, (uint32_t)postings.len, 0};
    const uint32_t symbols[] = {0, 1};
    const uint32_t names[] = {0, 0, 0, 1};
    const uint32_t values[] = {0, 0, 0, (uint32_t)postings.len};
    buffer_init(&section, 200);
    append_words(&section, head, sizeof head / sizeof *head);
    append_words(&section, symbols, sizeof symbols / sizeof *symbols);
    append_words(&section, names, sizeof names / sizeof *names);
    append_words(&section, values, sizeof values / sizeof *values);
    for (uint32_t i = 0; i <= series_count; i++)
        write_u32(&section, 0);
    buffer_append_str(&section, STR("a"));
    buffer_append(&section, postings.ptr, postings.len);
    expect_ok(block_index_open(&index, buffer_bytes(&section), &err));
    postings_init(&got);
    expect_status(block_index_postings(&index, 0, &got, &err), want);
    postings_deinit(&got);
    buffer_deinit(&section);
}

TEST(a_value_has_series_of_the_index)
{
    static const uint32_t first[] = {0};
    struct buffer postings;
    buffer_init(&postings, 10);
    postings_encode(&postings, first, 1);
    expect_postings(1, buffer_bytes(&postings), STATUS_OK);
    expect_postings(0, buffer_bytes(&postings), STATUS_CORRUPT);
    expect_postings(1, (struct bytes){0}, STATUS_CORRUPT);
    buffer_deinit(&postings);
}

TEST_MAIN(RUN(an_index_that_is_gone_from_any_byte_on_leads_nobody_out_of_it),
          RUN(an_index_of_which_anything_changes_leads_nobody_out_of_it),
          RUN(a_value_has_series_of_the_index))
