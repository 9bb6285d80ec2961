#include "inspect/script/script_check.h"

#include <inttypes.h>
#include <math.h>

#include "base/codec.h"

enum { SIDE_STEP_MS = 60 * 1000, SHOWN_MAX = 20 };

/* The smallest number that is not subnormal. */
static const double NORMAL_MIN = 0x1p-1022;

/* One comparison. */
struct check {
    const struct script_eval *eval;
    const struct query_result *result;
    struct script_report *report;
    double tolerance;
    /* of the values of an expected series */
    int64_t start_ms;
    int64_t step_ms;
};

/* ---- values ---- */

static bool is_stale(double value)
{
    return f64_bits(value) == STALE_NAN_BITS;
}

static bool is_close(const struct check *check, double a, double b)
{
    if (is_stale(a) || is_stale(b))
        return is_stale(a) && is_stale(b);
    if (isnan(a) || isnan(b))
        return isnan(a) && isnan(b);
    if (a == b || isinf(a) || isinf(b))
        return a == b;
    double sum = fmin(fabs(a) + fabs(b), 0x1.fffffffffffffp1023);
    if (a == 0 || b == 0 || sum < NORMAL_MIN)
        return fabs(a - b) < check->tolerance * NORMAL_MIN;
    return fabs(a - b) / sum < check->tolerance;
}

/* False, and reported, at the first value that differs. */
static bool compare_points(const struct check *check, const struct script_series *want,
                           const struct result_series *got)
{
    size_t next = 0;
    struct script_labels_text labels = script_labels_text(got->labels);
    for (size_t i = 0; i < want->count; i++) {
        int64_t ts_ms = check->start_ms + (int64_t)i * check->step_ms;
        bool has_point = next < got->point_count && got->points[next].ts_ms == ts_ms;
        if (want->is_absent[i] && !has_point)
            continue;
        if (want->is_absent[i])
            script_fail(check->report, "%s at %" PRId64 " ms: got %.17g, want nothing", labels.text,
                        ts_ms, got->points[next].value);
        else if (!has_point)
            script_fail(check->report, "%s at %" PRId64 " ms: got nothing, want %.17g", labels.text,
                        ts_ms, want->values[i]);
        else if (!is_close(check, got->points[next].value, want->values[i]))
            script_fail(check->report, "%s at %" PRId64 " ms: got %.17g, want %.17g", labels.text,
                        ts_ms, got->points[next].value, want->values[i]);
        else {
            next++;
            continue;
        }
        return false;
    }
    if (next < got->point_count)
        script_fail(check->report, "%s at %" PRId64 " ms: got %.17g, want nothing", labels.text,
                    got->points[next].ts_ms, got->points[next].value);
    return next == got->point_count;
}

static const struct result_series *find_series(const struct query_result *result,
                                               struct labels labels)
{
    for (size_t i = 0; i < result->series_count; i++) {
        if (labels_eq(result->series[i].labels, labels))
            return &result->series[i];
    }
    return NULL;
}

static void show_series(const struct check *check)
{
    const struct query_result *result = check->result;
    for (size_t i = 0; i < result->series_count && i < SHOWN_MAX; i++)
        script_explain(
            check->report, "got %s %.17g%s", script_labels_text(result->series[i].labels).text,
            result->series[i].points[0].value, result->series[i].point_count > 1 ? " ..." : "");
}

static void compare_series(const struct check *check)
{
    size_t wanted = 0;
    for (size_t i = 0; i < check->eval->series_count; i++) {
        const struct script_series *want = &check->eval->series[i];
        const struct result_series *got = find_series(check->result, want->labels);
        if (got == NULL && !script_series_has_values(want))
            continue;
        wanted++;
        if (got == NULL)
            script_fail(check->report, "%s: got nothing, want it",
                        script_labels_text(want->labels).text);
        else if (compare_points(check, want, got) && check->eval->is_ordered &&
                 got != &check->result->series[i])
            script_fail(check->report, "%s: got at position %td, want %zu",
                        script_labels_text(want->labels).text, got - check->result->series + 1,
                        i + 1);
    }
    if (wanted == check->result->series_count)
        return;
    script_fail(check->report, "got %zu series, want %zu", check->result->series_count, wanted);
    show_series(check);
}

/* ---- results ---- */

