/*
 * Functions over classic histograms. Of each histogram only the results stay in memory.
 */
#include "query/function/instant_functions.h"

#include <math.h>

#include "base/number.h"
#include "query/engine/label_edit.h"
#include "query/engine/quantile.h"
#include "query/engine/scalar.h"
#include "query/engine/text_arg.h"
#include "query/function/histograms.h"

enum { REPAIR_TEXT_MAX = 1024, NUMBER_TEXT_MAX = 64 };

/* Counts that fell where they may only rise, over all steps and histograms. */
struct repairs {
    uint64_t count;
    int64_t min_ts_ms;
    int64_t max_ts_ms;
    struct bucket_repair worst;
};

static enum status open_nameless(struct eval *eval, const struct grid *grid, struct vector vector,
                                 struct query_operator **out, struct error *err)
{
    TRY(operator_of_vector(eval, grid, vector, out, err));
    return operator_drop_names(out, MERGE_STEPS, err);
}

/* ---- histogram_quantile, histogram_quantiles ---- */

/* One quantile of every histogram. */
struct quantile_set {
    const double *phis; /* per step */
    double *values;     /* histogram by histogram */
};

struct quantile_sets {
    struct quantile_set *sets;
    size_t count;
    struct repairs repairs;
    struct labels *labels; /* of the histograms */
    size_t histogram_count;
};

static void add_repair(struct repairs *repairs, struct bucket_repair repair, int64_t ts_ms)
{
    if (!repair.is_forced)
        return;
    if (repairs->count++ == 0) {
        repairs->worst = repair;
        repairs->min_ts_ms = ts_ms;
        repairs->max_ts_ms = ts_ms;
        return;
    }
    repairs->worst.min_upper = fmin(repairs->worst.min_upper, repair.min_upper);
    repairs->worst.max_upper = fmax(repairs->worst.max_upper, repair.max_upper);
    repairs->worst.max_drop = fmax(repairs->worst.max_drop, repair.max_drop);
    repairs->min_ts_ms = ts_ms < repairs->min_ts_ms ? ts_ms : repairs->min_ts_ms;
    repairs->max_ts_ms = ts_ms > repairs->max_ts_ms ? ts_ms : repairs->max_ts_ms;
}

/* 2026-11-20T09:31:00Z */
static void append_date(struct buffer *out, int64_t ts_ms)
{
    double seconds = (double)(ts_ms / 1000);
    int second = (int)fmod(fmod(seconds, 60) + 60, 60);
    buffer_append_format(out, "%04.0f-%02.0f-%02.0fT%02.0f:%02.0f:%02dZ",
                         map_year(seconds, NULL, 0), map_month(seconds, NULL, 0),
                         map_day_of_month(seconds, NULL, 0), map_hour(seconds, NULL, 0),
                         map_minute(seconds, NULL, 0), second);
}

static void report_repairs(const struct histograms *histograms, const struct repairs *repairs)
{
    if (repairs->count == 0)
        return;
    struct buffer text;
    buffer_init(&text, REPAIR_TEXT_MAX);
    buffer_append_str(&text, STR("from buckets "));
    append_go_g(&text, repairs->worst.min_upper);
    buffer_append_str(&text, STR(" to "));
    append_go_g(&text, repairs->worst.max_upper);
    buffer_append_format(&text, ", with a max diff of %.2g, over %llu samples from ",
                         repairs->worst.max_drop, (unsigned long long)repairs->count);
    append_date(&text, repairs->min_ts_ms);
    buffer_append_str(&text, STR(" to "));
    append_date(&text, repairs->max_ts_ms);
    eval_info_at(histograms->eval, histograms->call, histograms->arg,
                 "input to histogram_quantile needed to be fixed for monotonicity (see "
                 "https://prometheus.io/docs/prometheus/latest/querying/functions/"
                 "#histogram_quantile), %.*s",
                 STR_ARG(buffer_str(&text)));
    buffer_deinit(&text);
}

