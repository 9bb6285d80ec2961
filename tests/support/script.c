#include "tests/support/script.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/arena.h"
#include "base/check.h"
#include "base/clock.h"
#include "base/number.h"
#include "base/regex.h"
#include "query/engine/engine.h"
#include "query/syntax/parse.h"
#include "tests/support/naive_select.h"

enum {
    FILE_BYTES_MAX = 1 << 20,
    VALUES_MAX = 20000, /* of one series line */
    SERIES_MAX = 512,   /* expected of one query */
    EXPECTATIONS_MAX = 16,
    SIDE_STEP_MS = 60 * 1000,
};

enum expectation_kind { EXPECT_FAIL, EXPECT_WARN, EXPECT_INFO, EXPECT_NO_WARN, EXPECT_NO_INFO };

struct expectation {
    enum expectation_kind kind;
    bool is_regex;
    bool has_text;
    struct str text;
};

/* One value of a series line; an absent one is _. */
struct series_line {
    struct labels labels;
    double *values; /* the stale marker for `stale` when loading */
    bool *is_absent;
    size_t count;
};

struct query_command {
    struct query_options options;
    struct expectation expectations[EXPECTATIONS_MAX];
    size_t expectation_count;
    bool is_ordered;
    bool is_scalar;
    bool is_string;
    bool is_matrix; /* expects a range vector */
    int64_t matrix_start_ms;
    int64_t matrix_step_ms;
    double scalar;
    struct str string;
    struct series_line series[SERIES_MAX];
    size_t series_count;
};

struct script {
    const char *path;
    struct str *lines; /* trimmed; comments are empty */
    size_t line_count;
    size_t next;        /* line to be read next */
    size_t command;     /* number of the command's line, from 1 */
    struct arena arena; /* of one command */
    struct store *store;
    struct engine engine;
    size_t failures;
};

/* --- reading lines --------------------------------------------------------------------- */

static bool is_space(char c)
{
    return c == ' ' || c == '\t' || c == '\r';
}

static struct str trim(struct str s)
{
    while (s.len > 0 && is_space(s.ptr[0]))
        s = str_slice(s, 1, s.len - 1);
    while (s.len > 0 && is_space(s.ptr[s.len - 1]))
        s.len--;
    return s;
}

/* Takes the first word off `rest`. */
static struct str take_word(struct str *rest)
{
    *rest = trim(*rest);
    size_t len = 0;
    while (len < rest->len && !is_space(rest->ptr[len]))
        len++;
    struct str word = str_slice(*rest, 0, len);
    *rest = trim(str_slice(*rest, len, rest->len - len));
    return word;
}

static bool take_prefix(struct str *rest, struct str prefix)
{
    if (!str_starts_with(*rest, prefix))
        return false;
    *rest = trim(str_slice(*rest, prefix.len, rest->len - prefix.len));
    return true;
}

static void PRINTF_LIKE(2, 3) fail(struct script *script, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    fprintf(stderr, "%s:%zu: ", script->path, script->command);
    vfprintf(stderr, format, args);
    fputc('\n', stderr);
    va_end(args);
    script->failures++;
}

/* The next line of a block; false at its end. */
static bool next_in_block(struct script *script, struct str *line)
{
    if (script->next == script->line_count || script->lines[script->next].len == 0)
        return false;
    *line = script->lines[script->next++];
    return true;
}

/* A duration, or seconds as a number; either may be negative. */
static bool parse_time_ms(struct str text, int64_t *out)
{
    struct error err;
    bool is_negative = take_prefix(&text, STR("-"));
    double seconds;
    if (parse_duration_ms(text, out, &err) != STATUS_OK) {
        if (!parse_f64(text, &seconds))
            return false;
        *out = (int64_t)llround(seconds * 1000);
    }
    if (is_negative)
        *out = -*out;
    return true;
}

/* --- series lines ---------------------------------------------------------------------- */

/* Labels of `name{a="b"}`, in the command's arena. */
static bool parse_labels(struct script *script, struct str text, struct labels *out)
{
    struct error err;
    struct matcher *matchers = NULL;
    size_t count = 0;
    *out = (struct labels){NULL, 0};
    if (str_eq(text, STR("{}")))
        return true;
    if (parse_selector(text, &script->arena, &matchers, &count, &err) != STATUS_OK) {
        fail(script, "%.*s: %s", STR_ARG(text), err.text);
        return false;
    }
    struct label *labels = arena_alloc(&script->arena, count * sizeof *labels);
    for (size_t i = 0; i < count; i++) {
        labels[i] = (struct label){arena_copy(&script->arena, matchers[i].name),
                                   arena_copy(&script->arena, matchers[i].value)};
        matcher_deinit(&matchers[i]);
    }
    labels_sort(labels, count);
    *out = (struct labels){labels, count};
    return true;
}

