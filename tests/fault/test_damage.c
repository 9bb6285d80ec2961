/*
 * Changes the bytes of a small store: whatever is changed, no reader is told anything that was not
 * sent. A sample is right, or it is missing and the damage was counted or told; no read fails. The
 * store always starts.
 *
 * CROFT_FAULT_FULL=1 tries every byte with several masks; without it one mask each, and every few
 * bytes where a fresh store is needed.
 */
#include <inttypes.h>
#include <stdio.h>

#include "tests/fault/fault_scene.h"

enum { REQUESTS = 30, WORKLOAD_SEED = 9 };

static size_t stride(size_t usual)
{
    return fault_is_full() ? 1 : usual;
}

/* A store with blocks of several days, a log of several segments, and samples in both; closed. */
static void make_store(struct scene *s)
{
    struct error err = {0};
    store_box_init(&s->box, 1);
    s->box.options.wal_segment_bytes = 500;
    s->journal = journal_new();
    workload_init(&s->work, &s->box, s->journal, fault_seed(WORKLOAD_SEED));
    s->work.late_max_ms = BOX_DAY_MS;
    expect_ok(store_box_open(&s->box, &err));
    for (int i = 0; i < REQUESTS; i++)
        workload_step(&s->work);
    workload_settle(&s->work);
    expect_ok(box_flush(&s->box, &err));
    for (int i = 0; i < REQUESTS / 3; i++) {
        workload_step(&s->work);
        workload_settle(&s->work);
    }
    workload_crash(&s->work, POWER_CUT_DROP_ALL);
    s->box.is_damaged = true; /* it will be */
}

static uint64_t size_of(struct scene *s, const char *path)
{
    struct error err = {0};
    struct file *file;
    uint64_t size_bytes;
    struct disk *disk = sim_disk_disk(s->box.sim);
    expect_ok(disk_open(disk, path, &file, &err));
    expect_ok(file_size(file, &size_bytes, &err));
    file_close(file);
    disk_close(disk);
    return size_bytes;
}

/* Never a wrong answer; and what is missing was counted or said, if `is_counted`. */
static void expect_honest(struct scene *s, const char *path, uint64_t offset, bool is_counted)
{
    const struct journal_question all = journal_question_all();
    struct verdict v = journal_check(s->journal, &s->box, &all);
    const struct store_replay_report *report = store_replay_report(s->box.store);
    uint64_t counted = report->damaged_frames + report->quarantined_blocks + report->missing_files +
                       report->torn_tail_bytes + v.damaged;
    if (v.invented + v.unsorted + v.errors > 0)
        fail_msg("%s, byte %" PRIu64 ": %s %s", path, offset, v.first_fault, v.first_error.text);
    if (is_counted && v.missing > 0 && counted == 0)
        fail_msg("%s, byte %" PRIu64 ": %s, and nobody noticed", path, offset, v.first_fault);
}

/* Verify says that this file is damaged and no other; the end of a log may be a torn one. */
static void expect_named(struct scene *s, const char *path, uint64_t offset)
{
    struct error err = {0};
    enum status status = box_verify(&s->box, &err);
    bool is_log = str_ends_with(str_from(path), STR(".log"));
    struct str want = {path, is_log ? (size_t)(strrchr(path, '/') - path) : strlen(path)};
    if (status == STATUS_OK ? !is_log : !str_starts_with(str_from(err.text), want))
        fail_msg("%s, byte %" PRIu64 ": verify says %s", path, offset, err.text);
}

/* Calls `damage` for every file that the store has. */
static void for_each_file(void (*damage)(const char *path, uint64_t size_bytes))
{
    struct scene s;
    struct name_list files;
    make_store(&s);
    sim_disk_files(s.box.sim, &files);
    uint64_t total = 0;
    for (size_t i = 0; i < files.count; i++) {
        uint64_t size_bytes = size_of(&s, files.names[i]);
        total += size_bytes;
        damage(files.names[i], size_bytes);
    }
    printf("%zu files, %" PRIu64 " bytes\n", files.count, total);
    assert_true(files.count > 5);
    name_list_deinit(&files);
    scene_close(&s);
}

/* ---- bytes that change while the store is down ---- */

static void flip_and_start(const char *path, uint64_t offset, uint8_t mask)
{
    struct scene s;
    struct error err = {0};
    make_store(&s);
    sim_disk_flip(s.box.sim, path, offset, mask);
    expect_named(&s, path, offset);
    expect_ok(store_box_open(&s.box, &err));
    expect_honest(&s, path, offset, true);
    /* and once more, after what the first start has put aside */
    store_box_close(&s.box);
    expect_ok(store_box_open(&s.box, &err));
    expect_honest(&s, path, offset, false);
    scene_close(&s);
}

static void flip_all_bytes(const char *path, uint64_t size_bytes)
{
    for (uint64_t offset = 0; offset < size_bytes; offset += stride(7)) {
        flip_and_start(path, offset, (uint8_t)(1 << offset % 8));
        if (fault_is_full()) {
            flip_and_start(path, offset, 0xff);
            flip_and_start(path, offset, 0x80);
        }
    }
}