static void fill_quantiles(struct histograms *histograms, size_t group,
                           const struct quantile_set *set, struct repairs *repairs)
{
    const struct grid *grid = &histograms->vector->grid;
    double *values = set->values + group * grid->count;
    for (size_t step = 0; step < grid->count; step++) {
        struct bucket_repair repair;
        values[step] = value_absent();
        size_t count = histograms_collect(histograms, group, step);
        if (count == 0)
            continue;
        values[step] = bucket_quantile(set->phis[step], histograms->buckets, count, &repair);
        add_repair(repairs, repair, grid_ts_ms(grid, step));
    }
}

static enum status fill_sets(struct histograms *histograms, struct quantile_sets *sets,
                             struct error *err)
{
    size_t step_count = histograms->vector->grid.count;
    for (size_t i = 0; i < sets->count; i++) {
        void *memory;
        TRY(eval_alloc_array(histograms->eval, histograms->count, step_count * sizeof(double),
                             &memory, err));
        sets->sets[i].values = memory;
    }
    for (size_t group = 0; group < histograms->count; group++) {
        TRY(histograms_read(histograms, group, err));
        for (size_t i = 0; i < sets->count; i++)
            fill_quantiles(histograms, group, &sets->sets[i], &sets->repairs);
    }
    sets->labels = histograms->labels;
    sets->histogram_count = histograms->count;
    report_repairs(histograms, &sets->repairs);
    return STATUS_OK;
}

/* The quantiles of the histograms that are the argument `arg`. */
static enum status read_quantiles(struct eval *eval, const struct grid *grid,
                                  const struct expr *call, size_t arg, struct quantile_sets *sets,
                                  struct error *err)
{
    struct histograms histograms;
    TRY(histograms_open(&histograms, eval, grid, call, arg, err));
    enum status status = fill_sets(&histograms, sets, err);
    histograms_close(&histograms);
    return status;
}

static enum status read_phis(struct eval *eval, const struct grid *grid, const struct expr *call,
                             size_t arg, double **phis, struct error *err)
{
    const struct expr *expr = call->call.args[arg];
    TRY(scalar_read(eval, grid, expr, phis, err));
    for (size_t step = 0; step < grid->count; step++)
        quantile_check(eval, call, expr, (*phis)[step]);
    return STATUS_OK;
}

enum status open_histogram_quantile(struct eval *eval, const struct grid *grid,
                                    const struct expr *call, struct query_operator **out,
                                    struct error *err)
{
    double *phis;
    TRY(read_phis(eval, grid, call, 0, &phis, err));
    struct quantile_set set = {.phis = phis};
    struct quantile_sets sets = {.sets = &set, .count = 1};
    TRY(read_quantiles(eval, grid, call, 1, &sets, err));
    struct vector vector = {sets.labels, sets.histogram_count, set.values};
    return open_nameless(eval, grid, vector, out, err);
}

/* Go's FormatFloat 'g', with a fraction in any case: "0.5", "1.0", "+Inf". */
static void append_label_number(struct buffer *out, double value)
{
    size_t start = out->len;
    append_f64(out, value);
    struct str text = str_slice(buffer_str(out), start, out->len - start);
    if (isfinite(value) && str_find(text, '.', 0) == text.len && str_find(text, 'e', 0) == text.len)
        buffer_append_str(out, STR(".0"));
}

/* The labels of all histograms with the quantile as one more. */
static enum status label_quantile(struct eval *eval, const struct quantile_sets *sets,
                                  struct str name, double phi, struct labels *labels,
                                  struct error *err)
{
    struct label label = {.name = name};
    struct buffer text;
    buffer_init(&text, NUMBER_TEXT_MAX);
    append_label_number(&text, phi);
    enum status status = text_copy(eval, buffer_str(&text), &label.value, err);
    buffer_deinit(&text);
    TRY(status);
    for (size_t i = 0; i < sets->histogram_count; i++)
        TRY(labels_with(eval, sets->labels[i], label, &labels[i], err));
    return STATUS_OK;
}

/* The sets of histogram_quantiles: one per argument, whose value must be the same at all steps,
   since it is a label. */
