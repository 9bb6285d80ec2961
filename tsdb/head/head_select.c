/*
 * Selecting: from matchers to series.
 *
 * A matcher that a series without the label cannot pass narrows: its series are the union of the
 * postings of the values it accepts. Any other matcher subtracts: the union of those it does not
 * accept. A matcher that lists the values it is about (=, !=, alternations of literals) looks them
 * up; one that describes them (a pattern, or anything about the empty value) is put to each
 * distinct value once, or, when fewer series than values are left, to the value of each series.
 *
 *   1. narrow by look-ups, the fewest series first
 *   2. narrow by descriptions
 *   3. subtract
 */
#include "tsdb/head/head_impl.h"

#include <stdlib.h>

/* One matcher, made ready. */
struct term {
    const struct matcher *matcher;
    const struct indexed_name *name; /* NULL: no series has such a label */
    uint32_t name_number;
    bool narrows;
    bool is_listed;
    size_t series_max; /* of a listed term: no more series have its values */
};

struct selecting {
    const struct head *head;
    const struct tenant_index *index;
    struct postings result;
    bool is_started; /* false: `result` stands for all series */
};

static size_t listed_count(const struct matcher *matcher)
{
    return matcher->test == MATCHER_TEST_EQUAL ? 1 : matcher->literal_count;
}

/* NULL when no series has the value. */
static const struct postings *find_listed(const struct tenant_index *index,
                                          const struct matcher *matcher, size_t i)
{
    struct str value = matcher->test == MATCHER_TEST_EQUAL ? matcher->value : matcher->literals[i];
    return tenant_index_find(index, (struct label){matcher->name, value});
}

static struct term make_term(const struct tenant_index *index, const struct matcher *matcher)
{
    struct term term = {.matcher = matcher, .narrows = !matcher->matches_empty};
    if (tenant_index_find_name(index, matcher->name, &term.name_number))
        term.name = &index->by_name[term.name_number];
    bool lists = matcher->test == MATCHER_TEST_EQUAL || matcher->test == MATCHER_TEST_LITERALS;
    /* what is listed must be all that narrows, or all that is subtracted */
    term.is_listed = lists && matcher_is_negative(matcher) == matcher->matches_empty;
    for (size_t i = 0; term.is_listed && i < listed_count(matcher); i++) {
        const struct postings *series = find_listed(index, matcher, i);
        term.series_max += series == NULL ? 0 : postings_count(series);
    }
    return term;
}

static int step_of(const struct term *term)
{
    return !term->narrows ? 3 : term->is_listed ? 1 : 2;
}

static int compare_terms(const void *a, const void *b)
{
    const struct term *left = a;
    const struct term *right = b;
    if (step_of(left) != step_of(right))
        return step_of(left) - step_of(right);
    return (left->series_max > right->series_max) - (left->series_max < right->series_max);
}

static const struct postings *series_of_pair(const struct selecting *s, uint32_t pair)
{
    return &s->index->by_pair[pair].series;
}

static bool accepts_pair(const struct selecting *s, const struct term *term, uint32_t pair)
{
    return matcher_matches(term->matcher, tenant_index_label(s->index, pair).value);
}

static void start_with_all(struct selecting *s)
{
    if (s->is_started)
        return;
    postings_clone(&s->result, &s->index->all_series);
    s->is_started = true;
}

/* Intersects with a set that the caller owns, and takes it. */
static void narrow(struct selecting *s, struct postings *set)
{
    if (s->is_started) {
        postings_intersect(&s->result, set);
        postings_deinit(set);
    } else {
        s->result = *set;
        s->is_started = true;
    }
}

/* Step 1. */
static void narrow_by_listed(struct selecting *s, const struct term *term)
{
    struct postings set;
    postings_init(&set);
    for (size_t i = 0; i < listed_count(term->matcher); i++) {
        const struct postings *series = find_listed(s->index, term->matcher, i);
        if (series == NULL)
            continue;
        if (s->is_started && listed_count(term->matcher) == 1) {
            postings_intersect(&s->result, series); /* the usual case, without a copy */
            return;
        }
        postings_unite(&set, series);
    }
    narrow(s, &set);
}

/* Step 2, over the distinct values. */
static void narrow_by_values(struct selecting *s, const struct term *term)
{
    struct postings set;
    postings_init(&set);
    for (size_t i = 0; i < term->name->count; i++) {
        uint32_t pair = term->name->pairs[i];
        if (accepts_pair(s, term, pair))
            postings_unite(&set, series_of_pair(s, pair));
    }
    narrow(s, &set);
}

