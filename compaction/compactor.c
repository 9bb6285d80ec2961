#include "compaction/compactor.h"

#include "base/log.h"
#include "base/mem.h"
#include "compaction/clean.h"
#include "compaction/compactor_impl.h"

enum {
    STEP_MS = 5000,
    /* Deletions that come together are answered by one writing of their blocks. */
    CLEAN_AFTER_MS = 60 * 1000,
};

static void keep_first(enum status *first, struct error *err, enum status status,
                       const struct error *why)
{
    if (*first != STATUS_OK || status == STATUS_OK)
        return;
    *first = status;
    *err = *why;
}

/* ---- the blocks of a shard ---- */

struct shard_blocks {
    struct compactor *compactor;
    uint32_t shard;
    struct arena arena;
    struct block **blocks; /* one reference each */
    size_t count;
    struct merge_candidate *candidates;
};

static void list_blocks(struct shard_blocks *list)
{
    struct compactor *c = list->compactor;
    int64_t monotonic_ms = clock_monotonic_ms(store_clock(c->store));
    arena_init(&list->arena, SIZE_MAX);
    store_blocks(c->store, list->shard, &list->arena, &list->blocks, &list->count);
    list->candidates = arena_alloc(&list->arena, list->count * sizeof *list->candidates);
    for (size_t i = 0; i < list->count; i++) {
        int64_t day;
        struct merge_candidate *candidate = &list->candidates[i];
        *candidate = (struct merge_candidate){.meta = *block_meta(list->blocks[i]),
                                              .size_bytes = block_size_bytes(list->blocks[i])};
        candidate->is_held = merge_day_of_block(&candidate->meta, &day) &&
                             setback_is_held(&c->setbacks, list->shard, day, monotonic_ms);
    }
}

static void release_blocks(struct shard_blocks *list)
{
    for (size_t i = 0; i < list->count; i++)
        block_release(list->blocks[i]);
    arena_deinit(&list->arena);
}

/* ---- merging ---- */

/* Does the most pressing merge of the shard. `*has_job` is false when there is none. */
static enum status merge_once(struct compactor *c, uint32_t shard, bool *has_job, struct error *err)
{
    struct shard_blocks list = {.compactor = c, .shard = shard};
    size_t positions[BLOCK_REPLACED_MAX];
    enum status status = STATUS_OK;
    list_blocks(&list);
    struct merge_view view = {.blocks = list.candidates,
                              .count = list.count,
                              .shard = shard,
                              .shard_count = store_shard_count(c->store),
                              .now_ms = trusted_clock_now_ms(&c->trusted_clock),
                              .retention_ms = store_retention_ms(c->store),
                              .is_settling = c->is_settling};
    size_t count = merge_plan(&c->rules, &view, positions);
    *has_job = count > 0;
    if (count > 0) {
        struct compactor_job job;
        compactor_job_init(&job, c, shard, list.blocks, positions, count);
        status = compactor_job_run(&job, err);
    }
    release_blocks(&list);
    return status;
}

/* ---- what was deleted or has expired ---- */

static void make_clean_job(const struct shard_blocks *list, size_t position,
                           const struct clean_judgement *judgement, struct compactor_job *job)
{
    uint32_t level = list->candidates[position].meta.level;
    compactor_job_init(job, list->compactor, list->shard, list->blocks, &position, 1);
    job->expected_bytes = judgement->kept_bytes;
    bool keeps_level = judgement->verdict == CLEAN_REWRITE_AS_IS || level == MERGE_LEVEL_MAX;
    if (keeps_level && level > 0)
        job->meta.level = level;
}

static enum status drop_gone(struct compactor *c, uint32_t shard, struct block *block,
                             struct error *err)
{
    enum status status = compactor_drop_block(c, shard, block, err);
    counter_add(&c->counters.failures, status != STATUS_OK);
    if (status != STATUS_OK)
        log_error("a block of which nothing is left was not deleted: %s", err->text);
    return status;
}

static enum status rewrite_block(const struct shard_blocks *list, size_t position,
                                 const struct clean_judgement *judgement, struct error *err)
{
    struct compactor_job job;
    make_clean_job(list, position, judgement, &job);
    return compactor_job_run(&job, err);
}

/* Drops every block of which nothing is left, also on days that wait, because that needs no room
   and may make some; and writes the first one anew that needs it. The first failure. */
