#include "tests/support/test.h"

#include "tests/tsdb/block_model.h"
#include "tsdb/block/block_frame.h"
#include "tsdb/block/block_index.h"

static const struct model_size small = {3, 4, 40};

static void init_model(struct block_model *model, uint64_t seed, struct model_size size)
{
    struct random random;
    random_init_seeded(&random, seed);
    block_model_init(model, &random, size);
}

static bool has_file(struct sim_disk *sim, const char *path)
{
    struct name_list files;
    bool has = false;
    sim_disk_files(sim, &files);
    for (size_t i = 0; i < files.count; i++)
        has = has || str_eq(str_from(files.names[i]), str_from(path));
    name_list_deinit(&files);
    return has;
}

/* A block that is there is the whole block. */
static void expect_whole(const struct block_model *model, struct sim_disk *sim)
{
    struct error err;
    struct block *block;
    struct disk *disk = sim_disk_disk(sim);
    expect_ok(block_open(disk, MODEL_PATH, &block, &err));
    block_model_expect(model, block);
    block_release(block);
    disk_close(disk);
}

/* ---- writing ---- */

static uint64_t count_operations(const struct block_model *model)
{
    struct error err;
    struct sim_disk *sim = model_disk(1);
    struct disk *disk = sim_disk_disk(sim);
    uint64_t before = sim_disk_operation_count(sim);
    expect_ok(block_model_write(model, disk, &err));
    uint64_t operations = sim_disk_operation_count(sim) - before;
    expect_whole(model, sim);
    disk_close(disk);
    sim_disk_free(sim);
    return operations;
}

static void cut_power_at(const struct block_model *model, uint64_t operation, enum power_cut cut,
                         uint64_t seed)
{
    struct error err;
    struct sim_disk *sim = model_disk(seed);
    struct disk *disk = sim_disk_disk(sim);
    sim_disk_cut_power_at(sim, sim_disk_operation_count(sim) + operation);
    enum status status = block_model_write(model, disk, &err);
    disk_close(disk);
    sim_disk_restore_power(sim, cut);
    if (status == STATUS_OK)
        assert_true(has_file(sim, MODEL_PATH));
    if (has_file(sim, MODEL_PATH))
        expect_whole(model, sim);
    sim_disk_free(sim);
}

TEST(a_power_cut_at_any_operation_leaves_the_whole_block_or_none)
{
    struct block_model model;
    uint64_t seed = test_seed(31);
    /* enough samples for several writes */
    init_model(&model, seed, (struct model_size){2, 3, 200000});
    uint64_t operations = count_operations(&model);
    for (uint64_t operation = 0; operation <= operations; operation++) {
        cut_power_at(&model, operation, POWER_CUT_DROP_ALL, seed);
        for (uint64_t round = 0; round < 4; round++) {
            cut_power_at(&model, operation, POWER_CUT_KEEP_SOME, seed + round);
            cut_power_at(&model, operation, POWER_CUT_TORN_TAIL, seed + round);
        }
    }
    block_model_deinit(&model);
}

TEST(any_operation_may_fail_and_the_next_attempt_succeeds)
{
    struct block_model model;
    struct error err;
    init_model(&model, test_seed(32), small);
    uint64_t operations = count_operations(&model);
    assert_true(operations > 4);
    for (uint64_t operation = 0; operation < operations; operation++) {
        struct sim_disk *sim = model_disk(1);
        struct disk *disk = sim_disk_disk(sim);
        sim_disk_fail_at(sim, sim_disk_operation_count(sim) + operation, STATUS_IO);
        if (block_model_write(&model, disk, &err) != STATUS_OK) {
            assert_false(has_file(sim, MODEL_PATH));
            assert_false(has_file(sim, MODEL_PATH ".tmp"));
            expect_ok(block_model_write(&model, disk, &err));
        }
        expect_whole(&model, sim);
        disk_close(disk);
        sim_disk_free(sim);
    }
    block_model_deinit(&model);
}

