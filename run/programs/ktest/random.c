/* random.c: threads that make random system calls with a bag of capabilities; the kernel must survive them. */
/* SPDX-License-Identifier: BSD-2-Clause */
#include <string.h>

#include "kernel/abi/counter.h"
#include "run/programs/ktest/rest.h"

#define CALLS 20000u
#define CALLS_MILLION 1000000u
#define THREADS 4u
#define BAG_BITS 7u
#define BAG_SLOTS (1u << BAG_BITS)
#define LOOK_US 500u           /* between two looks at the guessers */
#define PATIENCE 100u          /* looks that a guesser may have nothing done, and be ready */
#define REBUILD 4u             /* looks after which the bag is made anew */

struct guesser {
    uint64_t random;
    struct rig_thread thread;
    struct thread_state begin;
    volatile uint64_t calls;
    uint64_t calls_seen, stalls;
};

static struct guesser guessers[THREADS];
static uint64_t calls_wanted;
static uint32_t bag, bag_memory, sink;
static volatile uint32_t succeeded[SYS_COUNT];

static uint64_t next_random(struct guesser *g)
{
    g->random ^= g->random << 13;
    g->random ^= g->random >> 7;
    g->random ^= g->random << 17;
    return g->random;
}

static uint64_t below(struct guesser *g, uint64_t limit) { return next_random(g) % limit; }

/* Mostly an address in the bag, at times in a CNode in it, or nonsense. */
static uint32_t some_slot(struct guesser *g)
{
    switch (below(g, 16)) {
    case 0:
        return (uint32_t)next_random(g);
    case 1:
        return 0;
    case 2:
    case 3:
        return CPTR(below(g, 32), below(g, 16));
    default:
        return (uint32_t)below(g, below(g, 2) ? 32 : BAG_SLOTS);
    }
}

static uint64_t two_slots(struct guesser *g) { return sys_pair(some_slot(g), some_slot(g)); }

/* Away from this program's own: a thread in its Space must not run there. */
#define REGION 0x123400000000ull

static uint64_t some_address(struct guesser *g)
{
    uint64_t address =
        below(g, 8) ? REGION | below(g, 4) << 21 | below(g, 8) << 12 : next_random(g);

    return (address & ~0xfffull) | below(g, 128);
}

/* Type | bits << 8 | flags << 16 | count << 32, most of them possible. */
static uint64_t some_request(struct guesser *g)
{
    static const uint8_t bits[OBJ_TYPE_COUNT] = {[OBJ_UNTYPED] = 12, [OBJ_CNODE] = 4, [OBJ_FRAME] = 12};
    uint64_t type = below(g, OBJ_TYPE_COUNT + 1), size = type < OBJ_TYPE_COUNT ? bits[type] : 0;

    if (type == OBJ_SPACE) {
        size = below(g, PT_COUNT + 1);
    } else if (below(g, 4) == 0) {
        size += below(g, 10);
    }
    return type | size << 8 | below(g, 8) / 7 << 16 | (1 + below(g, 4)) << 32;
}

static uint64_t some_value(struct guesser *g)
{
    switch (below(g, 10)) {
    case 0:
        return next_random(g);
    case 1:
        return some_request(g);
    case 2:
        return TAG(below(g, 4), below(g, 128)) | TAG_CAPS(below(g, 8));
    case 3:
    case 4:
        return some_address(g);
    case 5:
        return below(g, 2) << 63 >> below(g, 64);
    case 6:
    case 7:
        return two_slots(g);
    default:
        return below(g, 16);
    }
}

/* Where the bag has objects of each type at first (fill_bag), and how many. */
static const uint8_t places[OBJ_TYPE_COUNT][2] = {
    [OBJ_NULL] = {48, 80},       [OBJ_UNTYPED] = {1, 7},  [OBJ_CNODE] = {8, 2},
    [OBJ_THREAD] = {10, 2},      [OBJ_SCHED] = {12, 2},   [OBJ_ENDPOINT] = {14, 2},
    [OBJ_REPLY] = {16, 2},       [OBJ_NOTIFICATION] = {18, 2}, [OBJ_FRAME] = {20, 3},
    [OBJ_SPACE] = {23, 3},       [OBJ_VCPU] = {26, 2},    [OBJ_PLATFORM] = {28, 1},
    [OBJ_PORTS] = {29, 1},       [OBJ_IRQ] = {40, 2},
};

