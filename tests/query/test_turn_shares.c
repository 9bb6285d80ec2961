/*
 * Who gets how much, on simulated processors: time passes in steps of one quantum.
 */
#include "tests/support/test.h"

#include <stdio.h>

#include "query/engine/turn_queue.h"

enum { QUERIES_MAX = 64, TURNS_MAX = 16, QUANTUM_NS = 5000000 };
#define ENDLESS UINT64_MAX

struct query {
    struct turn_waiter waiter;
    uint64_t left_ns;
    uint64_t used_ns;
    uint64_t waited_max_ns; /* the longest it waited for one turn */
    uint64_t waits_since_ns;
};

struct machine {
    struct turn_queue queue;
    struct query queries[QUERIES_MAX];
    size_t query_count;
    struct query *running[TURNS_MAX]; /* share the processors equally */
    size_t processor_count;
    uint64_t now_ns;
};

static void machine_init(struct machine *machine, size_t processor_count)
{
    *machine = (struct machine){.processor_count = processor_count};
    turn_queue_init(&machine->queue, processor_count);
}

static void wait(struct machine *machine, struct query *query)
{
    query->waits_since_ns = machine->now_ns;
    turn_queue_wait(&machine->queue, &query->waiter);
}

/* `query` is new or done. */
static void start_again(struct machine *machine, struct query *query, const char *payer,
                        uint64_t cost_ns)
{
    assert_int_equal(query->left_ns, 0);
    *query = (struct query){.left_ns = cost_ns};
    query->waiter.payer = turn_queue_join(&machine->queue, str_from(payer), machine->now_ns);
    wait(machine, query);
}

static struct query *start(struct machine *machine, const char *payer, uint64_t cost_ns)
{
    assert_true(machine->query_count < QUERIES_MAX);
    struct query *query = &machine->queries[machine->query_count++];
    start_again(machine, query, payer, cost_ns);
    return query;
}

static void start_many(struct machine *machine, const char *payer, size_t count)
{
    for (size_t i = 0; i < count; i++)
        start(machine, payer, ENDLESS);
}

static void begin_running(struct machine *machine, struct query *query)
{
    size_t at = 0;
    while (machine->running[at] != NULL)
        at++;
    assert_true(at < 2 * machine->processor_count);
    uint64_t waited_ns = machine->now_ns - query->waits_since_ns;
    if (waited_ns > query->waited_max_ns)
        query->waited_max_ns = waited_ns;
    machine->running[at] = query;
}

static void give_turns(struct machine *machine)
{
    struct turn_waiter *next;
    while ((next = turn_queue_next(&machine->queue)) != NULL)
        begin_running(machine, (struct query *)next);
}

/* The quantum of a query ends after `cpu_ns`: it pays and waits again if it must, or is done. */
static void end_quantum(struct machine *machine, size_t at, uint64_t cpu_ns)
{
    struct query *query = machine->running[at];
    uint64_t used_ns = query->left_ns < cpu_ns ? query->left_ns : cpu_ns;
    query->used_ns += used_ns;
    if (query->left_ns != ENDLESS)
        query->left_ns -= used_ns;
    turn_queue_charge(&machine->queue, query->waiter.payer, used_ns, machine->now_ns);
    if (query->left_ns > 0 && !turn_queue_is_pressed(&machine->queue))
        return;
    turn_queue_give_back(&machine->queue, query->waiter.payer);
    machine->running[at] = NULL;
    if (query->left_ns > 0)
        wait(machine, query);
    else
        turn_queue_leave(&machine->queue, query->waiter.payer, machine->now_ns);
    give_turns(machine);
}

static void run_for(struct machine *machine, uint64_t ms)
{
    for (uint64_t passed = 0; passed < ms * 1000000; passed += QUANTUM_NS) {
        struct query *ran[TURNS_MAX];
        give_turns(machine);
        memcpy(ran, machine->running, sizeof ran);
        size_t held = machine->queue.held_count, processors = machine->processor_count;
        uint64_t cpu_ns = held <= processors ? QUANTUM_NS : QUANTUM_NS * processors / held;
        machine->now_ns += QUANTUM_NS;
        for (size_t i = 0; i < TURNS_MAX; i++) {
            if (ran[i] != NULL && ran[i] == machine->running[i])
                end_quantum(machine, i, cpu_ns);
        }
    }
}

