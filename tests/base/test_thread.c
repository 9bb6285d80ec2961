#include "base/counter.h"
#include "base/thread.h"
#include "tests/support/test.h"

enum { THREADS = 4, ROUNDS = 20000 };

struct shared {
    struct mutex lock;
    struct rwlock table_lock;
    struct cond changed;
    struct counter in_threads;
    uint64_t count;     /* guarded by lock */
    uint64_t pair[2];   /* guarded by table_lock; always equal */
    bool is_torn;       /* guarded by lock */
    bool is_held_there; /* guarded by lock */
};

static void shared_init(struct shared *shared)
{
    *shared = (struct shared){0};
    mutex_init(&shared->lock);
    rwlock_init(&shared->table_lock);
    cond_init(&shared->changed);
}

static void shared_deinit(struct shared *shared)
{
    cond_deinit(&shared->changed);
    rwlock_deinit(&shared->table_lock);
    mutex_deinit(&shared->lock);
}

static void run_in_threads(struct shared *shared, void (*run)(void *))
{
    struct thread threads[THREADS] = {0};
    for (size_t i = 0; i < THREADS; i++)
        thread_start(&threads[i], "test-thread-with-a-long-name", run, shared);
    for (size_t i = 0; i < THREADS; i++)
        thread_join(&threads[i]);
}

static void count_under_lock(void *context)
{
    struct shared *shared = context;
    for (size_t i = 0; i < ROUNDS; i++) {
        mutex_lock(&shared->lock);
        shared->count++;
        mutex_unlock(&shared->lock);
        counter_add(&shared->in_threads, 1);
    }
}

TEST(a_mutex_lets_one_in_at_a_time)
{
    struct shared shared;
    shared_init(&shared);
    run_in_threads(&shared, count_under_lock);
    assert_int_equal(shared.count, THREADS * ROUNDS);
    assert_int_equal(counter_get(&shared.in_threads), THREADS * ROUNDS);
    shared_deinit(&shared);
}

static void look_whether_held(void *context)
{
    struct shared *shared = context;
    shared->is_held_there = mutex_is_held(&shared->lock);
    if (rwlock_is_held_write(&shared->table_lock))
        shared->is_held_there = true;
}

TEST(a_lock_is_held_by_its_thread_only)
{
    struct shared shared;
    struct thread thread = {0};
    shared_init(&shared);
    assert_false(mutex_is_held(&shared.lock));
    assert_false(rwlock_is_held_write(&shared.table_lock));
    mutex_lock(&shared.lock);
    rwlock_lock_write(&shared.table_lock);
    assert_true(mutex_is_held(&shared.lock));
    assert_true(rwlock_is_held_write(&shared.table_lock));
    thread_start(&thread, "look", look_whether_held, &shared);
    thread_join(&thread);
    assert_false(shared.is_held_there);
    rwlock_unlock_write(&shared.table_lock);
    mutex_unlock(&shared.lock);
    assert_false(mutex_is_held(&shared.lock));
    assert_false(rwlock_is_held_write(&shared.table_lock));
    rwlock_lock_read(&shared.table_lock);
    assert_false(rwlock_is_held_write(&shared.table_lock));
    rwlock_unlock_read(&shared.table_lock);
    shared_deinit(&shared);
}

static void write_and_read_pair(void *context)
{
    struct shared *shared = context;
    for (size_t i = 0; i < ROUNDS / 10; i++) {
        rwlock_lock_write(&shared->table_lock);
        shared->pair[0]++;
        shared->pair[1]++;
        rwlock_unlock_write(&shared->table_lock);
        rwlock_lock_read(&shared->table_lock);
        bool is_torn = shared->pair[0] != shared->pair[1];
        rwlock_unlock_read(&shared->table_lock);
        mutex_lock(&shared->lock);
        shared->is_torn |= is_torn;
        mutex_unlock(&shared->lock);
    }
}

TEST(readers_see_nothing_half_written)
{
    struct shared shared;
    shared_init(&shared);
    run_in_threads(&shared, write_and_read_pair);
    assert_false(shared.is_torn);
    assert_int_equal(shared.pair[0], THREADS * (ROUNDS / 10));
    shared_deinit(&shared);
}

static void answer_each_count(void *context)
{
    struct shared *shared = context;
    mutex_lock(&shared->lock);
    for (uint64_t turn = 1; turn < 200; turn += 2) {
        while (shared->count != turn)
            cond_wait(&shared->changed, &shared->lock);
        shared->is_held_there |= !mutex_is_held(&shared->lock);
        shared->count++;
        cond_signal(&shared->changed);
    }
    mutex_unlock(&shared->lock);
}

