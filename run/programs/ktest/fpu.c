/* fpu.c: tests of FPU state: each thread has its own, wherever it runs, and begins with none of another's. */
/* SPDX-License-Identifier: BSD-2-Clause */
#include <string.h>

#include "run/programs/ktest/rest.h"

#define THREADS 4u
#define AREA 2048u             /* 32 registers of 64 bytes; SSE and AVX use less */

enum kind { SSE, AVX, AVX512 };
static const unsigned kind_bytes[] = {16 * 16, 16 * 32, 32 * 64};

static enum kind kind;
static uint8_t loaded[THREADS][AREA], stored[THREADS][AREA];
static volatile uint64_t rounds[THREADS], wrong[THREADS];
static volatile bool stop;
static uint32_t endpoint, reply;

static enum kind find_kind(void)
{
    uint32_t eax = 1, ebx, ecx = 0, edx, low, high;

    __asm__ volatile("cpuid" : "+a"(eax), "=b"(ebx), "+c"(ecx), "=d"(edx));
    if (!(ecx >> 27 & 1) || !(ecx >> 28 & 1)) {
        return SSE;
    }
    __asm__ volatile("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
    return (low & 0xe6) == 0xe6 ? AVX512 : (low & 6) == 6 ? AVX : SSE;
}

static void load_sse(const void *from)
{
    __asm__ volatile(".irp n, 0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15\n\t"
                     "movups \\n*16(%0), %%xmm\\n\n\t"
                     ".endr" : : "r"(from) : "memory");
}

static void store_sse(void *to)
{
    __asm__ volatile(".irp n, 0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15\n\t"
                     "movups %%xmm\\n, \\n*16(%0)\n\t"
                     ".endr" : : "r"(to) : "memory");
}

static void load_avx(const void *from)
{
    __asm__ volatile(".irp n, 0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15\n\t"
                     "vmovups \\n*32(%0), %%ymm\\n\n\t"
                     ".endr" : : "r"(from) : "memory");
}

static void store_avx(void *to)
{
    __asm__ volatile(".irp n, 0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15\n\t"
                     "vmovups %%ymm\\n, \\n*32(%0)\n\t"
                     ".endr" : : "r"(to) : "memory");
}

#define ALL_32 "0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19,20,21,22,23,24,25,26,27,28,29,30,31"

static void load_avx512(const void *from)
{
    __asm__ volatile(".irp n, " ALL_32 "\n\t"
                     "vmovups \\n*64(%0), %%zmm\\n\n\t"
                     ".endr" : : "r"(from) : "memory");
}

static void store_avx512(void *to)
{
    __asm__ volatile(".irp n, " ALL_32 "\n\t"
                     "vmovups %%zmm\\n, \\n*64(%0)\n\t"
                     ".endr" : : "r"(to) : "memory");
}

static void (*const loaders[])(const void *) = {load_sse, load_avx, load_avx512};
static void (*const storers[])(void *) = {store_sse, store_avx, store_avx512};

/* Fills all registers with what only this thread has: vectors, control words, one x87 register. */
static void fill(uint64_t number)
{
    uint32_t mxcsr = 0x1f80 | (uint32_t)number << 13;
    uint16_t control = (uint16_t)(0x37f | number << 10);
    uint64_t value = number * 0x1111111111;

    for (unsigned i = 0; i < AREA; i++) {
        loaded[number][i] = (uint8_t)(i * 7 + number * 31 + 1);
    }
    loaders[kind](loaded[number]);
    __asm__ volatile("fninit\n\tfldcw %0\n\tldmxcsr %1\n\tfildq %2"
                     : : "m"(control), "m"(mxcsr), "m"(value));
}

static bool is_filled(uint64_t number)
{
    uint32_t mxcsr;
    uint16_t control;
    uint64_t value;

    storers[kind](stored[number]);
    __asm__ volatile("fnstcw %0\n\tstmxcsr %1\n\tfistpq %2\n\tfildq %2"
                     : "=m"(control), "=m"(mxcsr), "=m"(value));
    return memcmp(stored[number], loaded[number], kind_bytes[kind]) == 0 &&
           mxcsr == (0x1f80 | (uint32_t)number << 13) && control == (0x37f | number << 10) &&
           value == number * 0x1111111111;
}

static void keeper(uint64_t number)
{
    fill(number);
    while (!stop) {
        for (volatile unsigned i = 0; i < 500; i++) {
            continue;
        }
        wrong[number] += !is_filled(number);
        rounds[number]++;
    }
    park();
}

static struct rig_thread make(rig_function *function, uint64_t number, uint32_t cpu)
{
    struct rig_thread t = rig_thread(function, number, 50, cpu, 0);
    struct thread_state state;

    CHECK_STATUS(sys_thread_read(t.thread, &state), OK);
    CHECK_STATUS(sys_thread_regs(t.thread, state.rip, state.rsp, number, 0, THREAD_FPU), OK);
    return t;
}

static struct rig_thread start(rig_function *function, uint64_t number, uint32_t cpu)
{
    struct rig_thread t = make(function, number, cpu);

