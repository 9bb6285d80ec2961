/*
 * Label names and values. Without matchers (beyond those that choose tenants) the indexes answer;
 * with matchers, and while blocks hold what was deleted, the series are selected and their labels
 * looked at.
 */
#include "tsdb/store/select.h"

#include <stdlib.h>

#include "base/buffer.h"
#include "tsdb/store/select_impl.h"

/* Texts as they are found; sorted and freed of duplicates at the end. All of it is charged before
   it is allocated. */
struct found {
    struct arena *arena; /* of the caller: what is kept is copied here */
    struct buffer texts; /* struct str */
};

static void found_init(struct found *found, struct arena *arena, struct charge *charge)
{
    found->arena = arena;
    buffer_init(&found->texts, SIZE_MAX);
    found->texts.charge = charge;
}

static void found_deinit(struct found *found)
{
    buffer_deinit(&found->texts);
}

static struct str *found_texts(const struct found *found)
{
    return (struct str *)(void *)found->texts.ptr;
}

static size_t found_count(const struct found *found)
{
    return found->texts.len / sizeof(struct str);
}

static enum status add_text(struct found *found, struct str text, struct error *err)
{
    buffer_append(&found->texts, &text, sizeof text);
    return found->texts.is_overflown ? charge_refusal(found->texts.charge, err) : STATUS_OK;
}

/* A copy, because the head may be gone when the caller looks. */
static enum status add_copy(struct found *found, struct str text, struct error *err)
{
    char *copy = arena_try_alloc(found->arena, text.len);
    if (copy == NULL)
        return arena_refusal(found->arena, err);
    str_move(&text, copy);
    return add_text(found, text, err);
}

static enum status add_copies(struct found *found, struct str_list texts, struct error *err)
{
    for (size_t i = 0; i < texts.count; i++)
        TRY(add_copy(found, texts.ptr[i], err));
    return STATUS_OK;
}

static enum status add_texts(struct found *found, struct str_list texts, struct error *err)
{
    for (size_t i = 0; i < texts.count; i++)
        TRY(add_text(found, texts.ptr[i], err));
    return STATUS_OK;
}

static int compare_texts(const void *left, const void *right)
{
    return str_compare(*(const struct str *)left, *(const struct str *)right);
}

/* Sorts, and makes one of equal texts. */
static void thin(struct found *found)
{
    struct str *texts = found_texts(found);
    size_t kept = 0, count = found_count(found);
    if (count > 0)
        qsort(texts, count, sizeof *texts, compare_texts);
    for (size_t i = 0; i < count; i++) {
        if (kept == 0 || !str_eq(texts[kept - 1], texts[i]))
            texts[kept++] = texts[i];
    }
    found->texts.len = kept * sizeof *texts;
}

/* For a text that comes again and again: the list stays as short as the texts are few. */
static enum status add_repeated(struct found *found, struct str text, struct error *err)
{
    size_t room = found->texts.capacity - found->texts.len;
    if (room < sizeof text) {
        thin(found);
        /* as much again, or it would be sorted for each text */
        if (buffer_reserve(&found->texts, found->texts.len + sizeof text) == NULL)
            return charge_refusal(found->texts.charge, err);
    }
    return add_text(found, text, err);
}

static enum status finish(struct found *found, struct str_list *out, struct error *err)
{
    thin(found);
    *out = (struct str_list){.ptr = arena_try_alloc(found->arena, found->texts.len)};
    if (out->ptr == NULL)
        return arena_refusal(found->arena, err);
    out->count = found_count(found);
    if (out->count > 0)
        memcpy(out->ptr, found->texts.ptr, found->texts.len);
    return STATUS_OK;
}

/* ---- from the indexes ---- */

/* What to look up: all names, or the values of one. */
struct wanted {
    bool is_values;
    struct str name;
};

struct lookup {
    struct store *store;
    const struct select_options *options;
    struct wanted wanted;
    struct arena scratch;
};

static const struct wanted all_names = {.is_values = false};

/* Whether any series has samples in the range. As with a block all texts count then: to look at
   every series would make each lookup as dear as the tenant is large. */
static enum status head_overlaps(struct lookup *lookup, const struct head *head,
                                 const struct tenant *tenant, bool *overlaps, struct error *err)
{
    struct ref_list refs;
    int64_t wanted_min_ts_ms =
        store_first_visible_ms(lookup->store, tenant, lookup->options->min_ts_ms);
    *overlaps = false;
    TRY(head_select(head, tenant, (struct matchers){0}, &lookup->scratch, &refs, err));
    for (size_t i = 0; i < refs.count && !*overlaps; i++) {
        int64_t min_ts_ms, max_ts_ms;
        head_time_range(head, refs.ptr[i], &min_ts_ms, &max_ts_ms);
        *overlaps = max_ts_ms >= wanted_min_ts_ms && min_ts_ms <= lookup->options->max_ts_ms;
    }
    return STATUS_OK;
}

