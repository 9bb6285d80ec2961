#include "base/file_stamp.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/support/test.h"

static void write_to(const char *path, const char *how, const char *text)
{
    FILE *file = fopen(path, how);
    assert_non_null(file);
    fputs(text, file);
    fclose(file);
}

TEST(whatever_happens_to_a_file_changes_its_stamp)
{
    char folder[] = "/tmp/croft_test_file_stamp_XXXXXX", path[64], other[64], link[64];
    assert_non_null(mkdtemp(folder));
    snprintf(path, sizeof path, "%s/file", folder);
    snprintf(other, sizeof other, "%s/other", folder);
    snprintf(link, sizeof link, "%s/link", folder);
    assert_int_equal(file_stamp(path), 0);
    write_to(path, "w", "one");
    uint64_t first = file_stamp(path);
    assert_int_not_equal(first, 0);
    assert_int_equal(file_stamp(path), first);
    write_to(path, "a", "two");
    uint64_t longer = file_stamp(path);
    assert_int_not_equal(longer, first);
    write_to(other, "w", "onetwo");
    assert_int_equal(symlink(path, link), 0);
    assert_int_equal(file_stamp(link), longer);
    assert_int_equal(remove(link), 0);
    assert_int_equal(symlink(other, link), 0); /* as a ConfigMap is replaced */
    assert_int_not_equal(file_stamp(link), longer);
    assert_int_equal(remove(path), 0);
    assert_int_equal(remove(other), 0);
    assert_int_equal(file_stamp(link), 0);
    assert_int_equal(remove(link), 0);
    assert_int_equal(remove(folder), 0);
}

TEST(only_a_regular_file_has_a_stamp)
{
    char folder[] = "/tmp/croft_test_file_stamp_XXXXXX", path[64];
    assert_non_null(mkdtemp(folder));
    snprintf(path, sizeof path, "%s/file", folder);
    assert_false(file_is_special(path));
    write_to(path, "w", "");
    assert_false(file_is_special(path));
    assert_int_not_equal(file_stamp(path), 0);
    assert_int_equal(remove(path), 0);
    assert_int_equal(mkfifo(path, 0600), 0);
    assert_true(file_is_special(path));
    assert_int_equal(file_stamp(path), 0);
    assert_int_equal(remove(path), 0);
    assert_int_equal(remove(folder), 0);
    assert_int_equal(file_stamp("/"), 0);
    assert_int_equal(file_stamp("/dev/null"), 0);
}

TEST_MAIN(RUN(whatever_happens_to_a_file_changes_its_stamp), RUN(only_a_regular_file_has_a_stamp))
