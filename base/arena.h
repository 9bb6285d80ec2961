/*
 * arena: memory that is freed all at once, one per request, query or flush.
 *
 * Ownership:  everything handed out lives until arena_reset or arena_deinit.
 * Units:      `used_bytes` counts what was handed out, `limit_bytes` is a hard maximum.
 * Threads:    not synchronised.
 */
#ifndef CROFT_BASE_ARENA_H
#define CROFT_BASE_ARENA_H

#include "base/budget.h"
#include "base/bytes.h"
#include "base/status.h"

struct arena_page;

struct arena {
    struct arena_page *pages;
    uint8_t *next;
    size_t left_bytes;
    size_t used_bytes;
    size_t limit_bytes;
    struct charge *charge; /* of the pages; set behind arena_init, kept; may be NULL */
};

/* `limit_bytes` is what arena_try_alloc may hand out in all; SIZE_MAX for none. */
void arena_init(struct arena *arena, size_t limit_bytes);
void arena_deinit(struct arena *arena);
/* Forgets everything; keeps the first page for reuse. */
void arena_reset(struct arena *arena);

/* Aligned to 16 bytes, not zeroed. The size must have been checked by the caller: beyond the limit
   this is a CHECK failure, and beyond the share of `charge` it is forced. */
void *arena_alloc(struct arena *arena, size_t size_bytes);
/* The same, but NULL when the limit or the share would be passed. */
MUST_USE void *arena_try_alloc(struct arena *arena, size_t size_bytes);
/* Why arena_try_alloc gave NULL: STATUS_UNAVAILABLE where the arena has a charge and no limit, else
   STATUS_LIMIT. */
enum status arena_refusal(const struct arena *arena, struct error *err);
void *arena_alloc_zeroed(struct arena *arena, size_t size_bytes);
struct str arena_copy(struct arena *arena, struct str text);
/* With a NUL at the end that is not counted in len. */
struct str arena_format(struct arena *arena, const char *format, ...) PRINTF_LIKE(2, 3);

#endif