TEST(two_threads_take_turns)
{
    struct shared shared;
    struct thread thread = {0};
    shared_init(&shared);
    thread_start(&thread, "answer", answer_each_count, &shared);
    mutex_lock(&shared.lock);
    for (uint64_t turn = 0; turn < 200; turn += 2) {
        while (shared.count != turn)
            cond_wait(&shared.changed, &shared.lock);
        shared.count++;
        cond_broadcast(&shared.changed);
    }
    mutex_unlock(&shared.lock);
    thread_join(&thread);
    assert_int_equal(shared.count, 200);
    assert_false(shared.is_held_there);
    shared_deinit(&shared);
}

TEST(waiting_ends_at_its_timeout)
{
    struct shared shared;
    shared_init(&shared);
    mutex_lock(&shared.lock);
    /* a wake-up without reason is allowed, for ever is not */
    while (cond_wait_for(&shared.changed, &shared.lock, 1))
        continue;
    assert_true(mutex_is_held(&shared.lock));
    while (cond_wait_for(&shared.changed, &shared.lock, -5))
        continue;
    mutex_unlock(&shared.lock);
    shared_deinit(&shared);
}

static void raise_count(void *context)
{
    struct shared *shared = context;
    mutex_lock(&shared->lock);
    shared->count = 1;
    cond_signal(&shared->changed);
    mutex_unlock(&shared->lock);
}

TEST(waiting_with_a_timeout_ends_at_the_signal)
{
    struct shared shared;
    struct thread thread = {0};
    bool is_in_time = true;
    shared_init(&shared);
    mutex_lock(&shared.lock);
    thread_start(&thread, "raise", raise_count, &shared);
    while (shared.count == 0 && is_in_time)
        is_in_time = cond_wait_for(&shared.changed, &shared.lock, INT64_C(3600000));
    assert_true(is_in_time);
    mutex_unlock(&shared.lock);
    thread_join(&thread);
    shared_deinit(&shared);
}

TEST(joining_twice_or_what_never_started_is_fine)
{
    struct shared shared;
    struct thread thread = {0};
    shared_init(&shared);
    thread_join(&thread);
    thread_start(&thread, "raise", raise_count, &shared);
    assert_true(thread.is_running);
    thread_join(&thread);
    assert_false(thread.is_running);
    thread_join(&thread);
    assert_int_equal(shared.count, 1);
    shared_deinit(&shared);
}

TEST(there_is_at_least_one_processor)
{
    assert_true(thread_cpu_count() >= 1);
}

struct owned {
    struct refcount ref;
    struct flag is_done;
    struct counter last_releases;
};

static void acquire_and_release(void *context)
{
    struct owned *owned = context;
    for (size_t i = 0; i < ROUNDS; i++) {
        refcount_acquire(&owned->ref);
        if (refcount_release(&owned->ref))
            counter_add(&owned->last_releases, 1);
    }
    while (!flag_is_set(&owned->is_done))
        continue;
    if (refcount_release(&owned->ref))
        counter_add(&owned->last_releases, 1);
}

TEST(exactly_one_owner_is_the_last)
{
    struct owned owned = {0};
    struct thread threads[THREADS] = {0};
    refcount_init(&owned.ref);
    for (size_t i = 0; i < THREADS; i++) {
        refcount_acquire(&owned.ref);
        thread_start(&threads[i], "owner", acquire_and_release, &owned);
    }
    assert_false(refcount_release(&owned.ref));
    assert_int_equal(counter_get(&owned.last_releases), 0);
    flag_set(&owned.is_done);
    for (size_t i = 0; i < THREADS; i++)
        thread_join(&threads[i]);
    assert_int_equal(counter_get(&owned.last_releases), 1);
}

static void use_one_then_all(void *context)
{
    unsigned *counts = context;
    thread_use_processors(1);
    counts[0] = thread_cpu_count();
    thread_use_processors(SIZE_MAX);
    counts[1] = thread_cpu_count();
}

TEST(a_thread_that_uses_one_processor_leaves_the_others_as_they_are)
{
    struct thread thread = {0};
    unsigned all = thread_cpu_count(), counts[2];
    thread_start(&thread, "one", use_one_then_all, counts);
    thread_join(&thread);
    assert_int_equal(counts[0], 1);
    assert_int_equal(counts[1], all);
    assert_int_equal(thread_cpu_count(), all);
}

TEST_MAIN(RUN(a_mutex_lets_one_in_at_a_time), RUN(a_lock_is_held_by_its_thread_only),
          RUN(readers_see_nothing_half_written), RUN(two_threads_take_turns),
          RUN(waiting_ends_at_its_timeout), RUN(waiting_with_a_timeout_ends_at_the_signal),
          RUN(joining_twice_or_what_never_started_is_fine), RUN(there_is_at_least_one_processor),
          RUN(exactly_one_owner_is_the_last),
          RUN(a_thread_that_uses_one_processor_leaves_the_others_as_they_are))
