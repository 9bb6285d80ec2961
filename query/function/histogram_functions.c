/*
 * Functions over classic histograms: one series per bucket, told apart by `le`.
 *
 * The series of a histogram are those that are equal but for `le`. One histogram is worked on at a
 * time: memory is one column per bucket of it, and the results.
 */
#include "query/function/instant_functions.h"

#include <math.h>

#include "base/number.h"
#include "query/engine/grouping.h"
#include "query/engine/label_edit.h"
#include "query/engine/quantile.h"
#include "query/engine/scalar.h"
#include "query/engine/text_arg.h"
#include "query/function/bucket.h"
#include "tsdb/model/quote.h"

enum { LABEL_TEXT_MAX = 1024, NUMBER_TEXT_MAX = 64 };

struct histograms {
    struct eval *eval;
    const struct expr *call;
    const struct expr *arg; /* the vector of buckets */
    struct query_operator *vector;
    double *uppers;        /* per series: its `le` */
    uint32_t *groups;      /* per series: its histogram; GROUP_NONE when `le` is no number */
    struct labels *labels; /* per histogram: with the name, without `le`; own text */
    size_t count;          /* of histograms */
    struct members members;
    double *columns;        /* of the buckets of the histogram at hand */
    struct bucket *buckets; /* of one step of it */
};

/* Counts that fell where they may only rise, over all steps and histograms. */
struct repairs {
    uint64_t count;
    int64_t min_ts_ms;
    int64_t max_ts_ms;
    struct bucket_repair worst;
};

/* ---- the histograms of a vector ---- */

static void warn_of_le(const struct histograms *histograms, struct str le)
{
    struct buffer text;
    buffer_init(&text, LABEL_TEXT_MAX);
    append_quoted(&text, le);
    eval_warn_at(histograms->eval, histograms->call, histograms->arg,
                 "bucket label \"le\" is missing or has a malformed value of %.*s",
                 STR_ARG(buffer_str(&text)));
    buffer_deinit(&text);
}

/* A series without a bound matters only when it has values. */
static enum status check_unbound(struct histograms *histograms, size_t series, double *column,
                                 struct error *err)
{
    struct query_operator *vector = histograms->vector;
    TRY(operator_column(vector, series, column, err));
    for (size_t step = 0; step < vector->grid.count; step++) {
        if (!value_is_absent(column[step])) {
            warn_of_le(histograms, labels_get(vector->labels[series], STR("le")));
            break;
        }
    }
    return STATUS_OK;
}

static enum status group_buckets(struct histograms *histograms, struct grouping *grouping,
                                 struct error *err)
{
    const struct query_operator *vector = histograms->vector;
    void *column;
    TRY(eval_alloc_array(histograms->eval, vector->grid.count, sizeof(double), &column, err));
    for (size_t series = 0; series < vector->series_count; series++) {
        struct str le = labels_get(vector->labels[series], STR("le"));
        histograms->groups[series] = GROUP_NONE;
        if (parse_f64_grouped(le, &histograms->uppers[series]))
            TRY(grouping_add(grouping, vector->labels[series], &histograms->groups[series], err));
        else
            TRY(check_unbound(histograms, series, column, err));
    }
    return STATUS_OK;
}

static enum status make_room(struct histograms *histograms, struct error *err)
{
    size_t largest = members_largest(&histograms->members, histograms->count);
    void *memory;
    TRY(eval_alloc_array(histograms->eval, largest, histograms->vector->grid.count * sizeof(double),
                         &memory, err));
    histograms->columns = memory;
    TRY(eval_alloc_array(histograms->eval, largest, sizeof(struct bucket), &memory, err));
    histograms->buckets = memory;
    return STATUS_OK;
}

static enum status find_histograms(struct histograms *histograms, struct error *err)
{
    static const struct str le = {"le", 2};
    struct eval *eval = histograms->eval;
    size_t series_count = histograms->vector->series_count;
    struct grouping grouping;
    void *memory;
    TRY(grouping_init(&grouping, eval, (struct label_filter){true, &le, 1}, series_count, err));
    TRY(eval_alloc_array(eval, series_count, sizeof(uint32_t), &memory, err));
    histograms->groups = memory;
    TRY(eval_alloc_array(eval, series_count, sizeof(double), &memory, err));
    histograms->uppers = memory;
    TRY(group_buckets(histograms, &grouping, err));
    histograms->count = grouping.count;
    histograms->labels = grouping.labels;
    for (size_t group = 0; group < grouping.count; group++)
        TRY(labels_copy(eval, grouping.labels[group], &histograms->labels[group], err));
    TRY(members_of(eval, histograms->groups, series_count, grouping.count, &histograms->members,
                   err));
    return make_room(histograms, err);
}

/* Reads all buckets of one histogram. */
static enum status read_histogram(struct histograms *histograms, size_t group, struct error *err)
{
    size_t step_count = histograms->vector->grid.count;
    uint32_t first = histograms->members.first[group];
    for (size_t i = 0; i < members_count(&histograms->members, group); i++) {
        TRY(eval_check(histograms->eval, err));
        TRY(operator_column(histograms->vector, histograms->members.series[first + i],
                            histograms->columns + i * step_count, err));
    }
    return STATUS_OK;
}

