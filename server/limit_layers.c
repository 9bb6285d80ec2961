#include "server/limit_layers.h"

#include "base/mem.h"
#include "base/thread.h"
#include "base/whole_file.h"
#include "tsdb/files/filenames.h"

struct limit_layers {
    struct disk *disk;
    struct tenant_table *tenants;

    struct mutex change_lock; /* one change at a time; before `lock` */
    struct mutex lock;
    struct tenant_limits all;     /* guarded by lock; of every tenant, by the configuration */
    struct limit_sets configured; /* guarded by lock; whole limits of a tenant, nothing KEPT */
    struct limit_sets set;        /* guarded by lock; changed only with change_lock */
};

/* ---- making them hold ---- */

struct effective {
    struct tenant_id *ids;
    struct tenant_limits *limits;
    size_t count;
};

static void add(struct effective *effective, const struct tenant_id *id,
                const struct tenant_limits *limits, const struct limit_set *over)
{
    effective->ids[effective->count] = *id;
    effective->limits[effective->count] = *limits;
    if (over != NULL)
        tenant_limits_lay(&effective->limits[effective->count], &over->limits);
    effective->count++;
}

static void apply_locked(struct limit_layers *layers) REQUIRES(layers->lock)
{
    const struct limit_sets *configured = &layers->configured, *set = &layers->set;
    size_t most = configured->count + set->count;
    struct effective effective = {.ids = mem_alloc(most * sizeof *effective.ids),
                                  .limits = mem_alloc(most * sizeof *effective.limits)};
    for (size_t i = 0; i < configured->count; i++)
        add(&effective, &configured->ptr[i].id, &configured->ptr[i].limits,
            limit_sets_find(set, &configured->ptr[i].id));
    for (size_t i = 0; i < set->count; i++) {
        if (limit_sets_find(configured, &set->ptr[i].id) == NULL)
            add(&effective, &set->ptr[i].id, &layers->all, &set->ptr[i]);
    }
    tenant_table_set_limits(layers->tenants, &layers->all, effective.ids, effective.limits,
                            effective.count);
    mem_free(effective.ids);
    mem_free(effective.limits);
}

void limit_layers_configure(struct limit_layers *layers, const struct config *config)
{
    struct limit_sets configured = {.ptr =
                                        mem_alloc(config->tenant_count * sizeof(struct limit_set)),
                                    .count = config->tenant_count};
    for (size_t i = 0; i < config->tenant_count; i++)
        configured.ptr[i] = (struct limit_set){config->tenants[i], config->tenant_limits[i]};
    limit_sets_sort(&configured);
    mutex_lock(&layers->lock);
    limit_sets_deinit(&layers->configured);
    layers->configured = configured;
    layers->all = config->limits;
    apply_locked(layers);
    mutex_unlock(&layers->lock);
}

/* ---- what is set at run time ---- */

static enum status read_file(struct limit_layers *layers, struct error *err)
{
    struct buffer text;
    buffer_init(&text, LIMIT_FILE_MAX_BYTES);
    enum status status = whole_file_read(layers->disk, LIMITS_FILE, &text, err);
    if (status == STATUS_OK)
        status = limit_file_decode(buffer_str(&text), &layers->set, err);
    buffer_deinit(&text);
    return status == STATUS_NOT_FOUND ? STATUS_OK : status;
}

static enum status write_file(struct limit_layers *layers, const struct limit_sets *sets,
                              struct error *err)
{
    struct buffer text;
    buffer_init(&text, LIMIT_FILE_MAX_BYTES);
    limit_file_encode(&text, sets);
    enum status status =
        text.is_overflown
            ? error_set(err, STATUS_LIMIT, "limits: more than %d bytes", LIMIT_FILE_MAX_BYTES)
            : whole_file_replace(layers->disk, "", LIMITS_FILE, buffer_bytes(&text), err);
    buffer_deinit(&text);
    return status;
}

/* A copy of what is set, with the tenant's replaced, added or left out. */
static enum status change(const struct limit_sets *from, const struct tenant_id *id,
                          const struct tenant_limits *limits, struct limit_sets *out,
                          struct error *err)
{
    const struct limit_set *old = limit_sets_find(from, id);
    if (old == NULL && limits == NULL)
        return error_set(err, STATUS_NOT_FOUND, "nothing is set for tenant \"%s\"", id->text);
    if (old == NULL && from->count == LIMIT_SETS_MAX)
        return error_set(err, STATUS_LIMIT, "limits are set for %d tenants, which is the most",
                         LIMIT_SETS_MAX);
    out->ptr = mem_alloc((from->count + 1) * sizeof *out->ptr);
    out->count = 0;
    for (size_t i = 0; i < from->count; i++) {
        if (&from->ptr[i] != old)
            out->ptr[out->count++] = from->ptr[i];
    }
    if (limits != NULL)
        out->ptr[out->count++] = (struct limit_set){*id, *limits};
    limit_sets_sort(out);
    return STATUS_OK;
}

