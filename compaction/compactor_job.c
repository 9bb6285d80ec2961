#include "compaction/compactor_impl.h"

#include "base/log.h"
#include "base/mem.h"

enum status compactor_drop_block(struct compactor *c, uint32_t shard, struct block *block,
                                 struct error *err)
{
    enum status status = store_drop_block(c->store, shard, block, err);
    counter_add(&c->counters.blocks_dropped, status == STATUS_OK);
    return status == STATUS_NOT_FOUND ? STATUS_OK : status;
}

static void add_input(struct compactor_job *job, struct block *block)
{
    const struct block_meta *meta = block_meta(block);
    job->inputs[job->input_count++] = block;
    job->expected_bytes += block_size_bytes(block);
    if (meta->level >= job->meta.level)
        job->meta.level = meta->level + 1;
    if (meta->covered_epoch > job->meta.covered_epoch)
        job->meta.covered_epoch = meta->covered_epoch;
}

void compactor_job_init(struct compactor_job *job, struct compactor *c, uint32_t shard,
                        struct block *const *blocks, const size_t *positions, size_t count)
{
    const struct block_meta *first = block_meta(blocks[positions[0]]);
    *job = (struct compactor_job){.compactor = c,
                                  .shard = shard,
                                  .day = merge_day_of(first->min_ts_ms),
                                  .meta = {.shard = shard, .rank = first->rank}};
    for (size_t i = 0; i < count; i++)
        add_input(job, blocks[positions[i]]);
}

/* Rests when it is time; false when it is time to stop. */
static bool goes_on(void *context)
{
    struct compactor *c = context;
    uint64_t rest_ms = pace_rest_ms(&c->pace, clock_thread_cpu_ns());
    mutex_lock(&c->lock);
    /* somebody who waits for the store to come to rest ends the rest */
    if (rest_ms > 0 && !c->is_stopping && !c->is_settling && c->requests == NULL)
        cond_wait_for(&c->wake, &c->lock, (int64_t)rest_ms);
    bool is_stopping = c->is_stopping;
    mutex_unlock(&c->lock);
    return !is_stopping;
}

int64_t compactor_first_kept_ms(void *context, struct str tenant)
{
    struct compactor *c = context;
    return c->now_ms - store_retention_of_ms(c->store, tenant);
}

static bool has_damage(const struct compactor_job *job)
{
    bool has = false;
    for (size_t i = 0; i < job->input_count; i++)
        has = has || job->report.is_damaged[i];
    return has;
}

static enum status write_merged(struct compactor_job *job, struct block_writer *writer,
                                struct error *err)
{
    struct compactor *c = job->compactor;
    /* after the block to be has its sequence (store_delete.c) */
    struct deletions *deletions = store_deletions(c->store, job->shard);
    struct merge_options options = {.blocks = job->inputs,
                                    .count = job->input_count,
                                    .first_kept_ms = compactor_first_kept_ms,
                                    .deletions = deletions,
                                    .memory_max_bytes = c->memory_max_bytes,
                                    .goes_on = goes_on,
                                    .context = c};
    enum status status = merge_blocks(&options, writer, &job->report, err);
    deletions_release(deletions);
    return status;
}

/* Deletions and retention together may leave nothing where neither does alone. */
static enum status drop_inputs(struct compactor_job *job, struct error *err)
{
    struct compactor *c = job->compactor;
    for (size_t i = 0; i < job->input_count; i++)
        TRY(compactor_drop_block(c, job->shard, job->inputs[i], err));
    return error_set(err, STATUS_NOT_FOUND, "merge: nothing is left");
}

static enum status replace_inputs(struct compactor_job *job, struct error *err)
{
    struct store *store = job->compactor->store;
    struct block_writer *writer;
    TRY(store_new_block(store, &job->meta, job->expected_bytes, &writer, err));
    enum status status = write_merged(job, writer, err);
    bool is_empty = job->report.sample_count == 0 && !has_damage(job);
    if (status != STATUS_OK || is_empty) {
        block_writer_abort(writer);
        return status == STATUS_OK ? drop_inputs(job, err) : status;
    }
    struct block_replacement replacement = {.blocks = job->inputs,
                                            .is_damaged = job->report.is_damaged,
                                            .count = job->input_count,
                                            .writer = writer};
    return store_replace_blocks(store, job->shard, &replacement, &job->written_bytes, err);
}

/* ---- what became of it ---- */

static void note_damage_of(struct compactor *c, struct block *block, const struct error *why)
{
    const struct block_meta *meta = block_meta(block);
    struct block_loss loss;
    store_note_damage(c->store, block, why);
    block_measure_loss(block, &loss);
    counter_add(&c->counters.blocks_quarantined, 1);
    counter_add(&c->counters.series_lost, loss.series);
    counter_add(&c->counters.samples_lost, loss.samples);
    log_error("%s was damaged and is in quarantine; written anew without %llu of %llu samples, in "
              "%llu of %llu series",
              block_path(block), (unsigned long long)loss.samples,
              (unsigned long long)meta->sample_count, (unsigned long long)loss.series,
              (unsigned long long)meta->series_count);
}

static void note_damage(struct compactor_job *job)
{
    for (size_t i = 0; i < job->input_count; i++) {
        if (job->report.is_damaged[i])
            note_damage_of(job->compactor, job->inputs[i], &job->report.why);
    }
}

static void note_success(struct compactor_job *job)
{
    struct compactor_counters *counters = &job->compactor->counters;
    counter_add(&counters->merges, 1);
    counter_add(&counters->blocks_read, job->input_count);
    counter_add(&counters->written_bytes, job->written_bytes);
    counter_add(&counters->samples, job->report.sample_count);
    note_damage(job);
    setback_forget(&job->compactor->setbacks, job->shard, job->day);
}

static void note_failure(struct compactor_job *job, const struct error *err)
{
    struct compactor *c = job->compactor;
    counter_add(&c->counters.failures, 1);
    setback_note_failure(&c->setbacks, job->shard, job->day,
                         clock_monotonic_ms(store_clock(c->store)));
    log_error("%zu blocks of shard %u were not merged, they stay as they are: %s", job->input_count,
              job->shard, err->text);
}

enum status compactor_job_run(struct compactor_job *job, struct error *err)
{
    struct compactor *c = job->compactor;
    uint64_t begin_ns = clock_thread_cpu_ns();
    pace_init(&c->pace, c->cpu_share_percent, begin_ns);
    c->now_ms = trusted_clock_now_ms(&c->trusted_clock);
    enum status status = replace_inputs(job, err);
    mem_return_unused();
    counter_add(&c->counters.cpu_ns, clock_thread_cpu_ns() - begin_ns);
    if (status == STATUS_OK)
        note_success(job);
    else if (status != STATUS_CANCELLED && status != STATUS_NOT_FOUND)
        note_failure(job, err);
    /* nothing was left, or a block has expired meanwhile */
    return status == STATUS_NOT_FOUND ? STATUS_OK : status;
}
