#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/sim_disk.h"
#include "tests/support/test.h"

/* Both kinds of disk keep the same contract: every case runs on a real and on a simulated one. */
struct scene {
    struct disk *disk;
    struct sim_disk *sim; /* NULL on a real disk */
    char root[64];
};

enum { WAIT_MAX_S = 60 };

static struct error err;

static void set_up(struct scene *scene, bool is_real)
{
    *scene = (struct scene){0};
    if (is_real) {
        snprintf(scene->root, sizeof scene->root, "/tmp/croft_test_disk_XXXXXX");
        assert_non_null(mkdtemp(scene->root));
        expect_ok(disk_open_real(scene->root, &scene->disk, &err));
    } else {
        scene->sim = sim_disk_new(1);
        scene->disk = sim_disk_disk(scene->sim);
    }
}

/* Empties the disk by its own means; each case leaves at most one level of folders. */
static void remove_all(struct disk *disk, const char *dir)
{
    struct name_list names;
    expect_ok(disk_list(disk, dir, &names, &err));
    for (size_t i = 0; i < names.count; i++) {
        char path[DISK_PATH_MAX];
        snprintf(path, sizeof path, "%s%s%s", dir, dir[0] == '\0' ? "" : "/", names.names[i]);
        if (disk_unlink(disk, path, &err) != STATUS_OK) {
            remove_all(disk, path);
            expect_ok(disk_unlink(disk, path, &err));
        }
    }
    name_list_deinit(&names);
}

static void tear_down(struct scene *scene)
{
    remove_all(scene->disk, "");
    disk_close(scene->disk);
    sim_disk_free(scene->sim);
    if (scene->sim == NULL)
        assert_int_equal(remove(scene->root), 0);
}

static void put(struct disk *disk, const char *path, const char *text)
{
    struct file *file;
    expect_ok(disk_create(disk, path, &file, &err));
    expect_ok(file_append(file, bytes_of_str(str_from(text)), &err));
    expect_ok(file_sync(file, &err));
    file_close(file);
}

static void expect_text(struct disk *disk, const char *path, const char *want)
{
    struct file *file;
    char got[256];
    size_t len;
    expect_ok(disk_open(disk, path, &file, &err));
    expect_ok(file_read(file, 0, got, sizeof got, &len, &err));
    expect_str(((struct str){got, len}), want);
    file_close(file);
}

static void expect_names(struct disk *disk, const char *dir, const char *want)
{
    struct name_list names;
    char got[512] = "";
    size_t len = 0;
    expect_ok(disk_list(disk, dir, &names, &err));
    for (size_t i = 0; i < names.count; i++)
        len += (size_t)snprintf(got + len, sizeof got - len, "%s ", names.names[i]);
    expect_str(((struct str){got, len}), want);
    name_list_deinit(&names);
}

static void append_and_read(struct disk *disk)
{
    struct file *file;
    uint64_t size_bytes;
    char got[8];
    size_t len;
    expect_ok(disk_create(disk, "log", &file, &err));
    expect_ok(file_append(file, bytes_of_str(STR("abc")), &err));
    expect_ok(file_append(file, (struct bytes){0}, &err));
    expect_ok(file_append(file, bytes_of_str(STR("defghij")), &err));
    expect_ok(file_size(file, &size_bytes, &err));
    assert_int_equal(size_bytes, 10);
    expect_ok(file_read(file, 2, got, 4, &len, &err));
    expect_str(((struct str){got, len}), "cdef");
    expect_ok(file_read(file, 7, got, sizeof got, &len, &err));
    expect_str(((struct str){got, len}), "hij");
    expect_ok(file_read(file, 10, got, sizeof got, &len, &err));
    assert_int_equal(len, 0);
    expect_ok(file_read(file, 1000, got, sizeof got, &len, &err));
    assert_int_equal(len, 0);
    file_close(file);
    expect_text(disk, "log", "abcdefghij");
}

static void reserve_keeps_the_size(struct disk *disk)
{
    struct file *file;
    uint64_t size_bytes;
    expect_ok(disk_create(disk, "log", &file, &err));
    expect_ok(file_reserve(file, 100000, &err));
    expect_ok(file_append(file, bytes_of_str(STR("abc")), &err));
    expect_ok(file_reserve(file, 0, &err));
    expect_ok(file_size(file, &size_bytes, &err));
    assert_int_equal(size_bytes, 3);
    file_close(file);
}

