/*
 * replay_crew: the threads that open the shards of a store and help each other with the logs.
 *
 * A shard's own thread reads its log and hands it on in batches, down a line (replay_line.h). Who
 * has opened its shard stays to help with the lines of the others, while fewer threads than
 * processors have work.
 *
 * Locks: the crew's guards what is in all its lines, too; nothing else is taken under it.
 */
#ifndef CROFT_TSDB_REPLAY_CREW_H
#define CROFT_TSDB_REPLAY_CREW_H

#include "base/thread.h"

/* Of one line: one applies while the shard's thread decodes, one more seals; others would wait. */
enum { REPLAY_HELPERS_MAX = 2 };

struct replay_line;

struct replay_crew {
    struct mutex lock;
    struct cond has_news;      /* a batch has gone on, or a shard is open */
    struct replay_line *lines; /* guarded by lock */
    unsigned opening_count; /* guarded by lock; shards that are not open yet, each with a thread */
    unsigned helper_count;  /* guarded by lock */
    unsigned idle_count;    /* guarded by lock; helpers that wait for news */
    unsigned worker_max;
};

struct replay_crew *replay_crew_new(unsigned shard_count, unsigned processor_count);
void replay_crew_free(struct replay_crew *crew);
/* One of the shards has been opened, or could not be. */
void replay_crew_end_shard(struct replay_crew *crew);
/* Helps until all shards are open, or there are enough threads that have work. */
void replay_crew_help(struct replay_crew *crew);

#endif
