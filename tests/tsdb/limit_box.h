/*
 * limit_box: a store box with one tenant, "a", and one of its limits; what is written goes to it.
 */
#ifndef CROFT_TESTS_TSDB_LIMIT_BOX_H
#define CROFT_TESTS_TSDB_LIMIT_BOX_H

#include "tests/support/store_box.h"

struct tenant *limit_box_open(struct store_box *box, enum tenant_limit limit, uint64_t max,
                              bool is_manual);
struct write_result limit_box_put(struct store_box *box, const char *series, int64_t ts_ms);
void expect_taken(struct store_box *box, const char *series, int64_t ts_ms);

#endif
