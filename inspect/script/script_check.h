/*
 * script_check: asks what a script asks and compares the answer with what it expects.
 */
#ifndef CROFT_INSPECT_SCRIPT_CHECK_H
#define CROFT_INSPECT_SCRIPT_CHECK_H

#include "inspect/script/script_eval.h"
#include "inspect/script/script_report.h"

/* Reports what differs. An instant query is also asked as the middle step of a range. `tolerance`
   is relative. */
void script_check(struct script_eval *eval, const struct engine *engine, double tolerance,
                  struct arena *arena, struct script_report *report);

#endif
