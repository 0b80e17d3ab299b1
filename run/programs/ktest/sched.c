/* sched.c: tests of scheduling: priorities, turns, budgets, suspending, timers, all CPUs. */
/* SPDX-License-Identifier: BSD-2-Clause */
#include "run/programs/ktest/rest.h"

#define MANY 8u
#define ORDER 64u

static volatile uint64_t count[MANY], ran[MANY];
static volatile uint32_t order[ORDER];
static volatile uint32_t orders;
static volatile bool stop;

static uint64_t ticks(uint64_t microseconds)
{
    return rig_boot->tsc_hz / 1000 * microseconds / 1000;
}

/* Counts, and notes when its turn begins. */
static void spinner(uint64_t number)
{
    for (;;) {
        uint32_t next = orders;

        if (next < ORDER && (next == 0 || order[next - 1] != number)) {
            order[next] = (uint32_t)number;
            orders = next + 1;
        }
        count[number]++;
    }
}

/* Adds up the time it runs: where the clock jumps by more than a moment it did not. */
static void measurer(uint64_t number)
{
    uint64_t moment = ticks(100), before = rig_tsc();

    for (;;) {
        uint64_t now = rig_tsc();

        if (now - before < moment) {
            ran[number] += now - before;
        }
        before = now;
    }
}

static void reset(void)
{
    orders = 0;
    stop = false;
    for (unsigned i = 0; i < MANY; i++) {
        count[i] = ran[i] = 0;
    }
}

static struct rig_thread start(rig_function *function, uint64_t number, uint32_t priority,
                               uint32_t cpu)
{
    struct rig_thread t = rig_thread(function, number, priority, cpu, 0);

    CHECK_STATUS(sys_resume(t.thread), OK);
    return t;
}

static struct rig_thread start_limited(rig_function *function, uint64_t number, uint32_t priority,
                                       uint64_t budget_us, uint64_t period_us)
{
    struct rig_thread t = rig_thread(function, number, priority, 0, 0);

    CHECK_STATUS(sys_sc_configure(t.sched, ticks(budget_us), ticks(period_us)), OK);
    CHECK_STATUS(sys_resume(t.thread), OK);
    return t;
}

/*
 * Whether a measurer had between 'low' and 'high' per cent of what all had: an emulator's host takes
 * time away from each of them.
 */
static void check_share(unsigned number, uint64_t low, uint64_t high)
{
    uint64_t all = 1, share;

    for (unsigned i = 0; i < MANY; i++) {
        all += ran[i];
    }
    share = ran[number] * 1000 / all;
    CHECK(share >= low * 10 && share <= high * 10);
    if (share < low * 10 || share > high * 10) {
        log_bare("    thread %u had %lu.%lu %%", number, share / 10, share % 10);
    }
}

static void strict(void)
{
    struct rig_thread high;

    reset();
    high = start(spinner, 0, 60, 0);
    start(spinner, 1, 59, 0);
    start(spinner, 2, 1, 0);
    rest(30000);
    CHECK(count[0] > 0 && count[1] == 0 && count[2] == 0);
    CHECK_STATUS(sys_suspend(high.thread), OK);
    count[0] = 0;
    rest(30000);
    CHECK(count[0] == 0 && count[1] > 0 && count[2] == 0);
}

static void in_turn(void)
{
    reset();
    for (unsigned i = 0; i < 3; i++) {
        start(spinner, i, 50, 0);
    }
    rest(150000);
    CHECK(orders >= 9);
    for (uint32_t i = 3; i < orders; i++) {
        CHECK(order[i] == order[i - 3] && order[i] != order[i - 1]);
    }
}

static void often_preempted(void)
{
    reset();
    start(spinner, 0, 50, 0);
    start(spinner, 1, 50, 0);
    for (unsigned i = 0; i < 100; i++) {
        rest(1000);
    }
    CHECK(orders >= 4);
}

static void budget(void)
{
    reset();
    start(measurer, 1, 40, 0);
    start_limited(measurer, 0, 60, 1000, 10000);
    rest(400000);
    check_share(0, 6, 15);
}

static void budgets(void)
{
    reset();
    start_limited(measurer, 0, 50, 1000, 10000);
    start_limited(measurer, 1, 50, 6000, 20000);
    start(measurer, 2, 50, 0);
    rest(400000);
    check_share(0, 6, 15);
    check_share(1, 20, 40);
}

static void yielder(uint64_t number)
{
    for (;;) {
        count[number]++;
        sys_yield();
    }
}

