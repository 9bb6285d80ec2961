#include "query/engine/sweep.h"

#include "base/check.h"
#include "base/mem.h"
#include "base/pool.h"
#include "query/engine/turns.h"

enum {
    HELPERS_MAX = 16,
    BATCHES_PER_THREAD = 4,
    BATCH_COLUMNS_MAX = 16,
    BATCH_VALUES = 4096, /* so that taking the lock costs nothing beside filling them */
};

/* Waking a thread costs some 50 us: what is done sooner is done alone. */
static const uint64_t ALONE_NS = 300 * 1000;

enum batch_state { BATCH_FREE, BATCH_TAKEN, BATCH_MADE };

struct batch {
    enum batch_state state; /* guarded by the crew's lock */
    double *values;         /* of batch_columns columns; owned by whoever has taken the batch */
    size_t made_count;      /* columns before the first that failed */
    enum status status;
    struct error err;
};

struct crew;

struct helper {
    struct pool_job job;
    struct crew *crew;
};

/*
 * The threads of one sweep. Batch number n is in the ring at n % ring_count.
 *
 * Invariant:  used_count <= next_batch <= used_count + ring_count.
 * Ownership:  a helper that starts when the sweep is over finds it by `is_over` and touches nothing
 *             else: the crew is freed by the last who leaves, the sweep's thread included.
 */
struct crew {
    struct mutex lock;
    struct cond has_news; /* a batch was made, room was made, a helper left */
    size_t next_batch;    /* guarded by lock; the next to be taken */
    size_t used_count;    /* guarded by lock; batches that have been used up */
    size_t working_count; /* guarded by lock; helpers at work */
    size_t member_count;  /* guarded by lock; helpers that have not left, and the sweep's thread */
    bool is_over;         /* guarded by lock; nothing more is to be taken */
    size_t ring_count;
    size_t batch_count;
    size_t batch_columns;
    size_t first; /* series; those before it were done alone */
    const struct sweep *sweep;
    struct helper helpers[HELPERS_MAX];
    struct batch ring[];
};

static size_t series_at(const struct sweep *sweep, size_t at)
{
    return sweep->order == NULL ? at : sweep->order[at];
}

/* ---- making ---- */

static void make(const struct crew *crew, size_t number, struct batch *batch)
{
    const struct sweep *sweep = crew->sweep;
    size_t steps = sweep->op->grid.count;
    if (batch->values == NULL)
        batch->values = mem_alloc(crew->batch_columns * steps * sizeof(double));
    size_t begin = crew->first + number * crew->batch_columns;
    batch->made_count = 0;
    batch->status = STATUS_OK;
    for (size_t at = begin; at < sweep->op->series_count && at < begin + crew->batch_columns;
         at++) {
        batch->status = eval_check(sweep->op->eval, &batch->err);
        if (batch->status == STATUS_OK)
            batch->status = operator_column(sweep->op, series_at(sweep, at),
                                            batch->values + batch->made_count * steps, &batch->err);
        if (batch->status != STATUS_OK)
            return;
        batch->made_count++;
    }
}

/* The next batch to be made, NULL when there is no room or none is left. */
static struct batch *take_batch_locked(struct crew *crew, size_t *number) REQUIRES(crew->lock)
{
    CHECK(mutex_is_held(&crew->lock));
    if (crew->is_over || crew->next_batch == crew->batch_count ||
        crew->next_batch == crew->used_count + crew->ring_count)
        return NULL;
    *number = crew->next_batch++;
    struct batch *batch = &crew->ring[*number % crew->ring_count];
    CHECK(batch->state == BATCH_FREE);
    batch->state = BATCH_TAKEN;
    return batch;
}

/* Lets go of the lock while it works. */
static void make_batch_locked(struct crew *crew, size_t number, struct batch *batch)
    REQUIRES(crew->lock)
{
    mutex_unlock(&crew->lock);
    make(crew, number, batch);
    mutex_lock(&crew->lock);
    batch->state = BATCH_MADE;
    /* those before it are taken already, and what comes behind an error is not wanted */
    crew->is_over |= batch->status != STATUS_OK;
    cond_broadcast(&crew->has_news);
}

/* ---- helpers ---- */

