#include "query/engine/eval.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "query/engine/turns.h"

enum { WATCH_INTERVAL_NS = 5 * 1000 * 1000 };

static void watch(struct eval *eval, uint64_t now_ns)
{
    if (eval->options->watch == NULL || now_ns < eval->next_watch_ns)
        return;
    eval->next_watch_ns = now_ns + WATCH_INTERVAL_NS;
    eval->options->watch(eval->options->watch_context);
}

enum status eval_check(struct eval *eval, struct error *err)
{
    const struct query_options *options = eval->options;
    uint64_t now_ns = clock_monotonic_ns(eval->engine->clock);
    bool is_helper = thread_self() != eval->thread;
    if (!is_helper)
        watch(eval, now_ns);
    if (options->cancel != NULL && flag_is_set(options->cancel))
        return error_set(err, STATUS_CANCELLED, "query was canceled in expression evaluation");
    if (options->deadline_ns != 0 && now_ns >= options->deadline_ns)
        return error_set(err, STATUS_TIMEOUT, "query timed out in expression evaluation");
    return options->turn == NULL || is_helper ? STATUS_OK : turn_yield(options->turn, now_ns, err);
}

/* Whether `count` more may be in memory, for a while or for good. */
static bool has_room_locked(struct eval *eval, uint64_t count) REQUIRES(eval->lock)
{
    uint64_t loaded = eval->samples_loaded + count;
    if (loaded > eval->result->samples_peak)
        eval->result->samples_peak = loaded;
    return loaded <= eval->engine->samples_max;
}

/* Begins as Prometheus says it. */
static enum status refuse_samples(const struct eval *eval, struct error *err)
{
    return error_set(err, STATUS_LIMIT,
                     "query processing would load too many samples into memory in query execution: "
                     "limit max_samples_per_query is %llu (err-croft-max-samples-per-query): ask "
                     "for fewer series or a shorter time, or have the limit raised",
                     (unsigned long long)eval->engine->samples_max);
}

enum status eval_charge_samples(struct eval *eval, uint64_t count, struct error *err)
{
    mutex_lock(&eval->lock);
    bool has_room = has_room_locked(eval, count);
    eval->samples_loaded += count;
    mutex_unlock(&eval->lock);
    return has_room ? STATUS_OK : refuse_samples(eval, err);
}

/* The longest series that was read: each thread keeps the columns that it read it into. */
static enum status charge_longest_locked(struct eval *eval, uint64_t count, struct error *err)
    REQUIRES(eval->lock)
{
    if (count <= eval->longest_count)
        return STATUS_OK;
    size_t thread_count = 1 + eval->engine->helper_count;
    size_t more = (size_t)(count - eval->longest_count) * sizeof(struct sample) * thread_count;
    eval->longest_count = count;
    return charge_take(eval->options->charge, more, err);
}

enum status eval_charge_passing(struct eval *eval, uint64_t count, struct error *err)
{
    mutex_lock(&eval->lock);
    enum status status = has_room_locked(eval, count) ? charge_longest_locked(eval, count, err)
                                                      : refuse_samples(eval, err);
    mutex_unlock(&eval->lock);
    return status;
}

void eval_release_samples(struct eval *eval, uint64_t count)
{
    mutex_lock(&eval->lock);
    eval->samples_loaded -= count;
    mutex_unlock(&eval->lock);
}

void eval_count_samples(struct eval *eval, uint64_t count)
{
    mutex_lock(&eval->lock);
    eval->result->samples_total += count;
    mutex_unlock(&eval->lock);
}

static enum status refuse_memory(const struct eval *eval, struct error *err)
{
    return error_set(
        err, STATUS_LIMIT,
        "query processing would need more than %zu bytes of memory in query execution: "
        "limit max_estimated_memory_consumption_per_query "
        "(err-croft-max-estimated-memory-consumption-per-query): ask for fewer series "
        "or a shorter time, or have the limit raised",
        eval->engine->memory_max_bytes);
}

/* What is left of the query's own budget. */
static size_t left_bytes_locked(const struct eval *eval) REQUIRES(eval->lock)
{
    return eval->arena->limit_bytes - eval->arena->used_bytes;
}

