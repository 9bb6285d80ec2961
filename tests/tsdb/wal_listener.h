/*
 * wal_listener: writes down everything that a replay hands over.
 */
#ifndef CROFT_TESTS_TSDB_WAL_LISTENER_H
#define CROFT_TESTS_TSDB_WAL_LISTENER_H

#include "base/sim_disk.h"
#include "tsdb/wal/wal.h"

enum { HEARD_MAX = 4096 };

struct heard {
    struct series_ref refs[HEARD_MAX];
    struct sample samples[HEARD_MAX];
    size_t count;
    char series[8192]; /* "ref tenant name=value,...;" for each */
    size_t series_len;
    uint32_t epochs[8];
    size_t epoch_count;
    struct wal_replay_report report;
};

/* Replays the log of wal_journal.h into `heard`, which is emptied first. */
enum status hear(struct sim_disk *sim, uint32_t covered_epoch, struct heard *heard,
                 struct error *err);

#endif
