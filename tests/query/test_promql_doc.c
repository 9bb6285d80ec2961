/* docs/promql.md against the table of functions and the scripts. */
#include "tests/support/test.h"

#include <stdio.h>

#include "base/buffer.h"
#include "query/function/function.h"

enum { TEXT_MAX_BYTES = 1 << 20 };

static void read_file(const char *path, struct buffer *out)
{
    FILE *file = fopen(path, "re");
    if (file == NULL)
        fail_msg("%s: cannot be opened", path);
    buffer_init(out, TEXT_MAX_BYTES);
    out->len = fread(buffer_reserve(out, TEXT_MAX_BYTES), 1, TEXT_MAX_BYTES, file);
    fclose(file);
}

/* A row of the page's table: | `name(arguments)` * | text | script | */
struct row {
    struct str name;
    bool is_experimental;
    struct str script;
};

/* Takes the next line off the front of `text`. */
static struct str take_line(struct str *text)
{
    size_t end = str_find(*text, '\n', 0);
    struct str line = str_slice(*text, 0, end);
    *text = str_slice(*text, end + 1, SIZE_MAX);
    return line;
}

static struct row row_of(struct str line)
{
    struct str prefix = STR("| `");
    assert_true(str_starts_with(line, prefix) && str_ends_with(line, STR(" |")));
    size_t name_end = str_find(line, '(', 0);
    size_t cell_end = str_find(line, '|', 1);
    size_t script = line.len - STR(" |").len;
    while (line.ptr[script - 1] != ' ')
        script--;
    return (struct row){
        .name = str_slice(line, prefix.len, name_end - prefix.len),
        .is_experimental = str_ends_with(str_slice(line, 0, cell_end), STR("` * ")),
        .script = str_slice(line, script, line.len - STR(" |").len - script),
    };
}

static void check_script_calls(const struct row *row)
{
    char path[100], call[100];
    struct buffer script;
    snprintf(path, sizeof path, "tests/promql/%.*s.test", STR_ARG(row->script));
    int len = snprintf(call, sizeof call, "%.*s(", STR_ARG(row->name));
    read_file(path, &script);
    if (memmem(script.ptr, script.len, call, (size_t)len) == NULL)
        fail_msg("%s does not call %s", path, call);
    buffer_deinit(&script);
}

TEST(the_page_lists_the_functions_of_the_table_and_where_each_is_tested)
{
    struct buffer page;
    size_t count, listed = 0;
    const struct function *functions = function_table(&count);
    read_file("docs/promql.md", &page);
    struct str left = buffer_str(&page);
    while (left.len > 0 && !str_eq(take_line(&left), STR("| function | gives | tested in |")))
        ;
    take_line(&left);
    for (struct str line = take_line(&left); line.len > 0; line = take_line(&left), listed++) {
        struct row row = row_of(line);
        assert_true(listed < count);
        expect_str(row.name, functions[listed].name);
        if (row.is_experimental != functions[listed].is_experimental)
            fail_msg("%s: wrong about being experimental", functions[listed].name);
        check_script_calls(&row);
    }
    assert_int_equal(listed, count);
    buffer_deinit(&page);
}

TEST_MAIN(RUN(the_page_lists_the_functions_of_the_table_and_where_each_is_tested))
