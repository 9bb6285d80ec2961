#include "compaction/clean.h"

#include "compaction/merge_plan.h"

/* ---- expiry ---- */

static bool is_expired(const struct clean_view *view, const struct block *block, size_t tenant)
{
    return block_tenant_section(block, tenant).max_ts_ms <
           view->first_kept_ms(view->context, block_tenant(block, tenant));
}

static uint64_t expired_bytes(const struct clean_view *view, const struct block *block)
{
    uint64_t bytes = 0;
    for (size_t i = 0; i < block_tenant_count(block); i++) {
        struct block_section section = block_tenant_section(block, i);
        if (is_expired(view, block, i))
            bytes += section.index_offset - section.runs_offset + section.index_len;
    }
    return bytes;
}

static bool is_worth_rewriting(const struct clean_view *view, const struct block *block)
{
    const struct block_meta *meta = block_meta(block);
    uint64_t bytes = expired_bytes(view, block);
    bool is_over = merge_day_of(meta->max_ts_ms) < merge_day_of(view->now_ms);
    bool has_level_left = is_over && meta->level < MERGE_LEVEL_MAX;
    return bytes > 0 && (has_level_left || bytes >= block_size_bytes(block) / 2);
}

/* ---- deletion ---- */

static bool has_deleted(const struct clean_view *view, struct block *block, struct arena *scratch)
{
    for (size_t i = 0; i < view->deletions->count; i++) {
        const struct deletion *deletion = &view->deletions->ptr[i];
        if (deletion->since_ms <= view->due_ms && deletion_touches(deletion, block, scratch))
            return true;
    }
    return false;
}

/* ---- whether anything would be left ---- */

static enum status is_series_gone(const struct clean_view *view, struct block *block, size_t tenant,
                                  uint32_t series, struct arena *scratch, bool *is_gone,
                                  struct error *err)
{
    struct str id = block_tenant(block, tenant);
    int64_t min_ts_ms, max_ts_ms;
    struct labels labels;
    arena_reset(scratch);
    TRY(block_time_range(block, tenant, series, &min_ts_ms, &max_ts_ms, err));
    TRY(block_labels(block, tenant, series, scratch, &labels, err));
    struct span_list deleted =
        deletions_of_series(view->deletions, block_meta(block)->sequence, id, labels, scratch);
    int64_t first_kept_ms = view->first_kept_ms(view->context, id);
    if (min_ts_ms < first_kept_ms)
        min_ts_ms = first_kept_ms;
    *is_gone = min_ts_ms > max_ts_ms || spans_cover(deleted, min_ts_ms, max_ts_ms);
    return STATUS_OK;
}

static bool is_tenant_gone(const struct clean_view *view, struct block *block, size_t tenant,
                           struct arena *scratch)
{
    struct error err;
    bool is_gone = true;
    if (is_expired(view, block, tenant))
        return true;
    for (uint32_t i = 0; i < block_series_count(block, tenant) && is_gone; i++) {
        if (is_series_gone(view, block, tenant, i, scratch, &is_gone, &err) != STATUS_OK)
            return false;
    }
    return is_gone;
}

static bool is_all_gone(const struct clean_view *view, struct block *block, struct arena *scratch)
{
    struct error err;
    if (block_check_directory(block, &err) != STATUS_OK)
        return false;
    for (size_t i = 0; i < block_tenant_count(block); i++) {
        if (!is_tenant_gone(view, block, i, scratch))
            return false;
    }
    return true;
}

enum clean_verdict clean_judge(const struct clean_view *view, struct block *block,
                               struct arena *scratch)
{
    bool is_asked = block_is_damaged(block) || has_deleted(view, block, scratch);
    if (!is_asked && !is_worth_rewriting(view, block))
        return CLEAN_KEEP;
    if (is_all_gone(view, block, scratch))
        return CLEAN_DROP;
    return is_asked ? CLEAN_REWRITE_AS_IS : CLEAN_REWRITE_EXPIRED;
}