static void add_value(struct series_line *line, double value, bool is_absent)
{
    CHECK(line->count < VALUES_MAX);
    line->values[line->count] = value;
    line->is_absent[line->count] = is_absent;
    line->count++;
}

/* Where the step of "a+b" or "a-b" starts, or text.len. */
static size_t find_step(struct str text)
{
    for (size_t i = 1; i < text.len; i++) {
        char before = text.ptr[i - 1];
        bool is_sign = text.ptr[i] == '+' || text.ptr[i] == '-';
        if (is_sign && before != 'e' && before != 'E')
            return i;
    }
    return text.len;
}

/* "a+bxN", "a-bxN" or "axN": N steps after the first value. */
static bool add_run(struct series_line *line, struct str text, uint64_t repeats)
{
    size_t at = find_step(text);
    double value;
    double step = 0;
    if (!parse_f64(str_slice(text, 0, at), &value))
        return false;
    if (at < text.len) {
        struct str step_text = str_slice(text, at + 1, text.len - at - 1);
        if (!parse_f64(step_text, &step))
            return false;
        if (text.ptr[at] == '-')
            step = -step;
    }
    for (uint64_t i = 0; i <= repeats; i++) {
        add_value(line, value, false);
        value += step;
    }
    return true;
}

static bool add_word(struct series_line *line, struct str word)
{
    uint64_t repeats = 0;
    size_t x = str_find(word, 'x', 0);
    bool is_run = x < word.len && !str_starts_with(word, STR("0x"));
    struct str head = is_run ? str_slice(word, 0, x) : word;
    if (is_run && !parse_u64(str_slice(word, x + 1, word.len - x - 1), &repeats))
        return false;
    if (str_eq(head, STR("_"))) {
        for (uint64_t i = 0; i < (is_run ? repeats : 1); i++)
            add_value(line, 0, true);
        return true;
    }
    if (str_eq(word, STR("stale"))) {
        add_value(line, f64_from_bits(STALE_NAN_BITS), false);
        return true;
    }
    return add_run(line, head, repeats);
}

/* Where the labels of a series line end: behind the closing brace, or the first space. */
static size_t labels_len(struct str line)
{
    bool is_quoted = false;
    size_t depth = 0;
    for (size_t i = 0; i < line.len; i++) {
        char c = line.ptr[i];
        if (c == '\\' && is_quoted)
            i++;
        else if (c == '"')
            is_quoted = !is_quoted;
        else if (!is_quoted && c == '{')
            depth++;
        else if (!is_quoted && c == '}')
            depth--;
        else if (!is_quoted && depth == 0 && is_space(c))
            return i;
    }
    return line.len;
}

static bool parse_series(struct script *script, struct str line, struct series_line *out)
{
    size_t len = labels_len(line);
    struct str rest = trim(str_slice(line, len, line.len - len));
    *out = (struct series_line){
        .values = arena_alloc(&script->arena, VALUES_MAX * sizeof(double)),
        .is_absent = arena_alloc(&script->arena, VALUES_MAX * sizeof(bool)),
    };
    if (!parse_labels(script, str_slice(line, 0, len), &out->labels))
        return false;
    while (rest.len > 0) {
        struct str word = take_word(&rest);
        if (!add_word(out, word)) {
            fail(script, "value: got %.*s", STR_ARG(word));
            return false;
        }
    }
    return true;
}

static void run_load(struct script *script, struct str rest)
{
    int64_t interval_ms;
    struct str text;
    if (!parse_time_ms(rest, &interval_ms)) {
        fail(script, "load: got interval %.*s", STR_ARG(rest));
        return;
    }
    while (next_in_block(script, &text)) {
        struct series_line line;
        if (!parse_series(script, text, &line))
            continue;
        for (size_t i = 0; i < line.count; i++) {
            if (!line.is_absent[i])
                naive_store_append(script->store, line.labels, (int64_t)i * interval_ms,
                                   line.values[i]);
        }
    }
}

