#include "query/engine/shared.h"

#include <stdlib.h>

#include "query/engine/operator.h"
#include "query/syntax/parse.h"

/* ---- what is written more than once ---- */

struct finding {
    struct eval *eval;
    struct buffer text; /* of all parts, one behind the other */
    struct part {
        const struct expr *expr;
        size_t begin; /* of its text */
        size_t end;
        struct str text; /* once it does not move any more */
    } parts[SHARED_PARTS_MAX];
    size_t count;
    bool is_too_much;
};

/* What takes longer to evaluate than to look up. */
static bool is_worth_it(const struct expr *expr)
{
    return expr->kind == EXPR_VECTOR_SELECTOR || expr->kind == EXPR_AGGREGATE ||
           expr->kind == EXPR_BINARY || expr->kind == EXPR_CALL;
}

static void add_part(struct finding *finding, const struct expr *expr)
{
    if (finding->count == SHARED_PARTS_MAX) {
        finding->is_too_much = true;
        return;
    }
    struct part *part = &finding->parts[finding->count++];
    *part = (struct part){.expr = expr, .begin = finding->text.len};
    ast_print(&finding->text, expr);
    part->end = finding->text.len;
    finding->is_too_much |= finding->text.is_overflown;
}

static void add_parts(struct finding *finding, const struct expr *expr)
{
    if (expr == NULL || finding->is_too_much)
        return;
    if (is_worth_it(expr))
        add_part(finding, expr);
    switch (expr->kind) {
    case EXPR_SUBQUERY:
        add_parts(finding, expr->subquery.inner);
        break;
    case EXPR_UNARY:
        add_parts(finding, expr->unary.inner);
        break;
    case EXPR_PAREN:
        add_parts(finding, expr->paren);
        break;
    case EXPR_BINARY:
        add_parts(finding, expr->binary.left);
        add_parts(finding, expr->binary.right);
        break;
    case EXPR_CALL:
        for (size_t i = 0; i < expr->call.arg_count; i++)
            add_parts(finding, expr->call.args[i]);
        break;
    case EXPR_AGGREGATE:
        add_parts(finding, expr->aggregate.param);
        add_parts(finding, expr->aggregate.inner);
        break;
    case EXPR_NUMBER:
    case EXPR_STRING:
    case EXPR_VECTOR_SELECTOR:
    case EXPR_MATRIX_SELECTOR: /* read by the function above it */
        break;
    }
}

static int compare_parts(const void *a, const void *b)
{
    return str_compare(((const struct part *)a)->text, ((const struct part *)b)->text);
}

/* Whether the part is next to the same one, before or behind it. */
static bool has_company(const struct finding *finding, size_t at)
{
    struct str text = finding->parts[at].text;
    return (at > 0 && str_eq(finding->parts[at - 1].text, text)) ||
           (at + 1 < finding->count && str_eq(finding->parts[at + 1].text, text));
}

/* Sorts the parts by text, numbers them, and lists those that are written more than once. */
static size_t group_places(struct finding *finding, struct shared_place *out)
{
    size_t kept = 0;
    uint32_t group = 0;
    qsort(finding->parts, finding->count, sizeof *finding->parts, compare_parts);
    for (size_t i = 0; i < finding->count; i++) {
        group += i > 0 && !str_eq(finding->parts[i - 1].text, finding->parts[i].text);
        if (!has_company(finding, i))
            continue;
        out[kept++] = (struct shared_place){.expr = finding->parts[i].expr, .group = group};
    }
    return kept;
}

static enum status keep_places(struct finding *finding, struct shared_set *set, struct error *err)
{
    for (size_t i = 0; i < finding->count; i++) {
        struct part *part = &finding->parts[i];
        part->text = str_slice(buffer_str(&finding->text), part->begin, part->end - part->begin);
    }
    struct shared_place kept[SHARED_PARTS_MAX];
    size_t count = group_places(finding, kept);
    void *memory;
    TRY(eval_alloc_array(finding->eval, count, sizeof *kept, &memory, err));
    if (count > 0)
        memcpy(memory, kept, count * sizeof *kept);
    set->places = memory;
    set->count = count;
    return STATUS_OK;
}

enum status shared_set_find(struct shared_set *set, struct eval *eval, const struct expr *expr,
                            struct error *err)
{
    struct finding finding = {.eval = eval};
    *set = (struct shared_set){0};
    buffer_init(&finding.text, SHARED_TEXT_BYTES_MAX);
    add_parts(&finding, expr);
    enum status status = finding.is_too_much ? STATUS_OK : keep_places(&finding, set, err);
    buffer_deinit(&finding.text);
    return status;
}

const struct shared_place *shared_set_at(const struct shared_set *set, const struct expr *expr)
{
    for (size_t i = 0; i < set->count; i++) {
        if (set->places[i].expr == expr)
            return &set->places[i];
    }
    return NULL;
}

