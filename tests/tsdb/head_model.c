#include "tests/tsdb/head_model.h"

#include "base/mem.h"
#include "tests/support/test.h"

static const char *const metric_names[] = {"m0", "m1", "m2", "up"};
static const char *const a_values[] = {"", "0", "1", "2", "10"};
static const char *const b_values[] = {"", "x", "y", "zz"};
enum { HOT_SETS = 3, IDLE_MS = 50 };

struct head_model *head_model_new(uint64_t seed)
{
    struct error err;
    struct head_model *m = mem_alloc_zeroed(1, sizeof *m);
    random_init_seeded(&m->random, seed);
    arena_init(&m->arena, SIZE_MAX);
    struct tenant_table_options options = {
        .shard_count = 1, .tenants_max = HEAD_MODEL_TENANT_COUNT, .default_tenant = STR("t0")};
    expect_ok(tenant_table_open(&options, &m->tenants, &err));
    m->tenant[0] = tenant_table_default(m->tenants);
    expect_ok(tenant_table_get(m->tenants, STR("t1"), &m->tenant[1], &err));
    m->head = head_new();
    m->before = SERIES_REF_NONE;
    return m;
}

void head_model_free(struct head_model *m)
{
    for (size_t tenant = 0; tenant < HEAD_MODEL_TENANT_COUNT; tenant++) {
        for (size_t set = 0; set < HEAD_MODEL_SET_COUNT; set++)
            mem_free(m->series[tenant][set].samples);
    }
    head_free(m->head);
    tenant_table_close(m->tenants);
    mem_free(m->runs.ptr);
    arena_deinit(&m->arena);
    mem_free(m);
}

/* ---- label sets ---- */

static void add_label(struct label *labels, size_t *count, const char *name, const char *value)
{
    if (value[0] != '\0')
        labels[(*count)++] = (struct label){str_from(name), str_from(value)};
}

struct labels head_model_labels(struct head_model *m, size_t set)
{
    struct label *labels = arena_alloc(&m->arena, HEAD_MODEL_LABELS_MAX * sizeof *labels);
    size_t count = 0;
    size_t c = set % HEAD_MODEL_C_COUNT;
    add_label(labels, &count, "__name__", metric_names[set / HEAD_MODEL_C_COUNT % 4]);
    add_label(labels, &count, "a", a_values[set / HEAD_MODEL_C_COUNT / 4 % 5]);
    add_label(labels, &count, "b", b_values[set / HEAD_MODEL_C_COUNT / 4 / 5]);
    if (c > 0)
        add_label(labels, &count, "c", arena_format(&m->arena, "v%zu", c).ptr);
    return (struct labels){labels, count};
}

size_t head_model_random_set(struct head_model *m)
{
    return random_below(&m->random, 2) == 0 ? random_below(&m->random, HOT_SETS) * 101
                                            : random_below(&m->random, HEAD_MODEL_SET_COUNT);
}

/* ---- the operations ---- */