/* --- expectations ---------------------------------------------------------------------- */

static void expect(struct query_command *command, enum expectation_kind kind, struct str rest)
{
    CHECK(command->expectation_count < EXPECTATIONS_MAX);
    struct expectation *expectation = &command->expectations[command->expectation_count++];
    *expectation = (struct expectation){.kind = kind};
    if (take_prefix(&rest, STR("regex:")))
        expectation->is_regex = true;
    else if (!take_prefix(&rest, STR("msg:")))
        return;
    expectation->has_text = true;
    bool is_quoted = rest.len > 1 && rest.ptr[0] == '"' && rest.ptr[rest.len - 1] == '"';
    expectation->text = is_quoted ? str_slice(rest, 1, rest.len - 2) : rest;
}

static bool parse_matrix_range(struct query_command *command, struct str rest)
{
    int64_t end_ms;
    command->is_matrix = true;
    return take_prefix(&rest, STR("from")) &&
           parse_time_ms(take_word(&rest), &command->matrix_start_ms) &&
           take_prefix(&rest, STR("to")) && parse_time_ms(take_word(&rest), &end_ms) &&
           take_prefix(&rest, STR("step")) &&
           parse_time_ms(take_word(&rest), &command->matrix_step_ms);
}

static bool parse_expect(struct query_command *command, struct str rest)
{
    if (take_prefix(&rest, STR("range vector")))
        return parse_matrix_range(command, rest);
    struct str word = take_word(&rest);
    if (str_eq(word, STR("fail")))
        expect(command, EXPECT_FAIL, rest);
    else if (str_eq(word, STR("warn")))
        expect(command, EXPECT_WARN, rest);
    else if (str_eq(word, STR("info")))
        expect(command, EXPECT_INFO, rest);
    else if (str_eq(word, STR("no_warn")))
        expect(command, EXPECT_NO_WARN, rest);
    else if (str_eq(word, STR("no_info")))
        expect(command, EXPECT_NO_INFO, rest);
    else if (str_eq(word, STR("ordered")))
        command->is_ordered = true;
    else if (str_eq(word, STR("string")) && rest.len >= 2) {
        command->is_string = true;
        command->string = str_slice(rest, 1, rest.len - 2);
    } else {
        return false;
    }
    return true;
}

/* The older form: the text belongs to the eval_fail before it. */
static void set_fail_text(struct query_command *command, struct str text, bool is_regex)
{
    struct expectation *expectation = &command->expectations[0];
    *expectation = (struct expectation){EXPECT_FAIL, is_regex, true, text};
    command->expectation_count = 1;
}

static bool parse_expected_line(struct script *script, struct query_command *command,
                                struct str line)
{
    if (take_prefix(&line, STR("expected_fail_message"))) {
        set_fail_text(command, line, false);
        return true;
    }
    if (take_prefix(&line, STR("expected_fail_regexp"))) {
        set_fail_text(command, line, true);
        return true;
    }
    if (str_starts_with(line, STR("expect "))) {
        (void)take_word(&line);
        return parse_expect(command, line);
    }
    if (parse_f64(line, &command->scalar)) {
        command->is_scalar = true;
        return true;
    }
    CHECK(command->series_count < SERIES_MAX);
    return parse_series(script, line, &command->series[command->series_count++]);
}

/* --- comparing ------------------------------------------------------------------------- */

static bool almost_equal(double a, double b)
{
    if (isnan(a) || isnan(b))
        return isnan(a) && isnan(b);
    if (a == b || isinf(a) || isinf(b))
        return a == b;
    return fabs(a - b) <= 1e-9 * fmax(fabs(a), fabs(b));
}

static const char *print_labels(struct script *script, struct labels labels)
{
    struct buffer text;
    buffer_init(&text, 4096);
    labels_print(&text, labels, 2048);
    struct str copy = arena_format(&script->arena, "%.*s", STR_ARG(buffer_str(&text)));
    buffer_deinit(&text);
    return copy.ptr;
}

