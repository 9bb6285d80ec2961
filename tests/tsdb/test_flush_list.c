/*
 * The order of a block, from numbers: must be that of tenant ids and labels.
 */
#include "tests/support/test.h"

#include "base/random.h"
#include "tsdb/head/flush_list.h"

enum { SERIES = 400, NAMES = 5, VALUES = 7 };

static struct tenant *get_tenant(struct tenant_table *tenants, const char *id)
{
    struct tenant *tenant;
    struct error err;
    expect_ok(tenant_table_get(tenants, str_from(id), &tenant, &err));
    return tenant;
}

/* Each name is there or not: so some sets begin like others and end earlier. */
static struct labels random_labels(struct random *random, struct arena *arena, size_t number)
{
    static const char *const names[NAMES] = {"a", "aa", "b", "ba", "c"};
    struct label *labels = arena_alloc(arena, (NAMES + 1) * sizeof *labels);
    size_t count = 0;
    for (size_t i = 0; i < NAMES; i++) {
        if (random_below(random, 2) == 0)
            continue;
        size_t len = 1 + random_below(random, VALUES);
        labels[count++] =
            (struct label){str_from(names[i]), arena_copy(arena, (struct str){"zyzzyva", len})};
    }
    /* different from all others, but last */
    labels[count++] = (struct label){STR("z"), arena_format(arena, "%zu", number)};
    return (struct labels){labels, count};
}

static int compare_listed(const struct head *head, const struct listed_series *a,
                          const struct listed_series *b, struct arena *arena)
{
    int order = str_compare(tenant_id_str(&a->tenant->id), tenant_id_str(&b->tenant->id));
    if (order != 0)
        return order;
    return labels_compare(head_labels(head, a->ref, arena), head_labels(head, b->ref, arena));
}

static void expect_sorted(const struct head *head, const struct flush_list *list)
{
    struct arena arena;
    arena_init(&arena, SIZE_MAX);
    for (size_t i = 1; i < list->count; i++)
        assert_true(compare_listed(head, &list->series[i - 1], &list->series[i], &arena) < 0);
    arena_deinit(&arena);
}

static void add_all(struct flush_list *list, const struct head *head)
{
    for (uint32_t slot = 0; slot < head_slot_count(head); slot++)
        flush_list_add(list, head, (struct series_ref){slot});
}

TEST(series_stand_by_tenant_id_and_labels)
{
    struct error err;
    struct random random;
    struct arena arena;
    struct tenant_table *tenants;
    const struct tenant_table_options options = {
        .shard_count = 1, .tenants_max = 4, .default_tenant = STR("m")};
    random_init_seeded(&random, 7);
    arena_init(&arena, SIZE_MAX);
    expect_ok(tenant_table_open(&options, &tenants, &err));
    struct tenant *owners[] = {get_tenant(tenants, "m"), get_tenant(tenants, "z"),
                               get_tenant(tenants, "a")};
    struct head *head = head_new();
    for (size_t i = 0; i < SERIES; i++) {
        struct series_ref ref = head_add(head, owners[i % 3], random_labels(&random, &arena, i), 0);
        if (i % 4 != 0)
            head_append(head, ref, (struct sample){1000, 1}, 0);
    }
    head_flush_begin(head);
    struct flush_list list;
    flush_list_init(&list);
    add_all(&list, head);
    /* not of this flush, and their pairs are new */
    for (size_t i = SERIES; i < 2 * SERIES; i++)
        head_add(head, owners[i % 3], random_labels(&random, &arena, i), 0);
    add_all(&list, head);
    assert_int_equal(list.count, 2 * (SERIES - SERIES / 4));
    list.count /= 2;
    flush_list_sort(&list);
    expect_sorted(head, &list);
    flush_list_deinit(&list);
    head_flush_end(head);
    head_free(head);
    tenant_table_close(tenants);
    arena_deinit(&arena);
}

TEST(a_flush_of_nothing_is_empty)
{
    struct head *head = head_new();
    struct flush_list list;
    head_flush_begin(head);
    flush_list_init(&list);
    flush_list_sort(&list);
    assert_int_equal(list.count, 0);
    flush_list_deinit(&list);
    head_flush_end(head);
    head_free(head);
}

TEST_MAIN(RUN(series_stand_by_tenant_id_and_labels), RUN(a_flush_of_nothing_is_empty))
