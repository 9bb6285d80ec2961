/*
 * Names and values of labels, of all series of a tenant or of some. Found again when bytes of the
 * file were gone meanwhile, and copied, as in block_labels.
 */
#include "tsdb/block/block_impl.h"

/* Texts of an index come as they are numbered, which is sorted. */
static enum status texts_init(struct str_list *texts, struct arena *arena, size_t count,
                              struct error *err)
{
    *texts = (struct str_list){arena_try_alloc(arena, count * sizeof *texts->ptr), count};
    return texts->ptr == NULL ? arena_refusal(arena, err) : STATUS_OK;
}

/* Copies the text, all of it in one piece. */
static enum status texts_keep(struct str_list *texts, struct arena *arena, struct error *err)
{
    size_t len = 0;
    for (size_t i = 0; i < texts->count; i++)
        len += texts->ptr[i].len;
    char *to = arena_try_alloc(arena, len);
    if (to == NULL)
        return arena_refusal(arena, err);
    for (size_t i = 0; i < texts->count; i++)
        to = str_move(&texts->ptr[i], to);
    return STATUS_OK;
}

/* ---- of all series ---- */

static enum status names_once(struct block *block, size_t tenant, struct arena *arena,
                              struct str_list *out, struct error *err)
{
    const struct block_slot *slot;
    TRY(block_slot_get(block, tenant, &slot, err));
    TRY(texts_init(out, arena, slot->index.name_count, err));
    for (uint32_t i = 0; i < out->count; i++)
        out->ptr[i] = block_index_name(&slot->index, i);
    return texts_keep(out, arena, err);
}

enum status block_label_names(struct block *block, size_t tenant, struct arena *arena,
                              struct str_list *out, struct error *err)
{
    enum status status;
    *out = (struct str_list){0};
    uint64_t faults = file_fault_count(block->file);
    do
        status = names_once(block, tenant, arena, out, err);
    while (block_has_faulted(block, &faults));
    return status;
}

static enum status values_once(struct block *block, size_t tenant, struct str name,
                               struct arena *arena, struct str_list *out, struct error *err)
{
    const struct block_slot *slot;
    uint32_t number, first = 0, end = 0;
    TRY(block_slot_get(block, tenant, &slot, err));
    if (block_index_find_name(&slot->index, name, &number)) {
        first = block_index_first_pair(&slot->index, number);
        end = block_index_first_pair(&slot->index, number + 1);
    }
    TRY(texts_init(out, arena, first < end ? end - first : 0, err));
    for (uint32_t i = 0; i < out->count; i++)
        out->ptr[i] = block_index_value(&slot->index, first + i);
    return texts_keep(out, arena, err);
}

enum status block_label_values(struct block *block, size_t tenant, struct str name,
                               struct arena *arena, struct str_list *out, struct error *err)
{
    enum status status;
    *out = (struct str_list){0};
    uint64_t faults = file_fault_count(block->file);
    do
        status = values_once(block, tenant, name, arena, out, err);
    while (block_has_faulted(block, &faults));
    return status;
}

/* ---- of some ---- */

/* Which of the `count` names, or values of a name, were met. */
struct marks {
    bool *is_met; /* in the arena */
    size_t count;
    size_t met_count;
};

static enum status marks_init(struct marks *marks, struct arena *arena, size_t count,
                              struct error *err)
{
    *marks = (struct marks){.is_met = arena_try_alloc(arena, count), .count = count};
    if (marks->is_met == NULL)
        return arena_refusal(arena, err);
    if (count > 0)
        memset(marks->is_met, 0, count);
    return STATUS_OK;
}

static enum status names_of_once(struct block *block, size_t tenant, struct series_list series,
                                 struct arena *arena, struct str_list *out, struct error *err)
{
    const struct block_slot *slot;
    struct marks marks;
    TRY(block_slot_get(block, tenant, &slot, err));
    TRY(marks_init(&marks, arena, slot->index.name_count, err));
    TRY(texts_init(out, arena, marks.count, err));
    for (size_t i = 0; i < series.count; i++)
        TRY(block_index_mark_names(&slot->index, series.ptr[i], marks.is_met, err));
    out->count = 0;
    for (uint32_t i = 0; i < marks.count; i++) {
        if (marks.is_met[i])
            out->ptr[out->count++] = block_index_name(&slot->index, i);
    }
    return texts_keep(out, arena, err);
}

enum status block_label_names_of(struct block *block, size_t tenant, struct series_list series,
                                 struct arena *arena, struct str_list *out, struct error *err)
{
    enum status status;
    *out = (struct str_list){0};
    uint64_t faults = file_fault_count(block->file);
    do
        status = names_of_once(block, tenant, series, arena, out, err);
    while (block_has_faulted(block, &faults));
    return status;
}

/* Marks the values that the series have for a name whose pairs begin with `first`, until all are
   met. */
static enum status mark_values(const struct block_index *index, uint32_t name, uint32_t first,
                               struct series_list series, struct marks *marks, struct error *err)
{
    for (size_t i = 0; i < series.count && marks->met_count < marks->count; i++) {
        bool has_pair;
        uint32_t pair;
        TRY(block_index_pair_of(index, series.ptr[i], name, &has_pair, &pair, err));
        /* not one of the name's: bytes are gone, and it is read again */
        if (!has_pair || pair < first || pair - first >= marks->count)
            continue;
        marks->met_count += !marks->is_met[pair - first];
        marks->is_met[pair - first] = true;
    }
    return STATUS_OK;
}

static enum status values_of_once(struct block *block, size_t tenant, struct series_list series,
                                  struct str name, struct arena *arena, struct str_list *out,
                                  struct error *err)
{
    const struct block_slot *slot;
    struct marks marks;
    uint32_t number;
    TRY(block_slot_get(block, tenant, &slot, err));
    if (!block_index_find_name(&slot->index, name, &number))
        return texts_init(out, arena, 0, err);
    uint32_t first = block_index_first_pair(&slot->index, number);
    uint32_t end = block_index_first_pair(&slot->index, number + 1);
    TRY(marks_init(&marks, arena, first < end ? end - first : 0, err));
    TRY(mark_values(&slot->index, number, first, series, &marks, err));
    TRY(texts_init(out, arena, marks.met_count, err));
    out->count = 0;
    for (uint32_t i = 0; i < marks.count; i++) {
        if (marks.is_met[i])
            out->ptr[out->count++] = block_index_value(&slot->index, first + i);
    }
    return texts_keep(out, arena, err);
}

enum status block_label_values_of(struct block *block, size_t tenant, struct series_list series,
                                  struct str name, struct arena *arena, struct str_list *out,
                                  struct error *err)
{
    enum status status;
    *out = (struct str_list){0};
    uint64_t faults = file_fault_count(block->file);
    do
        status = values_of_once(block, tenant, series, name, arena, out, err);
    while (block_has_faulted(block, &faults));
    return status;
}
