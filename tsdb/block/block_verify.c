/*
 * Proving a block: every checksum, every order, and that index and series agree both ways.
 */
#include <inttypes.h>

#include "base/mem.h"
#include "tsdb/block/block_impl.h"
#include "tsdb/block/block_run.h"

static enum status wrong(struct error *err, const char *what, uint64_t number)
{
    return error_set(err, STATUS_CORRUPT, "block: %s %" PRIu64, what, number);
}

/* ---- the index for itself ---- */

static enum status verify_symbols(const struct block_index *index, struct error *err)
{
    for (uint32_t i = 1; i < index->symbol_count; i++) {
        if (str_compare(block_index_symbol(index, i - 1), block_index_symbol(index, i)) >= 0)
            return wrong(err, "symbols are out of order at", i);
    }
    return STATUS_OK;
}

static enum status verify_names(const struct block_index *index, struct error *err)
{
    for (uint32_t i = 0; i < index->name_count; i++) {
        if (i > 0 && str_compare(block_index_name(index, i - 1), block_index_name(index, i)) >= 0)
            return wrong(err, "names are out of order at", i);
        if (block_index_first_pair(index, i) == block_index_first_pair(index, i + 1))
            return wrong(err, "no values of name", i);
        for (uint32_t pair = block_index_first_pair(index, i) + 1;
             pair < block_index_first_pair(index, i + 1); pair++) {
            if (str_compare(block_index_value(index, pair - 1), block_index_value(index, pair)) >=
                0)
                return wrong(err, "values are out of order at", pair);
        }
    }
    return STATUS_OK;
}

/* ---- series ---- */

struct tenant_proof {
    struct block *block;
    const struct block_slot *slot;
    struct block_entry entry;
    struct arena arenas[2]; /* of this series' labels, and of those of the one before */
    struct columns samples;
    struct timeline_cache timelines;
    uint32_t timeline_count; /* of the series so far */
    uint64_t runs_end;       /* where the timelines and runs so far end */
    uint64_t label_count;    /* of all series */
    uint64_t sample_count;
    int64_t min_ts_ms;
    int64_t max_ts_ms;
};

static enum status verify_order(struct tenant_proof *proof, uint32_t series, struct error *err)
{
    struct labels labels, before;
    struct arena *arena = &proof->arenas[series % 2];
    arena_reset(arena);
    TRY(block_index_labels(&proof->slot->index, series, arena, &labels, err));
    proof->label_count += labels.count;
    for (size_t i = 1; i < labels.count; i++) {
        if (str_compare(labels.ptr[i - 1].name, labels.ptr[i].name) >= 0)
            return wrong(err, "labels are out of order in series", series);
    }
    if (series == 0)
        return STATUS_OK;
    arena_reset(&proof->arenas[(series + 1) % 2]);
    TRY(block_index_labels(&proof->slot->index, series - 1, &proof->arenas[(series + 1) % 2],
                           &before, err));
    return labels_compare(before, labels) < 0 ? STATUS_OK
                                              : wrong(err, "series are out of order at", series);
}

/* Timelines are numbered in the order of the series that have them first, and stand before the runs
   of those. */
static enum status verify_place_of_timeline(struct tenant_proof *proof, uint32_t number,
                                            struct error *err)
{
    if (number < proof->timeline_count)
        return STATUS_OK;
    struct block_timeline place = block_index_timeline(&proof->slot->index, number);
    if (number > proof->timeline_count || place.offset != proof->runs_end)
        return wrong(err, "out of its order: timeline", number);
    proof->timeline_count++;
    proof->runs_end += place.len;
    return STATUS_OK;
}

static enum status verify_timeline(struct tenant_proof *proof, uint32_t number,
                                   struct timeline **out, struct error *err)
{
    const struct block_range all = {INT64_MIN, INT64_MAX, &proof->timelines};
    TRY(verify_place_of_timeline(proof, number, err));
    TRY(block_slot_timeline(proof->block, proof->slot, number, &all, out, err));
    struct block_timeline place = block_index_timeline(&proof->slot->index, number);
    if ((*out)->ts_ms[0] == place.min_ts_ms && (*out)->ts_ms[(*out)->count - 1] == place.max_ts_ms)
        return STATUS_OK;
    timeline_release(*out);
    return wrong(err, "other times than the index says in timeline", number);
}

