#include "ingest/metadata.h"

#include <stdlib.h>

#include "base/check.h"
#include "base/hash.h"
#include "base/mem.h"
#include "base/thread.h"

/* One block of memory: metric, help and unit stand behind each other in `text`. */
struct entry {
    enum metric_type type;
    uint32_t metric_len;
    uint32_t help_len;
    uint32_t unit_len;
    char text[];
};

struct tenant_metadata {
    struct entry **slots; /* open addressing by metric; NULL for free */
    size_t slot_count;    /* a power of two, at least twice `count`; 0 before the first */
    size_t count;
};

struct metadata {
    struct mutex lock;
    struct tenant_metadata *tenants; /* guarded by lock; by tenant number */
    size_t capacity;                 /* guarded by lock; tenants that have a place */
    uint32_t metrics_max;
};

const char *metric_type_text(enum metric_type type)
{
    static const char *const texts[] = {
#define METRIC_TYPE_TEXT(name, text) text,
        METRIC_TYPE_LIST(METRIC_TYPE_TEXT)
#undef METRIC_TYPE_TEXT
    };
    CHECK(type < METRIC_TYPE_COUNT);
    return texts[type];
}

enum metric_type metric_type_of_wire(uint32_t value)
{
    return value < METRIC_TYPE_COUNT ? (enum metric_type)value : METRIC_UNKNOWN;
}

struct metadata *metadata_new(uint32_t metrics_max)
{
    struct metadata *metadata = mem_alloc_zeroed(1, sizeof *metadata);
    mutex_init(&metadata->lock);
    metadata->metrics_max = metrics_max;
    return metadata;
}

void metadata_free(struct metadata *metadata)
{
    if (metadata == NULL)
        return;
    for (size_t t = 0; t < metadata->capacity; t++) {
        for (size_t i = 0; i < metadata->tenants[t].slot_count; i++)
            mem_free(metadata->tenants[t].slots[i]);
        mem_free(metadata->tenants[t].slots);
    }
    mem_free(metadata->tenants);
    mutex_deinit(&metadata->lock);
    mem_free(metadata);
}

/* ---- entries ---- */

static struct metric_metadata view_of(const struct entry *entry)
{
    const char *help = entry->text + entry->metric_len;
    return (struct metric_metadata){
        .metric = {entry->text, entry->metric_len},
        .help = {help, entry->help_len},
        .unit = {help + entry->help_len, entry->unit_len},
        .type = entry->type,
    };
}

static char *put_text(char *to, struct str text)
{
    if (text.len > 0)
        memcpy(to, text.ptr, text.len);
    return to + text.len;
}

static struct entry *entry_new(const struct metric_metadata *from)
{
    struct entry *entry =
        mem_alloc(sizeof *entry + from->metric.len + from->help.len + from->unit.len);
    *entry = (struct entry){.type = from->type,
                            .metric_len = (uint32_t)from->metric.len,
                            .help_len = (uint32_t)from->help.len,
                            .unit_len = (uint32_t)from->unit.len};
    put_text(put_text(put_text(entry->text, from->metric), from->help), from->unit);
    return entry;
}

static bool is_same(const struct entry *entry, const struct metric_metadata *other)
{
    struct metric_metadata view = view_of(entry);
    return view.type == other->type && str_eq(view.help, other->help) &&
           str_eq(view.unit, other->unit);
}

/* At most `len_max` bytes, on a character boundary. */
static struct str cut(struct str text, size_t len_max)
{
    size_t len = text.len < len_max ? text.len : len_max;
    while (len < text.len && len > 0 && ((uint8_t)text.ptr[len] & 0xc0) == 0x80)
        len--;
    return (struct str){text.ptr, len};
}

/* ---- the table of one tenant ---- */

/* The slot that holds the metric, or the free one where it belongs. */
static struct entry **find_slot(const struct tenant_metadata *tenant, struct str metric)
{
    size_t mask = tenant->slot_count - 1;
    size_t at = (size_t)hash_bytes(bytes_of_str(metric)) & mask;
    while (tenant->slots[at] != NULL && !str_eq(view_of(tenant->slots[at]).metric, metric))
        at = (at + 1) & mask;
    return &tenant->slots[at];
}