static void appends_take_the_place_of_zeros(struct disk *disk)
{
    struct file *file;
    char got[16];
    size_t len;
    expect_ok(disk_create(disk, "log", &file, &err));
    expect_ok(file_append(file, bytes_of_str(STR("ab")), &err));
    expect_ok(file_zero_ahead(file, 6, &err));
    expect_ok(file_zero_ahead(file, 3, &err)); /* is as long */
    expect_ok(file_append(file, bytes_of_str(STR("cd")), &err));
    expect_ok(file_read(file, 0, got, sizeof got, &len, &err));
    assert_int_equal(len, 6);
    assert_memory_equal(got, "abcd\0\0", 6);
    expect_ok(file_append(file, bytes_of_str(STR("efg")), &err));
    expect_ok(file_append(file, bytes_of_str(STR("h")), &err));
    expect_ok(file_zero_ahead(file, 100000, &err)); /* more than are written at once */
    uint64_t size_bytes;
    expect_ok(file_size(file, &size_bytes, &err));
    assert_int_equal(size_bytes, 100000);
    expect_ok(file_read(file, 6, got, 3, &len, &err));
    assert_memory_equal(got, "gh\0", 3);
    file_close(file);
}

static void map_shows_the_whole_file(struct disk *disk)
{
    struct file *file;
    struct bytes bytes;
    put(disk, "block", "0123456789");
    expect_ok(disk_open(disk, "block", &file, &err));
    expect_ok(file_map(file, &bytes, &err));
    expect_str(str_of_bytes(bytes), "0123456789");
    expect_ok(disk_unlink(disk, "block", &err));
    expect_str(str_of_bytes(bytes), "0123456789");
    file_close(file);
    put(disk, "empty", "");
    expect_ok(disk_open(disk, "empty", &file, &err));
    expect_ok(file_map(file, &bytes, &err));
    assert_null(bytes.ptr);
    assert_int_equal(bytes.len, 0);
    file_close(file);
}

static int lowest_free_descriptor(void)
{
    int lowest = dup(STDERR_FILENO);
    close(lowest);
    return lowest;
}

static void rename_replaces(struct disk *disk)
{
    put(disk, "new", "2");
    put(disk, "old", "1");
    expect_ok(disk_rename(disk, "new", "old", &err));
    expect_text(disk, "old", "2");
    expect_names(disk, "", "old ");
    expect_ok(disk_rename(disk, "old", "old", &err));
    expect_names(disk, "", "old ");
}

static void folders_hold_names(struct disk *disk)
{
    expect_ok(disk_make_dir(disk, "b", &err));
    expect_ok(disk_make_dir(disk, "b", &err));
    put(disk, "b/2", "");
    put(disk, "b/1", "x");
    put(disk, "a", "");
    expect_names(disk, "", "a b ");
    expect_names(disk, "b", "1 2 ");
    expect_ok(disk_sync_dir(disk, "b", &err));
    expect_ok(disk_sync_dir(disk, "", &err));
    expect_status(disk_unlink(disk, "b", &err), STATUS_IO);
    expect_ok(disk_rename(disk, "b", "c", &err));
    expect_text(disk, "c/1", "x");
    expect_ok(disk_rename(disk, "c/1", "top", &err));
    expect_ok(disk_unlink(disk, "c/2", &err));
    expect_names(disk, "c", "");
    expect_ok(disk_unlink(disk, "c", &err));
    expect_names(disk, "", "a top ");
}

static void absence_is_not_found(struct disk *disk)
{
    struct file *file;
    struct name_list names;
    expect_status(disk_open(disk, "no", &file, &err), STATUS_NOT_FOUND);
    expect_status(disk_unlink(disk, "no", &err), STATUS_NOT_FOUND);
    expect_status(disk_rename(disk, "no", "yes", &err), STATUS_NOT_FOUND);
    expect_status(disk_create(disk, "no/file", &file, &err), STATUS_NOT_FOUND);
    expect_status(disk_make_dir(disk, "no/dir", &err), STATUS_NOT_FOUND);
    expect_status(disk_sync_dir(disk, "no", &err), STATUS_NOT_FOUND);
    expect_status(disk_list(disk, "no", &names, &err), STATUS_NOT_FOUND);
    assert_non_null(strstr(err.text, "no"));
}