TEST(a_full_disk_leaves_no_block)
{
    struct block_model model;
    struct error err;
    init_model(&model, test_seed(33), small);
    struct sim_disk *sim = model_disk(1);
    struct disk *disk = sim_disk_disk(sim);
    sim_disk_set_capacity(sim, 500);
    expect_status(block_model_write(&model, disk, &err), STATUS_UNAVAILABLE);
    assert_false(has_file(sim, MODEL_PATH));
    assert_false(has_file(sim, MODEL_PATH ".tmp"));
    sim_disk_set_capacity(sim, 1 << 20);
    expect_ok(block_model_write(&model, disk, &err));
    expect_whole(&model, sim);
    disk_close(disk);
    sim_disk_free(sim);
    block_model_deinit(&model);
}

TEST(a_remainder_of_an_earlier_attempt_does_not_matter)
{
    struct block_model model;
    struct error err;
    struct file *file;
    init_model(&model, test_seed(34), small);
    struct sim_disk *sim = model_disk(1);
    struct disk *disk = sim_disk_disk(sim);
    expect_ok(disk_create(disk, MODEL_PATH ".tmp", &file, &err));
    expect_ok(file_append(file, bytes_of_str(STR("half a block")), &err));
    file_close(file);
    expect_ok(block_model_write(&model, disk, &err));
    expect_whole(&model, sim);
    disk_close(disk);
    sim_disk_free(sim);
    block_model_deinit(&model);
}

/* ---- damage ---- */

static struct sim_disk *write_model(const struct block_model *model)
{
    struct error err;
    struct sim_disk *sim = model_disk(1);
    struct disk *disk = sim_disk_disk(sim);
    expect_ok(block_model_write(model, disk, &err));
    disk_close(disk);
    return sim;
}

static uint64_t block_len(struct sim_disk *sim)
{
    struct error err;
    struct block *block;
    struct disk *disk = sim_disk_disk(sim);
    expect_ok(block_open(disk, MODEL_PATH, &block, &err));
    uint64_t len = block_size_bytes(block);
    block_release(block);
    disk_close(disk);
    return len;
}

/* One byte is wrong. Answers are right or errors, at most one tenant is hit, and the proof
   fails. */
static void expect_honest(const struct block_model *model, struct sim_disk *sim)
{
    struct error err;
    struct block *block;
    struct disk *disk = sim_disk_disk(sim);
    enum status status = block_open(disk, MODEL_PATH, &block, &err);
    disk_close(disk);
    if (status != STATUS_OK) {
        assert_int_equal(status, STATUS_CORRUPT);
        return;
    }
    size_t damaged = 0;
    for (size_t i = 0; i < model->count; i++) {
        status = block_model_check_tenant(model, block, i, &err);
        assert_true(status == STATUS_OK || status == STATUS_CORRUPT);
        damaged += status != STATUS_OK;
    }
    assert_int_equal(damaged, 1);
    expect_status(block_verify(block, &err), STATUS_CORRUPT);
    block_release(block);
}

TEST(a_flipped_byte_is_an_error_of_one_tenant_never_a_wrong_answer)
{
    struct block_model model;
    init_model(&model, test_seed(35), small);
    struct sim_disk *sim = write_model(&model);
    uint64_t len = block_len(sim);
    for (uint64_t offset = 0; offset < len; offset++) {
        uint8_t mask = (uint8_t)(1U << offset % 8);
        sim_disk_flip(sim, MODEL_PATH, offset, mask);
        expect_honest(&model, sim);
        sim_disk_flip(sim, MODEL_PATH, offset, mask);
    }
    expect_whole(&model, sim);
    sim_disk_free(sim);
    block_model_deinit(&model);
}

static struct block_place place_of(struct block *block, uint32_t series)
{
    struct error err;
    const struct block_index *index;
    struct block_place place;
    expect_ok(block_tenant_index(block, 0, &index, &err));
    expect_ok(block_index_place(index, series, &place, &err));
    return place;
}

