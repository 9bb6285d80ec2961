/*
 * head_model: a head and a naive model of it, a list of samples per series, that random operations
 * change side by side.
 *
 * An operation whose answer differs from the model's fails the test. What can be asked of the head
 * afterwards is compared by test_head_model.c.
 */
#ifndef CROFT_TESTS_TSDB_HEAD_MODEL_H
#define CROFT_TESTS_TSDB_HEAD_MODEL_H

#include "base/random.h"
#include "tsdb/head/full_run.h"

/* Label sets are numbered: __name__ × a × b × c, where the first value of a, b and c is "no
   label"; c is "v1", "v2", ... */
enum {
    HEAD_MODEL_C_COUNT = 21,
    HEAD_MODEL_SET_COUNT = 4 * 5 * 4 * HEAD_MODEL_C_COUNT,
    HEAD_MODEL_LABELS_MAX = 4,
    HEAD_MODEL_TENANT_COUNT = 2,
};

struct model_sample {
    int64_t ts_ms;
    uint64_t bits;
    bool is_aside; /* of a flush that is under way */
};

struct model_series {
    bool exists;
    bool is_active;
    int64_t last_append_ms;
    struct series_ref ref;
    struct model_sample *samples; /* in the order they came */
    size_t count;
    size_t capacity;
};

struct head_model {
    struct random random;
    struct tenant_table *tenants;
    struct tenant *tenant[HEAD_MODEL_TENANT_COUNT];
    struct head *head;
    struct series_ref before; /* who was found before */
    struct model_series series[HEAD_MODEL_TENANT_COUNT][HEAD_MODEL_SET_COUNT];
    struct full_runs runs; /* copied since the last flush began or ended */
    struct chunk_times times;
    bool is_flushing;
    int64_t now_ms;
    struct arena arena; /* of one step */
};

struct head_model *head_model_new(uint64_t seed);
void head_model_free(struct head_model *m);

/* In the arena of the step. */
struct labels head_model_labels(struct head_model *m, size_t set);
/* Half of the time one of a few. */
size_t head_model_random_set(struct head_model *m);
/* Visits the series that exist. */
void head_model_each(struct head_model *m,
                     void (*visit)(struct head_model *m, struct model_series *series));

/* Samples for one series, which is added when it is new: rising, late, repeated, odd ones. */
void head_model_append(struct head_model *m);
/* Gives back some of the runs that were copied, sealed: nothing that can be seen changes. */
void head_model_adopt(struct head_model *m);
void head_model_sweep(struct head_model *m);
/* Begins a flush, or ends or aborts the one under way. */
void head_model_flush(struct head_model *m);

#endif