static enum status make_sets(struct eval *eval, const struct grid *grid, const struct expr *call,
                             struct quantile_sets *sets, struct error *err)
{
    void *memory;
    TRY(eval_alloc_array(eval, call->call.arg_count, sizeof(struct quantile_set), &memory, err));
    sets->sets = memory;
    for (size_t arg = 2; arg < call->call.arg_count; arg++) {
        double *phis;
        TRY(read_phis(eval, grid, call, arg, &phis, err));
        for (size_t step = 1; step < grid->count; step++) {
            if (f64_bits(phis[step]) != f64_bits(phis[0]))
                return error_set(err, STATUS_LIMIT,
                                 "histogram_quantiles: a quantile must be the same at all steps");
        }
        sets->sets[sets->count++] = (struct quantile_set){.phis = phis};
    }
    return STATUS_OK;
}

enum status open_histogram_quantiles(struct eval *eval, const struct grid *grid,
                                     const struct expr *call, struct query_operator **out,
                                     struct error *err)
{
    struct quantile_sets sets = {0};
    TRY(make_sets(eval, grid, call, &sets, err));
    TRY(read_quantiles(eval, grid, call, 0, &sets, err));
    size_t per_set = sets.histogram_count;
    void *memory;
    TRY(eval_alloc_array(eval, sets.count * per_set, sizeof(struct labels), &memory, err));
    struct labels *labels = memory;
    TRY(eval_alloc_array(eval, sets.count * per_set, grid->count * sizeof(double), &memory, err));
    double *values = memory;
    for (size_t i = 0; i < sets.count; i++) {
        TRY(label_quantile(eval, &sets, text_arg(call, 1), sets.sets[i].phis[0],
                           labels + i * per_set, err));
        if (per_set > 0)
            memcpy(values + i * per_set * grid->count, sets.sets[i].values,
                   per_set * grid->count * sizeof *values);
    }
    struct vector vector = {labels, sets.count * per_set, values};
    TRY(open_nameless(eval, grid, vector, out, err));
    /* a quantile given twice, or a label that told histograms apart and is overwritten */
    return operator_merge_equal(out, MERGE_STEPS, err);
}

/* ---- histogram_fraction ---- */

struct bounds {
    const double *lower; /* per step */
    const double *upper;
};

/* `vector` gets one series per histogram. */
static enum status fill_fractions(struct histograms *histograms, struct bounds bounds,
                                  struct vector *vector, struct error *err)
{
    size_t step_count = histograms->vector->grid.count;
    void *memory;
    TRY(eval_alloc_array(histograms->eval, histograms->count, step_count * sizeof(double), &memory,
                         err));
    double *values = memory;
    *vector = (struct vector){histograms->labels, histograms->count, values};
    for (size_t group = 0; group < histograms->count; group++) {
        TRY(histograms_read(histograms, group, err));
        for (size_t step = 0; step < step_count; step++) {
            size_t count = histograms_collect(histograms, group, step);
            *values++ = count == 0 ? value_absent()
                                   : bucket_fraction(bounds.lower[step], bounds.upper[step],
                                                     histograms->buckets, count);
        }
    }
    return STATUS_OK;
}

enum status open_histogram_fraction(struct eval *eval, const struct grid *grid,
                                    const struct expr *call, struct query_operator **out,
                                    struct error *err)
{
    double *lower;
    double *upper;
    struct histograms histograms;
    struct vector vector;
    TRY(scalar_read(eval, grid, call->call.args[0], &lower, err));
    TRY(scalar_read(eval, grid, call->call.args[1], &upper, err));
    TRY(histograms_open(&histograms, eval, grid, call, 2, err));
    enum status status = fill_fractions(&histograms, (struct bounds){lower, upper}, &vector, err);
    histograms_close(&histograms);
    TRY(status);
    return open_nameless(eval, grid, vector, out, err);
}

/* ---- histogram_avg, _count, _sum, _stddev, _stdvar ---- */

/* What is about native histograms or start timestamps passes over floats without them, which is all
   that is stored so far. */
enum status open_nothing(struct eval *eval, const struct grid *grid, const struct expr *call,
                         struct query_operator **out, struct error *err)
{
    struct query_operator *vector;
    TRY(operator_open(eval, grid, call->call.args[0], &vector, err));
    operator_close(vector);
    return operator_of_vector(eval, grid, (struct vector){0}, out, err);
}
