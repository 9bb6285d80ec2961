/*
 * Random operations on a head, against a naive model: a list of samples per series.
 */
#include "tests/support/test.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/hash.h"
#include "base/mem.h"
#include "base/random.h"
#include "tsdb/head/full_run.h"

/* Label sets are numbered: __name__ × a × b × c, where the first value of a, b and c is "no
   label". */
static const char *const metric_names[] = {"m0", "m1", "m2", "up"};
static const char *const a_values[] = {"", "0", "1", "2", "10"};
static const char *const b_values[] = {"", "x", "y", "zz"};
enum { C_COUNT = 21, SET_COUNT = 4 * 5 * 4 * C_COUNT, TENANT_COUNT = 2, LABELS_MAX = 4 };
enum { STEPS = 60, HOT_SETS = 3, RUNS_MAX = 8 };

struct model_sample {
    int64_t ts_ms;
    uint64_t bits;
    bool is_aside;
};

struct model_series {
    bool exists;
    bool is_active;
    int64_t last_append_ms;
    struct series_ref ref;
    struct model_sample *samples; /* in the order they came */
    size_t count;
    size_t capacity;
};

struct model {
    struct random random;
    struct tenant_table *tenants;
    struct tenant *tenant[TENANT_COUNT];
    struct head *head;
    struct series_ref before; /* who was found before */
    struct model_series series[TENANT_COUNT][SET_COUNT];
    struct full_run runs[RUNS_MAX]; /* copied since the last flush began or ended */
    size_t run_count;
    struct chunk_times times;
    bool is_flushing;
    int64_t now_ms;
    struct arena arena; /* of one step */
};

static uint64_t below(struct model *m, uint64_t bound)
{
    return random_below(&m->random, bound);
}

/* ---- label sets ---- */

static void add_label(struct label *labels, size_t *count, const char *name, const char *value)
{
    if (value[0] != '\0')
        labels[(*count)++] = (struct label){str_from(name), str_from(value)};
}

static struct labels labels_of(struct model *m, size_t set)
{
    struct label *labels = arena_alloc(&m->arena, LABELS_MAX * sizeof *labels);
    size_t count = 0;
    size_t c = set % C_COUNT;
    add_label(labels, &count, "__name__", metric_names[set / C_COUNT % 4]);
    add_label(labels, &count, "a", a_values[set / C_COUNT / 4 % 5]);
    add_label(labels, &count, "b", b_values[set / C_COUNT / 4 / 5]);
    if (c > 0)
        add_label(labels, &count, "c", arena_format(&m->arena, "v%zu", c).ptr);
    return (struct labels){labels, count};
}

static size_t random_set(struct model *m)
{
    return below(m, 2) == 0 ? below(m, HOT_SETS) * 101 : below(m, SET_COUNT);
}

/* ---- the operations ---- */

static struct series_ref find(struct model *m, size_t tenant, size_t set)
{
    struct labels labels = labels_of(m, set);
    struct head_key key = {.tenant = m->tenant[tenant], .hash = labels_identity_hash(labels)};
    struct buffer identity;
    buffer_init(&identity, SIZE_MAX);
    if (below(m, 2) == 0) {
        labels_identity_encode(&identity, labels);
        key.identity = buffer_bytes(&identity);
    } else {
        key.labels = labels.ptr;
        key.label_count = labels.count;
    }
    struct series_ref ref, followed;
    head_find(m->head, &key, 1, &ref);
    /* who followed may have gone, and its slot may be another's; either it is the one,
       or it is not found */
    if (head_follow(m->head, m->before, &key, 1, &followed) == 1)
        assert_int_equal(followed.value, ref.value);
    buffer_deinit(&identity);
    if (ref.value == SERIES_REF_NONE.value || below(m, 4) == 0)
        return ref;
    if (m->before.value != SERIES_REF_NONE.value)
        head_note_order(m->head, m->before, ref);
    m->before = ref;
    return ref;
}

/* The series, found or added as the write path does it. */
static struct model_series *get_series(struct model *m, size_t tenant, size_t set)
{
    struct model_series *series = &m->series[tenant][set];
    struct series_ref ref = find(m, tenant, set);
    assert_int_equal(ref.value, series->exists ? series->ref.value : SERIES_REF_NONE.value);
    if (!series->exists) {
        series->ref = head_add(m->head, m->tenant[tenant], labels_of(m, set), m->now_ms);
        series->exists = true;
        series->is_active = true;
        series->last_append_ms = m->now_ms;
    }
    assert_int_equal(head_is_active(m->head, series->ref), series->is_active);
    if (!series->is_active) {
        head_activate(m->head, series->ref, m->now_ms);
        series->is_active = true;
        series->last_append_ms = m->now_ms;
    }
    return series;
}

