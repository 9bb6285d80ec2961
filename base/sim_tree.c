#include "base/sim_tree.h"

#include <stdio.h>

#include "base/check.h"
#include "base/mem.h"

enum { PIECE_BYTES = 512 }; /* a disk writes such a piece whole or not at all */

static struct sim_entry *find_entry(const struct sim_names *names, const char *name)
{
    for (size_t i = 0; i < names->count; i++) {
        if (strcmp(names->entries[i].name, name) == 0)
            return &names->entries[i];
    }
    return NULL;
}

static struct sim_node *find_name(const struct sim_names *names, const char *name)
{
    const struct sim_entry *entry = find_entry(names, name);
    return entry == NULL ? NULL : entry->node;
}

static void set_name(struct sim_names *names, const char *name, struct sim_node *node)
{
    struct sim_entry *entry = find_entry(names, name);
    if (entry == NULL) {
        names->entries =
            mem_grow(names->entries, &names->capacity, names->count + 1, sizeof *names->entries);
        entry = &names->entries[names->count++];
        snprintf(entry->name, sizeof entry->name, "%s", name);
    }
    entry->node = node;
}

static void remove_name(struct sim_names *names, const char *name)
{
    struct sim_entry *entry = find_entry(names, name);
    CHECK(entry != NULL);
    *entry = names->entries[--names->count];
}

static void copy_names(struct sim_names *to, const struct sim_names *from)
{
    to->count = 0;
    for (size_t i = 0; i < from->count; i++)
        set_name(to, from->entries[i].name, from->entries[i].node);
}

static struct sim_node *add_node(struct sim_tree *tree, bool is_dir)
{
    struct sim_node *node = mem_alloc_zeroed(1, sizeof *node);
    node->is_dir = is_dir;
    node->next = tree->nodes;
    tree->nodes = node;
    return node;
}

static void free_node(struct sim_node *node)
{
    mem_free(node->current.entries);
    mem_free(node->durable.entries);
    mem_free(node->bytes);
    mem_free(node);
}

void sim_tree_init(struct sim_tree *tree)
{
    *tree = (struct sim_tree){0};
    tree->root = add_node(tree, true);
}

void sim_tree_deinit(struct sim_tree *tree)
{
    while (tree->nodes != NULL) {
        struct sim_node *node = tree->nodes;
        tree->nodes = node->next;
        free_node(node);
    }
    mem_free(tree->changes);
    *tree = (struct sim_tree){0};
}

bool sim_tree_place(const struct sim_tree *tree, const char *path, struct sim_place *out)
{
    struct str text = str_from(path);
    struct sim_node *dir = tree->root;
    for (size_t at = 0;;) {
        size_t end = str_find(text, '/', at);
        snprintf(out->name, sizeof out->name, "%.*s", (int)(end - at), path + at);
        out->dir = dir;
        if (end == text.len)
            return true;
        dir = find_name(&dir->current, out->name);
        if (dir == NULL || !dir->is_dir)
            return false;
        at = end + 1;
    }
}

struct sim_node *sim_tree_at(const struct sim_place *place)
{
    return find_name(&place->dir->current, place->name);
}

struct sim_node *sim_tree_find(const struct sim_tree *tree, const char *path)
{
    struct sim_place place;
    if (path[0] == '\0')
        return tree->root;
    return sim_tree_place(tree, path, &place) ? sim_tree_at(&place) : NULL;
}

static void change_current(struct sim_tree *tree, const struct sim_change *change)
{
    if (change->from_dir != NULL)
        remove_name(&change->from_dir->current, change->from_name);
    if (change->to_dir != NULL) {
        struct sim_node *replaced = find_name(&change->to_dir->current, change->to_name);
        if (replaced != NULL)
            replaced->is_linked = false;
        set_name(&change->to_dir->current, change->to_name, change->node);
    }
    change->node->is_linked = change->to_dir != NULL;
    tree->changes = mem_grow(tree->changes, &tree->change_capacity, tree->change_count + 1,
                             sizeof *tree->changes);
    tree->changes[tree->change_count++] = *change;
}

static void set_from(struct sim_change *change, const struct sim_place *from)
{
    change->from_dir = from->dir;
    memcpy(change->from_name, from->name, sizeof change->from_name);
}

