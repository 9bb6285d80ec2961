/*
 * select: finds series by matchers in head and blocks, and reads their samples.
 *
 * Use: select_open, then labels and samples of each series by its position, then select_close.
 * Series are sorted by labels; a series that lives in the head and in several blocks appears once.
 * Ownership: label text lives until select_close, which also releases the blocks it holds.
 * Threads:   after select_open, select_read may be called from several threads for different
 *            series.
 */
#ifndef CROFT_TSDB_SELECT_H
#define CROFT_TSDB_SELECT_H

#include "tsdb/model/label.h"
#include "tsdb/model/matcher.h"
#include "tsdb/model/sample.h"
#include "tsdb/model/scope.h"

struct charge;
struct store;
struct selection;

/* Who is told what could not be read, from any thread that reads, and gets the rest. */
struct damage_listener {
    void (*tell)(void *context, struct str text);
    void *context;
};

enum select_source {
    SELECT_STORED,    /* what the time range holds, in memory and in blocks */
    SELECT_IN_MEMORY, /* the series in memory, whatever their samples; the range is not looked at */
    SELECT_ACTIVE,    /* those of them that are active */
};

struct select_options {
    const struct scope *scope;
    enum select_source source;
    const struct matcher *matchers; /* all must match; none means every series */
    size_t matcher_count;
    int64_t min_ts_ms;       /* inclusive; series without data in the range may be left out */
    int64_t max_ts_ms;       /* inclusive */
    size_t series_max;       /* more is STATUS_LIMIT; 0 for no limit */
    size_t memory_max_bytes; /* of the selection; more is STATUS_LIMIT; 0 for no limit */
    struct charge *charge;   /* of the same; kept until select_close; may be NULL */
    /* Called every few thousand series, and for each tenant whose index is asked, with no lock
       held; anything but STATUS_OK ends the gathering with that. May be NULL. */
    enum status (*check)(void *context, struct error *err);
    void *check_context;
    /* Without `tell` what cannot be read is STATUS_CORRUPT. */
    struct damage_listener damage;
};

MUST_USE enum status select_open(struct store *store, const struct select_options *options,
                                 struct selection **out, struct error *err);
/* NULL is fine. */
void select_close(struct selection *selection);
/* What the selection holds, for who has a budget. */
size_t select_memory_bytes(const struct selection *selection);
size_t select_count(const struct selection *selection);
struct labels select_labels(const struct selection *selection, size_t index);
/* Replaces `out` by the samples of series `index` with min_ts_ms <= ts <= max_ts_ms (a part of the
   range of select_options), stale markers included. */
MUST_USE enum status select_read(struct selection *selection, size_t index, int64_t min_ts_ms,
                                 int64_t max_ts_ms, struct columns *out, struct error *err);

/* Distinct names of labels, or values of one label, of the series that match, sorted; answered from
   the indexes. Text lives in `arena`. */
MUST_USE enum status select_label_names(struct store *store, const struct select_options *options,
                                        struct arena *arena, struct str_list *out,
                                        struct error *err);
MUST_USE enum status select_label_values(struct store *store, const struct select_options *options,
                                         struct str name, struct arena *arena, struct str_list *out,
                                         struct error *err);

#endif