static void machine_deinit(struct machine *machine)
{
    for (size_t i = 0; i < TURNS_MAX; i++) {
        if (machine->running[i] == NULL)
            continue;
        turn_queue_give_back(&machine->queue, machine->running[i]->waiter.payer);
        turn_queue_wait(&machine->queue, &machine->running[i]->waiter);
    }
    for (size_t i = 0; i < machine->query_count; i++) {
        struct query *query = &machine->queries[i];
        if (query->left_ns == 0)
            continue;
        turn_queue_withdraw(&machine->queue, &query->waiter);
        turn_queue_leave(&machine->queue, query->waiter.payer, machine->now_ns);
    }
    turn_queue_deinit(&machine->queue);
}

static uint64_t used_by(const struct machine *machine, const char *payer)
{
    uint64_t sum_ns = 0;
    for (size_t i = 0; i < machine->query_count; i++) {
        const struct query *query = &machine->queries[i];
        if (query->left_ns > 0 && str_eq(query->waiter.payer->id, str_from(payer)))
            sum_ns += query->used_ns;
    }
    return sum_ns;
}

/* Of `count` payers that all want everything, each has got its part within one burst. */
static void expect_equal_shares(struct machine *machine, const char *const *payers, size_t count,
                                uint64_t ms)
{
    uint64_t fair_ns = ms * 1000000 * machine->processor_count / count;
    for (size_t i = 0; i < count; i++) {
        uint64_t used_ns = used_by(machine, payers[i]);
        assert_in_range(used_ns, fair_ns - TURN_CREDIT_MAX_NS, fair_ns + TURN_CREDIT_MAX_NS);
    }
}

TEST(a_tenant_with_twenty_endless_queries_gets_as_much_as_one_with_two)
{
    static const char *const payers[] = {"noisy", "quiet"};
    struct machine machine;
    machine_init(&machine, 2);
    start_many(&machine, "noisy", 20);
    start_many(&machine, "quiet", 2);
    run_for(&machine, 10000);
    expect_equal_shares(&machine, payers, 2, 10000);
    machine_deinit(&machine);
}

TEST(ten_tenants_get_the_same_whatever_they_ask_for)
{
    static const char *const payers[] = {"a", "b", "c", "d", "e", "f", "g", "h", "i", "j"};
    for (size_t processors = 1; processors <= 3; processors++) {
        struct machine machine;
        machine_init(&machine, processors);
        for (size_t i = 0; i < 10; i++)
            start_many(&machine, payers[i], i + 1);
        run_for(&machine, 20000);
        expect_equal_shares(&machine, payers, 10, 20000);
        machine_deinit(&machine);
    }
}

TEST(the_queries_of_one_tenant_get_the_same)
{
    struct machine machine;
    machine_init(&machine, 2);
    start_many(&machine, "a", 5);
    start_many(&machine, "b", 1);
    run_for(&machine, 5000);
    for (size_t i = 0; i < 5; i++)
        assert_in_range(machine.queries[i].used_ns, 900000000, 1100000000);
    machine_deinit(&machine);
}

TEST(what_one_tenant_cannot_use_the_others_get)
{
    struct machine machine;
    machine_init(&machine, 2);
    start(&machine, "single", ENDLESS); /* one thread: at most one of two processors */
    start_many(&machine, "many", 8);
    run_for(&machine, 1000);
    assert_in_range(used_by(&machine, "single"), 980000000, 1000000000);
    assert_in_range(used_by(&machine, "many"), 1000000000, 1020000000);
    machine_deinit(&machine);
}

TEST(a_short_query_after_a_rest_does_not_wait)
{
    struct machine machine;
    machine_init(&machine, 2);
    start_many(&machine, "noisy", 20);
    run_for(&machine, 3000);
    for (int round = 0; round < 10; round++) {
        struct query *query = start(&machine, "quiet", 40000000);
        run_for(&machine, 45);
        assert_int_equal(query->left_ns, 0);
        assert_int_equal(query->waited_max_ns, 0);
        assert_true(machine.queue.held_count <= machine.processor_count);
        run_for(&machine, 2000);
    }
    machine_deinit(&machine);
}

/* Since `before_ns` the payer has got `want_ns`, less what others may be ahead by. */
static void expect_got(const struct machine *machine, const char *payer, uint64_t before_ns,
                       uint64_t want_ns)
{
    uint64_t lead_ns = TURN_CREDIT_MAX_NS + TURN_DEBT_MAX_NS;
    assert_true(used_by(machine, payer) - before_ns + lead_ns >= want_ns);
}