static void free_crew(struct crew *crew)
{
    for (size_t i = 0; i < crew->ring_count; i++)
        mem_free(crew->ring[i].values);
    cond_deinit(&crew->has_news);
    mutex_deinit(&crew->lock);
    mem_free(crew);
}

/* Of a helper, or of the sweep itself. */
static void leave(struct crew *crew)
{
    mutex_lock(&crew->lock);
    bool is_last = --crew->member_count == 0;
    mutex_unlock(&crew->lock);
    if (is_last)
        free_crew(crew);
}

static bool is_done_locked(const struct crew *crew) REQUIRES(crew->lock)
{
    return crew->is_over || crew->next_batch == crew->batch_count;
}

static void work_locked(struct crew *crew, struct turn *turn) REQUIRES(crew->lock)
{
    const struct clock *clock = crew->sweep->op->eval->engine->clock;
    while (!is_done_locked(crew) && !turn_is_due(turn, clock_monotonic_ns(clock))) {
        size_t number;
        struct batch *batch = take_batch_locked(crew, &number);
        if (batch != NULL)
            make_batch_locked(crew, number, batch);
        else
            cond_wait(&crew->has_news, &crew->lock);
    }
}

/* Without a free processor there is nothing to help with. */
static void help_locked(struct crew *crew) REQUIRES(crew->lock)
{
    struct turn turn;
    turn_init_helper(&turn, crew->sweep->op->eval->options->turn);
    if (turn_try_take(&turn))
        work_locked(crew, &turn);
    turn_deinit(&turn);
}

static void run_helper(struct pool_job *job)
{
    struct crew *crew = ((struct helper *)job)->crew;
    mutex_lock(&crew->lock);
    if (!is_done_locked(crew)) {
        crew->working_count++;
        help_locked(crew);
        crew->working_count--;
        cond_broadcast(&crew->has_news);
    }
    mutex_unlock(&crew->lock);
    leave(crew);
}

/* ---- the sweep's own thread ---- */

static enum status use_batch(const struct crew *crew, size_t number, const struct batch *batch,
                             struct error *err)
{
    const struct sweep *sweep = crew->sweep;
    size_t begin = crew->first + number * crew->batch_columns;
    for (size_t i = 0; i < batch->made_count; i++)
        TRY(sweep->use(sweep->context, series_at(sweep, begin + i),
                       batch->values + i * sweep->op->grid.count, err));
    if (batch->status != STATUS_OK)
        *err = batch->err;
    return batch->status;
}

/* Makes batches itself while the one to be used next is not there yet. */
static struct batch *wait_for_locked(struct crew *crew, size_t number) REQUIRES(crew->lock)
{
    struct batch *wanted = &crew->ring[number % crew->ring_count];
    while (wanted->state != BATCH_MADE) {
        size_t other;
        struct batch *batch = take_batch_locked(crew, &other);
        if (batch != NULL)
            make_batch_locked(crew, other, batch);
        else
            cond_wait(&crew->has_news, &crew->lock);
    }
    return wanted;
}

static enum status use_all_locked(struct crew *crew, struct error *err) REQUIRES(crew->lock)
{
    enum status status = STATUS_OK;
    for (size_t number = 0; number < crew->batch_count && status == STATUS_OK; number++) {
        struct batch *batch = wait_for_locked(crew, number);
        mutex_unlock(&crew->lock);
        status = use_batch(crew, number, batch, err);
        mutex_lock(&crew->lock);
        batch->state = BATCH_FREE;
        crew->used_count++;
        cond_broadcast(&crew->has_news);
    }
    return status;
}

static enum status lead(struct crew *crew, struct error *err)
{
    mutex_lock(&crew->lock);
    enum status status = use_all_locked(crew, err);
    crew->is_over = true;
    cond_broadcast(&crew->has_news);
    while (crew->working_count > 0)
        cond_wait(&crew->has_news, &crew->lock);
    mutex_unlock(&crew->lock);
    leave(crew);
    return status;
}

static size_t batch_columns(size_t steps)
{
    size_t columns = BATCH_VALUES / steps;
    return columns == 0 ? 1 : columns > BATCH_COLUMNS_MAX ? BATCH_COLUMNS_MAX : columns;
}

