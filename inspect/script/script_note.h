/*
 * script_note: what a query's error, warnings and infos are expected to be.
 *
 *     expect fail msg: text          expect warn regex: pattern        expect no_info
 *
 * A note may be expected with or without its " (line:column)".
 */
#ifndef CROFT_INSPECT_SCRIPT_NOTE_H
#define CROFT_INSPECT_SCRIPT_NOTE_H

#include "inspect/script/script_report.h"
#include "query/engine/value.h"

enum { SCRIPT_NOTES_MAX = 64 };

enum script_note_kind {
    SCRIPT_FAIL,
    SCRIPT_WARN,
    SCRIPT_INFO,
    SCRIPT_NO_WARN,
    SCRIPT_NO_INFO,
};

struct script_note {
    enum script_note_kind kind;
    bool is_regex;
    bool has_text;
    struct str text;
};

struct script_notes {
    struct script_note ptr[SCRIPT_NOTES_MAX];
    size_t count;
};

/* `rest`: nothing, "msg: text" or "regex: pattern". STATUS_INVALID: neither, or too many notes. */
MUST_USE enum status script_notes_add(struct script_notes *notes, enum script_note_kind kind,
                                      struct str rest, struct error *err);
/* The expected failure, or NULL. */
struct script_note *script_notes_failure(struct script_notes *notes);
bool script_note_matches(const struct script_note *note, struct str text);
void script_notes_compare(const struct script_notes *notes, const struct query_result *result,
                          struct script_report *report);

#endif
