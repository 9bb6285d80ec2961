#include "query/function/histograms.h"

#include "base/number.h"
#include "query/engine/label_edit.h"
#include "tsdb/model/quote.h"

enum { LABEL_TEXT_MAX = 1024 };

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

enum status histograms_open(struct histograms *histograms, struct eval *eval,
                            const struct grid *grid, const struct expr *call, size_t arg,
                            struct error *err)
{
    *histograms = (struct histograms){.eval = eval,
                                      .call = call,
                                      .arg = call->call.args[arg],
                                      .loaded_before = eval->samples_loaded};
    TRY(operator_open(eval, grid, histograms->arg, &histograms->vector, err));
    enum status status = find_histograms(histograms, err);
    if (status != STATUS_OK)
        histograms_close(histograms);
    return status;
}

void histograms_close(struct histograms *histograms)
{
    struct eval *eval = histograms->eval;
    operator_close(histograms->vector);
    eval_release_samples(eval, eval->samples_loaded - histograms->loaded_before);
}

enum status histograms_read(struct histograms *histograms, size_t index, struct error *err)
{
    size_t step_count = histograms->vector->grid.count;
    uint32_t first = histograms->members.first[index];
    for (size_t i = 0; i < members_count(&histograms->members, index); i++) {
        TRY(eval_check(histograms->eval, err));
        TRY(operator_column(histograms->vector, histograms->members.series[first + i],
                            histograms->columns + i * step_count, err));
    }
    return STATUS_OK;
}

size_t histograms_collect(struct histograms *histograms, size_t index, size_t step)
{
    size_t step_count = histograms->vector->grid.count;
    uint32_t first = histograms->members.first[index];
    size_t count = 0;
    for (size_t i = 0; i < members_count(&histograms->members, index); i++) {
        double value = histograms->columns[i * step_count + step];
        double upper = histograms->uppers[histograms->members.series[first + i]];
        if (!value_is_absent(value))
            histograms->buckets[count++] = (struct bucket){upper, value};
    }
    return count;
}
