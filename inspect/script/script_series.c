#include "inspect/script/script_series.h"

#include "base/codec.h"
#include "base/number.h"
#include "inspect/script/script_text.h"
#include "query/syntax/parse.h"
#include "tsdb/model/sample.h"

/* What one word stands for. */
struct run {
    bool is_absent;
    double first;
    double step;
    uint64_t count;
};

/* ---- labels ---- */

static enum status parse_labels(struct str text, struct arena *arena, struct labels *out,
                                struct error *err)
{
    struct matcher *matchers = NULL;
    size_t count = 0;
    *out = (struct labels){NULL, 0};
    if (str_eq(text, STR("{}")))
        return STATUS_OK;
    TRY(parse_selector(text, arena, &matchers, &count, err));
    struct label *labels = arena_alloc(arena, count * sizeof *labels);
    enum status status = STATUS_OK;
    for (size_t i = 0; i < count; i++) {
        if (matchers[i].op != MATCHER_EQ)
            status = error_set(err, STATUS_INVALID, "labels: got %.*s, want only \"=\" in it",
                               STR_ARG(text));
        labels[i] = (struct label){arena_copy(arena, matchers[i].name),
                                   arena_copy(arena, matchers[i].value)};
        matcher_deinit(&matchers[i]);
    }
    labels_sort(labels, count);
    *out = (struct labels){labels, count};
    return status;
}

/* Where the labels end: behind the closing brace, or at the first space. */
static size_t labels_len(struct str line)
{
    char quote = '\0';
    size_t depth = 0;
    for (size_t i = 0; i < line.len; i++) {
        char c = line.ptr[i];
        if (quote != '\0') {
            if (c == '\\' && quote != '`')
                i++;
            else if (c == quote)
                quote = '\0';
        } else if (c == '"' || c == '\'' || c == '`') {
            quote = c;
        } else if (c == '{') {
            depth++;
        } else if (c == '}' && depth > 0) {
            depth--;
        } else if (depth == 0 && (c == ' ' || c == '\t')) {
            return i;
        }
    }
    return line.len;
}

/* ---- values ---- */

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

static bool parse_steps(struct str text, struct run *run)
{
    size_t at = find_step(text);
    if (!parse_f64(str_slice(text, 0, at), &run->first))
        return false;
    if (at == text.len)
        return true;
    if (!parse_f64(str_slice(text, at + 1, SIZE_MAX), &run->step))
        return false;
    if (text.ptr[at] == '-')
        run->step = -run->step;
    return true;
}

static bool parse_run(struct str word, struct run *run)
{
    *run = (struct run){.count = 1};
    if (str_eq(word, STR("stale"))) {
        run->first = f64_from_bits(STALE_NAN_BITS);
        return true;
    }
    uint64_t repeats = 0;
    size_t x = str_find(word, 'x', 0);
    bool is_repeated = x < word.len;
    struct str head = is_repeated ? str_slice(word, 0, x) : word;
    if (is_repeated &&
        (!parse_u64(str_slice(word, x + 1, SIZE_MAX), &repeats) || repeats > SCRIPT_VALUES_MAX))
        return false;
    run->is_absent = str_eq(head, STR("_"));
    if (is_repeated)
        run->count = run->is_absent ? repeats : repeats + 1;
    return run->is_absent || parse_steps(head, run);
}

static enum status bad_value(struct str word, struct error *err)
{
    if (str_starts_with(word, STR("{{")))
        return error_set(err, STATUS_INVALID, "value: native histograms are not supported");
    return error_set(err, STATUS_INVALID,
                     "value: got %.*s, want a number, a+bxN, a-bxN, axN, _, _xN or stale",
                     STR_ARG(word));
}

static enum status count_values(struct str text, size_t *count, struct error *err)
{
    struct run run;
    *count = 0;
    while (text.len > 0) {
        struct str word = script_take_word(&text);
        if (!parse_run(word, &run))
            return bad_value(word, err);
        *count += run.count;
        if (*count > SCRIPT_VALUES_MAX)
            return error_set(err, STATUS_INVALID, "values: want at most %d of them",
                             SCRIPT_VALUES_MAX);
    }
    return STATUS_OK;
}

static void fill_values(struct str text, struct script_series *out)
{
    struct run run;
    while (text.len > 0 && parse_run(script_take_word(&text), &run)) {
        double value = run.first;
        for (uint64_t i = 0; i < run.count; i++) {
            out->values[out->count] = value;
            out->is_absent[out->count++] = run.is_absent;
            /* nothing is added to a stale marker: it would not be one any more */
            if (run.count > 1)
                value += run.step;
        }
    }
}

enum status script_series_parse(struct str line, struct arena *arena, struct script_series *out,
                                struct error *err)
{
    size_t len = labels_len(line);
    size_t count;
    struct str values = script_trim(str_slice(line, len, SIZE_MAX));
    *out = (struct script_series){0};
    TRY(parse_labels(str_slice(line, 0, len), arena, &out->labels, err));
    TRY(count_values(values, &count, err));
    out->values = arena_alloc(arena, count * sizeof *out->values);
    out->is_absent = arena_alloc(arena, count * sizeof *out->is_absent);
    fill_values(values, out);
    return STATUS_OK;
}

bool script_series_has_values(const struct script_series *series)
{
    for (size_t i = 0; i < series->count; i++) {
        if (!series->is_absent[i])
            return true;
    }
    return false;
}
