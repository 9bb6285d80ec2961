#include "tests/support/test.h"

#include "base/thread.h"
#include "tests/tsdb/wal_journal.h"
#include "tests/tsdb/wal_listener.h"

struct writer {
    struct wal *wal;
    struct mutex *shard_lock;
    uint32_t ref;
    struct counter acked;
    struct thread thread;
};

struct counted_waiter {
    struct wal_waiter base;
    struct writer *writer;
};

static void count_ack(struct wal_waiter *base, enum status status)
{
    struct counted_waiter *waiter = (struct counted_waiter *)base;
    if (status == STATUS_OK)
        counter_add(&waiter->writer->acked, 1);
}

enum { WRITERS = 3, WRITES = 500 };

static void run_writer(void *context)
{
    struct writer *writer = context;
    static struct counted_waiter waiters[WRITERS][WRITES];
    for (uint32_t i = 0; i < WRITES; i++) {
        struct counted_waiter *waiter = &waiters[writer->ref][i];
        *waiter = (struct counted_waiter){{NULL, count_ack}, writer};
        mutex_lock(writer->shard_lock);
        wal_batch_begin(writer->wal);
        if (i == 0)
            declare_series(writer->wal, writer->ref);
        wal_log_sample(writer->wal, (struct series_ref){writer->ref}, (struct sample){i, i});
        bool is_durable = wal_wait(writer->wal, &waiter->base);
        wal_batch_end(writer->wal);
        mutex_unlock(writer->shard_lock);
        if (is_durable)
            counter_add(&writer->acked, 1);
    }
}

static uint64_t acked_of(const struct writer *writers)
{
    uint64_t acked = 0;
    for (size_t i = 0; i < WRITERS; i++)
        acked += counter_get(&writers[i].acked);
    return acked;
}

TEST(writers_go_on_while_a_commit_is_under_way)
{
    static struct heard heard;
    struct error err;
    struct journal journal;
    struct sim_disk *sim = journal_disk(1);
    journal_open(&journal, sim, 4096, 0);
    struct mutex shard_lock;
    mutex_init(&shard_lock);
    struct writer writers[WRITERS] = {0};
    for (uint32_t i = 0; i < WRITERS; i++) {
        writers[i].wal = journal.wal;
        writers[i].shard_lock = &shard_lock;
        writers[i].ref = i;
        thread_start(&writers[i].thread, "writer", run_writer, &writers[i]);
    }
    while (acked_of(writers) < WRITERS * WRITES)
        expect_ok(wal_commit(journal.wal, &err));
    for (uint32_t i = 0; i < WRITERS; i++)
        thread_join(&writers[i].thread);
    journal_close(&journal);
    mutex_deinit(&shard_lock);
    expect_ok(hear(sim, 0, &heard, &err));
    assert_int_equal(heard.count, WRITERS * WRITES);
    int64_t next[WRITERS] = {0};
    for (size_t i = 0; i < heard.count; i++)
        assert_int_equal(heard.samples[i].ts_ms, next[heard.refs[i].value]++);
    sim_disk_free(sim);
}

static void commit(void *context)
{
    struct wal *wal = context;
    struct error err;
    enum status status = wal_commit(wal, &err);
    (void)status; /* the waiter is told */
}

TEST(a_commit_gets_the_batch_that_it_is_offered_and_the_rest_goes_to_the_next)
{
    static struct heard heard;
    struct error err;
    struct journal journal;
    struct sim_disk *sim = journal_disk(1);
    journal_open(&journal, sim, 4096, 0);
    struct writer writer = {.wal = journal.wal};
    struct counted_waiter waiter = {{NULL, count_ack}, &writer};
    struct thread committer = {0};
    wal_batch_begin(journal.wal);
    wal_batch_offer(journal.wal); /* nobody wants it */
    declare_series(journal.wal, 0);
    wal_log_sample(journal.wal, (struct series_ref){0}, (struct sample){0, 0});
    assert_false(wal_wait(journal.wal, &waiter.base));
    thread_start(&committer, "commit", commit, journal.wal);
    while (counter_get(&writer.acked) == 0)
        wal_batch_offer(journal.wal);
    wal_log_sample(journal.wal, (struct series_ref){0}, (struct sample){1, 1});
    wal_batch_end(journal.wal);
    thread_join(&committer);
    assert_true(wal_has_pending(journal.wal));
    expect_ok(wal_commit(journal.wal, &err));
    assert_false(wal_has_pending(journal.wal));
    journal_close(&journal);
    expect_ok(hear(sim, 0, &heard, &err));
    assert_int_equal(heard.count, 2);
    sim_disk_free(sim);
}

TEST_MAIN(RUN(writers_go_on_while_a_commit_is_under_way),
          RUN(a_commit_gets_the_batch_that_it_is_offered_and_the_rest_goes_to_the_next))