static void yields(void)
{
    reset();
    start(yielder, 0, 50, 0);
    start(yielder, 1, 50, 0);
    start(spinner, 2, 49, 0);
    rest(30000);
    CHECK(count[0] > 10 && count[2] == 0);
    CHECK(count[0] <= count[1] + 1 && count[1] <= count[0] + 1);
}

static void reconfigured(void)
{
    struct rig_thread t;
    uint64_t before;

    reset();
    t = start_limited(measurer, 0, 50, 100, 20000000);
    rest(20000);
    before = ran[0];
    rest(20000);
    CHECK(ran[0] == before && before <= ticks(2000));
    /* It waits for a time far away; what it is given now it has now. */
    CHECK_STATUS(sys_sc_configure(t.sched, ticks(1000), ticks(1000)), OK);
    rest(20000);
    CHECK(ran[0] > before + ticks(5000));
}

static void suspended(void)
{
    uint32_t last = rig_boot->cpu_count - 1;
    struct thread_state state;
    struct rig_thread t, other;

    reset();
    t = start(spinner, 0, 50, last);
    other = start(spinner, 1, 50, last);
    for (unsigned i = 0; i < 2000; i++) {
        uint64_t before;

        for (volatile unsigned n = 0; n < i % 97 * 10; n++) {
            continue;
        }
        CHECK_STATUS(sys_suspend(t.thread), OK);
        before = count[0];
        CHECK_STATUS(sys_thread_read(t.thread, &state), OK);
        CHECK(state.rip >= 0x400000 && state.rip < 0x10000000 && count[0] == before);
        CHECK_STATUS(sys_resume(t.thread), OK);
        CHECK_STATUS(sys_resume(t.thread), E_STATE);
    }
    /* That CPU still hears its timer: both have their turns. */
    orders = 0;
    for (unsigned i = 0; i < 100 && orders < 8; i++) {
        rest(10000);
    }
    CHECK(orders >= 8);
    CHECK_STATUS(sys_suspend(t.thread), OK);
    CHECK_STATUS(sys_suspend(t.thread), OK);
    CHECK_STATUS(sys_suspend(other.thread), OK);
}

static uint32_t bell[4];

/* Sleeps by a timer of its own CPU. */
static void sleeper(uint64_t number)
{
    uint64_t bits;

    while (!stop) {
        uint64_t deadline = rig_tsc() + ticks(300 + 100 * number);

        sys_timer(bell[number], deadline);
        sys_wait(bell[number], &bits);
        if (rig_tsc() < deadline || bits != 1u << number) {
            ran[number]++;
        }
        count[number]++;
    }
    park();
}

static void timers(void)
{
    reset();
    for (uint32_t i = 0; i < 4; i++) {
        bell[i] = rig_slot();
        CHECK_STATUS(sys_cap_mint(rig_object(OBJ_NOTIFICATION, 0), bell[i], RIGHTS_ALL, 1u << i), OK);
        start(sleeper, i, 50, i % rig_boot->cpu_count);
    }
    rest(100000);
    stop = true;
    rest(5000);
    for (unsigned i = 0; i < 4; i++) {
        CHECK(count[i] > 20 && ran[i] == 0);
    }
}

static void timer_changes(void)
{
    uint32_t one = rig_slot(), two = rig_slot(), both = rig_object(OBJ_NOTIFICATION, 0);
    uint64_t bits;

    CHECK_STATUS(sys_cap_mint(both, one, RIGHTS_ALL, 1), OK);
    CHECK_STATUS(sys_cap_mint(both, two, RIGHTS_ALL, 2), OK);
    /* A notification has one timer: the later call replaces the earlier. */
    CHECK_STATUS(sys_timer(one, rig_tsc() + ticks(1000)), OK);
    CHECK_STATUS(sys_timer(two, rig_tsc() + ticks(3000)), OK);
    CHECK_STATUS(sys_wait(both, &bits), OK);
    CHECK(bits == 2);
    CHECK_STATUS(sys_timer(one, rig_tsc() + ticks(1000)), OK);
    CHECK_STATUS(sys_timer(one, 0), OK);
    rest(4000);
    CHECK_STATUS(sys_poll(both, &bits), E_EMPTY);
    CHECK_STATUS(sys_timer(one, 1), OK);
    CHECK_STATUS(sys_wait(both, &bits), OK);
    CHECK(bits == 1);
    CHECK_STATUS(sys_timer(one, ~0ull), OK);
    CHECK_STATUS(sys_cap_revoke(both), OK);
    CHECK_STATUS(sys_cap_delete(both), OK);
    rest(1000);
}

static uint32_t ping[2];

