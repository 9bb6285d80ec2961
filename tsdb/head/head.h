/*
 * head: the series of one shard and the part of their samples that is still in memory.
 *
 *     series table: hash of (tenant, labels) ─► series ─► sealed chunks + open run + late samples
 *     tenant index: label pairs, each with its text and the postings of its series
 *
 * A series is found by the hash of its identity encoding (identity.h). A sender that sorts its
 * labels is found by hashing the bytes as they arrived; everybody else after labels_canonicalise.
 * The labels are always compared in full: the hash only finds the place.
 *
 * Samples: in order they go to the open columns, which are sealed into a chunk when full. Out of
 * order they go to the late samples of the series. A timestamp that is there already is a duplicate
 * (same bits) or a conflict; the head knows only what it holds itself, store_late.c asks the
 * blocks.
 *
 * Flush: head_flush_begin moves everything held so far aside; it stays readable until
 * head_flush_end drops it. New samples go on arriving in between.
 *
 * Threads: not synchronised; the shard's lock guards it: shared for const functions, exclusive for
 *          the others. Sealed chunks do not move or change until head_flush_end.
 */
#ifndef CROFT_TSDB_HEAD_H
#define CROFT_TSDB_HEAD_H

#include "base/arena.h"
#include "tsdb/codec/chunk.h"
#include "tsdb/head/identity.h"
#include "tsdb/model/label.h"
#include "tsdb/model/matcher.h"
#include "tsdb/model/tenant.h"

struct head;

/* A slot of the shard's series array. head_flush_end removes series; their slots are reused only
   after the next head_flush_end. So a ref that head_select gave stays good for head_read until the
   second head_flush_end after it, and never means another series before. The log has moved to a new
   epoch by then, too. */
struct series_ref {
    uint32_t value;
};

#define SERIES_REF_NONE ((struct series_ref){UINT32_MAX})

/* As a log knows it. */
struct logged_sample {
    struct sample sample;
    struct series_ref ref;
};

struct head_key {
    const struct tenant *tenant;
    uint64_t hash;         /* hash_bytes of the identity encoding of the labels */
    struct bytes identity; /* the encoding itself, the fastest way to compare; empty when the caller
                              does not have it in one piece: then `labels` are compared */
    const struct label *labels; /* as they stand here: perhaps not canonical, then not found; unused
                                   when there is an `identity` */
    size_t label_count;
};

/* What goes to `hash`. */
uint64_t head_key_hash(const struct head_key *key);

/* `now_ms` below is of a clock that is never set back: it says how long a series has been idle. */
struct head *head_new(void);
void head_free(struct head *head);

/* refs[i] becomes the series of keys[i] or SERIES_REF_NONE. Batched, so that look-ups overlap. */
void head_find(const struct head *head, const struct head_key *keys, size_t count,
               struct series_ref *refs);
/* As many of the keys as come in the order in which they came the last time, behind the series
   `before`; the rest is for head_find. Needs no hash. Returns how many; their refs are set. */
size_t head_follow(const struct head *head, struct series_ref before, const struct head_key *keys,
                   size_t count, struct series_ref *refs);
/* `ref` came behind `before`. */
void head_note_order(struct head *head, struct series_ref before, struct series_ref ref);
/* Fetches what head_find will read first for such a key. */
void head_prefetch_find(const struct head *head, const struct tenant *tenant, uint64_t hash);
/* Adds a series that head_find does not know; `labels` are canonical. Copies what it keeps. The
   caller has checked the limit; tenant->active_series goes up. */
struct series_ref head_add(struct head *head, struct tenant *tenant, struct labels labels,
                           int64_t now_ms);
/* The same by a key with an `identity` and a `label_count`; the tenant is that of the key. */
struct series_ref head_add_key(struct head *head, struct tenant *tenant, const struct head_key *key,
                               int64_t now_ms);

/* A series that got no sample for the idle time is not active: it is not counted against the limit,
   but stays known until its samples are flushed. Before it takes samples again the caller checks
   the limit and calls head_activate. */