static int64_t greatest_ts_ms(const struct model_series *series)
{
    int64_t greatest = 1700000000000;
    for (size_t i = 0; i < series->count; i++) {
        if (series->samples[i].ts_ms > greatest)
            greatest = series->samples[i].ts_ms;
    }
    return greatest;
}

static int64_t random_ts_ms(struct model *m, const struct model_series *series)
{
    static const int64_t odd[] = {INT64_MIN, INT64_MIN + 1, -1, 0, INT64_MAX - 1};
    switch (below(m, 12)) {
    case 0: /* one that is there */
        if (series->count > 0)
            return series->samples[below(m, series->count)].ts_ms;
        return 1700000000000;
    case 1:
    case 2: /* somewhere among the others */
        return greatest_ts_ms(series) - (int64_t)below(m, 3000);
    case 3:
        if (below(m, 20) == 0)
            return odd[below(m, 5)];
        return greatest_ts_ms(series) - (int64_t)below(m, 1 << 20);
    case 4: /* too far for an offset of 32 bits */
        if (below(m, 20) == 0 && greatest_ts_ms(series) < INT64_MAX / 2)
            return greatest_ts_ms(series) + (INT64_C(1) << 33);
        break;
    default:
        break;
    }
    int64_t greatest = greatest_ts_ms(series);
    return greatest > INT64_MAX - 100 ? greatest : greatest + 1 + (int64_t)below(m, 20);
}

static uint64_t random_bits(struct model *m)
{
    static const uint64_t odd[] = {STALE_NAN_BITS,     0x7ff8000000000001, 0xfff0000000000123,
                                   0x8000000000000000, 0x7ff0000000000000, 1};
    if (below(m, 4) == 0)
        return odd[below(m, 6)];
    return f64_bits((double)below(m, 1000) / (below(m, 2) == 0 ? 1 : 7));
}

static enum append_result model_append(struct model *m, struct model_series *series, int64_t ts_ms,
                                       uint64_t bits)
{
    for (size_t i = 0; i < series->count; i++) {
        if (series->samples[i].ts_ms == ts_ms)
            return series->samples[i].bits == bits ? APPEND_DUPLICATE : APPEND_CONFLICT;
    }
    series->samples =
        mem_grow(series->samples, &series->capacity, series->count + 1, sizeof *series->samples);
    series->samples[series->count++] = (struct model_sample){ts_ms, bits, false};
    series->last_append_ms = m->now_ms;
    return APPEND_OK;
}

/* Nothing that can be seen depends on who seals. */
static void copy_full_run(struct model *m, struct series_ref ref)
{
    if (head_has_full_run(m->head, ref) && m->run_count < RUNS_MAX)
        head_copy_full_run(m->head, ref, &m->runs[m->run_count++]);
}

static void adopt_some(struct model *m)
{
    struct buffer chunk;
    buffer_init(&chunk, CHUNK_BYTES_MAX);
    while (m->run_count > 0 && below(m, 4) > 0) {
        struct full_run *run = &m->runs[--m->run_count];
        buffer_reset(&chunk);
        full_run_encode(run, &m->times, &chunk);
        assert_int_equal(run->chunk_len, chunk.len);
        head_adopt_chunk(m->head, run, buffer_bytes(&chunk));
    }
    buffer_deinit(&chunk);
}

static void append_some(struct model *m)
{
    struct model_series *series = get_series(m, below(m, TENANT_COUNT), random_set(m));
    size_t count = below(m, 3) == 0 ? below(m, 40) : below(m, 3);
    for (size_t i = 0; i < count; i++) {
        int64_t ts_ms = random_ts_ms(m, series);
        uint64_t bits = random_bits(m);
        if (series->count > 0 && below(m, 8) == 0) { /* a retry */
            ts_ms = series->samples[series->count - 1].ts_ms;
            bits = series->samples[series->count - 1].bits;
        }
        struct sample sample = {ts_ms, f64_from_bits(bits)};
        enum append_result want = model_append(m, series, ts_ms, bits);
        assert_int_equal(head_append(m->head, series->ref, sample, m->now_ms), want);
        if (below(m, 2) == 0)
            copy_full_run(m, series->ref);
    }
}

