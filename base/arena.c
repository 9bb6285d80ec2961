#include "base/arena.h"

#include <stdarg.h>
#include <stdio.h>

#include "base/check.h"
#include "base/mem.h"

enum { ALIGNMENT = 16, PAGE_BYTES_FIRST = 4096, PAGE_BYTES_MAX = MEM_MAPPED_BYTES_MIN };

/* Pages double from PAGE_BYTES_FIRST to PAGE_BYTES_MAX, which go back to the system when they are
   freed; a larger request gets a page of its own. */
struct arena_page {
    struct arena_page *next;
    size_t size_bytes;
};

_Static_assert(sizeof(struct arena_page) % ALIGNMENT == 0, "the first object must be aligned");

void arena_init(struct arena *arena, size_t limit_bytes)
{
    *arena = (struct arena){.limit_bytes = limit_bytes};
}

static void free_pages(struct arena *arena, struct arena_page *page)
{
    while (page != NULL) {
        struct arena_page *next = page->next;
        charge_give(arena->charge, sizeof *page + page->size_bytes);
        mem_free(page);
        page = next;
    }
}

void arena_deinit(struct arena *arena)
{
    free_pages(arena, arena->pages);
    *arena = (struct arena){0};
}

void arena_reset(struct arena *arena)
{
    struct arena_page *first = arena->pages;
    arena->used_bytes = 0;
    if (first == NULL)
        return;
    free_pages(arena, first->next);
    first->next = NULL;
    arena->next = (uint8_t *)(first + 1);
    arena->left_bytes = first->size_bytes;
}

static size_t next_page_bytes(const struct arena *arena, size_t want_bytes)
{
    size_t size_bytes = arena->pages == NULL ? PAGE_BYTES_FIRST : arena->pages->size_bytes * 2;
    if (size_bytes > PAGE_BYTES_MAX)
        size_bytes = PAGE_BYTES_MAX;
    return size_bytes < want_bytes ? want_bytes : size_bytes;
}

/* The page has been charged. */
static void add_page(struct arena *arena, size_t size_bytes)
{
    struct arena_page *page = mem_alloc(sizeof *page + size_bytes);
    *page = (struct arena_page){.next = arena->pages, .size_bytes = size_bytes};
    arena->pages = page;
    arena->next = (uint8_t *)(page + 1);
    arena->left_bytes = size_bytes;
}

/* False when the charge is refused. */
static bool make_room(struct arena *arena, size_t padded_bytes, bool is_forced)
{
    if (padded_bytes <= arena->left_bytes && arena->pages != NULL)
        return true;
    size_t size_bytes = next_page_bytes(arena, padded_bytes);
    size_t charged_bytes = sizeof(struct arena_page) + size_bytes;
    if (is_forced)
        charge_force(arena->charge, charged_bytes);
    else if (charge_take(arena->charge, charged_bytes, NULL) != STATUS_OK)
        return false;
    add_page(arena, size_bytes);
    return true;
}

static void *alloc(struct arena *arena, size_t size_bytes, bool is_forced)
{
    if (size_bytes > arena->limit_bytes || arena->used_bytes > arena->limit_bytes - size_bytes)
        return NULL;
    size_t padded_bytes = (size_bytes + ALIGNMENT - 1) & ~(size_t)(ALIGNMENT - 1);
    CHECK(padded_bytes >= size_bytes);
    if (!make_room(arena, padded_bytes, is_forced))
        return NULL;
    void *ptr = arena->next;
    arena->next += padded_bytes;
    arena->left_bytes -= padded_bytes;
    arena->used_bytes += size_bytes;
    return ptr;
}

void *arena_alloc(struct arena *arena, size_t size_bytes)
{
    void *ptr = alloc(arena, size_bytes, true);
    CHECK(ptr != NULL);
    return ptr;
}

void *arena_try_alloc(struct arena *arena, size_t size_bytes)
{
    return alloc(arena, size_bytes, false);
}

enum status arena_refusal(const struct arena *arena, struct error *err)
{
    if (arena->charge != NULL && arena->limit_bytes == SIZE_MAX)
        return charge_refusal(arena->charge, err);
    return error_set(err, STATUS_LIMIT, "memory: more than the %zu bytes that this may take",
                     arena->limit_bytes);
}

void *arena_alloc_zeroed(struct arena *arena, size_t size_bytes)
{
    void *ptr = arena_alloc(arena, size_bytes);
    memset(ptr, 0, size_bytes);
    return ptr;
}

struct str arena_copy(struct arena *arena, struct str text)
{
    char *ptr = arena_alloc(arena, text.len);
    if (text.len > 0)
        memcpy(ptr, text.ptr, text.len);
    return (struct str){ptr, text.len};
}

struct str arena_format(struct arena *arena, const char *format, ...)
{
    va_list args, again;
    va_start(args, format);
    va_copy(again, args);
    int len = vsnprintf(NULL, 0, format, args);
    va_end(args);
    CHECK(len >= 0);
    char *ptr = arena_alloc(arena, (size_t)len + 1);
    vsnprintf(ptr, (size_t)len + 1, format, again);
    va_end(again);
    return (struct str){ptr, (size_t)len};
}
