/*
 * Label names and values. Without matchers (beyond those that choose tenants) the indexes have the
 * answer; with matchers they say which series match, and these which texts. Where labels are put
 * together from stored ones, and while blocks hold what was deleted, a selection is looked at.
 */
#include "tsdb/store/select.h"

#include "tsdb/store/select_impl.h"
#include "tsdb/store/text_set.h"

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

/* Keeps the series with samples in the range. Without matchers one is enough: as with a block all
   texts count then, for to look at every series would make each lookup as dear as the tenant is
   large. */
static void keep_in_range(const struct lookup *lookup, const struct head *head,
                          const struct tenant_part *part, struct ref_list *refs)
{
    size_t kept = 0;
    for (size_t i = 0; i < refs->count && (part->matcher_count > 0 || kept == 0); i++) {
        int64_t min_ts_ms, max_ts_ms;
        head_time_range(head, refs->ptr[i], &min_ts_ms, &max_ts_ms);
        if (max_ts_ms >= part->min_ts_ms && min_ts_ms <= lookup->options->max_ts_ms)
            refs->ptr[kept++] = refs->ptr[i];
    }
    refs->count = kept;
}

/* `refs` are those that match, where there are matchers. */
static enum status list_head_texts(struct lookup *lookup, const struct tenant_part *part,
                                   const struct head *head, const struct wanted *wanted,
                                   struct ref_list refs, struct str_list *out, struct error *err)
{
    struct arena *arena = &lookup->scratch;
    if (part->matcher_count == 0 && wanted->is_values)
        return head_label_values(head, part->tenant, wanted->name, arena, out, err);
    if (part->matcher_count == 0)
        return head_label_names(head, part->tenant, arena, out, err);
    if (wanted->is_values)
        return head_label_values_of(head, part->tenant, refs, wanted->name, arena, out, err);
    return head_label_names_of(head, part->tenant, refs, arena, out, err);
}

static enum status add_from_head_locked(struct lookup *lookup, const struct tenant_part *part,
                                        const struct head *head, const struct wanted *wanted,
                                        struct text_set *found, struct error *err)
{
    struct matchers matchers = {part->matchers, part->matcher_count};
    struct ref_list refs;
    struct str_list texts;
    TRY(head_select(head, part->tenant, matchers, &lookup->scratch, &refs, err));
    keep_in_range(lookup, head, part, &refs);
    if (refs.count == 0)
        return STATUS_OK;
    TRY(list_head_texts(lookup, part, head, wanted, refs, &texts, err));
    return text_set_add_copies(found, texts, err); /* the head may be gone when the caller looks */
}

static enum status add_from_head(struct lookup *lookup, const struct tenant_part *part,
                                 const struct wanted *wanted, struct text_set *found,
                                 struct error *err)
{
    struct shard *shard = &lookup->store->shards[part->tenant->shard];
    rwlock_lock_read(&shard->lock);
    enum status status = add_from_head_locked(lookup, part, shard->head, wanted, found, err);
    rwlock_unlock_read(&shard->lock);
    return status;
}

/* The series that match and have samples in the range. */
static enum status select_in_range(struct lookup *lookup, struct block *block, size_t tenant,
                                   const struct tenant_part *part, struct series_list *out,
                                   struct error *err)
{
    struct block_section section = block_tenant_section(block, tenant);
    struct matchers matchers = {part->matchers, part->matcher_count};
    int64_t min_ts_ms = part->min_ts_ms, max_ts_ms = lookup->options->max_ts_ms;
    size_t kept = 0;
    TRY(block_select(block, tenant, matchers, &lookup->scratch, out, err));
    if (section.min_ts_ms >= min_ts_ms && section.max_ts_ms <= max_ts_ms)
        return STATUS_OK;
    for (size_t i = 0; i < out->count; i++) {
        int64_t first_ts_ms, last_ts_ms;
        TRY(block_time_range(block, tenant, out->ptr[i], &first_ts_ms, &last_ts_ms, err));
        if (last_ts_ms >= min_ts_ms && first_ts_ms <= max_ts_ms)
            out->ptr[kept++] = out->ptr[i];
    }
    out->count = kept;
    return STATUS_OK;
}

