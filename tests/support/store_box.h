/*
 * store_box: a store on a simulated disk and clock, and short words for writing to it and reading
 * it.
 *
 * Series are written as text: the metric name, then label=value, separated by spaces, sent in this
 * order: "up job=a zone=1". Matchers likewise, with = != =~ !~. Answers are text as well, one line
 * per series: up{job="a"} 1000:1.5 2000:2
 *
 * The store is manual (store.h) unless `options.is_manual` is cleared before store_box_open.
 * Failures end the test, unless a function returns a status.
 */
#ifndef CROFT_TESTS_SUPPORT_STORE_BOX_H
#define CROFT_TESTS_SUPPORT_STORE_BOX_H

#include "base/sim_disk.h"
#include "base/thread.h"
#include "tests/support/test.h"
#include "tsdb/store/store.h"

#define BOX_START_MS     INT64_C(1700000000000) /* 2023-11-14T22:13:20Z */
#define BOX_DAY_MS       INT64_C(86400000)
#define BOX_RETENTION_MS (30 * BOX_DAY_MS)

struct store_box {
    struct sim_disk *sim;
    struct sim_clock clock;
    struct store_options options;
    struct disk *disk;   /* of the open store */
    struct store *store; /* NULL when it is closed */
    struct arena arena;  /* of answers; freed with the box */
    bool is_damaged;     /* by the test: files need not be without fault at the end */
};

void store_box_init(struct store_box *box, uint64_t seed);
/* Proves all files (box_verify), unless the test has damaged some. */
void store_box_deinit(struct store_box *box);

MUST_USE enum status store_box_open(struct store_box *box, struct error *err);
/* Ends the store as a server does that is told to stop. */
void store_box_close(struct store_box *box);
/* Ends it without a chance to write anything more; the disk then is as `cut` says. */
void store_box_crash(struct store_box *box, enum power_cut cut);
/* The same as above, and the store then opens, which must go well. */
void store_box_start(struct store_box *box, uint64_t seed);
void store_box_restart(struct store_box *box);
void store_box_crash_and_restart(struct store_box *box, enum power_cut cut);

struct box_sample {
    const char *tenant;
    const char *series;
    int64_t ts_ms;
    double value;
};

/* What became of a write. Must stay where it is until it is done. */
struct box_write {
    struct write_commit commit;
    struct arena arena;
    struct write_result result;
    struct mutex lock;
    struct cond is_answered;
    bool is_done;       /* guarded by lock */
    enum status status; /* guarded by lock; of the commit */
};

/* One write_series for each run of samples of one series. When it fails nothing is to be ended. */
MUST_USE enum status box_write_begin(struct store_box *box, struct box_write *write,
                                     const struct box_sample *samples, size_t count,
                                     struct error *err);
/* Waits for the answer. */
enum status box_write_end(struct box_write *write);
bool box_write_is_done(struct box_write *write);

/* Commits all shards: the first failure. */
MUST_USE enum status box_commit(struct store_box *box, struct error *err);
/* Begins, commits (a manual store), ends: STATUS_OK is an acknowledgement. */
MUST_USE enum status box_write(struct store_box *box, const struct box_sample *samples,
                               size_t count, struct write_result *result, struct error *err);
/* The same, and it must go well; samples may be refused. */
struct write_result expect_write(struct store_box *box, const struct box_sample *samples,
                                 size_t count);
/* The same for one sample, which must be taken. */
void box_put(struct store_box *box, const char *tenant, const char *series, int64_t ts_ms,
             double value);
/* Flushes all shards: the first failure. */
MUST_USE enum status box_flush(struct store_box *box, struct error *err);

/* The same, and it must go well. */
void expect_flush(struct store_box *box);
/* Lets the idle time pass and sweeps all shards. */
void box_make_idle(struct store_box *box);

/* How many files have `part` in their path, and how much room all files take. */
size_t box_file_count(struct store_box *box, const char *part);
uint64_t box_used_bytes(struct store_box *box);
/* Of all shards. */
uint64_t box_block_count(struct store_box *box);
uint64_t box_block_samples(struct store_box *box);
/* Where a tenant is that has written. */
uint32_t box_shard_of(struct store_box *box, const char *tenant);

/* The labels that a text stands for, in its order. */
struct labels box_labels(struct arena *arena, const char *series);
/* "a" is one tenant, "a|b" several, "*" all. */
struct scope box_scope(struct arena *arena, const char *tenants);

struct box_query {
    const char *tenants;
    const char *matchers;
    int64_t min_ts_ms; /* both 0: all time */
    int64_t max_ts_ms;
};

MUST_USE enum status box_select(struct store_box *box, const struct box_query *query,
                                struct str *out, struct error *err);
/* The whole answer for `tenants`, as text. */
#define expect_series(box, tenants, want) expect_series_(box, tenants, want, __FILE__, __LINE__)
void expect_series_(struct store_box *box, const char *tenants, const char *want, const char *file,
                    int line);

/* store_delete of what the query names; both times 0 for all time. */
MUST_USE enum status box_delete(struct store_box *box, const struct box_query *query,
                                struct error *err);
/* Proves all files (verify.h), also of an open store: the first thing that is wrong. */
MUST_USE enum status box_verify(struct store_box *box, struct error *err);

/* Names (`name` NULL) or values, separated by spaces. */
MUST_USE enum status box_label_list(struct store_box *box, const struct box_query *query,
                                    const char *name, struct str *out, struct error *err);

#endif