TEST(a_tenant_that_ran_alone_has_not_run_up_more_than_the_debt)
{
    struct machine machine;
    machine_init(&machine, 2);
    start_many(&machine, "old", 2);
    run_for(&machine, 60000);
    uint64_t before_ns = used_by(&machine, "old");
    start_many(&machine, "new", 2);
    run_for(&machine, 2000);
    expect_got(&machine, "old", before_ns, 2000000000);
    machine_deinit(&machine);
}

TEST(what_a_tenant_could_not_use_is_not_saved_up)
{
    struct machine machine;
    machine_init(&machine, 4);
    start_many(&machine, "saver", 1); /* its fair part is two processors, it can use one */
    start_many(&machine, "other", 8);
    run_for(&machine, 60000);
    uint64_t before_ns = used_by(&machine, "other");
    start_many(&machine, "saver", 7);
    run_for(&machine, 2000);
    expect_got(&machine, "other", before_ns, 4000000000);
    machine_deinit(&machine);
}

TEST(a_stream_of_new_tenants_starves_nobody)
{
    enum { OTHERS = 20, ROUNDS = 20000 / 5 };
    struct machine machine;
    char name[32];
    machine_init(&machine, 2);
    struct query *old = start(&machine, "old", ENDLESS);
    machine.query_count += OTHERS;
    for (int round = 0; round < ROUNDS; round++) {
        for (size_t i = 1; i <= OTHERS; i++) { /* each uses up what a newcomer is given */
            snprintf(name, sizeof name, "new-%d-%zu", round, i);
            if (machine.queries[i].left_ns == 0)
                start_again(&machine, &machine.queries[i], name, TURN_CREDIT_MAX_NS);
        }
        run_for(&machine, 5);
    }
    uint64_t fair_ns = machine.now_ns * machine.processor_count / (OTHERS + 1);
    assert_true(old->used_ns > fair_ns / 2);
    machine_deinit(&machine);
}

TEST(leaving_and_coming_back_pays_no_debts)
{
    struct machine machine;
    machine_init(&machine, 1);
    start_many(&machine, "honest", 1);
    struct query *query = &machine.queries[machine.query_count++];
    uint64_t sly_ns = 0;
    for (int i = 0; i < 1000; i++) { /* one query after the other */
        start_again(&machine, query, "sly", 20000000);
        while (query->left_ns > 0)
            run_for(&machine, 5);
        sly_ns += query->used_ns;
    }
    assert_true(sly_ns <= machine.now_ns / 2 + TURN_CREDIT_MAX_NS + TURN_DEBT_MAX_NS);
    machine_deinit(&machine);
}

TEST(a_tenant_that_comes_now_and_then_finds_a_processor_until_it_stays_away)
{
    struct machine machine;
    machine_init(&machine, 4);
    start_many(&machine, "noisy", 20);
    run_for(&machine, 1000);
    struct query *query = &machine.queries[machine.query_count++];
    uint64_t before_ns = used_by(&machine, "noisy");
    for (int i = 0; i < 100; i++) {
        start_again(&machine, query, "quiet", QUANTUM_NS);
        run_for(&machine, 50);
        assert_int_equal(query->waited_max_ns, 0);
        assert_true(i == 0 || machine.queue.held_count <= 3);
    }
    assert_in_range(used_by(&machine, "noisy") - before_ns, 14900000000, 15100000000);
    run_for(&machine, TURN_FORGET_NS / 1000000);
    before_ns = used_by(&machine, "noisy");
    run_for(&machine, 1000);
    assert_int_equal(used_by(&machine, "noisy") - before_ns, 4000000000);
    machine_deinit(&machine);
}

TEST_MAIN(RUN(a_tenant_with_twenty_endless_queries_gets_as_much_as_one_with_two),
          RUN(ten_tenants_get_the_same_whatever_they_ask_for),
          RUN(the_queries_of_one_tenant_get_the_same),
          RUN(what_one_tenant_cannot_use_the_others_get),
          RUN(a_short_query_after_a_rest_does_not_wait),
          RUN(a_tenant_that_ran_alone_has_not_run_up_more_than_the_debt),
          RUN(what_a_tenant_could_not_use_is_not_saved_up),
          RUN(a_stream_of_new_tenants_starves_nobody), RUN(leaving_and_coming_back_pays_no_debts),
          RUN(a_tenant_that_comes_now_and_then_finds_a_processor_until_it_stays_away))
