/*
 * Random operations on a head: whatever is asked of it afterwards is what the naive model says.
 */
#include "tests/tsdb/head_model.h"

#include <stdlib.h>

#include "base/hash.h"
#include "tests/support/test.h"

enum { STEPS = 60 };

static int compare_samples(const void *a, const void *b)
{
    const struct model_sample *left = a;
    const struct model_sample *right = b;
    return (left->ts_ms > right->ts_ms) - (left->ts_ms < right->ts_ms);
}

/* `columns` holds exactly the model's samples in the range; those aside only, if
   `is_aside_only`. */
static void expect_samples(struct head_model *m, const struct model_series *series,
                           int64_t min_ts_ms, int64_t max_ts_ms, bool is_aside_only,
                           const struct columns *columns)
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

static void check_read(struct head_model *m, const struct model_series *series)
{
    struct error err;
    int64_t min_ts_ms = INT64_MIN;
    int64_t max_ts_ms = INT64_MAX;
    if (series->count > 0 && random_below(&m->random, 2) == 0) {
        min_ts_ms = series->samples[random_below(&m->random, series->count)].ts_ms;
        max_ts_ms = series->samples[random_below(&m->random, series->count)].ts_ms;
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

static void check_time_range(struct head_model *m, const struct model_series *series)
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

static void check_series(struct head_model *m, struct model_series *series)
{
    check_read(m, series);
    check_time_range(m, series);
    assert_int_equal(head_is_active(m->head, series->ref), series->is_active);
}

static void check_totals(struct head_model *m)
{
    size_t series_count = 0;
    uint64_t sample_count = 0;
    for (size_t tenant = 0; tenant < HEAD_MODEL_TENANT_COUNT; tenant++) {
        uint64_t active = 0;
        for (size_t set = 0; set < HEAD_MODEL_SET_COUNT; set++) {
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

static struct matcher random_matcher(struct head_model *m)
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
    size_t name = random_below(&m->random, random_below(&m->random, 10) == 0 ? 5 : 4);
    expect_ok(matcher_init(&matcher, (enum matcher_op)random_below(&m->random, 4),
                           str_from(names[name]),
                           str_from(texts[name][random_below(&m->random, 8)]), &m->arena, &err));
    return matcher;
}

static bool is_selected(struct head_model *m, size_t set, const struct matcher *matchers,
                        size_t count)
{
    struct labels labels = head_model_labels(m, set);
    for (size_t i = 0; i < count; i++) {
        if (!matcher_matches(&matchers[i], labels_get(labels, matchers[i].name)))
            return false;
    }
    return true;
}

static void check_select(struct head_model *m)
{
    struct error err;
    struct matcher matchers[4];
    size_t matcher_count = random_below(&m->random, 5);
    for (size_t i = 0; i < matcher_count; i++)
        matchers[i] = random_matcher(m);
    size_t tenant = random_below(&m->random, HEAD_MODEL_TENANT_COUNT);
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
    for (size_t set = 0; set < HEAD_MODEL_SET_COUNT; set++) {
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

static void check_labels(struct head_model *m)
{
    size_t tenant = random_below(&m->random, HEAD_MODEL_TENANT_COUNT);
    size_t set = head_model_random_set(m);
    const struct model_series *series = &m->series[tenant][set];
    if (!series->exists)
        return;
    struct labels labels = head_labels(m->head, series->ref, &m->arena);
    assert_true(labels_eq(labels, head_model_labels(m, set)));
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
static void check_names_and_values(struct head_model *m)
{
    size_t tenant = random_below(&m->random, HEAD_MODEL_TENANT_COUNT);
    struct str_list names, values;
    size_t c_values = 0;
    struct error err;
    expect_ok(head_label_names(m->head, m->tenant[tenant], &m->arena, &names, &err));
    expect_ok(head_label_values(m->head, m->tenant[tenant], STR("c"), &m->arena, &values, &err));
    bool has_name[HEAD_MODEL_LABELS_MAX] = {false};
    bool has_value[HEAD_MODEL_C_COUNT] = {false};
    static const char *const all[] = {"__name__", "a", "b", "c"};
    for (size_t set = 0; set < HEAD_MODEL_SET_COUNT; set++) {
        if (!m->series[tenant][set].exists)
            continue;
        struct labels labels = head_model_labels(m, set);
        for (size_t i = 0; i < HEAD_MODEL_LABELS_MAX; i++)
            has_name[i] |= labels_get(labels, str_from(all[i])).len > 0;
        has_value[set % HEAD_MODEL_C_COUNT] = true;
    }
    for (size_t i = 0; i < HEAD_MODEL_LABELS_MAX; i++)
        assert_int_equal(has_text(names, str_from(all[i])), has_name[i]);
    for (size_t c = 1; c < HEAD_MODEL_C_COUNT; c++) {
        struct str value = arena_format(&m->arena, "v%zu", c);
        assert_int_equal(has_text(values, value), has_value[c]);
        c_values += has_value[c];
    }
    assert_int_equal(values.count, c_values);
}

/* ---- one life of a head ---- */

static void step(struct head_model *m)
{
    m->now_ms += (int64_t)random_below(&m->random, 20);
    switch (random_below(&m->random, 12)) {
    case 0:
        head_model_sweep(m);
        break;
    case 1:
        head_model_flush(m);
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
        head_model_adopt(m);
        break;
    default:
        head_model_append(m);
        break;
    }
    arena_reset(&m->arena);
}

static void run_seeds(uint64_t first, uint64_t count, int steps)
{
    for (uint64_t seed = first; seed < first + count; seed++) {
        struct head_model *m = head_model_new(seed);
        for (int i = 0; i < steps; i++) {
            step(m);
            check_totals(m);
        }
        head_model_each(m, check_series);
        arena_reset(&m->arena);
        if (m->is_flushing)
            head_model_flush(m);
        head_model_each(m, check_series);
        check_totals(m);
        head_model_free(m);
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
