/*
 * replay_line: the batches of one log on their way to the head, and the steps that they take.
 *
 *     filling ─► filled ─► applied ─► sealed ─► free
 *
 * They are applied one after the other, in the order of the log. Who applies also adopts: both
 * change the head, so one thread at a time does it. Each step may be done by any thread that has
 * nothing else to do: the shard's own while all its batches are on their way, and the crew's
 * helpers. A helper that sleeps is woken and left the head: if the shard's thread took it, the
 * helper would find it taken by the time it is awake, sleep again, and so on. Without a helper a
 * line has one batch, and the shard's thread does it all in a fixed order.
 *
 * Nothing depends on who was faster: the head ends up with the same samples in the same chunks.
 *
 * Threads: the shard's thread opens, fills, passes and closes. The crew's lock guards the line; a
 *          batch belongs to the thread that does a step of it.
 */
#ifndef CROFT_TSDB_REPLAY_LINE_H
#define CROFT_TSDB_REPLAY_LINE_H

#include "tsdb/store/replay_batch.h"
#include "tsdb/store/replay_crew.h"

/* Half of them last for longer than it takes to wake a thread: who fills sleeps until half are
   free, and who applies meanwhile has the others. 7 MB when all of them are full of full runs. */
enum { REPLAY_LINE_BATCHES = 12 };

enum replay_place {
    REPLAY_FREE,
    REPLAY_FILLING,
    REPLAY_FILLED,
    REPLAY_APPLIED,
    REPLAY_SEALED,
    REPLAY_IN_HAND, /* somebody does the next step */
};

struct replay_slot {
    struct replay_batch *batch;
    enum replay_place place;
    uint64_t number; /* in the order of the log */
};

/* The fields below `crew` are guarded by its lock. */
struct replay_line {
    struct head *head; /* kept */
    enum status (*apply)(void *context, struct replay_batch *batch, struct error *err);
    void *context;
    struct replay_crew *crew;
    struct replay_line *next; /* of the crew */
    struct replay_slot slots[REPLAY_LINE_BATCHES];
    size_t slot_count;
    struct replay_slot *filling;
    uint64_t next_number;
    bool is_head_taken; /* somebody applies or adopts */
    enum status status; /* of the first batch that could not be applied; none is applied after it */
    struct error err;
};

/* `head`, `apply` and `context` are set. */
void replay_line_open(struct replay_line *line, struct replay_crew *crew);
/* The batch to fill. */
struct replay_batch *replay_line_batch(const struct replay_line *line);
/* The batch is filled, another takes its place. The failure of any before it: the log need not be
 * read on. */
MUST_USE enum status replay_line_pass(struct replay_line *line, struct error *err);
/* Passes the last one, waits for all and frees them; the first failure. */
MUST_USE enum status replay_line_close(struct replay_line *line, struct error *err);

/* Does a step of one of its batches, without the lock meanwhile. False when none can be done. */
bool replay_line_work_locked(struct replay_crew *crew, struct replay_line *line)
    REQUIRES(crew->lock);

#endif