static void set_to(struct sim_change *change, const struct sim_place *to)
{
    change->to_dir = to->dir;
    memcpy(change->to_name, to->name, sizeof change->to_name);
}

struct sim_node *sim_tree_create(struct sim_tree *tree, const struct sim_place *at, bool is_dir)
{
    struct sim_change change = {.node = add_node(tree, is_dir)};
    set_to(&change, at);
    change_current(tree, &change);
    return change.node;
}

void sim_tree_rename(struct sim_tree *tree, const struct sim_place *from,
                     const struct sim_place *to)
{
    struct sim_change change = {.node = sim_tree_at(from)};
    /* rename(2): two names of one file, nothing happens */
    if (change.node == sim_tree_at(to))
        return;
    set_from(&change, from);
    set_to(&change, to);
    change_current(tree, &change);
}

void sim_tree_unlink(struct sim_tree *tree, const struct sim_place *at)
{
    struct sim_change change = {.node = sim_tree_at(at)};
    set_from(&change, at);
    change_current(tree, &change);
}

static void remove_durable(struct sim_node *dir, const char *name, const struct sim_node *node)
{
    if (find_name(&dir->durable, name) == node)
        remove_name(&dir->durable, name);
}

/* Takes out of `change` what is durable once `dir` is: true when nothing is left of it.
   A rename between two folders of which one is synced:
   1. the new folder: the old name may still come back beside the new one (not that of a folder,
      which is never in two places);
   2. the old folder: the old name is gone. A file that was durable before must then be found under
      the new name; one that never was may be lost. */
static bool settle_half(struct sim_change *change, const struct sim_node *dir)
{
    if (change->to_dir == dir) { /* 1 */
        change->to_dir = NULL;
        if (change->node->is_dir && change->from_dir != NULL) {
            remove_durable(change->from_dir, change->from_name, change->node);
            change->from_dir = NULL;
        }
    }
    if (change->from_dir == dir) { /* 2 */
        change->from_dir = NULL;
        change->is_certain = change->node->was_durable;
    }
    return change->from_dir == NULL && change->to_dir == NULL;
}

void sim_tree_sync_dir(struct sim_tree *tree, struct sim_node *dir)
{
    size_t kept = 0;
    for (size_t i = 0; i < tree->change_count; i++) {
        if (!settle_half(&tree->changes[i], dir))
            tree->changes[kept++] = tree->changes[i];
    }
    tree->change_count = kept;
    copy_names(&dir->durable, &dir->current);
    for (size_t i = 0; i < dir->durable.count; i++)
        dir->durable.entries[i].node->was_durable = true;
}

static bool is_same_name(const struct sim_node *dir_a, const char *a, const struct sim_node *dir_b,
                         const char *b)
{
    return dir_a != NULL && dir_a == dir_b && strcmp(a, b) == 0;
}

static bool share_a_name(const struct sim_change *a, const struct sim_change *b)
{
    return is_same_name(a->from_dir, a->from_name, b->from_dir, b->from_name) ||
           is_same_name(a->from_dir, a->from_name, b->to_dir, b->to_name) ||
           is_same_name(a->to_dir, a->to_name, b->from_dir, b->from_name) ||
           is_same_name(a->to_dir, a->to_name, b->to_dir, b->to_name);
}

/* The changes of one name reach the disk in their order, so a lost one takes later ones along. */
static bool follows_a_loss(const struct sim_tree *tree, size_t index)
{
    for (size_t i = 0; i < index; i++) {
        const struct sim_change *earlier = &tree->changes[i];
        if (earlier->is_lost && share_a_name(earlier, &tree->changes[index]))
            return true;
    }
    return false;
}

static bool is_change_kept(const struct sim_tree *tree, size_t index, enum power_cut cut,
                           struct random *random)
{
    if (tree->changes[index].is_certain || cut == POWER_CUT_TORN_TAIL)
        return true;
    if (cut == POWER_CUT_DROP_ALL)
        return false;
    return random_below(random, 2) == 0 && !follows_a_loss(tree, index);
}

static void change_durable(const struct sim_change *change)
{
    if (change->from_dir != NULL)
        remove_durable(change->from_dir, change->from_name, change->node);
    if (change->to_dir != NULL)
        set_name(&change->to_dir->durable, change->to_name, change->node);
}

