/*
 * Batches on their way down a line, with no helper, one or several. A check that fails in a thread
 * ends the process: cmocka's asserts are for the main thread only.
 */
#include "tsdb/store/replay_line.h"

#include "base/check.h"
#include "tests/support/test.h"

/* Each batch has a sample of each series: a run of each is full in every sixteenth. */
enum { SERIES = 300, BATCHES = 100, HELPERS_MAX = 3 };

struct replaying {
    struct replay_crew *crew;
    struct replay_line line;
    struct tenant_table *tenants;
    struct series_ref refs[SERIES];
    struct thread helpers[HELPERS_MAX];
    int64_t applied_count; /* of who applies */
    int64_t fails_at;      /* the number of a batch */
};

static enum status apply(void *context, struct replay_batch *batch, struct error *err)
{
    struct replaying *r = context;
    CHECK(batch->samples[0].sample.ts_ms == r->applied_count);
    if (r->applied_count == r->fails_at)
        return error_set(err, STATUS_INVALID, "batch %d is wrong", (int)r->fails_at);
    r->applied_count++;
    for (size_t i = 0; i < batch->sample_count; i++)
        batch->samples[i].ref = r->refs[batch->samples[i].ref.value];
    CHECK(head_append_logged(r->line.head, batch->samples, batch->sample_count, 0, &batch->runs) ==
          batch->sample_count);
    return STATUS_OK;
}

static void help(void *context)
{
    struct replaying *r = context;
    replay_crew_help(r->crew);
}

static void begin(struct replaying *r, unsigned helper_count)
{
    struct error err;
    const struct tenant_table_options options = {
        .shard_count = 1, .tenants_max = 10, .default_tenant = STR("a")};
    *r = (struct replaying){.crew = replay_crew_new(1, 1 + helper_count), .fails_at = -1};
    r->line = (struct replay_line){.head = head_new(), .apply = apply, .context = r};
    expect_ok(tenant_table_open(&options, &r->tenants, &err));
    for (uint32_t i = 0; i < SERIES; i++) {
        char value[2] = {(char)('a' + i % 26), (char)('a' + i / 26)};
        const struct label label = {STR("n"), {value, sizeof value}};
        r->refs[i] =
            head_add(r->line.head, tenant_table_default(r->tenants), (struct labels){&label, 1}, 0);
    }
    for (unsigned i = 0; i < helper_count; i++)
        thread_start(&r->helpers[i], "helper", help, r);
    replay_line_open(&r->line, r->crew);
}

static void end(struct replaying *r)
{
    replay_crew_end_shard(r->crew);
    for (int i = 0; i < HELPERS_MAX; i++)
        thread_join(&r->helpers[i]);
    replay_crew_free(r->crew);
    head_free(r->line.head);
    tenant_table_close(r->tenants);
}

static void fill(struct replaying *r, int64_t number)
{
    struct replay_batch *batch = replay_line_batch(&r->line);
    assert_int_equal(batch->step_count + batch->sample_count + batch->runs.count, 0);
    for (uint32_t i = 0; i < SERIES; i++) {
        const struct logged_sample sample = {{number, (double)(number * i)}, {i}};
        assert_int_equal(replay_batch_add_samples(batch, &sample, 1), 1);
    }
}

static void expect_all(struct replaying *r)
{
    struct error err;
    struct columns out;
    columns_init(&out);
    for (uint32_t i = 0; i < SERIES; i++) {
        columns_reset(&out);
        expect_ok(head_read(r->line.head, r->refs[i], INT64_MIN, INT64_MAX, &out, &err));
        assert_int_equal(out.count, BATCHES);
        for (int64_t k = 0; k < BATCHES; k++) {
            assert_int_equal(out.ts_ms[k], k);
            assert_true(out.values[k] == (double)(k * i));
        }
    }
    columns_deinit(&out);
}

