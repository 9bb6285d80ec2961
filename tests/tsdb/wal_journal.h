/*
 * wal_journal: what a test logged, what it was told is durable, and what a replay gave back.
 *
 * Entry i is the i-th sample that was logged: series i % JOURNAL_SERIES, a value that is unlike all
 * others. So a replay can be compared entry by entry.
 */
#ifndef CROFT_TESTS_TSDB_WAL_JOURNAL_H
#define CROFT_TESTS_TSDB_WAL_JOURNAL_H

#include "base/sim_disk.h"
#include "tsdb/wal/wal.h"

enum { JOURNAL_SERIES = 7, JOURNAL_ENTRIES_MAX = 4096, JOURNAL_WAITERS_MAX = 256 };

struct journal;

struct journal_waiter {
    struct wal_waiter base;
    struct journal *journal;
    size_t logged; /* entries that were logged when it began to wait */
};

struct journal {
    struct disk *disk;
    struct wal *wal;
    size_t logged;
    size_t acked;   /* entries [0, acked) were told to be durable */
    size_t refused; /* waiters that were told otherwise */
    uint32_t covered_epoch;
    size_t covered;                       /* entries [0, covered) are in epochs <= covered_epoch */
    uint32_t declared_in[JOURNAL_SERIES]; /* epoch */
    struct journal_waiter waiters[JOURNAL_WAITERS_MAX];
    size_t waiter_count;
};

struct sample journal_sample(size_t entry);

/* Logs `count` more entries as one batch, declaring series as needed. */
void journal_log(struct journal *journal, size_t count);
/* Declares a series of no entry. */
void declare_series(struct wal *wal, uint32_t ref);
/* Waits for all that is logged, as a write request would. */
void journal_wait(struct journal *journal);

struct replayed {
    size_t entries[JOURNAL_ENTRIES_MAX];
    size_t count;
    size_t series_of_ref[64];
    struct wal_replay_report report;
};

enum { JOURNAL_SHARD = 3 };
#define JOURNAL_FOLDER "wal"

/* A disk with the empty folder, durable. */
struct sim_disk *journal_disk(uint64_t seed);
void journal_open(struct journal *journal, struct sim_disk *sim, uint64_t segment_bytes,
                  uint32_t epoch_after);
void journal_close(struct journal *journal);

/* Fails the test when a sample comes back that is not exactly a logged one. */
enum status journal_replay(struct sim_disk *sim, uint32_t covered_epoch, struct replayed *out,
                           struct error *err);
/* The replay is exactly the entries from journal->covered on, without a gap, all that were
   acknowledged among them. */
void journal_expect_prefix(const struct journal *journal, const struct replayed *replayed);

#endif
