/* rig.c: building blocks for the kernel tests. */
/* SPDX-License-Identifier: BSD-2-Clause */
#include "run/programs/ktest/rig.h"

#include <string.h>

#include "kernel/abi/counter.h"

#define FIRST_SLOT 256u
#define SLOTS ((1u << BOOT_CNODE_BITS) - 1)
#define STACK_SIZE 16384u
#define STACKS 32u
#define ARENA_BITS 24u
#define RESERVE_BITS 21u
#define MAP_AREA 0x200000000000ull

const struct boot_info *rig_boot;

static uint32_t arena;             /* the Untyped of the running test */
static uint32_t next_slot = FIRST_SLOT;
static uint32_t next_stack;
static uint64_t next_address = MAP_AREA;
static unsigned passed, failed;
static bool test_failed;
static char stacks[STACKS][STACK_SIZE] __attribute__((aligned(16)));

/* From the linker script: the program's first and last byte. */
extern char __executable_start[], _end[];

uint64_t rig_tsc(void)
{
    uint32_t low, high;

    __asm__ volatile("rdtsc" : "=a"(low), "=d"(high));
    return (uint64_t)high << 32 | low;
}

uint64_t rig_counter(uint32_t counter)
{
    uint64_t sum = 0, value;

    for (uint32_t cpu = 0; cpu < rig_boot->cpu_count; cpu++) {
        sys_counter(BOOT_PLATFORM, counter, cpu, &value, NULL);
        sum += value;
    }
    return sum;
}

static __attribute__((noreturn)) void give_up(const char *why)
{
    log_bare("ktest: gave up: %s", why);
    failed++;
    rig_finish();
}

static uint32_t largest_untyped(void)
{
    uint32_t best = 0;

    for (uint32_t i = 1; i < rig_boot->untyped_count; i++) {
        if (rig_boot->untyped[i].bits > rig_boot->untyped[best].bits) {
            best = i;
        }
    }
    return BOOT_FREE + best;
}

void rig_init(const struct boot_info *boot)
{
    uint32_t reserve = FIRST_SLOT - 1;

    rig_boot = boot;
    log_init("ktest", BOOT_PLATFORM);
    arena = FIRST_SLOT - 2;
    if (sys_retype(largest_untyped(), reserve, OBJ_UNTYPED, RESERVE_BITS, 0, 1) != OK ||
        sys_retype(largest_untyped(), arena, OBJ_UNTYPED, ARENA_BITS, 0, 1) != OK ||
        sys_space_fund(BOOT_SPACE, reserve, NULL) != OK) {
        give_up("no memory to test with");
    }
}

bool rig_option(const char *word)
{
    const char *line = rig_boot->command_line;
    size_t length = strlen(word);

    while (*line) {
        size_t n = 0;

        while (line[n] && line[n] != ' ') {
            n++;
        }
        if (n == length && memcmp(line, word, n) == 0) {
            return true;
        }
        line += n + (line[n] == ' ');
    }
    return false;
}

uint32_t rig_slot(void)
{
    if (next_slot >= SLOTS) {
        give_up("no slots left");
    }
    return next_slot++;
}

uint32_t rig_object(uint32_t type, uint32_t bits)
{
    uint32_t slot = rig_slot();
    enum status status = sys_retype(arena, slot, type, bits, 0, 1);

    if (status != OK) {
        log_bare("ktest: cannot make object type %u: %s", type, status_words(status));
        give_up("no object");
    }
    return slot;
}

uint32_t rig_untyped(uint32_t bits) { return rig_object(OBJ_UNTYPED, bits); }

void rig_begin(void)
{
    next_slot = FIRST_SLOT;
    next_stack = 0;
    test_failed = false;
}

void rig_end(void)
{
    struct cap_identity id;

    CHECK_STATUS(sys_cap_revoke(arena), OK);
    CHECK_STATUS(sys_cap_identify(arena, &id), OK);
    CHECK(id.free == 1ull << ARENA_BITS);
}

void *rig_map(uint32_t frame, uint64_t size)
{
    uint64_t address = next_address;

    next_address += size;
    CHECK_STATUS(sys_map(BOOT_SPACE, frame, 0, address | MAP_READ | MAP_WRITE, size / 4096, NULL),
                 OK);
    return (void *)address;
}

static struct rig_thread make(uint32_t space, rig_function *function, uint64_t argument,
                              uint32_t priority, uint32_t cpu, uint32_t fault)
{
    struct rig_thread t = {rig_object(OBJ_THREAD, 0), rig_object(OBJ_SCHED, 0), space};
    uint64_t stack;

    if (next_stack == STACKS) {
        give_up("no stacks left");
    }
    stack = (uint64_t)stacks[next_stack++] + STACK_SIZE - 8;
    CHECK_STATUS(sys_thread_configure(t.thread, BOOT_CNODE, space, fault, 0, 0), OK);
    CHECK_STATUS(sys_thread_regs(t.thread, (uint64_t)function, stack, argument, 0, 0), OK);
    CHECK_STATUS(sys_sched(t.thread, t.sched, priority, cpu), OK);
    return t;
}

struct rig_thread rig_thread(rig_function *function, uint64_t argument, uint32_t priority,
                             uint32_t cpu, uint32_t fault)
{
    return make(BOOT_SPACE, function, argument, priority, cpu, fault);
}

static uint32_t copy_of_this(void)
{
    uint32_t space = rig_object(OBJ_SPACE, PT_X86);
    uint64_t start = (uint64_t)__executable_start, end = (uint64_t)_end;

    CHECK_STATUS(sys_space_fund(space, rig_untyped(17), NULL), OK);
    for (uint64_t at = start; at < end; at += 4096) {
        uint32_t frame = rig_object(OBJ_FRAME, FRAME_4K_BITS);
        void *here = rig_map(frame, 4096);

        memcpy(here, (void *)at, 4096);
        CHECK_STATUS(sys_map(space, frame, 0, at | MAP_READ | MAP_WRITE | MAP_EXEC, 1, NULL), OK);
    }
    return space;
}

struct rig_thread rig_process(rig_function *function, uint64_t argument, uint32_t priority,
                              uint32_t cpu, uint32_t fault)
{
    return make(copy_of_this(), function, argument, priority, cpu, fault);
}

void rig_check(bool ok, const char *what, const char *file, int line)
{
    if (!ok) {
        test_failed = true;
        log_bare("  %s:%d: not so: %s", file, line, what);
    }
}

void rig_check_status(enum status got, enum status expected, const char *what, const char *file,
                      int line)
{
    if (got != expected) {
        test_failed = true;
        log_bare("  %s:%d: %s", file, line, what);
        log_bare("    gave \"%s\", not \"%s\"", status_words(got), status_words(expected));
    }
}

void rig_run(const struct rig_test *tests, unsigned count)
{
    for (unsigned i = 0; i < count; i++) {
        rig_begin();
        tests[i].run();
        rig_end();
        log_bare("%s %s", test_failed ? "FAIL" : "PASS", tests[i].name);
        *(test_failed ? &failed : &passed) += 1;
    }
}

void rig_finish(void)
{
    log_bare("ktest: %u passed, %u failed", passed, failed);
    sys_reset(BOOT_PLATFORM, 1);
    for (;;) {
        continue;
    }
}