static void note_peak_locked(struct eval *eval) REQUIRES(eval->lock)
{
    size_t left_bytes = left_bytes_locked(eval);
    if (left_bytes < eval->least_left_bytes)
        eval->least_left_bytes = left_bytes;
}

enum status eval_alloc(struct eval *eval, size_t size_bytes, void **out, struct error *err)
{
    mutex_lock(&eval->lock);
    bool has_room = size_bytes <= left_bytes_locked(eval);
    *out = has_room ? arena_try_alloc(eval->arena, size_bytes) : NULL;
    note_peak_locked(eval);
    mutex_unlock(&eval->lock);
    if (!has_room)
        return refuse_memory(eval, err);
    return *out == NULL ? charge_refusal(eval->options->charge, err) : STATUS_OK;
}

enum status eval_alloc_array(struct eval *eval, size_t count, size_t element_bytes, void **out,
                             struct error *err)
{
    size_t size_bytes;
    if (__builtin_mul_overflow(count, element_bytes, &size_bytes))
        size_bytes = SIZE_MAX;
    return eval_alloc(eval, size_bytes, out, err);
}

/* Counts memory that lives elsewhere against the query's own budget. */
static enum status charge_own(struct eval *eval, size_t size_bytes, struct error *err)
{
    mutex_lock(&eval->lock);
    bool has_room = size_bytes <= left_bytes_locked(eval);
    if (has_room)
        eval->arena->limit_bytes -= size_bytes;
    note_peak_locked(eval);
    mutex_unlock(&eval->lock);
    return has_room ? STATUS_OK : refuse_memory(eval, err);
}

static void release_own(struct eval *eval, size_t size_bytes)
{
    mutex_lock(&eval->lock);
    eval->arena->limit_bytes += size_bytes;
    mutex_unlock(&eval->lock);
}

enum status eval_charge_array(struct eval *eval, size_t count, size_t element_bytes,
                              struct error *err)
{
    size_t size_bytes;
    if (__builtin_mul_overflow(count, element_bytes, &size_bytes))
        return refuse_memory(eval, err);
    TRY(charge_own(eval, size_bytes, err));
    enum status status = charge_take(eval->options->charge, size_bytes, err);
    if (status != STATUS_OK)
        release_own(eval, size_bytes);
    return status;
}

void eval_release_array(struct eval *eval, size_t count, size_t element_bytes)
{
    charge_give(eval->options->charge, count * element_bytes);
    release_own(eval, count * element_bytes);
}

enum status eval_alloc_result(struct eval *eval, size_t count, size_t element_bytes, void **out,
                              struct error *err)
{
    size_t size_bytes;
    if (__builtin_mul_overflow(count, element_bytes, &size_bytes))
        return refuse_memory(eval, err);
    TRY(charge_own(eval, size_bytes, err));
    *out = arena_try_alloc(eval->result_arena, size_bytes);
    return *out == NULL ? charge_refusal(eval->options->charge, err) : STATUS_OK;
}

static enum status check_selecting(void *eval, struct error *err)
{
    return eval_check(eval, err);
}

static void tell_damage(void *context, struct str text)
{
    struct eval *eval = context;
    mutex_lock(&eval->lock);
    note_set_add(&eval->warnings, text, note_no_place);
    mutex_unlock(&eval->lock);
}

static size_t memory_left(struct eval *eval)
{
    mutex_lock(&eval->lock);
    size_t left_bytes = left_bytes_locked(eval);
    mutex_unlock(&eval->lock);
    return left_bytes > 0 ? left_bytes : 1; /* 0 would be no limit */
}

enum status eval_select_open(struct eval *eval, const struct vector_selector *selector,
                             int64_t min_ts_ms, int64_t max_ts_ms, struct selection **out,
                             struct error *err)
{
    const struct select_options options = {
        .scope = eval->options->scope,
        .matchers = selector->matchers,
        .matcher_count = selector->matcher_count,
        .min_ts_ms = min_ts_ms,
        .max_ts_ms = max_ts_ms,
        .memory_max_bytes = memory_left(eval),
        .charge = eval->options->charge,
        .check = check_selecting,
        .check_context = eval,
        .damage = {tell_damage, eval},
    };
    struct selection *selection;
    TRY(select_open(eval->engine->store, &options, &selection, err));
    enum status status = charge_own(eval, select_memory_bytes(selection), err);
    if (status == STATUS_OK)
        *out = selection;
    else
        select_close(selection);
    return status;
}