static uint32_t slot_for(struct guesser *g, enum object_type type)
{
    return below(g, 8) ? places[type][0] + (uint32_t)below(g, places[type][1]) : some_slot(g);
}

/* What the halves of RDI, of RSI and of RDX should name, where they name anything. */
enum { ANY = OBJ_NULL };
static const uint8_t fitting[SYS_COUNT][6] = {
    [SYS_CALL] = {OBJ_ENDPOINT},
    [SYS_RECV] = {OBJ_ENDPOINT, OBJ_REPLY},
    [SYS_REPLY] = {ANY, OBJ_REPLY},
    [SYS_REPLY_RECV] = {OBJ_ENDPOINT, OBJ_REPLY},
    [SYS_MAP_REPLY_RECV] = {OBJ_ENDPOINT, OBJ_REPLY, OBJ_SPACE, OBJ_FRAME},
    [SYS_SIGNAL] = {OBJ_NOTIFICATION},
    [SYS_WAIT] = {OBJ_NOTIFICATION},
    [SYS_POLL] = {OBJ_NOTIFICATION},
    [SYS_TIMER] = {OBJ_NOTIFICATION},
    [SYS_RETYPE] = {OBJ_UNTYPED, ANY},
    [SYS_THREAD_CONFIGURE] = {OBJ_THREAD, ANY, OBJ_CNODE, OBJ_SPACE, OBJ_ENDPOINT, OBJ_FRAME},
    [SYS_THREAD_REGS] = {OBJ_THREAD},
    [SYS_THREAD_READ] = {OBJ_THREAD},
    [SYS_THREAD_BIND] = {OBJ_THREAD, OBJ_NOTIFICATION},
    [SYS_SCHED] = {OBJ_THREAD, OBJ_SCHED},
    [SYS_RESUME] = {OBJ_THREAD},
    [SYS_SUSPEND] = {OBJ_THREAD},
    [SYS_SC_CONFIGURE] = {OBJ_SCHED},
    [SYS_SPACE_FUND] = {OBJ_SPACE, OBJ_UNTYPED},
    [SYS_SPACE_WINDOW] = {OBJ_SPACE},
    [SYS_SPACE_QUERY] = {OBJ_SPACE},
    [SYS_MAP] = {OBJ_SPACE, OBJ_FRAME},
    [SYS_UNMAP] = {OBJ_SPACE},
    [SYS_PROTECT] = {OBJ_SPACE},
    [SYS_VCPU_CONFIGURE] = {OBJ_VCPU, ANY, OBJ_SPACE, OBJ_FRAME, OBJ_ENDPOINT, OBJ_ENDPOINT},
    [SYS_VCPU_MASK] = {OBJ_VCPU},
    [SYS_VCPU_KICK] = {OBJ_VCPU},
    [SYS_IRQ_GET] = {OBJ_PLATFORM, OBJ_IRQ},
    [SYS_IRQ_BIND] = {OBJ_IRQ, OBJ_NOTIFICATION},
    [SYS_IRQ_ACK] = {OBJ_IRQ},
    [SYS_PORT_IN] = {OBJ_PORTS},
    [SYS_PORT_OUT] = {OBJ_PORTS},
    [SYS_COUNTER] = {OBJ_PLATFORM},
};

/* Other arguments that give a call a fair chance. */
static void guess_arguments(struct guesser *g, uint64_t number, uint64_t r[6])
{
    switch (number) {
    case SYS_CAP_COPY:
    case SYS_CAP_MINT:
    case SYS_CAP_MOVE:
        r[0] = sys_pair(some_slot(g), slot_for(g, OBJ_NULL));
        break;
    case SYS_RETYPE:
        r[1] = some_request(g);
        break;
    case SYS_COUNTER:
        r[1] = below(g, CT_COUNT + 1);
        r[2] = below(g, rig_boot->cpu_count + 1);
        break;
    case SYS_MAP_REPLY_RECV:
    case SYS_MAP:
        r[number == SYS_MAP ? 1 : 2] = below(g, 4) << 12;
        r[number == SYS_MAP ? 2 : 3] = some_address(g);
        r[number == SYS_MAP ? 3 : 4] = below(g, 8);
        break;
    case SYS_UNMAP:
    case SYS_PROTECT:
        r[1] = some_address(g) & ~(number == SYS_UNMAP ? 0xfffull : 0xff8ull);
        r[2] = below(g, 2) ? below(g, 8) : below(g, 4) << 18;
        r[3] = 0;
        break;
    case SYS_SPACE_QUERY:
        r[1] = some_address(g);
        break;
    case SYS_THREAD_REGS:
        r[1] = some_address(g) & ~0xfffull;
        r[2] = some_address(g);
        r[5] = below(g, 2);
        break;
    case SYS_SCHED:
        r[1] = below(g, 42) | below(g, rig_boot->cpu_count + 1) << 8;
        break;
    case SYS_SC_CONFIGURE:
        r[1] = 1 + below(g, 1000000);
        r[2] = 1 + below(g, 4000000);
        break;
    case SYS_TIMER:
        r[1] = below(g, 4) ? rig_tsc() + below(g, 4000000) : 0;
        break;
    case SYS_IRQ_GET:
        r[1] = below(g, 24) | below(g, 4) << 32;
        break;
    case SYS_PORT_IN:
    case SYS_PORT_OUT:
        r[1] = 0x80;
        r[2] = 1;
        break;
    default:
        break;
    }
}

