#include <inttypes.h>

#include "inspect/topic.h"
#include "tsdb/block/block_index.h"
#include "tsdb/model/quote.h"

enum { LINE_MAX_BYTES = 1 << 20 };

struct index_view {
    const struct block_index *index;
    struct arena arena;
    struct buffer line;
};

static enum status show_pair(struct topic *topic, struct index_view *view, uint32_t pair,
                             struct error *err)
{
    struct postings series;
    postings_init(&series);
    enum status status = block_index_postings(view->index, pair, &series, err);
    size_t count = postings_count(&series);
    postings_deinit(&series);
    TRY(status);
    buffer_reset(&view->line);
    append_quoted(&view->line, block_index_value(view->index, pair));
    fprintf(topic_out(topic), "    %.*s: %zu series, %zu bytes of postings\n",
            STR_ARG(buffer_str(&view->line)), count,
            block_index_postings_len(view->index, pair, pair + 1));
    return STATUS_OK;
}

static enum status show_name(struct topic *topic, struct index_view *view, uint32_t name,
                             struct error *err)
{
    uint32_t first = block_index_first_pair(view->index, name);
    uint32_t end = block_index_first_pair(view->index, name + 1);
    buffer_reset(&view->line);
    append_quoted(&view->line, block_index_name(view->index, name));
    fprintf(topic_out(topic), "  label %.*s: %u values\n", STR_ARG(buffer_str(&view->line)),
            end - first);
    for (uint32_t pair = first; pair < end; pair++)
        TRY(show_pair(topic, view, pair, err));
    return STATUS_OK;
}

static enum status show_series(struct topic *topic, struct index_view *view, uint32_t series,
                               struct error *err)
{
    struct labels labels;
    struct block_place place;
    arena_reset(&view->arena);
    TRY(block_index_labels(view->index, series, &view->arena, &labels, err));
    TRY(block_index_place(view->index, series, &place, err));
    buffer_reset(&view->line);
    labels_print(&view->line, labels, LINE_MAX_BYTES / 2);
    fprintf(topic_out(topic), "  series %u %.*s: %" PRIu64 " bytes at %" PRIu64 ", timeline %u\n",
            series, STR_ARG(buffer_str(&view->line)), place.run_len, place.run_offset,
            place.timeline);
    return STATUS_OK;
}

static void show_timeline(struct topic *topic, const struct index_view *view, uint32_t number)
{
    struct block_timeline timeline = block_index_timeline(view->index, number);
    fprintf(topic_out(topic),
            "  timeline %u: %u bytes at %" PRIu64 ", %" PRId64 " .. %" PRId64 "\n", number,
            timeline.len, timeline.offset, timeline.min_ts_ms, timeline.max_ts_ms);
}

static enum status show_view(struct topic *topic, struct index_view *view, struct error *err)
{
    for (uint32_t name = 0; name < view->index->name_count; name++)
        TRY(show_name(topic, view, name, err));
    for (uint32_t number = 0; number < view->index->timeline_count; number++)
        show_timeline(topic, view, number);
    for (uint32_t series = 0; series < view->index->series_count; series++)
        TRY(show_series(topic, view, series, err));
    return STATUS_OK;
}

static enum status show_section(struct topic *topic, void *context, struct block *block,
                                size_t tenant, struct error *err)
{
    (void)context;
    struct index_view view;
    fprintf(topic_out(topic), "%s, tenant %.*s\n", block_path(block),
            STR_ARG(block_tenant(block, tenant)));
    TRY(block_tenant_index(block, tenant, &view.index, err));
    arena_init(&view.arena, SIZE_MAX);
    buffer_init(&view.line, LINE_MAX_BYTES);
    enum status status = show_view(topic, &view, err);
    buffer_deinit(&view.line);
    arena_deinit(&view.arena);
    return status;
}

enum status show_index(struct topic *topic, struct error *err)
{
    return topic_each_section(topic, show_section, NULL, err);
}
