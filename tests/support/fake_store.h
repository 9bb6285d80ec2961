/*
 * fake_store: a store_write that only notes what it was given, for tests of who calls it.
 *
 * Linked as an object it takes the place of croft_tsdb's own.
 *
 * Threads: store_write may be called from any; the rest belongs to the test.
 */
#ifndef CROFT_TESTS_SUPPORT_FAKE_STORE_H
#define CROFT_TESTS_SUPPORT_FAKE_STORE_H

#include "base/buffer.h"
#include "base/thread.h"
#include "tsdb/store/store.h"

struct store {
    struct buffer written;        /* "tenant up{job=\"x\"} 1.5@1000\n" per sample, in order */
    enum status answer;           /* of store_write; STATUS_OK to take writes */
    struct tenant_table *tenants; /* where store_admit_tenant adds */
    const char *refused_metric;   /* its series are refused with REFUSAL_MAX_SERIES; may be NULL */
    bool refuses_for_now;         /* with REFUSAL_INGESTION_RATE instead */
    bool is_deferred;             /* done is called by fake_store_commit, not within store_write */
    struct mutex lock;
    struct cond has_pending;
    struct write_commit *pending; /* guarded by lock */
    size_t write_count;
    bool has_bad_identity; /* some series' identity was not that of its labels */
};

void fake_store_init(struct store *store);
void fake_store_deinit(struct store *store);
/* Waits for a pending write and answers it. */
void fake_store_commit(struct store *store, enum status status);

#endif
