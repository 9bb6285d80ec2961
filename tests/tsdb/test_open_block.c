/* An open block whose bytes change or are gone: every answer is right, or says that it is none. */
#include "tests/support/test.h"

#include "tests/tsdb/block_scene.h"
#include "tsdb/block/block_frame.h"

static const struct model_size small = {3, 4, 40};

static struct block *open_block(struct sim_disk *sim)
{
    struct disk *disk = sim_disk_disk(sim);
    struct block *block = open_model_block(disk);
    disk_close(disk);
    return block;
}

/* ---- bytes that change ---- */

/* A tenant may be missing, and is never another one. */
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
    struct block_model model;
    block_model_init_seeded(&model, 5, (struct model_size){6, 2, 3});
    struct sim_disk *sim = write_model_block(&model);
    struct block *block = open_block(sim);
    struct block_section last = block_tenant_section(block, model.count - 1);
    size_t begin = (size_t)(last.index_offset + last.index_len);
    size_t end = (size_t)block_size_bytes(block);
    block_release(block);
    for (size_t offset = begin; offset < end; offset++) {
        for (int bit = 0; bit < 8; bit++) {
            block = open_block(sim);
            if (is_used_before)
                use_all(block);
            sim_disk_flip(sim, MODEL_PATH, offset, (uint8_t)(1 << bit));
            expect_own_or_none(&model, block, offset);
            sim_disk_flip(sim, MODEL_PATH, offset, (uint8_t)(1 << bit));
            block_release(block);
        }
    }
    sim_disk_free(sim);
    block_model_deinit(&model);
}

TEST(a_directory_that_changes_later_never_shows_a_tenant_what_another_has)
{
    flip_directory(false);
    flip_directory(true);
}

/* ---- bytes that are gone ---- */

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

static void cut_open_block(const struct block_model *model, uint64_t len, bool is_used_before)
{
    struct error err;
    struct sim_disk *sim = write_model_block(model);
    struct block *block = open_block(sim);
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
    block_model_init_seeded(&model, test_seed(38), small);
    /* a cut within the footer costs nothing that is open */
    uint64_t len = model_block_len(&model) - BLOCK_FOOTER_BYTES;
    for (uint64_t cut = 0; cut < len; cut++) {
        cut_open_block(&model, cut, false);
        cut_open_block(&model, cut, true);
    }
    block_model_deinit(&model);
}

static uint64_t count_looks(const struct block_model *model)
{
    struct sim_disk *sim = write_model_block(model);
    struct block *block = open_block(sim);
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
    block_model_init_seeded(&model, 39, small);
    uint64_t looks = count_looks(&model);
    assert_true(looks > 100);
    struct sim_disk *sim = write_model_block(&model);
    for (uint64_t i = 0; i < ROUNDS * looks; i++) {
        struct block *block = open_block(sim);
        struct sim_loss loss = any_loss(block, sim_disk_look_count(sim) + i % (looks + 3), &random);
        sim_disk_lose_at(sim, MODEL_PATH, &loss);
        count_whole(&model, block);
        count_whole(&model, block);
        block_release(block);
    }
    sim_disk_free(sim);
    block_model_deinit(&model);
}

TEST_MAIN(RUN(a_directory_that_changes_later_never_shows_a_tenant_what_another_has),
          RUN(an_open_block_that_is_cut_at_any_byte_gives_no_wrong_answer),
          RUN(bytes_that_are_gone_in_the_middle_of_reading_give_no_wrong_answer))