static void compare_points(struct script *script, const struct series_line *want,
                           const struct result_series *got, int64_t start_ms, int64_t step_ms)
{
    size_t next = 0;
    const char *labels = print_labels(script, got->labels);
    for (size_t i = 0; i < want->count; i++) {
        int64_t ts_ms = start_ms + (int64_t)i * step_ms;
        bool has_point = next < got->point_count && got->points[next].ts_ms == ts_ms;
        if (want->is_absent[i] != !has_point) {
            fail(script, "%s at %" PRId64 " ms: %s", labels, ts_ms,
                 has_point ? "got a value, want none" : "got no value, want one");
            return;
        }
        if (!has_point)
            continue;
        if (!almost_equal(got->points[next].value, want->values[i])) {
            fail(script, "%s at %" PRId64 " ms: got %.17g, want %.17g", labels, ts_ms,
                 got->points[next].value, want->values[i]);
            return;
        }
        next++;
    }
    if (next < got->point_count)
        fail(script, "%s: got a value at %" PRId64 " ms, want none", labels,
             got->points[next].ts_ms);
}

static const struct result_series *find_series(const struct query_result *result,
                                               struct labels labels)
{
    for (size_t i = 0; i < result->series_count; i++) {
        if (labels_eq(result->series[i].labels, labels))
            return &result->series[i];
    }
    return NULL;
}

/* Whether any value of the line says "there is a point". */
static bool expects_points(const struct series_line *line)
{
    for (size_t i = 0; i < line->count; i++) {
        if (!line->is_absent[i])
            return true;
    }
    return false;
}

static void compare_series(struct script *script, const struct query_command *command,
                           const struct query_result *result, int64_t start_ms, int64_t step_ms)
{
    size_t wanted = 0;
    for (size_t i = 0; i < command->series_count; i++) {
        const struct series_line *want = &command->series[i];
        const struct result_series *got = find_series(result, want->labels);
        if (got == NULL && !expects_points(want))
            continue;
        wanted++;
        if (got == NULL) {
            fail(script, "%s: not in the answer", print_labels(script, want->labels));
            continue;
        }
        compare_points(script, want, got, start_ms, step_ms);
        if (command->is_ordered && got != &result->series[i])
            fail(script, "%s: got at %td, want at %zu", print_labels(script, want->labels),
                 got - result->series, i);
    }
    if (wanted == result->series_count)
        return;
    fail(script, "got %zu series, want %zu:", result->series_count, wanted);
    for (size_t i = 0; i < result->series_count; i++)
        fprintf(stderr, "    %s %.17g ...\n", print_labels(script, result->series[i].labels),
                result->series[i].points[0].value);
}

static bool matches(const struct expectation *expectation, struct str text)
{
    if (!expectation->has_text)
        return true;
    if (!expectation->is_regex)
        return str_eq(text, expectation->text);
    struct error err;
    struct regex *regex = NULL;
    struct buffer pattern;
    buffer_init(&pattern, 4096);
    buffer_append_format(&pattern, ".*(?:%.*s).*", STR_ARG(expectation->text));
    bool is_match = false;
    if (regex_new(buffer_str(&pattern), &regex, &err) == STATUS_OK)
        is_match = regex_matches(regex, text);
    regex_free(regex);
    buffer_deinit(&pattern);
    return is_match;
}

/* The note without its " (line:column)". */
static struct str without_place(struct str note)
{
    for (size_t i = note.len; i > 2; i--) {
        if (note.ptr[i - 1] == '(' && note.ptr[i - 2] == ' ')
            return str_slice(note, 0, i - 2);
    }
    return note;
}

static bool any_note_matches(const struct expectation *expectation, const struct notes *notes)
{
    for (size_t i = 0; i < notes->count; i++) {
        if (matches(expectation, notes->ptr[i]) ||
            matches(expectation, without_place(notes->ptr[i])))
            return true;
    }
    return false;
}

static void compare_notes(struct script *script, const struct query_command *command,
                          const struct query_result *result)
{
    for (size_t i = 0; i < command->expectation_count; i++) {
        const struct expectation *expectation = &command->expectations[i];
        bool wants_warning =
            expectation->kind == EXPECT_WARN || expectation->kind == EXPECT_NO_WARN;
        bool wants_none =
            expectation->kind == EXPECT_NO_WARN || expectation->kind == EXPECT_NO_INFO;
        if (expectation->kind == EXPECT_FAIL)
            continue;
        const struct notes *notes = wants_warning ? &result->warnings : &result->infos;
        if (wants_none && notes->count > 0)
            fail(script, "got note \"%.*s\", want none", STR_ARG(notes->ptr[0]));
        if (!wants_none && !any_note_matches(expectation, notes))
            fail(script, "got %zu notes (%.*s), want \"%.*s\"", notes->count,
                 notes->count > 0 ? (int)notes->ptr[0].len : 0,
                 notes->count > 0 ? notes->ptr[0].ptr : "", STR_ARG(expectation->text));
    }
}

