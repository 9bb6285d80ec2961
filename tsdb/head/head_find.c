/*
 * Finding: the hot path of every write.
 *
 * Senders repeat their series in the same order, scrape after scrape. So each series remembers who
 * came behind it, and mostly that is all there is to do: compare the labels of the next series with
 * those of the one that is expected (head_follow). Who comes unexpected is looked up by the hash
 * (head_find).
 *
 * A look-up waits for memory four times: for the slot of the table, the series, its pair numbers
 * and its open samples, which the append that follows needs. So a group of look-ups takes each step
 * together, and each step fetches what the next one reads. The texts of the pairs are few and warm.
 */
#include "tsdb/head/head_impl.h"

#include "base/hash.h"

/* Look-ups under way at once: at 16 a step is over before its memory is there, beyond 32 nothing is
 * won. */
enum { FIND_GROUP = 32 };

/* `len` is at least LABEL_IDENTITY_LEN_MIN; the last eight bytes may be compared twice. */
static bool encoding_eq(const uint8_t *a, const uint8_t *b, size_t len)
{
    for (size_t at = 0; at + sizeof(uint64_t) < len; at += sizeof(uint64_t)) {
        if (load_u64(a + at) != load_u64(b + at))
            return false;
    }
    size_t last = len - sizeof(uint64_t);
    return load_u64(a + last) == load_u64(b + last);
}

_Static_assert(LABEL_IDENTITY_LEN_MIN >= sizeof(uint64_t), "encoding_eq reads eight bytes at once");

static bool has_identity(const struct head *head, const struct tenant_index *index,
                         const struct series *series, struct bytes identity)
{
    const struct str *texts = symbols_texts(index->pairs);
    const uint32_t *pairs = series_pairs(head, series);
    for (size_t i = 0; i < series->pair_count; i++) {
        struct bytes text = bytes_of_str(texts[pairs[i]]);
        if (text.len > identity.len || !encoding_eq(identity.ptr, text.ptr, text.len))
            return false;
        identity = (struct bytes){identity.ptr + text.len, identity.len - text.len};
    }
    return identity.len == 0;
}

static bool has_labels(const struct head *head, const struct tenant_index *index,
                       const struct series *series, const struct label *labels, size_t count)
{
    if (series->pair_count != count)
        return false;
    const uint32_t *pairs = series_pairs(head, series);
    for (size_t i = 0; i < count; i++) {
        struct label label = tenant_index_label(index, pairs[i]);
        if (!str_eq(label.name, labels[i].name) || !str_eq(label.value, labels[i].value))
            return false;
    }
    return true;
}

static bool is_series_of(const struct head *head, uint32_t ref, const struct head_key *key)
{
    const struct series *series = slab_at(&head->series, ref);
    if (series->tenant_number != key->tenant->number)
        return false;
    const struct tenant_index *index = head->tenants[series->tenant_number];
    if (key->identity.len > 0)
        return has_identity(head, index, series, key->identity);
    return has_labels(head, index, series, key->labels, key->label_count);
}

/* Step 3 of a look-up: what tells whether it is the series, and what an append needs. */
static void prefetch_rest(const struct head *head, uint32_t ref)
{
    const struct series *series = slab_at(&head->series, ref);
    const uint32_t *pairs = series_pairs(head, series);
    __builtin_prefetch(pairs);
    __builtin_prefetch(pairs + series->pair_count - 1); /* often on the next cache line */
    open_run_prefetch(&head->open, &series->samples.open);
}

static void find_group(const struct head *head, const struct head_key *keys, size_t count,
                       struct series_ref *refs)
{
    struct ref_probe probes[FIND_GROUP];
    for (size_t i = 0; i < count; i++) {
        probes[i] =
            ref_table_probe(&head->table, series_place(keys[i].tenant->number, keys[i].hash));
        ref_table_prefetch(&head->table, &probes[i]);
    }
    for (size_t i = 0; i < count; i++) {
        refs[i].value = ref_table_next(&head->table, &probes[i]);
        if (refs[i].value != REF_TABLE_NONE)
            __builtin_prefetch(slab_at(&head->series, refs[i].value), 1);
    }
    for (size_t i = 0; i < count; i++) {
        if (refs[i].value != REF_TABLE_NONE)
            prefetch_rest(head, refs[i].value);
    }
    for (size_t i = 0; i < count; i++) {
        while (refs[i].value != REF_TABLE_NONE && !is_series_of(head, refs[i].value, &keys[i]))
            refs[i].value = ref_table_next(&head->table, &probes[i]);
    }
}

uint64_t head_key_hash(const struct head_key *key)
{
    return key->identity.len > 0
               ? hash_bytes(key->identity)
               : labels_identity_hash((struct labels){key->labels, key->label_count});
}

void head_prefetch_find(const struct head *head, const struct tenant *tenant, uint64_t hash)
{
    struct ref_probe probe = ref_table_probe(&head->table, series_place(tenant->number, hash));
    ref_table_prefetch(&head->table, &probe);
}

void head_find(const struct head *head, const struct head_key *keys, size_t count,
               struct series_ref *refs)
{
    for (size_t from = 0; from < count; from += FIND_GROUP) {
        size_t group = count - from < FIND_GROUP ? count - from : FIND_GROUP;
        find_group(head, keys + from, group, refs + from);
    }
}

/* ---- in order ---- */

/* Who is expected behind `before`, one behind the other; returns how many. They may
   have gone meanwhile. */
static size_t expect_group(const struct head *head, uint32_t before, size_t count,
                           struct series_ref *refs)
{
    size_t expected = 0;
    for (uint32_t ref = before; expected < count; expected++) {
        ref = head->followers[ref];
        if (ref == SERIES_REF_NONE.value)
            break;
        refs[expected].value = ref;
        __builtin_prefetch(slab_at(&head->series, ref), 1);
    }
    return expected;
}

static bool is_used(const struct head *head, uint32_t ref)
{
    const struct series *series = slab_at(&head->series, ref);
    return series->is_used;
}

static size_t follow_group(const struct head *head, uint32_t before, const struct head_key *keys,
                           size_t count, struct series_ref *refs)
{
    size_t expected = expect_group(head, before, count, refs), found = 0;
    for (size_t i = 0; i < expected; i++) {
        if (is_used(head, refs[i].value))
            prefetch_rest(head, refs[i].value);
    }
    while (found < expected && is_used(head, refs[found].value) &&
           is_series_of(head, refs[found].value, &keys[found]))
        found++;
    return found;
}

size_t head_follow(const struct head *head, struct series_ref before, const struct head_key *keys,
                   size_t count, struct series_ref *refs)
{
    size_t done = 0;
    CHECK(before.value == SERIES_REF_NONE.value || before.value < head->follower_capacity);
    while (done < count && before.value != SERIES_REF_NONE.value) {
        size_t group = count - done < FIND_GROUP ? count - done : FIND_GROUP;
        size_t found = follow_group(head, before.value, keys + done, group, refs + done);
        done += found;
        if (found < group)
            break;
        before = refs[done - 1];
    }
    return done;
}

void head_note_order(struct head *head, struct series_ref before, struct series_ref ref)
{
    CHECK(before.value < head->follower_capacity);
    head->followers[before.value] = ref.value;
}
