#include "http/progress.h"

void progress_begin(struct progress *progress, uint64_t bytes, uint64_t now_ns)
{
    *progress = (struct progress){.since_ns = now_ns, .bytes = bytes};
}

bool progress_is_slow(struct progress *progress, uint64_t bytes, uint64_t now_ns)
{
    if (now_ns - progress->since_ns < PROGRESS_WINDOW_NS)
        return false;
    bool is_slow = bytes - progress->bytes < PROGRESS_BYTES_MIN;
    progress_begin(progress, bytes, now_ns);
    return is_slow;
}