static void for_each(struct model *m, void (*visit)(struct model *m, struct model_series *series))
{
    for (size_t tenant = 0; tenant < TENANT_COUNT; tenant++) {
        for (size_t set = 0; set < SET_COUNT; set++) {
            if (m->series[tenant][set].exists)
                visit(m, &m->series[tenant][set]);
        }
    }
}

static void model_sweep(struct model *m, struct model_series *series)
{
    if (series->last_append_ms <= m->now_ms - 50)
        series->is_active = false;
}

static void model_begin(struct model *m, struct model_series *series)
{
    (void)m;
    for (size_t i = 0; i < series->count; i++)
        series->samples[i].is_aside = true;
}

static void model_abort(struct model *m, struct model_series *series)
{
    (void)m;
    for (size_t i = 0; i < series->count; i++)
        series->samples[i].is_aside = false;
}

static void model_end(struct model *m, struct model_series *series)
{
    (void)m;
    size_t kept = 0;
    for (size_t i = 0; i < series->count; i++) {
        if (!series->samples[i].is_aside)
            series->samples[kept++] = series->samples[i];
    }
    series->count = kept;
    if (kept == 0 && !series->is_active)
        series->exists = false;
}

static void flush_step(struct model *m)
{
    m->run_count = 0;
    if (!m->is_flushing) {
        head_flush_begin(m->head);
        for_each(m, model_begin);
    } else if (below(m, 2) == 0) {
        head_flush_end(m->head);
        for_each(m, model_end);
    } else {
        head_flush_abort(m->head);
        for_each(m, model_abort);
    }
    m->is_flushing = !m->is_flushing;
}

/* ---- what must be equal ---- */

static int compare_samples(const void *a, const void *b)
{
    const struct model_sample *left = a;
    const struct model_sample *right = b;
    return (left->ts_ms > right->ts_ms) - (left->ts_ms < right->ts_ms);
}

/* `columns` holds exactly the model's samples in the range; those aside only, if
   `is_aside_only`. */
static void expect_samples(struct model *m, const struct model_series *series, int64_t min_ts_ms,
                           int64_t max_ts_ms, bool is_aside_only, const struct columns *columns)
{
    struct model_sample *want = arena_alloc(&m->arena, series->count * sizeof *want);
    size_t count = 0;
    for (size_t i = 0; i < series->count; i++) {
        struct model_sample sample = series->samples[i];
        if (sample.ts_ms >= min_ts_ms && sample.ts_ms <= max_ts_ms &&
            (sample.is_aside || !is_aside_only))
            want[count++] = sample;
    }
    qsort(want, count, sizeof *want, compare_samples);
    assert_int_equal(columns->count, count);
    for (size_t i = 0; i < count; i++) {
        assert_int_equal(columns->ts_ms[i], want[i].ts_ms);
        assert_int_equal(f64_bits(columns->values[i]), want[i].bits);
    }
}

static void check_read(struct model *m, const struct model_series *series)
{
    struct error err;
    int64_t min_ts_ms = INT64_MIN;
    int64_t max_ts_ms = INT64_MAX;
    if (series->count > 0 && below(m, 2) == 0) {
        min_ts_ms = series->samples[below(m, series->count)].ts_ms;
        max_ts_ms = series->samples[below(m, series->count)].ts_ms;
    }
    struct columns columns;
    columns_init(&columns);
    expect_ok(head_read(m->head, series->ref, min_ts_ms, max_ts_ms, &columns, &err));
    expect_samples(m, series, min_ts_ms, max_ts_ms, false, &columns);
    columns_reset(&columns);
    expect_ok(head_flush_read(m->head, series->ref, &columns, &err));
    expect_samples(m, series, INT64_MIN, INT64_MAX, true, &columns);
    assert_int_equal(head_flush_has(m->head, series->ref), columns.count > 0);
    columns_deinit(&columns);
}

static void check_time_range(struct model *m, const struct model_series *series)
{
    int64_t want_min = INT64_MAX, want_max = INT64_MIN, got_min, got_max;
    for (size_t i = 0; i < series->count; i++) {
        int64_t ts_ms = series->samples[i].ts_ms;
        want_min = ts_ms < want_min ? ts_ms : want_min;
        want_max = ts_ms > want_max ? ts_ms : want_max;
    }
    head_time_range(m->head, series->ref, &got_min, &got_max);
    assert_int_equal(got_min, want_min);
    assert_int_equal(got_max, want_max);
}