static uint64_t timeline_offset(struct block *block, uint32_t number)
{
    struct error err;
    const struct block_index *index;
    expect_ok(block_tenant_index(block, 0, &index, &err));
    return block_index_timeline(index, number).offset;
}

/* The first series that shares its timeline with a later one. */
static uint32_t find_sharing(struct block *block)
{
    uint32_t count = (uint32_t)block_series_count(block, 0);
    for (uint32_t i = 0; i < count; i++) {
        for (uint32_t j = i + 1; j < count; j++) {
            if (place_of(block, i).timeline == place_of(block, j).timeline)
                return i;
        }
    }
    fail_msg("%s", "no two series share a timeline");
    return 0;
}

static void expect_unreadable(struct block *block, uint32_t series)
{
    struct error err;
    struct columns samples;
    columns_init(&samples);
    columns_append(&samples, 5, 5);
    expect_status(block_read(block, 0, series, &block_all_time, &samples, &err), STATUS_CORRUPT);
    assert_int_equal(samples.count, 1);
    /* who asks for another time needs neither values nor timestamps */
    const struct block_range other = {.min_ts_ms = 0, .max_ts_ms = 1000};
    expect_ok(block_read(block, 0, series, &other, &samples, &err));
    columns_deinit(&samples);
}

static void expect_readable(const struct block_model *model, struct block *block, uint32_t series)
{
    struct error err;
    struct columns samples;
    columns_init(&samples);
    expect_ok(block_read(block, 0, series, &block_all_time, &samples, &err));
    assert_int_equal(samples.count, model->tenants[0].series[series].samples.count);
    columns_deinit(&samples);
}

/* Damages values or timestamps of a series that shares those; returns how many cannot be read. */
static size_t count_unreadable(bool is_timeline)
{
    struct block_model model;
    struct error err;
    struct block *block;
    size_t unreadable = 0;
    init_model(&model, 36, (struct model_size){1, 30, 40});
    struct sim_disk *sim = write_model(&model);
    struct disk *disk = sim_disk_disk(sim);
    expect_ok(block_open(disk, MODEL_PATH, &block, &err));
    uint32_t hit = find_sharing(block);
    struct block_place place = place_of(block, hit);
    uint64_t offset = is_timeline ? timeline_offset(block, place.timeline) : place.run_offset;
    sim_disk_flip(sim, MODEL_PATH, block_tenant_section(block, 0).runs_offset + offset + 3, 0x20);
    for (uint32_t i = 0; i < model.tenants[0].count; i++) {
        if (i == hit || (is_timeline && place_of(block, i).timeline == place.timeline)) {
            expect_unreadable(block, i);
            unreadable++;
        } else {
            expect_readable(&model, block, i);
        }
    }
    block_release(block);
    disk_close(disk);
    sim_disk_free(sim);
    block_model_deinit(&model);
    return unreadable;
}

/* Bytes that change after the block was opened: a tenant may be missing, and is
   never another one. */
static void expect_own_or_none(const struct block_model *model, struct block *block, size_t offset)
{
    for (size_t i = 0; i < model->count; i++) {
        struct error err;
        size_t position;
        struct arena arena;
        arena_init(&arena, SIZE_MAX);
        struct str id = tenant_id_str(&model->tenants[i].id);
        struct labels labels;
        if (block_find_tenant(block, id, &position, &err) == STATUS_OK &&
            block_labels(block, position, 0, &arena, &labels, &err) == STATUS_OK) {
            size_t owner = position;
            if (!str_eq(tenant_id_str(&model->tenants[owner].id), id))
                fail_msg("byte %zu: tenant %zu is shown what tenant %zu has", offset, i, owner);
        }
        arena_deinit(&arena);
    }
}