bool head_is_active(const struct head *head, struct series_ref ref);
void head_activate(struct head *head, struct series_ref ref, int64_t now_ms);
/* Deactivates every series whose last append is at or before `idle_since_ms`. */
void head_sweep_idle(struct head *head, int64_t idle_since_ms);

enum append_result {
    APPEND_OK,
    APPEND_DUPLICATE, /* same timestamp, same bits: nothing to do */
    APPEND_CONFLICT,  /* same timestamp, other value: refused */
};

/* CHECK: the series is active. */
enum append_result head_append(struct head *head, struct series_ref ref, struct sample sample,
                               int64_t now_ms);

/* Fetches what any change of the series begins with. */
void head_prefetch_series(const struct head *head, struct series_ref ref);

/* The log epoch in which the series was last declared; 0 for never. */
uint32_t head_logged_epoch(const struct head *head, struct series_ref ref);
void head_set_logged_epoch(struct head *head, struct series_ref ref, uint32_t epoch);

const struct tenant *head_tenant(const struct head *head, struct series_ref ref);
/* The labels, pointing into the tenant's symbols (valid until the second head_flush_end from here
   on); the array itself is in `arena`. */
struct labels head_labels(const struct head *head, struct series_ref ref, struct arena *arena);
/* Inclusive; INT64_MAX and INT64_MIN when the series holds no samples. */
void head_time_range(const struct head *head, struct series_ref ref, int64_t *min_ts_ms,
                     int64_t *max_ts_ms);

/* The greatest timestamp that the series ever had, flushed or not; INT64_MIN for none. */
int64_t head_newest_ts_ms(const struct head *head, struct series_ref ref);
/* What head_append would say of the sample, flushing ones included; APPEND_OK: the head has none of
   that time. */
enum append_result head_look(struct head *head, struct series_ref ref, struct sample sample);
/* Whether a sample to be appended now is later than all others of its series, in memory or in
   blocks, where none is later than `blocks_max_ts_ms`. False also when the head does not know: it
   forgets a series whose samples are all in blocks, and then its newest as well. */
bool head_is_in_order(struct head *head, struct series_ref ref, int64_t ts_ms,
                      int64_t blocks_max_ts_ms);
/* Tells the greatest timestamp that blocks hold of the series; INT64_MIN for none. */
void head_note_newest_in_blocks(struct head *head, struct series_ref ref, int64_t ts_ms);
/* What the head holds of a tenant, the largest of each kind. */
struct tenant_usage {
    uint64_t series; /* idle ones included */
    uint64_t label_names;
    uint64_t label_pairs;
    uint64_t metric_series_max; /* series of the largest metric */
    uint64_t label_values_max;  /* values of the largest label name */
    uint64_t charged_bytes;     /* as head_charged_bytes */
};
void head_tenant_usage(const struct head *head, const struct tenant *tenant,
                       struct tenant_usage *out);

/* The samples of some series, flushing ones included. */
struct head_extent {
    uint64_t chunks;   /* open ones included */
    int64_t min_ts_ms; /* inclusive; INT64_MAX and INT64_MIN when there are no samples */
    int64_t max_ts_ms;
};
#define HEAD_EXTENT_NONE ((struct head_extent){.min_ts_ms = INT64_MAX, .max_ts_ms = INT64_MIN})
/* Adds those of the series; nothing when it was removed meanwhile, or is another tenant's now. */
void head_add_extent(const struct head *head, const struct tenant *tenant, struct series_ref ref,
                     struct head_extent *out);

/* The largest of a tenant, the largest first; text is in the arena. */
enum { TENANT_TOP_METRICS_MAX = 10, TENANT_TOP_NAMES_MAX = 100 };
struct top_text {
    struct str text;
    uint64_t count;
};
struct tenant_tops {
    struct top_text metrics[TENANT_TOP_METRICS_MAX]; /* and their series in memory */
    size_t metric_count;
    struct top_text names[TENANT_TOP_NAMES_MAX]; /* label names, and their values in memory */
    size_t name_count;
};
void head_tenant_tops(const struct head *head, const struct tenant *tenant, struct arena *arena,
                      struct tenant_tops *out);