static void check_series(struct model *m, struct model_series *series)
{
    check_read(m, series);
    check_time_range(m, series);
    assert_int_equal(head_is_active(m->head, series->ref), series->is_active);
}

static void check_totals(struct model *m)
{
    size_t series_count = 0;
    uint64_t sample_count = 0;
    for (size_t tenant = 0; tenant < TENANT_COUNT; tenant++) {
        uint64_t active = 0;
        for (size_t set = 0; set < SET_COUNT; set++) {
            const struct model_series *series = &m->series[tenant][set];
            series_count += series->exists;
            active += series->exists && series->is_active;
            for (size_t i = 0; series->exists && i < series->count; i++)
                sample_count += !series->samples[i].is_aside;
        }
        assert_int_equal(counter_get(&m->tenant[tenant]->active_series), active);
    }
    assert_int_equal(head_series_count(m->head), series_count);
    assert_int_equal(head_sample_count(m->head), sample_count);
}

static struct matcher random_matcher(struct model *m)
{
    static const char *const names[] = {"__name__", "a", "b", "c", "nope"};
    static const char *const texts[][8] = {
        {"m0", "m1", "m1|m2", "up|m0|q", "m.*", "m.+", "m[01]", ""},
        {"0", "1", "0|1|", "1|10", "1.*", "", ".+", "[0-1]|x"},
        {"x", "zz", "x|zz|q", "y|", "z.+", ".*", "", "(y|zz)?"},
        {"v7", "v1", "v1|v2|v3", "v1|v2|v3|", "v1.*", ".+", "", "v[0-9]"},
        {"", "x", ".*", ".+", "x|y", "x|", "x?", "[xy]"},
    };
    struct error err;
    struct matcher matcher;
    size_t name = below(m, below(m, 10) == 0 ? 5 : 4);
    expect_ok(matcher_init(&matcher, (enum matcher_op)below(m, 4), str_from(names[name]),
                           str_from(texts[name][below(m, 8)]), &m->arena, &err));
    return matcher;
}

static bool is_selected(struct model *m, size_t set, const struct matcher *matchers, size_t count)
{
    struct labels labels = labels_of(m, set);
    for (size_t i = 0; i < count; i++) {
        if (!matcher_matches(&matchers[i], labels_get(labels, matchers[i].name)))
            return false;
    }
    return true;
}

static void check_select(struct model *m)
{
    struct error err;
    struct matcher matchers[4];
    size_t matcher_count = below(m, 5);
    for (size_t i = 0; i < matcher_count; i++)
        matchers[i] = random_matcher(m);
    size_t tenant = below(m, TENANT_COUNT);
    struct ref_list refs;
    expect_ok(head_select(m->head, m->tenant[tenant], (struct matchers){matchers, matcher_count},
                          &m->arena, &refs, &err));
    size_t slot_count = head_slot_count(m->head);
    bool *is_there = arena_alloc_zeroed(&m->arena, slot_count);
    for (size_t i = 0; i < refs.count; i++) {
        assert_false(is_there[refs.ptr[i].value]);
        is_there[refs.ptr[i].value] = true;
    }
    size_t want_count = 0;
    for (size_t set = 0; set < SET_COUNT; set++) {
        const struct model_series *series = &m->series[tenant][set];
        if (!series->exists || !is_selected(m, set, matchers, matcher_count))
            continue;
        want_count++;
        assert_true(is_there[series->ref.value]);
    }
    assert_int_equal(refs.count, want_count);
    for (size_t i = 0; i < matcher_count; i++)
        matcher_deinit(&matchers[i]);
}

static void check_labels(struct model *m)
{
    size_t tenant = below(m, TENANT_COUNT);
    size_t set = random_set(m);
    const struct model_series *series = &m->series[tenant][set];
    if (!series->exists)
        return;
    struct labels labels = head_labels(m->head, series->ref, &m->arena);
    assert_true(labels_eq(labels, labels_of(m, set)));
    assert_ptr_equal(head_tenant(m->head, series->ref), m->tenant[tenant]);
}

static bool has_text(struct str_list list, struct str text)
{
    size_t found = 0;
    for (size_t i = 0; i < list.count; i++)
        found += str_eq(list.ptr[i], text);
    assert_true(found <= 1);
    return found == 1;
}