/* The buckets that the histogram at hand has at a step; how many. */
static size_t collect_buckets(struct histograms *histograms, size_t group, size_t step)
{
    size_t step_count = histograms->vector->grid.count;
    uint32_t first = histograms->members.first[group];
    size_t count = 0;
    for (size_t i = 0; i < members_count(&histograms->members, group); i++) {
        double value = histograms->columns[i * step_count + step];
        double upper = histograms->uppers[histograms->members.series[first + i]];
        if (!value_is_absent(value))
            histograms->buckets[count++] = (struct bucket){upper, value};
    }
    return count;
}

typedef enum status (*histograms_use)(struct histograms *histograms, void *context,
                                      struct error *err);

static enum status find_and_use(struct histograms *histograms, histograms_use use, void *context,
                                struct error *err)
{
    TRY(find_histograms(histograms, err));
    return use(histograms, context, err);
}

/* `arg` counts the arguments of `call`. */
static enum status with_histograms(struct eval *eval, const struct grid *grid,
                                   const struct expr *call, size_t arg, histograms_use use,
                                   void *context, struct error *err)
{
    struct histograms histograms = {.eval = eval, .call = call, .arg = call->call.args[arg]};
    uint64_t loaded = eval->samples_loaded;
    TRY(operator_open(eval, grid, histograms.arg, &histograms.vector, err));
    enum status status = find_and_use(&histograms, use, context, err);
    operator_close(histograms.vector);
    eval_release_samples(eval, eval->samples_loaded - loaded);
    return status;
}

static enum status open_nameless(struct eval *eval, const struct grid *grid,
                                 const struct labels *labels, size_t count, const double *values,
                                 struct query_operator **out, struct error *err)
{
    TRY(operator_of_vector(eval, grid, labels, count, values, out, err));
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
    buffer_init(&text, LABEL_TEXT_MAX);
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
        size_t count = collect_buckets(histograms, group, step);
        if (count == 0)
            continue;
        values[step] = bucket_quantile(set->phis[step], histograms->buckets, count, &repair);
        add_repair(repairs, repair, grid_ts_ms(grid, step));
    }
}

static enum status use_quantiles(struct histograms *histograms, void *context, struct error *err)
{
    struct quantile_sets *sets = context;
    size_t step_count = histograms->vector->grid.count;
    for (size_t i = 0; i < sets->count; i++) {
        void *memory;
        TRY(eval_alloc_array(histograms->eval, histograms->count, step_count * sizeof(double),
                             &memory, err));
        sets->sets[i].values = memory;
    }
    for (size_t group = 0; group < histograms->count; group++) {
        TRY(read_histogram(histograms, group, err));
        for (size_t i = 0; i < sets->count; i++)
            fill_quantiles(histograms, group, &sets->sets[i], &sets->repairs);
    }
    sets->labels = histograms->labels;
    sets->histogram_count = histograms->count;
    report_repairs(histograms, &sets->repairs);
    return STATUS_OK;
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
    TRY(with_histograms(eval, grid, call, 1, use_quantiles, &sets, err));
    return open_nameless(eval, grid, sets.labels, sets.histogram_count, set.values, out, err);
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
    TRY(with_histograms(eval, grid, call, 0, use_quantiles, &sets, err));
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
    return open_nameless(eval, grid, labels, sets.count * per_set, values, out, err);
}

/* ---- histogram_fraction ---- */

struct fractions {
    const double *lower; /* per step */
    const double *upper;
    double *values; /* histogram by histogram */
    struct labels *labels;
    size_t count;
};

static enum status use_fractions(struct histograms *histograms, void *context, struct error *err)
{
    struct fractions *fractions = context;
    size_t step_count = histograms->vector->grid.count;
    void *memory;
    TRY(eval_alloc_array(histograms->eval, histograms->count, step_count * sizeof(double), &memory,
                         err));
    fractions->values = memory;
    for (size_t group = 0; group < histograms->count; group++) {
        double *values = fractions->values + group * step_count;
        TRY(read_histogram(histograms, group, err));
        for (size_t step = 0; step < step_count; step++) {
            size_t count = collect_buckets(histograms, group, step);
            values[step] = count == 0
                               ? value_absent()
                               : bucket_fraction(fractions->lower[step], fractions->upper[step],
                                                 histograms->buckets, count);
        }
    }
    fractions->labels = histograms->labels;
    fractions->count = histograms->count;
    return STATUS_OK;
}

enum status open_histogram_fraction(struct eval *eval, const struct grid *grid,
                                    const struct expr *call, struct query_operator **out,
                                    struct error *err)
{
    double *lower;
    double *upper;
    TRY(scalar_read(eval, grid, call->call.args[0], &lower, err));
    TRY(scalar_read(eval, grid, call->call.args[1], &upper, err));
    struct fractions fractions = {.lower = lower, .upper = upper};
    TRY(with_histograms(eval, grid, call, 2, use_fractions, &fractions, err));
    return open_nameless(eval, grid, fractions.labels, fractions.count, fractions.values, out, err);
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
    return operator_of_vector(eval, grid, NULL, 0, NULL, out, err);
}