static enum status clean_listed(const struct shard_blocks *list, const struct clean_view *view,
                                struct arena *scratch, bool *has_job, struct error *err)
{
    struct clean_memo *memo = &list->compactor->memos[list->shard];
    enum status first = STATUS_OK;
    bool has_rewritten = false;
    clean_memo_begin(memo, view->deletions, clean_due_count(view), list->count);
    for (size_t i = 0; i < list->count; i++) {
        enum status status = STATUS_OK;
        struct error why;
        struct clean_note *note = clean_memo_note(memo, i, list->candidates[i].meta.sequence);
        struct clean_judgement judgement = clean_judge(view, list->blocks[i], note, scratch);
        if (judgement.verdict == CLEAN_DROP) {
            status = drop_gone(list->compactor, list->shard, list->blocks[i], &why);
            *has_job = *has_job || status == STATUS_OK;
        } else if (judgement.verdict != CLEAN_KEEP && !list->candidates[i].is_held &&
                   !has_rewritten) {
            *has_job = has_rewritten = true;
            status = rewrite_block(list, i, &judgement, &why);
        }
        keep_first(&first, err, status, &why);
    }
    return first;
}

static enum status clean_once(struct compactor *c, uint32_t shard, bool *has_job, struct error *err)
{
    struct shard_blocks list = {.compactor = c, .shard = shard};
    struct deletions *deletions = store_deletions(c->store, shard);
    struct arena scratch;
    int64_t monotonic_ms = clock_monotonic_ms(store_clock(c->store));
    c->now_ms = trusted_clock_now_ms(&c->trusted_clock);
    const struct clean_view view = {.deletions = deletions,
                                    .due_ms =
                                        c->is_settling ? INT64_MAX : monotonic_ms - CLEAN_AFTER_MS,
                                    .first_kept_ms = compactor_first_kept_ms,
                                    .context = c,
                                    .now_ms = c->now_ms};
    *has_job = false;
    arena_init(&scratch, SIZE_MAX);
    list_blocks(&list);
    enum status status = clean_listed(&list, &view, &scratch, has_job, err);
    release_blocks(&list);
    arena_deinit(&scratch);
    bool has_deletions = deletions->count > 0;
    deletions_release(deletions);
    if (status == STATUS_OK && !*has_job && has_deletions)
        status = store_forget_deletions(c->store, shard, err);
    return status;
}

static enum status step_shard(struct compactor *c, uint32_t shard, struct error *err)
{
    bool has_job;
    struct error why;
    enum status first = store_drop_leftovers(c->store, shard, err);
    bool can_merge = first == STATUS_OK;
    counter_add(&c->counters.failures, !can_merge);
    enum status status = clean_once(c, shard, &has_job, &why);
    keep_first(&first, err, status, &why);
    if (can_merge) {
        status = merge_once(c, shard, &has_job, &why);
        keep_first(&first, err, status, &why);
    }
    return first;
}

void compactor_step(struct compactor *c)
{
    for (uint32_t shard = 0; shard < store_shard_count(c->store); shard++) {
        struct error err;
        enum status status = step_shard(c, shard, &err);
        (void)status; /* counted and logged, and the day waits */
    }
}

/* ---- coming to rest ---- */

/* A merge leaves fewer blocks, and one that failed holds its day, which has some: so many tries at
 * most. */
static uint64_t tries_max(struct compactor *c, uint32_t shard)
{
    struct shard_status status;
    store_shard_status(c->store, shard, &status);
    return 2 * status.block_count + 1;
}

/* Until there is nothing more of it to do. */
static enum status repeat(struct compactor *c, uint32_t shard,
                          enum status (*once)(struct compactor *c, uint32_t shard, bool *has_job,
                                              struct error *err),
                          struct error *err)
{
    enum status first = STATUS_OK;
    bool has_job = true;
    for (uint64_t left = tries_max(c, shard); has_job && left > 0; left--) {
        struct error why;
        enum status status = once(c, shard, &has_job, &why);
        keep_first(&first, err, status, &why);
        if (status == STATUS_CANCELLED)
            break;
    }
    return first;
}

static enum status settle_shard(struct compactor *c, uint32_t shard, enum settle_kind kind,
                                struct error *err)
{
    struct error why;
    enum status first = repeat(c, shard, clean_once, err);
    if (kind == SETTLE_COMPACT) {
        enum status status = repeat(c, shard, merge_once, &why);
        keep_first(&first, err, status, &why);
    }
    enum status status = store_drop_leftovers(c->store, shard, &why);
    keep_first(&first, err, status, &why);
    if (status == STATUS_OK) {
        status = store_forget_deletions(c->store, shard, &why);
        keep_first(&first, err, status, &why);
    }
    return first;
}

static enum status flush_shard(struct compactor *c, uint32_t shard, struct error *err)
{
    struct shard_status shown;
    store_shard_status(c->store, shard, &shown);
    /* also when the head is empty: maybe somebody else's flush is not over yet */
    enum status status = store_flush_shard(c->store, shard, err);
    if (shown.head_samples > 0)
        counter_add(status == STATUS_OK ? &c->counters.flushes : &c->counters.flush_failures, 1);
    return status;
}

