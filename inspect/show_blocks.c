#include <inttypes.h>

#include "base/time_text.h"
#include "inspect/topic.h"
#include "tsdb/block/block_frame.h"
#include "tsdb/block/block_index.h"

enum { RANGE_MAX_BYTES = 256 };

static void print_range(FILE *out, int64_t min_ts_ms, int64_t max_ts_ms)
{
    struct buffer text;
    buffer_init(&text, RANGE_MAX_BYTES);
    append_time(&text, min_ts_ms);
    buffer_append_str(&text, STR(" .. "));
    append_time(&text, max_ts_ms);
    fprintf(out, "%.*s\n", STR_ARG(buffer_str(&text)));
    buffer_deinit(&text);
}

static enum status show_section(struct topic *topic, struct block *block, size_t tenant,
                                struct error *err)
{
    FILE *out = topic_out(topic);
    struct block_section section = block_tenant_section(block, tenant);
    const struct block_index *index;
    fprintf(out, "  tenant %.*s: %" PRIu64 " series, %" PRIu64 " samples, ",
            STR_ARG(block_tenant(block, tenant)), section.series_count, section.sample_count);
    print_range(out, section.min_ts_ms, section.max_ts_ms);
    fprintf(out, "    runs at %" PRIu64 ", %" PRIu64 " bytes\n", section.runs_offset,
            section.index_offset - section.runs_offset);
    fprintf(out, "    index at %" PRIu64 ", %" PRIu64 " bytes", section.index_offset,
            section.index_len);
    enum status status = block_tenant_index(block, tenant, &index, err);
    if (status != STATUS_OK) {
        fprintf(out, "\n");
        return status;
    }
    struct index_sizes sizes = {0};
    block_index_measure(index, &sizes);
    fprintf(out,
            ": %" PRIu64 " tables, %" PRIu64 " symbols, %" PRIu64 " series, %" PRIu64 " postings\n",
            sizes.table_bytes, sizes.symbol_bytes, sizes.series_bytes, sizes.postings_bytes);
    return STATUS_OK;
}

static uint64_t sections_end(struct block *block)
{
    uint64_t end = BLOCK_HEADER_BYTES;
    for (size_t i = 0; i < block_tenant_count(block); i++) {
        struct block_section section = block_tenant_section(block, i);
        end = section.index_offset + section.index_len;
    }
    return end;
}

static enum status show_block(struct topic *topic, void *context, struct block *block,
                              struct error *err)
{
    (void)context;
    FILE *out = topic_out(topic);
    const struct block_meta *meta = block_meta(block);
    fprintf(out,
            "%s, %" PRIu64 " bytes\n  sequence %" PRIu64 ", rank %" PRIu64
            ", level %u, covers epoch %u, %" PRIu64 " series, %" PRIu64 " samples\n  ",
            block_path(block), block_size_bytes(block), meta->sequence, meta->rank, meta->level,
            meta->covered_epoch, meta->series_count, meta->sample_count);
    print_range(out, meta->min_ts_ms, meta->max_ts_ms);
    for (size_t i = 0; i < block_tenant_count(block); i++) {
        if (topic_covers_tenant(topic, block_tenant(block, i)))
            TRY(topic_pass_damage(topic, show_section(topic, block, i, err), err));
    }
    uint64_t end = sections_end(block);
    fprintf(out, "  directory and footer at %" PRIu64 ", %" PRIu64 " bytes\n", end,
            block_size_bytes(block) - end);
    return STATUS_OK;
}

enum status show_blocks(struct topic *topic, struct error *err)
{
    return topic_each_block(topic, show_block, NULL, err);
}
