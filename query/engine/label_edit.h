/*
 * label_edit: label sets with one label more, less or changed. The results live in the query's
 * arena.
 */
#ifndef CROFT_QUERY_LABEL_EDIT_H
#define CROFT_QUERY_LABEL_EDIT_H

#include "query/engine/operator.h"

/* `labels` with `label` set; an empty value takes the label away. Its text is kept. */
MUST_USE enum status labels_with(struct eval *eval, struct labels labels, struct label label,
                                 struct labels *out, struct error *err);
MUST_USE enum status text_copy(struct eval *eval, struct str text, struct str *out,
                               struct error *err);
/* With text of its own, for labels that outlive the operator they came from. */
MUST_USE enum status labels_copy(struct eval *eval, struct labels labels, struct labels *out,
                                 struct error *err);
/* {__name__="up", job="x"}: as Prometheus shows labels in errors. */
void labels_append_braced(struct buffer *out, struct labels labels);

#endif