static void what_is_in_the_way_is_an_error(struct disk *disk)
{
    struct file *file;
    put(disk, "file", "kept");
    expect_ok(disk_make_dir(disk, "dir", &err));
    put(disk, "dir/inner", "");
    expect_status(disk_create(disk, "file", &file, &err), STATUS_IO);
    expect_status(disk_create(disk, "dir", &file, &err), STATUS_IO);
    expect_status(disk_make_dir(disk, "file", &err), STATUS_IO);
    expect_status(disk_rename(disk, "file", "dir", &err), STATUS_IO);
    expect_status(disk_rename(disk, "dir", "file", &err), STATUS_IO);
    expect_text(disk, "file", "kept");
}

static void an_open_file_outlives_its_name(struct disk *disk)
{
    struct file *file;
    char got[8];
    size_t len;
    put(disk, "x", "here");
    expect_ok(disk_open(disk, "x", &file, &err));
    expect_ok(disk_unlink(disk, "x", &err));
    expect_ok(disk_sync_dir(disk, "", &err));
    expect_ok(file_read(file, 0, got, sizeof got, &len, &err));
    expect_str(((struct str){got, len}), "here");
    file_close(file);
}

static void free_space_is_known(struct disk *disk)
{
    uint64_t free_bytes, capacity_bytes;
    expect_ok(disk_free_bytes(disk, &free_bytes, &err));
    assert_true(free_bytes > 0);
    expect_ok(disk_capacity_bytes(disk, &capacity_bytes, &err));
    assert_true(capacity_bytes >= free_bytes);
}

static void on_both_disks(void (*check)(struct disk *disk))
{
    for (int is_real = 0; is_real < 2; is_real++) {
        struct scene scene;
        set_up(&scene, is_real == 1);
        check(scene.disk);
        tear_down(&scene);
    }
}

TEST(what_is_appended_is_read_back)
{
    on_both_disks(append_and_read);
}

TEST(zeros_ahead_belong_to_the_file_until_appends_take_their_place)
{
    on_both_disks(appends_take_the_place_of_zeros);
}

TEST(reserving_does_not_change_the_size)
{
    on_both_disks(reserve_keeps_the_size);
}

TEST(a_mapping_shows_the_file_until_it_is_closed)
{
    on_both_disks(map_shows_the_whole_file);
}

/* A store maps thousands of blocks, and a process may have a thousand descriptors only. */
TEST(a_mapped_file_holds_no_descriptor)
{
    struct scene scene;
    struct file *file;
    struct bytes bytes;
    set_up(&scene, true);
    put(scene.disk, "block", "0123456789");
    int lowest = lowest_free_descriptor();
    expect_ok(disk_open(scene.disk, "block", &file, &err));
    assert_int_not_equal(lowest_free_descriptor(), lowest);
    expect_ok(file_map(file, &bytes, &err));
    assert_int_equal(lowest_free_descriptor(), lowest);
    expect_str(str_of_bytes(bytes), "0123456789");
    file_close(file);
    tear_down(&scene);
}

TEST(a_rename_replaces_what_was_there)
{
    on_both_disks(rename_replaces);
}

TEST(folders_list_their_names_in_order)
{
    on_both_disks(folders_hold_names);
}

TEST(a_missing_path_is_not_found)
{
    on_both_disks(absence_is_not_found);
}

TEST(an_occupied_path_is_an_io_error_and_stays_as_it_was)
{
    on_both_disks(what_is_in_the_way_is_an_error);
}

TEST(an_unlinked_file_can_be_read_while_it_is_open)
{
    on_both_disks(an_open_file_outlives_its_name);
}

TEST(a_disk_knows_its_free_space)
{
    on_both_disks(free_space_is_known);
}

TEST(a_root_is_opened_by_one_at_a_time)
{
    struct scene scene;
    struct disk *second;
    set_up(&scene, true);
    expect_status(disk_open_real(scene.root, &second, &err), STATUS_UNAVAILABLE);
    disk_close(scene.disk);
    expect_ok(disk_open_real(scene.root, &scene.disk, &err));
    tear_down(&scene);
}

TEST(a_missing_root_is_made_but_not_its_parents)
{
    struct scene scene;
    struct disk *inner;
    char path[128];
    set_up(&scene, true);
    snprintf(path, sizeof path, "%s/a/b", scene.root);
    expect_status(disk_open_real(path, &inner, &err), STATUS_NOT_FOUND);
    snprintf(path, sizeof path, "%s/a", scene.root);
    expect_ok(disk_open_real(path, &inner, &err));
    disk_close(inner);
    expect_names(scene.disk, "", "a ");
    tear_down(&scene);
}

