#include "tsdb/model/tenant.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/check.h"
#include "base/hash.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/thread.h"

enum { WARNING_INTERVAL_MS = 60 * 1000, SUBJECT_SHOWN_BYTES = 200 };

struct limit_override {
    struct tenant_id id;
    struct tenant_limits limits;
};

struct tenant_table {
    struct rwlock lock;
    struct tenant **tenants;          /* guarded by lock; by number */
    size_t count;                     /* guarded by lock */
    size_t capacity;                  /* guarded by lock */
    uint32_t *slots;                  /* guarded by lock; open addressing: number + 1, 0 for free */
    size_t slot_count;                /* guarded by lock; a power of two, at least twice `count` */
    struct tenant_limits defaults;    /* guarded by lock */
    struct limit_override *overrides; /* guarded by lock; sorted by id */
    size_t override_count;            /* guarded by lock */
    struct counter longest_retention; /* of defaults and overrides, in ms; 0 when none has one */
    uint32_t shard_count;
    uint32_t tenants_max;
    struct tenant *default_tenant;
    struct rate new_tenants; /* guarded by lock */
};

/* The slot that holds the tenant, or the free one where it belongs. */
static size_t find_slot(const struct tenant_table *table, struct str id)
{
    size_t mask = table->slot_count - 1;
    size_t at = (size_t)hash_bytes(bytes_of_str(id)) & mask;
    while (table->slots[at] != 0 &&
           !str_eq(tenant_id_str(&table->tenants[table->slots[at] - 1]->id), id))
        at = (at + 1) & mask;
    return at;
}

static void grow_slots(struct tenant_table *table)
{
    if ((table->count + 1) * 2 <= table->slot_count)
        return;
    mem_free(table->slots);
    table->slot_count = table->slot_count == 0 ? 16 : table->slot_count * 2;
    table->slots = mem_alloc_zeroed(table->slot_count, sizeof *table->slots);
    for (size_t i = 0; i < table->count; i++)
        table->slots[find_slot(table, tenant_id_str(&table->tenants[i]->id))] = (uint32_t)i + 1;
}

static int compare_overrides(const void *a, const void *b)
{
    const struct limit_override *left = a;
    const struct limit_override *right = b;
    return str_compare(tenant_id_str(&left->id), tenant_id_str(&right->id));
}

static const struct tenant_limits *limits_of_locked(const struct tenant_table *table,
                                                    const struct tenant_id *id)
    REQUIRES_SHARED(table->lock)
{
    struct limit_override key = {.id = *id};
    const struct limit_override *own =
        table->override_count == 0
            ? NULL
            : bsearch(&key, table->overrides, table->override_count, sizeof key, compare_overrides);
    return own == NULL ? &table->defaults : &own->limits;
}

static void apply_limits_locked(const struct tenant_table *table, struct tenant *tenant)
    REQUIRES_SHARED(table->lock)
{
    const struct tenant_limits *limits = limits_of_locked(table, &tenant->id);
    for (enum tenant_limit i = 0; i < TENANT_LIMIT_COUNT; i++) {
        counter_set(&tenant->limit_max[LIMIT_HARD][i], limits->max[LIMIT_HARD][i]);
        counter_set(&tenant->limit_max[LIMIT_SOFT][i], tenant_limits_quiet_max(limits, i));
        counter_set(&tenant->limit_max[LIMIT_DRY_RUN][i], limits->max[LIMIT_DRY_RUN][i]);
    }
}

static struct tenant *add_locked(struct tenant_table *table, const struct tenant_id *id)
    REQUIRES(table->lock)
{
    struct tenant *tenant = mem_alloc_zeroed(1, sizeof *tenant);
    tenant->id = *id;
    tenant->number = (uint32_t)table->count;
    tenant->shard = tenant_id_shard(id, table->shard_count);
    apply_limits_locked(table, tenant);
    grow_slots(table);
    table->tenants =
        mem_grow(table->tenants, &table->capacity, table->count + 1, sizeof(struct tenant *));
    table->tenants[table->count++] = tenant;
    table->slots[find_slot(table, tenant_id_str(id))] = tenant->number + 1;
    return tenant;
}

enum status tenant_table_open(const struct tenant_table_options *options, struct tenant_table **out,
                              struct error *err)
{
    CHECK(options->shard_count > 0);
    CHECK(options->tenants_max > 0);
    struct tenant_id default_id;
    TRY(tenant_id_parse(options->default_tenant, &default_id, err));
    struct tenant_table *table = mem_alloc_zeroed(1, sizeof *table);
    rwlock_init(&table->lock);
    table->defaults = tenant_limits_default();
    table->shard_count = options->shard_count;
    table->tenants_max = options->tenants_max;
    rwlock_lock_write(&table->lock);
    table->default_tenant = add_locked(table, &default_id);
    rwlock_unlock_write(&table->lock);
    table->default_tenant->is_default = true;
    *out = table;
    return STATUS_OK;
}