void eval_select_close(struct eval *eval, struct selection *selection)
{
    if (selection == NULL)
        return;
    release_own(eval, select_memory_bytes(selection));
    select_close(selection);
}

int64_t eval_time_ms(const struct eval *eval, const struct time_modifier *time, int64_t ts_ms)
{
    switch (time->at) {
    case AT_NONE:
        return time_minus(ts_ms, time->offset_ms);
    case AT_TIMESTAMP:
        return time_minus(time->at_ms, time->offset_ms);
    case AT_START:
        return time_minus(eval->options->start_ms, time->offset_ms);
    case AT_END:
        break;
    }
    return time_minus(eval->options->end_ms, time->offset_ms);
}

/* A note that may belong to several places. */
struct shared_note {
    struct eval *eval;
    struct note_set *notes;
    struct str text;
    struct note_place place;
};

static void add_note_moved(void *context, ptrdiff_t distance)
{
    const struct shared_note *note = context;
    struct note_place place = note->place;
    place.owner.start += (uint32_t)distance;
    place.owner.end += (uint32_t)distance;
    place.offset += (size_t)distance;
    mutex_lock(&note->eval->lock);
    note_set_add(note->notes, note->text, place);
    mutex_unlock(&note->eval->lock);
}

static const struct expr *without_parens(const struct expr *expr)
{
    while (expr->kind == EXPR_PAREN)
        expr = expr->paren;
    return expr;
}

static void PRINTF_LIKE(5, 0)
    add_note_at(struct eval *eval, struct note_set *notes, const struct expr *owner,
                const struct expr *expr, const char *format, va_list args)
{
    char text[NOTE_LEN_MAX];
    size_t len = (size_t)snprintf(text, sizeof text,
                                  "PromQL %s: ", notes == &eval->warnings ? "warning" : "info");
    vsnprintf(text + len, sizeof text - len, format, args);
    struct shared_note note = {
        eval, notes, str_from(text), {owner->position, without_parens(expr)->position.start}};
    shared_set_each_place(&eval->shared, &owner->position, add_note_moved, &note);
}

void eval_warn_at(struct eval *eval, const struct expr *owner, const struct expr *expr,
                  const char *format, ...)
{
    va_list args;
    va_start(args, format);
    add_note_at(eval, &eval->warnings, owner, expr, format, args);
    va_end(args);
}

void eval_info_at(struct eval *eval, const struct expr *owner, const struct expr *expr,
                  const char *format, ...)
{
    va_list args;
    va_start(args, format);
    add_note_at(eval, &eval->infos, owner, expr, format, args);
    va_end(args);
}

/* "d.ddde+XX" with as few digits as read back to the same value. */
static int format_shortest(char *text, size_t size, double value)
{
    int digits = 0;
    do {
        snprintf(text, size, "%.*e", digits, value);
        digits++;
    } while (digits < 17 && strtod(text, NULL) != value);
    return digits;
}

void append_go_g(struct buffer *out, double value)
{
    if (isnan(value) || isinf(value)) {
        buffer_append_str(out, isnan(value) ? STR("NaN") : value > 0 ? STR("+Inf") : STR("-Inf"));
        return;
    }
    char text[32];
    int digits = format_shortest(text, sizeof text, value);
    double size = fabs(value);
    if (size != 0 && (size < 1e-4 || size >= 1e6)) {
        buffer_append_str(out, str_from(text));
        return;
    }
    const char *exponent = strchr(text, 'e');
    int power = (exponent[2] - '0') * 10 + exponent[3] - '0';
    int decimals = digits - 1 - (exponent[1] == '-' ? -power : power);
    buffer_append_format(out, "%.*f", decimals > 0 ? decimals : 0, value);
}
