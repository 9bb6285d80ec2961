/*
 * Selecting in a block: from matchers to positions of series.
 *
 * A matcher that a series without the label cannot pass narrows: its series are the union of the
 * postings of the values it accepts. Any other matcher subtracts: the union of those it does not
 * accept. A matcher is listed when its values are found by search: =, !=, alternations of
 * literals and prefixes, unless it is about all values but those; else it is put to each distinct
 * value once, or, when fewer series than values are left, to the value of each series.
 *
 *   1. narrow by listed matchers, the fewest postings first
 *   2. narrow by the others
 *   3. subtract
 */
#include "tsdb/block/block_impl.h"

#include <stdlib.h>

enum {
    /* Decoding so many bytes of postings takes about as long as finding and matching one label of
       one series. */
    POSTINGS_BYTES_PER_SERIES = 16,
};

/* One matcher, made ready. */
struct term {
    const struct matcher *matcher;
    bool has_name; /* some series has such a label */
    uint32_t name;
    bool narrows;
    bool is_listed;
    uint32_t *pairs; /* of a listed term: those it narrows to, or subtracts */
    size_t pair_count;
    size_t cost; /* bytes of their postings */
};

struct selecting {
    const struct block_index *index;
    struct arena *arena;
    struct postings result;
    bool is_started; /* false: `result` stands for all series */
};

/* ---- the values of a listed matcher ---- */

static void add_pair(const struct selecting *s, struct term *term, uint32_t pair)
{
    term->pairs[term->pair_count++] = pair;
    term->cost += block_index_postings_len(s->index, pair, pair + 1);
}

static void list_equal(const struct selecting *s, struct term *term, struct str value)
{
    uint32_t pair;
    if (block_index_find_value(s->index, term->name, value, &pair))
        add_pair(s, term, pair);
}

static uint32_t end_of_prefix(const struct selecting *s, const struct term *term, uint32_t begin)
{
    uint32_t end = block_index_first_pair(s->index, term->name + 1);
    while (begin < end &&
           str_starts_with(block_index_value(s->index, begin), term->matcher->prefix))
        begin++;
    return begin;
}

static enum status list_prefix(const struct selecting *s, struct term *term, struct error *err)
{
    const struct matcher *matcher = term->matcher;
    uint32_t begin = block_index_lower_value(s->index, term->name, matcher->prefix);
    uint32_t end = end_of_prefix(s, term, begin);
    if (matcher->test == MATCHER_TEST_LONGER_THAN_PREFIX && begin < end &&
        block_index_value(s->index, begin).len == matcher->prefix.len)
        begin++;
    term->pairs = arena_try_alloc(s->arena, (end - begin) * sizeof *term->pairs);
    if (term->pairs == NULL)
        return arena_refusal(s->arena, err);
    for (uint32_t pair = begin; pair < end; pair++)
        add_pair(s, term, pair);
    return STATUS_OK;
}

static enum status list_pairs(const struct selecting *s, struct term *term, struct error *err)
{
    const struct matcher *matcher = term->matcher;
    if (!term->has_name || !term->is_listed)
        return STATUS_OK;
    if (matcher->test == MATCHER_TEST_PREFIX || matcher->test == MATCHER_TEST_LONGER_THAN_PREFIX)
        return list_prefix(s, term, err);
    bool is_equal = matcher->test == MATCHER_TEST_EQUAL;
    size_t count = is_equal ? 1 : matcher->literal_count;
    term->pairs = arena_try_alloc(s->arena, count * sizeof *term->pairs);
    if (term->pairs == NULL)
        return arena_refusal(s->arena, err);
    for (size_t i = 0; i < count; i++)
        list_equal(s, term, is_equal ? matcher->value : matcher->literals[i]);
    return STATUS_OK;
}

static struct term make_term(const struct selecting *s, const struct matcher *matcher)
{
    struct term term = {.matcher = matcher, .narrows = !matcher->matches_empty};
    term.has_name = block_index_find_name(s->index, matcher->name, &term.name);
    /* what the search finds must be all that narrows, or all that is subtracted */
    term.is_listed = matcher->test != MATCHER_TEST_REGEX &&
                     matcher_is_negative(matcher) == matcher->matches_empty;
    return term;
}

static int step_of(const struct term *term)
{
    return !term->narrows ? 3 : term->is_listed ? 1 : 2;
}

static int compare_terms(const void *a, const void *b)
{
    const struct term *left = a, *right = b;
    if (step_of(left) != step_of(right))
        return step_of(left) - step_of(right);
    return (left->cost > right->cost) - (left->cost < right->cost);
}

/* ---- sets of series ---- */

static void start_with_all(struct selecting *s)
{
    if (!s->is_started && s->index->series_count > 0)
        postings_add_range(&s->result, 0, s->index->series_count - 1);
    s->is_started = true;
}

static enum status unite(const struct selecting *s, uint32_t pair, struct postings *set,
                         struct error *err)
{
    struct postings series;
    postings_init(&series);
    enum status status = block_index_postings(s->index, pair, &series, err);
    if (status == STATUS_OK && postings_is_empty(set)) {
        *set = series; /* the usual case: one value */
        return STATUS_OK;
    }
    if (status == STATUS_OK)
        postings_unite(set, &series);
    postings_deinit(&series);
    return status;
}