void tenant_table_close(struct tenant_table *table)
{
    if (table == NULL)
        return;
    for (size_t i = 0; i < table->count; i++) {
        struct refusal **refusals = table->tenants[i]->refusals;
        for (size_t reason = 0; refusals != NULL && reason < REFUSAL_COUNT; reason++)
            mem_free(refusals[reason]);
        mem_free(refusals);
        mem_free(table->tenants[i]);
    }
    mem_free(table->tenants);
    mem_free(table->slots);
    mem_free(table->overrides);
    rwlock_deinit(&table->lock);
    mem_free(table);
}

static struct tenant *find_locked(const struct tenant_table *table, struct str id)
    REQUIRES_SHARED(table->lock)
{
    uint32_t number = table->slots[find_slot(table, id)];
    return number == 0 ? NULL : table->tenants[number - 1];
}

struct tenant *tenant_table_find(struct tenant_table *table, struct str id)
{
    rwlock_lock_read(&table->lock);
    struct tenant *tenant = find_locked(table, id);
    rwlock_unlock_read(&table->lock);
    return tenant;
}

static enum status refuse_one_more(const struct tenant_table *table, const struct tenant_id *id,
                                   struct error *err)
{
    return error_set(err, STATUS_LIMIT, "tenants: too many, got a new one (%s), want at most %u",
                     id->text, table->tenants_max);
}

enum status tenant_table_get(struct tenant_table *table, struct str id, struct tenant **out,
                             struct error *err)
{
    *out = tenant_table_find(table, id);
    if (*out != NULL)
        return STATUS_OK;
    struct tenant_id valid;
    TRY(tenant_id_parse(id, &valid, err));
    rwlock_lock_write(&table->lock);
    *out = find_locked(table, id); /* another thread may have added it in between */
    if (*out == NULL && table->count < table->tenants_max)
        *out = add_locked(table, &valid);
    rwlock_unlock_write(&table->lock);
    return *out == NULL ? refuse_one_more(table, &valid, err) : STATUS_OK;
}

static enum status add_within_rate_locked(struct tenant_table *table, const struct tenant_id *id,
                                          uint64_t now_ns, struct tenant **out, int64_t *wait_ms,
                                          struct error *err) REQUIRES(table->lock)
{
    static const struct rate_limit limit = {.per_second = TENANT_NEW_PER_SECOND,
                                            .burst = TENANT_NEW_BURST};
    *out = find_locked(table, tenant_id_str(id));
    if (*out != NULL)
        return STATUS_OK;
    if (table->count >= table->tenants_max)
        return refuse_one_more(table, id, err);
    if (!rate_take(&table->new_tenants, &limit, now_ns, 1, wait_ms))
        return error_set(
            err, STATUS_UNAVAILABLE,
            "tenants: too many new ones at once, got one more (%s), want at most %d and "
            "%d a second",
            id->text, TENANT_NEW_BURST, TENANT_NEW_PER_SECOND);
    *out = add_locked(table, id);
    return STATUS_OK;
}

enum status tenant_table_add(struct tenant_table *table, const struct tenant_id *id,
                             uint64_t now_ns, struct tenant **out, int64_t *wait_ms,
                             struct error *err)
{
    rwlock_lock_write(&table->lock);
    enum status status = add_within_rate_locked(table, id, now_ns, out, wait_ms, err);
    rwlock_unlock_write(&table->lock);
    return status;
}

void tenant_table_describe(struct tenant_table *table, const struct tenant_id *id,
                           struct tenant *out)
{
    *out = (struct tenant){.id = *id, .shard = tenant_id_shard(id, table->shard_count)};
    rwlock_lock_read(&table->lock);
    apply_limits_locked(table, out);
    rwlock_unlock_read(&table->lock);
}

struct tenant *tenant_table_default(struct tenant_table *table)
{
    return table->default_tenant;
}

size_t tenant_table_count(struct tenant_table *table)
{
    rwlock_lock_read(&table->lock);
    size_t count = table->count;
    rwlock_unlock_read(&table->lock);
    return count;
}

struct tenant *tenant_table_at(struct tenant_table *table, size_t number)
{
    rwlock_lock_read(&table->lock);
    CHECK(number < table->count);
    struct tenant *tenant = table->tenants[number];
    rwlock_unlock_read(&table->lock);
    return tenant;
}

