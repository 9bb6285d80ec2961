/*
 * naive_select: the store as a list in memory, so that queries are tested without a disk.
 *
 * Implements tsdb/store/select.h over its own `struct store`: link it instead of the real one.
 * Scope is ignored: everything belongs to one tenant.
 * Threads: not synchronised.
 */
#ifndef CROFT_TESTS_SUPPORT_NAIVE_SELECT_H
#define CROFT_TESTS_SUPPORT_NAIVE_SELECT_H

#include "tsdb/store/select.h"

struct store *naive_store_new(void);
void naive_store_free(struct store *store);
/* Without any series again. No selection may be open. */
void naive_store_reset(struct store *store);
/* `ts_ms` must be later than every sample the series has. The labels are copied. */
void naive_store_append(struct store *store, struct labels labels, int64_t ts_ms, double value);

#endif