void shared_set_each_place(const struct shared_set *set, const struct position *position,
                           void (*use)(void *context, ptrdiff_t distance), void *context)
{
    use(context, 0);
    for (size_t i = 0; i < set->count; i++) {
        const struct position *here = &set->places[i].expr->position;
        if (position->start < here->start || position->end > here->end)
            continue;
        for (size_t k = 0; k < set->count; k++) {
            const struct position *there = &set->places[k].expr->position;
            if (k != i && set->places[k].group == set->places[i].group)
                use(context, (ptrdiff_t)there->start - (ptrdiff_t)here->start);
        }
    }
}

/* ---- what is open ---- */

struct shared {
    struct shared *next;
    struct query_operator *op;
    uint32_t group;
    struct mutex lock;
    double **columns; /* guarded by lock; in the query's arena, NULL where none is kept yet; NULL
                         itself when none are */
};

void shared_set_close(struct shared_set *set)
{
    for (struct shared *shared = set->first; shared != NULL; shared = shared->next) {
        operator_close(shared->op);
        mutex_deinit(&shared->lock);
    }
    *set = (struct shared_set){0};
}

static const double *find_column(struct shared *shared, size_t series)
{
    mutex_lock(&shared->lock);
    const double *column = shared->columns == NULL ? NULL : shared->columns[series];
    mutex_unlock(&shared->lock);
    return column;
}

/* Without room for it, it is made again. */
static void keep_column(struct shared *shared, size_t series, const double *values)
{
    void *memory;
    struct error err;
    size_t count = shared->op->grid.count;
    if (shared->columns == NULL ||
        eval_alloc_array(shared->op->eval, count, sizeof *values, &memory, &err) != STATUS_OK)
        return;
    memcpy(memory, values, count * sizeof *values);
    mutex_lock(&shared->lock);
    shared->columns[series] = memory;
    mutex_unlock(&shared->lock);
}

struct view {
    struct query_operator base;
    struct shared *shared;
};

static enum status view_column(struct query_operator *op, size_t series, double *values,
                               struct error *err)
{
    struct shared *shared = ((struct view *)op)->shared;
    const double *column = find_column(shared, series);
    if (column != NULL) {
        memcpy(values, column, op->grid.count * sizeof *values);
        return STATUS_OK;
    }
    TRY(operator_column(shared->op, series, values, err));
    keep_column(shared, series, values);
    return STATUS_OK;
}

/* Aggregations have their columns in memory anyway. */
static enum status make_room(struct shared *shared, const struct expr *expr, struct error *err)
{
    const struct query_operator *op = shared->op;
    size_t bytes;
    if (expr->kind == EXPR_AGGREGATE ||
        __builtin_mul_overflow(op->series_count * sizeof(double), op->grid.count, &bytes) ||
        bytes > SHARED_COLUMNS_BYTES_MAX)
        return STATUS_OK;
    void *memory;
    TRY(eval_alloc_array(op->eval, op->series_count, sizeof *shared->columns, &memory, err));
    shared->columns = memory;
    for (size_t i = 0; i < op->series_count; i++)
        shared->columns[i] = NULL;
    return STATUS_OK;
}

/* From here on the set closes what is open. */
static enum status open_shared(struct eval *eval, const struct grid *grid,
                               const struct shared_place *place, shared_open_first open_first,
                               struct shared **out, struct error *err)
{
    void *memory;
    TRY(eval_alloc(eval, sizeof(struct shared), &memory, err));
    struct shared *shared = memory;
    *shared = (struct shared){.group = place->group};
    TRY(open_first(eval, grid, place->expr, &shared->op, err));
    mutex_init(&shared->lock);
    shared->next = eval->shared.first;
    eval->shared.first = shared;
    *out = shared;
    return make_room(shared, place->expr, err);
}

static bool is_same_grid(const struct grid *a, const struct grid *b)
{
    return a->start_ms == b->start_ms && a->step_ms == b->step_ms && a->count == b->count;
}

static struct shared *find_open(const struct shared_set *set, uint32_t group,
                                const struct grid *grid)
{
    struct shared *shared = set->first;
    while (shared != NULL && (shared->group != group || !is_same_grid(&shared->op->grid, grid)))
        shared = shared->next;
    return shared;
}

enum status shared_open(struct eval *eval, const struct grid *grid,
                        const struct shared_place *place, shared_open_first open_first,
                        struct query_operator **out, struct error *err)
{
    void *memory;
    struct shared *shared = find_open(&eval->shared, place->group, grid);
    if (shared == NULL)
        TRY(open_shared(eval, grid, place, open_first, &shared, err));
    TRY(eval_alloc(eval, sizeof(struct view), &memory, err));
    struct view *view = memory;
    *view = (struct view){.base = *shared->op, .shared = shared};
    view->base.column = view_column;
    view->base.close = NULL;
    *out = &view->base;
    return STATUS_OK;
}
