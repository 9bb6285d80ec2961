#include "compaction/plan.h"
#include "tests/support/test.h"

static const struct plan_limits limits = {
    .flush_after_ms = 1000, .flush_memory_bytes = 100, .flush_samples = 50, .flush_wal_bytes = 200};

/* Of the first of four shards. */
static bool wants_flush(struct shard_status status)
{
    return plan_wants_flush(&limits, &status, 0, 4);
}

TEST(a_head_is_flushed_when_its_oldest_sample_is_old_enough)
{
    assert_false(wants_flush((struct shard_status){.head_samples = 1, .head_age_ms = 999}));
    assert_true(wants_flush((struct shard_status){.head_samples = 1, .head_age_ms = 1000}));
}

TEST(a_head_is_flushed_when_its_samples_take_much_memory)
{
    struct shard_status status = {.head_samples = 1, .head_sample_memory_bytes = 100};
    assert_false(wants_flush(status));
    status.head_sample_memory_bytes = 101;
    assert_true(wants_flush(status));
}

TEST(a_head_is_not_flushed_for_the_memory_of_its_series)
{
    assert_false(wants_flush((struct shard_status){.head_samples = 1, .head_memory_bytes = 5000}));
}

TEST(a_head_is_flushed_when_a_replay_would_take_long)
{
    assert_false(wants_flush((struct shard_status){.head_samples = 50}));
    assert_true(wants_flush((struct shard_status){.head_samples = 51}));
}

TEST(a_head_is_flushed_when_its_log_is_long)
{
    struct shard_status status = {
        .head_samples = 1, .wal_bytes = 200, .disk_free_bytes = UINT64_MAX};
    assert_false(wants_flush(status));
    status.wal_bytes = 201;
    assert_true(wants_flush(status));
}

TEST(a_head_is_flushed_while_the_disk_has_room_for_it)
{
    struct shard_status status = {.head_samples = 1, .wal_bytes = 80, .disk_free_bytes = 80};
    assert_false(wants_flush(status));
    status.disk_free_bytes = 79;
    assert_true(wants_flush(status));
}

TEST(an_empty_head_is_never_flushed)
{
    assert_false(wants_flush((struct shard_status){
        .head_age_ms = 5000, .head_sample_memory_bytes = 5000, .wal_bytes = 5000}));
}

TEST(shards_take_turns_and_none_waits_half_as_long_again)
{
    for (uint32_t shard = 0; shard < 4; shard++) {
        int64_t due_ms = 1000 + 125 * (int64_t)shard;
        struct shard_status status = {.head_samples = 1, .head_age_ms = due_ms - 1};
        assert_false(plan_wants_flush(&limits, &status, shard, 4));
        status.head_age_ms = due_ms;
        assert_true(plan_wants_flush(&limits, &status, shard, 4));
    }
}

TEST(a_block_is_expired_when_its_last_sample_is_older_than_the_retention)
{
    const struct block_meta meta = {.min_ts_ms = 0, .max_ts_ms = 5000};
    assert_false(plan_is_expired(&meta, 1000, 6000)); /* a query may still show it */
    assert_true(plan_is_expired(&meta, 1000, 6001));
    assert_false(plan_is_expired(&meta, 1000, 0)); /* a clock that is set back */
}

TEST_MAIN(RUN(a_head_is_flushed_when_its_oldest_sample_is_old_enough),
          RUN(a_head_is_flushed_when_its_samples_take_much_memory),
          RUN(a_head_is_not_flushed_for_the_memory_of_its_series),
          RUN(a_head_is_flushed_when_a_replay_would_take_long),
          RUN(a_head_is_flushed_when_its_log_is_long),
          RUN(a_head_is_flushed_while_the_disk_has_room_for_it),
          RUN(an_empty_head_is_never_flushed),
          RUN(shards_take_turns_and_none_waits_half_as_long_again),
          RUN(a_block_is_expired_when_its_last_sample_is_older_than_the_retention))