static enum status add_from_head_locked(struct lookup *lookup, const struct tenant_part *part,
                                        const struct head *head, const struct wanted *wanted,
                                        struct found *found, struct error *err)
{
    struct str_list texts;
    bool overlaps;
    TRY(head_overlaps(lookup, head, part->tenant, &overlaps, err));
    if (!overlaps)
        return STATUS_OK;
    if (wanted->is_values)
        TRY(head_label_values(head, part->tenant, wanted->name, &lookup->scratch, &texts, err));
    else
        TRY(head_label_names(head, part->tenant, &lookup->scratch, &texts, err));
    return add_copies(found, texts, err);
}

static enum status add_from_head(struct lookup *lookup, const struct tenant_part *part,
                                 const struct wanted *wanted, struct found *found,
                                 struct error *err)
{
    struct shard *shard = &lookup->store->shards[part->tenant->shard];
    rwlock_lock_read(&shard->lock);
    enum status status = add_from_head_locked(lookup, part, shard->head, wanted, found, err);
    rwlock_unlock_read(&shard->lock);
    return status;
}

static enum status read_block_texts(struct lookup *lookup, struct block *block,
                                    const struct tenant_part *part, const struct wanted *wanted,
                                    struct found *found, struct error *err)
{
    size_t tenant;
    TRY(block_find_tenant(block, tenant_id_str(&part->tenant->id), &tenant, err));
    struct block_section section = block_tenant_section(block, tenant);
    if (section.min_ts_ms > lookup->options->max_ts_ms ||
        section.max_ts_ms <
            store_first_visible_ms(lookup->store, part->tenant, lookup->options->min_ts_ms))
        return STATUS_OK;
    struct str_list texts;
    if (wanted->is_values)
        TRY(block_label_values(block, tenant, wanted->name, found->arena, &texts, err));
    else
        TRY(block_label_names(block, tenant, found->arena, &texts, err));
    return add_texts(found, texts, err);
}

static enum status add_from_block(struct lookup *lookup, struct block *block,
                                  const struct tenant_part *part, const struct wanted *wanted,
                                  struct found *found, struct error *err)
{
    enum status status = read_block_texts(lookup, block, part, wanted, found, err);
    if (status == STATUS_NOT_FOUND)
        return STATUS_OK;
    return select_pass_damage(lookup->store, &lookup->options->damage, block, status, err);
}

/* What the tenant's series have stored. The head first: what leaves it meanwhile is in a block
 * then. */
static enum status add_stored(struct lookup *lookup, const struct tenant_part *part,
                              const struct wanted *wanted, struct found *found, struct error *err)
{
    struct block **blocks;
    size_t count;
    TRY(add_from_head(lookup, part, wanted, found, err));
    enum status status = STATUS_OK;
    store_blocks(lookup->store, part->tenant->shard, &lookup->scratch, &blocks, &count);
    for (size_t i = 0; i < count; i++) {
        if (status == STATUS_OK)
            status = add_from_block(lookup, blocks[i], part, wanted, found, err);
        block_release(blocks[i]);
    }
    return status;
}

/* Whether a series of the tenant says another tenant than it has; that value shows as
 * "original_...". */
static enum status has_rewritten(struct lookup *lookup, const struct tenant_part *part, bool *has,
                                 struct error *err)
{
    struct found values;
    const struct wanted wanted = {.is_values = true, .name = lookup->store->options.tenant_label};
    found_init(&values, &lookup->scratch, lookup->options->charge);
    enum status status = add_stored(lookup, part, &wanted, &values, err);
    *has = false;
    for (size_t i = 0; i < found_count(&values); i++)
        *has = *has || !str_eq(found_texts(&values)[i], part->shown);
    found_deinit(&values);
    return status;
}

/* Of the texts from `start` on. */
static void leave_out(struct found *found, size_t start, struct str text)
{
    struct str *texts = found_texts(found);
    size_t kept = start, count = found_count(found);
    for (size_t i = start; i < count; i++) {
        if (!str_eq(texts[i], text))
            texts[kept++] = texts[i];
    }
    found->texts.len = kept * sizeof *texts;
}

static enum status add_shown_names(struct lookup *lookup, const struct tenant_part *part,
                                   struct found *found, struct error *err)
{
    struct str tenant_label = lookup->store->options.tenant_label;
    size_t before = found_count(found);
    bool has;
    TRY(add_stored(lookup, part, &all_names, found, err));
    if (found_count(found) == before)
        return STATUS_OK;
    leave_out(found, before, tenant_label);
    if (part->shown.len > 0)
        TRY(add_copy(found, tenant_label, err));
    TRY(has_rewritten(lookup, part, &has, err));
    return has ? add_text(found, scope_original_label(tenant_label, found->arena), err) : STATUS_OK;
}