static struct crew *new_crew(const struct sweep *sweep, size_t first, size_t helper_count)
{
    size_t ring_count = BATCHES_PER_THREAD * (helper_count + 1);
    size_t steps = sweep->op->grid.count, columns = batch_columns(steps);
    struct crew *crew = mem_alloc_zeroed(1, sizeof *crew + ring_count * sizeof *crew->ring);
    mutex_init(&crew->lock);
    cond_init(&crew->has_news);
    crew->member_count = 1;
    crew->sweep = sweep;
    crew->first = first;
    crew->batch_columns = columns;
    crew->batch_count = (sweep->op->series_count - first + columns - 1) / columns;
    crew->ring_count = ring_count;
    return crew;
}

static void ask_for_help(struct crew *crew, struct pool *pool, size_t helper_count)
{
    for (size_t i = 0; i < helper_count; i++) {
        struct helper *helper = &crew->helpers[i];
        *helper = (struct helper){.job.run = run_helper, .crew = crew};
        mutex_lock(&crew->lock);
        crew->member_count++;
        mutex_unlock(&crew->lock);
        if (!pool_try_submit(pool, &helper->job)) {
            leave(crew);
            return;
        }
    }
}

/* ---- alone ---- */

/* Until all is done, or `until_ns` has passed; `*done` is how far it came. */
static enum status sweep_alone(const struct sweep *sweep, uint64_t until_ns, size_t *done,
                               struct error *err)
{
    struct eval *eval = sweep->op->eval;
    struct scratch *scratch = scratch_take(&eval->scratches);
    double *column = scratch_room(scratch, sweep->op->grid.count, sizeof *column);
    enum status status = STATUS_OK;
    for (; *done < sweep->op->series_count && status == STATUS_OK; (*done)++) {
        if (*done > 0 && clock_monotonic_ns(eval->engine->clock) >= until_ns)
            break;
        status = eval_check(eval, err);
        if (status == STATUS_OK)
            status = operator_column(sweep->op, series_at(sweep, *done), column, err);
        if (status == STATUS_OK)
            status = sweep->use(sweep->context, series_at(sweep, *done), column, err);
    }
    scratch_give(&eval->scratches, scratch);
    return status;
}

static size_t helpers_wanted(const struct sweep *sweep)
{
    const struct eval *eval = sweep->op->eval;
    if (eval->engine->helpers == NULL || eval->options->turn == NULL)
        return 0;
    size_t count = eval->engine->helper_count;
    return count < HELPERS_MAX ? count : HELPERS_MAX;
}

/* Hands what is left to a crew. */
static enum status sweep_together(const struct sweep *sweep, size_t first, size_t helper_count,
                                  struct error *err)
{
    struct eval *eval = sweep->op->eval;
    struct crew *crew = new_crew(sweep, first, helper_count);
    size_t values = crew->ring_count * crew->batch_columns * sweep->op->grid.count;
    enum status status = eval_charge_array(eval, values, sizeof(double), err);
    if (status != STATUS_OK) {
        leave(crew);
        return status;
    }
    ask_for_help(crew, eval->engine->helpers, helper_count);
    status = lead(crew, err);
    eval_release_array(eval, values, sizeof(double));
    return status;
}

static enum status sweep_charged(const struct sweep *sweep, struct error *err)
{
    const struct clock *clock = sweep->op->eval->engine->clock;
    size_t helper_count = helpers_wanted(sweep);
    uint64_t until_ns = helper_count == 0 ? UINT64_MAX : clock_monotonic_ns(clock) + ALONE_NS;
    size_t done = 0;
    TRY(sweep_alone(sweep, until_ns, &done, err));
    return done == sweep->op->series_count ? STATUS_OK
                                           : sweep_together(sweep, done, helper_count, err);
}

enum status sweep_columns(const struct sweep *sweep, struct error *err)
{
    struct eval *eval = sweep->op->eval;
    TRY(eval_charge_array(eval, sweep->op->grid.count, sizeof(double), err));
    enum status status = sweep_charged(sweep, err);
    eval_release_array(eval, sweep->op->grid.count, sizeof(double));
    return status;
}
