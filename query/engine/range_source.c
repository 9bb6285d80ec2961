#include "query/engine/range_source.h"

int64_t range_source_end_ms(const struct range_source *source, int64_t ts_ms)
{
    return eval_time_ms(source->eval, source->time, ts_ms);
}

static enum status list_labels(struct range_source *source, struct error *err)
{
    void *memory = NULL;
    source->series_count = select_count(source->selection);
    TRY(eval_alloc_array(source->eval, source->series_count, sizeof(struct labels), &memory, err));
    struct labels *labels = memory;
    for (size_t i = 0; i < source->series_count; i++)
        labels[i] = select_labels(source->selection, i);
    source->labels = labels;
    return STATUS_OK;
}

static enum status open_selector(struct range_source *source, struct error *err)
{
    const struct vector_selector *selector = &source->expr->matrix.selector->selector;
    TRY(eval_select_open(source->eval, selector, source->min_ts_ms, source->max_ts_ms,
                         &source->selection, err));
    return list_labels(source, err);
}

/* The multiples of `step_ms` in [min_ts_ms, max_ts_ms]: subqueries of different steps and of
   different queries see the same points. */
static struct grid aligned_grid(int64_t min_ts_ms, int64_t max_ts_ms, int64_t step_ms)
{
    struct grid grid = {.step_ms = step_ms};
    int64_t behind = min_ts_ms % step_ms;
    if (behind < 0)
        behind += step_ms;
    int64_t to_next = behind == 0 ? 0 : step_ms - behind;
    if (max_ts_ms < min_ts_ms || to_next > max_ts_ms - min_ts_ms)
        return grid;
    grid.start_ms = min_ts_ms + to_next;
    grid.count = (size_t)((max_ts_ms - grid.start_ms) / step_ms) + 1;
    return grid;
}

static enum status open_subquery(struct range_source *source, struct error *err)
{
    struct eval *eval = source->eval;
    const struct expr *expr = source->expr;
    int64_t step_ms = expr->subquery.step_ms;
    if (step_ms == 0)
        step_ms = eval->engine->default_step_ms;
    struct grid grid = aligned_grid(source->min_ts_ms, source->max_ts_ms, step_ms);
    if (grid.count == 0)
        return STATUS_OK;
    /* of a scratch, where a column of it is made and its samples are listed; each thread has one */
    size_t point_bytes = (1 + eval->engine->helper_count) * 3 * sizeof(double);
    TRY(eval_charge_array(eval, grid.count, point_bytes, err));
    TRY(operator_open(eval, &grid, expr->subquery.inner, &source->inner, err));
    source->labels = source->inner->labels;
    source->series_count = source->inner->series_count;
    return STATUS_OK;
}

/* Times near the ends of int64 hold no samples; kept away from them, differences cannot
   overflow. */
static int64_t clamp_time(int64_t ts_ms)
{
    const int64_t limit_ms = INT64_MAX / 4;
    return ts_ms < -limit_ms ? -limit_ms : ts_ms > limit_ms ? limit_ms : ts_ms;
}

enum status range_source_open(struct range_source *source, struct eval *eval,
                              const struct grid *grid, const struct expr *expr, struct error *err)
{
    bool is_subquery = expr->kind == EXPR_SUBQUERY;
    *source = (struct range_source){
        .eval = eval,
        .expr = expr,
        .time = is_subquery ? &expr->subquery.time : &expr->matrix.selector->selector.time,
        .range_ms = is_subquery ? expr->subquery.range_ms : expr->matrix.range_ms,
    };
    int64_t first_end_ms = range_source_end_ms(source, grid->start_ms);
    int64_t last_end_ms = range_source_end_ms(source, grid_ts_ms(grid, grid->count - 1));
    source->min_ts_ms = clamp_time(time_minus(first_end_ms, source->range_ms)) + 1;
    source->max_ts_ms = clamp_time(last_end_ms);
    enum status status = is_subquery ? open_subquery(source, err) : open_selector(source, err);
    if (status != STATUS_OK)
        range_source_close(source);
    return status;
}

void range_source_close(struct range_source *source)
{
    eval_select_close(source->eval, source->selection);
    operator_close(source->inner);
    source->selection = NULL;
    source->inner = NULL;
}

/* Where the first one is; most series have none. */
static size_t find_stale_marker(const struct columns *columns)
{
    size_t at = 0;
    while (at < columns->count && !sample_is_stale(columns->values[at]))
        at++;
    return at;
}

static void drop_stale_markers(struct columns *columns)
{
    size_t kept = find_stale_marker(columns);
    for (size_t i = kept; i < columns->count; i++) {
        if (sample_is_stale(columns->values[i]))
            continue;
        columns->ts_ms[kept] = columns->ts_ms[i];
        columns->values[kept] = columns->values[i];
        kept++;
    }
    columns->count = kept;
}

static enum status read_inner(struct range_source *source, size_t series, struct columns *out,
                              struct error *err)
{
    struct query_operator *inner = source->inner;
    struct scratch *scratch = scratch_take(&source->eval->scratches);
    double *column = scratch_room(scratch, inner->grid.count, sizeof *column);
    enum status status = operator_column(inner, series, column, err);
    columns_reset(out);
    columns_reserve(out, inner->grid.count);
    for (size_t i = 0; i < inner->grid.count && status == STATUS_OK; i++) {
        if (!value_is_absent(column[i]))
            columns_append(out, grid_ts_ms(&inner->grid, i), column[i]);
    }
    scratch_give(&source->eval->scratches, scratch);
    return status;
}

enum status range_source_read(struct range_source *source, size_t series, struct columns *out,
                              struct error *err)
{
    if (source->inner != NULL) {
        TRY(read_inner(source, series, out, err));
    } else {
        TRY(select_read(source->selection, series, source->min_ts_ms, source->max_ts_ms, out, err));
        drop_stale_markers(out);
    }
    return eval_charge_passing(source->eval, out->count, err);
}
