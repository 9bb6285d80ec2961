/*
 * mem: the only door to the heap.
 *
 * Allocation never returns NULL: when memory ends the process aborts with a clear line. Therefore
 * every size that comes from outside is checked against a limit before it gets here.
 */
#ifndef CROFT_BASE_MEM_H
#define CROFT_BASE_MEM_H

#include <stddef.h>

void *mem_alloc(size_t size_bytes);
void *mem_alloc_zeroed(size_t count, size_t size_bytes);

/* `ptr` may be NULL. The old pointer is invalid afterwards. */
void *mem_realloc(void *ptr, size_t size_bytes);

/* `alignment` is a power of two; freed with mem_free. */
void *mem_alloc_aligned(size_t alignment, size_t size_bytes);
void mem_free(void *ptr);

/* Makes the heap give back what is freed at its end and in large pieces, instead of keeping as much
   as was ever in use. Once, before any thread is started. */
void mem_configure(void);

/* Pieces of so much have pages of their own, which go back to the system when they are freed. */
enum { MEM_MAPPED_BYTES_MIN = 4 << 20 };

/* Gives what was freed back to the kernel, as far as whole pages are free. Takes milliseconds, up
   to tens of them, in which nobody else can allocate: now and then, not after each piece of
   work. */
void mem_return_unused(void);
/* Gives the whole pages of a piece of memory back to the system. The piece stays allocated; what
   stood there is gone. */
void mem_discard(void *ptr, size_t size_bytes);

/* The capacity of an array that is grown to hold at least `want` elements: doubled, or `want`. */
size_t mem_grown_capacity(size_t capacity, size_t want);
/* Grows an array to that; updates `*capacity`. Never shrinks. */
void *mem_grow(void *ptr, size_t *capacity, size_t want, size_t element_bytes);

#endif