TEST(batches_are_applied_in_their_order_however_many_help)
{
    for (unsigned helpers = 0; helpers <= HELPERS_MAX; helpers++) {
        struct replaying r;
        struct error err;
        begin(&r, helpers);
        for (int64_t i = 0; i < BATCHES; i++) {
            fill(&r, i);
            if (i + 1 < BATCHES)
                expect_ok(replay_line_pass(&r.line, &err));
        }
        expect_ok(replay_line_close(&r.line, &err));
        assert_int_equal(r.applied_count, BATCHES);
        expect_all(&r);
        end(&r);
    }
}

TEST(a_line_without_helpers_has_one_batch)
{
    struct replaying r;
    struct error err;
    begin(&r, 0);
    for (int64_t i = 0; i < BATCHES; i++) {
        fill(&r, i);
        expect_ok(replay_line_pass(&r.line, &err));
        assert_int_equal(r.applied_count, i + 1);
    }
    assert_int_equal(r.line.slot_count, 1);
    fill(&r, BATCHES);
    expect_ok(replay_line_close(&r.line, &err));
    end(&r);
}

TEST(nothing_is_applied_after_a_batch_that_could_not_be)
{
    for (unsigned helpers = 0; helpers <= HELPERS_MAX; helpers++) {
        struct replaying r;
        struct error err;
        enum status status = STATUS_OK;
        begin(&r, helpers);
        r.fails_at = 20;
        int64_t count = 0;
        for (; status == STATUS_OK; count++) {
            fill(&r, count);
            status = replay_line_pass(&r.line, &err);
        }
        assert_int_equal(status, STATUS_INVALID);
        assert_in_range(count, r.fails_at + 1, r.fails_at + 1 + REPLAY_LINE_BATCHES);
        fill(&r, count);
        err = (struct error){0};
        assert_int_equal(replay_line_close(&r.line, &err), STATUS_INVALID);
        assert_string_equal(err.text, "batch 20 is wrong");
        assert_int_equal(r.applied_count, r.fails_at);
        end(&r);
    }
}

/* Otherwise this would wait for ever. */
TEST(who_is_one_too_many_does_not_help)
{
    struct replay_crew *crew = replay_crew_new(2, 2);
    replay_crew_help(crew);
    replay_crew_end_shard(crew);
    replay_crew_end_shard(crew);
    replay_crew_help(crew);
    replay_crew_free(crew);
}

TEST(a_batch_is_full_of_samples_or_of_text)
{
    struct replay_batch *batch = replay_batch_new();
    static const struct logged_sample samples[REPLAY_BATCH_SAMPLES_MAX];
    const struct label label = {STR("__name__"), STR("a_metric_of_thirty-two_characters")};
    assert_int_equal(replay_batch_add_samples(batch, samples, REPLAY_BATCH_SAMPLES_MAX - 1),
                     REPLAY_BATCH_SAMPLES_MAX - 1);
    assert_false(replay_batch_is_full(batch));
    assert_int_equal(replay_batch_add_samples(batch, samples, 2), 1);
    assert_true(replay_batch_is_full(batch));
    assert_int_equal(batch->step_count, 1);
    replay_batch_reset(batch);
    size_t count = 0;
    for (; !replay_batch_is_full(batch); count++)
        replay_batch_add_series(batch, (struct series_ref){0}, STR("a"),
                                (struct labels){&label, 1});
    assert_in_range(count, 1, REPLAY_BATCH_TEXT_BYTES / (sizeof "__name__" + 32));
    assert_int_equal(batch->steps[0].count, count);
    replay_batch_free(batch);
}

TEST_MAIN(RUN(batches_are_applied_in_their_order_however_many_help),
          RUN(a_line_without_helpers_has_one_batch),
          RUN(nothing_is_applied_after_a_batch_that_could_not_be),
          RUN(who_is_one_too_many_does_not_help), RUN(a_batch_is_full_of_samples_or_of_text))