/* The labels of the tenant's series, those of one name together; text is in the arena. */
struct label_count {
    struct label label;
    uint64_t series_count;
};
struct label_count_list {
    struct label_count *ptr; /* in the arena */
    size_t count;
};
void head_label_counts(const struct head *head, const struct tenant *tenant, struct arena *arena,
                       struct label_count_list *out);

/* What limits compare, for who holds the lock exclusively. Nothing is allocated. */

/* How many series of the tenant have the label. */
size_t head_label_series_count(struct head *head, const struct tenant *tenant, struct label label);
/* Of the label names of which a series would bring a new value, the most values that one has; false
   when it brings none. */
bool head_new_label_value(struct head *head, const struct tenant *tenant, struct labels labels,
                          size_t *value_count);
/* Memory of the tenant's series and of the texts of their labels, samples not included; and what
   one more series would add. */
uint64_t head_charged_bytes(struct head *head, const struct tenant *tenant);
uint64_t head_series_charge(struct head *head, const struct tenant *tenant, struct labels labels);

struct ref_list {
    struct series_ref *ptr; /* in the arena */
    size_t count;
};

/* The series of `tenant` that match, in no particular order. */
MUST_USE enum status head_select(const struct head *head, const struct tenant *tenant,
                                 struct matchers matchers, struct arena *arena,
                                 struct ref_list *out, struct error *err);
/* Adds the samples with min_ts_ms <= ts <= max_ts_ms to `out` (columns_merge rules), flushing ones
   included. Nothing when the series was removed meanwhile: its samples are in blocks then. */
MUST_USE enum status head_read(const struct head *head, struct series_ref ref, int64_t min_ts_ms,
                               int64_t max_ts_ms, struct columns *out, struct error *err);

/* Distinct label names of the tenant's series in the head, and values of one name: every one in the
   index; text points into symbols, arrays into the arena, not sorted. An error when that
   refuses. */
MUST_USE enum status head_label_names(const struct head *head, const struct tenant *tenant,
                                      struct arena *arena, struct str_list *out, struct error *err);
MUST_USE enum status head_label_values(const struct head *head, const struct tenant *tenant,
                                       struct str name, struct arena *arena, struct str_list *out,
                                       struct error *err);
/* The same of these series of the tenant alone. */
MUST_USE enum status head_label_names_of(const struct head *head, const struct tenant *tenant,
                                         struct ref_list refs, struct arena *arena,
                                         struct str_list *out, struct error *err);
MUST_USE enum status head_label_values_of(const struct head *head, const struct tenant *tenant,
                                          struct ref_list refs, struct str name,
                                          struct arena *arena, struct str_list *out,
                                          struct error *err);

size_t head_series_count(const struct head *head);
/* The greatest timestamp that any of its series ever had, flushed or not; INT64_MIN for none. */
int64_t head_max_ts_ms(const struct head *head);
/* Samples held that no head_flush_begin has moved aside. */
uint64_t head_sample_count(const struct head *head);
size_t head_memory_bytes(const struct head *head);
/* The part of it that samples take: what a flush gives back. */
size_t head_sample_memory_bytes(const struct head *head);
/* The whole, once each series has a sample: a flush gives that back for a moment only. */
size_t head_claimed_bytes(const struct head *head);

/* Moves all samples aside. CHECK: no flush is under way. */
void head_flush_begin(struct head *head);
/* Slots to visit: refs are 0 <= value < head_slot_count. */
uint32_t head_slot_count(const struct head *head);
/* The samples moved aside for this series, merged in order; false when there are none (or no
 * series). */
MUST_USE enum status head_flush_read(const struct head *head, struct series_ref ref,
                                     struct columns *out, struct error *err);
bool head_flush_has(const struct head *head, struct series_ref ref);
/* Drops what was moved aside, and removes series that are inactive and hold no samples; and what is
   kept of tenants that have had no series since the last head_flush_end. */
void head_flush_end(struct head *head);
/* Removes the series as head_flush_end does, active or not. CHECK: it holds no samples, and no
   flush is under way. */
void head_forget(struct head *head, struct series_ref ref);
/* The flush failed: what was moved aside is ordinary again. */
void head_flush_abort(struct head *head);

#endif