static void compare_scalar(const struct check *check)
{
    double got = check->result->scalar.value;
    if (!check->eval->is_scalar)
        script_fail(check->report, "got scalar %.17g, want none", got);
    else if (!is_close(check, got, check->eval->scalar))
        script_fail(check->report, "got scalar %.17g, want %.17g", got, check->eval->scalar);
}

static void compare_result(const struct check *check)
{
    const struct query_result *result = check->result;
    script_notes_compare(&check->eval->notes, result, check->report);
    if (result->type == VALUE_SCALAR)
        compare_scalar(check);
    else if (result->type != VALUE_STRING)
        compare_series(check);
    else if (!check->eval->is_string || !str_eq(result->string, check->eval->string))
        script_fail(check->report, "got string \"%.*s\"", STR_ARG(result->string));
}

/* Of each series the point at `ts_ms`; the others go. */
static void keep_step(struct query_result *result, int64_t ts_ms)
{
    size_t kept = 0;
    for (size_t i = 0; i < result->series_count; i++) {
        struct result_series series = result->series[i];
        for (size_t k = 0; k < series.point_count; k++) {
            if (series.points[k].ts_ms != ts_ms)
                continue;
            series.points += k;
            series.point_count = 1;
            result->series[kept++] = series;
            break;
        }
    }
    result->series_count = kept;
}

static void compare_middle(const struct check *check, const struct engine *engine,
                           struct arena *arena)
{
    struct script_eval side = *check->eval;
    struct query_result result;
    struct error err;
    size_t failures = check->report->failure_count;
    side.options.is_range = true;
    side.options.start_ms -= SIDE_STEP_MS;
    side.options.end_ms += SIDE_STEP_MS;
    side.options.step_ms = SIDE_STEP_MS;
    side.is_ordered = false;
    enum status status = engine_query(engine, &side.options, arena, &result, &err);
    if (status != STATUS_OK) {
        script_fail(check->report, "as a range query: %s", err.text);
        return;
    }
    keep_step(&result, check->eval->options.start_ms);
    struct check middle = *check;
    middle.eval = &side;
    middle.result = &result;
    if (check->result->type != VALUE_SCALAR)
        compare_series(&middle);
    else if (result.series_count != 1 ||
             !is_close(check, result.series[0].points[0].value, side.scalar))
        script_fail(check->report, "the scalar differs");
    if (check->report->failure_count > failures)
        script_explain(check->report, "(as a step of a range query)");
}

/* Whether the answer is another one when the query has more steps. */
static bool depends_on_range(struct str text)
{
    struct str words[] = {STR("start()"), STR("end()"), STR("range()"), STR("step()")};
    for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
        for (size_t at = 0; at + words[i].len <= text.len; at++) {
            if (str_eq(str_slice(text, at, words[i].len), words[i]))
                return true;
        }
    }
    return false;
}

static void compare_failure(const struct script_note *want, enum status status,
                            const struct error *err, struct script_report *report)
{
    if (status == STATUS_OK)
        script_fail(report, "got an answer, want a failure");
    else if (!script_note_matches(want, str_from(err->text)))
        script_fail(report, "got failure \"%s\", want \"%.*s\"", err->text, STR_ARG(want->text));
}

void script_check(struct script_eval *eval, const struct engine *engine, double tolerance,
                  struct arena *arena, struct script_report *report)
{
    struct query_result result;
    struct error err;
    const struct query_options *options = &eval->options;
    const struct script_note *failure = script_notes_failure(&eval->notes);
    report->query_count++;
    enum status status = engine_query(engine, options, arena, &result, &err);
    if (failure != NULL) {
        compare_failure(failure, status, &err, report);
        return;
    }
    if (status != STATUS_OK) {
        script_fail(report, "%.*s: %s", STR_ARG(options->text), err.text);
        return;
    }
    struct check check = {eval, &result, report, tolerance, options->start_ms, 1};
    if (eval->is_matrix) {
        check.start_ms = eval->matrix_start_ms;
        check.step_ms = eval->matrix_step_ms;
    } else if (options->is_range) {
        check.step_ms = options->step_ms;
    }
    size_t failures = report->failure_count;
    compare_result(&check);
    bool has_steps = result.type == VALUE_VECTOR || result.type == VALUE_SCALAR;
    if (failures == report->failure_count && has_steps && !depends_on_range(options->text))
        compare_middle(&check, engine, arena);
}