/* --- queries --------------------------------------------------------------------------- */

static const struct expectation *expected_failure(const struct query_command *command)
{
    for (size_t i = 0; i < command->expectation_count; i++) {
        if (command->expectations[i].kind == EXPECT_FAIL)
            return &command->expectations[i];
    }
    return NULL;
}

static void compare_result(struct script *script, const struct query_command *command,
                           const struct query_result *result)
{
    const struct query_options *options = &command->options;
    compare_notes(script, command, result);
    if (result->type == VALUE_STRING) {
        if (!command->is_string || !str_eq(result->string, command->string))
            fail(script, "got string \"%.*s\"", STR_ARG(result->string));
    } else if (result->type == VALUE_SCALAR) {
        if (!command->is_scalar || !almost_equal(result->scalar.value, command->scalar))
            fail(script, "got scalar %.17g", result->scalar.value);
    } else if (command->is_matrix) {
        compare_series(script, command, result, command->matrix_start_ms, command->matrix_step_ms);
    } else {
        compare_series(script, command, result, options->start_ms,
                       options->is_range ? options->step_ms : 1);
    }
}

/* Runs an instant query as the middle step of a range, and compares that step. */
static void compare_middle(struct script *script, const struct query_command *command,
                           enum value_type type)
{
    struct query_command side = *command;
    struct query_result result;
    struct error err;
    int64_t ts_ms = command->options.start_ms;
    side.options.is_range = true;
    side.options.start_ms = ts_ms - SIDE_STEP_MS;
    side.options.end_ms = ts_ms + SIDE_STEP_MS;
    side.options.step_ms = SIDE_STEP_MS;
    side.is_ordered = false;
    if (engine_query(&script->engine, &side.options, &script->arena, &result, &err) != STATUS_OK) {
        fail(script, "as a range query: %s", err.text);
        return;
    }
    size_t kept = 0;
    for (size_t i = 0; i < result.series_count; i++) {
        struct result_series *series = &result.series[i];
        for (size_t k = 0; k < series->point_count; k++) {
            if (series->points[k].ts_ms == ts_ms) {
                series->points += k;
                series->point_count = 1;
                result.series[kept++] = *series;
                break;
            }
        }
    }
    result.series_count = kept;
    size_t failures = script->failures;
    if (type == VALUE_SCALAR) {
        if (kept != 1 || !almost_equal(result.series[0].points[0].value, command->scalar))
            fail(script, "scalar differs");
    } else {
        compare_series(script, &side, &result, ts_ms, 1);
    }
    if (script->failures > failures)
        fprintf(stderr, "    (as a range query)\n");
}

static bool depends_on_range(struct str text)
{
    struct str words[] = {STR("start()"), STR("end()"), STR("range()"), STR("step()")};
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
        for (size_t at = 0; at + words[i].len <= text.len; at++) {
            if (str_eq(str_slice(text, at, words[i].len), words[i]))
                return true;
        }
    }
    return false;
}

static void run_query(struct script *script, const struct query_command *command)
{
    struct query_result result;
    struct error err;
    const struct query_options *options = &command->options;
    const struct expectation *failure = expected_failure(command);
    enum status status = engine_query(&script->engine, options, &script->arena, &result, &err);
    if (failure != NULL) {
        if (status == STATUS_OK)
            fail(script, "got an answer, want a failure");
        else if (!matches(failure, str_from(err.text)))
            fail(script, "got error \"%s\", want \"%.*s\"", err.text, STR_ARG(failure->text));
        return;
    }
    if (status != STATUS_OK) {
        fail(script, "%s: %s", status_text(status), err.text);
        return;
    }
    size_t failures = script->failures;
    compare_result(script, command, &result);
    bool has_steps = result.type == VALUE_VECTOR || result.type == VALUE_SCALAR;
    if (failures == script->failures && has_steps && !depends_on_range(options->text))
        compare_middle(script, command, result.type);
}

static bool parse_instant(struct query_command *command, struct str rest)
{
    struct query_options *options = &command->options;
    if (take_prefix(&rest, STR("at ")) && !parse_time_ms(take_word(&rest), &options->start_ms))
        return false;
    options->end_ms = options->start_ms;
    options->text = rest;
    return true;
}