static void player(uint64_t number)
{
    uint64_t bits;

    while (sys_wait(ping[number], &bits) == OK) {
        count[number]++;
        sys_signal(ping[1 - number]);
    }
    park();
}

static void every_cpu(void)
{
    uint32_t cpus = rig_boot->cpu_count < MANY ? rig_boot->cpu_count : MANY;

    reset();
    for (uint32_t cpu = 0; cpu < cpus; cpu++) {
        start(measurer, cpu, 50, cpu);
    }
    for (uint32_t cpu = 0; cpu < cpus; cpu++) {
        for (unsigned i = 0; i < 200 && ran[cpu] < ticks(20000); i++) {
            rest(10000);
        }
        CHECK(ran[cpu] >= ticks(20000));
    }
    for (uint32_t cpu = 0; cpu < cpus; cpu++) {
        reset();
        ping[0] = rig_slot();
        ping[1] = rig_slot();
        CHECK_STATUS(sys_cap_mint(rig_object(OBJ_NOTIFICATION, 0), ping[0], RIGHTS_ALL, 1), OK);
        CHECK_STATUS(sys_cap_mint(rig_object(OBJ_NOTIFICATION, 0), ping[1], RIGHTS_ALL, 1), OK);
        struct rig_thread one = start(player, 0, 60, 0), two = start(player, 1, 60, cpu);

        CHECK_STATUS(sys_signal(ping[0]), OK);
        for (unsigned i = 0; i < 200 && count[0] < 50; i++) {
            rest(10000);
        }
        uint64_t first = count[0];

        CHECK(first >= 50 && count[1] + 1 >= first);
        CHECK_STATUS(sys_cap_delete(one.thread), OK);
        CHECK_STATUS(sys_cap_delete(two.thread), OK);
    }
}

static void rules(void)
{
    struct rig_thread t = rig_thread(spinner, 0, 50, 0, 0);
    uint32_t other = rig_object(OBJ_THREAD, 0);

    reset();
    CHECK_STATUS(sys_sched(t.thread, t.sched, PRIORITY_MAX + 1, 0), E_ARGUMENT);
    CHECK_STATUS(sys_sched(t.thread, t.sched, 50, rig_boot->cpu_count), E_ARGUMENT);
    CHECK_STATUS(sys_sched(other, t.sched, 50, 0), E_BUSY);
    CHECK_STATUS(sys_sched(t.sched, t.sched, 50, 0), E_TYPE);
    CHECK_STATUS(sys_sc_configure(t.sched, 0, 100), E_ARGUMENT);
    CHECK_STATUS(sys_sc_configure(t.sched, 101, 100), E_ARGUMENT);
    CHECK_STATUS(sys_resume(other), E_STATE); /* it has no Space */
    CHECK_STATUS(sys_thread_configure(other, BOOT_CNODE, BOOT_SPACE, 0, 0, 0), OK);
    CHECK_STATUS(sys_resume(other), OK);      /* it has no time: ready, and does not run */
    rest(1000);
    CHECK_STATUS(sys_suspend(other), OK);
    CHECK_STATUS(sys_resume(t.thread), OK);
    CHECK_STATUS(sys_sched(t.thread, t.sched, 50, 0), E_STATE);
    CHECK_STATUS(sys_thread_regs(t.thread, 0x400000, 0, 0, 0, 0), E_STATE);
    CHECK_STATUS(sys_thread_configure(t.thread, 0, BOOT_SPACE, 0, 0, 0), E_STATE);
    CHECK_STATUS(sys_cap_delete(t.sched), OK);
    uint64_t before = count[0];

    rest(5000);
    CHECK(count[0] == before);
}

void test_sched(void)
{
    static const struct rig_test tests[] = {
        {"SCH-01: the most urgent thread runs, and no other", strict},
        {"SCH-02: threads of one priority run in turn", in_turn},
        {"SCH-03: a thread with 10 % of the time gets 10 %, the rest goes to others", budget},
        {"SCH-04: budgets of threads of one priority are kept apart", budgets},
        {"SCH-05: yielding lets the equal run, not the less urgent", yields},
        {"SCH-06: a new budget is there at once, also for who waits for the old one", reconfigured},
        {"SCH-07: a running thread is suspended and resumed, on the last CPU, 2000 times", suspended},
        {"SCH-08: timers fire on every CPU, none early, none lost", timers},
        {"SCH-09: a timer is replaced, disarmed, and set in the past", timer_changes},
        {"SCH-10: all CPUs run threads, and wake each other's", every_cpu},
        {"SCH-11: calls that the scheduler must refuse", rules},
        {"SCH-12: who is interrupted often does not get more than its turn", often_preempted},
    };

    RIG_RUN(tests);
}