    CHECK_STATUS(sys_resume(t.thread), OK);
    return t;
}

static void reset(void)
{
    kind = find_kind();
    stop = false;
    for (unsigned i = 0; i < THREADS; i++) {
        rounds[i] = wrong[i] = 0;
    }
}

static void check_all(void)
{
    for (unsigned i = 0; i < THREADS; i++) {
        CHECK(rounds[i] > 3 && wrong[i] == 0);
    }
}

static void preempted(void)
{
    reset();
    for (unsigned i = 0; i < THREADS; i++) {
        start(keeper, i, 0);
    }
    /* And one without, which must not disturb them. */
    for (unsigned i = 0; i < 200; i++) {
        rest(1000);
    }
    check_all();
}

static void on_all_cpus(void)
{
    reset();
    for (unsigned i = 0; i < THREADS; i++) {
        start(keeper, i, i % rig_boot->cpu_count);
    }
    rest(100000);
    check_all();
}

static void moved(void)
{
    struct rig_thread t[THREADS];

    reset();
    for (unsigned i = 0; i < THREADS; i++) {
        t[i] = start(keeper, i, 0);
    }
    rest(30000);
    for (unsigned i = 0; i < 200; i++) {
        unsigned n = i % THREADS;

        CHECK_STATUS(sys_suspend(t[n].thread), OK);
        CHECK_STATUS(sys_sched(t[n].thread, t[n].sched, 50, (i / THREADS + n) % rig_boot->cpu_count),
                     OK);
        CHECK_STATUS(sys_resume(t[n].thread), OK);
        rest(i % 7 * 300);
    }
    rest(50000);
    check_all();
}

static void caller(uint64_t number)
{
    struct message m = {.tag = TAG(0, 4)};

    fill(number);
    while (!stop) {
        wrong[number] += sys_call(endpoint, &m) != OK || !is_filled(number);
        rounds[number]++;
    }
    park();
}

static void server(uint64_t number)
{
    struct message m = {0};
    enum status status;

    fill(number);
    status = sys_recv(endpoint, reply, &m);
    while (status == OK) {
        wrong[number] += !is_filled(number);
        rounds[number]++;
        status = sys_reply_recv(endpoint, reply, &m);
    }
    park();
}

static void messages(void)
{
    reset();
    endpoint = rig_object(OBJ_ENDPOINT, 0);
    reply = rig_object(OBJ_REPLY, 0);
    start(server, 3, 0);
    for (unsigned i = 0; i < 3; i++) {
        start(caller, i, i == 2 ? rig_boot->cpu_count - 1 : 0);
    }
    rest(100000);
    check_all();
}

/* What a new thread finds: the start state, nothing that was in these registers or this memory. */
static void looker(uint64_t number)
{
    uint32_t mxcsr;
    uint16_t control, status;

    storers[kind](stored[number]);
    __asm__ volatile("fnstcw %0\n\tstmxcsr %1\n\tfnstsw %2"
                     : "=m"(control), "=m"(mxcsr), "=m"(status));
    for (unsigned i = 0; i < kind_bytes[kind]; i++) {
        wrong[number] += stored[number][i] != 0;
    }
    wrong[number] += mxcsr != 0x1f80 || control != 0x37f || status != 0;
    rounds[number]++;
    park();
}

static void fresh(void)
{
    uint32_t untyped = rig_untyped(12), slot = rig_slot();

    reset();
    for (uint64_t i = 0; i < 8; i++) {
        uint32_t cpu = (uint32_t)i / 2 % rig_boot->cpu_count;
        struct rig_thread t = make(i % 2 ? looker : keeper, i % 2, cpu);
        struct thread_state state;

        /* The same, in memory that is used again and again. */
        CHECK_STATUS(sys_thread_read(t.thread, &state), OK);
        CHECK_STATUS(sys_retype(untyped, slot, OBJ_THREAD, 0, 0, 1), OK);
        CHECK_STATUS(sys_thread_configure(slot, BOOT_CNODE, BOOT_SPACE, 0, 0, 0), OK);
        CHECK_STATUS(sys_thread_regs(slot, state.rip, state.rsp, i % 2, 0, THREAD_FPU), OK);
        CHECK_STATUS(sys_sched(slot, rig_object(OBJ_SCHED, 0), 50, cpu), OK);
        CHECK_STATUS(sys_resume(slot), OK);
        rest(10000);
        /* A keeper dies with its registers in the FPU. */
        CHECK_STATUS(sys_cap_revoke(untyped), OK);
    }
    CHECK(rounds[1] == 4 && wrong[1] == 0 && rounds[0] > 3 && wrong[0] == 0);
}

void test_fpu(void)
{
    static const struct rig_test tests[] = {
        {"FPU-01: four threads of a CPU keep their registers apart", preempted},
        {"FPU-02: so do threads of all CPUs", on_all_cpus},
        {"FPU-03: registers move with their thread to another CPU", moved},
        {"FPU-04: messages between threads that use the FPU leave it alone", messages},
        {"FPU-05: a new thread finds nothing of an earlier one's", fresh},
    };

    RIG_RUN(tests);
}
