/* random.c: threads that make random system calls with a bag of capabilities; the kernel must survive them. */
/* SPDX-License-Identifier: BSD-2-Clause */
#include <string.h>

#include "kernel/abi/counter.h"
#include "run/programs/ktest/guess.h"
#include "run/programs/ktest/rest.h"

#define CALLS 20000u
#define CALLS_MILLION 1000000u
#define THREADS 4u
#define LOOK_US 500u           /* between two looks at the guessers */
#define PATIENCE 100u          /* looks that a guesser may have nothing done, and be ready */
#define REBUILD 4u             /* looks after which the bag is made anew */

struct guesser {
    struct dice dice;
    struct rig_thread thread;
    struct thread_state begin;
    volatile uint64_t calls;
    uint64_t calls_seen, stalls;
};

static struct guesser guessers[THREADS];
static uint64_t calls_wanted;
static uint32_t bag, bag_memory, sink;
static volatile uint32_t succeeded[SYS_COUNT];

static void guesser(uint64_t index)
{
    struct guesser *g = &guessers[index];

    while (g->calls < calls_wanted) {
        uint64_t number, r[6];

        guess(&g->dice, &number, r);
        enum status status =
            sys_inout((enum syscall)number, &r[0], &r[1], &r[2], &r[3], &r[4], &r[5]);

        if (number < SYS_COUNT && status == OK) {
            succeeded[number]++;
        }
        g->calls++;
    }
    for (;;) {
        sys_null();
    }
}

/* Puts new objects of each type into the bag (guess.h). */
static void fill_bag(void)
{
    static const uint8_t types[][2] = {
        {OBJ_CNODE, 4}, {OBJ_CNODE, 5}, {OBJ_THREAD, 0}, {OBJ_THREAD, 0}, {OBJ_SCHED, 0},
        {OBJ_SCHED, 0}, {OBJ_ENDPOINT, 0}, {OBJ_ENDPOINT, 0}, {OBJ_REPLY, 0}, {OBJ_REPLY, 0},
        {OBJ_NOTIFICATION, 0}, {OBJ_NOTIFICATION, 0}, {OBJ_FRAME, 12}, {OBJ_FRAME, 12},
        {OBJ_FRAME, 21}, {OBJ_SPACE, PT_X86}, {OBJ_SPACE, PT_X86}, {OBJ_SPACE, PT_EPT},
        {OBJ_VCPU, 0}, {OBJ_VCPU, 0},
    };
    uint32_t slot = GUESS_OBJECTS;

    for (uint32_t i = GUESS_UNTYPED; i < GUESS_OBJECTS; i++) {
        sys_retype(bag_memory, CPTR(bag, i), OBJ_UNTYPED, 12 + 2 * (i % 4), 0, 1);
    }
    for (unsigned i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
        sys_retype(bag_memory, CPTR(bag, slot), types[i][0], types[i][1], 0, 1);
        slot++;
    }
    /* A guesser has no say over the log and the reset, and only over a port that nobody hears. */
    sys_cap_copy(BOOT_PLATFORM, CPTR(bag, GUESS_PLATFORM), PL_IRQ | PL_COUNTERS);
    sys_cap_mint(BOOT_PORTS, CPTR(bag, GUESS_PORTS), RIGHTS_ALL, sys_pair(0x80, 0x80));
    slot = GUESS_REST;
    for (unsigned i = 0; i < THREADS && guessers[i].thread.thread; i++) {
        sys_cap_copy(guessers[i].thread.thread, CPTR(bag, slot++), RIGHTS_ALL);
    }
    sys_cap_copy(bag, CPTR(bag, slot), RIGHTS_ALL);
}

static void set_going(struct guesser *g)
{
    uint64_t index = (uint64_t)(g - guessers);

    sys_suspend(g->thread.thread);
    sys_thread_bind(g->thread.thread, 0);
    sys_sched(g->thread.thread, g->thread.sched, 40, (uint32_t)index % rig_boot->cpu_count);
    sys_thread_configure(g->thread.thread, bag, BOOT_SPACE, sink, 0, 0);
    sys_thread_regs(g->thread.thread, g->begin.rip, g->begin.rsp, index, 0, 0);
    sys_resume(g->thread.thread);
    g->stalls = 0;
}

