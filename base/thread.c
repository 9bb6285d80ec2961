#include "base/thread.h"

#include <errno.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "base/check.h"
#include "base/mem.h"

enum { NAME_MAX_BYTES = 15, MS_PER_S = 1000, NS_PER_MS = 1000000, NS_PER_S = 1000000000 };

uintptr_t thread_self(void)
{
    return (uintptr_t)pthread_self();
}

/* Relaxed: a thread asks only whether the holder is itself, and it sees its own stores in order. */
static void set_holder(_Atomic uintptr_t *holder, uintptr_t thread)
{
    atomic_store_explicit(holder, thread, memory_order_relaxed);
}

static bool is_held_by_self(const _Atomic uintptr_t *holder)
{
    return atomic_load_explicit(holder, memory_order_relaxed) == thread_self();
}

void mutex_init(struct mutex *mutex)
{
    CHECK(pthread_mutex_init(&mutex->handle, NULL) == 0);
    atomic_init(&mutex->owner, 0);
}

void mutex_deinit(struct mutex *mutex)
{
    CHECK(pthread_mutex_destroy(&mutex->handle) == 0);
}

NO_THREAD_SAFETY_ANALYSIS void mutex_lock(struct mutex *mutex)
{
    CHECK(!mutex_is_held(mutex));
    CHECK(pthread_mutex_lock(&mutex->handle) == 0);
    set_holder(&mutex->owner, thread_self());
}

NO_THREAD_SAFETY_ANALYSIS void mutex_unlock(struct mutex *mutex)
{
    CHECK(mutex_is_held(mutex));
    set_holder(&mutex->owner, 0);
    CHECK(pthread_mutex_unlock(&mutex->handle) == 0);
}

bool mutex_is_held(const struct mutex *mutex)
{
    return is_held_by_self(&mutex->owner);
}

void rwlock_init(struct rwlock *lock)
{
    pthread_rwlockattr_t attributes;
    CHECK(pthread_rwlockattr_init(&attributes) == 0);
    /* glibc prefers readers, and a stream of queries would keep a writer waiting for ever */
    CHECK(pthread_rwlockattr_setkind_np(&attributes,
                                        PTHREAD_RWLOCK_PREFER_WRITER_NONRECURSIVE_NP) == 0);
    CHECK(pthread_rwlock_init(&lock->handle, &attributes) == 0);
    CHECK(pthread_rwlockattr_destroy(&attributes) == 0);
    CHECK(pthread_mutex_init(&lock->turn, NULL) == 0);
    atomic_init(&lock->writer, 0);
}

void rwlock_deinit(struct rwlock *lock)
{
    CHECK(pthread_mutex_destroy(&lock->turn) == 0);
    CHECK(pthread_rwlock_destroy(&lock->handle) == 0);
}

NO_THREAD_SAFETY_ANALYSIS void rwlock_lock_read(struct rwlock *lock)
{
    CHECK(pthread_rwlock_rdlock(&lock->handle) == 0);
}

NO_THREAD_SAFETY_ANALYSIS void rwlock_unlock_read(struct rwlock *lock)
{
    CHECK(pthread_rwlock_unlock(&lock->handle) == 0);
}

/* glibc lets a writer who comes while the lock is handed over take it before the one who was woken
   for it, so whoever writes without a pause would keep it: but the turn is that one's. */
NO_THREAD_SAFETY_ANALYSIS void rwlock_lock_write(struct rwlock *lock)
{
    CHECK(pthread_mutex_lock(&lock->turn) == 0);
    CHECK(pthread_rwlock_wrlock(&lock->handle) == 0);
    CHECK(pthread_mutex_unlock(&lock->turn) == 0);
    set_holder(&lock->writer, thread_self());
}

NO_THREAD_SAFETY_ANALYSIS void rwlock_unlock_write(struct rwlock *lock)
{
    CHECK(rwlock_is_held_write(lock));
    set_holder(&lock->writer, 0);
    CHECK(pthread_rwlock_unlock(&lock->handle) == 0);
}

bool rwlock_is_held_write(const struct rwlock *lock)
{
    return is_held_by_self(&lock->writer);
}

