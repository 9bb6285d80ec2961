/*
 * script_eval: one query of a script: what is asked, and what is expected.
 */
#ifndef CROFT_INSPECT_SCRIPT_EVAL_H
#define CROFT_INSPECT_SCRIPT_EVAL_H

#include "inspect/script/script_note.h"
#include "inspect/script/script_series.h"
#include "query/engine/engine.h"

enum { SCRIPT_SERIES_MAX = 10000 /* expected of one query */ };

struct script_eval {
    struct query_options options;
    struct script_notes notes;
    bool is_ordered;
    bool is_scalar;
    bool is_string;
    bool is_matrix; /* an instant query that expects a range vector */
    int64_t matrix_start_ms;
    int64_t matrix_step_ms;
    double scalar;
    struct str string;
    struct script_series *series;
    size_t series_count;
    size_t series_capacity;
};

/* `word` is eval, eval_fail, eval_warn, eval_info or eval_ordered; `rest` the line behind it. The
   views point into them. STATUS_INVALID says what is wrong. */
MUST_USE enum status script_eval_begin(struct script_eval *eval, struct str word, struct str rest,
                                       struct error *err);
/* A line of what is expected. */
MUST_USE enum status script_eval_expect(struct script_eval *eval, struct str line,
                                        struct arena *arena, struct error *err);

#endif
