#include "base/mem.h"

#include <malloc.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/check.h"

static void *or_die(void *ptr, size_t size_bytes)
{
    if (ptr == NULL) {
        fprintf(stderr, "mem: out of memory, want %zu bytes\n", size_bytes);
        abort();
    }
    return ptr;
}

/* malloc(0) may return NULL, which must not look like a failure. */
static size_t at_least_one(size_t size_bytes)
{
    return size_bytes == 0 ? 1 : size_bytes;
}

void *mem_alloc(size_t size_bytes)
{
    return or_die(malloc(at_least_one(size_bytes)), size_bytes);
}

void *mem_alloc_zeroed(size_t count, size_t size_bytes)
{
    return or_die(calloc(at_least_one(count), at_least_one(size_bytes)), size_bytes);
}

void *mem_realloc(void *ptr, size_t size_bytes)
{
    return or_die(realloc(ptr, at_least_one(size_bytes)), size_bytes);
}

void *mem_alloc_aligned(size_t alignment, size_t size_bytes)
{
    size_t padded = (at_least_one(size_bytes) + alignment - 1) & ~(alignment - 1);
    return or_die(aligned_alloc(alignment, padded), size_bytes);
}

void mem_free(void *ptr)
{
    free(ptr);
}

/* The C library raises both after each large piece that is freed, up to tens of MB for each thread;
   setting them ends that. Large enough that the buffers of a request never go back and forth. */
enum { TRIM_BYTES_MIN = 2 << 20 };

void mem_configure(void)
{
    mallopt(M_MMAP_THRESHOLD, MEM_MAPPED_BYTES_MIN);
    mallopt(M_TRIM_THRESHOLD, TRIM_BYTES_MIN);
}

void mem_return_unused(void)
{
    malloc_trim(0);
}

void mem_discard(void *ptr, size_t size_bytes)
{
    uintptr_t page = (uintptr_t)sysconf(_SC_PAGESIZE);
    uintptr_t begin = ((uintptr_t)ptr + page - 1) & ~(page - 1);
    uintptr_t end = ((uintptr_t)ptr + size_bytes) & ~(page - 1);
    if (begin < end)
        CHECK(madvise((void *)begin, end - begin, MADV_DONTNEED) == 0);
}

size_t mem_grown_capacity(size_t capacity, size_t want)
{
    if (want <= capacity)
        return capacity;
    size_t next = capacity < 8 ? 8 : capacity * 2;
    return next < want ? want : next;
}

void *mem_grow(void *ptr, size_t *capacity, size_t want, size_t element_bytes)
{
    if (want <= *capacity)
        return ptr;
    CHECK(element_bytes > 0 && want <= SIZE_MAX / 2 / element_bytes);
    *capacity = mem_grown_capacity(*capacity, want);
    return mem_realloc(ptr, *capacity * element_bytes);
}