static void use_all(struct block *block)
{
    struct arena arena;
    arena_init(&arena, SIZE_MAX);
    for (size_t i = 0; i < block_tenant_count(block); i++) {
        struct error err = {0};
        struct labels labels;
        expect_ok(block_labels(block, i, 0, &arena, &labels, &err));
    }
    arena_deinit(&arena);
}

static void flip_directory(bool is_used_before)
{
    struct random random;
    struct block_model model;
    struct error err = {0};
    random_init_seeded(&random, 5);
    block_model_init(&model, &random, (struct model_size){6, 2, 3});
    struct sim_disk *sim = model_disk(1);
    struct disk *disk = sim_disk_disk(sim);
    struct block *block;
    expect_ok(block_model_write(&model, disk, &err));
    expect_ok(block_open(disk, MODEL_PATH, &block, &err));
    struct block_section last = block_tenant_section(block, model.count - 1);
    size_t begin = (size_t)(last.index_offset + last.index_len);
    size_t end = (size_t)block_size_bytes(block);
    block_release(block);
    for (size_t offset = begin; offset < end; offset++) {
        for (int bit = 0; bit < 8; bit++) {
            expect_ok(block_open(disk, MODEL_PATH, &block, &err));
            if (is_used_before)
                use_all(block);
            sim_disk_flip(sim, MODEL_PATH, offset, (uint8_t)(1 << bit));
            expect_own_or_none(&model, block, offset);
            sim_disk_flip(sim, MODEL_PATH, offset, (uint8_t)(1 << bit));
            block_release(block);
        }
    }
    disk_close(disk);
    sim_disk_free(sim);
    block_model_deinit(&model);
}

TEST(a_directory_that_changes_later_never_shows_a_tenant_what_another_has)
{
    flip_directory(false);
    flip_directory(true);
}

/* ---- bytes that are gone while the block is open ---- */

/* Every answer about a tenant is right, or says that something cannot be read. */
static size_t count_whole(const struct block_model *model, struct block *block)
{
    size_t whole = 0;
    for (size_t i = 0; i < model->count; i++) {
        struct error err;
        size_t position;
        enum status status =
            block_find_tenant(block, tenant_id_str(&model->tenants[i].id), &position, &err);
        if (status == STATUS_OK)
            status = block_model_check_tenant(model, block, i, &err);
        assert_true(status == STATUS_OK || status == STATUS_CORRUPT);
        whole += status == STATUS_OK;
    }
    return whole;
}

static struct block *open_model(struct sim_disk *sim)
{
    struct error err;
    struct block *block;
    struct disk *disk = sim_disk_disk(sim);
    expect_ok(block_open(disk, MODEL_PATH, &block, &err));
    disk_close(disk);
    return block;
}

static void cut_open_block(const struct block_model *model, uint64_t len, bool is_used_before)
{
    struct error err;
    struct sim_disk *sim = write_model(model);
    struct block *block = open_model(sim);
    if (is_used_before)
        block_model_expect(model, block);
    sim_disk_truncate(sim, MODEL_PATH, len);
    /* the directory goes first, and nothing can be said without it */
    assert_int_equal(count_whole(model, block), 0);
    expect_status(block_verify(block, &err), STATUS_CORRUPT);
    block_release(block);
    sim_disk_free(sim);
}

TEST(an_open_block_that_is_cut_at_any_byte_gives_no_wrong_answer)
{
    struct block_model model;
    init_model(&model, test_seed(38), small);
    struct sim_disk *sim = write_model(&model);
    /* a cut within the footer costs nothing that is open */
    uint64_t len = block_len(sim) - BLOCK_FOOTER_BYTES;
    sim_disk_free(sim);
    for (uint64_t cut = 0; cut < len; cut++) {
        cut_open_block(&model, cut, false);
        cut_open_block(&model, cut, true);
    }
    block_model_deinit(&model);
}