enum status compactor_settle(struct compactor *c, enum settle_kind kind, struct error *err)
{
    enum status first = STATUS_OK;
    c->is_settling = true;
    /* who asks wants to hear what is wrong, not that there is nothing to do for the moment */
    setback_end_waits(&c->setbacks);
    for (uint32_t shard = 0; shard < store_shard_count(c->store); shard++) {
        struct error why;
        enum status status = kind == SETTLE_CLEAN ? STATUS_OK : flush_shard(c, shard, &why);
        keep_first(&first, err, status, &why);
        if (kind == SETTLE_FLUSH)
            continue;
        status = settle_shard(c, shard, kind, &why);
        keep_first(&first, err, status, &why);
    }
    c->is_settling = false;
    return first;
}

/* ---- requests ---- */

static void answer_all(struct settle_request *requests, enum status status, const struct error *err)
{
    while (requests != NULL) {
        struct settle_request *next = requests->next; /* `done` may free the request */
        requests->done(requests, status, err);
        requests = next;
    }
}

static struct settle_request *take_requests(struct compactor *c)
{
    mutex_lock(&c->lock);
    struct settle_request *requests = c->requests;
    c->requests = NULL;
    mutex_unlock(&c->lock);
    return requests;
}

static void refuse(struct settle_request *requests)
{
    struct error err;
    enum status status = error_set(&err, STATUS_CANCELLED, "compaction: the server is stopping");
    answer_all(requests, status, &err);
}

void compactor_request(struct compactor *c, struct settle_request *request)
{
    request->next = NULL;
    mutex_lock(&c->lock);
    bool is_stopping = c->is_stopping;
    if (!is_stopping) {
        request->next = c->requests;
        c->requests = request;
        cond_signal(&c->wake);
    }
    mutex_unlock(&c->lock);
    if (is_stopping)
        refuse(request);
}

/* One coming to rest answers all who wait for it. */
static void serve_requests(struct compactor *c)
{
    struct settle_request *requests = take_requests(c);
    if (requests == NULL)
        return;
    enum settle_kind kind = requests->kind;
    for (const struct settle_request *r = requests; r != NULL; r = r->next)
        kind = r->kind == kind ? kind : SETTLE_COMPACT; /* which does all of it */
    struct error err = {0};
    enum status status = compactor_settle(c, kind, &err);
    answer_all(requests, status, &err);
}

/* ---- the thread ---- */

static bool wait_for_step(struct compactor *c)
{
    mutex_lock(&c->lock);
    if (!c->is_stopping && c->requests == NULL)
        cond_wait_for(&c->wake, &c->lock, STEP_MS);
    bool is_stopping = c->is_stopping;
    mutex_unlock(&c->lock);
    return !is_stopping;
}

static void run_compactor(void *context)
{
    struct compactor *c = context;
    while (wait_for_step(c)) {
        serve_requests(c);
        compactor_step(c);
    }
    refuse(take_requests(c));
}

struct compactor *compactor_new(const struct compactor_options *options)
{
    struct compactor *c = mem_alloc_zeroed(1, sizeof *c);
    c->store = options->store;
    c->rules = options->rules;
    c->cpu_share_percent = options->cpu_share_percent;
    c->memory_max_bytes = options->memory_max_bytes;
    setback_table_init(&c->setbacks);
    c->memos = mem_alloc_zeroed(store_shard_count(c->store), sizeof *c->memos);
    trusted_clock_init(&c->trusted_clock, store_clock(c->store), store_last_time_ms(c->store));
    mutex_init(&c->lock);
    cond_init(&c->wake);
    return c;
}

struct compactor *compactor_open(const struct compactor_options *options)
{
    struct compactor *c = compactor_new(options);
    thread_start(&c->thread, "compact", run_compactor, c);
    return c;
}

void compactor_stop(struct compactor *c)
{
    if (c == NULL)
        return;
    mutex_lock(&c->lock);
    c->is_stopping = true;
    cond_signal(&c->wake);
    mutex_unlock(&c->lock);
}

void compactor_close(struct compactor *c)
{
    if (c == NULL)
        return;
    compactor_stop(c);
    thread_join(&c->thread);
    setback_table_deinit(&c->setbacks);
    for (uint32_t shard = 0; shard < store_shard_count(c->store); shard++)
        clean_memo_deinit(&c->memos[shard]);
    mem_free(c->memos);
    cond_deinit(&c->wake);
    mutex_deinit(&c->lock);
    mem_free(c);
}

const struct compactor_counters *compactor_counters(const struct compactor *c)
{
    return &c->counters;
}
