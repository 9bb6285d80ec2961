#include "base/check.h"
#include "tsdb/store/store_impl.h"

void read_guard_init(struct read_guard *guard)
{
    mutex_init(&guard->lock);
    cond_init(&guard->has_left);
    guard->generation = 0;
    guard->inside[0] = guard->inside[1] = 0;
}

void read_guard_deinit(struct read_guard *guard)
{
    cond_deinit(&guard->has_left);
    mutex_deinit(&guard->lock);
}

uint32_t read_guard_enter(struct read_guard *guard)
{
    mutex_lock(&guard->lock);
    uint32_t generation = guard->generation;
    guard->inside[generation % 2]++;
    mutex_unlock(&guard->lock);
    return generation;
}

void read_guard_leave(struct read_guard *guard, uint32_t generation)
{
    mutex_lock(&guard->lock);
    CHECK(guard->inside[generation % 2] > 0);
    guard->inside[generation % 2]--;
    cond_broadcast(&guard->has_left);
    mutex_unlock(&guard->lock);
}

void read_guard_drain(struct read_guard *guard)
{
    mutex_lock(&guard->lock);
    uint32_t old = guard->generation++;
    while (guard->inside[old % 2] > 0)
        cond_wait(&guard->has_left, &guard->lock);
    mutex_unlock(&guard->lock);
}
