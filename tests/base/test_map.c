#include "base/map.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/support/test.h"

enum { PAGES = 6 };

/* A file of a few pages, each filled with its number, counted from 1. */
struct scene {
    size_t page_bytes;
    char path[64];
};

/* The same file, made `pages` long by whoever else has it. */
static void fill(const struct scene *scene, int pages)
{
    FILE *file = fopen(scene->path, "w");
    assert_non_null(file);
    for (int page = 1; page <= pages; page++) {
        for (size_t i = 0; i < scene->page_bytes; i++)
            assert_int_equal(fputc(page, file), page);
    }
    assert_int_equal(fclose(file), 0);
}

static void set_up(struct scene *scene)
{
    scene->page_bytes = (size_t)sysconf(_SC_PAGESIZE);
    snprintf(scene->path, sizeof scene->path, "/tmp/croft_test_map_XXXXXX");
    int handle = mkstemp(scene->path);
    assert_true(handle >= 0);
    close(handle);
    fill(scene, PAGES);
}

static void tear_down(const struct scene *scene)
{
    assert_int_equal(remove(scene->path), 0);
}

static struct map open_map(const struct scene *scene)
{
    struct map map = {0};
    FILE *file = fopen(scene->path, "r");
    assert_non_null(file);
    assert_true(map_open(&map, fileno(file), PAGES * scene->page_bytes));
    fclose(file);
    return map;
}

static uint8_t first_byte(const struct scene *scene, const struct map *map, size_t page)
{
    return *(const volatile uint8_t *)(map->bytes.ptr + page * scene->page_bytes);
}

TEST(pages_that_are_gone_are_zeros_and_counted_and_the_others_stay)
{
    struct scene scene;
    set_up(&scene);
    struct map map = open_map(&scene);
    uint64_t total = map_fault_total();
    for (size_t page = 0; page < PAGES; page++)
        assert_int_equal(first_byte(&scene, &map, page), page + 1);
    assert_int_equal(map_fault_count(&map), 0);
    fill(&scene, 2);
    assert_int_equal(first_byte(&scene, &map, 5), 0);
    assert_int_equal(map_fault_count(&map), 1);
    assert_int_equal(first_byte(&scene, &map, 5), 0);
    assert_int_equal(map_fault_count(&map), 1);
    for (size_t page = 2; page < PAGES; page++)
        assert_int_equal(first_byte(&scene, &map, page), 0);
    assert_int_equal(map_fault_count(&map), 4);
    assert_int_equal(map_fault_total() - total, 4);
    assert_int_equal(first_byte(&scene, &map, 0), 1);
    assert_int_equal(first_byte(&scene, &map, 1), 2);
    map_close(&map);
    tear_down(&scene);
}

TEST(a_page_that_was_gone_for_a_reader_does_not_come_back)
{
    struct scene scene;
    set_up(&scene);
    struct map map = open_map(&scene);
    fill(&scene, 2);
    assert_int_equal(first_byte(&scene, &map, 3), 0);
    fill(&scene, PAGES);
    assert_int_equal(first_byte(&scene, &map, 3), 0);
    assert_int_equal(first_byte(&scene, &map, 4), 5);
    assert_int_equal(map_fault_count(&map), 1);
    map_close(&map);
    tear_down(&scene);
}

/* Entries of the table are used again, wherever they are. */
TEST(each_of_many_maps_counts_its_own_faults)
{
    enum { MAPS = 100 };
    struct scene scene;
    struct map maps[MAPS];
    set_up(&scene);
    for (size_t i = 0; i < MAPS; i++)
        maps[i] = open_map(&scene);
    for (size_t i = 0; i < MAPS; i += 3)
        map_close(&maps[i]);
    for (size_t i = 0; i < MAPS; i += 6)
        maps[i] = open_map(&scene);
    fill(&scene, 1);
    for (size_t i = 0; i < MAPS; i++) {
        if (maps[i].entry == NULL)
            continue;
        assert_int_equal(map_fault_count(&maps[i]), 0);
        for (size_t page = 1; page <= i % PAGES; page++)
            assert_int_equal(first_byte(&scene, &maps[i], page), 0);
        assert_int_equal(map_fault_count(&maps[i]), i % PAGES);
    }
    for (size_t i = 0; i < MAPS; i++)
        map_close(&maps[i]);
    tear_down(&scene);
}

/* ---- signals that are none of ours ---- */

static bool survives(void (*act)(const struct scene *scene), const struct scene *scene)
{
    int how;
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        signal(SIGBUS, SIG_DFL); /* as in a program without a frame of tests */
        act(scene);
        _exit(0);
    }
    assert_int_equal(waitpid(child, &how, 0), child);
    assert_true(WIFEXITED(how) || WTERMSIG(how) == SIGBUS);
    return WIFEXITED(how);
}

static void read_own_map(const struct scene *scene)
{
    struct map map = open_map(scene);
    fill(scene, 1);
    (void)first_byte(scene, &map, 1);
}

static void read_foreign_map(const struct scene *scene)
{
    struct map map = open_map(scene);
    FILE *file = fopen(scene->path, "r");
    const uint8_t *foreign =
        mmap(NULL, PAGES * scene->page_bytes, PROT_READ, MAP_SHARED, fileno(file), 0);
    fill(scene, 1);
    map.bytes.ptr = foreign;
    (void)first_byte(scene, &map, 1);
}

static void send_signal(const struct scene *scene)
{
    struct map map = open_map(scene);
    raise(SIGBUS);
    (void)first_byte(scene, &map, 1);
}

TEST(a_signal_that_is_about_no_map_ends_the_process)
{
    struct scene scene;
    set_up(&scene);
    assert_true(survives(read_own_map, &scene));
    assert_false(survives(read_foreign_map, &scene));
    assert_false(survives(send_signal, &scene));
    tear_down(&scene);
}

TEST_MAIN(RUN(pages_that_are_gone_are_zeros_and_counted_and_the_others_stay),
          RUN(a_page_that_was_gone_for_a_reader_does_not_come_back),
          RUN(each_of_many_maps_counts_its_own_faults),
          RUN(a_signal_that_is_about_no_map_ends_the_process))