static enum status list_block_texts(struct lookup *lookup, struct block *block, size_t tenant,
                                    const struct tenant_part *part, const struct wanted *wanted,
                                    struct text_set *found, struct error *err)
{
    struct series_list series = {0};
    struct str_list texts;
    if (part->matcher_count > 0)
        TRY(select_in_range(lookup, block, tenant, part, &series, err));
    if (part->matcher_count > 0 && wanted->is_values)
        TRY(block_label_values_of(block, tenant, series, wanted->name, found->arena, &texts, err));
    else if (part->matcher_count > 0)
        TRY(block_label_names_of(block, tenant, series, found->arena, &texts, err));
    else if (wanted->is_values)
        TRY(block_label_values(block, tenant, wanted->name, found->arena, &texts, err));
    else
        TRY(block_label_names(block, tenant, found->arena, &texts, err));
    return text_set_add_all(found, texts, err);
}

static enum status read_block_texts(struct lookup *lookup, struct block *block,
                                    const struct tenant_part *part, const struct wanted *wanted,
                                    struct text_set *found, struct error *err)
{
    size_t tenant;
    TRY(block_find_tenant(block, tenant_id_str(&part->tenant->id), &tenant, err));
    struct block_section section = block_tenant_section(block, tenant);
    if (section.min_ts_ms > lookup->options->max_ts_ms || section.max_ts_ms < part->min_ts_ms)
        return STATUS_OK;
    return list_block_texts(lookup, block, tenant, part, wanted, found, err);
}

static enum status add_from_block(struct lookup *lookup, struct block *block,
                                  const struct tenant_part *part, const struct wanted *wanted,
                                  struct text_set *found, struct error *err)
{
    enum status status = read_block_texts(lookup, block, part, wanted, found, err);
    if (status == STATUS_NOT_FOUND)
        return STATUS_OK;
    return select_pass_damage(lookup->store, &lookup->options->damage, block, status, err);
}

/* What the tenant's series have stored. The head first: what leaves it meanwhile is in a block
 * then. */
static enum status add_stored(struct lookup *lookup, const struct tenant_part *part,
                              const struct wanted *wanted, struct text_set *found,
                              struct error *err)
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
    struct text_set values;
    const struct wanted wanted = {.is_values = true, .name = lookup->store->options.tenant_label};
    text_set_init(&values, &lookup->scratch, lookup->options->charge);
    enum status status = add_stored(lookup, part, &wanted, &values, err);
    *has = false;
    for (size_t i = 0; i < text_set_count(&values); i++)
        *has = *has || !str_eq(text_set_ptr(&values)[i], part->shown);
    text_set_deinit(&values);
    return status;
}

/* Of the texts from `start` on. */
static void leave_out(struct text_set *found, size_t start, struct str text)
{
    struct str *texts = text_set_ptr(found);
    size_t kept = start, count = text_set_count(found);
    for (size_t i = start; i < count; i++) {
        if (!str_eq(texts[i], text))
            texts[kept++] = texts[i];
    }
    found->texts.len = kept * sizeof *texts;
}

static enum status add_shown_names(struct lookup *lookup, const struct tenant_part *part,
                                   struct text_set *found, struct error *err)
{
    struct str tenant_label = lookup->store->options.tenant_label;
    size_t before = text_set_count(found);
    bool has;
    TRY(add_stored(lookup, part, &all_names, found, err));
    if (text_set_count(found) == before)
        return STATUS_OK;
    leave_out(found, before, tenant_label);
    if (part->shown.len > 0)
        TRY(text_set_add_copy(found, tenant_label, err));
    TRY(has_rewritten(lookup, part, &has, err));
    return has ? text_set_add(found, scope_original_label(tenant_label, found->arena), err)
               : STATUS_OK;
}

/* What is said of the tenant, when it has any series. */
static enum status add_tenant_value(struct lookup *lookup, const struct tenant_part *part,
                                    struct str value, struct text_set *found, struct error *err)
{
    struct text_set names;
    if (value.len == 0)
        return STATUS_OK;
    text_set_init(&names, &lookup->scratch, lookup->options->charge);
    enum status status = add_stored(lookup, part, &all_names, &names, err);
    if (status == STATUS_OK && text_set_count(&names) > 0)
        status = text_set_add_copy(found, value, err);
    text_set_deinit(&names);
    return status;
}

/* Matchers on it choose tenants, so it is theirs, whatever series have stored by that name. */
static bool wants_pseudo_label(const struct lookup *lookup)
{
    return lookup->wanted.is_values && scope_is_federated(lookup->options->scope) &&
           str_eq(lookup->wanted.name, TENANT_PSEUDO_LABEL);
}

