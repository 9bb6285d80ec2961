#include "compaction/clean_memo.h"

#include "base/mem.h"

/* Notes of blocks that are gone: as many again as there are blocks, and some. */
enum { GONE_MAX = 64 };

void clean_memo_deinit(struct clean_memo *memo)
{
    deletions_release(memo->list);
    mem_free(memo->notes);
    *memo = (struct clean_memo){0};
}

void clean_memo_begin(struct clean_memo *memo, struct deletions *list, size_t due_count,
                      size_t block_count)
{
    if (memo->list == list && memo->due_count == due_count &&
        memo->count <= 2 * block_count + GONE_MAX)
        return;
    deletions_acquire(list);
    deletions_release(memo->list);
    memo->list = list;
    memo->due_count = due_count;
    memo->count = 0;
}

/* Most blocks are where they were the last time. */
static size_t find(const struct clean_memo *memo, size_t index, uint64_t sequence)
{
    if (index < memo->count && memo->notes[index].sequence == sequence)
        return index;
    size_t at = 0;
    while (at < memo->count && memo->notes[at].sequence != sequence)
        at++;
    return at;
}

struct clean_note *clean_memo_note(struct clean_memo *memo, size_t index, uint64_t sequence)
{
    size_t at = find(memo, index, sequence);
    if (at == memo->count) {
        memo->notes = mem_grow(memo->notes, &memo->capacity, memo->count + 1, sizeof *memo->notes);
        memo->notes[memo->count++] = (struct clean_note){.sequence = sequence};
    }
    return &memo->notes[at];
}