static uint64_t count_looks(const struct block_model *model)
{
    struct sim_disk *sim = write_model(model);
    struct block *block = open_model(sim);
    assert_int_equal(count_whole(model, block), model->count);
    uint64_t looks = sim_disk_look_count(sim);
    block_release(block);
    sim_disk_free(sim);
    return looks;
}

/* A piece of the index of a tenant, or of anything. */
static struct sim_loss any_loss(struct block *block, uint64_t look, struct random *random)
{
    size_t tenant = (size_t)random_below(random, block_tenant_count(block));
    struct block_section section = block_tenant_section(block, tenant);
    bool is_index = random_below(random, 2) == 0;
    uint64_t begin = is_index ? section.index_offset : 0;
    uint64_t len = is_index ? section.index_len : block_size_bytes(block);
    return (struct sim_loss){.look = look,
                             .offset = begin + random_below(random, len),
                             .len = 1 + random_below(random, 64)};
}

/* Whoever reads has looked, and looks again when it has read. */
TEST(bytes_that_are_gone_in_the_middle_of_reading_give_no_wrong_answer)
{
    enum { ROUNDS = 10 };
    struct block_model model;
    struct random random;
    random_init_seeded(&random, test_seed(39));
    init_model(&model, 39, small);
    uint64_t looks = count_looks(&model);
    assert_true(looks > 100);
    struct sim_disk *sim = write_model(&model);
    for (uint64_t i = 0; i < ROUNDS * looks; i++) {
        struct block *block = open_model(sim);
        struct sim_loss loss = any_loss(block, sim_disk_look_count(sim) + i % (looks + 3), &random);
        sim_disk_lose_at(sim, MODEL_PATH, &loss);
        count_whole(&model, block);
        count_whole(&model, block);
        block_release(block);
    }
    sim_disk_free(sim);
    block_model_deinit(&model);
}

TEST(damaged_values_cost_one_series_and_damaged_timestamps_those_that_share_them)
{
    assert_int_equal(count_unreadable(false), 1);
    assert_in_range(count_unreadable(true), 2, 29);
}

TEST(a_block_cut_at_any_byte_does_not_open)
{
    struct block_model model;
    struct error err;
    struct block *block;
    init_model(&model, test_seed(37), (struct model_size){2, 2, 5});
    uint64_t len = 1;
    for (uint64_t cut = 0; cut < len; cut++) {
        struct sim_disk *sim = write_model(&model);
        len = block_len(sim);
        sim_disk_truncate(sim, MODEL_PATH, cut);
        struct disk *disk = sim_disk_disk(sim);
        expect_status(block_open(disk, MODEL_PATH, &block, &err), STATUS_CORRUPT);
        disk_close(disk);
        sim_disk_free(sim);
    }
    block_model_deinit(&model);
}

TEST(a_block_that_is_not_there_is_not_found)
{
    struct error err;
    struct block *block;
    struct sim_disk *sim = model_disk(1);
    struct disk *disk = sim_disk_disk(sim);
    expect_status(block_open(disk, MODEL_PATH, &block, &err), STATUS_NOT_FOUND);
    disk_close(disk);
    sim_disk_free(sim);
}

TEST_MAIN(RUN(a_power_cut_at_any_operation_leaves_the_whole_block_or_none),
          RUN(any_operation_may_fail_and_the_next_attempt_succeeds),
          RUN(a_full_disk_leaves_no_block), RUN(a_remainder_of_an_earlier_attempt_does_not_matter),
          RUN(a_flipped_byte_is_an_error_of_one_tenant_never_a_wrong_answer),
          RUN(a_directory_that_changes_later_never_shows_a_tenant_what_another_has),
          RUN(damaged_values_cost_one_series_and_damaged_timestamps_those_that_share_them),
          RUN(an_open_block_that_is_cut_at_any_byte_gives_no_wrong_answer),
          RUN(bytes_that_are_gone_in_the_middle_of_reading_give_no_wrong_answer),
          RUN(a_block_cut_at_any_byte_does_not_open), RUN(a_block_that_is_not_there_is_not_found))
