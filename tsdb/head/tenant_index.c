#include "tsdb/head/tenant_index.h"

#include "base/check.h"
#include "base/mem.h"
#include "tsdb/model/tenant.h"

/* Of memory that is charged beside the texts: a series and its place in the table; for each of its
   labels the number of the pair and a posting; a pair and a name, with the view of their texts, and
   the pair's place in the list of its name. */
enum {
    SERIES_CHARGE_BYTES = 64 + 8,
    LABEL_CHARGE_BYTES = 2 * sizeof(uint32_t),
    PAIR_CHARGE_BYTES = sizeof(struct indexed_pair) + sizeof(struct str) + sizeof(uint32_t),
    NAME_CHARGE_BYTES = sizeof(struct indexed_name) + sizeof(struct str),
};

struct tenant_index *tenant_index_new(struct tenant *tenant)
{
    struct tenant_index *index = mem_alloc_zeroed(1, sizeof *index);
    index->tenant = tenant;
    index->names = symbols_new();
    index->pairs = symbols_new();
    postings_init(&index->all_series);
    buffer_init(&index->encoding, SIZE_MAX);
    return index;
}

void tenant_index_free(struct tenant_index *index)
{
    if (index == NULL)
        return;
    for (size_t i = 0; i < symbols_count(index->names); i++)
        mem_free(index->by_name[i].pairs);
    for (size_t i = 0; i < symbols_count(index->pairs); i++)
        postings_deinit(&index->by_pair[i].series);
    mem_free(index->by_name);
    mem_free(index->by_pair);
    postings_deinit(&index->all_series);
    symbols_free(index->names);
    symbols_free(index->pairs);
    buffer_deinit(&index->encoding);
    mem_free(index);
}

static uint32_t add_name(struct tenant_index *index, struct str text)
{
    size_t before = symbols_count(index->names);
    uint32_t name = symbols_add(index->names, text).value;
    if (symbols_count(index->names) == before)
        return name;
    index->by_name =
        mem_grow(index->by_name, &index->name_capacity, before + 1, sizeof *index->by_name);
    index->by_name[name] = (struct indexed_name){0};
    index->charged_bytes += NAME_CHARGE_BYTES + text.len;
    return name;
}

/* Until the next call. */
static struct str encode(struct tenant_index *index, struct label label)
{
    buffer_reset(&index->encoding);
    label_identity_encode(&index->encoding, label);
    return buffer_str(&index->encoding);
}

/* Series of one target come together: most labels stand as they do in the series before. */
static bool is_latest(const struct tenant_index *index, size_t place, struct str text)
{
    return place < index->latest_count &&
           str_eq(symbols_texts(index->pairs)[index->latest[place]], text);
}

static uint32_t add_pair(struct tenant_index *index, size_t place, struct str text)
{
    if (is_latest(index, place, text))
        return index->latest[place];
    size_t before = symbols_count(index->pairs);
    CHECK(text.len >= LABEL_IDENTITY_LEN_MIN); /* no name and no value is empty */
    uint32_t pair = symbols_add(index->pairs, text).value;
    if (symbols_count(index->pairs) == before)
        return pair;
    index->by_pair =
        mem_grow(index->by_pair, &index->pair_capacity, before + 1, sizeof *index->by_pair);
    index->charged_bytes += PAIR_CHARGE_BYTES + text.len;
    uint32_t name = add_name(index, label_identity_decode(text).name);
    index->by_pair[pair] = (struct indexed_pair){.name = name};
    return pair;
}

/* Each label name passes the limit once. */
static void watch_values(const struct tenant_index *index, uint32_t name)
{
    struct tenant *tenant = index->tenant;
    size_t count = index->by_name[name].count;
    if (count - 1 == tenant_limit_in(tenant, LIMIT_SOFT, TENANT_LIMIT_MAX_LABEL_VALUES))
        tenant_warn(tenant, TENANT_LIMIT_MAX_LABEL_VALUES, symbols_texts(index->names)[name]);
}

/* The pair has got its first series. */
static void list_pair(struct tenant_index *index, uint32_t pair)
{
    struct indexed_name *name = &index->by_name[index->by_pair[pair].name];
    index->list_bytes -= name->capacity * sizeof *name->pairs;
    name->pairs = mem_grow(name->pairs, &name->capacity, name->count + 1, sizeof *name->pairs);
    index->list_bytes += name->capacity * sizeof *name->pairs;
    index->by_pair[pair].place = (uint32_t)name->count;
    name->pairs[name->count++] = pair;
    watch_values(index, index->by_pair[pair].name);
}

/* The pair has lost its last series; the last of the list takes its place. */
static void unlist_pair(struct tenant_index *index, uint32_t pair)
{
    struct indexed_name *name = &index->by_name[index->by_pair[pair].name];
    uint32_t place = index->by_pair[pair].place;
    CHECK(name->pairs[place] == pair);
    uint32_t last = name->pairs[--name->count];
    name->pairs[place] = last;
    index->by_pair[last].place = place;
}

