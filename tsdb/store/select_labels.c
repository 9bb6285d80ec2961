/*
 * Label names and values. Without matchers (beyond those that choose tenants) the indexes answer;
 * with matchers, and while blocks hold what was deleted, the series are selected and their labels
 * looked at.
 */
#include "tsdb/store/select.h"

#include <stdlib.h>

#include "base/mem.h"
#include "tsdb/store/select_impl.h"

/* Texts as they are found; sorted and freed of duplicates at the end. */
struct found {
    struct arena *arena; /* of the caller: what is kept is copied here */
    struct str *ptr;     /* base/mem */
    size_t count;
    size_t capacity;
};

static void add_text(struct found *found, struct str text)
{
    found->ptr = mem_grow(found->ptr, &found->capacity, found->count + 1, sizeof *found->ptr);
    found->ptr[found->count++] = text;
}

/* Copies, because the head may be gone when the caller looks. */
static void add_copies(struct found *found, const struct str *texts, size_t count)
{
    for (size_t i = 0; i < count; i++)
        add_text(found, arena_copy(found->arena, texts[i]));
}

static void add_texts(struct found *found, const struct str *texts, size_t count)
{
    for (size_t i = 0; i < count; i++)
        add_text(found, texts[i]);
}

static int compare_texts(const void *left, const void *right)
{
    return str_compare(*(const struct str *)left, *(const struct str *)right);
}

/* Sorts, and makes one of equal texts. */
static void thin(struct found *found)
{
    size_t kept = 0;
    if (found->count > 0)
        qsort(found->ptr, found->count, sizeof *found->ptr, compare_texts);
    for (size_t i = 0; i < found->count; i++) {
        if (kept == 0 || !str_eq(found->ptr[kept - 1], found->ptr[i]))
            found->ptr[kept++] = found->ptr[i];
    }
    found->count = kept;
}

/* For a text that comes again and again: the list stays as short as the texts are few. */
static void add_repeated(struct found *found, struct str text)
{
    if (found->count == found->capacity) {
        thin(found);
        found->ptr =
            mem_grow(found->ptr, &found->capacity, 2 * found->count + 1, sizeof *found->ptr);
    }
    found->ptr[found->count++] = text;
}

static void finish(struct found *found, struct str_list *out)
{
    thin(found);
    size_t size_bytes = found->count * sizeof *out->ptr;
    *out = (struct str_list){.ptr = arena_alloc(found->arena, size_bytes), .count = found->count};
    if (found->count > 0)
        memcpy(out->ptr, found->ptr, size_bytes);
    mem_free(found->ptr);
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
    TRY(head_select(head, tenant, NULL, 0, &lookup->scratch, &refs, err));
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
    struct str *texts;
    size_t count;
    bool overlaps;
    TRY(head_overlaps(lookup, head, part->tenant, &overlaps, err));
    if (!overlaps)
        return STATUS_OK;
    if (wanted->is_values)
        head_label_values(head, part->tenant, wanted->name, &lookup->scratch, &texts, &count);
    else
        head_label_names(head, part->tenant, &lookup->scratch, &texts, &count);
    add_copies(found, texts, count);
    return STATUS_OK;
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
    struct str *texts;
    size_t count;
    if (wanted->is_values)
        TRY(block_label_values(block, tenant, wanted->name, found->arena, &texts, &count, err));
    else
        TRY(block_label_names(block, tenant, found->arena, &texts, &count, err));
    add_texts(found, texts, count);
    return STATUS_OK;
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
    struct found values = {.arena = &lookup->scratch};
    const struct wanted wanted = {.is_values = true, .name = lookup->store->options.tenant_label};
    enum status status = add_stored(lookup, part, &wanted, &values, err);
    *has = false;
    for (size_t i = 0; i < values.count; i++)
        *has = *has || !str_eq(values.ptr[i], tenant_id_str(&part->tenant->id));
    mem_free(values.ptr);
    return status;
}

static enum status add_shown_names(struct lookup *lookup, const struct tenant_part *part,
                                   struct found *found, struct error *err)
{
    struct str tenant_label = lookup->store->options.tenant_label;
    size_t before = found->count;
    bool has;
    TRY(add_stored(lookup, part, &all_names, found, err));
    if (found->count == before)
        return STATUS_OK;
    add_copies(found, &tenant_label, 1);
    TRY(has_rewritten(lookup, part, &has, err));
    if (has)
        add_text(found, scope_original_label(tenant_label, found->arena));
    return STATUS_OK;
}

/* The tenant, when it has any series. */
static enum status add_tenant_value(struct lookup *lookup, const struct tenant_part *part,
                                    struct found *found, struct error *err)
{
    struct found names = {.arena = &lookup->scratch};
    struct str id = tenant_id_str(&part->tenant->id);
    enum status status = add_stored(lookup, part, &all_names, &names, err);
    if (status == STATUS_OK && names.count > 0)
        add_copies(found, &id, 1);
    mem_free(names.ptr);
    return status;
}

static enum status add_part(struct lookup *lookup, const struct tenant_part *part,
                            struct found *found, struct error *err)
{
    if (part->shows_tenant && !lookup->wanted.is_values)
        return add_shown_names(lookup, part, found, err);
    if (part->shows_tenant && str_eq(lookup->wanted.name, lookup->store->options.tenant_label))
        return add_tenant_value(lookup, part, found, err);
    return add_stored(lookup, part, &lookup->wanted, found, err);
}

/* ---- from selected series ---- */

static void add_labels(const struct wanted *wanted, struct labels labels, struct found *found)
{
    for (size_t k = 0; k < labels.count; k++) {
        if (!wanted->is_values)
            add_repeated(found, labels.ptr[k].name);
        else if (str_eq(labels.ptr[k].name, wanted->name))
            add_repeated(found, labels.ptr[k].value);
    }
}

static enum status add_from_series(struct lookup *lookup, struct found *found, struct error *err)
{
    struct found seen = {0};
    struct selection *selection;
    TRY(select_open(lookup->store, lookup->options, &selection, err));
    for (size_t i = 0; i < select_count(selection); i++)
        add_labels(&lookup->wanted, select_labels(selection, i), &seen);
    thin(&seen);
    add_copies(found, seen.ptr, seen.count);
    mem_free(seen.ptr);
    select_close(selection);
    return STATUS_OK;
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
            (is_original && parts[i].shows_tenant) || has_deleted(lookup, &parts[i]))
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
    struct found found = {.arena = arena};
    arena_init(&lookup->scratch, SIZE_MAX);
    lookup->scratch.charge = lookup->options->charge;
    enum status status = look_up(lookup, &found, err);
    arena_deinit(&lookup->scratch);
    finish(&found, out);
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
