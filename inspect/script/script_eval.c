#include "inspect/script/script_eval.h"

#include "base/number.h"
#include "inspect/script/script_text.h"
#include "query/syntax/parse.h"

/* ---- the first line ---- */

static enum status parse_instant(struct script_eval *eval, struct str rest, struct error *err)
{
    struct query_options *options = &eval->options;
    if (script_take_prefix(&rest, STR("at "))) {
        struct str word = script_take_word(&rest);
        if (!script_time_ms(word, &options->start_ms))
            return error_set(err, STATUS_INVALID, "eval: got time %.*s", STR_ARG(word));
    }
    options->end_ms = options->start_ms;
    options->text = rest;
    return STATUS_OK;
}

/* "word TIME" off the front of `rest`. */
static enum status take_time(struct str *rest, const char *word, int64_t *out, struct error *err)
{
    struct str found = script_take_word(rest);
    struct str text = script_take_word(rest);
    if (!str_eq(found, str_from(word)) || !script_time_ms(text, out))
        return error_set(err, STATUS_INVALID, "range: got \"%.*s %.*s\", want \"%s TIME\"",
                         STR_ARG(found), STR_ARG(text), word);
    return STATUS_OK;
}

static enum status parse_range(struct script_eval *eval, struct str rest, struct error *err)
{
    struct query_options *options = &eval->options;
    options->is_range = true;
    TRY(take_time(&rest, "from", &options->start_ms, err));
    TRY(take_time(&rest, "to", &options->end_ms, err));
    TRY(take_time(&rest, "step", &options->step_ms, err));
    options->text = rest;
    if (options->step_ms <= 0 || options->end_ms < options->start_ms)
        return error_set(err, STATUS_INVALID, "range: want an end after the start and a step");
    return STATUS_OK;
}

enum status script_eval_begin(struct script_eval *eval, struct str word, struct str rest,
                              struct error *err)
{
    static const struct scope everything = {.is_all = true};
    *eval = (struct script_eval){.options.scope = &everything};
    if (str_eq(word, STR("eval_fail")))
        TRY(script_notes_add(&eval->notes, SCRIPT_FAIL, STR(""), err));
    else if (str_eq(word, STR("eval_warn")))
        TRY(script_notes_add(&eval->notes, SCRIPT_WARN, STR(""), err));
    else if (str_eq(word, STR("eval_info")))
        TRY(script_notes_add(&eval->notes, SCRIPT_INFO, STR(""), err));
    else if (str_eq(word, STR("eval_ordered")))
        eval->is_ordered = true;
    struct str kind = script_take_word(&rest);
    if (str_eq(kind, STR("instant")))
        return parse_instant(eval, rest, err);
    if (str_eq(kind, STR("range")))
        return parse_range(eval, rest, err);
    return error_set(err, STATUS_INVALID, "eval: got %.*s, want instant or range", STR_ARG(kind));
}

/* ---- what is expected ---- */

static enum status expect_matrix(struct script_eval *eval, struct str rest, struct error *err)
{
    int64_t end_ms;
    eval->is_matrix = true;
    TRY(take_time(&rest, "from", &eval->matrix_start_ms, err));
    TRY(take_time(&rest, "to", &end_ms, err));
    return take_time(&rest, "step", &eval->matrix_step_ms, err);
}

static enum status expect_string(struct script_eval *eval, struct str rest, struct arena *arena,
                                 struct error *err)
{
    const struct parse_options options = {0};
    struct expr *expr;
    TRY(parse_expr(rest, &options, arena, &expr, err));
    if (expr->kind == EXPR_STRING)
        eval->string = expr->string;
    eval->is_string = expr->kind == EXPR_STRING;
    ast_deinit(expr);
    return eval->is_string ? STATUS_OK
                           : error_set(err, STATUS_INVALID, "expect string: got %.*s, want quotes",
                                       STR_ARG(rest));
}

static enum status expect_word(struct script_eval *eval, struct str rest, struct arena *arena,
                               struct error *err)
{
    static const struct {
        const char *word;
        enum script_note_kind kind;
    } notes[] = {{"fail", SCRIPT_FAIL},
                 {"warn", SCRIPT_WARN},
                 {"info", SCRIPT_INFO},
                 {"no_warn", SCRIPT_NO_WARN},
                 {"no_info", SCRIPT_NO_INFO}};
    if (script_take_prefix(&rest, STR("range vector")))
        return expect_matrix(eval, rest, err);
    struct str word = script_take_word(&rest);
    for (size_t i = 0; i < sizeof notes / sizeof *notes; i++) {
        if (str_eq(word, str_from(notes[i].word)))
            return script_notes_add(&eval->notes, notes[i].kind, rest, err);
    }
    if (str_eq(word, STR("string")))
        return expect_string(eval, rest, arena, err);
    eval->is_ordered = str_eq(word, STR("ordered"));
    if (eval->is_ordered && rest.len == 0)
        return STATUS_OK;
    return error_set(
        err, STATUS_INVALID,
        "expect: got %.*s, want fail, warn, info, no_warn, no_info, ordered, string or "
        "range vector",
        STR_ARG(word));
}

/* The older form: the text belongs to the eval_fail before it. */
static enum status expect_failure_text(struct script_eval *eval, struct str text, bool is_regex,
                                       struct error *err)
{
    struct script_note *failure = script_notes_failure(&eval->notes);
    if (failure == NULL)
        return error_set(err, STATUS_INVALID, "expected_fail_...: want eval_fail before it");
    *failure = (struct script_note){SCRIPT_FAIL, is_regex, true, text};
    return STATUS_OK;
}

static enum status expect_series(struct script_eval *eval, struct str line, struct arena *arena,
                                 struct error *err)
{
    if (eval->series_count == SCRIPT_SERIES_MAX)
        return error_set(err, STATUS_INVALID, "eval: want at most %d series", SCRIPT_SERIES_MAX);
    if (eval->series_count == eval->series_capacity) {
        size_t capacity = eval->series_capacity * 2 + 16;
        struct script_series *grown = arena_alloc(arena, capacity * sizeof *grown);
        for (size_t i = 0; i < eval->series_count; i++)
            grown[i] = eval->series[i];
        eval->series = grown;
        eval->series_capacity = capacity;
    }
    return script_series_parse(line, arena, &eval->series[eval->series_count++], err);
}

enum status script_eval_expect(struct script_eval *eval, struct str line, struct arena *arena,
                               struct error *err)
{
    if (script_take_prefix(&line, STR("expected_fail_message")))
        return expect_failure_text(eval, line, false, err);
    if (script_take_prefix(&line, STR("expected_fail_regexp")))
        return expect_failure_text(eval, line, true, err);
    if (script_take_prefix(&line, STR("expect ")))
        return expect_word(eval, line, arena, err);
    if (parse_f64(line, &eval->scalar)) {
        eval->is_scalar = true;
        return STATUS_OK;
    }
    return expect_series(eval, line, arena, err);
}
