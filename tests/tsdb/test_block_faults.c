/* A block is there as a whole or not at all, whatever goes wrong while it is written. */
#include "tests/support/test.h"

#include "tests/tsdb/block_scene.h"

static const struct model_size small = {3, 4, 40};

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

static uint64_t count_operations(const struct block_model *model)
{
    struct error err;
    struct sim_disk *sim = model_disk(1);
    struct disk *disk = sim_disk_disk(sim);
    uint64_t before = sim_disk_operation_count(sim);
    expect_ok(block_model_write(model, disk, &err));
    uint64_t operations = sim_disk_operation_count(sim) - before;
    expect_model_block(model, sim);
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
        expect_model_block(model, sim);
    sim_disk_free(sim);
}

TEST(a_power_cut_at_any_operation_leaves_the_whole_block_or_none)
{
    struct block_model model;
    uint64_t seed = test_seed(31);
    /* enough samples for several writes */
    block_model_init_seeded(&model, seed, (struct model_size){2, 3, 200000});
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
    block_model_init_seeded(&model, test_seed(32), small);
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
        expect_model_block(&model, sim);
        disk_close(disk);
        sim_disk_free(sim);
    }
    block_model_deinit(&model);
}

TEST(a_full_disk_leaves_no_block)
{
    struct block_model model;
    struct error err;
    block_model_init_seeded(&model, test_seed(33), small);
    struct sim_disk *sim = model_disk(1);
    struct disk *disk = sim_disk_disk(sim);
    sim_disk_set_capacity(sim, 500);
    expect_status(block_model_write(&model, disk, &err), STATUS_UNAVAILABLE);
    assert_false(has_file(sim, MODEL_PATH));
    assert_false(has_file(sim, MODEL_PATH ".tmp"));
    sim_disk_set_capacity(sim, 1 << 20);
    expect_ok(block_model_write(&model, disk, &err));
    expect_model_block(&model, sim);
    disk_close(disk);
    sim_disk_free(sim);
    block_model_deinit(&model);
}

TEST(a_remainder_of_an_earlier_attempt_does_not_matter)
{
    struct block_model model;
    struct error err;
    struct file *file;
    block_model_init_seeded(&model, test_seed(34), small);
    struct sim_disk *sim = model_disk(1);
    struct disk *disk = sim_disk_disk(sim);
    expect_ok(disk_create(disk, MODEL_PATH ".tmp", &file, &err));
    expect_ok(file_append(file, bytes_of_str(STR("half a block")), &err));
    file_close(file);
    expect_ok(block_model_write(&model, disk, &err));
    expect_model_block(&model, sim);
    disk_close(disk);
    sim_disk_free(sim);
    block_model_deinit(&model);
}

TEST_MAIN(RUN(a_power_cut_at_any_operation_leaves_the_whole_block_or_none),
          RUN(any_operation_may_fail_and_the_next_attempt_succeeds),
          RUN(a_full_disk_leaves_no_block), RUN(a_remainder_of_an_earlier_attempt_does_not_matter))
