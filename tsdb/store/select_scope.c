#include "tsdb/store/select_scope.h"

#define ORIGINAL_PREFIX STR("original_")

bool scope_is_original_label(struct str name, struct str tenant_label)
{
    return str_starts_with(name, ORIGINAL_PREFIX) &&
           str_eq(str_slice(name, ORIGINAL_PREFIX.len, SIZE_MAX), tenant_label);
}

struct str scope_original_label(struct str tenant_label, struct arena *arena)
{
    return arena_format(arena, "%.*s%.*s", STR_ARG(ORIGINAL_PREFIX), STR_ARG(tenant_label));
}

/* Sorts the matchers into those that decide about the tenant (false: it is ruled out), about the
   rewritten label, and about stored labels. */
static bool split_matchers(struct tenant_part *part, struct str tenant_label,
                           const struct select_options *options, struct matcher *on_original)
{
    for (size_t i = 0; i < options->matcher_count; i++) {
        const struct matcher *m = &options->matchers[i];
        bool is_pseudo = str_eq(m->name, TENANT_PSEUDO_LABEL);
        bool is_tenant = is_pseudo || str_eq(m->name, tenant_label);
        if (is_tenant &&
            !matcher_matches(m, is_pseudo ? tenant_id_str(&part->tenant->id) : part->shown))
            return false;
        if (is_tenant)
            continue;
        if (scope_is_original_label(m->name, tenant_label))
            on_original[part->on_original_count++] = *m;
        else
            part->matchers[part->matcher_count++] = *m;
    }
    part->on_original = on_original;
    return true;
}

static bool make_part(struct tenant_part *part, struct tenant *tenant, struct str tenant_label,
                      const struct select_options *options, struct arena *arena)
{
    size_t bytes = options->matcher_count * sizeof(struct matcher);
    bool is_federated = scope_is_federated(options->scope);
    *part = (struct tenant_part){.tenant = tenant,
                                 .is_federated = is_federated,
                                 .shown = tenant_shown(tenant),
                                 .matchers = arena_alloc(arena, bytes)};
    if (is_federated)
        return split_matchers(part, tenant_label, options, arena_alloc(arena, bytes));
    if (bytes > 0)
        memcpy(part->matchers, options->matchers, bytes);
    part->matcher_count = options->matcher_count;
    return true;
}

void scope_parts(struct tenant_table *table, struct str tenant_label,
                 const struct select_options *options, struct arena *arena,
                 struct tenant_part **out, size_t *count)
{
    const struct scope *scope = options->scope;
    size_t candidates = scope->is_all ? tenant_table_count(table) : scope->tenant_count;
    *out = arena_alloc(arena, candidates * sizeof **out);
    *count = 0;
    for (size_t i = 0; i < candidates; i++) {
        struct tenant *tenant = scope->is_all
                                    ? tenant_table_at(table, i)
                                    : tenant_table_find(table, tenant_id_str(&scope->tenants[i]));
        if (tenant != NULL && make_part(&(*out)[*count], tenant, tenant_label, options, arena))
            (*count)++;
    }
}

static bool original_matches(const struct tenant_part *part, struct str tenant_label,
                             struct labels shown)
{
    struct str original = {0};
    for (size_t i = 0; i < shown.count && part->on_original_count > 0; i++) {
        if (scope_is_original_label(shown.ptr[i].name, tenant_label))
            original = shown.ptr[i].value;
    }
    for (size_t i = 0; i < part->on_original_count; i++) {
        if (!matcher_matches(&part->on_original[i], original))
            return false;
    }
    return true;
}

/* A stored label of the name "original_..." would be hidden by the rewritten one: the latter
   wins. */
static struct labels rewrite(const struct tenant_part *part, struct str tenant_label,
                             struct labels stored, struct str original, struct arena *arena)
{
    struct label *labels = arena_alloc(arena, (stored.count + 2) * sizeof *labels);
    size_t count = 0;
    for (size_t i = 0; i < stored.count; i++) {
        struct str name = stored.ptr[i].name;
        bool is_replaced = str_eq(name, tenant_label) ||
                           (original.len > 0 && scope_is_original_label(name, tenant_label));
        if (!is_replaced)
            labels[count++] = stored.ptr[i];
    }
    if (part->shown.len > 0)
        labels[count++] = (struct label){tenant_label, part->shown};
    if (original.len > 0)
        labels[count++] = (struct label){scope_original_label(tenant_label, arena), original};
    labels_sort(labels, count);
    return (struct labels){labels, count};
}

bool scope_labels(const struct tenant_part *part, struct str tenant_label, struct labels stored,
                  struct arena *arena, struct labels *out)
{
    *out = stored;
    if (!part->is_federated)
        return true;
    struct str written = labels_get(stored, tenant_label);
    if (!str_eq(written, part->shown))
        *out = rewrite(part, tenant_label, stored, written, arena);
    return original_matches(part, tenant_label, *out);
}