void cond_init(struct cond *cond)
{
    pthread_condattr_t attributes;
    CHECK(pthread_condattr_init(&attributes) == 0);
    CHECK(pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC) == 0);
    CHECK(pthread_cond_init(&cond->handle, &attributes) == 0);
    CHECK(pthread_condattr_destroy(&attributes) == 0);
}

void cond_deinit(struct cond *cond)
{
    CHECK(pthread_cond_destroy(&cond->handle) == 0);
}

void cond_wait(struct cond *cond, struct mutex *mutex)
{
    CHECK(mutex_is_held(mutex));
    set_holder(&mutex->owner, 0);
    CHECK(pthread_cond_wait(&cond->handle, &mutex->handle) == 0);
    set_holder(&mutex->owner, thread_self());
}

static struct timespec monotonic_after(int64_t timeout_ms)
{
    struct timespec at;
    CHECK(clock_gettime(CLOCK_MONOTONIC, &at) == 0);
    int64_t ns = at.tv_nsec + timeout_ms % MS_PER_S * NS_PER_MS;
    at.tv_sec += timeout_ms / MS_PER_S + ns / NS_PER_S;
    at.tv_nsec = ns % NS_PER_S;
    return at;
}

bool cond_wait_for(struct cond *cond, struct mutex *mutex, int64_t timeout_ms)
{
    CHECK(mutex_is_held(mutex));
    struct timespec until = monotonic_after(timeout_ms < 0 ? 0 : timeout_ms);
    set_holder(&mutex->owner, 0);
    int result = pthread_cond_timedwait(&cond->handle, &mutex->handle, &until);
    set_holder(&mutex->owner, thread_self());
    CHECK(result == 0 || result == ETIMEDOUT);
    return result == 0;
}

void cond_signal(struct cond *cond)
{
    CHECK(pthread_cond_signal(&cond->handle) == 0);
}

void cond_broadcast(struct cond *cond)
{
    CHECK(pthread_cond_broadcast(&cond->handle) == 0);
}

struct start {
    void (*run)(void *);
    void *context;
};

static void *run_thread(void *argument)
{
    struct start start = *(struct start *)argument;
    mem_free(argument);
    start.run(start.context);
    return NULL;
}

void thread_start(struct thread *thread, const char *name, void (*run)(void *), void *context)
{
    struct start *start = mem_alloc(sizeof *start);
    *start = (struct start){.run = run, .context = context};
    int result = pthread_create(&thread->handle, NULL, run_thread, start);
    if (result != 0) {
        fprintf(stderr, "thread: cannot start %s: error %d\n", name, result);
        abort();
    }
    thread->is_running = true;
    char cut[NAME_MAX_BYTES + 1];
    snprintf(cut, sizeof cut, "%.*s", NAME_MAX_BYTES, name);
    pthread_setname_np(thread->handle, cut);
}

void thread_start_numbered(struct thread *thread, const char *name, size_t number,
                           void (*run)(void *), void *context)
{
    char numbered[40];
    snprintf(numbered, sizeof numbered, "%.11s-%zu", name, number);
    thread_start(thread, numbered, run, context);
}

void thread_join(struct thread *thread)
{
    if (!thread->is_running)
        return;
    CHECK(pthread_join(thread->handle, NULL) == 0);
    thread->is_running = false;
}

void thread_sleep_ms(int64_t duration_ms)
{
    struct timespec left = {.tv_sec = duration_ms / 1000, .tv_nsec = duration_ms % 1000 * 1000000};
    while (nanosleep(&left, &left) != 0 && errno == EINTR)
        continue;
}

void thread_use_processors(size_t count)
{
    cpu_set_t all, some;
    if (sched_getaffinity(getpid(), sizeof all, &all) !=
        0) /* of the main thread, which has them all */
        return;
    CPU_ZERO(&some);
    for (size_t cpu = 0; cpu < CPU_SETSIZE && (size_t)CPU_COUNT(&some) < count; cpu++) {
        if (CPU_ISSET(cpu, &all))
            CPU_SET(cpu, &some);
    }
    (void)sched_setaffinity(0, sizeof some, &some);
}

unsigned thread_cpu_count(void)
{
    cpu_set_t set;
    /* More than 1024 processors do not fit in the set: then the call fails, and one is safe. */
    if (sched_getaffinity(0, sizeof set, &set) != 0)
        return 1;
    int count = CPU_COUNT(&set);
    return count < 1 ? 1 : (unsigned)count;
}