TEST(a_flipped_byte_never_gives_a_wrong_answer)
{
    for_each_file(flip_all_bytes);
}

static void truncate_and_start(const char *path, uint64_t size_bytes)
{
    struct scene s;
    struct error err = {0};
    make_store(&s);
    sim_disk_truncate(s.box.sim, path, size_bytes);
    expect_ok(store_box_open(&s.box, &err));
    /* a log that ends early between two frames looks as one that was never longer */
    expect_honest(&s, path, size_bytes, false);
    scene_close(&s);
}

static void truncate_everywhere(const char *path, uint64_t size_bytes)
{
    for (uint64_t len = 0; len < size_bytes; len += stride(13))
        truncate_and_start(path, len);
    truncate_and_start(path, size_bytes + 1); /* longer */
    truncate_and_start(path, size_bytes + 600);
}

TEST(a_file_of_another_length_never_gives_a_wrong_answer)
{
    for_each_file(truncate_everywhere);
}

/* ---- bytes that change while the store is up ---- */

/* A start checks header, directory and footer of a block and believes them from then on; a tenant
   whose entry changes later may be missing without a word, but never wrong. */
static void flip_in_open_store(const char *path, uint64_t size_bytes)
{
    struct scene s;
    struct error err = {0};
    if (strstr(path, ".block") == NULL)
        return;
    make_store(&s);
    for (uint64_t offset = 0; offset < size_bytes; offset += stride(3)) {
        uint8_t mask = (uint8_t)(1 << offset % 8);
        expect_ok(store_box_open(&s.box, &err));
        sim_disk_flip(s.box.sim, path, offset, mask);
        expect_honest(&s, path, offset, false);
        sim_disk_flip(s.box.sim, path, offset, mask);
        store_box_close(&s.box);
    }
    expect_ok(store_box_open(&s.box, &err));
    journal_expect_all(s.journal, &s.box, "undamaged again", 0);
    scene_close(&s);
}

TEST(a_byte_of_a_block_that_changes_later_never_gives_a_wrong_answer)
{
    for_each_file(flip_in_open_store);
}

/* ---- files that are gone, empty or garbage ---- */

static void remove_file(const char *path, uint64_t size_bytes)
{
    struct scene s;
    struct error err = {0};
    (void)size_bytes;
    make_store(&s);
    struct disk *disk = sim_disk_disk(s.box.sim);
    expect_ok(disk_unlink(disk, path, &err));
    disk_close(disk);
    expect_ok(store_box_open(&s.box, &err));
    expect_honest(&s, path, 0, true);
    scene_close(&s);
}

static void add_file(struct scene *s, const char *path, const char *text)
{
    struct error err = {0};
    struct file *file;
    struct disk *disk = sim_disk_disk(s->box.sim);
    expect_ok(disk_create(disk, path, &file, &err));
    expect_ok(file_append(file, bytes_of_str(str_from(text)), &err));
    file_close(file);
    disk_close(disk);
}

TEST(a_file_that_is_gone_never_gives_a_wrong_answer)
{
    for_each_file(remove_file);
}

TEST(files_that_do_not_belong_there_do_no_harm)
{
    static const char *const strangers[] = {
        "shard-0000/blocks/0000000099.block",
        "shard-0000/blocks/0000000098.block.tmp",
        "shard-0000/blocks/notes.txt",
        "shard-0000/blocks/x.block",
        "shard-0000/wal/0000000001-000099.log",
        "shard-0000/wal/4294967295-000001.log.old",
        "shard-0000/wal/core",
        "shard-0000/quarantine/0000000001.block",
        "shard-0000/quarantine/0000000097.block",
        "lost+found",
    };
    struct scene s;
    struct error err = {0};
    make_store(&s);
    for (size_t i = 0; i < sizeof strangers / sizeof *strangers; i++)
        add_file(&s, strangers[i], i % 2 == 0 ? "" : "CROFTWAL and nothing that makes sense");
    for (int round = 0; round < 2; round++) {
        expect_ok(store_box_open(&s.box, &err));
        journal_expect_all(s.journal, &s.box, "strangers", 0);
        for (int i = 0; i < 5; i++)
            workload_step(&s.work);
        workload_settle(&s.work);
        expect_ok(box_flush(&s.box, &err));
        journal_expect_all(s.journal, &s.box, "strangers", 1);
        workload_crash(&s.work, POWER_CUT_DROP_ALL);
    }
    scene_close(&s);
}

TEST_MAIN(RUN(a_flipped_byte_never_gives_a_wrong_answer),
          RUN(a_file_of_another_length_never_gives_a_wrong_answer),
          RUN(a_byte_of_a_block_that_changes_later_never_gives_a_wrong_answer),
          RUN(a_file_that_is_gone_never_gives_a_wrong_answer),
          RUN(files_that_do_not_belong_there_do_no_harm))
