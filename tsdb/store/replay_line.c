#include "tsdb/store/replay_line.h"

#include "base/check.h"

/* So many that are filled wake a helper. */
enum { WAKE_BATCHES = 3 };

/* ---- a step of a batch ---- */

/* NULL when there is none. */
static struct replay_slot *oldest(struct replay_line *line, enum replay_place place)
{
    struct replay_slot *oldest = NULL;
    for (size_t i = 0; i < line->slot_count; i++) {
        struct replay_slot *slot = &line->slots[i];
        if (slot->place == place && (oldest == NULL || slot->number < oldest->number))
            oldest = slot;
    }
    return oldest;
}

static size_t count_in(const struct replay_line *line, enum replay_place place)
{
    size_t count = 0;
    for (size_t i = 0; i < line->slot_count; i++)
        count += line->slots[i].place == place;
    return count;
}

static void move_locked(struct replay_crew *crew, struct replay_slot *slot, enum replay_place place)
    REQUIRES(crew->lock)
{
    slot->place = place;
    cond_broadcast(&crew->has_news);
}

/* Who fills is not woken for each: to sleep and to wake take as long as to fill a batch. */
static void free_locked(struct replay_crew *crew, struct replay_line *line,
                        struct replay_slot *slot) REQUIRES(crew->lock)
{
    replay_batch_reset(slot->batch);
    slot->place = REPLAY_FREE;
    if (count_in(line, REPLAY_FREE) * 2 >= line->slot_count)
        cond_broadcast(&crew->has_news);
}

/* The lock is given back meanwhile. */
static void apply_locked(struct replay_crew *crew, struct replay_line *line,
                         struct replay_slot *slot) REQUIRES(crew->lock)
{
    struct error err;
    enum status status = line->status;
    if (status == STATUS_OK) {
        mutex_unlock(&crew->lock);
        status = line->apply(line->context, slot->batch, &err);
        mutex_lock(&crew->lock);
        if (status != STATUS_OK)
            line->err = err;
        line->status = status;
    }
    if (slot->batch->runs.count > 0)
        move_locked(crew, slot, REPLAY_APPLIED);
    else
        free_locked(crew, line, slot);
}

static void adopt_locked(struct replay_crew *crew, struct replay_line *line,
                         struct replay_slot *slot) REQUIRES(crew->lock)
{
    mutex_unlock(&crew->lock);
    replay_batch_adopt(slot->batch, line->head);
    mutex_lock(&crew->lock);
    free_locked(crew, line, slot);
}

static void seal_locked(struct replay_crew *crew, struct replay_slot *slot) REQUIRES(crew->lock)
{
    mutex_unlock(&crew->lock);
    replay_batch_seal(slot->batch);
    mutex_lock(&crew->lock);
    move_locked(crew, slot, REPLAY_SEALED);
}

/* False when there is none to seal. */
static bool seal_oldest_locked(struct replay_crew *crew, struct replay_line *line)
    REQUIRES(crew->lock)
{
    struct replay_slot *applied = oldest(line, REPLAY_APPLIED);
    if (applied == NULL)
        return false;
    applied->place = REPLAY_IN_HAND;
    seal_locked(crew, applied);
    return true;
}

/* What changes the head goes first: nobody else can do it meanwhile. */
bool replay_line_work_locked(struct replay_crew *crew, struct replay_line *line)
{
    CHECK(mutex_is_held(&crew->lock));
    struct replay_slot *filled = oldest(line, REPLAY_FILLED);
    struct replay_slot *sealed = oldest(line, REPLAY_SEALED);
    if (!line->is_head_taken && (sealed != NULL || filled != NULL)) {
        struct replay_slot *slot = sealed != NULL ? sealed : filled;
        line->is_head_taken = true;
        slot->place = REPLAY_IN_HAND;
        if (sealed != NULL)
            adopt_locked(crew, line, slot);
        else
            apply_locked(crew, line, slot);
        line->is_head_taken = false;
        return true;
    }
    return seal_oldest_locked(crew, line);
}

/* ---- the line ---- */

/* Where the next batch can be filled; NULL while all are on their way. */
static struct replay_slot *free_slot_locked(const struct replay_crew *crew,
                                            struct replay_line *line) REQUIRES(crew->lock)
{
    struct replay_slot *slot = oldest(line, REPLAY_FREE);
    bool may_grow = line->slot_count == 0 || crew->helper_count > 0;
    if (slot == NULL && may_grow && line->slot_count < REPLAY_LINE_BATCHES) {
        slot = &line->slots[line->slot_count++];
        *slot = (struct replay_slot){.batch = replay_batch_new()};
    }
    return slot;
}

static void work_or_wait_locked(struct replay_crew *crew, struct replay_line *line)
    REQUIRES(crew->lock)
{
    bool has_worked =
        crew->idle_count > 0 ? seal_oldest_locked(crew, line) : replay_line_work_locked(crew, line);
    if (has_worked)
        return;
    cond_broadcast(&crew->has_news);
    cond_wait(&crew->has_news, &crew->lock);
}

static void begin_batch_locked(struct replay_crew *crew, struct replay_line *line)
    REQUIRES(crew->lock)
{
    while ((line->filling = free_slot_locked(crew, line)) == NULL)
        work_or_wait_locked(crew, line);
    line->filling->place = REPLAY_FILLING;
    line->filling->number = line->next_number++;
}

void replay_line_open(struct replay_line *line, struct replay_crew *crew)
{
    line->crew = crew;
    mutex_lock(&crew->lock);
    line->next = crew->lines;
    crew->lines = line;
    begin_batch_locked(crew, line);
    mutex_unlock(&crew->lock);
}

struct replay_batch *replay_line_batch(const struct replay_line *line)
{
    return line->filling->batch;
}

static enum status failure(const struct replay_line *line, struct error *err)
{
    if (line->status != STATUS_OK)
        *err = line->err;
    return line->status;
}

/* Nor is who applies woken for each. */
static void pass_locked(struct replay_crew *crew, struct replay_line *line) REQUIRES(crew->lock)
{
    line->filling->place = REPLAY_FILLED;
    if (count_in(line, REPLAY_FILLED) >= WAKE_BATCHES)
        cond_broadcast(&crew->has_news);
}

enum status replay_line_pass(struct replay_line *line, struct error *err)
{
    struct replay_crew *crew = line->crew;
    mutex_lock(&crew->lock);
    pass_locked(crew, line);
    begin_batch_locked(crew, line);
    enum status status = failure(line, err);
    mutex_unlock(&crew->lock);
    return status;
}

static void remove_line_locked(struct replay_crew *crew, struct replay_line *line)
    REQUIRES(crew->lock)
{
    struct replay_line **link = &crew->lines;
    while (*link != line)
        link = &(*link)->next;
    *link = line->next;
}

enum status replay_line_close(struct replay_line *line, struct error *err)
{
    struct replay_crew *crew = line->crew;
    mutex_lock(&crew->lock);
    move_locked(crew, line->filling, REPLAY_FILLED);
    while (count_in(line, REPLAY_FREE) < line->slot_count) {
        if (!replay_line_work_locked(crew, line))
            cond_wait(&crew->has_news, &crew->lock);
    }
    remove_line_locked(crew, line);
    enum status status = failure(line, err);
    mutex_unlock(&crew->lock);
    for (size_t i = 0; i < line->slot_count; i++)
        replay_batch_free(line->slots[i].batch);
    return status;
}