/* A guesser that waits, or lost what it lives on, is set going again; whether it is done. */
static bool look_after(struct guesser *g)
{
    struct thread_state state;
    uint64_t calls = g->calls;

    if (calls >= calls_wanted) {
        sys_suspend(g->thread.thread);
        return true;
    }
    g->stalls = calls == g->calls_seen ? g->stalls + 1 : 0;
    if (sys_thread_read(g->thread.thread, &state) == OK || g->stalls > PATIENCE) {
        set_going(g);
    }
    g->calls_seen = calls;
    return false;
}

static void rebuild_bag(void)
{
    CHECK_STATUS(sys_cap_revoke(bag_memory), OK);
    for (uint32_t slot = 1; slot < GUESS_SLOTS; slot++) {
        sys_cap_delete(CPTR(bag, slot));
    }
    fill_bag();
}

static void start_guessers(uint64_t seed)
{
    memset(guessers, 0, sizeof(guessers));
    bag_memory = rig_untyped(23);
    bag = rig_object(OBJ_CNODE, GUESS_BITS);
    sink = rig_object(OBJ_ENDPOINT, 0);
    for (unsigned i = 0; i < THREADS; i++) {
        struct guesser *g = &guessers[i];

        g->dice.state = (seed * THREADS + i + 1) * 0x9e3779b97f4a7c15ull;
        g->thread = rig_thread(guesser, i, 40, i % rig_boot->cpu_count, 0);
        CHECK_STATUS(sys_thread_read(g->thread.thread, &g->begin), OK);
        CHECK_STATUS(sys_thread_configure(g->thread.thread, bag, 0, sink,
                                          rig_object(OBJ_FRAME, FRAME_4K_BITS), 0), OK);
    }
    fill_bag();
    for (unsigned i = 0; i < THREADS; i++) {
        CHECK_STATUS(sys_resume(guessers[i].thread.thread), OK);
    }
}

static void echo(uint64_t endpoint)
{
    struct message m = {0};
    uint32_t reply = (uint32_t)endpoint + 1;

    sys_recv((uint32_t)endpoint, reply, &m);
    while (sys_reply_recv((uint32_t)endpoint, reply, &m) == OK) {
        continue;
    }
    park();
}

/* On every CPU a server answers. */
static void check_kernel(void)
{
    for (uint32_t cpu = 0; cpu < rig_boot->cpu_count; cpu++) {
        uint32_t endpoint = rig_object(OBJ_ENDPOINT, 0);

        CHECK(rig_object(OBJ_REPLY, 0) == endpoint + 1);
        CHECK_STATUS(sys_resume(rig_thread(echo, endpoint, 100, cpu, 0).thread), OK);
        for (uint64_t i = 0; i < 100; i++) {
            struct message m = {.tag = TAG(1, 1), .word = {i}};

            CHECK_STATUS(sys_call(endpoint, &m), OK);
            CHECK(m.word[0] == i);
        }
    }
    CHECK(rig_counter(CT_MISCONFIGURED) == 0);
}

static void run_seed(uint64_t seed)
{
    unsigned looks = 0, useful = 0;
    bool done = false;

    memset((void *)succeeded, 0, sizeof(succeeded));
    start_guessers(seed);
    while (!done) {
        rest(LOOK_US);
        done = true;
        for (unsigned i = 0; i < THREADS; i++) {
            done = look_after(&guessers[i]) && done;
        }
        if (++looks % REBUILD == 0) {
            rebuild_bag();
        }
    }
    for (unsigned i = 0; i < THREADS; i++) {
        CHECK_STATUS(sys_cap_delete(guessers[i].thread.thread), OK);
    }
    CHECK_STATUS(sys_cap_revoke(bag_memory), OK);
    CHECK_STATUS(sys_cap_delete(bag), OK);
    check_kernel();
    /* Guesses that never hit would prove nothing. */
    for (unsigned i = 0; i < SYS_COUNT; i++) {
        useful += succeeded[i] > 0;
    }
    CHECK(useful >= SYS_COUNT * 2 / 3);
}

static void seed_1(void) { run_seed(1); }
static void seed_2(void) { run_seed(2); }
static void seed_3(void) { run_seed(rig_tsc()); }

void test_random(void)
{
    static const struct rig_test tests[] = {
        {"RND-01: random system calls leave the kernel whole and its memory accounted for", seed_1},
        {"RND-02: the same from another seed", seed_2},
        {"RND-03: the same from a seed that nobody has tried", seed_3},
    };

    calls_wanted = (rig_option("million") ? CALLS_MILLION : CALLS) / THREADS;
    RIG_RUN(tests);
}