static enum status unite_listed(const struct selecting *s, const struct term *term,
                                struct postings *set, struct error *err)
{
    for (size_t i = 0; i < term->pair_count; i++)
        TRY(unite(s, term->pairs[i], set, err));
    return STATUS_OK;
}

static enum status unite_described(const struct selecting *s, const struct term *term,
                                   struct postings *set, struct error *err)
{
    uint32_t end = block_index_first_pair(s->index, term->name + 1);
    for (uint32_t i = block_index_first_pair(s->index, term->name); i < end; i++) {
        if (matcher_matches(term->matcher, block_index_value(s->index, i)) == term->narrows)
            TRY(unite(s, i, set, err));
    }
    return STATUS_OK;
}

static enum status unite_term(const struct selecting *s, const struct term *term,
                              struct postings *set, struct error *err)
{
    if (!term->has_name)
        return STATUS_OK;
    return term->is_listed ? unite_listed(s, term, set, err) : unite_described(s, term, set, err);
}

/* Takes `set`. */
static void apply_set(struct selecting *s, const struct term *term, struct postings *set)
{
    if (term->narrows && !s->is_started) {
        s->result = *set;
        s->is_started = true;
        return;
    }
    start_with_all(s);
    if (term->narrows)
        postings_intersect(&s->result, set);
    else
        postings_subtract(&s->result, set);
    postings_deinit(set);
}

static enum status apply_by_values(struct selecting *s, const struct term *term, struct error *err)
{
    struct postings set;
    postings_init(&set);
    enum status status = unite_term(s, term, &set, err);
    if (status == STATUS_OK)
        apply_set(s, term, &set);
    else
        postings_deinit(&set);
    return status;
}

/* ---- series by series ---- */

static enum status accepts_series(const struct selecting *s, const struct term *term,
                                  uint32_t series, bool *accepts, struct error *err)
{
    bool has_pair;
    uint32_t pair;
    TRY(block_index_pair_of(s->index, series, term->name, &has_pair, &pair, err));
    *accepts = has_pair ? matcher_matches(term->matcher, block_index_value(s->index, pair))
                        : term->matcher->matches_empty;
    return STATUS_OK;
}

static enum status list_result(const struct selecting *s, struct series_list *out,
                               struct error *err)
{
    out->count = postings_count(&s->result);
    out->ptr = arena_try_alloc(s->arena, out->count * sizeof *out->ptr);
    if (out->ptr == NULL)
        return arena_refusal(s->arena, err);
    postings_to_array(&s->result, out->ptr);
    return STATUS_OK;
}

static enum status apply_by_series(struct selecting *s, const struct term *term, struct error *err)
{
    struct series_list left;
    TRY(list_result(s, &left, err));
    postings_deinit(&s->result);
    for (size_t i = 0; i < left.count; i++) {
        bool accepts;
        TRY(accepts_series(s, term, left.ptr[i], &accepts, err));
        if (accepts)
            postings_add(&s->result, left.ptr[i]);
    }
    return STATUS_OK;
}

/* Whether looking at each series that is left is cheaper than at the postings of each value. */
static bool is_cheaper_by_series(const struct selecting *s, const struct term *term)
{
    if (!s->is_started || !term->has_name || term->is_listed)
        return false;
    size_t count = postings_count(&s->result);
    uint32_t first = block_index_first_pair(s->index, term->name);
    uint32_t end = block_index_first_pair(s->index, term->name + 1);
    return count < end - first ||
           count * POSTINGS_BYTES_PER_SERIES < block_index_postings_len(s->index, first, end);
}

/* ---- all of it ---- */

static enum status apply_terms(struct selecting *s, const struct term *terms, size_t count,
                               struct error *err)
{
    for (size_t i = 0; i < count; i++) {
        if (is_cheaper_by_series(s, &terms[i]))
            TRY(apply_by_series(s, &terms[i], err));
        else
            TRY(apply_by_values(s, &terms[i], err));
        if (postings_is_empty(&s->result))
            return STATUS_OK;
    }
    start_with_all(s);
    return STATUS_OK;
}

static enum status run(struct selecting *s, struct matchers matchers, struct error *err)
{
    struct term *terms = arena_try_alloc(s->arena, matchers.count * sizeof *terms);
    if (terms == NULL)
        return arena_refusal(s->arena, err);
    for (size_t i = 0; i < matchers.count; i++) {
        terms[i] = make_term(s, &matchers.ptr[i]);
        TRY(list_pairs(s, &terms[i], err));
    }
    if (matchers.count > 0)
        qsort(terms, matchers.count, sizeof *terms, compare_terms);
    return apply_terms(s, terms, matchers.count, err);
}

static enum status select_once(struct block *block, size_t tenant, struct matchers matchers,
                               struct arena *arena, struct series_list *out, struct error *err)
{
    const struct block_slot *slot;
    TRY(block_slot_get(block, tenant, &slot, err));
    struct selecting s = {.index = &slot->index, .arena = arena};
    postings_init(&s.result);
    enum status status = run(&s, matchers, err);
    if (status == STATUS_OK)
        status = list_result(&s, out, err);
    postings_deinit(&s.result);
    return status;
}

enum status block_select(struct block *block, size_t tenant, struct matchers matchers,
                         struct arena *arena, struct series_list *out, struct error *err)
{
    enum status status;
    uint64_t faults = file_fault_count(block->file);
    do
        status = select_once(block, tenant, matchers, arena, out, err);
    while (block_has_faulted(block, &faults));
    return status;
}