/* What the configuration says later of the hard one is not known here: see
   tenant_limits_quiet_max. */
static enum status check_locked(const struct limit_layers *layers, const struct tenant_id *id,
                                const struct tenant_limits *set, struct error *err)
    REQUIRES(layers->lock)
{
    const struct limit_set *own = limit_sets_find(&layers->configured, id);
    struct tenant_limits limits = own == NULL ? layers->all : own->limits;
    tenant_limits_lay(&limits, set);
    for (enum tenant_limit limit = 0; limit < TENANT_LIMIT_COUNT; limit++) {
        if (set->max[LIMIT_SOFT][limit] != TENANT_LIMIT_KEPT)
            TRY(limit_check_soft(&limits, limit, err));
    }
    return limit_check_texts(&limits, err);
}

static enum status check(struct limit_layers *layers, const struct tenant_id *id,
                         const struct tenant_limits *set, struct error *err)
{
    mutex_lock(&layers->lock);
    enum status status = check_locked(layers, id, set, err);
    mutex_unlock(&layers->lock);
    return status;
}

enum status limit_layers_set(struct limit_layers *layers, const struct tenant_id *id,
                             const struct tenant_limits *limits, struct error *err)
{
    struct limit_sets changed = {0};
    mutex_lock(&layers->change_lock);
    enum status status = limits == NULL ? STATUS_OK : check(layers, id, limits, err);
    if (status == STATUS_OK)
        status = change(&layers->set, id, limits, &changed, err);
    if (status == STATUS_OK)
        status = write_file(layers, &changed, err);
    if (status == STATUS_OK) {
        mutex_lock(&layers->lock);
        struct limit_sets old = layers->set;
        layers->set = changed;
        changed = old;
        apply_locked(layers);
        mutex_unlock(&layers->lock);
    }
    mutex_unlock(&layers->change_lock);
    limit_sets_deinit(&changed);
    return status;
}

struct tenant_limits limit_layers_get(struct limit_layers *layers, const struct tenant_id *id)
{
    mutex_lock(&layers->lock);
    const struct limit_set *set = limit_sets_find(&layers->set, id);
    struct tenant_limits limits = set == NULL ? tenant_limits_kept() : set->limits;
    mutex_unlock(&layers->lock);
    return limits;
}

static bool is_built_in(const struct tenant_limits *limits, enum tenant_limit limit)
{
    const struct tenant_limit_row *row = tenant_limit_row(limit);
    for (size_t mode = 0; mode < LIMIT_MODE_COUNT; mode++) {
        if (limits->max[mode][limit] != row->default_max[mode])
            return false;
    }
    return true;
}

static const char *source_name(bool is_set, bool is_default)
{
    return is_set ? "runtime" : is_default ? "default" : "config";
}

const char *limit_layers_source(struct limit_layers *layers, const struct tenant_id *id,
                                enum tenant_limit limit)
{
    mutex_lock(&layers->lock);
    const struct limit_set *set = limit_sets_find(&layers->set, id);
    const struct limit_set *own = limit_sets_find(&layers->configured, id);
    bool is_set = set != NULL && tenant_limits_has(&set->limits, limit);
    bool is_default = is_built_in(own == NULL ? &layers->all : &own->limits, limit);
    mutex_unlock(&layers->lock);
    return source_name(is_set, is_default);
}

const char *limit_layers_text_source(struct limit_layers *layers, const struct tenant_id *id,
                                     enum tenant_text text)
{
    struct tenant_limits built_in = tenant_limits_default();
    mutex_lock(&layers->lock);
    const struct limit_set *set = limit_sets_find(&layers->set, id);
    const struct limit_set *own = limit_sets_find(&layers->configured, id);
    const struct tenant_limits *limits = own == NULL ? &layers->all : &own->limits;
    bool is_set = set != NULL && set->limits.texts.of[text][0] != '\0';
    bool is_default = strcmp(limits->texts.of[text], built_in.texts.of[text]) == 0;
    mutex_unlock(&layers->lock);
    return source_name(is_set, is_default);
}

/* ---- open and close ---- */

enum status limit_layers_open(struct disk *disk, struct tenant_table *tenants,
                              struct limit_layers **out, struct error *err)
{
    struct limit_layers *layers = mem_alloc_zeroed(1, sizeof *layers);
    layers->disk = disk;
    layers->tenants = tenants;
    layers->all = tenant_limits_default();
    mutex_init(&layers->change_lock);
    mutex_init(&layers->lock);
    enum status status = read_file(layers, err);
    if (status != STATUS_OK) {
        limit_layers_close(layers);
        return status;
    }
    *out = layers;
    return STATUS_OK;
}

void limit_layers_close(struct limit_layers *layers)
{
    if (layers == NULL)
        return;
    limit_sets_deinit(&layers->configured);
    limit_sets_deinit(&layers->set);
    mutex_deinit(&layers->change_lock);
    mutex_deinit(&layers->lock);
    mem_free(layers);
}
