/*
 * sim_tree: the folders and files of a simulated disk, as they are now and as the platter has them.
 *
 *     folder --- current names ---> file --- bytes [0 ........ synced_end ...... end)
 *        \                           ^              survive a cut   may go at a cut
 *         `----- durable names ------'               zeros ahead of appends from there to len, of
 *                                                    which those below synced_len survive
 *
 * A change of names is made in `current` at once and put on the list of pending changes;
 * sim_tree_sync_dir makes it in `durable`. At a power cut each pending change is kept or lost.
 *
 * Invariant:  a file that was durable under a name is never lost by a rename, whatever was synced.
 * Ownership:  the tree owns all nodes; sim_tree_collect frees those that nothing can reach.
 * Threads:    not synchronised; sim_disk guards it, and nobody else includes this.
 */
#ifndef CROFT_BASE_SIM_TREE_H
#define CROFT_BASE_SIM_TREE_H

#include "base/random.h"
#include "base/sim_disk.h"

struct sim_node;

struct sim_entry {
    char name[DISK_NAME_MAX];
    struct sim_node *node;
};

struct sim_names {
    struct sim_entry *entries;
    size_t count;
    size_t capacity;
};

struct sim_node {
    struct sim_node *next; /* of all nodes */
    bool is_dir;
    bool is_linked;      /* has a current name */
    bool was_durable;    /* under any name */
    unsigned open_count; /* file handles */

    struct sim_names current; /* of a folder */
    struct sim_names durable;

    uint8_t *bytes; /* of a file */
    size_t len;
    size_t end; /* of what was appended; zeros behind it */
    size_t capacity;
    size_t synced_len;
    size_t synced_end;
    size_t reserved_bytes;
    bool is_sync_broken; /* a sync failed: what it should have saved is never durable */

    bool is_marked; /* by sim_tree_collect */
    struct sim_node *next_marked;
};

/* A name of `node` that goes, a name that comes, or both: unlink, create, rename. */
struct sim_change {
    struct sim_node *node;
    struct sim_node *from_dir; /* NULL when no name goes */
    struct sim_node *to_dir;   /* NULL when no name comes */
    char from_name[DISK_NAME_MAX];
    char to_name[DISK_NAME_MAX];
    bool is_certain; /* the old name is durably gone: the new one must not be lost */
    bool is_lost;    /* during sim_tree_cut_power */
};

struct sim_tree {
    struct sim_node *root;
    struct sim_node *nodes;
    struct sim_change *changes; /* oldest first */
    size_t change_count;
    size_t change_capacity;
};

/* A place in a folder: the folder exists, the name may not. */
struct sim_place {
    struct sim_node *dir;
    char name[DISK_NAME_MAX];
};

void sim_tree_init(struct sim_tree *tree);
void sim_tree_deinit(struct sim_tree *tree);

/* The node that `path` names now, "" for the root; NULL when there is none. */
struct sim_node *sim_tree_find(const struct sim_tree *tree, const char *path);
/* False when a folder on the way is missing. */
bool sim_tree_place(const struct sim_tree *tree, const char *path, struct sim_place *out);
/* The node that has this place now, or NULL. */
struct sim_node *sim_tree_at(const struct sim_place *place);

struct sim_node *sim_tree_create(struct sim_tree *tree, const struct sim_place *at, bool is_dir);
/* A node at `to` is replaced. */
void sim_tree_rename(struct sim_tree *tree, const struct sim_place *from,
                     const struct sim_place *to);
void sim_tree_unlink(struct sim_tree *tree, const struct sim_place *at);
void sim_tree_sync_dir(struct sim_tree *tree, struct sim_node *dir);

/* Makes `current` and `durable` the same again, with the losses of `cut`. */
void sim_tree_cut_power(struct sim_tree *tree, enum power_cut cut, struct random *random);
void sim_tree_collect(struct sim_tree *tree);

/* Sets the length; new bytes are zeros. */
void sim_node_resize(struct sim_node *node, size_t len);
/* All that the file holds counts as appended and durable. */
void sim_node_settle(struct sim_node *node);
/* What the file takes of the disk's capacity. */
size_t sim_node_held_bytes(const struct sim_node *node);
/* The same over all files that have a name or are open. */
size_t sim_tree_held_bytes(const struct sim_tree *tree);

#endif