TEST(a_root_can_be_read_while_another_has_it_and_nothing_is_changed)
{
    struct scene scene;
    struct disk *reader;
    struct file *file;
    set_up(&scene, true);
    put(scene.disk, "a", "text");
    expect_ok(disk_open_read_only(scene.root, &reader, &err));
    expect_names(reader, "", "a ");
    expect_ok(disk_open(reader, "a", &file, &err));
    file_close(file);
    expect_status(disk_create(reader, "b", &file, &err), STATUS_IO);
    expect_status(disk_rename(reader, "a", "b", &err), STATUS_IO);
    expect_status(disk_unlink(reader, "a", &err), STATUS_IO);
    expect_status(disk_make_dir(reader, "b", &err), STATUS_IO);
    expect_status(disk_sync_dir(reader, "", &err), STATUS_IO);
    expect_names(reader, "", "a ");
    disk_close(reader);
    expect_status(disk_open_read_only("/nowhere/at/all", &reader, &err), STATUS_NOT_FOUND);
    tear_down(&scene);
}

/* Permissions are not checked for root, who therefore is somebody else meanwhile. */
static void give_up_rights(const char *folder, bool is_root)
{
    assert_int_equal(chmod(folder, is_root ? 0755 : 0500), 0);
    if (is_root)
        assert_int_equal(seteuid(65534), 0);
}

static void regain_rights(const char *folder, bool is_root)
{
    if (is_root) {
        assert_int_equal(seteuid(0), 0);
        prctl(PR_SET_DUMPABLE, 1); /* which went with the rights, and the leak check needs */
    }
    assert_int_equal(chmod(folder, 0700), 0);
}

TEST(a_folder_that_cannot_be_written_to_is_an_error_though_it_is_there)
{
    struct scene scene;
    struct disk *second;
    char below[128];
    bool is_root = geteuid() == 0;
    set_up(&scene, true);
    snprintf(below, sizeof below, "%s/a", scene.root);
    expect_ok(disk_make_dir(scene.disk, "a", &err));
    assert_int_equal(chmod(scene.root, 0755), 0);
    give_up_rights(below, is_root);
    expect_status(disk_make_dir(scene.disk, "a", &err), STATUS_IO);
    assert_non_null(strstr(err.text, "disk: a: "));
    expect_status(disk_open_real(below, &second, &err), STATUS_IO);
    assert_non_null(strstr(err.text, below));
    regain_rights(below, is_root);
    expect_ok(disk_make_dir(scene.disk, "a", &err));
    tear_down(&scene);
}

TEST(what_is_no_file_is_refused_and_not_waited_for)
{
    struct scene scene;
    struct file *file;
    char path[128];
    set_up(&scene, true);
    snprintf(path, sizeof path, "%s/pipe", scene.root);
    assert_int_equal(mkfifo(path, 0600), 0);
    expect_ok(disk_make_dir(scene.disk, "folder", &err));
    alarm(WAIT_MAX_S);
    expect_status(disk_open(scene.disk, "pipe", &file, &err), STATUS_IO);
    expect_status(disk_open(scene.disk, "folder", &file, &err), STATUS_IO);
    alarm(0);
    tear_down(&scene);
}

TEST_MAIN(RUN(what_is_appended_is_read_back),
          RUN(zeros_ahead_belong_to_the_file_until_appends_take_their_place),
          RUN(reserving_does_not_change_the_size), RUN(a_mapping_shows_the_file_until_it_is_closed),
          RUN(a_mapped_file_holds_no_descriptor), RUN(a_rename_replaces_what_was_there),
          RUN(folders_list_their_names_in_order), RUN(a_missing_path_is_not_found),
          RUN(an_occupied_path_is_an_io_error_and_stays_as_it_was),
          RUN(an_unlinked_file_can_be_read_while_it_is_open), RUN(a_disk_knows_its_free_space),
          RUN(a_root_is_opened_by_one_at_a_time), RUN(a_missing_root_is_made_but_not_its_parents),
          RUN(a_root_can_be_read_while_another_has_it_and_nothing_is_changed),
          RUN(a_folder_that_cannot_be_written_to_is_an_error_though_it_is_there),
          RUN(what_is_no_file_is_refused_and_not_waited_for))