uint64_t tenant_table_limit(struct tenant_table *table, const struct tenant_id *id,
                            enum tenant_limit limit)
{
    rwlock_lock_read(&table->lock);
    uint64_t max = limits_of_locked(table, id)->max[LIMIT_HARD][limit];
    rwlock_unlock_read(&table->lock);
    return max;
}

void tenant_table_texts(struct tenant_table *table, const struct tenant_id *id,
                        struct tenant_texts *out)
{
    rwlock_lock_read(&table->lock);
    *out = limits_of_locked(table, id)->texts;
    rwlock_unlock_read(&table->lock);
}

static uint64_t retention_of(const struct tenant_limits *limits)
{
    uint64_t retention_ms = limits->max[LIMIT_HARD][TENANT_LIMIT_RETENTION];
    return retention_ms == TENANT_LIMIT_NONE ? 0 : retention_ms;
}

int64_t tenant_table_longest_retention_ms(struct tenant_table *table, int64_t fallback_ms)
{
    int64_t longest_ms = (int64_t)counter_get(&table->longest_retention);
    return longest_ms > fallback_ms ? longest_ms : fallback_ms;
}

void tenant_table_set_limits(struct tenant_table *table, const struct tenant_limits *defaults,
                             const struct tenant_id *ids, const struct tenant_limits *overrides,
                             size_t override_count)
{
    struct limit_override *sorted = mem_alloc(override_count * sizeof *sorted);
    uint64_t longest_ms = retention_of(defaults);
    for (size_t i = 0; i < override_count; i++) {
        sorted[i] = (struct limit_override){ids[i], overrides[i]};
        if (retention_of(&overrides[i]) > longest_ms)
            longest_ms = retention_of(&overrides[i]);
    }
    counter_set(&table->longest_retention, longest_ms);
    qsort(sorted, override_count, sizeof *sorted, compare_overrides);
    rwlock_lock_write(&table->lock);
    mem_free(table->overrides);
    table->defaults = *defaults;
    table->overrides = sorted;
    table->override_count = override_count;
    for (size_t i = 0; i < table->count; i++)
        apply_limits_locked(table, table->tenants[i]);
    rwlock_unlock_write(&table->lock);
}

/* ---- warnings ---- */

static void tell(const struct tenant *tenant, enum tenant_limit limit, struct str subject)
{
    uint64_t hard = tenant_limit(tenant, limit);
    char refused[64] = "";
    struct str shown = str_slice(subject, 0, SUBJECT_SHOWN_BYTES);
    if (hard != TENANT_LIMIT_NONE)
        snprintf(refused, sizeof refused, ", refused beyond %llu", (unsigned long long)hard);
    log_warn("tenant \"%s\": %s: %.*s%smore than %llu %s%s", tenant->id.text,
             tenant_limit_name(limit), STR_ARG(shown), shown.len > 0 ? ": " : "",
             (unsigned long long)tenant_limit_in(tenant, LIMIT_SOFT, limit),
             tenant_limit_row(limit)->what, refused);
}

void tenant_warn(struct tenant *tenant, enum tenant_limit limit, struct str subject)
{
    counter_add(&tenant->limit_warnings[limit], 1);
    tell(tenant, limit, subject);
}

static void warn_once_a_minute(struct tenant *tenant, enum tenant_limit limit, int64_t now_ms)
{
    struct counter *told_ms = &tenant->limit_told_ms[limit];
    uint64_t last_ms = counter_get(told_ms);
    counter_add(&tenant->limit_warnings[limit], 1);
    if (last_ms != 0 && (uint64_t)now_ms < last_ms + WARNING_INTERVAL_MS)
        return;
    counter_set(told_ms, (uint64_t)now_ms);
    tell(tenant, limit, STR(""));
}

void tenant_note_taken(struct tenant *tenant, enum tenant_limit limit, bool is_beyond_soft,
                       uint64_t would_refuse, int64_t now_ms)
{
    if (is_beyond_soft)
        warn_once_a_minute(tenant, limit, now_ms);
    if (would_refuse > 0)
        counter_add(&tenant->limit_would_refuse[limit], would_refuse);
}

void tenant_note_part(struct tenant *tenant, enum tenant_limit limit, uint64_t usage,
                      int64_t now_ms)
{
    tenant_note_taken(tenant, limit, usage > tenant_limit_in(tenant, LIMIT_SOFT, limit),
                      usage > tenant_limit_in(tenant, LIMIT_DRY_RUN, limit), now_ms);
}