/* The tenant, when it has any series. */
static enum status add_tenant_value(struct lookup *lookup, const struct tenant_part *part,
                                    struct found *found, struct error *err)
{
    struct found names;
    if (part->shown.len == 0)
        return STATUS_OK;
    found_init(&names, &lookup->scratch, lookup->options->charge);
    enum status status = add_stored(lookup, part, &all_names, &names, err);
    if (status == STATUS_OK && found_count(&names) > 0)
        status = add_copy(found, part->shown, err);
    found_deinit(&names);
    return status;
}

static enum status add_part(struct lookup *lookup, const struct tenant_part *part,
                            struct found *found, struct error *err)
{
    if (part->is_federated && !lookup->wanted.is_values)
        return add_shown_names(lookup, part, found, err);
    if (part->is_federated && str_eq(lookup->wanted.name, lookup->store->options.tenant_label))
        return add_tenant_value(lookup, part, found, err);
    return add_stored(lookup, part, &lookup->wanted, found, err);
}

/* ---- from selected series ---- */

static enum status add_labels(const struct wanted *wanted, struct labels labels,
                              struct found *found, struct error *err)
{
    for (size_t k = 0; k < labels.count; k++) {
        if (!wanted->is_values)
            TRY(add_repeated(found, labels.ptr[k].name, err));
        else if (str_eq(labels.ptr[k].name, wanted->name))
            TRY(add_repeated(found, labels.ptr[k].value, err));
    }
    return STATUS_OK;
}

static enum status add_selected(const struct wanted *wanted, const struct selection *selection,
                                struct found *seen, struct found *found, struct error *err)
{
    for (size_t i = 0; i < select_count(selection); i++)
        TRY(add_labels(wanted, select_labels(selection, i), seen, err));
    thin(seen);
    return add_copies(found, (struct str_list){found_texts(seen), found_count(seen)}, err);
}

static enum status add_from_series(struct lookup *lookup, struct found *found, struct error *err)
{
    struct found seen;
    struct selection *selection;
    TRY(select_open(lookup->store, lookup->options, &selection, err));
    found_init(&seen, NULL, lookup->options->charge);
    enum status status = add_selected(&lookup->wanted, selection, &seen, found, err);
    found_deinit(&seen);
    select_close(selection);
    return status;
}

/* Whether blocks hold something of the tenant that was deleted. */
static bool has_deleted(const struct lookup *lookup, const struct tenant_part *part)
{
    struct deletions *deletions = store_deletions(lookup->store, part->tenant->shard);
    bool has = deletions_concern(deletions, 0, tenant_id_str(&part->tenant->id));
    deletions_release(deletions);
    return has;
}

/* Whether indexes alone can say: no matcher is left once tenants are chosen, nothing is deleted
   that they still know, and the label is not one that is put together from two stored ones. */
static bool is_index_enough(const struct lookup *lookup, const struct tenant_part *parts,
                            size_t count)
{
    bool is_original =
        lookup->wanted.is_values &&
        scope_is_original_label(lookup->wanted.name, lookup->store->options.tenant_label);
    for (size_t i = 0; i < count; i++) {
        if (parts[i].matcher_count > 0 || parts[i].on_original_count > 0 ||
            (is_original && parts[i].is_federated) || has_deleted(lookup, &parts[i]))
            return false;
    }
    return true;
}

static enum status check(const struct select_options *options, struct error *err)
{
    return options->check == NULL ? STATUS_OK : options->check(options->check_context, err);
}

static enum status look_up(struct lookup *lookup, struct found *found, struct error *err)
{
    struct tenant_part *parts;
    size_t count;
    scope_parts(lookup->store->tenants, lookup->store->options.tenant_label, lookup->options,
                &lookup->scratch, &parts, &count);
    if (!is_index_enough(lookup, parts, count))
        return add_from_series(lookup, found, err);
    for (size_t i = 0; i < count; i++) {
        TRY(check(lookup->options, err));
        TRY(add_part(lookup, &parts[i], found, err));
    }
    return STATUS_OK;
}

static enum status run_lookup(struct lookup *lookup, struct arena *arena, struct str_list *out,
                              struct error *err)
{
    struct found found;
    found_init(&found, arena, lookup->options->charge);
    arena_init(&lookup->scratch, SIZE_MAX);
    lookup->scratch.charge = lookup->options->charge;
    enum status status = look_up(lookup, &found, err);
    arena_deinit(&lookup->scratch);
    if (status == STATUS_OK)
        status = finish(&found, out, err);
    found_deinit(&found);
    return status;
}

enum status select_label_names(struct store *store, const struct select_options *options,
                               struct arena *arena, struct str_list *out, struct error *err)
{
    struct lookup lookup = {.store = store, .options = options};
    return run_lookup(&lookup, arena, out, err);
}

enum status select_label_values(struct store *store, const struct select_options *options,
                                struct str name, struct arena *arena, struct str_list *out,
                                struct error *err)
{
    struct lookup lookup = {
        .store = store, .options = options, .wanted = {.is_values = true, .name = name}};
    return run_lookup(&lookup, arena, out, err);
}
