#include "inspect/script/script_note.h"

#include "base/regex.h"
#include "inspect/script/script_text.h"

enum { PATTERN_LEN_MAX = 4096 };

enum status script_notes_add(struct script_notes *notes, enum script_note_kind kind,
                             struct str rest, struct error *err)
{
    if (notes->count == SCRIPT_NOTES_MAX)
        return error_set(err, STATUS_INVALID, "expect: want at most %d of them", SCRIPT_NOTES_MAX);
    struct script_note *note = &notes->ptr[notes->count++];
    *note = (struct script_note){.kind = kind};
    note->is_regex = script_take_prefix(&rest, STR("regex:"));
    note->has_text = note->is_regex || script_take_prefix(&rest, STR("msg:"));
    if (!note->has_text && rest.len > 0)
        return error_set(err, STATUS_INVALID,
                         "expect: got %.*s, want msg: or regex:", STR_ARG(rest));
    bool is_quoted = rest.len > 1 && rest.ptr[0] == '"' && rest.ptr[rest.len - 1] == '"';
    note->text = is_quoted ? str_slice(rest, 1, rest.len - 2) : rest;
    return STATUS_OK;
}

struct script_note *script_notes_failure(struct script_notes *notes)
{
    for (size_t i = 0; i < notes->count; i++) {
        if (notes->ptr[i].kind == SCRIPT_FAIL)
            return &notes->ptr[i];
    }
    return NULL;
}

/* The pattern may match anywhere; Croft's regexes match whole texts. */
static bool matches_somewhere(struct str pattern, struct str text)
{
    struct error err;
    struct regex *regex = NULL;
    struct buffer whole;
    bool is_match = false;
    buffer_init(&whole, PATTERN_LEN_MAX);
    buffer_append_format(&whole, "(?s:.*)(?:%.*s)(?s:.*)", STR_ARG(pattern));
    if (regex_new(buffer_str(&whole), &regex, &err) == STATUS_OK)
        is_match = regex_matches(regex, text);
    regex_free(regex);
    buffer_deinit(&whole);
    return is_match;
}

bool script_note_matches(const struct script_note *note, struct str text)
{
    if (!note->has_text)
        return true;
    return note->is_regex ? matches_somewhere(note->text, text) : str_eq(text, note->text);
}

static struct str without_place(struct str text)
{
    for (size_t i = text.len; i > 2; i--) {
        if (text.ptr[i - 1] == '(' && text.ptr[i - 2] == ' ')
            return str_slice(text, 0, i - 2);
    }
    return text;
}

static bool any_matches(const struct script_note *note, const struct notes *found)
{
    for (size_t i = 0; i < found->count; i++) {
        if (script_note_matches(note, found->ptr[i]) ||
            script_note_matches(note, without_place(found->ptr[i])))
            return true;
    }
    return false;
}

static void show(struct script_report *report, const struct notes *found)
{
    for (size_t i = 0; i < found->count; i++)
        script_explain(report, "got: %.*s", STR_ARG(found->ptr[i]));
}

void script_notes_compare(const struct script_notes *notes, const struct query_result *result,
                          struct script_report *report)
{
    for (size_t i = 0; i < notes->count; i++) {
        const struct script_note *note = &notes->ptr[i];
        bool is_warning = note->kind == SCRIPT_WARN || note->kind == SCRIPT_NO_WARN;
        const struct notes *found = is_warning ? &result->warnings : &result->infos;
        const char *word = is_warning ? "warning" : "info";
        bool wants_none = note->kind == SCRIPT_NO_WARN || note->kind == SCRIPT_NO_INFO;
        if (note->kind == SCRIPT_FAIL)
            continue;
        if (wants_none ? found->count == 0 : any_matches(note, found))
            continue;
        if (wants_none)
            script_fail(report, "want no %s", word);
        else if (note->has_text)
            script_fail(report, "want %s \"%.*s\"", word, STR_ARG(note->text));
        else
            script_fail(report, "want %s", word);
        show(report, found);
    }
}
