#include "compaction/clean.h"

#include "compaction/merge_plan.h"

/* How long an expired part of a block waits for others. */
#define COMPANY_MS (INT64_C(24) * 60 * 60 * 1000)

/* See clean_memo.h. */
#define MEASURED_FOR_MS (INT64_C(60) * 60 * 1000)

/* ---- expiry ---- */

static bool is_expired(const struct clean_view *view, struct block *block, size_t tenant)
{
    return block_tenant_section(block, tenant).max_ts_ms <
           view->first_kept_ms(view->context, block_tenant(block, tenant));
}

static uint64_t tenant_bytes(struct block *block, size_t tenant)
{
    struct block_section section = block_tenant_section(block, tenant);
    return section.index_offset - section.runs_offset + section.index_len;
}

/* Of the tenants whose parts have expired. */
struct expired {
    uint64_t bytes;
    int64_t waits_ms; /* how long ago the first of them did */
};

static struct expired sum_expired(const struct clean_view *view, struct block *block)
{
    struct expired sum = {0};
    for (size_t i = 0; i < block_tenant_count(block); i++) {
        int64_t first_kept_ms = view->first_kept_ms(view->context, block_tenant(block, i));
        int64_t waits_ms = first_kept_ms - block_tenant_section(block, i).max_ts_ms;
        if (waits_ms <= 0)
            continue;
        sum.bytes += tenant_bytes(block, i);
        sum.waits_ms = waits_ms > sum.waits_ms ? waits_ms : sum.waits_ms;
    }
    return sum;
}

static bool is_worth_rewriting(const struct clean_view *view, struct block *block)
{
    const struct block_meta *meta = block_meta(block);
    struct expired expired = sum_expired(view, block);
    bool is_over = merge_day_of(meta->max_ts_ms) < merge_day_of(view->now_ms);
    bool has_level_left = is_over && meta->level < MERGE_LEVEL_MAX;
    return expired.bytes > 0 && (has_level_left || expired.bytes >= block_size_bytes(block) / 2 ||
                                 expired.waits_ms >= COMPANY_MS);
}

/* ---- deletion ---- */

static bool is_due(const struct clean_view *view, const struct deletion *deletion)
{
    return deletion->since_ms <= view->due_ms;
}

size_t clean_due_count(const struct clean_view *view)
{
    size_t count = 0;
    for (size_t i = 0; i < view->deletions->count; i++)
        count += is_due(view, &view->deletions->ptr[i]);
    return count;
}

static bool find_deleted(const struct clean_view *view, struct block *block, struct arena *scratch)
{
    for (size_t i = 0; i < view->deletions->count; i++) {
        const struct deletion *deletion = &view->deletions->ptr[i];
        if (is_due(view, deletion) && deletion_touches(deletion, block, scratch))
            return true;
    }
    return false;
}

static bool has_deleted(const struct clean_view *view, struct block *block, struct clean_note *note,
                        struct arena *scratch)
{
    if (!note->is_looked_up)
        note->has_deleted = find_deleted(view, block, scratch);
    note->is_looked_up = true;
    return note->has_deleted;
}

/* ---- whether anything would be left ---- */

/* What cannot be read is there. */
static bool is_series_gone(const struct clean_view *view, struct block *block, size_t tenant,
                           uint32_t series, struct arena *scratch)
{
    struct str id = block_tenant(block, tenant);
    int64_t min_ts_ms, max_ts_ms;
    struct labels labels;
    struct error err;
    arena_reset(scratch);
    if (block_time_range(block, tenant, series, &min_ts_ms, &max_ts_ms, &err) != STATUS_OK ||
        block_labels(block, tenant, series, scratch, &labels, &err) != STATUS_OK)
        return false;
    struct span_list deleted =
        deletions_of_series(view->deletions, block_meta(block)->sequence, id, labels, scratch);
    int64_t first_kept_ms = view->first_kept_ms(view->context, id);
    if (min_ts_ms < first_kept_ms)
        min_ts_ms = first_kept_ms;
    return min_ts_ms > max_ts_ms || spans_cover(deleted, min_ts_ms, max_ts_ms);
}

static bool is_tenant_gone(const struct clean_view *view, struct block *block, size_t tenant,
                           struct arena *scratch)
{
    if (is_expired(view, block, tenant))
        return true;
    for (uint32_t i = 0; i < block_series_count(block, tenant); i++) {
        if (!is_series_gone(view, block, tenant, i, scratch))
            return false;
    }
    return true;
}

static uint64_t measure_kept(const struct clean_view *view, struct block *block,
                             struct arena *scratch)
{
    struct error err;
    uint64_t bytes = 0;
    for (size_t i = 0; i < block_tenant_count(block); i++)
        bytes += is_tenant_gone(view, block, i, scratch) ? 0 : tenant_bytes(block, i);
    /* behind the loop: nothing of what it looked at is believed otherwise */
    return block_check_directory(block, &err) == STATUS_OK ? bytes : block_size_bytes(block);
}

static uint64_t kept_bytes(const struct clean_view *view, struct block *block,
                           struct clean_note *note, struct arena *scratch)
{
    int64_t age_ms = view->now_ms - note->measured_ms;
    /* what is to go is looked at again: somebody may have lengthened the retention */
    if (note->kept_bytes > 0 && age_ms >= 0 && age_ms < MEASURED_FOR_MS)
        return note->kept_bytes;
    note->kept_bytes = measure_kept(view, block, scratch);
    note->measured_ms = view->now_ms;
    return note->kept_bytes;
}

struct clean_judgement clean_judge(const struct clean_view *view, struct block *block,
                                   struct clean_note *note, struct arena *scratch)
{
    bool is_asked = block_is_damaged(block) || has_deleted(view, block, note, scratch);
    if (!is_asked && !is_worth_rewriting(view, block))
        return (struct clean_judgement){.verdict = CLEAN_KEEP};
    uint64_t bytes = kept_bytes(view, block, note, scratch);
    return (struct clean_judgement){.kept_bytes = bytes,
                                    .verdict = bytes == 0 ? CLEAN_DROP
                                               : is_asked ? CLEAN_REWRITE_AS_IS
                                                          : CLEAN_REWRITE_EXPIRED};
}