static struct series_ref find(struct head_model *m, size_t tenant, size_t set)
{
    struct labels labels = head_model_labels(m, set);
    struct head_key key = {.tenant = m->tenant[tenant], .hash = labels_identity_hash(labels)};
    struct buffer identity;
    buffer_init(&identity, SIZE_MAX);
    if (random_below(&m->random, 2) == 0) {
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
    if (ref.value == SERIES_REF_NONE.value || random_below(&m->random, 4) == 0)
        return ref;
    if (m->before.value != SERIES_REF_NONE.value)
        head_note_order(m->head, m->before, ref);
    m->before = ref;
    return ref;
}

/* The series, found or added as the write path does it. */
static struct model_series *get_series(struct head_model *m, size_t tenant, size_t set)
{
    struct model_series *series = &m->series[tenant][set];
    struct series_ref ref = find(m, tenant, set);
    assert_int_equal(ref.value, series->exists ? series->ref.value : SERIES_REF_NONE.value);
    if (!series->exists) {
        series->ref = head_add(m->head, m->tenant[tenant], head_model_labels(m, set), m->now_ms);
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

static int64_t random_ts_ms(struct head_model *m, const struct model_series *series)
{
    static const int64_t odd[] = {INT64_MIN, INT64_MIN + 1, -1, 0, INT64_MAX - 1};
    switch (random_below(&m->random, 12)) {
    case 0: /* one that is there */
        if (series->count > 0)
            return series->samples[random_below(&m->random, series->count)].ts_ms;
        return 1700000000000;
    case 1:
    case 2: /* somewhere among the others */
        return greatest_ts_ms(series) - (int64_t)random_below(&m->random, 3000);
    case 3:
        if (random_below(&m->random, 20) == 0)
            return odd[random_below(&m->random, 5)];
        return greatest_ts_ms(series) - (int64_t)random_below(&m->random, 1 << 20);
    case 4: /* too far for an offset of 32 bits */
        if (random_below(&m->random, 20) == 0 && greatest_ts_ms(series) < INT64_MAX / 2)
            return greatest_ts_ms(series) + (INT64_C(1) << 33);
        break;
    default:
        break;
    }
    int64_t greatest = greatest_ts_ms(series);
    return greatest > INT64_MAX - 100 ? greatest
                                      : greatest + 1 + (int64_t)random_below(&m->random, 20);
}

static uint64_t random_bits(struct head_model *m)
{
    static const uint64_t odd[] = {STALE_NAN_BITS,     0x7ff8000000000001, 0xfff0000000000123,
                                   0x8000000000000000, 0x7ff0000000000000, 1};
    if (random_below(&m->random, 4) == 0)
        return odd[random_below(&m->random, 6)];
    return f64_bits((double)random_below(&m->random, 1000) /
                    (random_below(&m->random, 2) == 0 ? 1 : 7));
}

static enum append_result note_append(struct head_model *m, struct model_series *series,
                                      int64_t ts_ms, uint64_t bits)
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

/* As a write does, or as a replay, which copies full runs: nothing that can be seen depends on who
   seals. */
static enum append_result append_either_way(struct head_model *m, struct series_ref ref,
                                            struct sample sample)
{
    enum append_result result = head_look(m->head, ref, sample);
    struct logged_sample logged = {sample, ref};
    if (random_below(&m->random, 2) == 0)
        return head_append(m->head, ref, sample, m->now_ms);
    size_t taken = head_append_logged(m->head, &logged, 1, m->now_ms, &m->runs);
    assert_int_equal(taken, result == APPEND_OK);
    return result;
}

void head_model_adopt(struct head_model *m)
{
    struct buffer chunk;
    buffer_init(&chunk, CHUNK_BYTES_MAX);
    while (m->runs.count > 0 && random_below(&m->random, 4) > 0) {
        struct full_run *run = &m->runs.ptr[--m->runs.count];
        buffer_reset(&chunk);
        full_run_encode(run, &m->times, &chunk);
        assert_int_equal(run->chunk_len, chunk.len);
        head_adopt_chunk(m->head, run, buffer_bytes(&chunk));
    }
    buffer_deinit(&chunk);
}

void head_model_append(struct head_model *m)
{
    struct model_series *series =
        get_series(m, random_below(&m->random, HEAD_MODEL_TENANT_COUNT), head_model_random_set(m));
    size_t count = random_below(&m->random, 3) == 0 ? random_below(&m->random, 40)
                                                    : random_below(&m->random, 3);
    for (size_t i = 0; i < count; i++) {
        int64_t ts_ms = random_ts_ms(m, series);
        uint64_t bits = random_bits(m);
        if (series->count > 0 && random_below(&m->random, 8) == 0) { /* a retry */
            ts_ms = series->samples[series->count - 1].ts_ms;
            bits = series->samples[series->count - 1].bits;
        }
        struct sample sample = {ts_ms, f64_from_bits(bits)};
        enum append_result want = note_append(m, series, ts_ms, bits);
        assert_int_equal(append_either_way(m, series->ref, sample), want);
    }
}

void head_model_each(struct head_model *m,
                     void (*visit)(struct head_model *m, struct model_series *series))
{
    for (size_t tenant = 0; tenant < HEAD_MODEL_TENANT_COUNT; tenant++) {
        for (size_t set = 0; set < HEAD_MODEL_SET_COUNT; set++) {
            if (m->series[tenant][set].exists)
                visit(m, &m->series[tenant][set]);
        }
    }
}

static void sweep_series(struct head_model *m, struct model_series *series)
{
    if (series->last_append_ms <= m->now_ms - IDLE_MS)
        series->is_active = false;
}

void head_model_sweep(struct head_model *m)
{
    head_sweep_idle(m->head, m->now_ms - IDLE_MS);
    head_model_each(m, sweep_series);
}

static void begin_flush(struct head_model *m, struct model_series *series)
{
    (void)m;
    for (size_t i = 0; i < series->count; i++)
        series->samples[i].is_aside = true;
}

static void abort_flush(struct head_model *m, struct model_series *series)
{
    (void)m;
    for (size_t i = 0; i < series->count; i++)
        series->samples[i].is_aside = false;
}

static void end_flush(struct head_model *m, struct model_series *series)
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

void head_model_flush(struct head_model *m)
{
    m->runs.count = 0;
    if (!m->is_flushing) {
        head_flush_begin(m->head);
        head_model_each(m, begin_flush);
    } else if (random_below(&m->random, 2) == 0) {
        head_flush_end(m->head);
        head_model_each(m, end_flush);
    } else {
        head_flush_abort(m->head);
        head_model_each(m, abort_flush);
    }
    m->is_flushing = !m->is_flushing;
}