/* Step 3. */
static void subtract_listed(struct selecting *s, const struct term *term)
{
    for (size_t i = 0; i < listed_count(term->matcher); i++) {
        const struct postings *series = find_listed(s->index, term->matcher, i);
        if (series != NULL)
            postings_subtract(&s->result, series);
    }
}

static void subtract_by_values(struct selecting *s, const struct term *term)
{
    for (size_t i = 0; i < term->name->count; i++) {
        uint32_t pair = term->name->pairs[i];
        if (!accepts_pair(s, term, pair))
            postings_subtract(&s->result, series_of_pair(s, pair));
    }
}

static bool accepts_series(const struct selecting *s, const struct term *term, uint32_t ref)
{
    const struct series *series = head_series(s->head, (struct series_ref){ref});
    const uint32_t *pairs = series_pairs(s->head, series);
    for (size_t i = 0; i < series->pair_count; i++) {
        if (s->index->by_pair[pairs[i]].name == term->name_number)
            return accepts_pair(s, term, pairs[i]);
    }
    return term->matcher->matches_empty;
}

/* Steps 2 and 3 over the series that are left. */
static enum status filter_series(struct selecting *s, const struct term *term, struct arena *arena,
                                 struct error *err)
{
    size_t count = postings_count(&s->result);
    uint32_t *refs = arena_try_alloc(arena, count * sizeof *refs);
    if (refs == NULL)
        return arena_refusal(arena, err);
    postings_to_array(&s->result, refs);
    postings_deinit(&s->result);
    for (size_t i = 0; i < count; i++) {
        if (accepts_series(s, term, refs[i]))
            postings_add(&s->result, refs[i]);
    }
    return STATUS_OK;
}

static enum status apply_described(struct selecting *s, const struct term *term,
                                   struct arena *arena, struct error *err)
{
    if (s->is_started && postings_count(&s->result) < term->name->count)
        return filter_series(s, term, arena, err);
    if (term->narrows)
        narrow_by_values(s, term);
    else
        subtract_by_values(s, term);
    return STATUS_OK;
}

static enum status apply(struct selecting *s, const struct term *term, struct arena *arena,
                         struct error *err)
{
    if (!term->narrows)
        start_with_all(s);
    if (term->name == NULL) {
        struct postings none = {0};
        if (term->narrows)
            narrow(s, &none);
        return STATUS_OK;
    }
    if (!term->is_listed)
        return apply_described(s, term, arena, err);
    if (term->narrows)
        narrow_by_listed(s, term);
    else
        subtract_listed(s, term);
    return STATUS_OK;
}

static enum status apply_all(struct selecting *s, struct matchers matchers, struct arena *arena,
                             struct error *err)
{
    struct term *terms = arena_try_alloc(arena, matchers.count * sizeof *terms);
    if (terms == NULL)
        return arena_refusal(arena, err);
    for (size_t i = 0; i < matchers.count; i++)
        terms[i] = make_term(s->index, &matchers.ptr[i]);
    qsort(terms, matchers.count, sizeof *terms, compare_terms);
    for (size_t i = 0; i < matchers.count; i++) {
        TRY(apply(s, &terms[i], arena, err));
        if (postings_is_empty(&s->result))
            return STATUS_OK;
    }
    start_with_all(s);
    return STATUS_OK;
}

static enum status list_refs(const struct postings *result, struct arena *arena,
                             struct ref_list *out, struct error *err)
{
    size_t count = postings_count(result);
    uint32_t *refs = arena_try_alloc(arena, count * sizeof *refs);
    if (refs == NULL)
        return arena_refusal(arena, err);
    postings_to_array(result, refs);
    *out = (struct ref_list){(struct series_ref *)refs, count};
    return STATUS_OK;
}

_Static_assert(sizeof(struct series_ref) == sizeof(uint32_t), "positions are written as refs");

enum status head_select(const struct head *head, const struct tenant *tenant,
                        struct matchers matchers, struct arena *arena, struct ref_list *out,
                        struct error *err)
{
    *out = (struct ref_list){0};
    if (tenant->number >= head->tenant_capacity || head->tenants[tenant->number] == NULL)
        return STATUS_OK;
    struct selecting s = {.head = head, .index = head->tenants[tenant->number]};
    postings_init(&s.result);
    enum status status = apply_all(&s, matchers, arena, err);
    if (status == STATUS_OK)
        status = list_refs(&s.result, arena, out, err);
    postings_deinit(&s.result);
    return status;
}