static void grow_slots(struct tenant_metadata *tenant)
{
    if ((tenant->count + 1) * 2 <= tenant->slot_count)
        return;
    struct tenant_metadata grown = {.count = tenant->count};
    grown.slot_count = tenant->slot_count == 0 ? 16 : tenant->slot_count * 2;
    grown.slots = mem_alloc_zeroed(grown.slot_count, sizeof(struct entry *));
    for (size_t i = 0; i < tenant->slot_count; i++) {
        if (tenant->slots[i] != NULL)
            *find_slot(&grown, view_of(tenant->slots[i]).metric) = tenant->slots[i];
    }
    mem_free(tenant->slots);
    *tenant = grown;
}

static struct tenant_metadata *place_of_locked(struct metadata *metadata,
                                               const struct tenant *tenant) REQUIRES(metadata->lock)
{
    CHECK(mutex_is_held(&metadata->lock));
    size_t had = metadata->capacity;
    if (tenant->number >= had) {
        metadata->tenants = mem_grow(metadata->tenants, &metadata->capacity,
                                     (size_t)tenant->number + 1, sizeof *metadata->tenants);
        memset(metadata->tenants + had, 0, (metadata->capacity - had) * sizeof *metadata->tenants);
    }
    return &metadata->tenants[tenant->number];
}

static bool put_locked(struct metadata *metadata, const struct tenant *tenant,
                       const struct metric_metadata *entry) REQUIRES(metadata->lock)
{
    struct tenant_metadata *place = place_of_locked(metadata, tenant);
    grow_slots(place);
    struct entry **slot = find_slot(place, entry->metric);
    if (*slot == NULL && place->count >= metadata->metrics_max)
        return false;
    if (*slot != NULL && is_same(*slot, entry))
        return true;
    place->count += *slot == NULL;
    mem_free(*slot);
    *slot = entry_new(entry);
    return true;
}

bool metadata_put(struct metadata *metadata, const struct tenant *tenant,
                  const struct metric_metadata *entry)
{
    struct metric_metadata kept = *entry;
    if (kept.metric.len == 0 || kept.metric.len > METADATA_NAME_LEN_MAX ||
        !str_is_utf8(kept.metric))
        return false;
    kept.help = cut(kept.help, METADATA_HELP_LEN_MAX);
    kept.unit = cut(kept.unit, METADATA_UNIT_LEN_MAX);
    mutex_lock(&metadata->lock);
    bool is_kept = put_locked(metadata, tenant, &kept);
    mutex_unlock(&metadata->lock);
    return is_kept;
}

/* ---- reading ---- */

static struct metric_metadata clone_entry(const struct entry *entry, struct arena *arena)
{
    struct metric_metadata view = view_of(entry);
    return (struct metric_metadata){
        .metric = arena_copy(arena, view.metric),
        .help = arena_copy(arena, view.help),
        .unit = arena_copy(arena, view.unit),
        .type = view.type,
    };
}

static int compare_metrics(const void *a, const void *b)
{
    return str_compare(((const struct metric_metadata *)a)->metric,
                       ((const struct metric_metadata *)b)->metric);
}

void metadata_list(struct metadata *metadata, const struct tenant *tenant, struct arena *arena,
                   struct metric_metadata **out, size_t *count)
{
    size_t copied = 0;
    mutex_lock(&metadata->lock);
    const struct tenant_metadata *place = place_of_locked(metadata, tenant);
    *out = arena_alloc(arena, place->count * sizeof **out);
    for (size_t i = 0; i < place->slot_count; i++) {
        if (place->slots[i] != NULL)
            (*out)[copied++] = clone_entry(place->slots[i], arena);
    }
    mutex_unlock(&metadata->lock);
    if (copied > 0)
        qsort(*out, copied, sizeof **out, compare_metrics);
    *count = copied;
}