/* Names or values are listed exactly when a series has them. */
static void check_names_and_values(struct model *m)
{
    size_t tenant = below(m, TENANT_COUNT);
    struct str_list names, values;
    size_t c_values = 0;
    struct error err;
    expect_ok(head_label_names(m->head, m->tenant[tenant], &m->arena, &names, &err));
    expect_ok(head_label_values(m->head, m->tenant[tenant], STR("c"), &m->arena, &values, &err));
    bool has_name[LABELS_MAX] = {false};
    bool has_value[C_COUNT] = {false};
    static const char *const all[] = {"__name__", "a", "b", "c"};
    for (size_t set = 0; set < SET_COUNT; set++) {
        if (!m->series[tenant][set].exists)
            continue;
        struct labels labels = labels_of(m, set);
        for (size_t i = 0; i < LABELS_MAX; i++)
            has_name[i] |= labels_get(labels, str_from(all[i])).len > 0;
        has_value[set % C_COUNT] = true;
    }
    for (size_t i = 0; i < LABELS_MAX; i++)
        assert_int_equal(has_text(names, str_from(all[i])), has_name[i]);
    for (size_t c = 1; c < C_COUNT; c++) {
        struct str value = arena_format(&m->arena, "v%zu", c);
        assert_int_equal(has_text(values, value), has_value[c]);
        c_values += has_value[c];
    }
    assert_int_equal(values.count, c_values);
}

/* ---- one life of a head ---- */

static void step(struct model *m)
{
    m->now_ms += (int64_t)below(m, 20);
    switch (below(m, 12)) {
    case 0:
        head_sweep_idle(m->head, m->now_ms - 50);
        for_each(m, model_sweep);
        break;
    case 1:
        flush_step(m);
        break;
    case 2:
        for (int i = 0; i < 8; i++)
            check_select(m);
        break;
    case 3:
        check_labels(m);
        check_names_and_values(m);
        break;
    case 4:
        adopt_some(m);
        break;
    default:
        append_some(m);
        break;
    }
    arena_reset(&m->arena);
}

static struct model *model_new(uint64_t seed)
{
    struct error err;
    struct model *m = mem_alloc_zeroed(1, sizeof *m);
    random_init_seeded(&m->random, seed);
    arena_init(&m->arena, SIZE_MAX);
    struct tenant_table_options options = {
        .shard_count = 1, .tenants_max = TENANT_COUNT, .default_tenant = STR("t0")};
    expect_ok(tenant_table_open(&options, &m->tenants, &err));
    m->tenant[0] = tenant_table_default(m->tenants);
    expect_ok(tenant_table_get(m->tenants, STR("t1"), &m->tenant[1], &err));
    m->head = head_new();
    m->before = SERIES_REF_NONE;
    return m;
}

static void model_free(struct model *m)
{
    for (size_t tenant = 0; tenant < TENANT_COUNT; tenant++) {
        for (size_t set = 0; set < SET_COUNT; set++)
            mem_free(m->series[tenant][set].samples);
    }
    head_free(m->head);
    tenant_table_close(m->tenants);
    arena_deinit(&m->arena);
    mem_free(m);
}

static void run_seeds(uint64_t first, uint64_t count, int steps)
{
    for (uint64_t seed = first; seed < first + count; seed++) {
        struct model *m = model_new(seed);
        for (int i = 0; i < steps; i++) {
            step(m);
            check_totals(m);
        }
        for_each(m, check_series);
        arena_reset(&m->arena);
        if (m->is_flushing)
            flush_step(m);
        for_each(m, check_series);
        check_totals(m);
        model_free(m);
    }
}

TEST(many_short_lives_equal_the_model)
{
    run_seeds(test_seed(1000), 500, STEPS);
}

TEST(many_short_lives_with_a_hash_of_four_bits_equal_the_model)
{
    hash_set_bits(4);
    run_seeds(test_seed(2000), 250, STEPS);
    hash_set_bits(64);
}

TEST(a_few_long_lives_equal_the_model)
{
    run_seeds(test_seed(3000), 10, 2000);
}

TEST_MAIN(RUN(many_short_lives_equal_the_model),
          RUN(many_short_lives_with_a_hash_of_four_bits_equal_the_model),
          RUN(a_few_long_lives_equal_the_model))