static bool parse_range(struct query_command *command, struct str rest)
{
    struct query_options *options = &command->options;
    options->is_range = true;
    bool is_valid =
        take_prefix(&rest, STR("from ")) && parse_time_ms(take_word(&rest), &options->start_ms) &&
        take_prefix(&rest, STR("to ")) && parse_time_ms(take_word(&rest), &options->end_ms) &&
        take_prefix(&rest, STR("step ")) && parse_time_ms(take_word(&rest), &options->step_ms);
    options->text = rest;
    return is_valid;
}

static bool parse_eval(struct query_command *command, struct str word, struct str rest)
{
    if (str_eq(word, STR("eval_fail")))
        expect(command, EXPECT_FAIL, STR(""));
    else if (str_eq(word, STR("eval_warn")))
        expect(command, EXPECT_WARN, STR(""));
    else if (str_eq(word, STR("eval_info")))
        expect(command, EXPECT_INFO, STR(""));
    else if (str_eq(word, STR("eval_ordered")))
        command->is_ordered = true;
    else if (!str_eq(word, STR("eval")))
        return false;
    struct str kind = take_word(&rest);
    if (str_eq(kind, STR("instant")))
        return parse_instant(command, rest);
    return str_eq(kind, STR("range")) && parse_range(command, rest);
}

static void run_eval(struct script *script, struct str word, struct str rest)
{
    static const struct scope everything = {.is_all = true};
    struct query_command *command = arena_alloc_zeroed(&script->arena, sizeof *command);
    struct str line;
    command->options.scope = &everything;
    bool is_valid = parse_eval(command, word, rest);
    while (next_in_block(script, &line))
        is_valid = is_valid && parse_expected_line(script, command, line);
    if (is_valid)
        run_query(script, command);
    else
        fail(script, "not understood");
}

/* --- the whole ------------------------------------------------------------------------- */

static void run_command(struct script *script, struct str line)
{
    struct str word = take_word(&line);
    if (str_eq(word, STR("load")))
        run_load(script, line);
    else if (str_eq(word, STR("clear")))
        naive_store_reset(script->store);
    else
        run_eval(script, word, line);
}

static struct str read_whole(const char *path, struct arena *arena)
{
    FILE *file = fopen(path, "rb");
    if (file == NULL)
        return (struct str){NULL, 0};
    char *text = arena_alloc(arena, FILE_BYTES_MAX);
    size_t len = fread(text, 1, FILE_BYTES_MAX, file);
    fclose(file);
    CHECK(len < FILE_BYTES_MAX);
    return (struct str){text, len};
}

static void split_lines(struct script *script, struct str text, struct arena *arena)
{
    size_t count = 1;
    for (size_t i = 0; i < text.len; i++)
        count += text.ptr[i] == '\n';
    script->lines = arena_alloc(arena, count * sizeof *script->lines);
    for (size_t start = 0; start < text.len;) {
        size_t end = str_find(text, '\n', start);
        struct str line = trim(str_slice(text, start, end - start));
        bool is_comment = line.len > 0 && line.ptr[0] == '#';
        script->lines[script->line_count++] = is_comment ? STR("") : line;
        start = end + 1;
    }
}

static void run_lines(struct script *script)
{
    while (script->next < script->line_count) {
        struct str line = script->lines[script->next++];
        if (line.len == 0)
            continue;
        script->command = script->next;
        run_command(script, line);
        arena_reset(&script->arena);
    }
}

size_t script_run(const char *path)
{
    struct arena file_arena;
    arena_init(&file_arena, SIZE_MAX);
    struct script script = {.path = path, .store = naive_store_new()};
    script.engine = (struct engine){
        .store = script.store,
        .clock = clock_real(),
        .lookback_ms = 5 * 60 * 1000,
        .default_step_ms = 60 * 1000,
        .samples_max = 1000000,
        .memory_max_bytes = (size_t)256 << 20,
        .allows_experimental = true,
    };
    arena_init(&script.arena, SIZE_MAX);
    struct str text = read_whole(path, &file_arena);
    if (text.ptr == NULL)
        fail(&script, "cannot be read");
    split_lines(&script, text, &file_arena);
    run_lines(&script);
    naive_store_free(script.store);
    arena_deinit(&script.arena);
    arena_deinit(&file_arena);
    return script.failures;
}
