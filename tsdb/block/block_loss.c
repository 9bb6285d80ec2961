#include "tsdb/block/block.h"
#include "tsdb/block/block_run.h"

static void measure_tenant(struct block *block, size_t tenant, struct timeline_cache *timelines,
                           struct block_loss *out)
{
    struct block_section whole = block_tenant_section(block, tenant);
    struct run_sizes readable = {0};
    uint64_t series_count = 0;
    const struct block_index *index;
    struct error err;
    bool has_index = block_tenant_index(block, tenant, &index, &err) == STATUS_OK;
    for (uint32_t i = 0; has_index && i < whole.series_count; i++)
        series_count +=
            block_series_measure(block, tenant, i, timelines, &readable, &err) == STATUS_OK;
    out->series += whole.series_count - series_count;
    out->samples += whole.sample_count - readable.samples;
}

void block_measure_loss(struct block *block, struct block_loss *out)
{
    const struct block_meta *meta = block_meta(block);
    struct timeline_cache timelines;
    struct error err;
    *out = (struct block_loss){.series = meta->series_count, .samples = meta->sample_count};
    /* without a directory there is no telling where anything is */
    if (block_check_directory(block, &err) != STATUS_OK)
        return;
    *out = (struct block_loss){0};
    timeline_cache_init(&timelines);
    for (size_t i = 0; i < block_tenant_count(block); i++)
        measure_tenant(block, i, &timelines, out);
    timeline_cache_deinit(&timelines);
}
