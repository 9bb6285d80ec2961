/* The file of the configuration: missing, too large, being written. */
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "tests/server/config_fixture.h"
#include "tests/support/test.h"

TEST(a_file_that_cannot_be_read_names_its_path)
{
    struct config config;
    struct error err;
    config_init(&config);
    expect_status(config_read_file(&config, "/nowhere/croft.yml", &err), STATUS_INVALID);
    assert_string_equal(err.text,
                        "config file /nowhere/croft.yml: cannot be opened: No such file or "
                        "directory");
    expect_status(config_read_file(&config, "/", &err), STATUS_IO);
    assert_string_equal(err.text, "/: cannot be read");
    expect_status(config_read_file(&config, "/dev/zero", &err), STATUS_INVALID);
    assert_string_equal(err.text, "/dev/zero: larger than 16777216 bytes");
    expect_ok(config_read_file(&config, "/dev/null", &err));
    config_deinit(&config);
}

/* Writes the next line at each wait, and nothing more when all are there. */
struct writer {
    const char *path;
    const char *const *lines;
    size_t line_count;
    size_t next;
};

static void write_next(void *context)
{
    struct writer *writer = context;
    if (writer->next == writer->line_count)
        return;
    FILE *file = fopen(writer->path, writer->next == 0 ? "w" : "a");
    assert_non_null(file);
    fputs(writer->lines[writer->next++], file);
    fclose(file);
}

TEST(a_file_that_is_being_written_is_read_when_it_is_whole)
{
    static const char *const lines[] = {"listen: a:1\n", "limits: {max_series: 5}\n",
                                        "tenants: {a: {limits: {max_series: 7}}}\n"};
    char path[] = "/tmp/croft_config_XXXXXX";
    int handle = mkstemp(path);
    assert_true(handle >= 0);
    close(handle);
    struct writer writer = {path, lines, 3, 0};
    struct config_fixture fixture;
    write_next(&writer);
    config_init(&fixture.config);
    struct error err = {""};
    expect_ok(config_reread_file(&fixture.config, path, write_next, &writer, &err));
    assert_int_equal(series_max_of(&fixture.config, "a"), 7);
    config_deinit(&fixture.config);
    remove(path);
}

TEST(a_file_that_never_rests_is_not_read)
{
    static const char *lines[CONFIG_READINGS_MAX];
    char path[] = "/tmp/croft_config_XXXXXX";
    int handle = mkstemp(path);
    assert_true(handle >= 0);
    close(handle);
    for (size_t i = 0; i < CONFIG_READINGS_MAX; i++)
        lines[i] = "# another line\n";
    struct writer writer = {path, lines, CONFIG_READINGS_MAX, 0};
    struct config config;
    struct error err;
    config_init(&config);
    expect_status(config_reread_file(&config, path, write_next, &writer, &err), STATUS_UNAVAILABLE);
    assert_non_null(strstr(err.text, "does not stop changing"));
    config_deinit(&config);
    remove(path);
}

TEST(only_a_regular_file_is_read_again)
{
    struct config config;
    struct error err;
    config_init(&config);
    expect_status(config_reread_file(&config, "/dev/null", write_next, NULL, &err), STATUS_INVALID);
    assert_string_equal(err.text, "config file /dev/null: not a regular file");
    config_deinit(&config);
}

TEST_MAIN(RUN(a_file_that_cannot_be_read_names_its_path), RUN(only_a_regular_file_is_read_again),
          RUN(a_file_that_is_being_written_is_read_when_it_is_whole),
          RUN(a_file_that_never_rests_is_not_read))
