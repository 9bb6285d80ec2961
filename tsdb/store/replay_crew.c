#include "tsdb/store/replay_crew.h"

#include "base/check.h"
#include "base/mem.h"
#include "tsdb/store/replay_line.h"

struct replay_crew *replay_crew_new(unsigned shard_count, unsigned processor_count)
{
    struct replay_crew *crew = mem_alloc_zeroed(1, sizeof *crew);
    mutex_init(&crew->lock);
    cond_init(&crew->has_news);
    crew->opening_count = shard_count;
    crew->worker_max = processor_count;
    return crew;
}

void replay_crew_free(struct replay_crew *crew)
{
    CHECK(crew->lines == NULL);
    cond_deinit(&crew->has_news);
    mutex_deinit(&crew->lock);
    mem_free(crew);
}

void replay_crew_end_shard(struct replay_crew *crew)
{
    mutex_lock(&crew->lock);
    crew->opening_count--;
    cond_broadcast(&crew->has_news);
    mutex_unlock(&crew->lock);
}

static bool help_locked(struct replay_crew *crew) REQUIRES(crew->lock)
{
    for (struct replay_line *line = crew->lines; line != NULL; line = line->next) {
        if (replay_line_work_locked(crew, line))
            return true;
    }
    return false;
}

void replay_crew_help(struct replay_crew *crew)
{
    mutex_lock(&crew->lock);
    if (crew->opening_count + crew->helper_count < crew->worker_max) {
        crew->helper_count++;
        while (crew->opening_count > 0) {
            if (help_locked(crew))
                continue;
            crew->idle_count++;
            cond_wait(&crew->has_news, &crew->lock);
            crew->idle_count--;
        }
        crew->helper_count--;
    }
    mutex_unlock(&crew->lock);
}