static enum status verify_run(struct tenant_proof *proof, const struct block_place *place,
                              const struct timeline *timeline, struct error *err)
{
    struct bytes run;
    if (place->run_offset != proof->runs_end)
        return wrong(err, "a gap before the run at", place->run_offset);
    proof->runs_end += place->run_len;
    TRY(block_slot_run(proof->block, proof->slot, place, &run, err));
    columns_reset(&proof->samples);
    TRY(run_decode(run, timeline, INT64_MIN, INT64_MAX, &proof->samples, err));
    proof->sample_count += proof->samples.count;
    return STATUS_OK;
}

static enum status verify_samples(struct tenant_proof *proof, uint32_t series, struct error *err)
{
    struct block_place place;
    struct timeline *timeline;
    TRY(block_index_place(&proof->slot->index, series, &place, err));
    TRY(verify_timeline(proof, place.timeline, &timeline, err));
    enum status status = verify_run(proof, &place, timeline, err);
    if (timeline->spans[0].min_ts_ms < proof->min_ts_ms)
        proof->min_ts_ms = timeline->spans[0].min_ts_ms;
    if (timeline->spans[timeline->chunk_count - 1].max_ts_ms > proof->max_ts_ms)
        proof->max_ts_ms = timeline->spans[timeline->chunk_count - 1].max_ts_ms;
    timeline_release(timeline);
    return status;
}

/* ---- postings against series ---- */

/* Every series in the postings of a pair has the pair; as many as labels there are, they are
   all. */
static enum status verify_pair(const struct block_index *index, uint32_t name, uint32_t pair,
                               uint64_t *posting_count, struct error *err)
{
    struct postings series;
    postings_init(&series);
    TRY(block_index_postings(index, pair, &series, err));
    size_t count = postings_count(&series);
    uint32_t *positions = mem_alloc((count + 1) * sizeof *positions);
    postings_to_array(&series, positions);
    postings_deinit(&series);
    enum status status = STATUS_OK;
    for (size_t i = 0; i < count && status == STATUS_OK; i++) {
        bool has_pair = false;
        uint32_t found = 0;
        status = block_index_pair_of(index, positions[i], name, &has_pair, &found, err);
        if (status == STATUS_OK && (!has_pair || found != pair))
            status = wrong(err, "postings name a series that lacks pair", pair);
    }
    mem_free(positions);
    *posting_count += count;
    return status;
}

static enum status verify_postings(const struct tenant_proof *proof, struct error *err)
{
    const struct block_index *index = &proof->slot->index;
    uint64_t posting_count = 0;
    for (uint32_t name = 0; name < index->name_count; name++) {
        for (uint32_t pair = block_index_first_pair(index, name);
             pair < block_index_first_pair(index, name + 1); pair++)
            TRY(verify_pair(index, name, pair, &posting_count, err));
    }
    return posting_count == proof->label_count
               ? STATUS_OK
               : wrong(err, "labels without postings, want", proof->label_count);
}

/* ---- a tenant ---- */

static enum status verify_sums(const struct tenant_proof *proof, struct error *err)
{
    const struct block_entry *entry = &proof->entry;
    if (proof->runs_end != entry->index_offset - entry->runs_offset)
        return wrong(err, "samples that no series has, up to", proof->runs_end);
    if (proof->sample_count != entry->sample_count)
        return wrong(err,
                     "another number of samples than the directory says:", proof->sample_count);
    if (proof->timeline_count != proof->slot->index.timeline_count)
        return wrong(err, "a timeline that no series has, behind", proof->timeline_count);
    if (proof->min_ts_ms != entry->min_ts_ms || proof->max_ts_ms != entry->max_ts_ms)
        return wrong(err, "other times than the directory says; samples:", proof->sample_count);
    return STATUS_OK;
}

static enum status verify_slot(struct tenant_proof *proof, struct error *err)
{
    const struct block_index *index = &proof->slot->index;
    TRY(verify_symbols(index, err));
    TRY(verify_names(index, err));
    for (uint32_t series = 0; series < index->series_count; series++) {
        TRY(verify_order(proof, series, err));
        TRY(verify_samples(proof, series, err));
    }
    TRY(verify_postings(proof, err));
    return verify_sums(proof, err);
}

