#include "base/map.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/check.h"

/* No process has more: the default of vm.max_map_count is 65,530. Unused entries take no memory. */
enum { MAPS_MAX = 64 * 1024 };

/* Looked at by the handler while others change it: `begin` changes only while `end` is 0, and
   after `use_count` has. */
struct map_entry {
    _Atomic uint64_t use_count; /* maps that have had it */
    _Atomic uintptr_t begin;
    _Atomic uintptr_t end; /* 0: free */
    _Atomic uint64_t fault_count;
};

/* Orders are sequentially consistent throughout: none of this is on the way of a read, but for
   map_fault_count. */
static struct {
    struct map_entry entries[MAPS_MAX];
    _Atomic size_t used_count; /* entries behind were never used */
    _Atomic uint64_t fault_total;
    pthread_mutex_t lock; /* guards taking and giving back of entries and of the signal */
    size_t free_hint;     /* guarded by lock; entries before are taken */
    uintptr_t page_bytes;
    struct sigaction previous;
} table = {.lock = PTHREAD_MUTEX_INITIALIZER};

/* ---- the handler: nothing but atomics and system calls ---- */

/* `begin` was there before `end`; if it is that of a later map, `use_count` is no more what it was.
   That the next map ends where this one did happens all the time: the kernel fills gaps. */
static bool covers(struct map_entry *entry, uintptr_t address)
{
    uint64_t use_count = atomic_load(&entry->use_count);
    uintptr_t end = atomic_load(&entry->end);
    return atomic_load(&entry->begin) <= address && address < end &&
           atomic_load(&entry->use_count) == use_count;
}

/* The entry of a map that a thread reads stays as it is: that thread is here. */
static struct map_entry *find_entry(uintptr_t address)
{
    size_t count = atomic_load(&table.used_count);
    for (size_t i = 0; i < count; i++) {
        if (covers(&table.entries[i], address))
            return &table.entries[i];
    }
    return NULL;
}

/* Counted first: who sees zeros sees the count. */
static bool replace_page(uintptr_t address)
{
    struct map_entry *entry = find_entry(address);
    if (entry == NULL)
        return false;
    atomic_fetch_add(&entry->fault_count, 1);
    atomic_fetch_add(&table.fault_total, 1);
    void *page = (void *)(address & ~(table.page_bytes - 1));
    return mmap(page, table.page_bytes, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1,
                0) != MAP_FAILED;
}

/* A code above 0 is the kernel's word about an address; else somebody sent the signal. */
static void on_sigbus(int number, siginfo_t *info, void *context)
{
    (void)context;
    int error = errno;
    bool is_fault = info->si_code > 0;
    if (!is_fault || !replace_page((uintptr_t)info->si_addr)) {
        sigaction(SIGBUS, &table.previous, NULL);
        /* a fault comes again by itself, at the same address */
        if (!is_fault)
            raise(number);
    }
    errno = error;
}

/* Looked at for each map: others may take the signal, as the frame of a test does. */
static void install_locked(void)
{
    struct sigaction now, ours = {.sa_sigaction = on_sigbus, .sa_flags = SA_SIGINFO};
    CHECK(sigaction(SIGBUS, NULL, &now) == 0);
    if ((now.sa_flags & SA_SIGINFO) != 0 && now.sa_sigaction == on_sigbus)
        return;
    table.page_bytes = (uintptr_t)sysconf(_SC_PAGESIZE);
    table.previous = now;
    sigemptyset(&ours.sa_mask);
    CHECK(sigaction(SIGBUS, &ours, NULL) == 0);
}

/* ---- maps ---- */

/* NULL when all are taken. */
static struct map_entry *free_entry_locked(void)
{
    size_t at = table.free_hint;
    while (at < MAPS_MAX && atomic_load(&table.entries[at].end) != 0)
        at++;
    table.free_hint = at;
    if (at == MAPS_MAX)
        return NULL;
    if (at == atomic_load(&table.used_count))
        atomic_store(&table.used_count, at + 1);
    return &table.entries[at];
}

static struct map_entry *add_entry(uintptr_t begin, size_t len)
{
    CHECK(pthread_mutex_lock(&table.lock) == 0);
    install_locked();
    struct map_entry *entry = free_entry_locked();
    if (entry != NULL) {
        atomic_store(&entry->fault_count, 0);
        atomic_fetch_add(&entry->use_count, 1);
        atomic_store(&entry->begin, begin);
        atomic_store(&entry->end, begin + len);
    }
    CHECK(pthread_mutex_unlock(&table.lock) == 0);
    return entry;
}

static void remove_entry(struct map_entry *entry)
{
    size_t at = (size_t)(entry - table.entries);
    CHECK(pthread_mutex_lock(&table.lock) == 0);
    atomic_store(&entry->end, 0);
    if (at < table.free_hint)
        table.free_hint = at;
    CHECK(pthread_mutex_unlock(&table.lock) == 0);
}

bool map_open(struct map *map, int fd, size_t len)
{
    CHECK(len > 0);
    void *ptr = mmap(NULL, len, PROT_READ, MAP_SHARED, fd, 0);
    if (ptr == MAP_FAILED)
        return false;
    struct map_entry *entry = add_entry((uintptr_t)ptr, len);
    if (entry == NULL) {
        munmap(ptr, len);
        errno = ENOMEM;
        return false;
    }
    *map = (struct map){{ptr, len}, entry};
    return true;
}

void map_close(struct map *map)
{
    if (map->entry == NULL)
        return;
    remove_entry(map->entry);
    CHECK(munmap((void *)(uintptr_t)map->bytes.ptr, map->bytes.len) == 0);
    *map = (struct map){0};
}

uint64_t map_fault_count(const struct map *map)
{
    /* acquire: the bytes that are read from here on; the fence: those that were read before */
    atomic_thread_fence(memory_order_acquire);
    return map->entry == NULL
               ? 0
               : atomic_load_explicit(&map->entry->fault_count, memory_order_acquire);
}

uint64_t map_fault_total(void)
{
    return atomic_load_explicit(&table.fault_total, memory_order_relaxed);
}
