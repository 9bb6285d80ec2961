/*
 * thread: threads, locks and waiting, with the annotations that clang's -Wthread-safety checks.
 *
 * A function that expects a lock ends in _locked and is declared REQUIRES(lock). Fields say
 * "guarded by lock" in a comment.
 */
#ifndef CROFT_BASE_THREAD_H
#define CROFT_BASE_THREAD_H

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#if defined(__clang__)
#define THREAD_ATTRIBUTE(x) __attribute__((x))
#else
#define THREAD_ATTRIBUTE(x)
#endif
#define LOCKABLE                  THREAD_ATTRIBUTE(capability("mutex"))
#define REQUIRES(...)             THREAD_ATTRIBUTE(requires_capability(__VA_ARGS__))
#define REQUIRES_SHARED(...)      THREAD_ATTRIBUTE(requires_shared_capability(__VA_ARGS__))
#define ACQUIRES(...)             THREAD_ATTRIBUTE(acquire_capability(__VA_ARGS__))
#define ACQUIRES_SHARED(...)      THREAD_ATTRIBUTE(acquire_shared_capability(__VA_ARGS__))
#define RELEASES(...)             THREAD_ATTRIBUTE(release_capability(__VA_ARGS__))
#define RELEASES_SHARED(...)      THREAD_ATTRIBUTE(release_shared_capability(__VA_ARGS__))
#define NO_THREAD_SAFETY_ANALYSIS THREAD_ATTRIBUTE(no_thread_safety_analysis)

struct LOCKABLE mutex {
    pthread_mutex_t handle;
    _Atomic uintptr_t owner; /* the holding thread, 0 when free */
};

void mutex_init(struct mutex *mutex);
void mutex_deinit(struct mutex *mutex);
void mutex_lock(struct mutex *mutex) ACQUIRES(*mutex);
void mutex_unlock(struct mutex *mutex) RELEASES(*mutex);
/* Held by the calling thread. */
bool mutex_is_held(const struct mutex *mutex);

/* Many readers or one writer. A waiting writer goes before new readers, and before a writer who has
   given the lock back and wants it again. */
struct LOCKABLE rwlock {
    pthread_rwlock_t handle;
    pthread_mutex_t turn;     /* of the writer who is next, until he has the lock */
    _Atomic uintptr_t writer; /* the writing thread, 0 when there is none */
};

void rwlock_init(struct rwlock *lock);
void rwlock_deinit(struct rwlock *lock);
void rwlock_lock_read(struct rwlock *lock) ACQUIRES_SHARED(*lock);
void rwlock_unlock_read(struct rwlock *lock) RELEASES_SHARED(*lock);
void rwlock_lock_write(struct rwlock *lock) ACQUIRES(*lock);
void rwlock_unlock_write(struct rwlock *lock) RELEASES(*lock);
/* Held for writing by the calling thread. */
bool rwlock_is_held_write(const struct rwlock *lock);

struct cond {
    pthread_cond_t handle; /* waits on CLOCK_MONOTONIC */
};

void cond_init(struct cond *cond);
void cond_deinit(struct cond *cond);
void cond_wait(struct cond *cond, struct mutex *mutex) REQUIRES(*mutex);
/* False when `timeout_ms` passed first. */
bool cond_wait_for(struct cond *cond, struct mutex *mutex, int64_t timeout_ms) REQUIRES(*mutex);
void cond_signal(struct cond *cond);
void cond_broadcast(struct cond *cond);

struct thread {
    pthread_t handle;
    bool is_running;
};

/* `name` shows in ps and gdb, at most 15 bytes. Aborts when the system has no thread left. */
void thread_start(struct thread *thread, const char *name, void (*run)(void *), void *context);
/* The same for one of several; `number` stands behind `name`, of which 11 bytes show. */
void thread_start_numbered(struct thread *thread, const char *name, size_t number,
                           void (*run)(void *), void *context);
/* Waits for the end; fine when it was never started. */
void thread_join(struct thread *thread);
/* Of the calling thread. For what nothing can tell the end of. */
void thread_sleep_ms(int64_t duration_ms);
/* Of the calling thread; never 0, and no other running thread's. */
uintptr_t thread_self(void);
/* From now on the calling thread, and those that it starts, run only on the first `count` of the
   processors that this process may use; SIZE_MAX for all. Where the system does not let them, they
   run anywhere. */
void thread_use_processors(size_t count);
/* Online processors this process may use, at least 1. */
unsigned thread_cpu_count(void);
/* Of so many, those that work for who uses much may have: all but an eighth, rounded up, and of one
   that one. */
static inline unsigned thread_busy_cpu_count(unsigned cpu_count)
{
    return cpu_count == 1 ? 1 : cpu_count - (cpu_count + 7) / 8;
}

#endif