static void cut_names(struct sim_tree *tree, enum power_cut cut, struct random *random)
{
    for (size_t i = 0; i < tree->change_count; i++) {
        struct sim_change *change = &tree->changes[i];
        change->is_lost = !is_change_kept(tree, i, cut, random);
        if (!change->is_lost)
            change_durable(change);
    }
    tree->change_count = 0;
    for (struct sim_node *node = tree->nodes; node != NULL; node = node->next) {
        copy_names(&node->current, &node->durable);
        node->is_linked = false;
    }
}

static void zero_some_pieces(struct sim_node *node, struct random *random)
{
    for (size_t at = node->synced_end; at < node->end;) {
        size_t end = at - at % PIECE_BYTES + PIECE_BYTES;
        if (end > node->end)
            end = node->end;
        if (random_below(random, 2) == 0)
            memset(node->bytes + at, 0, end - at);
        at = end;
    }
}

static void cut_bytes(struct sim_node *node, enum power_cut cut, struct random *random)
{
    size_t unsynced = node->end - node->synced_end;
    node->end = node->synced_end;
    if (cut != POWER_CUT_DROP_ALL)
        node->end += random_below(random, unsynced + 1);
    if (cut == POWER_CUT_KEEP_SOME)
        zero_some_pieces(node, random);
    node->len = node->end;
    if (node->len < node->synced_len)
        sim_node_resize(node, node->synced_len);
    sim_node_settle(node);
    node->is_sync_broken = false;
}

/* Nodes to visit, linked by next_marked. */
static void mark(struct sim_node **stack, struct sim_node *node)
{
    if (node == NULL || node->is_marked)
        return;
    node->is_marked = true;
    node->next_marked = *stack;
    *stack = node;
}

static void mark_names(struct sim_node **stack, const struct sim_names *names)
{
    for (size_t i = 0; i < names->count; i++)
        mark(stack, names->entries[i].node);
}

static void mark_reachable(struct sim_tree *tree)
{
    struct sim_node *stack = NULL;
    mark(&stack, tree->root);
    for (size_t i = 0; i < tree->change_count; i++) {
        mark(&stack, tree->changes[i].node);
        mark(&stack, tree->changes[i].from_dir);
        mark(&stack, tree->changes[i].to_dir);
    }
    for (struct sim_node *node = tree->nodes; node != NULL; node = node->next) {
        if (node->open_count > 0)
            mark(&stack, node);
    }
    while (stack != NULL) {
        struct sim_node *node = stack;
        stack = node->next_marked;
        mark_names(&stack, &node->current);
        mark_names(&stack, &node->durable);
    }
}

void sim_tree_collect(struct sim_tree *tree)
{
    mark_reachable(tree);
    struct sim_node **link = &tree->nodes;
    while (*link != NULL) {
        struct sim_node *node = *link;
        if (node->is_marked) {
            node->is_marked = false;
            link = &node->next;
        } else {
            *link = node->next;
            free_node(node);
        }
    }
}

void sim_tree_cut_power(struct sim_tree *tree, enum power_cut cut, struct random *random)
{
    cut_names(tree, cut, random);
    sim_tree_collect(tree);
    for (struct sim_node *node = tree->nodes; node != NULL; node = node->next) {
        cut_bytes(node, cut, random);
        for (size_t i = 0; i < node->current.count; i++) {
            node->current.entries[i].node->is_linked = true;
            node->current.entries[i].node->was_durable = true;
        }
    }
}

void sim_node_resize(struct sim_node *node, size_t len)
{
    node->bytes = mem_grow(node->bytes, &node->capacity, len, 1);
    if (len > node->len)
        memset(node->bytes + node->len, 0, len - node->len);
    node->len = len;
}

void sim_node_settle(struct sim_node *node)
{
    node->end = node->len;
    node->synced_end = node->len;
    node->synced_len = node->len;
}

size_t sim_node_held_bytes(const struct sim_node *node)
{
    return node->len > node->reserved_bytes ? node->len : node->reserved_bytes;
}

size_t sim_tree_held_bytes(const struct sim_tree *tree)
{
    size_t held = 0;
    for (const struct sim_node *node = tree->nodes; node != NULL; node = node->next) {
        if (node->is_linked || node->open_count > 0)
            held += sim_node_held_bytes(node);
    }
    return held;
}