static enum status add_part(struct lookup *lookup, const struct tenant_part *part,
                            struct text_set *found, struct error *err)
{
    if (part->is_federated && !lookup->wanted.is_values)
        return add_shown_names(lookup, part, found, err);
    if (part->is_federated && str_eq(lookup->wanted.name, lookup->store->options.tenant_label))
        return add_tenant_value(lookup, part, part->shown, found, err);
    if (wants_pseudo_label(lookup))
        return add_tenant_value(lookup, part, tenant_id_str(&part->tenant->id), found, err);
    return add_stored(lookup, part, &lookup->wanted, found, err);
}

/* ---- from selected series ---- */

static enum status add_labels(const struct lookup *lookup, struct labels labels,
                              struct text_set *found, struct error *err)
{
    const struct wanted *wanted = &lookup->wanted;
    if (wants_pseudo_label(lookup)) {
        struct str shown = labels_get(labels, lookup->store->options.tenant_label);
        const struct tenant *nameless = tenant_table_default(lookup->store->tenants);
        return text_set_add_repeated(found, shown.len > 0 ? shown : tenant_id_str(&nameless->id),
                                     err);
    }
    for (size_t k = 0; k < labels.count; k++) {
        if (!wanted->is_values)
            TRY(text_set_add_repeated(found, labels.ptr[k].name, err));
        else if (str_eq(labels.ptr[k].name, wanted->name))
            TRY(text_set_add_repeated(found, labels.ptr[k].value, err));
    }
    return STATUS_OK;
}

static enum status add_selected(const struct lookup *lookup, const struct selection *selection,
                                struct text_set *seen, struct text_set *found, struct error *err)
{
    for (size_t i = 0; i < select_count(selection); i++)
        TRY(add_labels(lookup, select_labels(selection, i), seen, err));
    text_set_thin(seen);
    return text_set_add_copies(found, (struct str_list){text_set_ptr(seen), text_set_count(seen)},
                               err);
}

static enum status add_from_series(struct lookup *lookup, struct text_set *found, struct error *err)
{
    struct text_set seen;
    struct selection *selection;
    TRY(select_open(lookup->store, lookup->options, &selection, err));
    text_set_init(&seen, NULL, lookup->options->charge);
    enum status status = add_selected(lookup, selection, &seen, found, err);
    text_set_deinit(&seen);
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

/* Whether indexes alone can say: nothing is deleted that they still know, and neither a matcher nor
   the label is about one that is put together from two stored ones. */
static bool is_index_enough(const struct lookup *lookup, const struct tenant_part *parts,
                            size_t count)
{
    bool is_original =
        lookup->wanted.is_values &&
        scope_is_original_label(lookup->wanted.name, lookup->store->options.tenant_label);
    for (size_t i = 0; i < count; i++) {
        if (parts[i].on_original_count > 0 || (is_original && parts[i].is_federated) ||
            has_deleted(lookup, &parts[i]))
            return false;
    }
    return true;
}

static enum status check(const struct select_options *options, struct error *err)
{
    return options->check == NULL ? STATUS_OK : options->check(options->check_context, err);
}

static enum status look_up(struct lookup *lookup, struct text_set *found, struct error *err)
{
    struct tenant_part *parts;
    size_t count;
    scope_parts(lookup->store->tenants, lookup->store->options.tenant_label, lookup->options,
                &lookup->scratch, &parts, &count);
    if (!is_index_enough(lookup, parts, count))
        return add_from_series(lookup, found, err);
    for (size_t i = 0; i < count; i++) {
        TRY(check(lookup->options, err));
        parts[i].min_ts_ms =
            store_first_visible_ms(lookup->store, parts[i].tenant, lookup->options->min_ts_ms);
        TRY(add_part(lookup, &parts[i], found, err));
    }
    return STATUS_OK;
}

static enum status run_lookup(struct lookup *lookup, struct arena *arena, struct str_list *out,
                              struct error *err)
{
    struct text_set found;
    text_set_init(&found, arena, lookup->options->charge);
    arena_init(&lookup->scratch, SIZE_MAX);
    lookup->scratch.charge = lookup->options->charge;
    enum status status = look_up(lookup, &found, err);
    arena_deinit(&lookup->scratch);
    if (status == STATUS_OK)
        status = text_set_finish(&found, out, err);
    text_set_deinit(&found);
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