static enum status verify_tenant(struct block *block, size_t tenant, struct error *err)
{
    struct tenant_proof proof = {.block = block,
                                 .entry = block_entry_of(block, tenant),
                                 .min_ts_ms = INT64_MAX,
                                 .max_ts_ms = INT64_MIN};
    struct tenant_id id;
    if (tenant_id_parse(block_tenant(block, tenant), &id, err) != STATUS_OK)
        return STATUS_CORRUPT;
    TRY(block_slot_get(block, tenant, &proof.slot, err));
    arena_init(&proof.arenas[0], SIZE_MAX);
    arena_init(&proof.arenas[1], SIZE_MAX);
    columns_init(&proof.samples);
    timeline_cache_init(&proof.timelines);
    enum status status = verify_slot(&proof, err);
    columns_deinit(&proof.samples);
    timeline_cache_deinit(&proof.timelines);
    arena_deinit(&proof.arenas[0]);
    arena_deinit(&proof.arenas[1]);
    return status == STATUS_OK ? status : error_prefix(err, status, "tenant %s", id.text);
}

/* ---- the block ---- */

struct totals {
    uint64_t series_count;
    uint64_t sample_count;
    int64_t min_ts_ms;
    int64_t max_ts_ms;
    uint64_t end; /* of the sections so far */
};

/* Sections follow each other without a gap, tenants in order. */
static enum status verify_entry(const struct block *block, size_t tenant, struct totals *totals,
                                struct error *err)
{
    struct block_entry entry = block_entry_of(block, tenant);
    if (tenant > 0 &&
        str_compare(block_tenant(block, tenant - 1), block_tenant(block, tenant)) >= 0)
        return wrong(err, "tenants are out of order at", tenant);
    if (entry.runs_offset != totals->end)
        return wrong(err, "a gap before tenant", tenant);
    totals->end = entry.index_offset + entry.index_len;
    totals->series_count += entry.series_count;
    totals->sample_count += entry.sample_count;
    if (entry.min_ts_ms < totals->min_ts_ms)
        totals->min_ts_ms = entry.min_ts_ms;
    if (entry.max_ts_ms > totals->max_ts_ms)
        totals->max_ts_ms = entry.max_ts_ms;
    return STATUS_OK;
}

static enum status verify_totals(const struct block *block, const struct totals *totals,
                                 struct error *err)
{
    const struct block_meta *meta = &block->footer.meta;
    if (totals->end != block->footer.directory_offset)
        return wrong(err, "a gap before the directory at", totals->end);
    if (totals->series_count != meta->series_count || totals->sample_count != meta->sample_count)
        return wrong(err, "another number of samples than the footer says:", totals->sample_count);
    if (totals->min_ts_ms != meta->min_ts_ms || totals->max_ts_ms != meta->max_ts_ms)
        return wrong(err, "other times than the footer says; samples:", totals->sample_count);
    return STATUS_OK;
}

static enum status verify_replaced(const struct block *block, struct error *err)
{
    const struct block_footer *footer = &block->footer;
    const uint8_t *replaced = block->bytes.ptr + footer->directory_offset +
                              (size_t)footer->tenant_count * BLOCK_ENTRY_BYTES;
    for (uint32_t i = 0; i < footer->replaced_count; i++) {
        uint64_t sequence = load_u64(replaced + (size_t)i * BLOCK_REPLACED_BYTES);
        if (sequence >= footer->meta.sequence)
            return wrong(err, "replaces a block that is not older:", sequence);
        if (i > 0 && sequence <= load_u64(replaced + (size_t)(i - 1) * BLOCK_REPLACED_BYTES))
            return wrong(err, "replaced blocks are out of order at", sequence);
    }
    return STATUS_OK;
}

static enum status verify(struct block *block, struct error *err)
{
    struct block_footer footer;
    TRY(block_footer_decode(block->bytes, &footer, err));
    TRY(verify_replaced(block, err));
    struct totals totals = {
        .min_ts_ms = INT64_MAX, .max_ts_ms = INT64_MIN, .end = BLOCK_HEADER_BYTES};
    for (size_t i = 0; i < block->footer.tenant_count; i++) {
        TRY(verify_entry(block, i, &totals, err));
        TRY(verify_tenant(block, i, err));
    }
    return verify_totals(block, &totals, err);
}

enum status block_verify(struct block *block, struct error *err)
{
    enum status status = verify(block, err);
    return status == STATUS_OK ? status : error_prefix(err, status, "%s", block->path);
}