static void add_ref(struct tenant_index *index, struct postings *series, uint32_t ref)
{
    index->postings_bytes -= postings_memory_bytes(series);
    postings_add(series, ref);
    index->postings_bytes += postings_memory_bytes(series);
}

static void remove_ref(struct tenant_index *index, struct postings *series, uint32_t ref)
{
    index->postings_bytes -= postings_memory_bytes(series);
    postings_remove(series, ref);
    index->postings_bytes += postings_memory_bytes(series);
}

void tenant_index_add(struct tenant_index *index, struct bytes identity, size_t count, uint32_t ref,
                      uint32_t *pairs)
{
    for (size_t i = 0; i < count; i++) {
        pairs[i] = add_pair(index, i, label_identity_take(&identity));
        struct postings *series = &index->by_pair[pairs[i]].series;
        if (postings_is_empty(series))
            list_pair(index, pairs[i]);
        add_ref(index, series, ref);
    }
    CHECK(identity.len == 0);
    index->latest_count = count < TENANT_INDEX_LATEST_MAX ? count : TENANT_INDEX_LATEST_MAX;
    memcpy(index->latest, pairs, index->latest_count * sizeof *pairs);
    add_ref(index, &index->all_series, ref);
    index->is_leaving = false;
    index->charged_bytes += SERIES_CHARGE_BYTES + count * LABEL_CHARGE_BYTES;
}

void tenant_index_remove(struct tenant_index *index, const uint32_t *pairs, size_t count,
                         uint32_t ref)
{
    for (size_t i = 0; i < count; i++) {
        struct postings *series = &index->by_pair[pairs[i]].series;
        remove_ref(index, series, ref);
        if (postings_is_empty(series))
            unlist_pair(index, pairs[i]);
    }
    remove_ref(index, &index->all_series, ref);
    index->charged_bytes -= SERIES_CHARGE_BYTES + count * LABEL_CHARGE_BYTES;
}

/* ---- for limits ---- */

/* NULL for a label that no series ever had. */
static const struct indexed_pair *find_pair(struct tenant_index *index, struct label label)
{
    struct symbol pair;
    return symbols_find(index->pairs, encode(index, label), &pair) ? &index->by_pair[pair.value]
                                                                   : NULL;
}

uint64_t tenant_index_charge(struct tenant_index *index, struct labels labels)
{
    uint64_t bytes = SERIES_CHARGE_BYTES + labels.count * LABEL_CHARGE_BYTES;
    struct symbol name;
    for (size_t i = 0; i < labels.count; i++) {
        struct label label = labels.ptr[i];
        if (index == NULL || !symbols_find(index->names, label.name, &name))
            bytes += NAME_CHARGE_BYTES + label.name.len;
        if (index == NULL || find_pair(index, label) == NULL)
            bytes += PAIR_CHARGE_BYTES + label_identity_len(label);
    }
    return bytes;
}

size_t tenant_index_series_count(struct tenant_index *index, struct label label)
{
    const struct indexed_pair *pair = find_pair(index, label);
    return pair == NULL ? 0 : postings_count(&pair->series);
}

bool tenant_index_grows(struct tenant_index *index, struct labels labels, size_t *value_count)
{
    bool grows = false;
    *value_count = 0;
    for (size_t i = 0; i < labels.count; i++) {
        uint32_t name;
        const struct indexed_pair *pair = find_pair(index, labels.ptr[i]);
        if (pair != NULL && !postings_is_empty(&pair->series))
            continue;
        grows = true;
        if (tenant_index_find_name(index, labels.ptr[i].name, &name) &&
            index->by_name[name].count > *value_count)
            *value_count = index->by_name[name].count;
    }
    return grows;
}

struct label tenant_index_label(const struct tenant_index *index, uint32_t pair)
{
    return label_identity_decode(symbols_text(index->pairs, (struct symbol){pair}));
}

const struct postings *tenant_index_find(const struct tenant_index *index, struct label label)
{
    struct symbol pair;
    struct buffer encoding; /* the scratch is not ours: several may look up at once */
    buffer_init(&encoding, SIZE_MAX);
    label_identity_encode(&encoding, label);
    bool is_known = symbols_find(index->pairs, buffer_str(&encoding), &pair);
    buffer_deinit(&encoding);
    if (!is_known || postings_is_empty(&index->by_pair[pair.value].series))
        return NULL;
    return &index->by_pair[pair.value].series;
}

bool tenant_index_find_name(const struct tenant_index *index, struct str name, uint32_t *out)
{
    struct symbol symbol;
    bool is_known = symbols_find(index->names, name, &symbol);
    if (is_known)
        *out = symbol.value;
    return is_known;
}

size_t tenant_index_memory_bytes(const struct tenant_index *index)
{
    return sizeof *index + symbols_memory_bytes(index->names) + symbols_memory_bytes(index->pairs) +
           index->name_capacity * sizeof *index->by_name +
           index->pair_capacity * sizeof *index->by_pair + index->list_bytes +
           index->postings_bytes + index->encoding.capacity;
}