static void guess(struct guesser *g, uint64_t *number, uint64_t r[6])
{
    *number = below(g, 64) ? below(g, SYS_COUNT) : next_random(g);
    if ((*number == SYS_CAP_DELETE || *number == SYS_CAP_REVOKE) && below(g, 8)) {
        *number = SYS_RETYPE;
    }
    r[0] = two_slots(g);
    for (unsigned i = 1; i < 6; i++) {
        r[i] = some_value(g);
    }
    if (*number >= SYS_COUNT || below(g, 8) == 0) {
        return;
    }
    for (unsigned i = 0; i < 3; i++) {
        const uint8_t *types = &fitting[*number][2 * i];

        if (types[0] != ANY || types[1] != ANY) {
            r[i] = sys_pair(slot_for(g, types[0]), slot_for(g, types[1]));
        }
    }
    guess_arguments(g, *number, r);
}

static void guesser(uint64_t index)
{
    struct guesser *g = &guessers[index];

    while (g->calls < calls_wanted) {
        uint64_t number, r[6];

        guess(g, &number, r);
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

/* Puts a new object of each type into the bag, from slot 8 on; Untypeds are in slots 1 to 7. */
static void fill_bag(void)
{
    static const uint8_t types[][2] = {
        {OBJ_CNODE, 4}, {OBJ_CNODE, 5}, {OBJ_THREAD, 0}, {OBJ_THREAD, 0}, {OBJ_SCHED, 0},
        {OBJ_SCHED, 0}, {OBJ_ENDPOINT, 0}, {OBJ_ENDPOINT, 0}, {OBJ_REPLY, 0}, {OBJ_REPLY, 0},
        {OBJ_NOTIFICATION, 0}, {OBJ_NOTIFICATION, 0}, {OBJ_FRAME, 12}, {OBJ_FRAME, 12},
        {OBJ_FRAME, 21}, {OBJ_SPACE, PT_X86}, {OBJ_SPACE, PT_X86}, {OBJ_SPACE, PT_EPT},
        {OBJ_VCPU, 0}, {OBJ_VCPU, 0},
    };
    uint32_t slot = 8;

    for (uint32_t i = 1; i < 8; i++) {
        sys_retype(bag_memory, CPTR(bag, i), OBJ_UNTYPED, 12 + 2 * (i % 4), 0, 1);
    }
    for (unsigned i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
        sys_retype(bag_memory, CPTR(bag, slot), types[i][0], types[i][1], 0, 1);
        slot++;
    }
    /* A guesser has no say over the log and the reset, and only over a port that nobody hears. */
    sys_cap_copy(BOOT_PLATFORM, CPTR(bag, slot++), PL_IRQ | PL_COUNTERS);
    sys_cap_mint(BOOT_PORTS, CPTR(bag, slot++), RIGHTS_ALL, sys_pair(0x80, 0x80));
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
    for (uint32_t slot = 1; slot < BAG_SLOTS; slot++) {
        sys_cap_delete(CPTR(bag, slot));
    }
    fill_bag();
}

static void start_guessers(uint64_t seed)
{
    memset(guessers, 0, sizeof(guessers));
    bag_memory = rig_untyped(23);
    bag = rig_object(OBJ_CNODE, BAG_BITS);
    sink = rig_object(OBJ_ENDPOINT, 0);
    for (unsigned i = 0; i < THREADS; i++) {
        struct guesser *g = &guessers[i];

        g->random = (seed * THREADS + i + 1) * 0x9e3779b97f4a7c15ull;
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
